/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * probe.h - what a file is. */
#ifndef AP_JOBS_RECORD_PROBE_H
#define AP_JOBS_RECORD_PROBE_H

#include "audiopipe.h"
#include <cjson/cJSON.h>

typedef struct ap_probe {
    char type[16];  /* mp3, flac, wav, png, mp4...; "" = unknown */
    char class_[8]; /* audio, image, zip, text, "" = unknown */
    uint64_t bytes;
    double seconds; /* < 0: not known, not audio */
    uint32_t rate, channels;
    double lufs, dbtp; /* NAN: not measured; -INFINITY: silence */
} ap_probe;

typedef enum ap_probe_depth {
    AP_PROBE_TYPE,     /* the first bytes */
    AP_PROBE_DURATION, /* opens audio; reads it only if its length is not declared */
    AP_PROBE_LOUDNESS, /* reads it all */
} ap_probe_depth;

/* Finds the type from the content. Audio that cannot be decoded is an error at the depths that look. */
bool ap_probe_file(const char *path, ap_probe_depth depth, ap_probe *probe, ap_error *err);
/* The members of input and outputs: format, duration, rate, channels, loudness, true_peak. */
bool ap_probe_put(const ap_probe *probe, cJSON *object);

#endif
