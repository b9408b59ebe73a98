/* SPDX-License-Identifier: GPL-3.0-or-later
 * shown.c - jobs that have ended, as they were shown. */
#include "serve/kept/shown.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

static ap_shown_job *place_of(ap_shown *s, const char *id)
{
    return &s->jobs[ap_hash(AP_HASH_START, id, strlen(id)) % AP_SHOWN_JOBS];
}

static bool is_that(const ap_shown_job *job, const char *id, ap_place place, const struct stat *manifest)
{
    return job->text && strcmp(job->id, id) == 0 && job->place == place && job->inode == manifest->st_ino &&
           job->changed.tv_sec == manifest->st_ctim.tv_sec &&
           job->changed.tv_nsec == manifest->st_ctim.tv_nsec;
}

char *ap_shown_get(ap_shown *s, const char *id, ap_place place, const struct stat *manifest,
                   char owner[AP_OWNER_BYTES])
{
    char *text = NULL;
    pthread_mutex_lock(&s->lock);
    const ap_shown_job *job = place_of(s, id);
    if (is_that(job, id, place, manifest) && (text = strdup(job->text)))
        strcpy(owner, job->owner);
    pthread_mutex_unlock(&s->lock);
    return text;
}

void ap_shown_put(ap_shown *s, const char *id, ap_place place, const struct stat *manifest, const char *owner,
                  const char *text)
{
    char *copy = strlen(text) < AP_SHOWN_BYTES && strlen(owner) < AP_OWNER_BYTES ? strdup(text) : NULL;
    if (!copy)
        return;
    pthread_mutex_lock(&s->lock);
    ap_shown_job *job = place_of(s, id);
    free(job->text);
    *job =
        (ap_shown_job){.place = place, .changed = manifest->st_ctim, .inode = manifest->st_ino, .text = copy};
    strcpy(job->id, id);
    strcpy(job->owner, owner);
    pthread_mutex_unlock(&s->lock);
}

void ap_shown_free(ap_shown *s)
{
    for (size_t i = 0; i < AP_SHOWN_JOBS; i++)
        free(s->jobs[i].text);
}
