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

/* Numbers behind a header, as programs for measurements write them; libav takes some for AMR. */
static void check_numbers(const char *name, const char *header, size_t size, int kind)
{
    size_t count = 20000;
    unsigned char *b = calloc(1, 256 + count * sizeof(double));
    uint64_t seed = 3;
    memcpy(b, header, size);
    for (size_t i = 0; i < count; i++) {
        double noise = test_random(&seed) / 2147483648.0 - 1;
        double v = kind == 0 ? 0.5 * sin((double)i / 20) : kind == 1 ? noise : (double)i;
        memcpy(b + size + i * sizeof v, &v, sizeof v);
    }
    save(name, b, size + count * sizeof(double));
    free(b);
    check_fails(name, "");
}

static void numbers_are_no_sound(void)
{
    char npy[128], mat[136] = {0};
    memset(npy, ' ', sizeof npy);
    memcpy(npy, "\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (20000,), }", 71);
    npy[127] = '\n';
    memset(mat, ' ', 124);
    memcpy(mat, "MATLAB 5.0 MAT-file, Platform: GLNXA64", 38);
    memcpy(mat + 124, "\x00\x01IM\x0e\x00\x00\x00", 8);
    for (int kind = 0; kind < 3; kind++) {
        check_numbers("bare.f64", "", 0, kind);
        check_numbers("array.npy", npy, sizeof npy, kind);
        check_numbers("data.mat", mat, sizeof mat, kind);
        check_numbers("arrays.npz", "PK\x03\x04-\x00\x00\x00\x00\x00\x00\x00!\x00", 14, kind);
    }
}

/* Bit n of a frame on: 1, a gain of -12 dB (ATSC A/52, 5.4.3.4 dynrng), and what follows it 8 bits later. */
static void insert_gain(unsigned char *frame, size_t size, size_t n)
{
    unsigned char *old = malloc(size);
    memcpy(old, frame, size);
    CHECK(!(old[n / 8] >> (7 - n % 8) & 1));
    for (size_t i = n; i < 8 * size; i++) {
        size_t from = i - 8;
        bool bit = i == n      ? true
                   : i < n + 9 ? 0xc0 >> (7 - (i - n - 1)) & 1
                               : old[from / 8] >> (7 - from % 8) & 1;
        frame[i / 8] = (unsigned char)((frame[i / 8] & ~(0x80 >> i % 8)) | (bit ? 0x80 >> i % 8 : 0));
    }
    unsigned crc = 0; /* of the whole frame but its syncword */
    for (size_t i = 2; i < size - 2; i++)
        for (int k = 7; k >= 0; k--)
            crc = (crc << 1 ^ ((crc >> 15 ^ (unsigned)frame[i] >> k) & 1 ? 0x8005 : 0)) & 0xffff;
    frame[size - 2] = (unsigned char)(crc >> 8);
    frame[size - 1] = (unsigned char)crc;
    free(old);
}

static void ac3s_gain_is_left_out_unless_asked_for(void)
{
    enum { FRAME = 2560, DYNRNGE = 71 }; /* 640 kbit/s at 48 kHz; stereo as ffmpeg writes it */
    size_t size;
    sh("sox -R -r 48000 -n -c 2 -b 16 tone.wav synth 1 sine 1000 vol 0.5 && ffmpeg -v error -y -i tone.wav "
       "-c:a ac3 "
       "-b:a 640k plain.ac3");
    unsigned char *b = load("plain.ac3", &size);
    CHECK(b && size % FRAME == 0);
    for (size_t at = 0; at + FRAME <= size; at += FRAME)
        insert_gain(b + at, FRAME, DYNRNGE);
    save("gain.ac3", b, size);
    free(b);
    ap_decode_options o;
    ap_decode_defaults(&o);
    decoded plain = decode_file("plain.ac3", &o, 4096), full = decode_file("gain.ac3", &o, 4096);
    same_decoded(&plain, &full);
    o.drc = true;
    decoded quiet = decode_file("gain.ac3", &o, 4096);
    double worst = 0;
    for (size_t i = 0; i < 2 * quiet.count && quiet.count == plain.count; i++)
        worst = fmax(worst, fabs((double)quiet.frames[i] - 0.25 * plain.frames[i]));
    CHECK(quiet.count == plain.count && quiet.count > 48000);
    CHECK_NEAR(worst, 0, 1e-6);
    free(plain.frames);
    free(full.frames);
    free(quiet.frames);
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

/* The headers of what is written to a pipe have placeholders for lengths. */
static void placeholders_are_no_lengths(void)
{
    static const char *const formats[] = {"avi", "rm", "matroska", "asf", "nut", "mpegts"};
    sh("sox -R -r 44100 -n -c 2 -b 16 noise.wav synth 1 pinknoise vol 0.6");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        sh("ffmpeg -v error -i noise.wav -c:a ac3 -f %s - >t && ffmpeg -v error -y -i t -f f32le ref",
           formats[i]);
        decoded d = check_decodes("t", "ref", 1e-6, file_size("ref") / 8);
        CHECK(d.count >= 44100 && !d.warned);
        free(d.frames);
    }
}

/* Broken packets are concealed; what follows stays in time. */
/* libav gives the last packet of a short Vorbis 2^32 frames, less what is there. */
static void a_length_that_has_wrapped_is_none(void)
{
    static const unsigned lengths[] = {10, 500, 1500, 40000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        sh("sox -R -r 44100 -n -c 2 -b 16 t.wav synth %us sine 440 && oggenc -Q t.wav -o t.ogg && ffmpeg -v "
           "error -y -i t.ogg -c copy t.mka && ffmpeg -v error -y -i t.mka -f f32le t.f32",
           lengths[i]);
        decoded d = check_decodes("t.mka", "t.f32", 1e-5, AP_UNKNOWN);
        CHECK(d.count > 0 && !d.warned);
        free(d.frames);
    }
}

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
          CASE(the_track_can_be_chosen), CASE(what_has_no_audio_is_refused), CASE(numbers_are_no_sound),
          CASE(ac3s_gain_is_left_out_unless_asked_for), CASE(encrypted_files_are_refused),
          CASE(truncated_files_are_errors), CASE(placeholders_are_no_lengths),
          CASE(a_length_that_has_wrapped_is_none), CASE(damage_is_played_with_a_warning),
          CASE(tags_and_pictures_are_kept), CASE(a_missing_plugin_is_named), CASE(flipped_bits_do_no_harm))
