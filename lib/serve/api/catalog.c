/* SPDX-License-Identifier: GPL-3.0-or-later
 * catalog.c - what can be done here, and within which limits. */
#include "serve/api/catalog.h"
#include "jobs/record/json.h"
#include "jobs/run/recipe.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- settings */

/* A pattern that is a list of words: hrtf|pan. */
static bool is_choice(const char *pattern)
{
    return strchr(pattern, '|') && !pattern[strspn(pattern, "abcdefghijklmnopqrstuvwxyz"
                                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_|-")];
}

/* A pattern of digits only: [0-9.]+, -[0-9.]+, [0-9]+. */
static bool is_number(const char *pattern)
{
    return strstr(pattern, "[0-9") && !pattern[strspn(pattern, "[]0-9.+\\")];
}

static cJSON *words_of(const char *pattern)
{
    cJSON *list = cJSON_CreateArray();
    bool ok = list;
    for (const char *p = pattern; ok && *p; p += strspn(p, "|")) {
        size_t n = strcspn(p, "|");
        char *word = strndup(p, n);
        cJSON *item = word ? cJSON_CreateString(word) : NULL;
        ok = item && cJSON_AddItemToArray(list, item);
        free(word);
        p += n;
    }
    if (ok)
        return list;
    cJSON_Delete(list);
    return NULL;
}

/* Recipes name the unit in their help, if at all. */
static const char *unit_of(const char *help)
{
    static const char *const units[] = {"seconds", "LUFS", "dBTP", "kbit/s", "dB", "Hz"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strstr(help, units[i]))
            return units[i];
    return NULL;
}

static cJSON *view_setting(const ap_recipe_option *o)
{
    cJSON *view = cJSON_CreateObject();
    bool choice = is_choice(o->pattern), number = !choice && is_number(o->pattern);
    bool positive = number && *o->pattern != '-', negative = number && *o->pattern == '-';
    if (view && ap_json_put_text(view, "name", o->key) &&
        ap_json_put_text(view, "type",
                         choice   ? "choice"
                         : number ? "number"
                                  : "text") &&
        ap_json_put_text(view, "unit", unit_of(o->help)) &&
        ap_json_put(view, "min", positive ? cJSON_CreateNumber(0) : cJSON_CreateNull()) &&
        ap_json_put(view, "max", negative ? cJSON_CreateNumber(0) : cJSON_CreateNull()) &&
        ap_json_put_text(view, "default", o->value) && ap_json_put_text(view, "help", o->help) &&
        ap_json_put_text(view, "pattern", o->pattern) &&
        (!choice || ap_json_put(view, "choices", words_of(o->pattern))))
        return view;
    cJSON_Delete(view);
    return NULL;
}

/* ---- recipes */

typedef struct listing {
    cJSON *list;
    bool whole;
} listing;

/* What cannot be used here is left out: a recipe that cannot be read, or whose commands are missing. */
static void add_recipe(const char *name, const ap_recipe *recipe, const ap_error *problem, void *user)
{
    listing *l = user;
    (void)problem;
    char *missing = recipe ? ap_recipe_missing(recipe) : NULL;
    bool usable = missing && !*missing;
    free(missing);
    if (!usable)
        return;
    cJSON *view = cJSON_CreateObject(), *settings = view ? cJSON_AddArrayToObject(view, "settings") : NULL;
    bool ok = settings && cJSON_AddItemToArray(l->list, view);
    if (!ok)
        cJSON_Delete(view);
    ok = ok && ap_json_put_text(view, "name", name) && ap_json_put_text(view, "title", recipe->summary) &&
         ap_json_put_text(view, "accepts", recipe->accept) &&
         ap_json_put(view, "many", cJSON_CreateBool(recipe->together));
    for (size_t i = 0; ok && i < recipe->count; i++) {
        cJSON *setting = view_setting(&recipe->options[i]);
        ok = setting && cJSON_AddItemToArray(settings, setting);
    }
    l->whole = l->whole && ok;
}

void ap_get_recipes(ap_request *r)
{
    cJSON *answer = cJSON_CreateObject();
    listing l = {answer ? cJSON_AddArrayToObject(answer, "recipes") : NULL, true};
    ap_error err;
    if (!l.list || !ap_recipe_list(r->server->options->work.recipes, add_recipe, &l, &err) || !l.whole) {
        cJSON_Delete(answer);
        answer = NULL;
    }
    ap_reply_json(r, 200, answer);
}

/* ---- limits */

void ap_get_config(ap_request *r)
{
    static const char *const formats[] = {"mp3", "flac", "wav", "aiff", "ogg", "opus", "m4a", "mp4",
                                          "mkv", "webm", "au",  "jpg",  "png", "webp", "zip"};
    const ap_serve_options *o = r->server->options;
    cJSON *answer = cJSON_CreateObject(), *list = answer ? cJSON_AddArrayToObject(answer, "formats") : NULL;
    cJSON *limits = answer ? cJSON_AddObjectToObject(answer, "limits") : NULL;
    bool ok = list && limits && ap_json_put_text(answer, "version", AP_VERSION) &&
              ap_json_put_text(answer, "owner", r->person.owner) &&
              ap_json_put(answer, "admin", cJSON_CreateBool(r->person.admin)) &&
              ap_json_put(answer, "store", cJSON_CreateBool(o->store != NULL)) &&
              ap_json_put(answer, "sign_in", cJSON_CreateBool(!o->open)) &&
              ap_json_put_number(limits, "size", o->max_bytes) &&
              ap_json_put_number(limits, "duration", o->max_seconds) &&
              ap_json_put_number(limits, "quota", o->quota_bytes) &&
              ap_json_put_number(limits, "keep", o->keep_s) && ap_json_put_number(limits, "rate", o->rate);
    for (size_t i = 0; ok && i < sizeof formats / sizeof *formats; i++)
        ok = cJSON_AddItemToArray(list, cJSON_CreateString(formats[i]));
    if (!ok) {
        cJSON_Delete(answer);
        answer = NULL;
    }
    ap_reply_json(r, 200, answer);
}
