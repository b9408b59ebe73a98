/* SPDX-License-Identifier: GPL-3.0-or-later
 * transformer.c - the cross-transformer at the bottom of HTDemucs: layers of self and cross attention between
 * the spectral and the waveform branch, as in the original's transformer.py. */
#include "transformer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LAYERS 16

/* One layer of one branch. */
typedef struct layer {
    bool cross;
    dm_norm *norm1, *norm2, *norm3, *norm_out; /* norm3: cross only */
    dm_conv *query, *key_value, *out, *linear1, *linear2;
} layer;

struct dm_transformer {
    dm_engine *engine;
    int channels, layers, heads, hidden;
    bool cross_first, gelu, layer_scale;
    double max_period, position_weight;
    dm_norm *norm_in, *norm_in_t;
    dm_tensor *positions[2]; /* of the waveform and the spectral branch */
    layer spectral[MAX_LAYERS], waveform[MAX_LAYERS];
};

/* ---- loading */

static bool read_settings(dm_transformer *t, const cJSON *k, const char *path, ap_error *err)
{
    static const struct {
        const char *key;
        bool value;
    } fixed[] = {{"t_norm_in", true},
                 {"t_norm_in_group", false},
                 {"t_group_norm", false},
                 {"t_norm_first", true},
                 {"t_norm_out", true},
                 {"t_sparse_self_attn", false},
                 {"t_sparse_cross_attn", false},
                 {"t_sin_random_shift", false}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (dm_json_bool(k, fixed[i].key, fixed[i].value) != fixed[i].value)
            return ap_fail(err, AP_FAILED, "'%s' has %s = %s, which is not supported", path, fixed[i].key,
                           fixed[i].value ? "False" : "True");
    const cJSON *embedding = cJSON_GetObjectItemCaseSensitive(k, "t_emb");
    if (cJSON_IsString(embedding) && strcmp(embedding->valuestring, "sin") != 0)
        return ap_fail(err, AP_FAILED, "'%s' has t_emb = '%.32s', which is not supported", path,
                       embedding->valuestring);
    t->cross_first = dm_json_bool(k, "t_cross_first", false);
    t->gelu = dm_json_bool(k, "t_gelu", true);
    t->layer_scale = dm_json_bool(k, "t_layer_scale", true);
    t->max_period = dm_json_number(k, "t_max_period", 10000);
    t->position_weight = dm_json_number(k, "t_weight_pos_embed", 1);
    double hidden = t->channels * dm_json_number(k, "t_hidden_scale", 4);
    t->layers = 5;
    t->heads = 8;
    if (!dm_json_integer(k, "t_layers", 1, MAX_LAYERS, &t->layers, path, err) ||
        !dm_json_integer(k, "t_heads", 1, 64, &t->heads, path, err))
        return false;
    if (!(hidden >= 1 && hidden <= 65536) || t->channels % t->heads || t->channels % 4 ||
        !(t->max_period > 1) || !isfinite(t->position_weight))
        return ap_fail(err, AP_FAILED, "'%s' has transformer settings that make no sense", path);
    t->hidden = (int)hidden;
    return true;
}

/* Multiplies each row of a linear layer by its factor: the LayerScale after it. */
static void scale_rows(float *weight, float *bias, const float *factor, int out, int in)
{
    for (int i = 0; i < out; i++) {
        bias[i] *= factor[i];
        for (int j = 0; j < in; j++)
            weight[i * in + j] *= factor[i];
    }
}

static dm_conv *make_linear(dm_loader *loader, const float *weight, const float *bias, int in, int out)
{
    const dm_conv_shape shape = {in, out, 1, 1, 1, 1, 0, 0, 1, false};
    dm_conv *conv = loader->failed ? NULL : dm_conv_new(loader->engine, &shape, weight, bias);
    if (!conv && !loader->failed) {
        if (dm_engine_check(loader->engine, loader->err))
            ap_fail_memory(loader->err);
        loader->failed = true;
    }
    return conv;
}

/* scale: the tensor with a factor for each output; NULL: none. */
static dm_conv *load_linear(dm_loader *loader, const char *name, const char *scale, int in, int out)
{
    float *weight = dm_load(loader, dm_name_of("%s.weight", name).text, 2, (int64_t[]){out, in});
    float *bias = dm_load_vector(loader, dm_name_of("%s.bias", name).text, out);
    float *factor = scale ? dm_load_vector(loader, scale, out) : NULL;
    if (factor)
        scale_rows(weight, bias, factor, out, in);
    dm_conv *conv = make_linear(loader, weight, bias, in, out);
    free(weight);
    free(bias);
    free(factor);
    return conv;
}

/* MultiheadAttention keeps query, key and value in one tensor. */
static void load_in_projection(dm_loader *loader, const char *name, int c, layer *l)
{
    float *weight = dm_load(loader, dm_name_of("%s.in_proj_weight", name).text, 2, (int64_t[]){3 * c, c});
    float *bias = dm_load_vector(loader, dm_name_of("%s.in_proj_bias", name).text, 3 * c);
    if (weight && bias) {
        l->query = make_linear(loader, weight, bias, c, c);
        l->key_value = make_linear(loader, weight + c * c, bias + c, c, 2 * c);
    }
    free(weight);
    free(bias);
}

static dm_norm *load_norm(dm_loader *loader, const char *name, const char *part, int c)
{
    return dm_load_norm(loader, dm_name_of("%s.%s", name, part).text, DM_OVER_CHANNELS, 0, c);
}

static void load_layer(dm_transformer *t, dm_loader *loader, const char *name, bool cross, layer *l)
{
    const int c = t->channels;
    const dm_name attention = dm_name_of("%s.%s_attn", name, cross ? "cross" : "self");
    const dm_name gamma1 = dm_name_of("%s.gamma_1.scale", name),
                  gamma2 = dm_name_of("%s.gamma_2.scale", name);
    l->cross = cross;
    load_in_projection(loader, attention.text, c, l);
    l->out = load_linear(loader, dm_name_of("%s.out_proj", attention.text).text,
                         t->layer_scale ? gamma1.text : NULL, c, c);
    l->linear1 = load_linear(loader, dm_name_of("%s.linear1", name).text, NULL, c, t->hidden);
    l->linear2 = load_linear(loader, dm_name_of("%s.linear2", name).text, t->layer_scale ? gamma2.text : NULL,
                             t->hidden, c);
    l->norm1 = load_norm(loader, name, "norm1", c);
    l->norm2 = load_norm(loader, name, "norm2", c);
    if (cross)
        l->norm3 = load_norm(loader, name, "norm3", c);
    l->norm_out = dm_load_norm(loader, dm_name_of("%s.norm_out", name).text, DM_OVER_ALL, 1, c);
}

dm_transformer *dm_transformer_load(dm_loader *loader, int channels)
{
    dm_transformer *t = calloc(1, sizeof *t);
    if (!t || loader->failed) {
        if (!loader->failed)
            ap_fail_memory(loader->err);
        loader->failed = true;
        free(t);
        return NULL;
    }
    t->engine = loader->engine;
    t->channels = channels;
    if (!read_settings(t, loader->checkpoint->kwargs, loader->checkpoint->path, loader->err))
        loader->failed = true;
    t->norm_in = load_norm(loader, "crosstransformer", "norm_in", channels);
    t->norm_in_t = load_norm(loader, "crosstransformer", "norm_in_t", channels);
    for (int i = 0; i < t->layers && !loader->failed; i++) {
        bool cross = i % 2 != (t->cross_first ? 1 : 0);
        load_layer(t, loader, dm_name_of("crosstransformer.layers.%d", i).text, cross, &t->spectral[i]);
        load_layer(t, loader, dm_name_of("crosstransformer.layers_t.%d", i).text, cross, &t->waveform[i]);
    }
    return t;
}

static void free_layer(layer *l)
{
    dm_norm_free(l->norm1);
    dm_norm_free(l->norm2);
    dm_norm_free(l->norm3);
    dm_norm_free(l->norm_out);
    dm_conv_free(l->query);
    dm_conv_free(l->key_value);
    dm_conv_free(l->out);
    dm_conv_free(l->linear1);
    dm_conv_free(l->linear2);
}

void dm_transformer_free(dm_transformer *t)
{
    if (!t)
        return;
    for (int i = 0; i < MAX_LAYERS; i++) {
        free_layer(&t->spectral[i]);
        free_layer(&t->waveform[i]);
    }
    dm_drop(t->positions[0]);
    dm_drop(t->positions[1]);
    dm_norm_free(t->norm_in);
    dm_norm_free(t->norm_in_t);
    free(t);
}

/* ---- positions, computed in float as the original does */

/* The value for channel c at moment i of the waveform branch: cosines, then sines. */
static float position(const dm_transformer *t, int c, int64_t i)
{
    const int half = t->channels / 2;
    const float phase = (float)i / powf((float)t->max_period, (float)(c % half) / (float)(half - 1));
    return c < half ? cosf(phase) : sinf(phase);
}

/* For the spectral branch: half of the channels for the time, half for the frequency; sines and cosines take
 * turns. */
static float position_2d(const dm_transformer *t, int c, int64_t row, int64_t i)
{
    const int half = t->channels / 2;
    const float rate = expf((float)((c % half) & ~1) * (float)-(log(t->max_period) / half));
    const float phase = (float)(c < half ? i : row) * rate;
    return c % 2 == 0 ? sinf(phase) : cosf(phase);
}

/* Adds the positions of x [rows][channels][time]; they are computed once for each shape. */
static dm_tensor *add_positions(dm_transformer *t, dm_tensor *x, bool spectral)
{
    dm_tensor **kept = &t->positions[spectral];
    const int64_t rows = dm_rows(x), time = dm_time(x);
    if (x && (dm_rows(*kept) != rows || dm_time(*kept) != time)) {
        float *e = malloc((size_t)(rows * t->channels * time) * sizeof *e);
        for (int64_t row = 0; e && row < rows; row++)
            for (int c = 0; c < t->channels; c++)
                for (int64_t i = 0; i < time; i++)
                    e[(row * t->channels + c) * time + i] =
                        (float)t->position_weight *
                        (spectral ? position_2d(t, c, row, i) : position(t, c, row * time + i));
        dm_drop(*kept);
        *kept = e ? dm_tensor_new(t->engine, rows, t->channels, time, e) : NULL;
        free(e);
    }
    return dm_add(x, dm_keep(*kept));
}

/* ---- running */

/* x + attention(x, memory) + feed-forward, each behind its norm; memory NULL: x itself. */
static dm_tensor *apply(const dm_transformer *t, const layer *l, dm_tensor *x, dm_tensor *memory)
{
    dm_tensor *in = dm_normalize(dm_keep(x), l->norm1, DM_LINEAR);
    memory = l->cross ? dm_normalize(memory, l->norm2, DM_LINEAR) : dm_keep(in);
    dm_tensor *query = dm_convolve(in, l->query, DM_LINEAR);
    dm_tensor *attended = dm_attention(query, dm_convolve(memory, l->key_value, DM_LINEAR), t->heads);
    x = dm_add_convolved(x, attended, l->out);
    dm_tensor *y = dm_normalize(dm_keep(x), l->cross ? l->norm3 : l->norm2, DM_LINEAR);
    y = dm_convolve(y, l->linear1, t->gelu ? DM_GELU : DM_RELU);
    x = dm_add_convolved(x, y, l->linear2);
    return dm_normalize(x, l->norm_out, DM_LINEAR);
}

/* Into how many rows to cut the waveform branch, which attention and norms do not care about, but caches do:
 * those of the spectral branch are about as long. */
static int64_t rows_for(int64_t time)
{
    const int64_t most = 64, long_enough = 400;
    for (int64_t rows = 1; rows <= most; rows++)
        if (time % rows == 0 && time / rows <= long_enough)
            return rows;
    return 1;
}

void dm_transformer_apply(dm_transformer *t, dm_tensor **x, dm_tensor **xt)
{
    dm_tensor *a = dm_normalize(*x, t->norm_in, DM_LINEAR);
    dm_tensor *b = dm_normalize(dm_unflatten(*xt, rows_for(dm_time(*xt))), t->norm_in_t, DM_LINEAR);
    a = add_positions(t, a, true);
    b = add_positions(t, b, false);
    for (int i = 0; i < t->layers; i++) {
        dm_tensor *old = t->spectral[i].cross ? dm_keep(a) : NULL;
        a = apply(t, &t->spectral[i], a, old ? dm_keep(b) : NULL);
        b = apply(t, &t->waveform[i], b, old);
    }
    *x = a;
    *xt = dm_flatten(b);
}
