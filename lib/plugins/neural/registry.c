/* SPDX-License-Identifier: GPL-3.0-or-later
 * registry.c - from a checkpoint, or a TorchScript module with its description, to a network. */
#include "plugins/neural/registry.h"
#include "base/error.h"
#include "base/path.h"
#include "plugins/neural/nets/architectures.h"
#include "plugins/neural/segment.h"

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

/* How many chunks or segments are computed for each moment, without options. */
static double passes_of(const nn_network *n)
{
    return n->chunk_overlap ? n->chunk_overlap : 1 / (1 - NN_DEFAULT_OVERLAP);
}

bool nn_network_describe(const nn_checkpoint *c, nn_description *d)
{
    nn_network n = {0};
    const nn_architecture *a = NULL;
    for (size_t i = 0; !a && i < ARCHITECTURES; i++)
        if (architectures[i]->recognises(c))
            a = architectures[i];
    if (!a || !a->describe)
        return false;
    d->kind = a->kind;
    d->bytes += (double)c->size;
    const double cost = c->config || *c->klass ? a->describe(c, &n, NULL) : -1;
    if (cost < 0)
        return false;
    if (!d->count++)
        d->network = n;
    d->cost += cost * passes_of(&n) * n.rate / (double)n.segment_frames;
    return true;
}

void nn_description_print(const nn_description *d, char *text, size_t size)
{
    const nn_network *n = &d->network;
    const double seconds = d->count ? (double)n->segment_frames / n->rate : 0;
    size_t at = 0;
    *text = 0;
    if (d->kind && !d->count)
        snprintf(text, size, "%s, without a description that fits", d->kind);
    if (!d->count)
        return;
    if (d->count > 1)
        at = (size_t)snprintf(text, size, "%zu of ", d->count);
    at += (size_t)snprintf(text + at, size - at, "%s:", d->kind);
    for (int i = 0; i < n->stem_count && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s %s", i ? "," : "", n->stems[i]);
    if (at < size && n->chunk_overlap)
        at += (size_t)snprintf(text + at, size - at, "; chunks of %.3g s, %d at a time", seconds,
                               n->chunk_overlap);
    else if (at < size)
        at += (size_t)snprintf(text + at, size - at, "; segments of %.3g s", seconds);
    if (at < size)
        snprintf(text + at, size - at, "; %.3g MB; %.3g GFLOP per second of music", d->bytes / 1e6,
                 d->cost / 1e9);
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
