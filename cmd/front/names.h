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
 * each two of them. Lines may end in CR LF, and a byte order mark may come first. Empty ones are left out. On
 * a line, the name may be followed by a tab and the time that the image is shown, and by another tab and its
 * caption, unless the whole line is the name of a file. Call it once for a list. */
bool names_read(name_list *list, const char *path, ap_error *err);
void names_free(name_list *list);

#endif
