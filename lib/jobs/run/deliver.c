/* SPDX-License-Identifier: GPL-3.0-or-later
 * deliver.c - what a job made, put into an object store: its outputs, and then its manifest, which says that
 * they are complete. */
#include "jobs/run/deliver.h"
#include "base/error.h"
#include "base/net.h"
#include "base/text.h"
#include "base/transfer.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define OUT "out/" /* what outputs' paths begin with */

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

static bool put_output(const cJSON *output, const char *base, ap_error *err)
{
    char *path = ap_json_path(output, "path");
    const char *name = path && strncmp(path, OUT, strlen(OUT)) == 0 ? path + strlen(OUT) : NULL;
    char *url = name ? ap_print("%s%s", base, name) : NULL;
    bool ok = url || ap_fail_memory(err);
    if (ok && strcmp(name, AP_MANIFEST_NAME) == 0)
        ok = ap_fail(err, AP_FAILED, "an output cannot be delivered as '%s', the name of the record", name);
    ok = ok && go_on(err) && ap_transfer_file(path, url, AP_UNKNOWN, go_on, err);
    free(path);
    free(url);
    return ok;
}

/* In the store outputs lie beside the manifest, and there is nothing else of the job's folder. */
static bool shorten_paths(cJSON *document, ap_error *err)
{
    cJSON *output;
    bool ok = true;
    cJSON_ArrayForEach(output, cJSON_GetObjectItemCaseSensitive(document, "outputs"))
    {
        char *path = strdup(ap_json_string(output, "path"));
        ok = ok && path &&
             (strncmp(path, OUT, strlen(OUT)) != 0 || ap_json_put_text(output, "path", path + strlen(OUT)));
        free(path);
    }
    return ok || ap_fail_memory(err);
}

static bool put_manifest(const ap_net_plugin *net, const ap_outputs *found, const char *url, ap_error *err)
{
    bool there = false;
    ap_error why = {AP_OK, ""};
    cJSON *document = ap_job_as_done(AP_MANIFEST_NAME, found, err);
    char *text = document && shorten_paths(document, err) ? ap_json_print(document, true) : NULL;
    bool ok = text != NULL || (document ? ap_fail_memory(err) : false);
    ok = ok && (net->put(url, text, strlen(text), "application/json", true, &there, &why) || there);
    if (!ok && why.code != AP_OK && err)
        *err = why;
    free(text);
    cJSON_Delete(document);
    return ok;
}

/* What another attempt has delivered stays as it is. */
static bool is_delivered(const ap_net_plugin *net, const char *manifest)
{
    ap_net_object object;
    return net->head_of(manifest, &object, NULL);
}

static bool put_all(const ap_outputs *found, const char *base, ap_error *err)
{
    const ap_net_plugin *net = ap_net_load(err);
    const cJSON *output;
    char *manifest = ap_print("%s" AP_MANIFEST_NAME, base);
    bool ok = net && (manifest || ap_fail_memory(err));
    if (ok && is_delivered(net, manifest)) {
        free(manifest);
        return true;
    }
    cJSON_ArrayForEach(output, found->outputs)
    {
        ok = ok && put_output(output, base, err);
    }
    ok = ok && put_manifest(net, found, manifest, err);
    free(manifest);
    return ok;
}

bool ap_job_deliver(const ap_outputs *found, bool *told, ap_error *err)
{
    cJSON *document = ap_manifest_load(AP_MANIFEST_NAME, err);
    if (!document)
        return false;
    const char *to = ap_json_string(document, "to");
    char *base = *to ? ap_print("%s%s/", to, ap_json_string(document, "id")) : NULL;
    bool ok = !*to || base || ap_fail_memory(err);
    struct sigaction before[ENDS];
    const struct sigaction noted = {.sa_handler = note_signal};
    for (size_t i = 0; i < ENDS; i++)
        sigaction(ends[i], &noted, &before[i]);
    ok = ok && (!base || put_all(found, base, err));
    for (size_t i = 0; i < ENDS; i++)
        sigaction(ends[i], &before[i], NULL);
    *told = *told || told_to_end;
    free(base);
    cJSON_Delete(document);
    return ok;
}
