/* SPDX-License-Identifier: GPL-3.0-or-later
 * deliver.c - what a job made, put into an object store: its outputs, and then its manifest, which says that
 * they are complete.
 *
 * Two attempts may be at it that do not know of each other. So that neither writes over what the other has
 * said to be complete, the plain names, PREFIX/ID/NAME, are for the one that has put PREFIX/ID/.claim; any
 * other writes to a folder of its own in there, and the first manifest decides whose outputs are the job's.
 * The claim goes when a manifest is there, or when its owner gives up. That of an attempt that was killed
 * stays until then: the next writes to its own folder. */
#include "jobs/run/deliver.h"
#include "base/error.h"
#include "base/input.h"
#include "base/net.h"
#include "base/text.h"
#include "base/transfer.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define OUT "out/" /* what outputs' paths begin with */
#define CLAIM_NAME ".claim"

/* ---- signals: a half written object is given up at the store, too */

static volatile sig_atomic_t told_to_end;

static void note_signal(int number)
{
    (void)number;
    told_to_end = 1;
}

static bool go_on(ap_error *err)
{
    return !told_to_end || ap_fail(err, AP_TRY_AGAIN, "told to end");
}

static const int ends[] = {SIGTERM, SIGINT, SIGHUP};
#define ENDS (sizeof ends / sizeof *ends)

/* ---- objects */

typedef struct delivery {
    const ap_net_plugin *net;
    const ap_outputs *found;
    const char *base;       /* s3://BUCKET/PREFIX/ID/ */
    char *claim, *manifest; /* URLs */
    char folder[32];        /* of this attempt alone, below base */
    const char *apart;      /* folder, or "": the plain names are this attempt's */
} delivery;

/* Whether an object is what this attempt has put: an answer that was lost on the way is asked for again, and
 * then there is one of that name. */
static bool holds(const char *url, const char *text)
{
    const size_t size = strlen(text);
    char *there = malloc(size + 1);
    ap_input *in = there ? ap_input_open(url, NULL) : NULL;
    bool same =
        in && ap_input_read(in, there, size + 1, NULL) == (ptrdiff_t)size && memcmp(there, text, size) == 0;
    ap_input_close(in);
    free(there);
    return same;
}

/* Puts what must not be there yet. False: another attempt's is, *lost, or it failed. */
static bool put_first(const delivery *d, const char *url, const char *text, const char *type, bool *lost,
                      ap_error *err)
{
    bool there = false;
    ap_error why = {AP_OK, ""};
    *lost = false;
    if (d->net->put(url, text, strlen(text), type, true, &there, &why) || (there && holds(url, text)))
        return true;
    *lost = there;
    if (!there && err)
        *err = why;
    return false;
}

/* malloc'ed: where an output goes. */
static char *output_url(const delivery *d, const char *apart, const char *path)
{
    return strncmp(path, OUT, strlen(OUT)) == 0 ? ap_print("%s%s%s", d->base, apart, path + strlen(OUT))
                                                : NULL;
}

static bool put_output(const delivery *d, const cJSON *output, ap_error *err)
{
    char *path = ap_json_path(output, "path"), *url = path ? output_url(d, d->apart, path) : NULL;
    bool ok = url || ap_fail_memory(err);
    if (ok && strcmp(path, OUT AP_MANIFEST_NAME) == 0)
        ok = ap_fail(err, AP_FAILED, "an output cannot be delivered as '%s', the name of the record",
                     AP_MANIFEST_NAME);
    ok = ok && go_on(err) && ap_transfer_file(path, url, AP_UNKNOWN, go_on, err);
    free(path);
    free(url);
    return ok;
}

/* What no manifest names. What cannot be removed costs room, no more. */
static void remove_outputs(const delivery *d, const char *apart)
{
    const cJSON *output;
    cJSON_ArrayForEach(output, d->found->outputs)
    {
        char *path = ap_json_path(output, "path"), *url = path ? output_url(d, apart, path) : NULL;
        if (url)
            (void)d->net->remove(url, NULL);
        free(path);
        free(url);
    }
}

/* In the store outputs lie beside the manifest or below it, and there is nothing else of the job's folder. */
static bool change_paths(cJSON *document, const char *apart, ap_error *err)
{
    cJSON *output;
    bool ok = true;
    cJSON_ArrayForEach(output, cJSON_GetObjectItemCaseSensitive(document, "outputs"))
    {
        const char *path = ap_json_string(output, "path");
        char *made =
            strncmp(path, OUT, strlen(OUT)) == 0 ? ap_print("%s%s", apart, path + strlen(OUT)) : strdup(path);
        ok = ok && made && ap_json_put_text(output, "path", made);
        free(made);
    }
    return ok || ap_fail_memory(err);
}

static bool put_manifest(const delivery *d, bool *lost, ap_error *err)
{
    cJSON *document = ap_job_as_done(AP_MANIFEST_NAME, d->found, err);
    char *text = document && change_paths(document, d->apart, err) ? ap_json_print(document, true) : NULL;
    bool ok = text != NULL || (document ? ap_fail_memory(err) : false);
    *lost = false;
    ok = ok && put_first(d, d->manifest, text, "application/json", lost, err);
    free(text);
    cJSON_Delete(document);
    return ok;
}

/* ---- one attempt among others */

/* What another attempt has delivered stays as it is. */
static bool is_delivered(const delivery *d)
{
    ap_net_object object;
    return d->net->head_of(d->manifest, &object, NULL);
}

/* Whose the plain names are. */
static bool claim(delivery *d, ap_error *err)
{
    bool lost;
    bool ok = put_first(d, d->claim, d->folder, "text/plain", &lost, err);
    d->apart = ok ? "" : d->folder;
    return ok || lost;
}

static bool note_place(cJSON *document, void *user, ap_error *err)
{
    const delivery *d = user;
    char *place = ap_print("%s%s", d->base, d->apart);
    bool ok = place && ap_json_put_text(document, "delivered", place);
    free(place);
    return ok || ap_fail_memory(err);
}

static bool put_all(delivery *d, ap_error *err)
{
    const cJSON *output;
    bool lost = false, ok = true;
    cJSON_ArrayForEach(output, d->found->outputs)
    {
        ok = ok && put_output(d, output, err);
    }
    ok = ok && put_manifest(d, &lost, err);
    if (lost)
        remove_outputs(d, d->apart);
    else if (ok && *d->apart)
        remove_outputs(d, ""); /* what one that was killed has left, or is about to find itself second */
    if (ok || lost || !*d->apart)
        (void)d->net->remove(d->claim, NULL);
    return lost || (ok && ap_manifest_change(AP_MANIFEST_NAME, note_place, d, false, err));
}

static bool deliver(delivery *d, ap_error *err)
{
    uint64_t number = 0;
    (void)!getrandom(&number, sizeof number, 0);
    snprintf(d->folder, sizeof d->folder, "attempt-%016llx/", (unsigned long long)number);
    d->net = ap_net_load(err);
    d->manifest = ap_print("%s" AP_MANIFEST_NAME, d->base);
    d->claim = ap_print("%s" CLAIM_NAME, d->base);
    bool ok = d->net && ((d->manifest && d->claim) || ap_fail_memory(err));
    if (ok && !is_delivered(d) && (ok = claim(d, err))) {
        /* a claim that could be had may be one that has done its service */
        if (!*d->apart && is_delivered(d))
            (void)d->net->remove(d->claim, NULL);
        else
            ok = put_all(d, err);
    }
    free(d->manifest);
    free(d->claim);
    return ok;
}

bool ap_job_deliver(const ap_outputs *found, bool *told, ap_error *err)
{
    cJSON *document = ap_manifest_load(AP_MANIFEST_NAME, err);
    if (!document)
        return false;
    const char *to = ap_json_string(document, "to");
    char *base = *to ? ap_print("%s%s/", to, ap_json_string(document, "id")) : NULL;
    delivery d = {.found = found, .base = base};
    bool ok = !*to || base || ap_fail_memory(err);
    struct sigaction before[ENDS];
    const struct sigaction noted = {.sa_handler = note_signal};
    for (size_t i = 0; i < ENDS; i++)
        sigaction(ends[i], &noted, &before[i]);
    ok = ok && (!base || deliver(&d, err));
    for (size_t i = 0; i < ENDS; i++)
        sigaction(ends[i], &before[i], NULL);
    *told = *told || told_to_end;
    free(base);
    cJSON_Delete(document);
    return ok;
}
