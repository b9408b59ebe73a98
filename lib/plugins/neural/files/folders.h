/* SPDX-License-Identifier: GPL-3.0-or-later
 * folders.h - the folders that models are looked for in. */
#ifndef NN_FOLDERS_H
#define NN_FOLDERS_H

#include "audiopipe.h"

#define NN_MAX_FOLDERS 16
#define NN_SUFFIXES 4

/* Of the files of models, with their dots. */
extern const char *const nn_suffixes[NN_SUFFIXES];

typedef struct nn_folders {
    char paths[NN_MAX_FOLDERS][1024];
    size_t count;
} nn_folders;

/* first: where to look before everything else, NULL: nowhere. */
void nn_folders_find(nn_folders *f, const char *first);
/* The file of a model's name or signature, NULL if it is in none of them. The caller frees it. */
char *nn_folders_file(const nn_folders *f, const char *name);
/* folder/file; NULL when out of memory. */
char *nn_join(const char *folder, const char *file);
bool nn_ends_with(const char *name, const char *suffix);

#endif
