/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-level - speech at one level. */
#include "front/filter.h"

#define AT(field) offsetof(ap_level_options, field)

static const option_row rows[] = {
    ROW_NUMBER('l', "lufs", "LUFS", AT(target_lufs), -70, 0, "the loudness that speech gets"),
    ROW_NUMBER('r', "range", "DB", AT(range_db), 0, 40, "the gain stays within +-DB"),
    ROW_NUMBER('s', "speed", "DB", AT(speed_db_s), 0.1, 20, "the gain changes by at most DB in a second"),
    ROW_NUMBER(0, "gate", "LUFS", AT(gate_lufs), -100, 0,
               "what is quieter is a pause, in which the gain rests"),
    {0},
};

static ap_stream *build(ap_stream *s, const void *config, ap_error *err)
{
    return ap_level(s, config, err);
}

int main(int argc, char **argv)
{
    ap_level_options options;
    ap_level_defaults(&options);
    const filter f = {
        .command = {"ap-level", "[INPUT]...",
                    "Brings speech to one level, slowly, and leaves its pauses alone."},
        .rows = rows,
        .config = &options,
        .build = build,
    };
    return filter_main(&f, argc, argv);
}
