/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tempo.h - the plugin that stretches, audiopipe/stretch.so. */
#ifndef AP_STAGES_TEMPO_H
#define AP_STAGES_TEMPO_H

#include "base/plugin.h"

#define AP_STRETCH_VERSION 1

typedef struct ap_stretch_plugin {
    ap_plugin_head head;
    /* s has a known length; options are in range. Takes s over. */
    ap_stream *(*open)(ap_stream *s, const ap_tempo_options *options, ap_error *err);
} ap_stretch_plugin;

/* Frames of the result. */
uint64_t ap_tempo_frames(uint64_t frames, double tempo);

#endif
