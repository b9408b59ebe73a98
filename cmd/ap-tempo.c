/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-tempo - faster or slower, higher or lower. */
#include "front/filter.h"

#define AT(field) offsetof(ap_tempo_options, field)

static const option_row rows[] = {
    ROW_NUMBER('x', "tempo", "TIMES", AT(tempo), 0.25, 4, "how many times as fast; the pitch stays"),
    ROW_NUMBER('p', "pitch", "SEMITONES", AT(pitch_semitones), -24, 24, "how much higher; the tempo stays"),
    ROW_ON(0, "formants", AT(formants), "keep the colour of a voice at another pitch"),
    {0},
};

static ap_stream *build(ap_stream *s, const void *config, ap_error *err)
{
    return ap_tempo(s, config, err);
}

int main(int argc, char **argv)
{
    ap_tempo_options options;
    ap_tempo_defaults(&options);
    const filter f = {
        .command = {"ap-tempo", "[INPUT]...", "Makes sound faster or slower, higher or lower."},
        .rows = rows,
        .config = &options,
        .build = build,
    };
    return filter_main(&f, argc, argv);
}
