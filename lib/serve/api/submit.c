/* SPDX-License-Identifier: GPL-3.0-or-later
 * submit.c - uploads become jobs: {"recipe":"8d","files":["ID",...],"settings":{"period":10}}.
 *
 * HOME/keys/HASH holds what an Idempotency-Key was used for, and the ID of the job. It is written before the
 * job is made, so after a kill between the two the next request with the key sees whether the job exists. */
#include "serve/api/submit.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/record/sha256.h"
#include "jobs/run/recipe.h"
#include "jobs/spool/intake.h"
#include "jobs/spool/names.h"
#include "serve/api/jobs.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_FILES 1000
#define MOST_SETTINGS AP_RECIPE_OPTIONS

/* A job that is asked for. */
typedef struct order {
    ap_request *request;
    cJSON *asked;
    ap_recipe recipe;
    char *settings[MOST_SETTINGS + 1]; /* KEY=VALUE */
    char *stage;                       /* a folder in which the files have their names */
    char **paths;
    char *name; /* of the only file */
    int count;
    char *notify;       /* hooks; NULL: the server's */
    const char *wanted; /* the ID it is to have; NULL: any */
} order;

/* ---- what is asked */

/* A value as recipes know it; malloc'ed. */
static char *setting_text(const char *key, const cJSON *value)
{
    char *text = cJSON_IsString(value) || cJSON_IsNumber(value) || cJSON_IsBool(value)
                     ? (cJSON_IsString(value) ? strdup(value->valuestring) : ap_json_print(value, false))
                     : NULL;
    char *setting = text && strlen(key) < 200 ? ap_print("%s=%s", key, text) : NULL;
    free(text);
    return setting;
}

static bool read_settings(order *o)
{
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(o->asked, "settings"), *value;
    size_t n = 0;
    ap_error err;
    if (settings && !cJSON_IsObject(settings))
        return ap_reply_problem(o->request, 422, "settings", "it is not an object"), false;
    cJSON_ArrayForEach(value, settings)
    {
        char field[256];
        snprintf(field, sizeof field, "settings.%.200s", value->string);
        char *setting = n < MOST_SETTINGS ? setting_text(value->string, value) : NULL;
        if (!setting)
            return ap_reply_problem(o->request, 422, field, "it is no text or number"), false;
        o->settings[n++] = setting;
        if (!ap_recipe_set(&o->recipe, value->string, strchr(setting, '=') + 1, &err))
            return ap_reply_problem(o->request, 422, field, "%s", err.message), false;
    }
    return true;
}

static bool read_recipe(order *o)
{
    const cJSON *recipe = cJSON_GetObjectItemCaseSensitive(o->asked, "recipe");
    const char *name = cJSON_GetStringValue(recipe);
    ap_error err;
    if (!name)
        return ap_reply_problem(o->request, 422, "recipe", "it has to be the name of a recipe"), false;
    if (!ap_recipe_find(&o->recipe, o->request->server->options->work.recipes, name, &err))
        return ap_reply_problem(o->request, 422, "recipe", "%s", err.message), false;
    return read_settings(o);
}

/* Gives an upload its name in a folder of its own: SPOOL/.serve/stage/X/NUMBER/NAME. */
static bool stage_upload(order *o, const ap_upload *u, ap_error *err)
{
    ap_uploads *uploads = &o->request->server->uploads;
    char *source = ap_upload_path(uploads, u->id, ""), *safe = ap_safe_name(u->name, 0);
    char *folder = ap_print("%s/%d", o->stage, o->count);
    char *path = safe && folder ? ap_print("%s/%s", folder, safe) : NULL;
    bool ok = (source && path) || ap_fail_memory(err);
    ok = ok && ap_make_folder(folder, err);
    if (ok && link(source, path) != 0)
        ok = ap_fail_errno(err, errno, "cannot take '%s'", u->name);
    free(source);
    free(safe);
    free(folder);
    if (ok)
        o->paths[o->count++] = path;
    else
        free(path);
    return ok;
}

static bool read_file(order *o, const cJSON *item, int number)
{
    const char *id = cJSON_GetStringValue(item);
    ap_request *r = o->request;
    ap_upload u = {.partial = false};
    ap_error err;
    char field[32];
    snprintf(field, sizeof field, "files[%d]", number);
    bool ok = false;
    if (!id || !ap_upload_load(&r->server->uploads, id, &u) || !ap_may_see(r, u.owner))
        ap_reply_problem(r, 422, field, "there is no such file");
    else if (u.partial || !ap_upload_is_whole(&u))
        ap_reply_problem(r, 422, field, "'%s' is not whole", u.name);
    else if (!stage_upload(o, &u, &err))
        ap_reply_error(r, field, &err);
    else
        ok = o->name || (o->name = strdup(u.name));
    ap_upload_free(&u);
    return ok;
}

static bool read_files(order *o)
{
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(o->asked, "files"), *item;
    ap_request *r = o->request;
    int number = 0, count = cJSON_IsArray(files) ? cJSON_GetArraySize(files) : 0;
    char hex[33];
    ap_error err;
    if (count < 1 || count > MOST_FILES)
        return ap_reply_problem(r, 422, "files", "it has to be a list of the IDs of uploads"), false;
    if (count > 1 && !o->recipe.together)
        return ap_reply_problem(r, 422, "files", "this recipe takes one file"), false;
    o->paths = calloc((size_t)count, sizeof *o->paths);
    o->stage = ap_random_hex(hex) ? ap_print("%s/stage/%s", r->server->home, hex) : NULL;
    if (!o->paths || !o->stage || !ap_make_folder(o->stage, &err))
        return ap_reply_problem(r, 503, NULL, "cannot make a folder"), false;
    cJSON_ArrayForEach(item, files)
    {
        if (!read_file(o, item, number++))
            return false;
    }
    return true;
}

/* "notify": the name of a hook, or a list of names, which may be empty. */
static bool read_notify(order *o)
{
    const cJSON *notify = cJSON_GetObjectItemCaseSensitive(o->asked, "notify"), *item;
    ap_request *r = o->request;
    ap_error err;
    if (!notify || cJSON_IsNull(notify))
        return true;
    bool ok = cJSON_IsString(notify) || cJSON_IsArray(notify);
    o->notify = ok ? strdup(cJSON_IsString(notify) ? notify->valuestring : "") : NULL;
    cJSON_ArrayForEach(item, notify)
    {
        char *more =
            o->notify && cJSON_IsString(item) ? ap_print("%s %s", o->notify, item->valuestring) : NULL;
        free(o->notify);
        o->notify = more;
    }
    if (!o->notify)
        return ap_reply_problem(r, 422, "notify", "it is not the name of a hook, or a list of names"), false;
    if (!ap_hooks_there(r->server->options->work.hooks, o->notify, &err))
        return ap_reply_problem(r, 422, "notify", "%s", err.message), false;
    return true;
}

/* ---- the job */

/* The paths in a message are ours: what was sent has a name. */
static void hide_paths(const order *o, char *message)
{
    for (char *p; (p = strstr(message, o->stage));) {
        char *name = p + strlen(o->stage) + 1;
        name += strcspn(name, "/'");
        name += *name == '/';
        memmove(p, name, strlen(name) + 1);
    }
}

static bool make_job(order *o, char id[AP_ID_BYTES])
{
    ap_request *r = o->request;
    const ap_serve_options *options = r->server->options;
    bool duplicate;
    ap_error err;
    char *to = options->store ? ap_print("%sjobs/", options->store) : NULL;
    const ap_intake_options intake = {.spool = options->work.spool,
                                      .recipe = ap_json_string(o->asked, "recipe"),
                                      .recipe_file = o->recipe.file,
                                      .accept = o->recipe.accept,
                                      .needs = o->recipe.needs,
                                      .to = to,
                                      .owner = r->person.owner,
                                      .name = o->recipe.together ? NULL : o->name,
                                      .settings = o->settings,
                                      .notify = o->notify ? o->notify : options->notify,
                                      .max_bytes = options->max_bytes,
                                      .max_seconds = options->max_seconds,
                                      .min_free_bytes = options->min_free_bytes,
                                      .together = o->recipe.together,
                                      .force = true,
                                      .id = o->wanted,
                                      .link = true};
    bool ok = (!options->store || to || ap_fail_memory(&err)) &&
              ap_job_submit(&intake, o->paths, o->count, id, &duplicate, &err);
    free(to);
    if (ok)
        return true;
    hide_paths(o, err.message);
    ap_reply_error(r, "files", &err);
    return false;
}

static void free_order(order *o)
{
    if (o->stage)
        ap_remove_tree(o->stage);
    for (int i = 0; i < o->count; i++)
        free(o->paths[i]);
    for (char **s = o->settings; *s; s++)
        free(*s);
    free(o->paths);
    free(o->stage);
    free(o->name);
    free(o->notify);
    ap_recipe_free(&o->recipe);
}

bool ap_submit(ap_request *r, cJSON *asked, const char *wanted, char id[AP_ID_BYTES])
{
    order o = {.request = r, .asked = asked, .wanted = wanted};
    bool ok = read_recipe(&o) && read_notify(&o) && read_files(&o) && make_job(&o, id);
    free_order(&o);
    if (ok)
        ap_index_look(r->server->index, id);
    return ok;
}

bool ap_submit_upload(ap_request *r, const ap_upload *u, const char *recipe, const char *format)
{
    char id[AP_ID_BYTES];
    cJSON *asked = cJSON_CreateObject(), *files = asked ? cJSON_AddArrayToObject(asked, "files") : NULL;
    cJSON *settings = asked && format ? cJSON_AddObjectToObject(asked, "settings") : NULL;
    bool ok = files && ap_json_put_text(asked, "recipe", recipe) &&
              cJSON_AddItemToArray(files, cJSON_CreateString(u->id)) &&
              (!format || ap_json_put_text(settings, "format", format));
    if (ok)
        ok = ap_submit(r, asked, *u->job ? u->job : NULL, id);
    else
        ap_reply_text(r, 503, NULL, NULL, 0);
    cJSON_Delete(asked);
    if (ok)
        strcpy(r->id, id);
    return ok;
}

/* ---- once only */

/* The file of a key, locked; -1 on failure. */
static int open_key(const ap_request *r, const char *key)
{
    char hex[AP_SHA256_HEX], *text = ap_print("%s\n%s", r->person.owner, key);
    if (text)
        ap_sha256_text(text, hex);
    char *path = text ? ap_print("%s/keys/%s", r->server->home, hex) : NULL;
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR)
        ;
    free(text);
    free(path);
    return fd;
}

/* Gives the key a job: the hash of the request, and the ID that the job will have. */
static bool note_key(int fd, const char *hex, char id[AP_ID_BYTES])
{
    ap_new_id(id);
    size_t n = strlen(id);
    return ftruncate(fd, 0) == 0 && pwrite(fd, hex, AP_SHA256_HEX - 1, 0) == AP_SHA256_HEX - 1 &&
           pwrite(fd, id, n, AP_SHA256_HEX - 1) == (ssize_t)n && fsync(fd) == 0;
}

static bool submit_once(ap_request *r, cJSON *asked, const char *key, char id[AP_ID_BYTES])
{
    char hex[AP_SHA256_HEX], had[AP_SHA256_HEX + AP_ID_BYTES];
    ap_place place;
    int fd = open_key(r, key);
    if (fd < 0)
        return ap_reply_problem(r, 503, NULL, "cannot keep the key"), false;
    ap_sha256_text(r->body, hex);
    ssize_t n = pread(fd, had, sizeof had - 1, 0);
    had[n > 0 ? n : 0] = 0;
    bool known = n >= AP_SHA256_HEX, ok = true;
    bool there = known && ap_job_find(r->server->options->work.spool, had + AP_SHA256_HEX - 1, &place);
    if (there && strncmp(had, hex, AP_SHA256_HEX - 1) != 0)
        ok = (ap_reply_problem(r, 422, "Idempotency-Key", "it was used for something else"), false);
    else if (there)
        strcpy(id, had + AP_SHA256_HEX - 1);
    else if (!note_key(fd, hex, id))
        ok = (ap_reply_problem(r, 503, NULL, "cannot keep the key"), false);
    else
        ok = ap_submit(r, asked, id, id);
    close(fd);
    return ok;
}

void ap_submit_job(ap_request *r)
{
    cJSON *asked = r->body ? cJSON_Parse(r->body) : NULL;
    const char *key = ap_header(r, "Idempotency-Key");
    char id[AP_ID_BYTES];
    bool ok = false;
    if (!cJSON_IsObject(asked))
        ap_reply_problem(r, 400, NULL, "the body is not a JSON object");
    else if (key && (!*key || strlen(key) > 255))
        ap_reply_problem(r, 400, "Idempotency-Key", "it has no characters, or more than 255");
    else
        ok = key ? submit_once(r, asked, key, id) : ap_submit(r, asked, NULL, id);
    cJSON_Delete(asked);
    if (!ok)
        return;
    ap_reply_job(r, 201, id);
    char *base = ap_base_url(r), *location = base ? ap_print("%s/v1/jobs/%s", base, id) : NULL;
    ap_reply_header(r, "Location", location);
    free(base);
    free(location);
}
