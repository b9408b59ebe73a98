/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sources.h - objects in stores that jobs come from, and where what jobs make goes. */
#ifndef AP_JOBS_SPOOL_SOURCES_H
#define AP_JOBS_SPOOL_SOURCES_H

#include "audiopipe.h"

/* Where outputs may go: s3://BUCKET/PREFIX/ with one slash at its end, malloc'ed. NULL: it is no such name.
 */
char *ap_destination(const char *url, ap_error *err);
/* Whether one of two names in stores begins with the other: what is written to one may be read from the
 * other. */
bool ap_stores_overlap(const char *a, const char *b);

/* What became of an object, named by its URL and the ETag of its content, is kept in the spool's .sources/ as
 * long as the object is asked for. */
bool ap_source_known(const char *spool, const char *url, const char *etag);
/* outcome: a job's ID, or why there is none. */
bool ap_source_note(const char *spool, const char *url, const char *etag, const char *outcome, ap_error *err);
/* Marks this as watched: a descriptor with a lock, or -1 on failure, and if it is watched already
 * (AP_TRY_AGAIN). */
int ap_source_lock(const char *spool, const char *url, ap_error *err);
/* Once a day, for who has asked for all objects below url and has that lock: forgets those below it that
 * nobody has asked for in the last two days. */
void ap_source_clean(const char *spool, const char *url, int lock);

/* Events are hints that an object is there; each is kept in the spool's .events/ until a watcher of a bucket
 * has looked at it. key: what makes two events the same. *known: it was there already. */
bool ap_event_note(const char *spool, const char *url, const char *key, bool *known, ap_error *err);
/* Is told the URL of an event; true: it is done with, and is removed. */
typedef bool ap_event_fn(const char *url, void *user);
void ap_event_each(const char *spool, const char *prefix, ap_event_fn *see, void *user);
/* Removes events of a day ago that no watcher has asked for. */
void ap_event_clean(const char *spool);
/* malloc'ed: the folder of events, which is made. */
char *ap_event_folder(const char *spool, ap_error *err);

#endif
