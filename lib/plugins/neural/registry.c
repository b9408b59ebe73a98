/* SPDX-License-Identifier: GPL-3.0-or-later
 * registry.c - from a checkpoint, or a TorchScript module with its description, to a network. */
#include "plugins/neural/registry.h"
#include "base/error.h"
#include "base/path.h"
#include "plugins/neural/nets/architectures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS(name) &name,
static const nn_architecture *const architectures[] = {NN_ARCHITECTURES(ADDRESS)};
#define ARCHITECTURES (sizeof architectures / sizeof *architectures)

nn_network *nn_network_new(const nn_checkpoint *checkpoint, nn_engine *engine, ap_error *err)
{
    for (size_t i = 0; i < ARCHITECTURES; i++)
        if (architectures[i]->recognises(checkpoint))
            return architectures[i]->open(checkpoint, engine, err);
    if (*checkpoint->klass)
        ap_fail(err, AP_FAILED, "'%s' holds a '%.64s', which is not a supported model", checkpoint->path,
                checkpoint->klass);
    else
        ap_fail(err, AP_FAILED, "'%s' has the tensors of no model that is supported (its first is '%.64s')",
                checkpoint->path, checkpoint->count ? checkpoint->tensors[0].name : "");
    return NULL;
}

static void print_description(const nn_checkpoint *c, const char *kind, const nn_network *n, double cost,
                              char *text, size_t size)
{
    const double seconds = (double)n->segment_frames / n->rate;
    size_t at = (size_t)snprintf(text, size, "%s:", kind);
    for (int i = 0; i < n->stem_count && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s %s", i ? "," : "", n->stems[i]);
    if (at < size && !n->chunk_overlap)
        snprintf(text + at, size - at, "; segments of %.3g s; %.3g MB", seconds, (double)c->size / 1e6);
    else if (at < size)
        snprintf(text + at, size - at,
                 "; chunks of %.3g s, %d at a time; %.3g MB; %.3g GFLOP per second of music", seconds,
                 n->chunk_overlap, (double)c->size / 1e6, cost / 1e9 * n->chunk_overlap / seconds);
}

void nn_network_describe(const nn_checkpoint *checkpoint, char *text, size_t size)
{
    nn_network n = {0};
    *text = 0;
    for (size_t i = 0; i < ARCHITECTURES; i++) {
        const nn_architecture *a = architectures[i];
        if (!a->recognises(checkpoint))
            continue;
        const double cost = a->describe && (checkpoint->config || *checkpoint->klass)
                                ? a->describe(checkpoint, &n, NULL)
                                : -1;
        if (cost >= 0)
            print_description(checkpoint, a->kind, &n, cost, text, size);
        else if (a->describe)
            snprintf(text, size, "%s, without a description that fits", a->kind);
        return;
    }
}

void nn_network_free(nn_network *network)
{
    if (network)
        network->free(network);
}

/* ---- TorchScript */

#define MAX_DESCRIPTION 65536

typedef struct scripted {
    nn_network network;
    nn_script *script;
} scripted;

static nn_tensor *scripted_run(nn_network *network, nn_tensor *mix)
{
    return nn_script_run(mix, ((scripted *)network)->script, network->stem_count);
}

static void scripted_free(nn_network *network)
{
    nn_script_free(((scripted *)network)->script);
    free(network);
}

/* Reads NAME.json beside NAME.pt. */
static cJSON *read_description(const char *path, ap_error *err)
{
    char name[4096], *text = malloc(MAX_DESCRIPTION);
    snprintf(name, sizeof name, "%.*s.json", ap_stem_length(path), path);
    FILE *file = text ? fopen(name, "rbe") : NULL;
    size_t n = file ? fread(text, 1, MAX_DESCRIPTION, file) : 0;
    cJSON *json = n ? cJSON_ParseWithLength(text, n) : NULL;
    if (!file)
        ap_fail(err, AP_FAILED,
                "'%s' needs '%s' beside it: {\"stems\": [...], \"rate\": 44100, \"channels\": 2, "
                "\"segment\": seconds}",
                path, name);
    else if (!json)
        ap_fail(err, AP_FAILED, "'%s' is not JSON", name);
    if (file)
        fclose(file);
    free(text);
    return json;
}

static bool describe(nn_network *n, const cJSON *json, const char *path, ap_error *err)
{
    const cJSON *stems = cJSON_GetObjectItemCaseSensitive(json, "stems"), *item;
    cJSON_ArrayForEach(item, stems)
    {
        const char *name = cJSON_IsString(item) ? item->valuestring : "";
        if (n->stem_count == NN_MAX_SOURCES || !*name || strlen(name) >= sizeof n->stems[0] ||
            strchr(name, '/'))
            return ap_fail(err, AP_FAILED, "'%s' has a list of stems that makes no sense", path);
        strcpy(n->stems[n->stem_count++], name);
    }
    double segment_s = nn_json_number(json, "segment", 0);
    n->rate = 44100;
    n->channels = 2;
    if (!nn_json_integer(json, "rate", AP_MIN_RATE, AP_MAX_RATE, &n->rate, path, err) ||
        !nn_json_integer(json, "channels", 1, 8, &n->channels, path, err))
        return false;
    if (!n->stem_count || !(segment_s >= NN_MIN_SEGMENT_S && segment_s <= NN_MAX_SEGMENT_S))
        return ap_fail(err, AP_FAILED, "the description of '%s' lacks stems or segment", path);
    n->segment_frames = (int64_t)(segment_s * n->rate + 0.5);
    return true;
}

nn_network *nn_network_script(const char *path, nn_engine *engine, ap_error *err)
{
    cJSON *json = read_description(path, err);
    scripted *s = calloc(1, sizeof *s);
    if (!json || !s)
        goto fail;
    s->network = (nn_network){.engine = engine, .whole = true, .run = scripted_run, .free = scripted_free};
    if (!describe(&s->network, json, path, err) || !(s->script = nn_script_new(engine, path, err)))
        goto fail;
    cJSON_Delete(json);
    return &s->network;
fail:
    cJSON_Delete(json);
    free(s);
    return NULL;
}
