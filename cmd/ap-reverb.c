/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-reverb - Freeverb. */
#include "front/filter.h"

#define AT(field) offsetof(ap_reverb_options, field)

static const option_row rows[] = {
    ROW_NUMBER(0, "room", "SIZE", AT(room), 0, 1, "size of the room"),
    ROW_NUMBER(0, "damping", "AMOUNT", AT(damping), 0, 1, "how much the room swallows high frequencies"),
    ROW_NUMBER('w', "wet", "LEVEL", AT(wet), 0, 1, "level of the reverberation; gain 3 * LEVEL"),
    ROW_NUMBER(0, "dry", "LEVEL", AT(dry), 0, 1, "level of the input; gain 2 * LEVEL"),
    ROW_NUMBER(0, "width", "AMOUNT", AT(width), 0, 1, "stereo width of the reverberation"),
    ROW_ON(0, "freeze", AT(freeze), "hold the reverberation, take no input into it"),
    ROW_NUMBER(0, "pre-delay", "SECONDS", AT(pre_delay_s), 0, 1, "delay of the reverberation"),
    ROW_NUMBER(0, "tail", "DB", AT(tail_db), 0, 200,
               "go on after the end until it has faded by this; 0 = stop at the end"),
    ROW_ON(0, "keep-loudness", AT(keep_loudness), "choose --dry so that music stays as loud as it was"),
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
        .command = {"ap-reverb", "[INPUT]...", "Adds reverberation (Freeverb)."},
        .rows = rows,
        .config = &options,
        .build = build,
    };
    return filter_main(&f, argc, argv);
}
