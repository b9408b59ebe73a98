/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * method.h - the seam between ap_separate and the methods of separation, each a table of functions. One is
 * in the plugin neural.so, and asked for when a model's name is no other's; the others are built in, and
 * listed in separate.c. A method knows nothing of sums of stems, of files, or of commands; separate.c does
 * nothing but choose, convert to what the method takes and back, and sum. */
#ifndef AP_SEPARATOR_H
#define AP_SEPARATOR_H

#include "base/plugin.h"

/* A loaded model; each method has its own. */
typedef struct ap_model ap_model;

typedef struct ap_model_info {
    const char *stems[AP_MAX_STEMS]; /* owned by the model */
    size_t stem_count, parts;        /* parts: those that are the mix taken apart, the first ones; 0: all */
    size_t inside[AP_MAX_STEMS];     /* of a stem behind them: the parts from that number on are in it */
    uint32_t rate, channels;         /* of the stream that separate takes; 0 = any */
    const char *engine;              /* what computes, for people; NULL: what every stage has */
} ap_model_info;

typedef struct ap_method {
    /* The name of the model to use when the user named none: NULL if none is complete. Owned by the method. A
     * built-in method has one model, of that name. */
    const char *(*best)(void);
    /* Loads options->model, which is not NULL; options are checked already. */
    ap_model *(*open)(const ap_separate_options *options, ap_error *err);
    void (*close)(ap_model *model); /* after the streams that came from it; takes NULL */
    void (*describe)(const ap_model *model, ap_model_info *info);
    /* A stage (takes s over, on failure too) over a stream of the model's rate and channels: the channels of
     * the first wanted stem, then of the next... Rate and length of s, latency 0: frame n must not be given
     * before frame n of s was read. It may read all of s at once, or stream. At least one stem is wanted. */
    ap_stream *(*separate)(ap_model *model, ap_stream *s, const ap_separate_options *options,
                           const bool wanted[AP_MAX_STEMS], ap_error *err);
    /* Calls visit for every model, as ap_models_list. */
    void (*list)(ap_model_visit *visit, void *user);
} ap_method;

/* What the plugin neural.so offers. */
typedef struct ap_neural_plugin {
    ap_plugin_head head;
    ap_method method;
} ap_neural_plugin;

#define AP_NEURAL_VERSION 3

/* blind.c */
const ap_method *ap_blind_method(void);

#endif
