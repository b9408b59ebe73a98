/* SPDX-License-Identifier: GPL-3.0-or-later
 * index.c - what is in the spool, in memory: entries in the order of their IDs, which is that of their
 * times. */
#include "serve/kept/index.h"
#include "base/error.h"
#include "base/hash.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "serve/kept/view.h"
#include "serve/kept/watcher.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
    char id[AP_ID_BYTES];
    char *owner, *recipe, *name;
    const char *state; /* one of view.h's words */
    ap_place place;
    double created_s, bytes;
    unsigned hash; /* of the description that was told last */
    bool counted;  /* in the sums */
    bool hook;     /* it only tells of another job: nobody asked for it */
    bool seen;     /* in the look that is going on */
} entry;

struct ap_index {
    pthread_mutex_t lock;
    char *spool;
    ap_change_told *told;
    void *user;
    entry **items; /* each by itself: of many that come in any order, only pointers are moved */
    size_t count, room;
    size_t places[AP_PLACES];
    size_t queued; /* no entry before this one is in the queue */
    ap_tally tally;
    atomic_bool ready;
    ap_watcher *watcher;
};

/* ---- entries */

/* Where an ID is or would be. */
static size_t find(const ap_index *x, const char *id, bool *there)
{
    size_t low = 0, high = x->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(x->items[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *there = low < x->count && strcmp(x->items[low]->id, id) == 0;
    return low;
}

static void free_entry(entry *e)
{
    free(e->owner);
    free(e->recipe);
    free(e->name);
}

/* Takes the entry, which is at that place in the list, into the sums, or out of them. */
static void count(ap_index *x, entry *e, size_t at, bool in)
{
    if (e->counted == in)
        return;
    e->counted = in;
    x->places[e->place] += in ? 1 : (size_t)-1;
    ap_tally_bytes(&x->tally, e->owner, in ? e->bytes : -e->bytes);
    if (in && e->place == AP_QUEUE && at < x->queued)
        x->queued = at;
}

static void forget(ap_index *x, const char *id)
{
    bool there;
    size_t i = find(x, id, &there);
    if (!there)
        return;
    entry *e = x->items[i];
    if (!e->hook)
        x->told(e->id, e->owner ? e->owner : "", NULL, x->user);
    count(x, e, i, false);
    x->queued -= i < x->queued;
    free_entry(e);
    free(e);
    memmove(&x->items[i], &x->items[i + 1], (--x->count - i) * sizeof *x->items);
}

static entry *place_for(ap_index *x, const char *id)
{
    bool there;
    size_t i = find(x, id, &there);
    if (there)
        return x->items[i];
    if (x->count == x->room) {
        size_t room = x->room ? 2 * x->room : 256;
        entry **more = reallocarray(x->items, room, sizeof *more);
        if (!more)
            return NULL;
        x->items = more;
        x->room = room;
    }
    entry *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->place = AP_TMP;
    strcpy(e->id, id);
    memmove(&x->items[i + 1], &x->items[i], (x->count++ - i) * sizeof *x->items);
    x->items[i] = e;
    x->queued += i < x->queued;
    return e;
}

/* Takes over what a manifest says. false when out of memory. */
static bool fill(entry *e, ap_place place, const cJSON *document)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(document, "input");
    free_entry(e);
    e->owner = strdup(ap_json_string(document, "owner"));
    e->recipe = strdup(ap_json_string(document, "recipe"));
    e->name = strdup(ap_json_string(input, "name"));
    e->state = ap_view_state(document, place);
    e->place = place;
    e->created_s = ap_time_of(ap_json_string(document, "created"));
    e->bytes = ap_view_bytes(document);
    e->hook = *ap_json_string(document, "about");
    e->seen = true;
    return e->owner && e->recipe && e->name;
}

/* Takes over what a manifest says, and tells of it if that is new. */
static void update(ap_index *x, const char *id, ap_place place, const cJSON *document)
{
    cJSON *view = ap_view_job(document, place);
    char *text = view ? ap_json_print(view, false) : NULL;
    entry *e = text ? place_for(x, id) : NULL;
    bool there, over = place == AP_DONE || place == AP_FAILED_JOBS;
    if (e) {
        size_t at = find(x, id, &there);
        bool ended = atomic_load(&x->ready) && e->place != place && over;
        unsigned hash = (unsigned)ap_hash(AP_HASH_START, text, strlen(text));
        count(x, e, at, false);
        bool whole = fill(e, place, document);
        if (whole)
            count(x, e, at, true);
        if (whole && ended)
            ap_tally_end(&x->tally, document, place == AP_DONE);
        if (whole && !e->hook && hash != e->hash)
            x->told(id, e->owner, text, x->user);
        e->hash = hash;
        if (!whole)
            forget(x, id);
    }
    free(text);
    cJSON_Delete(view);
}

void ap_index_look(ap_index *x, const char *id)
{
    ap_place place;
    pthread_mutex_lock(&x->lock);
    cJSON *document = NULL;
    for (int i = 0; i < 3 && !document; i++) { /* it may move meanwhile */
        bool there = ap_job_find(x->spool, id, &place);
        char *manifest = there ? ap_spool_path(x->spool, place, id, AP_MANIFEST_NAME) : NULL;
        document = manifest ? ap_manifest_load(manifest, NULL) : NULL;
        free(manifest);
    }
    if (document)
        update(x, id, place, document);
    else
        forget(x, id);
    pthread_mutex_unlock(&x->lock);
    cJSON_Delete(document);
    ap_watcher_follow(x->watcher, id, document && place == AP_RUNNING);
}

/* ---- looks at all of it */

/* One job of a look at a place; it is read only if it was not known to be there. */
static void see(const char *id, ap_place place, void *user)
{
    ap_index *x = user;
    bool there;
    pthread_mutex_lock(&x->lock);
    size_t i = find(x, id, &there);
    bool known = there && x->items[i]->place == place && place != AP_RUNNING;
    if (there)
        x->items[i]->seen = true;
    pthread_mutex_unlock(&x->lock);
    if (!known)
        ap_index_look(x, id);
}

/* Jobs that were not seen are looked for once more: they may have moved against the order of the look. */
static void end_look(void *user)
{
    ap_index *x = user;
    char id[AP_ID_BYTES] = "";
    for (size_t i = 0;; i++) {
        pthread_mutex_lock(&x->lock);
        while (i < x->count && x->items[i]->seen)
            x->items[i++]->seen = false;
        bool more = i < x->count;
        if (more)
            strcpy(id, x->items[i]->id);
        pthread_mutex_unlock(&x->lock);
        if (!more)
            break;
        ap_index_look(x, id); /* marks it as seen, or forgets it */
    }
    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; i < x->count; i++)
        x->items[i]->seen = false;
    pthread_mutex_unlock(&x->lock);
    atomic_store(&x->ready, true);
}

static void changed(const char *id, void *user)
{
    ap_index_look(user, id);
}

ap_index *ap_index_start(const char *spool, ap_change_told *told, void *user, ap_error *err)
{
    ap_index *x = calloc(1, sizeof *x);
    if (!x || !(x->spool = strdup(spool))) {
        ap_fail_memory(err);
        free(x);
        return NULL;
    }
    pthread_mutex_init(&x->lock, NULL);
    x->told = told;
    x->user = user;
    const ap_watcher_calls calls = {see, end_look, changed, x};
    x->watcher = ap_watcher_new(spool, &calls, err);
    if (x->watcher && ap_watcher_start(x->watcher, err))
        return x;
    ap_index_stop(x);
    return NULL;
}

void ap_index_stop(ap_index *x)
{
    if (!x)
        return;
    ap_watcher_stop(x->watcher);
    for (size_t i = 0; i < x->count; i++) {
        free_entry(x->items[i]);
        free(x->items[i]);
    }
    free(x->items);
    ap_tally_free(&x->tally);
    free(x->spool);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

bool ap_index_ready(const ap_index *x)
{
    return atomic_load(&x->ready);
}

/* ---- questions */

static bool matches(const entry *e, const ap_index_query *q)
{
    if (e->hook && !q->recipe)
        return false;
    return (!q->owner || strcmp(q->owner, e->owner) == 0) && (!q->state || strcmp(q->state, e->state) == 0) &&
           (!q->recipe || strcmp(q->recipe, e->recipe) == 0) && (!q->text || strcasestr(e->name, q->text)) &&
           (!q->active || e->place == AP_QUEUE || e->place == AP_RUNNING);
}

size_t ap_index_list(ap_index *x, const ap_index_query *q, size_t most, char (*ids)[AP_ID_BYTES], bool *more)
{
    size_t got = 0;
    bool there;
    *more = false;
    pthread_mutex_lock(&x->lock);
    for (size_t i = q->before ? find(x, q->before, &there) : x->count; i-- > 0 && !*more;) {
        if (!matches(x->items[i], q))
            continue;
        if (got == most)
            *more = true;
        else
            strcpy(ids[got++], x->items[i]->id);
    }
    pthread_mutex_unlock(&x->lock);
    return got;
}

double ap_index_bytes(ap_index *x, const char *owner)
{
    pthread_mutex_lock(&x->lock);
    double bytes = ap_tally_of(&x->tally, owner);
    pthread_mutex_unlock(&x->lock);
    return bytes;
}

void ap_index_counts(ap_index *x, ap_index_count *count)
{
    *count = (ap_index_count){.oldest_queued_s = 0};
    pthread_mutex_lock(&x->lock);
    memcpy(count->places, x->places, sizeof count->places);
    while (x->queued < x->count && x->items[x->queued]->place != AP_QUEUE)
        x->queued++; /* it stays there: each entry is passed once */
    if (x->queued < x->count)
        count->oldest_queued_s = x->items[x->queued]->created_s;
    pthread_mutex_unlock(&x->lock);
}

size_t ap_index_ended(ap_index *x, ap_ended_count *counts, size_t most)
{
    pthread_mutex_lock(&x->lock);
    size_t n = x->tally.recipe_count < most ? x->tally.recipe_count : most;
    memcpy(counts, x->tally.ended, n * sizeof *counts);
    pthread_mutex_unlock(&x->lock);
    return n;
}

size_t ap_index_stages(ap_index *x, ap_stage_count *counts, size_t most)
{
    pthread_mutex_lock(&x->lock);
    size_t n = x->tally.stage_count < most ? x->tally.stage_count : most;
    memcpy(counts, x->tally.stages, n * sizeof *counts);
    pthread_mutex_unlock(&x->lock);
    return n;
}
