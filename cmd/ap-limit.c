/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-limit - look-ahead true-peak limiter. */
#include "front/filter.h"

#define AT(field) offsetof(ap_limit_options, field)

static const option_row rows[] = {
    {'c', "ceiling", OPTION_NUMBER, "DBTP", AT(ceiling_dbtp), "no peak exceeds this", -60, 0},
    {'r', "release", OPTION_NUMBER, "SECONDS", AT(release_s), "time constant of the return to full gain",
     0.001, 10},
    {'l', "lookahead", OPTION_NUMBER, "SECONDS", AT(lookahead_s), "how early the gain begins to fall", 0,
     0.1},
    {'g', "gain", OPTION_NUMBER, "DB", AT(gain_db), "gain before limiting", -60, 60},
    {0, "no-true-peak", OPTION_OFF, NULL, AT(true_peak), "look at sample values only"},
    {0},
};

static ap_stream *build(ap_stream *s, const void *config, ap_error *err)
{
    return ap_limit(s, config, err);
}

int main(int argc, char **argv)
{
    ap_limit_options options;
    ap_limit_defaults(&options);
    const filter f = {
        .command = {"ap-limit", "[INPUT]",
                    "Keeps peaks below a ceiling, without distortion and without delay."},
        .rows = rows,
        .config = &options,
        .build = build,
    };
    return filter_main(&f, argc, argv);
}
