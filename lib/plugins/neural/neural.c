/* SPDX-License-Identifier: GPL-3.0-or-later
 * neural.c - the entry of the plugin: a model's name to its networks, a stream to its stems. */
#include "base/error.h"
#include "base/plugin.h"
#include "plugins/neural/files/bag.h"
#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/files/models.h"
#include "plugins/neural/nets/network.h"
#include "plugins/neural/registry.h"
#include "plugins/neural/segment.h"
#include "plugins/neural/tensor/tensor.h"
#include "stages/separate/method.h"

#include <stdlib.h>
#include <string.h>

struct ap_model {
    nn_engine *engine;
    nn_network *networks[NN_MAX_MODELS];
    size_t count;
    double weights[NN_MAX_MODELS][NN_MAX_STEMS];
};

static bool is_script(const char *path)
{
    size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".pt") == 0;
}

static nn_network *load_network(const char *path, nn_engine *engine, ap_error *err)
{
    if (is_script(path))
        return nn_network_script(path, engine, err);
    nn_checkpoint *c = nn_checkpoint_open(path, err);
    nn_network *network = c ? nn_network_new(c, engine, err) : NULL;
    nn_checkpoint_close(c);
    return network;
}

/* The networks of a bag have to agree on what goes in and out. */
static bool check_alike(const ap_model *m, const char *path, ap_error *err)
{
    const nn_network *a = m->networks[0], *b = m->networks[m->count - 1];
    bool alike = a->stem_count == b->stem_count && a->rate == b->rate && a->channels == b->channels;
    for (int i = 0; alike && i < a->stem_count; i++)
        alike = strcmp(a->stems[i], b->stems[i]) == 0;
    return alike || ap_fail(err, AP_FAILED, "'%s' has other stems than the first model of its bag", path);
}

static bool load_networks(ap_model *m, const nn_model_files *files, ap_error *err)
{
    const nn_bag *bag = &files->bag;
    for (size_t i = 0; i < bag->count; i++) {
        nn_network *n = load_network(files->paths[i], m->engine, err);
        if (!n)
            return false;
        m->networks[m->count++] = n;
        if (!check_alike(m, files->paths[i], err))
            return false;
        if (!n->whole && bag->segment_s * n->rate > (double)n->segment_frames)
            n->segment_frames = (int64_t)(bag->segment_s * n->rate);
        for (size_t stem = 0; stem < NN_MAX_STEMS; stem++)
            m->weights[i][stem] = bag->weighted ? bag->weights[i][stem] : 1;
    }
    if (bag->weighted && bag->stems != (size_t)m->networks[0]->stem_count)
        return ap_fail(err, AP_FAILED, "the bag's weights are for %zu stems, its models have %d", bag->stems,
                       m->networks[0]->stem_count);
    return true;
}

/* TorchScript needs libtorch, on the CPU as well. */
static const char *device_for(const nn_model_files *files, const char *device)
{
    bool scripted = false;
    for (size_t i = 0; i < files->bag.count; i++)
        scripted |= is_script(files->paths[i]);
    return scripted && strcmp(device, "cuda") != 0 ? "libtorch" : device;
}

static void neural_close(ap_model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->count; i++)
        nn_network_free(m->networks[i]);
    nn_engine_free(m->engine);
    free(m);
}

static ap_model *neural_open(const ap_separate_options *o, ap_error *err)
{
    nn_model_files files;
    if (!nn_models_find(o->model, &files, err))
        return NULL;
    ap_model *m = calloc(1, sizeof *m);
    if (!m)
        ap_fail_memory(err);
    bool ok = m && (m->engine = nn_engine_new(device_for(&files, o->device), (int)o->threads, err)) &&
              load_networks(m, &files, err);
    nn_models_free(&files);
    if (ok)
        return m;
    neural_close(m);
    return NULL;
}

static void neural_describe(const ap_model *m, ap_model_info *info)
{
    const nn_network *n = m->networks[0];
    *info = (ap_model_info){.rate = (uint32_t)n->rate, .channels = (uint32_t)n->channels};
    for (int i = 0; i < n->stem_count; i++)
        info->stems[info->stem_count++] = n->stems[i];
}

static ap_stream *neural_separate(ap_model *m, ap_stream *s, const ap_separate_options *o,
                                  const bool wanted[AP_MAX_STEMS], ap_error *err)
{
    return nn_separate(s, m->networks, m->count, m->weights, o, wanted, err);
}

AP_PLUGIN_EXPORT extern const ap_neural_plugin AP_PLUGIN_TABLE;
const ap_neural_plugin AP_PLUGIN_TABLE = {
    .head = {AP_NEURAL_VERSION, sizeof(ap_neural_plugin)},
    .method = {.best = nn_models_best,
               .open = neural_open,
               .close = neural_close,
               .describe = neural_describe,
               .separate = neural_separate,
               .list = nn_models_list},
};
