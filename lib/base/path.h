/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * path.h - names of files. */
#ifndef AP_BASE_PATH_H
#define AP_BASE_PATH_H

#include "audiopipe.h"

/* The last part of a path: the name without its folders. */
const char *ap_leaf(const char *path);
/* Bytes of its folders, with the slash after them; 0: it has none. */
size_t ap_folder_length(const char *path);
/* The folder that a path is in, without a slash at its end: ".", if it names none, and "/". malloc'ed, NULL
 * when out of memory. */
char *ap_folder_of(const char *path);
/* The extension of the file that path names, without the dot; "" if it has none. NULL gives "". Folders do
 * not count, nor does a leading dot: "out.d/x" and ".flac" have no extension. */
const char *ap_extension(const char *path);
/* Bytes of path without that extension and its dot. */
int ap_stem_length(const char *path);
/* Fills err with AP_USAGE: neither the format that was asked for (NULL: none was) nor the extension of path
 * is one of the known ones. Returns false. */
bool ap_fail_format(const char *format, const char *path, const char *known, ap_error *err);

#endif
