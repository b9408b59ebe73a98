/* SPDX-License-Identifier: GPL-3.0-or-later
 * demucs.c - the entry of the plugin: a model's name to its networks, a stream to its stems. */
#include "demucs.h"
#include "models.h"
#include "segment.h"

#include <stdlib.h>
#include <string.h>

struct ap_model {
    dm_engine *engine;
    dm_network *networks[DM_MAX_MODELS];
    size_t count;
    double weights[DM_MAX_MODELS][DM_MAX_STEMS];
};

static bool is_script(const char *path)
{
    size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".pt") == 0;
}

static dm_network *load_network(const char *path, dm_engine *engine, ap_error *err)
{
    if (is_script(path))
        return dm_network_script(path, engine, err);
    dm_checkpoint *c = dm_checkpoint_open(path, err);
    dm_network *network = c ? dm_network_new(c, engine, err) : NULL;
    dm_checkpoint_close(c);
    return network;
}

/* The networks of a bag have to agree on what goes in and out. */
static bool check_alike(const ap_model *m, const char *path, ap_error *err)
{
    const dm_network *a = m->networks[0], *b = m->networks[m->count - 1];
    bool alike = a->stem_count == b->stem_count && a->rate == b->rate && a->channels == b->channels;
    for (int i = 0; alike && i < a->stem_count; i++)
        alike = strcmp(a->stems[i], b->stems[i]) == 0;
    return alike || ap_fail(err, AP_FAILED, "'%s' has other stems than the first model of its bag", path);
}

static bool load_networks(ap_model *m, const dm_model_files *files, ap_error *err)
{
    const dm_bag *bag = &files->bag;
    for (size_t i = 0; i < bag->count; i++) {
        dm_network *n = load_network(files->paths[i], m->engine, err);
        if (!n)
            return false;
        m->networks[m->count++] = n;
        if (!check_alike(m, files->paths[i], err))
            return false;
        if (!n->whole && bag->segment_s * n->rate > (double)n->segment)
            n->segment = (int64_t)(bag->segment_s * n->rate);
        for (size_t stem = 0; stem < DM_MAX_STEMS; stem++)
            m->weights[i][stem] = bag->weighted ? bag->weights[i][stem] : 1;
    }
    if (bag->weighted && bag->stems != (size_t)m->networks[0]->stem_count)
        return ap_fail(err, AP_FAILED, "the bag's weights are for %zu stems, its models have %d", bag->stems,
                       m->networks[0]->stem_count);
    return true;
}

/* TorchScript needs libtorch, on the CPU as well. */
static const char *device_for(const dm_model_files *files, const char *device)
{
    bool scripted = false;
    for (size_t i = 0; i < files->bag.count; i++)
        scripted |= is_script(files->paths[i]);
    return scripted && strcmp(device, "cuda") != 0 ? "libtorch" : device;
}

static void demucs_close(ap_model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->count; i++)
        dm_network_free(m->networks[i]);
    dm_engine_free(m->engine);
    free(m);
}

static ap_model *demucs_open(const ap_separate_options *o, ap_error *err)
{
    dm_model_files files;
    if (!dm_models_find(o->model, &files, err))
        return NULL;
    ap_model *m = calloc(1, sizeof *m);
    if (!m)
        ap_fail_memory(err);
    bool ok = m && (m->engine = dm_engine_new(device_for(&files, o->device), (int)o->threads, err)) &&
              load_networks(m, &files, err);
    dm_models_free(&files);
    if (ok)
        return m;
    demucs_close(m);
    return NULL;
}

static void demucs_describe(const ap_model *m, ap_model_info *info)
{
    const dm_network *n = m->networks[0];
    *info = (ap_model_info){.rate = (uint32_t)n->rate, .channels = (uint32_t)n->channels};
    for (int i = 0; i < n->stem_count; i++)
        info->stems[info->stem_count++] = n->stems[i];
}

static ap_stream *demucs_separate(ap_model *m, ap_stream *s, const ap_separate_options *o,
                                  const bool wanted[AP_MAX_STEMS], ap_error *err)
{
    return dm_separate(s, m->networks, m->count, m->weights, o, wanted, err);
}

const ap_method *ap_demucs_method(void)
{
    static const ap_method method = {AP_METHOD_VERSION, dm_models_best,  demucs_open,   demucs_close,
                                     demucs_describe,   demucs_separate, dm_models_list};
    return &method;
}
