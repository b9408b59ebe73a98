/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * output.h - bytes to a file, written atomically, or to a descriptor. */
#ifndef AP_BASE_OUTPUT_H
#define AP_BASE_OUTPUT_H

#include "audiopipe.h"

typedef struct ap_output ap_output;

/* Starts a temporary file without a name in the folder of path. A path that is a device, a FIFO, or the name
 * of a descriptor (/dev/stdout, /dev/fd/N) is written to as by ap_output_fd. s3://BUCKET/KEY is an object,
 * which appears when it is committed. */
ap_output *ap_output_create(const char *path, bool seekable, ap_error *err);
/* From now on a file that has the name already when this is committed is not replaced, which is an error. */
void ap_output_keep_existing(ap_output *out);
/* Writes to fd, which is not closed. With seekable, ap_output_seek works on a pipe too: everything goes to an
 * unlinked temporary file first and is copied by ap_output_commit. */
ap_output *ap_output_fd(int fd, const char *name, bool seekable, ap_error *err);
const char *ap_output_name(const ap_output *out);
bool ap_output_write(ap_output *out, const void *bytes, size_t size, ap_error *err);
/* Whether ap_output_seek works: in a file always, one on a descriptor included unless it is appended to;
 * elsewhere if that was asked for. */
bool ap_output_seekable(const ap_output *out);
bool ap_output_seek(ap_output *out, uint64_t position, ap_error *err);
/* Reads back what was written, from position. false when fewer bytes are there. */
bool ap_output_read_at(ap_output *out, uint64_t position, void *bytes, size_t size, ap_error *err);
/* Current position and size in bytes. */
uint64_t ap_output_tell(const ap_output *out);
uint64_t ap_output_size(const ap_output *out);
/* fsync and rename into place (file), or copy (a descriptor that could not seek). Frees out. */
bool ap_output_commit(ap_output *out, ap_error *err);
/* Drops everything. Takes NULL. */
void ap_output_abort(ap_output *out);
/* As ap_save, with the choice of ap_output_keep_existing. */
bool ap_output_save(const char *path, const void *bytes, size_t size, bool keep_existing, ap_error *err);

#endif
