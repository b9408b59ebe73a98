/* SPDX-License-Identifier: GPL-3.0-or-later
 * transformer.c - the cross-transformer at the bottom of HTDemucs: layers of self and cross attention between
 * the spectral and the waveform branch, as in the original's transformer.py. */
#include "plugins/neural/nets/demucs/transformer.h"
#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LAYERS 16

/* One layer of one branch. */
typedef struct layer {
    bool cross;
    nn_norm *norm1, *norm2, *norm3, *norm_out; /* norm3: cross only */
    nn_linear *query, *key_value, *out, *linear1, *linear2;
} layer;

struct nn_transformer {
    nn_engine *engine;
    int channels, layers, heads, hidden;
    bool cross_first, gelu, layer_scale;
    double max_period, position_weight;
    nn_norm *norm_in, *norm_in_t;
    nn_tensor *positions[2]; /* of the waveform and the spectral branch */
    layer spectral[MAX_LAYERS], waveform[MAX_LAYERS];
};

/* ---- loading */

static bool read_settings(nn_transformer *t, const cJSON *k, const char *path, ap_error *err)
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
        if (nn_json_bool(k, fixed[i].key, fixed[i].value) != fixed[i].value)
            return ap_fail(err, AP_FAILED, "'%s' has %s = %s, which is not supported", path, fixed[i].key,
                           fixed[i].value ? "False" : "True");
    const cJSON *embedding = cJSON_GetObjectItemCaseSensitive(k, "t_emb");
    if (cJSON_IsString(embedding) && strcmp(embedding->valuestring, "sin") != 0)
        return ap_fail(err, AP_FAILED, "'%s' has t_emb = '%.32s', which is not supported", path,
                       embedding->valuestring);
    t->cross_first = nn_json_bool(k, "t_cross_first", false);
    t->gelu = nn_json_bool(k, "t_gelu", true);
    t->layer_scale = nn_json_bool(k, "t_layer_scale", true);
    t->max_period = nn_json_number(k, "t_max_period", 10000);
    t->position_weight = nn_json_number(k, "t_weight_pos_embed", 1);
    double hidden = t->channels * nn_json_number(k, "t_hidden_scale", 4);
    t->layers = 5;
    t->heads = 8;
    if (!nn_json_integer(k, "t_layers", 1, MAX_LAYERS, &t->layers, path, err) ||
        !nn_json_integer(k, "t_heads", 1, 64, &t->heads, path, err))
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

/* Takes the weights over. */
static nn_linear *make_linear(nn_loader *loader, float *weight, const float *bias, int in, int out)
{
    const nn_weights weights = {.data = weight, .owned = true, .in = in, .out = out};
    nn_linear *made = NULL;
    if (weight && bias && !loader->failed)
        made = nn_loader_made(loader, nn_linear_new(loader->engine, &weights, bias));
    if (!made)
        free(weight);
    return made;
}

/* scale: the tensor with a factor for each output; NULL: none. */
static nn_linear *load_linear(nn_loader *loader, const char *name, const char *scale, int in, int out)
{
    float *weight = nn_load(loader, nn_name_of("%s.weight", name).text, 2, (int64_t[]){out, in});
    float *bias = nn_load_vector(loader, nn_name_of("%s.bias", name).text, out);
    float *factor = scale ? nn_load_vector(loader, scale, out) : NULL;
    if (factor && weight && bias)
        scale_rows(weight, bias, factor, out, in);
    nn_linear *made = make_linear(loader, weight, bias, in, out);
    free(bias);
    free(factor);
    return made;
}

static float *copy_of(const float *from, size_t count)
{
    float *to = malloc(count * sizeof *to);
    return to ? memcpy(to, from, count * sizeof *to) : NULL;
}

/* MultiheadAttention keeps query, key and value in one tensor. */
static void load_in_projection(nn_loader *loader, const char *name, int c, layer *l)
{
    const size_t size = (size_t)c * (size_t)c;
    float *weight = nn_load(loader, nn_name_of("%s.in_proj_weight", name).text, 2, (int64_t[]){3 * c, c});
    float *bias = nn_load_vector(loader, nn_name_of("%s.in_proj_bias", name).text, 3 * c);
    if (weight && bias) {
        float *query = copy_of(weight, size), *key_value = copy_of(weight + size, 2 * size);
        if (!query || !key_value)
            nn_loader_no_memory(loader);
        l->query = make_linear(loader, query, bias, c, c);
        l->key_value = make_linear(loader, key_value, bias + c, c, 2 * c);
    }
    free(weight);
    free(bias);
}

static nn_norm *load_norm(nn_loader *loader, const char *name, const char *part, int c)
{
    return nn_load_norm(loader, nn_name_of("%s.%s", name, part).text, NN_OVER_CHANNELS, 0, c);
}

static void load_layer(nn_transformer *t, nn_loader *loader, const char *name, bool cross, layer *l)
{
    const int c = t->channels;
    const nn_name attention = nn_name_of("%s.%s_attn", name, cross ? "cross" : "self");
    const nn_name gamma1 = nn_name_of("%s.gamma_1.scale", name),
                  gamma2 = nn_name_of("%s.gamma_2.scale", name);
    l->cross = cross;
    load_in_projection(loader, attention.text, c, l);
    l->out = load_linear(loader, nn_name_of("%s.out_proj", attention.text).text,
                         t->layer_scale ? gamma1.text : NULL, c, c);
    l->linear1 = load_linear(loader, nn_name_of("%s.linear1", name).text, NULL, c, t->hidden);
    l->linear2 = load_linear(loader, nn_name_of("%s.linear2", name).text, t->layer_scale ? gamma2.text : NULL,
                             t->hidden, c);
    l->norm1 = load_norm(loader, name, "norm1", c);
    l->norm2 = load_norm(loader, name, "norm2", c);
    if (cross)
        l->norm3 = load_norm(loader, name, "norm3", c);
    l->norm_out = nn_load_norm(loader, nn_name_of("%s.norm_out", name).text, NN_OVER_ALL, 1, c);
}

nn_transformer *nn_transformer_load(nn_loader *loader, int channels)
{
    nn_transformer *t = calloc(1, sizeof *t);
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
        load_layer(t, loader, nn_name_of("crosstransformer.layers.%d", i).text, cross, &t->spectral[i]);
        load_layer(t, loader, nn_name_of("crosstransformer.layers_t.%d", i).text, cross, &t->waveform[i]);
    }
    return t;
}

static void free_layer(layer *l)
{
    nn_norm_free(l->norm1);
    nn_norm_free(l->norm2);
    nn_norm_free(l->norm3);
    nn_norm_free(l->norm_out);
    nn_linear_free(l->query);
    nn_linear_free(l->key_value);
    nn_linear_free(l->out);
    nn_linear_free(l->linear1);
    nn_linear_free(l->linear2);
}

void nn_transformer_free(nn_transformer *t)
{
    if (!t)
        return;
    for (int i = 0; i < MAX_LAYERS; i++) {
        free_layer(&t->spectral[i]);
        free_layer(&t->waveform[i]);
    }
    nn_drop(t->positions[0]);
    nn_drop(t->positions[1]);
    nn_norm_free(t->norm_in);
    nn_norm_free(t->norm_in_t);
    free(t);
}

/* ---- positions, computed in float as the original does */

/* The value for channel c at moment i of the waveform branch: cosines, then sines. */
static float position(const nn_transformer *t, int c, int64_t i)
{
    const int half = t->channels / 2;
    const float phase = (float)i / powf((float)t->max_period, (float)(c % half) / (float)(half - 1));
    return c < half ? cosf(phase) : sinf(phase);
}

/* For the spectral branch: half of the channels for the time, half for the frequency; sines and cosines take
 * turns. */
static float position_2d(const nn_transformer *t, int c, int64_t row, int64_t i)
{
    const int half = t->channels / 2;
    const float rate = expf((float)((c % half) & ~1) * (float)-(log(t->max_period) / half));
    const float phase = (float)(c < half ? i : row) * rate;
    return c % 2 == 0 ? sinf(phase) : cosf(phase);
}

/* Adds the positions of x [rows][channels][time]; they are computed once for each shape. */
static nn_tensor *add_positions(nn_transformer *t, nn_tensor *x, bool spectral)
{
    nn_tensor **kept = &t->positions[spectral];
    const int64_t rows = nn_rows(x), time = nn_time(x);
    if (x && (nn_rows(*kept) != rows || nn_time(*kept) != time)) {
        float *e = malloc((size_t)(rows * t->channels * time) * sizeof *e);
        for (int64_t row = 0; e && row < rows; row++)
            for (int c = 0; c < t->channels; c++)
                for (int64_t i = 0; i < time; i++)
                    e[(row * t->channels + c) * time + i] =
                        (float)t->position_weight *
                        (spectral ? position_2d(t, c, row, i) : position(t, c, row * time + i));
        nn_drop(*kept);
        *kept = e ? nn_tensor_new(t->engine, rows, t->channels, time, e) : NULL;
        free(e);
    }
    return nn_add(x, nn_keep(*kept));
}

/* ---- running */

/* x + attention(x, memory) + feed-forward, each after its norm; memory NULL: x itself. */
static nn_tensor *apply(const nn_transformer *t, const layer *l, nn_tensor *x, nn_tensor *memory)
{
    nn_tensor *query = nn_apply_normalized(nn_keep(x), l->norm1, l->query, NN_LINEAR);
    memory = nn_apply_normalized(l->cross ? memory : nn_keep(x), l->cross ? l->norm2 : l->norm1, l->key_value,
                                 NN_LINEAR);
    x = nn_add_linear(x, nn_attention(query, memory, t->heads), l->out);
    x = nn_feed_forward(x, l->cross ? l->norm3 : l->norm2, l->linear1, t->gelu ? NN_GELU : NN_RELU,
                        l->linear2);
    return nn_normalize(x, l->norm_out, NN_LINEAR);
}

/* Into how many rows to cut the waveform branch, which makes no difference to attention and norms, but does
 * to caches: those of the spectral branch are about as long. */
static int64_t rows_for(int64_t time)
{
    const int64_t most = 64, long_enough = 400;
    for (int64_t rows = 1; rows <= most; rows++)
        if (time % rows == 0 && time / rows <= long_enough)
            return rows;
    return 1;
}

void nn_transformer_apply(nn_transformer *t, nn_tensor **x, nn_tensor **xt)
{
    nn_tensor *a = nn_normalize(*x, t->norm_in, NN_LINEAR);
    nn_tensor *b = nn_normalize(nn_unflatten(*xt, rows_for(nn_time(*xt))), t->norm_in_t, NN_LINEAR);
    a = add_positions(t, a, true);
    b = add_positions(t, b, false);
    for (int i = 0; i < t->layers; i++) {
        nn_tensor *old = t->spectral[i].cross ? nn_keep(a) : NULL;
        a = apply(t, &t->spectral[i], a, old ? nn_keep(b) : NULL);
        b = apply(t, &t->waveform[i], b, old);
    }
    *x = a;
    *xt = nn_flatten(b);
}
