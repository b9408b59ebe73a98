/* SPDX-License-Identifier: GPL-3.0-or-later
 * neural.c - the entry of the plugin: a model's name to its networks, a stream to its stems. */
#include "base/error.h"
#include "base/plugin.h"
#include "plugins/neural/demix.h"
#include "plugins/neural/files/bag.h"
#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/files/models.h"
#include "plugins/neural/files/yaml.h"
#include "plugins/neural/kept.h"
#include "plugins/neural/nets/network.h"
#include "plugins/neural/registry.h"
#include "plugins/neural/segment.h"
#include "plugins/neural/tensor/tensor.h"
#include "stages/separate/method.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ap_model {
    nn_engine *engine;
    nn_network *networks[NN_MAX_MODELS];
    nn_checkpoint *checkpoints[NN_MAX_MODELS]; /* of those that read their weights there; NULL: others */
    size_t count;
    double weights[NN_MAX_MODELS][NN_MAX_STEMS];
    nn_model_files files;
    char identity[(NN_MAX_MODELS + 1) * 24]; /* of the files; "" until somebody asks */
};

static bool is_script(const char *path)
{
    size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".pt") == 0;
}

/* The network of a checkpoint, which stays open in *kept if the network reads it. */
static nn_network *load_checkpoint(const char *path, const char *config, nn_engine *engine,
                                   nn_checkpoint **kept, ap_error *err)
{
    const bool trusted = nn_checkpoint_was_intact(path);
    nn_checkpoint *c = trusted ? nn_checkpoint_open_trusted(path, err) : nn_checkpoint_open(path, err);
    bool ok = c != NULL;
    if (ok && config)
        ok = (c->config = nn_yaml_read(config, err)) != NULL;
    nn_network *network = ok ? nn_network_new(c, engine, err) : NULL;
    if (network && !trusted)
        nn_checkpoint_is_intact(c);
    *kept = network && network->mapped ? c : NULL;
    if (!*kept)
        nn_checkpoint_close(c);
    return network;
}

/* The networks of a bag have to agree on what goes in and out. */
static bool check_alike(const ap_model *m, const char *path, ap_error *err)
{
    const nn_network *a = m->networks[0], *b = m->networks[m->count - 1];
    if (m->count > 1 && (a->chunk_overlap || b->chunk_overlap))
        return ap_fail(err, AP_FAILED, "'%s' is no model for a bag: only those of Demucs are", path);
    bool alike = a->stem_count == b->stem_count && a->rate == b->rate && a->channels == b->channels;
    for (int i = 0; alike && i < a->stem_count; i++)
        alike = strcmp(a->stems[i], b->stems[i]) == 0;
    return alike || ap_fail(err, AP_FAILED, "'%s' has other stems than the first model of its bag", path);
}

static bool load_networks(ap_model *m, const nn_model_files *files, ap_error *err)
{
    const nn_bag *bag = &files->bag;
    for (size_t i = 0; i < bag->count; i++) {
        const char *path = files->paths[i];
        nn_network *n = is_script(path)
                            ? nn_network_script(path, m->engine, err)
                            : load_checkpoint(path, files->config, m->engine, &m->checkpoints[i], err);
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
    if (bag->weighted && bag->stem_count != (size_t)m->networks[0]->stem_count)
        return ap_fail(err, AP_FAILED, "the bag's weights are for %zu stems, its models have %d",
                       bag->stem_count, m->networks[0]->stem_count);
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
    for (size_t i = 0; i < m->count; i++) {
        nn_network_free(m->networks[i]);
        nn_checkpoint_close(m->checkpoints[i]);
    }
    nn_engine_free(m->engine);
    nn_models_free(&m->files);
    free(m);
}

static ap_model *neural_open(const ap_separate_options *o, ap_error *err)
{
    ap_model *m = calloc(1, sizeof *m);
    if (!m)
        ap_fail_memory(err);
    if (m && nn_models_find(o->model, o->config, &m->files, err) &&
        (m->engine = nn_engine_new(device_for(&m->files, o->device), (int)o->threads, err)) &&
        load_networks(m, &m->files, err))
        return m;
    neural_close(m);
    return NULL;
}

static void neural_describe(const ap_model *m, ap_model_info *info)
{
    const nn_network *n = m->networks[0];
    *info = (ap_model_info){
        .rate = (uint32_t)n->rate, .channels = (uint32_t)n->channels, .engine = nn_engine_name(m->engine)};
    for (int i = 0; i < n->stem_count; i++)
        info->stems[info->stem_count++] = n->stems[i];
}

/* Checksums of the files, computed when a separation is kept for the first time. */
static void identify(ap_model *m)
{
    size_t at = 0;
    const size_t count = *m->identity ? 0 : m->files.bag.count;
    for (size_t i = 0; count && i < count + (m->files.config != NULL); i++) {
        char sum[32];
        nn_kept_file(i < count ? m->files.paths[i] : m->files.config, sum, sizeof sum);
        at += (size_t)snprintf(m->identity + at, sizeof m->identity - at, "%s%s", at ? " " : "", sum);
        at = at < sizeof m->identity ? at : sizeof m->identity - 1;
    }
    m->networks[0]->identity = m->identity;
}

static ap_stream *neural_separate(ap_model *m, ap_stream *s, const ap_separate_options *o,
                                  const bool wanted[AP_MAX_STEMS], ap_error *err)
{
    nn_engine_ask(m->engine, o->go_on, o->user);
    if (o->state)
        identify(m);
    if (m->networks[0]->chunk_overlap)
        return nn_demix(s, m->networks[0], o, wanted, err);
    return nn_separate(s, m->networks, m->count, m->weights, o, wanted, err);
}

static void describe_model(const nn_model_files *files, char *text, size_t size)
{
    nn_description d = {0};
    bool known = true;
    for (size_t i = 0; known && i < files->bag.count; i++) {
        nn_checkpoint *c =
            is_script(files->paths[i]) ? NULL : nn_checkpoint_open_trusted(files->paths[i], NULL);
        if (c && files->config)
            c->config = nn_yaml_read(files->config, NULL);
        known = c && nn_network_describe(c, &d);
        nn_checkpoint_close(c);
    }
    if (!known)
        d.count = 0;
    nn_description_print(&d, text, size);
}

static void neural_list(ap_model_visit *visit, void *user)
{
    nn_models_list(describe_model, visit, user);
}

AP_PLUGIN_EXPORT extern const ap_neural_plugin AP_PLUGIN_TABLE;
const ap_neural_plugin AP_PLUGIN_TABLE = {
    .head = {AP_NEURAL_VERSION, sizeof(ap_neural_plugin)},
    .method = {.best = nn_models_best,
               .open = neural_open,
               .close = neural_close,
               .describe = neural_describe,
               .separate = neural_separate,
               .list = neural_list},
};
