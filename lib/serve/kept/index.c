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

typedef struct owned owned;

typedef struct entry {
    char id[AP_ID_BYTES];
    owned *of; /* its owner */
    char *recipe, *name;
    const char *state; /* one of view.h's words */
    ap_place place;
    double created_s, bytes;
    unsigned hash; /* of the description that was told last */
    bool counted;  /* in the sums */
    bool hook;     /* it only tells of another job: nobody asked for it */
    bool seen;     /* in the look that is going on */
} entry;

/* In the order of their IDs. Each entry lies by itself: of many that come in any order only pointers move. */
typedef struct list {
    entry **items;
    size_t count, room;
} list;

/* An owner, and what is theirs: who has few jobs does not wait for the many of others. */
struct owned {
    list jobs;
    char name[];
};

struct ap_index {
    pthread_mutex_t lock;
    char *spool;
    ap_change_told *told;
    void *user;
    list all;
    owned **owners; /* in the order of their names; they stay */
    size_t owner_count;
    size_t places[AP_PLACES];
    size_t queued; /* no entry before this one is in the queue */
    ap_tally tally;
    atomic_bool ready;
    ap_watcher *watcher;
};

/* ---- lists */

/* Where an ID is or would be. */
static size_t find(const list *l, const char *id, bool *there)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(l->items[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *there = low < l->count && strcmp(l->items[low]->id, id) == 0;
    return low;
}

static bool insert(list *l, entry *e, size_t at)
{
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 16;
        entry **more = reallocarray(l->items, room, sizeof *more);
        if (!more)
            return false;
        l->items = more;
        l->room = room;
    }
    memmove(&l->items[at + 1], &l->items[at], (l->count++ - at) * sizeof *l->items);
    l->items[at] = e;
    return true;
}

static void take_out(list *l, size_t at)
{
    l->count--;
    memmove(&l->items[at], &l->items[at + 1], (l->count - at) * sizeof *l->items);
}

/* ---- owners */

/* Where an owner is or would be. */
static size_t find_owner(const ap_index *x, const char *name, bool *there)
{
    size_t low = 0, high = x->owner_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(x->owners[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *there = low < x->owner_count && strcmp(x->owners[low]->name, name) == 0;
    return low;
}

/* NULL: out of memory. */
static owned *owner_for(ap_index *x, const char *name)
{
    bool there;
    size_t at = find_owner(x, name, &there), n = strlen(name) + 1;
    if (there)
        return x->owners[at];
    owned *o = calloc(1, sizeof *o + n);
    owned **more = o ? reallocarray(x->owners, x->owner_count + 1, sizeof *more) : NULL;
    if (!more) {
        free(o);
        return NULL;
    }
    x->owners = more;
    memcpy(o->name, name, n);
    memmove(&more[at + 1], &more[at], (x->owner_count++ - at) * sizeof *more);
    more[at] = o;
    return o;
}

/* Gives an entry to an owner, or, NULL, to nobody. */
static void give(entry *e, owned *to)
{
    bool there;
    if (e->of == to)
        return;
    if (e->of)
        take_out(&e->of->jobs, find(&e->of->jobs, e->id, &there));
    e->of = to && insert(&to->jobs, e, find(&to->jobs, e->id, &there)) ? to : NULL;
}

static const char *owner_of(const entry *e)
{
    return e->of ? e->of->name : "";
}

/* ---- entries */

static void free_entry(entry *e)
{
    free(e->recipe);
    free(e->name);
    free(e);
}

/* Takes the entry, which is at that place in the list, into the sums, or out of them. */
static void count(ap_index *x, entry *e, size_t at, bool in)
{
    if (e->counted == in)
        return;
    e->counted = in;
    x->places[e->place] += in ? 1 : (size_t)-1;
    ap_tally_bytes(&x->tally, owner_of(e), in ? e->bytes : -e->bytes);
    if (in && e->place == AP_QUEUE && at < x->queued)
        x->queued = at;
}

static void forget(ap_index *x, const char *id)
{
    bool there;
    size_t i = find(&x->all, id, &there);
    if (!there)
        return;
    entry *e = x->all.items[i];
    if (!e->hook)
        x->told(e->id, owner_of(e), NULL, x->user);
    count(x, e, i, false);
    give(e, NULL);
    x->queued -= i < x->queued;
    take_out(&x->all, i);
    free_entry(e);
}

static entry *place_for(ap_index *x, const char *id)
{
    bool there;
    size_t i = find(&x->all, id, &there);
    if (there)
        return x->all.items[i];
    entry *e = calloc(1, sizeof *e);
    if (!e || !insert(&x->all, e, i)) {
        free(e);
        return NULL;
    }
    e->place = AP_TMP;
    strcpy(e->id, id);
    x->queued += i < x->queued;
    return e;
}

/* Takes over what a manifest says. false when out of memory. */
static bool fill(ap_index *x, entry *e, ap_place place, const cJSON *document)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(document, "input");
    free(e->recipe);
    free(e->name);
    give(e, owner_for(x, ap_json_string(document, "owner")));
    e->recipe = strdup(ap_json_string(document, "recipe"));
    e->name = strdup(ap_json_string(input, "name"));
    e->state = ap_view_state(document, place);
    e->place = place;
    e->created_s = ap_time_of(ap_json_string(document, "created"));
    e->bytes = ap_view_bytes(document);
    e->hook = *ap_json_string(document, "about");
    e->seen = true;
    return e->of && e->recipe && e->name;
}

/* Takes over what a manifest says, and tells of it if that is new. */
static void update(ap_index *x, const char *id, ap_place place, const cJSON *document)
{
    cJSON *view = ap_view_job(document, place);
    char *text = view ? ap_json_print(view, false) : NULL;
    entry *e = text ? place_for(x, id) : NULL;
    bool there, over = place == AP_DONE || place == AP_FAILED_JOBS;
    if (e) {
        size_t at = find(&x->all, id, &there);
        bool ended = atomic_load(&x->ready) && e->place != place && over;
        unsigned hash = (unsigned)ap_hash(AP_HASH_START, text, strlen(text));
        count(x, e, at, false);
        bool whole = fill(x, e, place, document);
        if (whole)
            count(x, e, at, true);
        if (whole && ended)
            ap_tally_end(&x->tally, document, e->state);
        if (whole && !e->hook && hash != e->hash)
            x->told(id, owner_of(e), text, x->user);
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
    size_t i = find(&x->all, id, &there);
    bool known = there && x->all.items[i]->place == place && place != AP_RUNNING;
    if (there)
        x->all.items[i]->seen = true;
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
        while (i < x->all.count && x->all.items[i]->seen)
            x->all.items[i++]->seen = false;
        bool more = i < x->all.count;
        if (more)
            strcpy(id, x->all.items[i]->id);
        pthread_mutex_unlock(&x->lock);
        if (!more)
            break;
        ap_index_look(x, id); /* marks it as seen, or forgets it */
    }
    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; i < x->all.count; i++)
        x->all.items[i]->seen = false;
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
    for (size_t i = 0; i < x->all.count; i++)
        free_entry(x->all.items[i]);
    free(x->all.items);
    for (size_t i = 0; i < x->owner_count; i++) {
        free(x->owners[i]->jobs.items);
        free(x->owners[i]);
    }
    free(x->owners);
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
    return (!q->state || strcmp(q->state, e->state) == 0) &&
           (!q->recipe || strcmp(q->recipe, e->recipe) == 0) && (!q->text || strcasestr(e->name, q->text)) &&
           (!q->active || e->place == AP_QUEUE || e->place == AP_RUNNING);
}

/* What may match, as far as the owner decides. */
static const list *list_for(const ap_index *x, const char *owner)
{
    static const list nothing;
    bool there;
    size_t i = owner ? find_owner(x, owner, &there) : 0;
    return !owner ? &x->all : there ? &x->owners[i]->jobs : &nothing;
}

size_t ap_index_list(ap_index *x, const ap_index_query *q, size_t most, char (*ids)[AP_ID_BYTES], bool *more)
{
    size_t got = 0;
    bool there;
    *more = false;
    pthread_mutex_lock(&x->lock);
    const list *l = list_for(x, q->owner);
    for (size_t i = q->before ? find(l, q->before, &there) : l->count; i-- > 0 && !*more;) {
        if (!matches(l->items[i], q))
            continue;
        if (got == most)
            *more = true;
        else
            strcpy(ids[got++], l->items[i]->id);
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
    while (x->queued < x->all.count && x->all.items[x->queued]->place != AP_QUEUE)
        x->queued++; /* it stays there: each entry is passed once */
    if (x->queued < x->all.count)
        count->oldest_queued_s = x->all.items[x->queued]->created_s;
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
