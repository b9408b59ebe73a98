/* SPDX-License-Identifier: GPL-3.0-or-later
 * The share of the centre against its definition in double precision. */
#include "dsp/centre.h"
#include "test.h"

enum { REACH = 2, MOST_SLOTS = 20, MOST_BINS = 40 };

typedef struct stereo {
    size_t bins, slots;
    float *left[MOST_SLOTS], *right[MOST_SLOTS];
} stereo;

static stereo make_stereo(size_t bins, size_t slots, float level)
{
    stereo s = {bins, slots, {0}, {0}};
    for (size_t t = 0; t < slots; t++) {
        s.left[t] = test_noise(2 * bins, level, 2 * t + 1);
        s.right[t] = test_noise(2 * bins, level, 2 * t + 2);
        for (size_t i = 0; i < 2 * bins; i++) /* a part that both have, in some bins only */
            s.right[t][i] += (i / 8) % 3 * s.left[t][i];
    }
    return s;
}

static void free_stereo(stereo *s)
{
    for (size_t t = 0; t < s->slots; t++) {
        free(s->left[t]);
        free(s->right[t]);
    }
}

/* 2 Re(sum of LR*) / sum of (|L|^2 + |R|^2) over what there is of 5 slots and 5 bins; at least 0. */
static double defined(const stereo *s, size_t t, size_t bin)
{
    double common = 0, power = 0;
    for (int dt = -REACH; dt <= REACH; dt++)
        for (int db = -REACH; db <= REACH; db++) {
            const int64_t u = (int64_t)t + dt, b = (int64_t)bin + db;
            if (u < 0 || b < 0 || u >= (int64_t)s->slots || b >= (int64_t)s->bins)
                continue;
            const float *l = s->left[u] + 2 * b, *r = s->right[u] + 2 * b;
            common += 2 * ((double)l[0] * r[0] + (double)l[1] * r[1]);
            power += (double)l[0] * l[0] + (double)l[1] * l[1] + (double)r[0] * r[0] + (double)r[1] * r[1];
        }
    return common > 0 ? common / power : 0;
}

/* Calls with each share that there is; ahead slots are put in before. */
static void each_share(const stereo *s, size_t ahead, double (*expected)(const stereo *, size_t, size_t))
{
    ap_centre *c = ap_centre_new(s->bins, ahead);
    float share[MOST_BINS];
    size_t in = 0;
    for (size_t t = 0; t < s->slots; t++) {
        for (; in < s->slots && in <= t + ahead; in++)
            ap_centre_add(c, in, s->left[in], s->right[in]);
        ap_centre_share(c, t, in < s->slots ? AP_UNKNOWN : s->slots, share);
        for (size_t b = 0; b < s->bins; b++)
            if (!CHECK_NEAR(share[b], expected(s, t, b), 1e-5))
                fprintf(stderr, "slot %zu of %zu, bin %zu of %zu\n", t, s->slots, b, s->bins);
    }
    ap_centre_free(c);
}

static void is_the_definition(void)
{
    static const size_t bins[] = {1, 2, 5, 16, 33};
    for (size_t i = 0; i < 5; i++)
        for (size_t slots = 1; slots <= MOST_SLOTS; slots += 6) {
            stereo s = make_stereo(bins[i], slots, 1);
            each_share(&s, AP_CENTRE_AHEAD + i % 3, defined);
            free_stereo(&s);
        }
}

static double all(const stereo *s, size_t t, size_t bin)
{
    (void)s, (void)t, (void)bin;
    return 1;
}

static double none(const stereo *s, size_t t, size_t bin)
{
    (void)s, (void)t, (void)bin;
    return 0;
}

static void one_for_equal_and_zero_for_opposite(void)
{
    stereo s = make_stereo(20, 12, 0.3f);
    for (size_t t = 0; t < s.slots; t++)
        memcpy(s.right[t], s.left[t], 2 * s.bins * sizeof(float));
    each_share(&s, AP_CENTRE_AHEAD, all);
    for (size_t t = 0; t < s.slots; t++)
        for (size_t i = 0; i < 2 * s.bins; i++)
            s.right[t][i] = -s.left[t][i];
    each_share(&s, AP_CENTRE_AHEAD, none);
    for (size_t t = 0; t < s.slots; t++)
        memset(s.right[t], 0, 2 * s.bins * sizeof(float));
    each_share(&s, AP_CENTRE_AHEAD, none);
    for (size_t t = 0; t < s.slots; t++) /* silence */
        memset(s.left[t], 0, 2 * s.bins * sizeof(float));
    each_share(&s, AP_CENTRE_AHEAD, none);
    free_stereo(&s);
}

TEST_MAIN(CASE(is_the_definition), CASE(one_for_equal_and_zero_for_opposite))
