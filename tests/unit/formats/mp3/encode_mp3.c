/* SPDX-License-Identifier: GPL-3.0-or-later
 * MP3: lengths, tags and frames as other programs see them, the same bytes from any number of threads, and
 * joins that cannot be told from the work of one LAME. */
#include "encode_help.h"
#include "formats/mp3/mp3.h"
#include "formats/mp3/mpeg.h"

#include <mpg123.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Where segments meet, in MP3 frames: the choices for the join begin after the warm-up. */
#define SEGMENT 735
#define WARM_UP 4

static bool encode_mp3(const float *x, uint32_t rate, uint32_t channels, size_t frames, double kbps,
                       double vbr, unsigned threads, const char *path)
{
    ap_encode_options o = options_for("mp3");
    o.bitrate_kbps = kbps;
    o.vbr_quality = vbr;
    o.threads = threads;
    return encode_file(over(x, rate, channels, frames), path, &o);
}

/* ---- memory */

/* A quarter of an hour of noise that needs no memory itself. */
static ptrdiff_t noise_pull(void *user, float *frames, size_t max, ap_error *err)
{
    (void)err;
    static uint64_t seed;
    size_t *left = user, n = max < *left ? max : *left;
    for (size_t i = 0; i < 2 * n; i++)
        frames[i] = (float)test_random(&seed) * 0x1p-33f;
    *left -= n;
    return (ptrdiff_t)n;
}

static void memory_is_small(void)
{
    enter_folder();
#ifndef __SANITIZE_ADDRESS__
    /* In a process of its own, because the peak counts. It starts as a copy of this one, so this is no less.
     */
    pid_t child = fork();
    if (child == 0) {
        size_t left = 15 * 60 * 44100;
        ap_format format = {44100, 2, 0, AP_UNKNOWN};
        ap_encode_options o = options_for("mp3");
        o.threads = 2;
        o.effort = 9;
        _exit(!encode_file(ap_source(&format, noise_pull, NULL, &left, NULL), "m.mp3", &o));
    }
    int status;
    struct rusage usage;
    CHECK(wait4(child, &status, 0, &usage) == child && status == 0);
    printf("# %ld KiB resident\n", usage.ru_maxrss);
    CHECK(usage.ru_maxrss < 32 * 1024);
#endif
}

/* ---- lengths */

static void check_length(const float *x, uint32_t rate, uint32_t channels, size_t frames)
{
    char want[64];
    if (!CHECK(encode_mp3(x, rate, channels, frames, 0, -1, 2, "length.mp3")))
        return;
    snprintf(want, sizeof want, "%zu", 2 * channels * frames);
    CHECK_PRINTS(want, "mpg123 -q -e s16 -s length.mp3 | wc -c");
    /* ffmpeg doubts that so few frames are an MP3, whoever made them. */
    CHECK_PRINTS(want, "ffmpeg -v %s -i length.mp3 -f s16le - | wc -c",
                 frames < 6 * 1152 ? "error" : "warning");
}

static void lengths_are_exact(void)
{
    size_t join = (SEGMENT + WARM_UP + AP_MP3_CHOICES) * 1152 + 224; /* where a second segment gets begun */
    const size_t lengths[] = {1,
                              2,
                              47,
                              48,
                              49,
                              575,
                              576,
                              577,
                              1151,
                              1152,
                              1153,
                              2304,
                              3000,
                              1152 * SEGMENT - 1,
                              1152 * SEGMENT,
                              1152 * SEGMENT + 1,
                              join - 1,
                              join,
                              join + 1,
                              2 * join + 77};
    float *x = make_music(44100, 2, 2 * join + 77);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        check_length(x, 44100, 2, lengths[i]);
    free(x);
}

static void an_empty_stream_makes_a_file(void)
{
    CHECK(encode_mp3(NULL, 44100, 2, 0, 0, -1, 2, "empty.mp3"));
    CHECK_PRINTS("0", "mpg123 -q -e s16 -s empty.mp3 | wc -c");
    CHECK_PRINTS("0", "ffmpeg -v error -i empty.mp3 -f s16le - | wc -c");
    CHECK_PRINTS("", "sox empty.mp3 -n; mpg123 -t -q empty.mp3"); /* sox does not know that tag */
}

static void all_rates_are_exact(void)
{
    static const uint32_t rates[] = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        for (uint32_t channels = 1; channels <= 2; channels++) {
            size_t frames = rates[i] * 3 + 17;
            float *x = make_music(rates[i], channels, frames);
            check_length(x, rates[i], channels, frames);
            for (const int *b = ap_mp3_bitrates(rates[i]); *b; b += 2) {
                CHECK(encode_mp3(x, rates[i], channels, frames, *b, -1, 2, "rate.mp3"));
                CHECK(strtoul(output_of("mpg123 -q -e s16 -s rate.mp3 | wc -c"), NULL, 10) ==
                      2 * channels * frames);
            }
            free(x);
        }
}

/* The level of a tone, by another decoder, against that of the input; LAME's presets alone take 0.45 dB off.
 */
static void check_level(uint32_t rate, double kbps, double vbr)
{
    size_t frames = rate;
    double sum = 0;
    float *x = calloc(2 * frames, sizeof *x);
    for (size_t i = 0; i < 2 * frames; i++)
        x[i] = (float)(0.25 * sin(2 * M_PI * 440 * (double)(i / 2) / rate));
    CHECK(encode_mp3(x, rate, 2, frames, kbps, vbr, 1, "level.mp3"));
    size_t size;
    (void)output_of("mpg123 -q -e f32 -s level.mp3 >level.f32");
    float *y = (float *)(void *)load("level.f32", &size);
    CHECK(size == 2 * frames * sizeof *y);
    size_t from = frames / 2, to = size / sizeof *y - frames / 2;
    for (size_t i = from; i < to; i++)
        sum += (double)y[i] * (double)y[i];
    if (!CHECK_NEAR(10 * log10(sum / (double)(to - from)), 20 * log10(0.25) - 3.0103, 0.05))
        fprintf(stderr, "at %u Hz, %g kbit/s\n", rate, kbps);
    free(x);
    free(y);
}

static void the_level_is_kept(void)
{
    static const uint32_t rates[] = {8000, 22050, 44100};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        for (const int *b = ap_mp3_bitrates(rates[i]); *b; b++)
            if (*b >= 32) /* what is below has no room for the tone */
                check_level(rates[i], *b, -1);
        check_level(rates[i], 0, 4);
    }
}

/* More than one segment at the frame size of MPEG-2. */
static void low_rates_join(void)
{
    size_t frames = 576 * (2 * SEGMENT + 300) + 13;
    float *x = make_music(22050, 1, frames);
    check_length(x, 22050, 1, frames);
    check_length(x, 8000, 1, frames);
    free(x);
}

static void other_rates_are_converted(void)
{
    static const uint32_t rates[][2] = {
        {96000, 48000}, {44056, 44100}, {6000, 8000}, {192000, 48000}, {37000, 44100}};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        char want[64];
        float *x = make_music(rates[i][0], 1, rates[i][0]);
        CHECK(encode_mp3(x, rates[i][0], 1, rates[i][0], 0, -1, 2, "rate.mp3"));
        snprintf(want, sizeof want, "%u\n%u", rates[i][1], rates[i][1]);
        CHECK_PRINTS(want, "soxi -r rate.mp3; mpg123 -q -e s16 -s rate.mp3 | wc -c | awk '{print $1 / 2}'");
        free(x);
    }
}

/* ---- threads */

static void threads_do_not_change_the_bytes(void)
{
    static const unsigned threads[] = {2, 3, 7};
    size_t frames = 1152 * (4 * SEGMENT + 100);
    float *x = make_music(44100, 2, frames);
    for (int vbr = 0; vbr < 2; vbr++) {
        CHECK(encode_mp3(x, 44100, 2, frames, vbr ? 0 : 160, vbr ? 3 : -1, 1, "1.mp3"));
        for (int i = 0; i < 3; i++) {
            CHECK(encode_mp3(x, 44100, 2, frames, vbr ? 0 : 160, vbr ? 3 : -1, threads[i], "n.mp3"));
            CHECK(same_files("1.mp3", "n.mp3"));
        }
    }
    free(x);
}

static void blocks_do_not_change_the_bytes(void)
{
    size_t frames = 1152 * (SEGMENT + 100) + 5;
    float *x = make_music(44100, 1, frames);
    odd_source o = {x, 1, frames, 0, false};
    ap_format format = {44100, 1, 0, AP_UNKNOWN};
    ap_encode_options options = options_for(NULL);
    CHECK(encode_file(over(x, 44100, 1, frames), "whole.mp3", NULL));
    CHECK(encode_file(ap_source(&format, odd_pull, NULL, &o, NULL), "odd.mp3", &options));
    CHECK(same_files("whole.mp3", "odd.mp3"));
    free(x);
}

static void a_broken_source_leaves_nothing(void)
{
    static const size_t lengths[] = {0, 10000, 1152 * 3 * SEGMENT};
    float *x = calloc(lengths[2], sizeof *x);
    size_t before = files_here();
    for (int i = 0; i < 3; i++) {
        ap_error err = {0};
        odd_source o = {x, 1, lengths[i], 0, true};
        ap_format format = {44100, 1, 0, AP_UNKNOWN};
        ap_encode_options options = options_for(NULL);
        options.threads = (unsigned)i + 1;
        CHECK(!ap_encode(ap_source(&format, odd_pull, NULL, &o, NULL), "broken.mp3", &options, &err));
        CHECK(strcmp(err.message, "the source broke") == 0);
        CHECK(files_here() == before);
    }
    free(x);
}

/* ---- the frames of a file */

static size_t id3_size(const unsigned char *p)
{
    return memcmp(p, "ID3", 3) ? 0
                               : 10 + ((size_t)p[6] << 21 | (size_t)p[7] << 14 | (size_t)p[8] << 7 | p[9]);
}

static uint32_t big32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* CRC-16/ARC, bit by bit. */
static unsigned crc_of(const unsigned char *p, size_t size)
{
    unsigned crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
    }
    return crc;
}

/* Compares the tag in the first MP3 frame with what follows it. */
static void check_tag(const char *path, const char *word)
{
    size_t size, at, count = 0;
    unsigned char *bytes = load(path, &size), *p = bytes + id3_size(bytes);
    size_t *places = malloc((size / 24 + 2) * sizeof *places);
    ap_mpeg m;
    size -= (size_t)(p - bytes);
    CHECK(ap_mpeg_parse(p, &m));
    const unsigned char *info = p + ap_mp3_main_data(p);
    CHECK(memcmp(info, word, 4) == 0 && memcmp(info + 120, "LAME3.100", 9) == 0);
    size_t start = at = m.size;
    for (; at + 4 <= size && ap_mpeg_parse(p + at, &m) && m.size; at += m.size)
        places[count++] = at;
    CHECK(at == size);
    CHECK(big32(info + 8) == count && big32(info + 12) == size && big32(info + 148) == size);
    CHECK((big32(info + 152) >> 16) == crc_of(p + start, size - start));
    CHECK((big32(info + 154) >> 16) == crc_of(p, (size_t)(info + 154 - p)));
    for (size_t i = 0; i < 100; i++)
        CHECK_NEAR(info[16 + i], 256.0 * (double)places[count * i / 100] / (double)size, 1.5);
    free(places);
    free(bytes);
}

static void the_tag_is_right(void)
{
    size_t frames = 1152 * (2 * SEGMENT + 500);
    float *x = make_music(44100, 2, frames);
    memset(x + frames, 0, frames / 2 * sizeof *x); /* silence makes the VBR seek table uneven */
    CHECK(encode_mp3(x, 44100, 2, frames, 0, -1, 2, "tag.mp3"));
    check_tag("tag.mp3", "Info");
    CHECK(encode_mp3(x, 44100, 2, frames, 0, 2, 2, "tag.mp3"));
    check_tag("tag.mp3", "Xing");
    CHECK(encode_mp3(x, 44100, 2, 3000, 0, 2, 2, "tag.mp3"));
    check_tag("tag.mp3", "Xing");
    CHECK(encode_mp3(x, 8000, 1, 300000, 8, -1, 2, "tag.mp3"));
    check_tag("tag.mp3", "Info");
    free(x);
}

/* ---- joins */

/* Decodes all MP3 frames, encoder delay included. */
static float *decode_raw(const unsigned char *bytes, size_t size, size_t limit, size_t *count)
{
    mpg123_handle *h = mpg123_new(NULL, NULL);
    size_t n, have = 0;
    float *out = malloc(limit * 2 * sizeof *out);
    mpg123_param(h, MPG123_ADD_FLAGS, MPG123_FORCE_FLOAT | MPG123_QUIET, 0);
    mpg123_param(h, MPG123_REMOVE_FLAGS, MPG123_GAPLESS, 0);
    mpg123_open_feed(h);
    mpg123_feed(h, bytes, size);
    int code;
    do {
        code = mpg123_read(h, (unsigned char *)out + have, limit * 8 - have, &n);
        have += n;
    } while (code == MPG123_OK || code == MPG123_NEW_FORMAT);
    mpg123_delete(h);
    *count = have / 8;
    return out;
}

/* What one LAME makes of it. */
static unsigned char *serial(const float *x, size_t frames, int kbps, double vbr, size_t *size)
{
    ap_mp3_config config = {44100, 2, 1152, kbps, vbr, -1, 0};
    CHECK(ap_mp3_keep_level(&config, NULL));
    lame_t lame = ap_mp3_lame(&config, false, NULL);
    unsigned char *out = malloc(frames * 2 + 100000);
    *size = 0;
    for (size_t i = 0; i < frames; i += 1152)
        *size += (size_t)lame_encode_buffer_interleaved_ieee_float(
            lame, x + 2 * i, (int)(frames - i < 1152 ? frames - i : 1152), out + *size, 100000);
    *size += (size_t)lame_encode_flush(lame, out + *size, 100000);
    lame_close(lame);
    return out;
}

static double error_power(const float *decoded, const float *x, size_t frame)
{
    double sum = 0;
    for (size_t i = frame * 1152; i < (frame + 1) * 1152; i++)
        for (int c = 0; c < 2; c++) {
            double e = (double)decoded[2 * i + c] - x[2 * (i - 576 - 529) + c]; /* both codecs' delay */
            sum += e * e;
        }
    return sum;
}

/* The mean over MP3 frames near joins and far from them of by how many dB the error exceeds that of one LAME.
 */
static void check_joins(const float *x, size_t frames, int kbps, double vbr)
{
    size_t size, n, m;
    CHECK(encode_mp3(x, 44100, 2, frames, kbps, vbr, 2, "joins.mp3"));
    unsigned char *one = serial(x, frames, kbps, vbr, &size), *file;
    float *want = decode_raw(one, size, frames + 10000, &n);
    file = load("joins.mp3", &size);
    ap_mpeg tag;
    ap_mpeg_parse(file, &tag);
    float *got = decode_raw(file + tag.size, size - tag.size, frames + 10000, &m);
    CHECK(n == m && n % 1152 == 0);
    double near_sum = 0, far_sum = 0, near_got = 0, near_want = 0, worst = 0;
    int near_count = 0, far_count = 0, same = 0;
    for (size_t frame = 2; (frame + 3) * 1152 < n; frame++) {
        double g = error_power(got, x, frame), w = error_power(want, x, frame), d = 10 * log10(g / w);
        /* A join is at one of the choices, mostly the last; what comes from it may last for 19 MP3 frames. */
        bool is_near = frame >= SEGMENT && (frame - WARM_UP) % SEGMENT < 2 * AP_MP3_CHOICES + 19;
        *(is_near ? &near_sum : &far_sum) += d;
        *(is_near ? &near_count : &far_count) += 1;
        near_got += is_near ? g : 0;
        near_want += is_near ? w : 0;
        same += memcmp(got + frame * 2304, want + frame * 2304, 2304 * sizeof *got) == 0;
        worst = is_near && d > worst ? d : worst;
    }
    printf(
        "# %d kbit/s, VBR %g: mean error against one LAME at joins %+.3f dB (power %+.3f), elsewhere %+.3f, "
        "worst MP3 frame %+.2f, %d of %d frames decode the same\n",
        kbps, vbr, near_sum / near_count, 10 * log10(near_got / near_want), far_sum / far_count, worst, same,
        near_count + far_count);
    CHECK(near_count > 200);
    CHECK(near_sum / near_count < 0.1 && 10 * log10(near_got / near_want) < 0.1);
    CHECK(worst < 6);
    CHECK(same > (near_count + far_count) / 5);
    free(one);
    free(file);
    free(want);
    free(got);
}

static void joins_are_as_good_as_the_rest(void)
{
    size_t frames = 44100 * 120;
    float *x = make_music(44100, 2, frames);
    check_joins(x, frames, 320, -1);
    check_joins(x, frames, 192, -1);
    check_joins(x, frames, 128, -1);
    check_joins(x, frames, 0, 2);
    free(x);
}

/* ---- options */

static void fails_with(ap_status code, const char *word, const ap_encode_options *o, uint32_t rate,
                       uint32_t channels)
{
    ap_error err = {0};
    float *data;
    CHECK(!ap_encode(test_noise_stream(rate, channels, 5000, &data), "no.mp3", o, &err));
    if (!CHECK(err.code == code && strstr(err.message, word)))
        fprintf(stderr, "%d: %s\n", err.code, err.message);
    free(data);
}

static void bad_options_are_refused(void)
{
    ap_encode_options o = options_for(NULL);
    o.bitrate_kbps = 300;
    fails_with(AP_USAGE, "320", &o, 44100, 2);
    o.bitrate_kbps = 320;
    fails_with(AP_USAGE, "160", &o, 22050, 2);
    o.bitrate_kbps = 160;
    fails_with(AP_USAGE, "64", &o, 8000, 2);
    o = options_for(NULL);
    o.effort = 10;
    fails_with(AP_USAGE, "effort", &o, 44100, 2);
    o = options_for(NULL);
    o.bits = AP_BITS_16;
    fails_with(AP_USAGE, "16 bits", &o, 44100, 2);
    o = options_for(NULL);
    fails_with(AP_USAGE, "-c 2", &o, 44100, 6);
    CHECK(access("no.mp3", F_OK) != 0);
}

TEST_MAIN(CASE(memory_is_small), CASE(lengths_are_exact), CASE(an_empty_stream_makes_a_file),
          CASE(all_rates_are_exact), CASE(the_level_is_kept), CASE(low_rates_join),
          CASE(other_rates_are_converted), CASE(threads_do_not_change_the_bytes),
          CASE(blocks_do_not_change_the_bytes), CASE(a_broken_source_leaves_nothing), CASE(the_tag_is_right),
          CASE(joins_are_as_good_as_the_rest), CASE(bad_options_are_refused))
