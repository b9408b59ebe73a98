/* SPDX-License-Identifier: GPL-3.0-or-later
 * zip.h - the zip archive inside a .th file: stored entries, found by name. */
#ifndef NN_ZIP_H
#define NN_ZIP_H

#include "audiopipe.h"

typedef struct nn_zip_entry {
    const char *name; /* not terminated */
    size_t name_size;
    const unsigned char *data;
    size_t size;
    uint32_t crc;
    bool checked, intact; /* of nn_zip_intact */
} nn_zip_entry;

typedef struct nn_zip {
    nn_zip_entry *entries; /* sorted by name */
    size_t count;
} nn_zip;

/* Reads the directory of an archive in memory, which has to outlive zip. Every entry lies inside the archive,
 * apart from every other, and is not compressed. name is the subject of messages. */
bool nn_zip_open(nn_zip *zip, const unsigned char *bytes, size_t size, const char *name, ap_error *err);
void nn_zip_close(nn_zip *zip);
/* NULL when there is none. */
nn_zip_entry *nn_zip_find(const nn_zip *zip, const char *name);
/* Compares the content with its CRC, the first time. */
bool nn_zip_intact(nn_zip_entry *entry);

#endif
