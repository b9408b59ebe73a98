/* SPDX-License-Identifier: GPL-3.0-or-later
 * MP3 against mpg123 and LAME: lengths, gaps, damage, what is not MP3. */
#include "fixture.h"

#include "formats/mp3/mpeg.h"
#include <math.h>

/* noise.wav and what LAME makes of it. */
static void make_mp3(const char *name, const char *options, unsigned rate, unsigned channels, unsigned frames)
{
    sh("sox -R -r %u -n -c %u -b 16 noise.wav synth %us pinknoise vol 0.4 && lame --quiet %s noise.wav "
       "%s.mp3 && "
       "mpg123 -q -e f32 -s %s.mp3 >%s.f32",
       rate, channels, frames, options, name, name, name);
}

static void check_mp3(const char *name, uint64_t frames, bool declared)
{
    char path[64], reference[64];
    snprintf(path, sizeof path, "%s.mp3", name);
    snprintf(reference, sizeof reference, "%s.f32", name);
    decoded d = check_decodes(path, reference, 0, frames);
    CHECK(d.format.frames == (declared ? frames : AP_UNKNOWN));
    CHECK(!d.warned);
    free(d.frames);
}

static void every_rate_gives_back_its_length(void)
{
    static const unsigned rates[] = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        make_mp3("rate", i % 2 ? "-V 4" : "-b 64", rates[i], 1 + i % 2, 20011);
        check_mp3("rate", 20011, true);
    }
}

static void short_ones_too(void)
{
    static const unsigned lengths[] = {0, 1, 575, 576, 1105, 1152, 1153, 2304};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        make_mp3("short", "-b 320", 44100, 2, lengths[i] ? lengths[i] : 1);
        if (lengths[i] == 0)
            sh("sox noise.wav empty.wav trim 0 0s && lame --quiet empty.wav short.mp3 && : >short.f32");
        check_mp3("short", lengths[i], true);
    }
}

static void the_bit_rates_and_modes(void)
{
    static const char *const options[] = {
        "-b 112", "-b 320", "-V 0", "--freeformat -b 400", "--preset standard", "-m m -b 96", "-m s -b 128"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        make_mp3("mode", options[i], 44100, 2, 50021);
        check_mp3("mode", 50021, true);
    }
}

static void without_a_tag_the_length_is_unknown(void)
{
    make_mp3("plain", "-t -b 128", 44100, 2, 50000);
    decoded d = check_decodes("plain.mp3", "plain.f32", 0, AP_UNKNOWN);
    CHECK(d.format.frames == AP_UNKNOWN && d.count > 50000);
    free(d.frames);
}

static void layer_2_is_read(void)
{
    sh("sox -R -r 48000 -n -c 2 -b 16 l2.wav synth 1 pinknoise && ffmpeg -v error -y -i l2.wav -f mp2 l2.mp2 "
       "&& "
       "mpg123 -q -e f32 -s l2.mp2 >l2.f32");
    decoded d = check_decodes("l2.mp2", "l2.f32", 0, AP_UNKNOWN);
    free(d.frames);
}

/* A tag that tells of more MPEG frames than the bytes could hold must not be filled up with silence. */
static void a_length_that_cannot_be_true_is_not_padded(void)
{
    size_t size;
    make_mp3("lies", "-b 128", 44100, 2, 20000);
    unsigned char *bytes = load("lies.mp3", &size), *info = memmem(bytes, size, "Info", 4);
    if (CHECK(info))
        memcpy(info + 8, "\0\xff\xff\xff", 4); /* 20 hours of MPEG frames in 8 kB */
    save("lies.mp3", bytes, size);
    free(bytes);
    check_fails("lies.mp3", "truncated");
}

static void a_truncated_file_is_an_error(void)
{
    make_mp3("whole", "-b 128", 44100, 2, 100000);
    size_t size = file_size("whole.mp3");
    check_fails(cut("whole.mp3", size / 2), "truncated");
    check_fails(cut("whole.mp3", size - 1), "truncated");
    check_fails(cut("whole.mp3", size / 10), "truncated");
    check_fails(cut("whole.mp3", 500), "truncated");
}

/* 1000 bytes of noise inside: the rest is played, and the length is kept. */
static void damage_inside_is_played_with_a_warning(void)
{
    size_t size;
    make_mp3("whole", "-b 128", 44100, 2, 100000);
    unsigned char *bytes = load("whole.mp3", &size);
    uint64_t seed = 7;
    for (int i = 0; i < 1000; i++)
        bytes[size / 2 + i] = (unsigned char)(test_random(&seed) >> 8);
    save("noise.mp3", bytes, size);
    decoded d = decode_file("noise.mp3", NULL, 4096), p = decode_pipe("noise.mp3", 77);
    CHECK(d.count == 100000 && d.warned && strstr(d.warning, "damaged"));
    same_decoded(&d, &p);
    decoded whole = decode_file("whole.mp3", NULL, 4096);
    CHECK(memcmp(d.frames, whole.frames, 40000 * 2 * sizeof(float)) == 0);
    free(whole.frames);
    free(p.frames);
    free(d.frames);
    memmove(bytes + size / 2, bytes + size / 2 + 1000, size - size / 2 - 1000);
    save("gone.mp3", bytes, size - 1000);
    d = decode_file("gone.mp3", NULL, 4096);
    CHECK(d.err.code == AP_OK && d.count == 100000 && d.warned);
    free(d.frames);
    free(bytes);
}

static void junk_before_the_first_frame_is_skipped(void)
{
    make_mp3("whole", "-b 128", 44100, 2, 30000);
    sh("head -c 5000 /dev/zero | tr '\\0' 'x' >junk.mp3 && cat whole.mp3 >>junk.mp3");
    decoded d = check_decodes("junk.mp3", "whole.f32", 0, 30000);
    free(d.frames);
    sh("openssl rand -hex 29000 >junk.mp3 && cat whole.mp3 >>junk.mp3");
    d = check_decodes("junk.mp3", "whole.f32", 0, 30000);
    free(d.frames);
}

static void noise_is_not_mp3(void)
{
    static unsigned char noise[1 << 20];
    uint64_t seed = 3;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)(test_random(&seed) >> 8);
    save("noise.bin", noise, sizeof noise);
    check_fails("noise.bin", "");
    CHECK(ap_mp3_find(noise, sizeof noise, false) == SIZE_MAX);
}

static void a_big_tag_before_the_audio_is_read(void)
{
    make_mp3("whole", "-b 128", 44100, 2, 30000);
    sh("ffmpeg -v error -y -f lavfi -i mandelbrot=s=700x700 -frames:v 1 big.png && "
       "ffmpeg -v error -y -i whole.mp3 -i big.png -map 0 -map 1 -c copy -id3v2_version 3 -metadata "
       "'title=T\xc3\xaftle' "
       "-write_id3v1 1 tagged.mp3");
    ap_stream *s = ap_decode("tagged.mp3", NULL, NULL);
    size_t size;
    unsigned char *picture = load("big.png", &size);
    if (CHECK(s)) {
        ap_picture p = ap_tags_picture(ap_stream_tags(s));
        CHECK(size > 65536 && p.size == size && memcmp(p.data, picture, size) == 0);
        CHECK(strcmp(p.mime, "image/png") == 0);
        CHECK(strcmp(ap_tags_get(ap_stream_tags(s), "TITLE"), "T\xc3\xaftle") == 0);
    }
    ap_close(&s);
    free(picture);
    decoded d = check_decodes("tagged.mp3", "whole.f32", 0, 30000);
    free(d.frames);
}

static void joined_files_are_played_to_the_end(void)
{
    make_mp3("whole", "-b 128", 44100, 2, 30000);
    make_mp3("slow", "-b 64", 22050, 2, 30000);
    sh("cat whole.mp3 whole.mp3 >joined.mp3 && mpg123 -q -e f32 -s joined.mp3 >joined.f32");
    decoded d = decode_file("joined.mp3", NULL, 4096), p = decode_pipe("joined.mp3", 4096);
    CHECK(d.err.code == AP_OK && d.count >= 60000 && d.count == file_size("joined.f32") / 8);
    CHECK(!d.warned && !p.warned);
    same_decoded(&d, &p);
    free(d.frames);
    free(p.frames);
    /* A tag between them is none of the sound; that of APEv2 has a header and a footer. */
    static const unsigned char ape[] = "APETAGEX\xd0\x07\0\0\x31\0\0\0\1\0\0\0\0\0\0\xa0\0\0\0\0\0\0\0\0"
                                       "\3\0\0\0\0\0\0\0Title\0Ape"
                                       "APETAGEX\xd0\x07\0\0\x31\0\0\0\1\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0";
    save("ape", ape, sizeof ape - 1);
    sh("cat whole.mp3 ape whole.mp3 >tagged.mp3");
    p = decode_file("tagged.mp3", NULL, 4096);
    CHECK(p.err.code == AP_OK && p.count >= 60000 && !p.warned);
    free(p.frames);
    sh("cat whole.mp3 slow.mp3 >joined.mp3");
    d = decode_file("joined.mp3", NULL, 4096);
    /* With the delay and the padding of the second, which only the first is free of. */
    CHECK(d.err.code == AP_OK && d.format.rate == 44100 && strstr(d.warning, "22050 Hz"));
    CHECK(d.count >= 90000 && d.count < 90000 + 2 * 4 * 576);
    free(d.frames);
}

/* Joined without tags: both parts are those of each alone, mono twice. */
static void a_change_of_channels_is_followed(void)
{
    make_mp3("stereo", "-t -b 128", 44100, 2, 30000);
    make_mp3("mono", "-t -b 64", 44100, 1, 30000);
    sh("cat stereo.mp3 mono.mp3 stereo.mp3 >smo.mp3");
    decoded s = decode_file("stereo.mp3", NULL, 4096), m = decode_file("mono.mp3", NULL, 4096);
    decoded d = decode_file("smo.mp3", NULL, 4096), odd = decode_file("smo.mp3", NULL, 331);
    CHECK(d.count == 2 * s.count + m.count && strstr(d.warning, "1 channels"));
    same_decoded(&d, &odd);
    double worst = 0;
    for (size_t i = 1152; i < m.count && d.count == 2 * s.count + m.count;
         i++) /* the reservoir starts anew */
        for (size_t c = 0; c < 2; c++)
            worst = fmax(worst, fabs((double)(d.frames[2 * (s.count + i) + c] - m.frames[i])));
    CHECK_NEAR(worst, 0, 1e-6);
    free(s.frames);
    free(m.frames);
    free(d.frames);
    free(odd.frames);
}

static void tags_at_the_end_are_no_audio(void)
{
    make_mp3("whole", "-t -b 128", 44100, 2, 30000);
    sh("lame --quiet -t -b 128 --tt Last --id3v1-only noise.wav v1.mp3");
    decoded d = decode_file("v1.mp3", NULL, 4096), plain = decode_file("whole.mp3", NULL, 4096);
    CHECK(strcmp(d.title, "Last") == 0 && !d.warned);
    CHECK(d.count == plain.count);
    free(d.frames);
    free(plain.frames);
}

/* Puts a first MPEG frame with a tag before an MP3 without one: "VBRI", "Xing", with a count that is so much
 * too large. Returns how many MPEG frames follow it. */
static uint32_t add_tag(const char *from, const char *to, const char *tag, uint32_t extra)
{
    unsigned char first[417] = {0};
    size_t size, at = 0;
    uint32_t count = 0;
    ap_mpeg m;
    unsigned char *bytes = load(from, &size);
    for (; at + 4 <= size && ap_mpeg_parse(bytes + at, &m); at += m.size)
        count++;
    memcpy(first, "\xff\xfb\x90", 3); /* 128 kbit/s at 44.1 kHz */
    first[3] = bytes[3];
    memcpy(first + 36, tag, 4);
    uint32_t told = count + extra;
    unsigned char *p = first + (strcmp(tag, "VBRI") == 0 ? 50 : 44);
    first[43] = 1; /* of Xing: the count is there */
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(told >> (24 - 8 * i));
    unsigned char *all = malloc(sizeof first + size);
    memcpy(all, first, sizeof first);
    memcpy(all + sizeof first, bytes, size);
    save(to, all, sizeof first + size);
    free(all);
    free(bytes);
    return count;
}

/* It counts exactly, and is no sound. */
static void the_tag_of_fraunhofer_is_no_sound(void)
{
    make_mp3("plain", "-t -V 2", 44100, 2, 100000);
    uint32_t count = add_tag("plain.mp3", "vbri.mp3", "VBRI", 0);
    sh("ffmpeg -v error -y -i plain.mp3 -f f32le ref.f32");
    for (int pipe = 0; pipe < 2; pipe++) {
        decoded d = pipe ? decode_pipe("vbri.mp3", 4096) : decode_file("vbri.mp3", NULL, 4096);
        decoded p = decode_file("plain.mp3", NULL, 4096);
        CHECK(d.err.code == AP_OK && d.format.frames == count * 1152ull && d.count == d.format.frames &&
              !d.warned);
        CHECK(p.count == d.count && memcmp(p.frames, d.frames, d.count * 2 * sizeof *d.frames) == 0);
        free(d.frames);
        free(p.frames);
    }
    check_fails(cut("vbri.mp3", file_size("vbri.mp3") / 2), "truncated");
}

/* As mediabunny does. */
static void a_count_may_include_its_own_frame(void)
{
    decoded d[2], p;
    make_mp3("plain", "-t -V 2", 44100, 2, 100000);
    for (uint32_t extra = 0; extra < 2; extra++) {
        add_tag("plain.mp3", "xing.mp3", "Xing", extra);
        d[extra] = decode_file("xing.mp3", NULL, 4096);
        CHECK(d[extra].err.code == AP_OK && d[extra].count == d[extra].format.frames && !d[extra].warned);
        p = decode_pipe("xing.mp3", 4096);
        CHECK(p.err.code == AP_OK && p.count == d[extra].count && !p.warned);
        free(p.frames);
        check_fails(cut("xing.mp3", file_size("xing.mp3") / 2), "truncated");
        p = decode_pipe("cut.xing.mp3", 4096);
        CHECK(p.err.code == AP_FAILED && strstr(p.err.message, "truncated"));
        free(p.frames);
    }
    CHECK(d[0].count == d[1].count);
    free(d[0].frames);
    free(d[1].frames);
}

static void flipped_bits_do_no_harm(void)
{
    make_mp3("whole", "-b 64 --tt Title --id3v2-only", 22050, 2, 20000);
    flip_bits("whole.mp3", 150);
}

TEST_MAIN(CASE(every_rate_gives_back_its_length), CASE(short_ones_too), CASE(the_bit_rates_and_modes),
          CASE(without_a_tag_the_length_is_unknown), CASE(layer_2_is_read),
          CASE(a_length_that_cannot_be_true_is_not_padded), CASE(a_truncated_file_is_an_error),
          CASE(damage_inside_is_played_with_a_warning), CASE(junk_before_the_first_frame_is_skipped),
          CASE(noise_is_not_mp3), CASE(a_big_tag_before_the_audio_is_read),
          CASE(joined_files_are_played_to_the_end), CASE(a_change_of_channels_is_followed),
          CASE(tags_at_the_end_are_no_audio), CASE(the_tag_of_fraunhofer_is_no_sound),
          CASE(a_count_may_include_its_own_frame), CASE(flipped_bits_do_no_harm))
