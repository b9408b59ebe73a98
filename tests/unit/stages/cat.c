/* SPDX-License-Identifier: GPL-3.0-or-later
 * Joining: the same samples in any blocks, for any lengths, with gaps and crossfades. */
#include "test.h"

typedef struct inputs {
    const float *samples[4];
    ap_format formats[4];
} inputs;

static ap_stream *open_input(void *user, size_t index, ap_error *err)
{
    const inputs *in = user;
    return ap_source_memory(&in->formats[index], in->samples[index], err);
}

static float *joined(inputs *in, size_t count, ap_cat_options o, size_t block, size_t *n)
{
    ap_stream *s = ap_cat(open_input, in, count, &o, NULL);
    uint64_t said = s ? ap_stream_format(s)->frames : 0;
    float *y = test_drain(s, block, n);
    CHECK(y && (said == *n || (said == AP_UNKNOWN && !o.look_first)));
    return y;
}

static void make_inputs(inputs *in, uint32_t channels, const size_t *lengths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        in->formats[i] = (ap_format){8000, channels, 0, lengths[i]};
        in->samples[i] = test_noise(lengths[i] * channels, 0.5f, i + 1);
    }
}

static void free_inputs(inputs *in, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)in->samples[i]);
}

static void sample_behind_sample(void)
{
    static const size_t lengths[] = {5000, 0, 1, 9000};
    static const uint32_t channels[] = {1, 2, 8};
    for (int c = 0; c < 3; c++) {
        inputs in;
        size_t n, m = channels[c];
        make_inputs(&in, channels[c], lengths, 4);
        for (size_t block = 1; block < 20000; block = block * 17 + 1) {
            float *y = joined(&in, 4, (ap_cat_options){.look_first = block % 2}, block, &n);
            CHECK(n == 14001 && memcmp(y, in.samples[0], 5000 * m * sizeof *y) == 0 &&
                  memcmp(y + 5000 * m, in.samples[2], m * sizeof *y) == 0 &&
                  memcmp(y + 5001 * m, in.samples[3], 9000 * m * sizeof *y) == 0);
            free(y);
        }
        free_inputs(&in, 4);
    }
}

static void gaps_are_between(void)
{
    static const size_t lengths[] = {100, 200};
    inputs in;
    size_t n;
    make_inputs(&in, 2, lengths, 2);
    float *y = joined(&in, 2, (ap_cat_options){.gap_s = 0.5, .look_first = true}, 331, &n);
    CHECK(n == 4300 && memcmp(y, in.samples[0], 200 * sizeof *y) == 0 && test_rms(y + 200, 8000) == 0 &&
          memcmp(y + 8200, in.samples[1], 400 * sizeof *y) == 0);
    free(y);
    free_inputs(&in, 2);
}

/* Against a sum that is made here, for inputs that are longer and shorter than the crossfade. */
static void crossfades_are_exact(void)
{
    static const size_t lengths[][3] = {{9000, 9000, 9000}, {9000, 500, 9000},  {300, 9000, 400},
                                        {9000, 0, 700},     {4000, 4000, 4000}, {1, 1, 1}};
    enum { OVERLAP = 4000 };
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        inputs in;
        size_t n, total = 0;
        float *want = calloc(40000, sizeof *want);
        make_inputs(&in, 1, lengths[k], 3);
        for (size_t i = 0; i < 3; i++) {
            size_t overlap = i ? lengths[k][i] < lengths[k][i - 1] ? lengths[k][i] : lengths[k][i - 1] : 0;
            overlap = overlap < OVERLAP ? overlap : OVERLAP;
            total -= overlap;
            for (size_t f = 0; f < lengths[k][i]; f++, total++) {
                double at = ((double)f + 0.5) / (double)overlap;
                want[total] =
                    f < overlap ? (float)((1 - at) * want[total] + at * in.samples[i][f]) : in.samples[i][f];
            }
        }
        for (size_t block = 1; block < 20000; block = block * 23 + 1) {
            ap_cat_options o = {.crossfade_s = 0.5, .curve = AP_CURVE_LINEAR, .look_first = true};
            float *y = joined(&in, 3, o, block, &n);
            CHECK(n == total);
            CHECK_NEAR(test_max_difference(y, want, total), 0, 1e-6);
            free(y);
        }
        free(want);
        free_inputs(&in, 3);
    }
}

static void garbage_does_not_spread(void)
{
    static const size_t lengths[] = {100, 100};
    inputs in;
    size_t n;
    make_inputs(&in, 1, lengths, 2);
    float *bad = (float *)(uintptr_t)in.samples[0];
    bad[90] = NAN;
    bad[91] = INFINITY;
    float *y = joined(&in, 2, (ap_cat_options){.crossfade_s = 0.00625, .curve = AP_CURVE_HALF}, 64, &n);
    CHECK(n == 150);
    for (size_t i = 0; i < n; i++)
        CHECK(isfinite(y[i]));
    free(y);
    free_inputs(&in, 2);
}

static void misfits_are_refused_or_converted(void)
{
    static const size_t lengths[] = {100, 200};
    inputs in;
    size_t n;
    ap_error err = {0};
    make_inputs(&in, 2, lengths, 2);
    in.formats[1] = (ap_format){16000, 1, 0, 400};
    CHECK(!ap_cat(open_input, &in, 2, &(ap_cat_options){.look_first = true}, &err) && err.code == AP_FAILED);
    float *y = joined(&in, 2, (ap_cat_options){.look_first = true, .convert = true}, 4096, &n);
    CHECK(n == 300);
    free(y);
    CHECK(!ap_cat(open_input, &in, 0, NULL, &err) && err.code == AP_USAGE);
    CHECK(!ap_cat(open_input, &in, 2, &(ap_cat_options){.gap_s = NAN}, &err) && err.code == AP_USAGE);
    CHECK(!ap_cat(open_input, &in, 2, &(ap_cat_options){.gap_s = 1, .crossfade_s = 1}, &err));
    free_inputs(&in, 2);
}

TEST_MAIN(CASE(sample_behind_sample), CASE(gaps_are_between), CASE(crossfades_are_exact),
          CASE(garbage_does_not_spread), CASE(misfits_are_refused_or_converted))
