/* SPDX-License-Identifier: GPL-3.0-or-later
 * form.c - files from HTML forms and curl -F. The HTTP library takes the form apart as it comes. */
#include "serve/api/form.h"
#include "base/error.h"
#include "base/path.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "serve/api/tus.h"
#include "serve/http/reply.h"
#include "serve/http/room.h"
#include "serve/http/state.h"
#include "serve/kept/receive.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST_FILES 100
#define PARSER_BYTES 4096

typedef struct form {
    ap_request *request;
    struct MHD_PostProcessor *parser;
    ap_upload upload; /* of the file that comes now; id "": none */
    ap_receiving in;
    cJSON *files;
    char recipe[64]; /* the field of that name */
    ap_error err;    /* AP_OK: all is well */
    bool broken;     /* not a form, or cut */
} form;

bool ap_is_form(const ap_request *r)
{
    const char *type = ap_header(r, "Content-Type");
    return type && strncasecmp(type, "multipart/form-data", 19) == 0;
}

static void end_file(form *f)
{
    ap_uploads *uploads = &f->request->server->uploads;
    if (!*f->upload.id)
        return;
    cJSON *file = NULL;
    if (f->err.code == AP_OK && f->in.size == 0)
        ap_fail(&f->err, AP_FAILED, "'%s' is empty", f->upload.name);
    if (f->err.code == AP_OK && ap_receive_end(&f->in, &f->upload, &f->err) &&
        !((file = ap_upload_describe(uploads, &f->upload)) && cJSON_AddItemToArray(f->files, file)))
        ap_fail_memory(&f->err);
    ap_receive_drop(&f->in);
    if (!file)
        ap_upload_remove(uploads, f->upload.id);
    ap_upload_free(&f->upload);
    *f->upload.id = 0;
}

static void start_file(form *f, const char *name)
{
    ap_request *r = f->request;
    uint64_t most = (uint64_t)r->server->options->max_bytes;
    if (cJSON_GetArraySize(f->files) == MOST_FILES) {
        ap_fail(&f->err, AP_FAILED, "there are more than %d files", MOST_FILES);
        return;
    }
    name = ap_leaf(name);
    f->upload = (ap_upload){.length = 1, .name = ap_to_utf8(*name ? name : "upload")};
    strcpy(f->upload.owner, r->person.owner);
    if (!f->upload.name)
        ap_fail_memory(&f->err);
    else {
        ap_text_one_line(f->upload.name);
        if (ap_upload_new(&r->server->uploads, &f->upload, &f->err) &&
            ap_receive_start(&f->in, &r->server->uploads, f->upload.id, most, &f->err))
            return;
    }
    ap_upload_free(&f->upload);
}

static enum MHD_Result see_part(void *cls, enum MHD_ValueKind kind, const char *key, const char *filename,
                                const char *type, const char *encoding, const char *data, uint64_t offset,
                                size_t size)
{
    form *f = cls;
    (void)kind;
    (void)type;
    (void)encoding;
    if (!key)
        return MHD_YES; /* a part without a name */
    if (strcmp(key, "recipe") == 0 && !filename && offset + size < sizeof f->recipe)
        memcpy(f->recipe + offset, data, size); /* what follows is zero */
    if (strcmp(key, "file") != 0 || !filename || f->err.code != AP_OK)
        return MHD_YES; /* other fields of the form say nothing to us */
    if (offset == 0) {
        end_file(f);
        start_file(f, filename);
    }
    if (f->err.code == AP_OK && *f->upload.id)
        ap_receive(&f->in, data, size);
    return MHD_YES;
}

static void begin_form(ap_request *r)
{
    form *f = calloc(1, sizeof *f);
    uint64_t announced = ap_body_announced(r);
    r->state = f;
    if (!f)
        return ap_reply_text(r, 503, NULL, NULL, 0);
    f->request = r;
    f->in.fd = -1;
    f->files = cJSON_CreateArray();
    if (announced != AP_UNKNOWN && !ap_room_for(r, announced))
        return;
    f->parser = MHD_create_post_processor(r->connection, PARSER_BYTES, see_part, f);
    if (!f->parser)
        ap_reply_problem(r, 400, "Content-Type", "the form has no boundary");
}

static void take_form(form *f, const char *bytes, size_t size)
{
    if (!f->broken && MHD_post_process(f->parser, bytes, size) != MHD_YES)
        f->broken = true;
}

cJSON *ap_form_end(ap_request *r, char recipe[64])
{
    form *f = r->state;
    if (MHD_destroy_post_processor(f->parser) != MHD_YES)
        f->broken = true;
    f->parser = NULL;
    end_file(f);
    atomic_fetch_add(&r->server->metrics.upload_bytes, r->received);
    strcpy(recipe, f->recipe);
    cJSON *files = f->files;
    if (f->broken)
        ap_reply_problem(r, 400, NULL, "this is not a whole form");
    else if (f->err.code != AP_OK)
        ap_reply_error(r, "file", &f->err);
    else if (cJSON_GetArraySize(files) == 0)
        ap_reply_problem(r, 422, "file", "there is no field 'file' with a file");
    else {
        f->files = NULL;
        return files;
    }
    return NULL;
}

static void finish_form(ap_request *r)
{
    char recipe[64];
    cJSON *files = ap_form_end(r, recipe), *document = files ? cJSON_CreateObject() : NULL;
    if (!files)
        return;
    if (document)
        ap_json_put(document, "files", files);
    else
        cJSON_Delete(files);
    ap_reply_json(r, 201, document);
}

static void drop_form(ap_request *r, form *f)
{
    if (f->parser)
        MHD_destroy_post_processor(f->parser);
    if (*f->upload.id) {
        ap_receive_drop(&f->in);
        ap_upload_remove(&r->server->uploads, f->upload.id);
        ap_upload_free(&f->upload);
    }
    cJSON_Delete(f->files);
    free(f);
    r->state = NULL;
}

/* ---- POST /v1/files */

void ap_files_begin(ap_request *r)
{
    if (ap_is_form(r))
        begin_form(r);
    else
        ap_tus_begin_create(r);
}

void ap_files_take(ap_request *r, const char *bytes, size_t size)
{
    if (ap_is_form(r))
        take_form(r->state, bytes, size);
    else
        ap_tus_take(r, bytes, size);
}

void ap_files_finish(ap_request *r)
{
    if (ap_is_form(r))
        finish_form(r);
    else
        ap_tus_finish(r);
}

void ap_files_drop(ap_request *r)
{
    if (!r->state)
        return;
    if (ap_is_form(r))
        drop_form(r, r->state);
    else
        ap_tus_drop(r);
}
