/* SPDX-License-Identifier: GPL-3.0-or-later
 * loader.c - layers made from the tensors of a checkpoint. */
#include "plugins/neural/nets/loader.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool nn_loader_open(nn_loader *loader, const nn_checkpoint *checkpoint, nn_engine *engine, ap_error *err)
{
    *loader = (nn_loader){.checkpoint = checkpoint, .engine = engine, .err = err};
    loader->used = calloc(checkpoint->count + 1, sizeof *loader->used);
    return loader->used || ap_fail_memory(err);
}

bool nn_loader_finish(nn_loader *loader)
{
    const nn_checkpoint *c = loader->checkpoint;
    for (size_t i = 0; !loader->failed && i < c->count; i++)
        if (!loader->used[i])
            nn_loader_fail(loader, "has no place in such a model", c->tensors[i].name);
    free(loader->used);
    loader->used = NULL;
    return !loader->failed;
}

bool nn_loader_has(const nn_loader *loader, const char *name)
{
    return nn_checkpoint_find(loader->checkpoint, name) != NULL;
}

nn_name nn_name_of(const char *format, ...)
{
    nn_name name;
    va_list args;
    va_start(args, format);
    vsnprintf(name.text, sizeof name.text, format, args);
    va_end(args);
    return name;
}

bool nn_loader_fail(nn_loader *loader, const char *what, const char *name)
{
    if (!loader->failed)
        ap_fail(loader->err, AP_FAILED, "'%s' does not fit its settings: tensor '%s' %s",
                loader->checkpoint->path, name, what);
    loader->failed = true;
    return false;
}

void *nn_loader_no_memory(nn_loader *loader)
{
    if (!loader->failed)
        ap_fail_memory(loader->err);
    loader->failed = true;
    return NULL;
}

float *nn_load(nn_loader *loader, const char *name, int dims, const int64_t *size)
{
    if (loader->failed)
        return NULL;
    const nn_stored *t = nn_checkpoint_find(loader->checkpoint, name);
    bool same = t && t->dims == dims;
    for (int i = 0; same && i < dims; i++)
        same = t->size[i] == size[i];
    if (!same) {
        const char *strange = t && t->dims == NN_STRANGE ? "is of a type that is not supported" : NULL;
        nn_loader_fail(loader, strange ? strange : t ? "has another shape" : "is missing", name);
        return NULL;
    }
    float *data = malloc((size_t)nn_stored_count(t) * sizeof *data);
    if (!data)
        return nn_loader_no_memory(loader);
    if (!nn_stored_floats(t, data)) {
        nn_loader_fail(loader, "has values that are not finite", name);
        free(data);
        return NULL;
    }
    nn_stored_forget(t);
    loader->used[t - loader->checkpoint->tensors] = true;
    return data;
}

float *nn_load_vector(nn_loader *loader, const char *name, int64_t size)
{
    return nn_load(loader, name, 1, &size);
}

void *nn_loader_made(nn_loader *loader, void *layer)
{
    if (!layer && !loader->failed) {
        if (nn_engine_check(loader->engine, loader->err))
            ap_fail_memory(loader->err);
        loader->failed = true;
    }
    return layer;
}

nn_conv *nn_load_conv(nn_loader *loader, const char *name, const nn_conv_shape *s, bool flat)
{
    int64_t size[4] = {s->transposed ? s->in : s->out, s->transposed ? s->out : s->in, s->kernel_rows,
                       s->kernel};
    if (flat)
        size[2] = s->kernel;
    float *weight = nn_load(loader, nn_name_of("%s.weight", name).text, flat ? 3 : 4, size);
    float *bias = nn_load_vector(loader, nn_name_of("%s.bias", name).text, s->out);
    nn_conv *layer =
        weight && bias ? nn_loader_made(loader, nn_conv_new(loader->engine, s, weight, bias)) : NULL;
    free(weight);
    free(bias);
    return layer;
}

nn_norm *nn_load_norm(nn_loader *loader, const char *name, nn_norm_over over, int groups, int channels)
{
    float *weight = nn_load_vector(loader, nn_name_of("%s.weight", name).text, channels);
    float *bias = nn_load_vector(loader, nn_name_of("%s.bias", name).text, channels);
    nn_norm *layer = NULL;
    if (weight && bias)
        layer = nn_loader_made(loader, nn_norm_new(loader->engine, over, groups, channels, weight, bias));
    free(weight);
    free(bias);
    return layer;
}

static nn_norm *load_factors(nn_loader *loader, const char *name, nn_norm_over over, int groups, int channels)
{
    float *weight = nn_load_vector(loader, name, channels);
    nn_norm *layer = NULL;
    if (weight)
        layer = nn_loader_made(loader, nn_norm_new(loader->engine, over, groups, channels, weight, NULL));
    free(weight);
    return layer;
}

nn_norm *nn_load_scale(nn_loader *loader, const char *name, int channels)
{
    return load_factors(loader, name, NN_OVER_ROW, 0, channels);
}

nn_norm *nn_load_rms(nn_loader *loader, const char *name, int channels)
{
    return load_factors(loader, name, NN_RMS, 1, channels);
}

/* Whether a layer that is a matrix can read the weights where they are. */
static bool in_place(const nn_stored *t)
{
    return (t->type == NN_F16 || t->type == NN_F32) && (uintptr_t)t->data % nn_type_size(t->type) == 0 &&
           (t->size[1] == 1 || t->stride[1] == 1) && (t->size[0] == 1 || t->stride[0] == t->size[1]);
}

static bool finite_in_place(const nn_checkpoint *c, const nn_stored *t)
{
    return c->trusted || nn_stored_finite(t);
}

static bool find_weights(nn_loader *loader, const char *name, nn_weights *w)
{
    const nn_stored *t = loader->failed ? NULL : nn_checkpoint_find(loader->checkpoint, name);
    const bool kernel_of_one = t && t->dims == 4 && t->size[2] == 1 && t->size[3] == 1;
    if (t && (t->dims == 2 || kernel_of_one) && in_place(t) && t->size[0] == w->out && t->size[1] == w->in) {
        loader->used[t - loader->checkpoint->tensors] = true;
        w->data = t->data;
        w->half = t->type == NN_F16;
        return finite_in_place(loader->checkpoint, t) ||
               nn_loader_fail(loader, "has values that are not finite", name);
    }
    w->data = nn_load(loader, name, kernel_of_one ? 4 : 2, (int64_t[]){w->out, w->in, 1, 1});
    w->owned = w->data != NULL;
    return w->owned;
}

nn_linear *nn_load_linear(nn_loader *loader, const char *name, int in, int out, bool bias)
{
    nn_weights w = {.in = in, .out = out};
    if (!find_weights(loader, nn_name_of("%s.weight", name).text, &w))
        return NULL;
    float *b = bias ? nn_load_vector(loader, nn_name_of("%s.bias", name).text, out) : NULL;
    nn_linear *layer = NULL;
    if (b || !bias)
        layer = nn_loader_made(loader, nn_linear_new(loader->engine, &w, b));
    if (!layer && w.owned)
        free((void *)(uintptr_t)w.data);
    free(b);
    return layer;
}
