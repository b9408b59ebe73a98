/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * names.h - lists of images, from arguments and from files. */
#ifndef NAMES_H
#define NAMES_H

#include <audiopipe.h>
#include <stddef.h>

typedef struct name_list {
    const char **names;
    ap_slide *slides; /* of each name: its time and its caption */
    size_t count, room;
    char *text; /* of the file: names are in it */
} name_list;

/* name has to outlive the list. */
bool names_add(name_list *list, const char *name, ap_error *err);
/* Adds the names in a file, "-" is standard input: one a line, or, if there are zero bytes in it, one between
 * each two of them. A line may end in CR LF, the first one begin with a byte order mark. Empty ones are left
 * out. Behind the name on a line there may be a tab and how long the image is shown, and another one and its
 * caption; unless there is a file of that whole name. Once for a list. */
bool names_read(name_list *list, const char *path, ap_error *err);
void names_free(name_list *list);

#endif
