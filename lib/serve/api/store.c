/* SPDX-License-Identifier: GPL-3.0-or-later
 * store.c - an object store beside the server. */
#include "serve/api/store.h"
#include "base/error.h"
#include "base/input.h"
#include "base/net.h"
#include "base/path.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "serve/api/jobs.h"
#include "serve/http/reply.h"
#include "serve/http/sign.h"
#include "serve/http/state.h"
#include "serve/kept/receive.h"
#include "serve/kept/view.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 65536

static char *upload_name(const ap_request *r, const char *id)
{
    return ap_print("%suploads/%s", r->server->options->store, id);
}

/* A signed URL, and its end. */
static char *presign(const char *name, const ap_net_presign *what, char when[32], ap_error *err)
{
    const ap_net_plugin *net = ap_net_load(err);
    ap_time_print(ap_wall_s() + what->expires_s, when);
    return net ? net->presign(name, what, err) : NULL;
}

char *ap_store_origin(const char *store, ap_error *err)
{
    char when[32], *name = ap_print("%suploads/x", store);
    const ap_net_presign what = {.method = "PUT", .expires_s = AP_SIGNED_S, .bytes = 1};
    char *url = name ? presign(name, &what, when, err) : NULL;
    char *host = url ? strstr(url, "://") : NULL;
    if (host)
        host[3 + strcspn(host + 3, "/")] = 0;
    if (!name)
        ap_fail_memory(err);
    free(name);
    return url;
}

/* ---- uploads */

char *ap_store_put_url(const ap_request *r, const char *id, uint64_t bytes, char when[32], ap_error *err)
{
    const ap_net_presign what = {.method = "PUT", .expires_s = AP_SIGNED_S, .bytes = bytes};
    char *name = upload_name(r, id), *url = name ? presign(name, &what, when, err) : NULL;
    if (!name)
        ap_fail_memory(err);
    free(name);
    return url;
}

static bool receive(ap_receiving *to, ap_input *from, ap_error *err)
{
    char *block = malloc(BLOCK);
    ptrdiff_t n = block ? 0 : (ap_fail_memory(err), -1);
    while (block && (n = ap_input_read_some(from, block, BLOCK, err)) > 0)
        ap_receive(to, block, (size_t)n);
    free(block);
    return n == 0;
}

bool ap_store_fetch(const ap_request *r, ap_upload *upload, bool *there, ap_error *err)
{
    const ap_net_plugin *net = ap_net_load(err);
    char *name = net ? upload_name(r, upload->id) : NULL;
    ap_net_object object;
    ap_receiving to = {.fd = -1};
    *there = name && net->head_of(name, &object, err);
    bool ok = *there && (object.bytes == upload->length ||
                         ap_fail(err, AP_FAILED, "it has %llu bytes, not %llu",
                                 (unsigned long long)object.bytes, (unsigned long long)upload->length));
    ap_input *from = ok ? ap_input_open(name, err) : NULL;
    ok = from && ap_receive_start(&to, &r->server->uploads, upload->id, upload->length, err) &&
         receive(&to, from, err) && ap_receive_end(&to, upload, err);
    ap_receive_drop(&to);
    ap_input_close(from);
    if (ok)
        (void)net->remove(name, NULL); /* what stays there costs room, no more */
    free(name);
    return ok;
}

/* ---- outputs */

/* Of an output as this job's own attempt has delivered it, NULL if it is not there. */
static char *stored_url(const ap_asked_job *job, const char *name, char when[32])
{
    const ap_net_plugin *net = ap_net_load(NULL);
    const char *place = ap_json_string(job->document, "delivered");
    const ap_net_presign what = {
        .method = "GET", .expires_s = AP_SIGNED_S, .bytes = AP_UNKNOWN, .filename = ap_leaf(name)};
    ap_net_object object;
    char *stored = net && *place ? ap_print("%s%s", place, name) : NULL;
    char *url = stored && net->head_of(stored, &object, NULL) ? presign(stored, &what, when, NULL) : NULL;
    free(stored);
    return url;
}

static char *own_url(const ap_request *r, const char *owner, char when[32])
{
    char *path = ap_print("/v1/jobs/%s/outputs/%s", r->id, r->name);
    char *url = path ? ap_sign_url(r, "GET", path, owner, when) : NULL;
    free(path);
    return url;
}

void ap_get_link(ap_request *r)
{
    ap_asked_job job;
    char when[32];
    if (!ap_find_job(r, &job))
        return;
    if (ap_view_find(job.document, false, r->name)) {
        char *url = stored_url(&job, r->name, when);
        if (!url)
            url = own_url(r, ap_json_string(job.document, "owner"), when);
        cJSON *answer = cJSON_CreateObject();
        if (answer && url && ap_json_put_text(answer, "url", url) &&
            ap_json_put_text(answer, "expires", when))
            ap_reply_json(r, 200, answer);
        else {
            cJSON_Delete(answer);
            ap_reply_text(r, 503, NULL, NULL, 0);
        }
        ap_reply_header(r, "Cache-Control", "no-store");
        free(url);
    } else
        ap_reply_missing(r, "output");
    ap_asked_job_free(&job);
}
