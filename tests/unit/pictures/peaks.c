/* SPDX-License-Identifier: GPL-3.0-or-later
 * Peaks for web players: the bytes of the format, by hand. */
#include "test.h"

#include <unistd.h>

/* What ap_peaks_fd writes; the caller frees it. */
static unsigned char *written(ap_stream *s, const ap_peaks_options *o, size_t *size, ap_error *err)
{
    FILE *file = tmpfile();
    unsigned char *bytes = NULL;
    *size = 0;
    if (ap_peaks_fd(s, fileno(file), "test", o, err)) {
        *size = (size_t)lseek(fileno(file), 0, SEEK_END);
        bytes = calloc(*size + 1, 1);
        CHECK(pread(fileno(file), bytes, *size, 0) == (ssize_t)*size);
    }
    fclose(file);
    return bytes;
}

static ap_stream *three_frames(void)
{
    static const float x[] = {0.5f, -0.25f, -1.5f, 0.125f, 0.25f, 2.0f};
    return ap_source_memory(&(ap_format){48000, 2, 0, 3}, x, NULL);
}

static void dat_by_hand(void)
{
    static const unsigned char
        want[] = {2,    0,    0,    0,    0,    0,    0,    0,    0x80, 0xbb, 0,
                  0,    2,    0,    0,    0,    2,    0,    0,    0,    2,    0,
                  0,    0,    0x00, 0x80, 0x00, 0x40, 0x00, 0xe0, 0x00, 0x10, /* -1 .. .5, -.25 .. .125 */
                  0x00, 0x20, 0x00, 0x20, 0xff, 0x7f, 0xff, 0x7f};            /* .25, full scale */
    ap_peaks_options o = {.format = "dat", .bits = 16, .samples_per_pixel = 2, .split_channels = true};
    size_t n;
    unsigned char *got = written(three_frames(), &o, &n, NULL);
    CHECK(n == sizeof want && memcmp(got, want, n) == 0);
    free(got);
    o.bits = 8;
    got = written(three_frames(), &o, &n, NULL);
    static const unsigned char want8[] = {0x80, 0x40, 0xe0, 0x10, 0x20, 0x20, 0x7f, 0x7f};
    CHECK(n == 24 + 8 && got[4] == 1 && memcmp(got + 24, want8, 8) == 0);
    free(got);
}

static void json_by_hand(void)
{
    ap_peaks_options o = {.format = "json", .bits = 16, .samples_per_pixel = 2};
    size_t n;
    char *got = (char *)written(three_frames(), &o, &n, NULL);
    CHECK(strcmp(got,
                 "{\"version\":2,\"channels\":1,\"sample_rate\":48000,\"samples_per_pixel\":2,\"bits\":16,"
                 "\"length\":2,\"data\":[-14336,4096,20479,20479]}\n") == 0);
    free(got);
}

static ptrdiff_t pull(void *user, float *frames, size_t max, ap_error *err)
{
    (void)err;
    return ap_read(user, frames, max, err);
}

/* The same without a declared length, but for spaces. */
static void the_length_need_not_be_known(void)
{
    size_t n, m;
    for (int json = 0; json < 2; json++) {
        ap_peaks_options o = {.format = json ? "json" : "dat", .bits = 8, .pixels_per_second = 100};
        float *x;
        ap_stream *inner = test_noise_stream(44100, 3, 10000, &x);
        ap_stream *s = ap_source(&(ap_format){44100, 3, 0, AP_UNKNOWN}, pull, NULL, inner, NULL);
        unsigned char *unknown = written(s, &o, &n, NULL);
        ap_close(&inner);
        s = ap_source_memory(&(ap_format){44100, 3, 0, 10000}, x, NULL);
        unsigned char *known = written(s, &o, &m, NULL);
        size_t k = 0;
        for (size_t i = 0; i < n; i++)
            if (!json || unknown[i] != ' ')
                unknown[k++] = unknown[i];
        CHECK(k == m && memcmp(unknown, known, m) == 0);
        CHECK(json || (m == 24 + 2 * 23 && known[12] == (44100 / 100 & 255)));
        free(known);
        free(unknown);
        free(x);
    }
}

static void nothing_and_one_frame(void)
{
    static const float x[] = {-0.001f};
    size_t n;
    ap_peaks_options o = {.format = "dat", .bits = 8, .samples_per_pixel = 256};
    unsigned char *got = written(ap_source_memory(&(ap_format){8000, 1, 0, 0}, x, NULL), &o, &n, NULL);
    CHECK(n == 24 && got[16] == 0);
    free(got);
    got = written(ap_source_memory(&(ap_format){8000, 1, 0, 1}, x, NULL), &o, &n, NULL);
    CHECK(n == 26 && got[16] == 1 && got[24] == 0 && got[25] == 0); /* rounded towards zero */
    free(got);
    o.format = "json";
    got = written(ap_source_memory(&(ap_format){8000, 1, 0, 0}, x, NULL), &o, &n, NULL);
    CHECK(strstr((char *)got, "\"length\":0,\"data\":[]}\n"));
    free(got);
}

static void bad_options_are_refused(void)
{
    static const ap_peaks_options bad[] = {{.format = "json", .bits = 12, .samples_per_pixel = 256},
                                           {.format = "xml", .bits = 8, .samples_per_pixel = 256},
                                           {.format = NULL, .bits = 8, .samples_per_pixel = 256},
                                           {.format = "dat", .bits = 8, .samples_per_pixel = 1},
                                           {.format = "dat", .bits = 8, .pixels_per_second = 30000},
                                           {.format = "dat", .bits = 8}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ap_error err = {0};
        size_t n;
        CHECK(!written(three_frames(), &bad[i], &n, &err) && err.code == AP_USAGE);
    }
    size_t n;
    CHECK(!written(NULL, NULL, &n, NULL));
}

TEST_MAIN(CASE(dat_by_hand), CASE(json_by_hand), CASE(the_length_need_not_be_known),
          CASE(nothing_and_one_frame), CASE(bad_options_are_refused))
