/* SPDX-License-Identifier: GPL-3.0-or-later
 * published.c - what the YAML files beside the checkpoints of Music-Source-Separation-Training say of every
 * network. */
#include "plugins/neural/nets/published.h"
#include "base/error.h"

#include <fnmatch.h>
#include <string.h>

const cJSON *nn_published_section(const nn_checkpoint *c, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(c->config, name);
}

bool nn_published_integer(const nn_checkpoint *c, const char *section, const char *key, int lo, int hi,
                          int *value, ap_error *err)
{
    const cJSON *from = nn_published_section(c, section);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, key);
    if ((!item || cJSON_IsNull(item)) && (*value < lo || *value > hi))
        return ap_fail(err, AP_FAILED, "'%s' is described without '%s' (section '%s')", c->path, key,
                       section);
    if (item && !cJSON_IsNull(item) && !cJSON_IsNumber(item))
        return nn_published_refuse(c, key, err);
    return nn_json_integer(from, key, lo, hi, value, c->path, err);
}

bool nn_published_flag(const nn_checkpoint *c, const char *section, const char *key, bool *value,
                       ap_error *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(nn_published_section(c, section), key);
    if (!item || cJSON_IsNull(item))
        return true;
    *value = cJSON_IsTrue(item) || item->valuedouble != 0;
    return cJSON_IsBool(item) || cJSON_IsNumber(item) || nn_published_refuse(c, key, err);
}

/* What only training, or another implementation, looks at. */
static bool is_ignored(const char *key)
{
    static const char *const patterns[] = {
        "multi_stft_*",         "*_dropout",    "flash_attn", "sage_attention",
        "use_torch_checkpoint", "dim_freqs_in", NULL};
    for (size_t i = 0; patterns[i]; i++)
        if (fnmatch(patterns[i], key, 0) == 0)
            return true;
    return false;
}

bool nn_published_check(const nn_checkpoint *c, const char *const *known, ap_error *err)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, nn_published_section(c, "model"))
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], item->string) != 0)
            i++;
        if (!known[i] && !is_ignored(item->string) && !cJSON_IsNull(item) && !cJSON_IsFalse(item))
            return ap_fail(err, AP_FAILED,
                           "'%s' is described with the option '%.64s', which is not supported", c->path,
                           item->string);
    }
    return true;
}

bool nn_published_refuse(const nn_checkpoint *c, const char *key, ap_error *err)
{
    return ap_fail(err, AP_FAILED, "'%s' is described with a value of '%s' that is not supported", c->path,
                   key);
}

static bool add_stem(nn_network *n, const nn_checkpoint *c, const char *name, ap_error *err)
{
    if (n->stem_count == NN_MAX_SOURCES || !*name || strlen(name) >= sizeof n->stems[0] ||
        strchr(name, '/') || *name == '.')
        return ap_fail(err, AP_FAILED, "'%s' is described with a list of stems that makes no sense", c->path);
    for (int i = 0; i < n->stem_count; i++)
        if (strcmp(n->stems[i], name) == 0)
            return ap_fail(err, AP_FAILED, "'%s' is described with the stem '%s' twice", c->path, name);
    strcpy(n->stems[n->stem_count++], name);
    return true;
}

/* The target, and what is left of the mix under the name of the first other stem. */
static bool read_target(nn_network *n, const nn_checkpoint *c, const cJSON *list, const char *target,
                        ap_error *err)
{
    const char *rest = strcmp(target, "other") ? "other" : "rest";
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item) || strcmp(item->valuestring, target) == 0)
            continue;
        rest = item->valuestring;
        break;
    }
    n->outputs = 1;
    return add_stem(n, c, target, err) && add_stem(n, c, rest, err);
}

static bool read_stems(nn_network *n, const nn_checkpoint *c, ap_error *err)
{
    const cJSON *training = nn_published_section(c, "training"), *item;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(training, "instruments");
    const cJSON *target = cJSON_GetObjectItemCaseSensitive(training, "target_instrument");
    if (cJSON_IsString(target))
        return read_target(n, c, list, target->valuestring, err);
    cJSON_ArrayForEach(
        item, list) if (!add_stem(n, c, cJSON_IsString(item) ? item->valuestring : "", err)) return false;
    n->outputs = n->stem_count;
    return n->stem_count > 0 ||
           ap_fail(err, AP_FAILED, "'%s' is described without 'instruments', its stems", c->path);
}

bool nn_published_read(nn_network *n, const nn_checkpoint *c, ap_error *err)
{
    const cJSON *inference = nn_published_section(c, "inference");
    int chunk = 0;
    n->rate = 44100;
    n->channels = 2;
    n->chunk_overlap = 2;
    n->mapped = true;
    if (!c->config)
        return ap_fail(
            err, AP_FAILED,
            "'%s' needs the .yaml file that was published with it, beside it under the same name or by "
            "--config",
            c->path);
    if (!read_stems(n, c, err) ||
        !nn_published_integer(c, "audio", "sample_rate", AP_MIN_RATE, AP_MAX_RATE, &n->rate, err) ||
        !nn_published_integer(c, "inference", "num_overlap", 1, 100, &n->chunk_overlap, err))
        return false;
    const char *section = cJSON_HasObjectItem(inference, "chunk_size") ? "inference" : "audio";
    if (!nn_published_integer(c, section, "chunk_size", 1024, NN_MAX_SEGMENT_S * 48000, &chunk, err))
        return false;
    n->segment_frames = chunk;
    return nn_published_flag(c, "inference", "normalize", &n->normalize, err);
}
