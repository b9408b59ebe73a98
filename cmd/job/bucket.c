/* SPDX-License-Identifier: GPL-3.0-or-later
 * bucket.c - ap-job watch-bucket: objects of a store become jobs.
 *
 * A listing is the truth. Events, which ap-serve takes, only say where to look before the next listing. What
 * became of an object is kept in the spool, so that it is taken once. */
#include "base/error.h"
#include "base/net.h"
#include "base/text.h"
#include "job/job.h"
#include "jobs/record/clock.h"
#include "jobs/spool/sources.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS_S 5.0 /* between looks for events from other hosts, which inotify does not see */

typedef struct watching {
    job_config *c;
    const ap_net_plugin *net;
    const char *url; /* s3://BUCKET/PREFIX */
    int bucket;      /* bytes of s3://BUCKET/ */
    bool again;      /* something is to be tried again at the next listing */
    int lock;
} watching;

/* ---- an object */

/* Notes what became of it, unless that may change. */
static bool settle(watching *w, const char *url, const char *etag, int status, const char *id, ap_error *why)
{
    ap_error err;
    if (status == AP_USAGE)
        return false; /* our mistake, not the object's */
    if (status != AP_OK)
        complain(&job_command, "%s", why->message);
    w->again = w->again || status == AP_TRY_AGAIN;
    char *refused = ap_print("refused: %s", why->message);
    bool ok = status == AP_TRY_AGAIN || !refused ||
              ap_source_note(w->c->spool, url, etag, status == AP_OK ? id : refused, &err);
    free(refused);
    if (!ok)
        *why = err;
    return ok;
}

/* Fetches an object that is not known yet, and makes a job of it. */
static bool take(watching *w, const char *url, const char *etag, ap_error *err)
{
    ap_recipe recipe;
    char id[AP_ID_BYTES] = "", *from = (char *)url, *folder, *path = NULL;
    if (ap_source_known(w->c->spool, url, etag))
        return true;
    if (!job_prepare_intake(w->c, &recipe, err))
        return false;
    int status = AP_TRY_AGAIN;
    if ((folder = job_download_folder(w->c, err)))
        path = job_download(w->c, url, folder, 0, err);
    if (folder && !path)
        status = (int)err->code;
    w->c->intake.urls = &from;
    if (path)
        status = job_take_in(w->c, &path, 1, id, err);
    w->c->intake.urls = NULL;
    if (folder)
        ap_remove_tree(folder);
    free(path);
    free(folder);
    ap_recipe_free(&recipe);
    return settle(w, url, etag, status, id, err);
}

/* Names that end in "/" are those of folders, which some programs make. */
static bool is_content(const ap_net_object *o, const char *key)
{
    const size_t n = strlen(key);
    return n && key[n - 1] != '/' && o->bytes > 0;
}

static bool see_listed(void *user, const ap_net_object *o, ap_error *err)
{
    watching *w = user;
    char *url = ap_print("%.*s%s", w->bucket, w->url, o->key);
    bool ok = url ? !is_content(o, o->key) || take(w, url, o->etag, err) : ap_fail_memory(err);
    free(url);
    return ok;
}

/* An object that is gone again is no concern; one that cannot be looked at now is left to the listing. */
static bool see_event(const char *url, void *user)
{
    watching *w = user;
    ap_net_object o;
    ap_error err;
    if (w->net->head_of(url, &o, &err) && is_content(&o, url + w->bucket) && !take(w, url, o.etag, &err))
        complain(&job_command, "%s", err.message);
    return true;
}

/* ---- the watch */

/* When the store cannot be reached now, the next listing may do better. */
static bool list(watching *w, ap_error *err)
{
    w->again = false;
    if (w->net->list(w->url, NULL, see_listed, w, err)) {
        ap_source_clean(w->c->spool, w->url, w->lock);
        return true;
    }
    if (err->code != AP_TRY_AGAIN || w->c->once)
        return false;
    complain(&job_command, "%s", err->message);
    return true;
}

static int watch_events(const job_config *c, ap_error *err)
{
    char *folder = ap_event_folder(c->spool, err);
    int fd = folder ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
    if (fd >= 0)
        inotify_add_watch(fd, folder, IN_MOVED_TO | IN_CREATE | IN_CLOSE_WRITE);
    free(folder);
    return fd;
}

/* Until the next listing; what events name is looked at meanwhile. */
static void wait_for_events(watching *w, int inotify)
{
    const double end = ap_monotonic_s() + w->c->interval_s;
    char events[4096];
    struct pollfd watched = {inotify, POLLIN, 0};
    for (double left; (left = end - ap_monotonic_s()) > 0;) {
        ap_event_each(w->c->spool, w->url, see_event, w);
        if (poll(&watched, 1, (int)ceil(1000 * fmin(left, EVENTS_S))) > 0)
            while (read(inotify, events, sizeof events) > 0)
                ;
    }
}

static bool watch(watching *w, ap_error *err)
{
    int inotify = -1;
    w->lock = ap_source_lock(w->c->spool, w->url, err);
    if (w->lock < 0)
        return w->c->once && err->code == AP_TRY_AGAIN;
    bool ok = w->c->once || (inotify = watch_events(w->c, err)) >= 0;
    while ((ok = ok && list(w, err)) && !w->c->once)
        wait_for_events(w, inotify);
    if (ok && w->again)
        ok = ap_fail(err, AP_TRY_AGAIN, "not all objects could be taken now");
    if (inotify >= 0)
        close(inotify);
    close(w->lock);
    return ok;
}

int job_watch_bucket(job_config *c, int argc, char **argv, ap_error *err)
{
    (void)argc;
    if (strncasecmp(argv[0], "s3://", 5) != 0 || !argv[0][5] || argv[0][5] == '/')
        return ap_fail(err, AP_USAGE, "'%s' is not s3://BUCKET/PREFIX", argv[0]), AP_USAGE;
    const char *rest = argv[0] + 5, *slash = strchr(rest, '/');
    char *url = ap_print("s3://%s%s", rest, slash ? "" : "/");
    watching w = {.c = c, .url = url, .net = ap_net_load(err)};
    bool ok = w.net && (url || ap_fail_memory(err)) && job_check_way(c, url, err);
    if (ok) {
        w.bucket = (int)(strchr(url + 5, '/') - url + 1);
        ok = watch(&w, err);
    }
    free(url);
    return job_result(ok, err);
}
