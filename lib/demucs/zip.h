/* SPDX-License-Identifier: GPL-3.0-or-later
 * zip.h - the zip archive inside a .th file: stored entries, found by name. */
#ifndef DM_ZIP_H
#define DM_ZIP_H

#include "internal.h"

typedef struct dm_zip_entry {
    const char *name; /* not terminated */
    size_t name_size;
    const unsigned char *data;
    size_t size;
    uint32_t crc;
    bool checked, intact; /* of dm_zip_intact */
} dm_zip_entry;

typedef struct dm_zip {
    dm_zip_entry *entries; /* sorted by name */
    size_t count;
} dm_zip;

/* Reads the directory of an archive in memory, which has to outlive zip. Every entry lies inside the archive,
 * apart from every other, and is not compressed. name is the subject of messages. */
bool dm_zip_open(dm_zip *zip, const unsigned char *bytes, size_t size, const char *name, ap_error *err);
void dm_zip_close(dm_zip *zip);
/* NULL when there is none. */
dm_zip_entry *dm_zip_find(const dm_zip *zip, const char *name);
/* Compares the content with its CRC, the first time. */
bool dm_zip_intact(dm_zip_entry *entry);

#endif
