/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-limit - look-ahead true-peak limiter. */
#include "front/filter.h"

#define AT(field) offsetof(ap_limit_options, field)

static const option_row rows[] = {
    ROW_NUMBER('c', "ceiling", "DBTP", AT(ceiling_dbtp), -60, 0, "no peak exceeds this"),
    ROW_NUMBER(0, "release", "SECONDS", AT(release_s), 0.001, 10, "time constant of the return to full gain"),
    ROW_NUMBER('l', "lookahead", "SECONDS", AT(lookahead_s), 0, 0.1, "how early the gain begins to fall"),
    ROW_NUMBER('g', "gain", "DB", AT(gain_db), -60, 60, "gain before limiting"),
    ROW_OFF(0, "no-true-peak", AT(true_peak), "look at sample values only"),
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
        .command = {"ap-limit", "[INPUT]...",
                    "Keeps peaks below a ceiling, without distortion and without delay."},
        .rows = rows,
        .config = &options,
        .build = build,
    };
    return filter_main(&f, argc, argv);
}
