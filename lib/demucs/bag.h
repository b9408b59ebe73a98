/* SPDX-License-Identifier: GPL-3.0-or-later
 * bag.h - a bag of models: a YAML file that names checkpoints and weighs their stems. */
#ifndef DM_BAG_H
#define DM_BAG_H

#include "internal.h"

#define DM_MAX_MODELS 16
#define DM_MAX_STEMS 16

typedef struct dm_bag {
    char models[DM_MAX_MODELS][128]; /* signatures */
    size_t count;
    bool weighted;
    double weights[DM_MAX_MODELS][DM_MAX_STEMS];
    size_t stems;     /* of weights */
    double segment_s; /* 0 = the model's own */
} dm_bag;

/* Parses the text of a bag file. name is the subject of messages. */
bool dm_bag_parse(dm_bag *bag, const char *text, const char *name, ap_error *err);

#endif
