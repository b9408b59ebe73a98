/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-hpss - harmonic-percussive separation. */
#include "base/error.h"
#include "front/stems.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(ap_hpss_options, field)

/* "A" or "A,B": one value for both sides, or one for each. */
static bool parse_pair(const char *text, double lo, double hi, bool whole, double pair[2], ap_error *err)
{
    char *end;
    pair[0] = pair[1] = strtod(text, &end);
    bool ok = end != text;
    if (ok && *end == ',') {
        const char *second = end + 1;
        pair[1] = strtod(second, &end);
        ok = end != second;
    }
    for (int i = 0; i < 2; i++)
        ok = ok && pair[i] >= lo && pair[i] <= hi && (!whole || pair[i] == floor(pair[i]));
    if (ok && *end == 0)
        return true;
    return ap_fail(err, AP_USAGE, "'%s' is not one or two %snumbers from %g to %g", text,
                   whole ? "whole " : "", lo, hi);
}

static bool set_kernel(void *config, const char *argument, ap_error *err)
{
    ap_hpss_options *o = config;
    double pair[2];
    if (!parse_pair(argument, 1, 255, true, pair, err))
        return false;
    o->kernel_harmonic = (unsigned)pair[0];
    o->kernel_percussive = (unsigned)pair[1];
    return true;
}

static bool set_margin(void *config, const char *argument, ap_error *err)
{
    ap_hpss_options *o = config;
    double pair[2];
    if (!parse_pair(argument, 1, 1000, false, pair, err))
        return false;
    o->margin_harmonic = pair[0];
    o->margin_percussive = pair[1];
    return true;
}

static bool set_power(void *config, const char *argument, ap_error *err)
{
    ap_hpss_options *o = config;
    double pair[2] = {INFINITY};
    if (strcmp(argument, "inf") != 0 &&
        (strchr(argument, ',') || !parse_pair(argument, 0.1, 100, false, pair, err)))
        return ap_fail(err, AP_USAGE, "'%s' is not a number from 0.1 to 100, or inf", argument);
    o->power = pair[0];
    return true;
}

static const option_row rows[] = {
    ROW_CALL('m', "margin", "H[,P]", set_margin,
             "how many times stronger the harmonic or percussive side has to be (1 to 1000, default 1)"),
    ROW_CALL('k', "kernel", "H[,P]", set_kernel,
             "lengths of the medians: hops of time, bins of frequency (1 to 255, default 31)"),
    ROW_COUNT('n', "n-fft", "FRAMES", AT(window), 64, 32768, "window of the Fourier transform"),
    ROW_COUNT(0, "hop", "FRAMES", AT(hop), 1, 8192, "from one window to the next; at most a quarter of one"),
    ROW_CALL('p', "power", "P", set_power,
             "exponent of the mask (0.1 to 100, default 2), or inf: all or nothing"),
    ROW_ON(0, "compat", AT(compat), "a mask for each channel, as librosa, not one for all"),
    {0},
};

static size_t names(void *config, const output_config *out, const char *list[MAX_STEMS], size_t *in_folder,
                    ap_error *err)
{
    (void)config;
    (void)out;
    (void)err;
    list[0] = "harmonic";
    list[1] = "percussive";
    list[2] = "residual";
    return *in_folder = 3;
}

static ap_stream *build(ap_stream *s, void *config, const bool *wanted, ap_error *err)
{
    ap_hpss_options o = *(const ap_hpss_options *)config;
    o.parts = 0;
    for (unsigned i = 0; i < 3; i++)
        o.parts |= (unsigned)wanted[i] << i; /* bits in the order of the names */
    return ap_hpss(s, &o, err);
}

int main(int argc, char **argv)
{
    ap_hpss_options options;
    ap_hpss_defaults(&options);
    const stem_filter f = {
        .command = {"ap-hpss", "[INPUT]...",
                    "Takes music apart into sustained sound (harmonic), hits (percussive), and the "
                    "residual."},
        .rows = rows,
        .config = &options,
        .names = names,
        .build = build,
    };
    return stems_main(&f, argc, argv);
}
