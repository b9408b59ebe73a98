/* SPDX-License-Identifier: GPL-3.0-or-later
 * index.h - the file index.txt of a folder with models: names for them, and the description of each. */
#ifndef NN_INDEX_H
#define NN_INDEX_H

#include "audiopipe.h"

#define NN_INDEX_FILE "index.txt"

/* A line: NAME CHECKPOINT [DESCRIPTION]. */
typedef struct nn_index_line {
    const char *name, *checkpoint;
    const char *config; /* NULL: none */
} nn_index_line;

typedef struct nn_index {
    nn_index_line *lines;
    size_t count;
    char *text; /* the lines point into it */
} nn_index;

/* Parses the text of such a file: words between blanks, those with blanks in double quotes, comments after #.
 * name is the subject of messages. To be freed also after a failure. */
bool nn_index_parse(nn_index *index, const char *text, size_t size, const char *name, ap_error *err);
/* The same of a folder's file; there need not be one. */
bool nn_index_read(nn_index *index, const char *folder, ap_error *err);
void nn_index_free(nn_index *index);
/* The line of a name, or of a checkpoint; NULL: there is none. */
const nn_index_line *nn_index_find(const nn_index *index, const char *name);
const nn_index_line *nn_index_of(const nn_index *index, const char *checkpoint);

#endif
