/* SPDX-License-Identifier: GPL-3.0-or-later
 * models.h - from the name of a model to its files. */
#ifndef NN_MODELS_H
#define NN_MODELS_H

#include "plugins/neural/files/bag.h"

/* What a name stands for: files, and how to weigh what they give. */
typedef struct nn_model_files {
    nn_bag bag;
    char *paths[NN_MAX_MODELS]; /* bag.count of them */
    char *config;               /* the YAML file that belongs to the only one; NULL: none */
} nn_model_files;

/* name: a path (.th, .ckpt, .safetensors, .pt, .yaml), a published name, a signature, or the name of a file
 * in one of the folders for models. config: the YAML file of a .ckpt; NULL: that of the same name beside it.
 * The error for a missing file says which file to put where. */
bool nn_models_find(const char *name, const char *config, nn_model_files *files, ap_error *err);
void nn_models_free(nn_model_files *files);

/* Calls visit for each published model, and each other one in the folders. missing: the files that it still
 * needs, separated by spaces, "" when it is complete. describe writes what a model is to text, "" where that
 * is not known. */
typedef void nn_model_describe(const nn_model_files *files, char *text, size_t size);
void nn_models_list(nn_model_describe *describe, ap_model_visit *visit, void *user);

/* The first published model that is complete, NULL if none is. */
const char *nn_models_best(void);

#endif
