/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pieces.h - one stream to several files in a folder, one after the other. */
#ifndef PIECES_H
#define PIECES_H

#include "front/filter.h"

typedef struct piece {
    uint64_t start, frames; /* AP_UNKNOWN: up to the end */
    ap_tags *tags;          /* of its own, which win over the stream's; may be NULL */
    char *name;             /* of the file, without folder and extension */
} piece;

typedef struct piece_list {
    const sources *in; /* what is read, and must not be replaced */
    const char *input; /* whose name and extension the files have */
    piece *pieces;     /* in order, none overlapping */
    size_t count;
} piece_list;

/* Named after the input and numbered. Fails if there are none. */
bool pieces_of_sections(piece_list *list, const ap_section *sections, size_t count, ap_error *err);
/* The tracks of a cue sheet, named "NN TITLE". */
bool pieces_of_cue(piece_list *list, const char *path, uint32_t rate, ap_error *err);
/* Writes them into the folder out->path, which is made if it is not there. Closes s. On failure the piece
 * that was written is not there; those before it are. */
bool pieces_write(const command *c, ap_stream *s, const piece_list *list, const output_config *out,
                  ap_error *err);
void pieces_free(piece_list *list);

#endif
