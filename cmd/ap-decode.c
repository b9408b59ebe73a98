/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-decode - any audio or video file to an apstream. */
#include "base/error.h"
#include "front/filter.h"

typedef struct config {
    unsigned rate, channels, track;
    double start_s, duration_s;
    uint32_t mask;
    bool drc;
} config;

static bool set_layout(void *cfg, const char *text, ap_error *err)
{
    config *c = cfg;
    c->mask = ap_layout_mask(text);
    return c->mask ||
           ap_fail(err, AP_USAGE, "'%s' is no layout such as 5.1, 5.1(side), FL+FR+LFE or discrete", text);
}

static const option_row rows[] = {
    ROW_COUNT('r', "rate", "HZ", offsetof(config, rate), AP_MIN_RATE, AP_MAX_RATE, "resample to this rate",
              .no_default = true, .kilo = 1000),
    ROW_COUNT('c', "channels", "N", offsetof(config, channels), 1, 8, "mix to this many channels",
              .no_default = true),
    ROW_TIME('s', "start", "TIME", offsetof(config, start_s), 0, 1e9, "skip this much: seconds or h:m:s",
             .no_default = true),
    ROW_TIME('d', "duration", "TIME", offsetof(config, duration_s), 0, 1e9, "stop after this much",
             .no_default = true),
    ROW_COUNT(0, "track", "N", offsetof(config, track), 1, 999, "audio track of a video or other container",
              .no_default = true),
    ROW_CALL(0, "layout", "NAME", set_layout,
             "what the channels are, whatever the file says: 5.1, FL+FR+LFE, discrete..."),
    ROW_ON(0, "drc", offsetof(config, drc),
           "apply the dynamic range control of AC-3 (default: the full range)"),
    {0},
};

static void decoding(const void *cfg, ap_decode_options *options)
{
    const config *c = cfg;
    options->rate = c->rate;
    options->channels = c->channels;
    options->track = c->track;
    options->mask = c->mask;
    options->drc = c->drc;
    options->start_s = c->start_s;
    options->duration_s = c->duration_s;
}

int main(int argc, char **argv)
{
    config c = {.duration_s = -1};
    const filter f = {
        .command = {"ap-decode", "[INPUT]...",
                    "Decodes any audio file, or the audio of a video, to an apstream on standard output."},
        .rows = rows,
        .config = &c,
        .decoding = decoding,
        .extension = "wav",
    };
    return filter_main(&f, argc, argv);
}
