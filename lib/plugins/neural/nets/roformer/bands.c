/* SPDX-License-Identifier: GPL-3.0-or-later
 * bands.c - the bands that a spectrum is taken apart into. */
#include "plugins/neural/nets/roformer/bands.h"
#include "base/error.h"

#include <math.h>

static bool add_band(nn_bands *bands, int from, int count, const char *name, ap_error *err)
{
    if (bands->number == NN_MAX_BANDS || count < 1)
        return ap_fail(err, AP_FAILED, "'%s' is described with bands that make no sense", name);
    bands->from[bands->number] = from;
    bands->count[bands->number++] = count;
    return true;
}

static bool add_next(nn_bands *bands, int count, const char *name, ap_error *err)
{
    const int last = bands->number - 1;
    return add_band(bands, last < 0 ? 0 : bands->from[last] + bands->count[last], count, name, err);
}

bool nn_bands_of_list(nn_bands *bands, const cJSON *list, int bins, const char *name, ap_error *err)
{
    /* The default of the original's constructor, for 1025 bins. */
    static const int usual[][2] = {{24, 2}, {12, 4}, {8, 12}, {8, 24}, {8, 48}, {1, 128}, {1, 129}};
    const cJSON *item;
    const bool absent = !list || cJSON_IsNull(list);
    bands->number = 0;
    for (size_t i = 0; absent && i < sizeof usual / sizeof *usual; i++)
        for (int j = 0; j < usual[i][0]; j++)
            add_next(bands, usual[i][1], name, err);
    cJSON_ArrayForEach(item, list)
    {
        const bool sane = cJSON_IsNumber(item) && item->valuedouble >= 1 && item->valuedouble <= bins;
        if (!add_next(bands, sane ? (int)item->valuedouble : 0, name, err))
            return false;
    }
    const int last = bands->number - 1;
    return (last >= 0 && bands->from[last] + bands->count[last] == bins) ||
           ap_fail(err, AP_FAILED, "'%s' is described with bands that do not add up to %d bins", name, bins);
}

static double mel_of(double hz)
{
    return hz < 1000 ? hz * 3 / 200 : 15 + log(hz / 1000) * 27 / log(6.4);
}

static double hz_of(double mel)
{
    return mel < 15 ? mel * 200 / 3 : 1000 * exp((mel - 15) * (log(6.4) / 27));
}

bool nn_bands_of_mel(nn_bands *bands, int number, int nfft, int rate, const char *name, ap_error *err)
{
    const double top = mel_of(rate / 2.0);
    const int bins = nfft / 2 + 1;
    bands->number = 0;
    for (int b = 0; b < number; b++) {
        const double lower = hz_of(top * b / (number + 1)), upper = hz_of(top * (b + 2) / (number + 1));
        int from = bins, end = 0;
        for (int i = 0; i < bins; i++) {
            const double hz = (double)i * rate / nfft;
            const bool at_end = (b == 0 && i == 0) || (b == number - 1 && i == bins - 1);
            const bool inside = at_end || (hz > lower && hz < upper);
            from = inside && i < from ? i : from;
            end = inside ? i + 1 : end;
        }
        if (!add_band(bands, from, end - from, name, err))
            return false;
    }
    return true;
}
