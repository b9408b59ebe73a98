/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * zip.h - files in a zip archive, as they are: sound and pictures are compressed already. */
#ifndef AP_JOBS_SHOW_ZIP_H
#define AP_JOBS_SHOW_ZIP_H

#include "base/output.h"

#include <time.h>

typedef struct ap_zip ap_zip;

/* out has to be seekable and stays the caller's. NULL when out of memory. */
ap_zip *ap_zip_new(ap_output *out, ap_error *err);
/* Adds the file at path under a name, which may have folders in it. */
bool ap_zip_add(ap_zip *z, const char *name, const char *path, ap_error *err);
/* What a header says of a file. */
typedef struct ap_zip_known {
    uint64_t size;
    uint32_t crc, mode; /* mode: st_mode */
    time_t when;
} ap_zip_known;
/* Adds a file whose bytes come later, when the archive is sent: leaves a gap of its size at *start. */
bool ap_zip_add_known(ap_zip *z, const char *name, const ap_zip_known *file, uint64_t *start, ap_error *err);
/* The same of bytes in memory. */
bool ap_zip_add_bytes(ap_zip *z, const char *name, const void *bytes, size_t size, ap_error *err);
/* Writes the list of what is in it. Frees z. */
bool ap_zip_end(ap_zip *z, ap_error *err);
/* Takes NULL. */
void ap_zip_free(ap_zip *z);

/* Makes a whole archive at path, as ap_output_create does: fill adds what is in it. */
bool ap_zip_write(const char *path, bool (*fill)(ap_zip *z, void *user, ap_error *err), void *user,
                  ap_error *err);

#endif
