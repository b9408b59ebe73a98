/* SPDX-License-Identifier: GPL-3.0-or-later
 * network.c - from a checkpoint, or a TorchScript module with its description, to a network. */
#include "network.h"
#include "hybrid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

dm_network *dm_network_new(const dm_checkpoint *checkpoint, dm_engine *engine, ap_error *err)
{
    if (strcmp(checkpoint->klass, "HTDemucs") == 0)
        return dm_htdemucs_new(checkpoint, engine, err);
    return dm_hdemucs_new(checkpoint, engine, err);
}

void dm_network_free(dm_network *network)
{
    if (network)
        network->free(network);
}

/* ---- TorchScript */

#define MAX_DESCRIPTION 65536

typedef struct scripted {
    dm_network network;
    dm_script *script;
} scripted;

static dm_tensor *scripted_run(dm_network *network, dm_tensor *mix)
{
    return dm_script_run(mix, ((scripted *)network)->script, network->stem_count);
}

static void scripted_free(dm_network *network)
{
    dm_script_free(((scripted *)network)->script);
    free(network);
}

/* Reads NAME.json beside NAME.pt. */
static cJSON *read_description(const char *path, ap_error *err)
{
    char name[4096], *text = malloc(MAX_DESCRIPTION);
    snprintf(name, sizeof name, "%.*s.json", (int)(strrchr(path, '.') - path), path);
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

static bool describe(dm_network *n, const cJSON *json, const char *path, ap_error *err)
{
    const cJSON *stems = cJSON_GetObjectItemCaseSensitive(json, "stems"), *item;
    cJSON_ArrayForEach(item, stems)
    {
        const char *name = cJSON_IsString(item) ? item->valuestring : "";
        if (n->stem_count == DM_MAX_SOURCES || !*name || strlen(name) >= sizeof n->stems[0] ||
            strchr(name, '/'))
            return ap_fail(err, AP_FAILED, "'%s' has a list of stems that makes no sense", path);
        strcpy(n->stems[n->stem_count++], name);
    }
    double segment = dm_json_number(json, "segment", 0);
    n->rate = 44100;
    n->channels = 2;
    if (!dm_json_integer(json, "rate", AP_MIN_RATE, AP_MAX_RATE, &n->rate, path, err) ||
        !dm_json_integer(json, "channels", 1, 8, &n->channels, path, err))
        return false;
    if (!n->stem_count || !(segment >= DM_MIN_SEGMENT_S && segment <= DM_MAX_SEGMENT_S))
        return ap_fail(err, AP_FAILED, "the description of '%s' lacks stems or segment", path);
    n->segment = (int64_t)(segment * n->rate + 0.5);
    return true;
}

dm_network *dm_network_script(const char *path, dm_engine *engine, ap_error *err)
{
    cJSON *json = read_description(path, err);
    scripted *s = calloc(1, sizeof *s);
    if (!json || !s)
        goto fail;
    s->network = (dm_network){.engine = engine, .whole = true, .run = scripted_run, .free = scripted_free};
    if (!describe(&s->network, json, path, err) || !(s->script = dm_script_new(engine, path, err)))
        goto fail;
    cJSON_Delete(json);
    return &s->network;
fail:
    cJSON_Delete(json);
    free(s);
    return NULL;
}
