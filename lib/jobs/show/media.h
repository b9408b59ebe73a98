/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * media.h - where a page about a job takes the job's files from. */
#ifndef AP_JOBS_SHOW_MEDIA_H
#define AP_JOBS_SHOW_MEDIA_H

#include "audiopipe.h"

/* Is given a file of the job, and its name beside the page, "media/1-song.mp3". */
typedef bool ap_media_take(const char *path, const char *name, void *user, ap_error *err);

typedef struct ap_media {
    ap_media_take *take; /* NULL: files do not go with the page */
    void *user;
    const char *folder; /* of the manifest, absolute */
    const char *beside; /* of the page, absolute; NULL: unknown */
    double budget;      /* bytes that may still be put into the page */
    unsigned count;     /* files so far */
} ap_media;

/* What a page can do with a file. */
typedef enum ap_media_kind {
    AP_MEDIA_WHOLE,   /* it is in the page, or goes with it */
    AP_MEDIA_PREVIEW, /* the start of its sound, as MP3 */
    AP_MEDIA_NONE,    /* too large */
} ap_media_kind;

/* Decides it. *url: malloc'ed, NULL for AP_MEDIA_NONE. path: of the file; relative: its path below the job's
 * folder, or an absolute one. */
bool ap_media_find(ap_media *m, const char *path, const char *relative, const char *mime, char **url,
                   ap_media_kind *kind, ap_error *err);

#endif
