/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * manifest.h - one document in a file. Its members are described in ap-manifest(5). */
#ifndef AP_JOBS_RECORD_MANIFEST_H
#define AP_JOBS_RECORD_MANIFEST_H

#include "audiopipe.h"
#include <cjson/cJSON.h>

#define AP_MANIFEST_VERSION 1
#define AP_MANIFEST_NAME "manifest.json"

/* A new document: version, id (may be NULL), owner, state "queued", empty lists. */
cJSON *ap_manifest_document(const char *id);
/* Writes document to path, which must not exist. */
bool ap_manifest_create(const char *path, const cJSON *document, ap_error *err);
/* The caller deletes it. */
cJSON *ap_manifest_load(const char *path, ap_error *err);

typedef bool ap_change_fn(cJSON *document, void *user, ap_error *err);
/* Lock, read, change, write temporary, fsync, rename. A change that returns false leaves the file alone.
 * durable: the rename is on the disk, too, before this returns. */
bool ap_manifest_change(const char *path, ap_change_fn *change, void *user, bool durable, ap_error *err);
/* Makes what is in this file durable. */
bool ap_sync_file(const char *path, ap_error *err);
/* Makes renames in this folder durable. */
bool ap_sync_folder(const char *path, ap_error *err);
/* Whether fd is still the file of that name. */
bool ap_same_file(int fd, const char *path);

#endif
