/* SPDX-License-Identifier: GPL-3.0-or-later
 * What libav reads, through its plugin, against ffmpeg. */
#include "fixture.h"

static void make_noise(void)
{
    sh("sox -R -r 44100 -n -c 2 -b 16 noise.wav synth 88200s pinknoise vol 0.6");
}

static void codecs_and_containers_are_as_ffmpeg_decodes_them(void)
{
    static const char *const ways[] = {
        "-c:a aac t.m4a",         "-c:a alac t.m4a",    "-c:a alac t.caf",
        "-c:a aac t.aac",         "-c:a libopus t.mkv", "-c:a libvorbis t.webm",
        "-c:a wmav2 t.wma",       "-c:a ac3 t.ac3",     "-c:a dca -strict -2 t.dts",
        "-c:a wavpack t.wv",      "-c:a tta t.tta",     "-c:a flac t.mkv",
        "-c:a flac -f ogg t.ogg", "-c:a mp3 t.mp4",     "-c:a aac -movflags faststart t.mp4"};
    make_noise();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const char *name = strrchr(ways[i], ' ') + 1;
        bool gapless = strstr(ways[i], "aac t.m4a") || strstr(ways[i], "mp4"); /* ffmpeg leaves the padding */
        sh("ffmpeg -v error -y -i noise.wav %s && ffmpeg -v error -y -i %s -f f32le ref.f32", ways[i], name);
        decoded d = check_decodes(name, "ref.f32", 0, gapless ? 88200 : AP_UNKNOWN);
        CHECK(!d.warned);
        free(d.frames);
    }
}

static void every_shape_is_read(void)
{
    for (unsigned channels = 1; channels <= 8; channels++) {
        sh("sox -R -r %u -n -c %u -b 24 t.wav synth 2000s pinknoise && ffmpeg -v error -y -i t.wav -c:a "
           "wavpack t.wv && "
           "ffmpeg -v error -y -i t.wav -f f32le ref.f32",
           channels % 2 ? 192000 : 8000, channels);
        decoded d = check_decodes("t.wv", "ref.f32", 0, 2000);
        CHECK(d.format.channels == channels);
        free(d.frames);
    }
}

static void make_video(void)
{
    make_noise();
    sh("ffmpeg -v error -y -f lavfi -i testsrc=d=2:r=10:s=64x64 -i noise.wav -f lavfi -i sine=d=2:r=48000 "
       "-map 0:v -map "
       "1:a -map 2:a -c:a alac v.mov");
}

static void the_track_can_be_chosen(void)
{
    make_video();
    for (unsigned track = 0; track <= 2; track++) {
        ap_decode_options o;
        ap_decode_defaults(&o);
        o.track = track;
        decoded d = decode_file("v.mov", &o, 4096);
        CHECK(d.err.code == AP_OK && d.format.rate == (track == 2 ? 48000 : 44100));
        CHECK(d.format.channels == (track == 2 ? 1 : 2));
        free(d.frames);
        o.track = 3;
        d = decode_file("v.mov", &o, 4096);
        CHECK(!d.opened && strstr(d.err.message, "track 3"));
    }
}

static void what_has_no_audio_is_refused(void)
{
    make_video();
    sh("ffmpeg -v error -y -i v.mov -an -c:v copy mute.mov && ffmpeg -v error -y -i v.mov -frames:v 1 p.png "
       "&& "
       "ffmpeg -v error -y -i v.mov -frames:v 1 p.jpg && printf '#EXTM3U\\n#EXTINF:1,\\nnoise.wav\\n' "
       ">list.m3u8 && "
       "printf \"ffconcat version 1.0\\nfile noise.wav\\n\" >list.txt");
    check_fails("mute.mov", "no audio");
    check_fails("p.png", "no audio");
    check_fails("p.jpg", "audio"); /* libav is not sure what it is */
    check_fails("list.m3u8", "");  /* must not open other files */
    check_fails("list.txt", "");
}

static void encrypted_files_are_refused(void)
{
    make_noise();
    sh("ffmpeg -v error -y -i noise.wav -c:a aac -encryption_scheme cenc-aes-ctr -encryption_key "
       "00112233445566778899aabbccddeeff -encryption_kid 00112233445566778899aabbccddeeff enc.mp4");
    check_fails("enc.mp4", "encrypted");
}

static void truncated_files_are_errors(void)
{
    static const char *const ways[] = {"-c:a aac t.m4a",    "-c:a aac -movflags faststart t.mp4",
                                       "-c:a wavpack t.wv", "-c:a tta t.tta",
                                       "-c:a wmav2 t.wma",  "-c:a libopus t.mkv",
                                       "-c:a flac t.mkv",   "-c:a alac -movflags faststart t.mov"};
    sh("sox -R -r 44100 -n -c 2 -b 16 noise.wav synth 4 pinknoise vol 0.6");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const char *name = strrchr(ways[i], ' ') + 1;
        sh("ffmpeg -v error -y -i noise.wav %s", ways[i]);
        check_fails(cut(name, file_size(name) / 2), "truncated");
        check_fails(cut(name, file_size(name) / 10), "truncated");
        check_fails(cut(name, 30), "");
    }
}

/* Broken packets are concealed; what follows stays in time. */
static void damage_is_played_with_a_warning(void)
{
    size_t size;
    make_noise();
    sh("ffmpeg -v error -y -i noise.wav -c:a aac -movflags faststart t.mp4");
    unsigned char *bytes = load("t.mp4", &size);
    for (size_t i = size / 2; i < size / 2 + 1000; i++)
        bytes[i] = 0xff;
    save("bad.mp4", bytes, size);
    free(bytes);
    decoded d = decode_file("bad.mp4", NULL, 4096);
    CHECK(d.err.code == AP_OK && d.warned && strstr(d.warning, "damaged"));
    CHECK_NEAR(d.count, 88200, 2048);
    free(d.frames);
}

static void tags_and_pictures_are_kept(void)
{
    size_t size;
    make_noise();
    sh("ffmpeg -v error -y -f lavfi -i testsrc=d=1:s=100x100 -frames:v 1 cover.png && ffmpeg -v error -y -i "
       "noise.wav -i "
       "cover.png -map 0 -map 1 -c:v copy -disposition:v attached_pic -c:a aac -metadata "
       "'title=T\xc3\xaftle' -metadata "
       "track=3/9 -metadata album_artist=Both t.m4a");
    unsigned char *cover = load("cover.png", &size);
    ap_stream *s = ap_decode("t.m4a", NULL, NULL);
    if (CHECK(s)) {
        const ap_tags *tags = ap_stream_tags(s);
        ap_picture p = ap_tags_picture(tags);
        CHECK(p.size == size && memcmp(p.data, cover, size) == 0);
        CHECK(strcmp(ap_tags_get(tags, "TITLE"), "T\xc3\xaftle") == 0);
        CHECK(strcmp(ap_tags_get(tags, "TRACKNUMBER"), "3") == 0);
        CHECK(strcmp(ap_tags_get(tags, "TRACKTOTAL"), "9") == 0);
        CHECK(strcmp(ap_tags_get(tags, "ALBUMARTIST"), "Both") == 0);
        CHECK(!ap_tags_get(tags, "MAJOR_BRAND") && !ap_tags_get(tags, "ENCODER"));
    }
    ap_close(&s);
    free(cover);
}

static void a_missing_plugin_is_named(void)
{
    make_noise();
    sh("ffmpeg -v error -y -i noise.wav -c:a aac t.m4a");
    char *plugins = strdup(getenv("AUDIOPIPE_PLUGINS") ? getenv("AUDIOPIPE_PLUGINS") : "");
    setenv("AUDIOPIPE_PLUGINS", "/nonexistent", 1);
    decoded d = decode_file("t.m4a", NULL, 4096);
    CHECK(d.opened || strstr(d.err.message, "av.so")); /* opened: another copy is installed */
    free(d.frames);
    setenv("AUDIOPIPE_PLUGINS", plugins, 1);
    free(plugins);
}

static void flipped_bits_do_no_harm(void)
{
    static const char *const names[] = {"t.m4a", "t.mkv", "t.wma", "t.wv", "t.aac"};
    sh("sox -R -r 44100 -n -c 2 -b 16 noise.wav synth 8000s pinknoise");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sh("ffmpeg -v error -y -i noise.wav -metadata title=T %s", names[i]);
        flip_bits(names[i], 40);
    }
}

TEST_MAIN(CASE(codecs_and_containers_are_as_ffmpeg_decodes_them), CASE(every_shape_is_read),
          CASE(the_track_can_be_chosen), CASE(what_has_no_audio_is_refused),
          CASE(encrypted_files_are_refused), CASE(truncated_files_are_errors),
          CASE(damage_is_played_with_a_warning), CASE(tags_and_pictures_are_kept),
          CASE(a_missing_plugin_is_named), CASE(flipped_bits_do_no_harm))
