/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-reverb - Freeverb. */
#include "front/filter.h"

#define AT(field) offsetof(ap_reverb_options, field)

static const option_row rows[] = {
    {0, "room", OPTION_NUMBER, "SIZE", AT(room), "size of the room", 0, 1},
    {0, "damping", OPTION_NUMBER, "AMOUNT", AT(damping), "how much the room swallows high frequencies", 0, 1},
    {'w', "wet", OPTION_NUMBER, "LEVEL", AT(wet), "level of the reverberation; gain 3 * LEVEL", 0, 1},
    {0, "dry", OPTION_NUMBER, "LEVEL", AT(dry), "level of the input; gain 2 * LEVEL", 0, 1},
    {0, "width", OPTION_NUMBER, "AMOUNT", AT(width), "stereo width of the reverberation", 0, 1},
    {0, "freeze", OPTION_ON, NULL, AT(freeze), "hold the reverberation, take no input into it"},
    {0, "pre-delay", OPTION_NUMBER, "SECONDS", AT(pre_delay_s), "delay of the reverberation", 0, 1},
    {0, "tail", OPTION_NUMBER, "DB", AT(tail_db),
     "go on after the end until it has faded by this; 0 = stop at the end", 0, 200},
    {0, "keep-loudness", OPTION_ON, NULL, AT(keep_loudness),
     "choose --dry so that music stays as loud as it was"},
    {0},
};

static ap_stream *build(ap_stream *s, const void *config, ap_error *err)
{
    return ap_reverb(s, config, err);
}

int main(int argc, char **argv)
{
    ap_reverb_options options;
    ap_reverb_defaults(&options);
    const filter f = {
        .command = {"ap-reverb", "[INPUT]", "Adds reverberation (Freeverb)."},
        .rows = rows,
        .config = &options,
        .build = build,
    };
    return filter_main(&f, argc, argv);
}
