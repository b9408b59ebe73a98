/* SPDX-License-Identifier: GPL-3.0-or-later
 * bag.h - a bag of models: a YAML file that names checkpoints and weighs their stems. */
#ifndef NN_BAG_H
#define NN_BAG_H

#include "audiopipe.h"

#define NN_MAX_MODELS 16
#define NN_MAX_STEMS 64

typedef struct nn_bag {
    char models[NN_MAX_MODELS][128]; /* signatures */
    size_t count;
    bool weighted;
    double weights[NN_MAX_MODELS][NN_MAX_STEMS];
    size_t stem_count; /* of weights */
    double segment_s;  /* 0 = the model's own */
} nn_bag;

/* Parses the text of a bag file. name is the subject of messages. */
bool nn_bag_parse(nn_bag *bag, const char *text, const char *name, ap_error *err);

#endif
