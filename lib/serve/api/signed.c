/* SPDX-License-Identifier: GPL-3.0-or-later
 * signed.c - a URL that takes one file with one PUT. */
#include "serve/api/signed.h"
#include "base/path.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "serve/api/store.h"
#include "serve/api/submit.h"
#include "serve/http/reply.h"
#include "serve/http/room.h"
#include "serve/http/sign.h"
#include "serve/http/state.h"
#include "serve/kept/receive.h"

#include <stdlib.h>
#include <string.h>

#define MOST_OF_STORE ((uint64_t)5 << 30) /* bytes of one PUT, as S3 */

/* ---- POST /v1/uploads */

char *ap_signed_put(const ap_request *r, const char *id, char when[32])
{
    char *path = ap_print("/v1/uploads/%s", id);
    char *url = path ? ap_sign_url(r, "PUT", path, r->person.owner, when) : NULL;
    free(path);
    return url;
}

static cJSON *describe(ap_request *r, const char *id, uint64_t size)
{
    char when[32];
    cJSON *answer = cJSON_CreateObject();
    const bool store = r->server->options->store && size <= MOST_OF_STORE;
    char *url = store ? ap_store_put_url(r, id, size, when, NULL) : ap_signed_put(r, id, when);
    bool ok = answer && url && ap_json_put(answer, "store", cJSON_CreateBool(store)) &&
              ap_json_put_text(answer, "id", id) && ap_json_put_text(answer, "url", url) &&
              ap_json_put_text(answer, "method", "PUT") && ap_json_put_text(answer, "expires", when);
    free(url);
    if (ok)
        return answer;
    cJSON_Delete(answer);
    return NULL;
}

void ap_signed_new(ap_request *r)
{
    cJSON *asked = r->body ? cJSON_Parse(r->body) : NULL;
    const char *name = ap_json_string(asked, "name");
    double size = ap_json_number(asked, "size", -1);
    ap_error err;
    ap_upload u = {.length = size > 0 ? (uint64_t)size : 0};
    if (!cJSON_IsObject(asked))
        ap_reply_problem(r, 400, NULL, "the body is not a JSON object");
    else if (!*name || strlen(name) > 1000)
        ap_reply_problem(r, 422, "name", "it has to be a name");
    else if (!(size >= 1 && size <= 0x1p53))
        ap_reply_problem(r, 422, "size", "it has to be a number of bytes");
    else if (ap_room_for(r, u.length)) {
        u.name = strdup(ap_leaf(name));
        strcpy(u.owner, r->person.owner);
        if (u.name)
            ap_text_one_line(u.name);
        if (u.name && ap_upload_new(&r->server->uploads, &u, &err))
            ap_reply_json(r, 201, describe(r, u.id, u.length));
        else
            ap_reply_problem(r, 503, NULL, "cannot make an upload");
    }
    ap_upload_free(&u);
    cJSON_Delete(asked);
}

/* ---- PUT */

typedef struct putting {
    ap_upload upload;
    ap_receiving in;
    bool claimed;
} putting;

void ap_signed_begin(ap_request *r)
{
    ap_error err;
    ap_uploads *uploads = &r->server->uploads;
    uint64_t announced = ap_body_announced(r);
    char owner[AP_OWNER_BYTES];
    putting *p = calloc(1, sizeof *p);
    r->state = p;
    if (!p)
        return ap_reply_text(r, 503, NULL, NULL, 0);
    p->in.fd = -1;
    if (!ap_is_signed(r, "PUT", owner))
        return ap_reply_problem(r, 403, "signature", "it is not right, or too old");
    r->person = (ap_person){.admin = false};
    strcpy(r->person.owner, owner);
    if (!ap_upload_load(uploads, r->id, &p->upload) || strcmp(p->upload.owner, owner) != 0)
        return ap_reply_missing(r, "upload");
    if (ap_upload_is_whole(&p->upload))
        return ap_reply_problem(r, 409, NULL, "the file is there already");
    if (*p->upload.job && !ap_room_for(r, announced != AP_UNKNOWN ? announced : 0))
        return;
    if (!*p->upload.job && announced != AP_UNKNOWN && announced != p->upload.length)
        return ap_reply_problem(r, 413, "Content-Length", "%llu bytes were announced",
                                (unsigned long long)p->upload.length);
    if (!(p->claimed = ap_upload_claim(uploads, r->id, r->peer)))
        return ap_reply_problem(r, 423, NULL, "another request writes to it");
    uint64_t most = *p->upload.job ? (uint64_t)r->server->options->max_bytes : p->upload.length;
    if (!ap_receive_start(&p->in, uploads, r->id, most, &err))
        ap_reply_error(r, NULL, &err);
}

void ap_signed_take(ap_request *r, const char *bytes, size_t size)
{
    putting *p = r->state;
    ap_receive(&p->in, bytes, size);
}

/* Before the answer: the client's next request for it would break a connection that still has it. */
static void release(ap_request *r, putting *p)
{
    ap_receive_drop(&p->in);
    if (p->claimed)
        ap_upload_release(&r->server->uploads, p->upload.id);
    p->claimed = false;
}

void ap_signed_finish(ap_request *r)
{
    putting *p = r->state;
    ap_error err;
    atomic_fetch_add(&r->server->metrics.upload_bytes, r->received);
    if (*p->upload.job && p->in.size == 0)
        ap_reply_problem(r, 422, NULL, "the file is empty");
    else if (!*p->upload.job && p->in.size != p->upload.length && !p->in.failed)
        ap_reply_problem(r, 422, "size", "%llu bytes were announced", (unsigned long long)p->upload.length);
    else if (!ap_receive_end(&p->in, &p->upload, &err))
        ap_reply_error(r, NULL, &err);
    else if (!p->upload.recipe || ap_submit_upload(r, &p->upload, p->upload.recipe, NULL))
        ap_reply_json(r, 200, ap_upload_describe(&r->server->uploads, &p->upload));
    release(r, p);
}

void ap_signed_drop(ap_request *r)
{
    putting *p = r->state;
    if (!p)
        return;
    release(r, p);
    ap_upload_free(&p->upload);
    free(p);
    r->state = NULL;
}

/* From the store, if it was sent there. */
static void fetch(ap_request *r, ap_upload *u)
{
    ap_error err;
    bool there;
    if (!ap_upload_claim(&r->server->uploads, u->id, r->peer))
        return ap_reply_problem(r, 423, NULL, "it is being fetched already");
    if (ap_store_fetch(r, u, &there, &err))
        ap_reply_json(r, 200, ap_upload_describe(&r->server->uploads, u));
    else if (!there && err.code == AP_FAILED)
        ap_reply_problem(r, 409, NULL, "it is not there yet");
    else
        ap_reply_error(r, NULL, &err);
    ap_upload_release(&r->server->uploads, u->id);
}

void ap_signed_complete(ap_request *r)
{
    ap_upload u;
    bool there = ap_upload_load(&r->server->uploads, r->id, &u);
    if (!there || !ap_may_see(r, u.owner))
        ap_reply_missing(r, "upload");
    else if (!ap_upload_is_whole(&u) && r->server->options->store)
        fetch(r, &u);
    else if (!ap_upload_is_whole(&u))
        ap_reply_problem(r, 409, NULL, "it is not whole: %llu of %llu bytes are there",
                         (unsigned long long)u.offset, (unsigned long long)u.length);
    else
        ap_reply_json(r, 200, ap_upload_describe(&r->server->uploads, &u));
    ap_upload_free(&u);
}
