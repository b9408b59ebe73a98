/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * uploads.h - files that were sent, or are being sent: HOME/files/ID and a record ID.json of what was
 * announced. The length of its file is how far an upload has come, so nothing has to be kept in step. */
#ifndef AP_SERVE_KEPT_UPLOADS_H
#define AP_SERVE_KEPT_UPLOADS_H

#include "jobs/record/sha256.h"
#include "jobs/spool/spool.h"
#include "serve/kept/peer.h"
#include "serve/who/keys.h"
#include "serve/who/parse.h"

#include <cjson/cJSON.h>

/* What is known of one. */
typedef struct ap_upload {
    char id[AP_FILE_ID_BYTES];
    char owner[AP_OWNER_BYTES];
    char *name;     /* malloc'ed: ap_upload_free */
    char *metadata; /* as the client gave it, malloc'ed, may be NULL */
    char *recipe;   /* it becomes a job of this as soon as it is there, malloc'ed; NULL: not by itself */
    char *parts;    /* the Upload-Concat header of a final upload, malloc'ed, may be NULL */
    char job[AP_ID_BYTES]; /* that it will become (compat.h): its length is not announced; "": any */
    uint64_t length, offset;
    bool partial;               /* a part, which only counts in a final upload */
    double expires_s;           /* since 1970 */
    char sha256[AP_SHA256_HEX]; /* "" if it was not computed on the way */
} ap_upload;

typedef struct ap_upload_note {
    char id[AP_FILE_ID_BYTES];
    char owner[AP_OWNER_BYTES];
    uint64_t length;
    ap_peer *writer; /* who sends it now; NULL: nobody */
    bool claimed;
} ap_upload_note;

typedef struct ap_uploads {
    pthread_mutex_t lock;
    char *folder;
    double keep_s;
    ap_upload_note *notes;
    size_t count;
} ap_uploads;

/* Makes the folder, and notes what is in it. */
bool ap_uploads_open(ap_uploads *u, const char *home, double keep_s, ap_error *err);
void ap_uploads_close(ap_uploads *u);

/* Makes an upload of owner, name, metadata, partial, length: gives it an ID, and an empty file. */
bool ap_upload_new(ap_uploads *u, ap_upload *upload, ap_error *err);
/* false: there is none of that ID. */
bool ap_upload_load(ap_uploads *u, const char *id, ap_upload *upload);
/* Writes the record again, durably. */
bool ap_upload_save(ap_uploads *u, const ap_upload *upload, ap_error *err);
void ap_upload_free(ap_upload *upload);
/* The path of an upload's file, with a suffix; malloc'ed. */
char *ap_upload_path(const ap_uploads *u, const char *id, const char *suffix);
void ap_upload_remove(ap_uploads *u, const char *id);
bool ap_upload_is_whole(const ap_upload *upload);
/* {"id","name","size","sha256"}; hashes the file if that was not done before. NULL when out of memory. */
cJSON *ap_upload_describe(ap_uploads *u, ap_upload *upload);

/* Makes the caller the only one that writes. false: another connection writes. That one is broken off, so
 * the next try succeeds: a client that lost its connection does not lock itself out. */
bool ap_upload_claim(ap_uploads *u, const char *id, ap_peer *peer);
void ap_upload_release(ap_uploads *u, const char *id);

/* What an owner's uploads take, as announced; *count: how many there are, unless it is NULL. */
uint64_t ap_uploads_of(ap_uploads *u, const char *owner, size_t *count);
/* Removes those that have expired and that no connection writes. Returns how many. */
size_t ap_uploads_expire(ap_uploads *u, double now_s);

#endif
