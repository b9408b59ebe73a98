/* SPDX-License-Identifier: GPL-3.0-or-later
 * median.c - running medians: sorted windows that are updated, not sorted, with SIMD across the series.
 *
 * In a sorted window s, y leaves and x enters: d[j] = s[j] < y ? s[j] : s[j + 1] is the window without y, and
 * max(d[j - 1], min(d[j], x)) is in its place when x has been sorted in. No step depends on data, and each
 * row of 16 is independent of its neighbours: 31 rows take about 60 cycles with AVX2. */
#include "dsp/median.h"
#include "dsp/hot.h"
#include "dsp/mirror.h"

#include <string.h>

static inline void slide(float *restrict sorted, size_t length, const float *restrict leaving,
                         const float *restrict entering)
{
    float previous[AP_LANES] = {0}; /* d[j - 1] */
    float *last = sorted + (length - 1) * AP_LANES;
    for (float *row = sorted; row < last; row += AP_LANES)
        for (size_t i = 0; i < AP_LANES; i++) {
            float here = row[i], next = row[i + AP_LANES];
            float d = here < leaving[i] ? here : next;
            float low = d < entering[i] ? d : entering[i];
            row[i] = previous[i] > low ? previous[i] : low;
            previous[i] = d;
        }
    for (size_t i = 0; i < AP_LANES; i++)
        last[i] = previous[i] > entering[i] ? previous[i] : entering[i];
}

AP_HOT void ap_median_step(float *sorted, size_t length, size_t groups, const float *leaving,
                           const float *entering, float *medians)
{
    for (size_t g = 0; g < groups; g++) {
        slide(sorted, length, leaving + g * AP_LANES, entering + g * AP_LANES);
        memcpy(medians + g * AP_LANES, sorted + length / 2 * AP_LANES, AP_LANES * sizeof *medians);
        sorted += length * AP_LANES;
    }
}

AP_HOT void ap_median_series(float *sorted, size_t length, const float *x, size_t n, float *medians)
{
    static const float zeros[AP_LANES];
    int64_t before = (int64_t)(length / 2), after = (int64_t)(length - 1) - before;
    memset(sorted, 0, length * AP_LANES * sizeof *sorted);
    for (int64_t i = -before; i < after; i++)
        slide(sorted, length, zeros, x + ap_mirror(i, n) * AP_LANES);
    for (int64_t i = 0; i < (int64_t)n; i++) {
        const float *leaving = i ? x + ap_mirror(i - 1 - before, n) * AP_LANES : zeros;
        slide(sorted, length, leaving, x + ap_mirror(i + after, n) * AP_LANES);
        memcpy(medians + i * AP_LANES, sorted + length / 2 * AP_LANES, AP_LANES * sizeof *medians);
    }
}
