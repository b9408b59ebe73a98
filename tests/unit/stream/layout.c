/* SPDX-License-Identifier: GPL-3.0-or-later
 * Names of layouts against ffmpeg's, channels without positions, and streams joined. */
#include "fixture.h"

#include "stream/join.h"

/* "5.1  FL+FR+FC+LFE+BL+BR": both columns have to give the same mask; what has no name in WAVE is skipped. */
static void layouts_are_ffmpegs(void)
{
    char name[64], list[256];
    int count = 0;
    sh("ffmpeg -v error -layouts | sed '1,/Standard channel layouts/d;/DECOMPOSITION/d' >layouts.txt");
    FILE *file = fopen("layouts.txt", "r");
    while (CHECK(file) && fscanf(file, "%63s %255s", name, list) == 2) {
        if (!ap_layout_mask(list))
            continue;
        if (strcmp(name, "downmix") && strcmp(name, "cube") && !strstr(name, "(top)") &&
            !CHECK(ap_layout_mask(name) == ap_layout_mask(list)))
            fprintf(stderr, "%s %s\n", name, list);
        count++;
    }
    CHECK(count >= 25);
    fclose(file);
    CHECK(ap_layout_mask("0x60f") == 0x60f && ap_layout_mask("discrete") == AP_DISCRETE);
    static const char *const bad[] = {"",    "5",          "FR+FL", "FL+FL", "FL+", "5.1 ", "0x",
                                      "0x0", "0x80000000", "FLX",   "+FL",   "0xg", "-1",   "fl"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(ap_layout_mask(bad[i]) == 0);
}

static void discrete_channels_are_kept_but_not_mixed(void)
{
    static const char *const ways[] = {"wav", "flac", "au", "aiff", "opus"};
    float frames[400];
    ap_error err = {0};
    enter_folder();
    for (int i = 0; i < 400; i++)
        frames[i] = (float)i / 512;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char path[16];
        snprintf(path, sizeof path, "four.%s", ways[i]);
        CHECK(ap_encode(ap_source_memory(&(ap_format){48000, 4, AP_DISCRETE, 100}, frames, NULL), path, NULL,
                        &err));
        decoded d = decode_file(path, NULL, 64);
        if (!CHECK(d.count == 100 && d.format.mask == AP_DISCRETE))
            fprintf(stderr, "%s: %#x\n", path, d.format.mask);
        free(d.frames);
        ap_decode_options o;
        ap_decode_defaults(&o);
        o.channels = 2;
        d = decode_file(path, &o, 64);
        CHECK(!d.opened && d.err.code == AP_FAILED && strstr(d.err.message, "--layout"));
        o.mask = ap_layout_mask("4.0");
        d = decode_file(path, &o, 64);
        CHECK(d.count == 100 && d.format.mask == 3);
        free(d.frames);
        o.mask = ap_layout_mask("5.1");
        d = decode_file(path, &o, 64);
        CHECK(!d.opened && d.err.code == AP_USAGE);
    }
    sh("ffprobe -v error -show_entries stream=channel_layout -of csv=p=0 four.wav >l.txt; ! grep -q '[a-z]' "
       "l.txt || grep -q unknown l.txt");
}

/* ---- joins */

typedef struct parts {
    const ap_format *formats;
    size_t count, at;
    bool fail;
    const float *frames;
} parts;

static ap_stream *next_part(void *user, ap_error *err)
{
    parts *p = user;
    if (p->at == p->count && p->fail)
        *err = (ap_error){AP_FAILED, "no more"};
    return p->at == p->count ? NULL : ap_source_memory(&p->formats[p->at++], p->frames, err);
}

static void close_nothing(void *user)
{
    (void)user;
}

static decoded join(const ap_format *formats, size_t count, bool fail, size_t block)
{
    static const ap_join_ops ops = {next_part, close_nothing};
    static float ones[8000];
    for (size_t i = 0; i < 8000; i++)
        ones[i] = 0.5f;
    parts p = {formats, count, 0, fail, ones};
    ap_format format = formats[0];
    format.frames = AP_UNKNOWN;
    return drain(ap_join(&format, &ops, &p, NULL), block, (ap_error){0});
}

static void parts_follow_each_other(void)
{
    const ap_format formats[] = {
        {48000, 2, 0, 1000}, {48000, 2, 0, 0}, {48000, 1, 0, 500}, {24000, 1, 0, 700}, {48000, 2, 0, 333}};
    decoded d = join(formats, 5, false, 4096);
    CHECK(d.err.code == AP_OK && d.count == 1000 + 500 + 1400 + 333);
    CHECK(d.warned && strstr(d.warning, "48000 Hz and 1 channels"));
    for (size_t i = 0; i < 2 * 1500; i++) /* mono is not 3 dB lower */
        CHECK(d.frames[i] == 0.5f);
    decoded odd = join(formats, 5, false, 7);
    same_decoded(&d, &odd);
    free(d.frames);
    free(odd.frames);
    d = join(formats, 1, true, 4096);
    CHECK(d.err.code == AP_FAILED && d.count == 1000 && !d.warned);
    free(d.frames);
}

/* Channels without positions keep their numbers; those that the first part lacks are dropped. */
static void discrete_parts_keep_their_numbers(void)
{
    const ap_format formats[] = {{48000, 3, AP_DISCRETE, 10}, {48000, 2, 0, 10}, {48000, 4, AP_DISCRETE, 10}};
    decoded d = join(formats, 3, false, 4096);
    CHECK(d.count == 30 && d.format.mask == AP_DISCRETE);
    CHECK(d.frames[3 * 10] == 0.5f && d.frames[3 * 10 + 1] == 0.5f && d.frames[3 * 10 + 2] == 0);
    CHECK(d.frames[3 * 20] == 0.5f && d.frames[3 * 29 + 2] == 0.5f);
    free(d.frames);
}

TEST_MAIN(CASE(layouts_are_ffmpegs), CASE(discrete_channels_are_kept_but_not_mixed),
          CASE(parts_follow_each_other), CASE(discrete_parts_keep_their_numbers))
