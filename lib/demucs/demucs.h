/* SPDX-License-Identifier: GPL-3.0-or-later
 * demucs.h - what the separator plugin (audiopipe/demucs.so) offers: one symbol, ap_demucs_plugin. */
#ifndef AP_DEMUCS_H
#define AP_DEMUCS_H

#include "../audiopipe.h"

#define AP_DEMUCS_VERSION 1
#define AP_DEMUCS_MAX_STEMS 16

typedef struct ap_demucs ap_demucs;

typedef struct ap_demucs_info {
    const char *stems[AP_DEMUCS_MAX_STEMS]; /* owned by the model */
    size_t stem_count;
    uint32_t rate, channels; /* of the stream that separate takes */
} ap_demucs_info;

typedef struct ap_demucs_options {
    double overlap;                   /* of the segments, 0..0.95 */
    double segment_s;                 /* 0 = as the model says */
    unsigned shifts;                  /* passes at random shifts to average; 0 = none */
    uint64_t seed;                    /* of the shifts */
    bool wanted[AP_DEMUCS_MAX_STEMS]; /* the stems to compute */
    bool mix;                         /* give the input, too */
} ap_demucs_options;

typedef void ap_demucs_visit(void *user, const char *name, const char *description, const char *missing);

typedef struct ap_demucs_plugin {
    unsigned version; /* AP_DEMUCS_VERSION */
    /* name: a model's name, signature or path. device: "auto", "cpu", "cuda". threads 0 = all cores. */
    ap_demucs *(*open)(const char *name, const char *device, unsigned threads, ap_error *err);
    void (*close)(ap_demucs *model); /* after the streams that came from it; takes NULL */
    void (*describe)(const ap_demucs *model, ap_demucs_info *info);
    /* Takes s over, which has the model's rate and channels, and reads all of it. Gives a stream with the
     * channels of the first wanted stem, then of the next..., then of the mix. Same length, latency 0. */
    ap_stream *(*separate)(ap_demucs *model, ap_stream *s, const ap_demucs_options *options, ap_error *err);
    /* Calls visit for every model. missing: files that it still needs, "" if none. */
    void (*list)(ap_demucs_visit *visit, void *user);
} ap_demucs_plugin;

#ifdef __cplusplus
extern "C"
#endif
    __attribute__((visibility("default"))) const ap_demucs_plugin *
    ap_demucs_plugin_get(void);

#endif
