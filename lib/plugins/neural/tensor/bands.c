/* SPDX-License-Identifier: GPL-3.0-or-later
 * bands.c - the operations of networks on bands of a spectrum: ownership and shapes, as in tensor.c. */
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <stdint.h>
#include <stdlib.h>

nn_linear *nn_linear_new(nn_engine *engine, const nn_weights *weights, const float *bias)
{
    nn_linear *layer = calloc(1, sizeof *layer);
    if (!layer)
        return NULL;
    *layer = (nn_linear){engine, *weights, NULL};
    if (engine->ops->new_linear(layer, bias))
        return layer;
    free(layer);
    return NULL;
}

void nn_linear_free(nn_linear *layer)
{
    if (layer) {
        layer->engine->ops->free_linear(layer);
        if (layer->weights.owned)
            free((void *)(uintptr_t)layer->weights.data);
    }
    free(layer);
}

nn_tensor *nn_apply_linear(nn_tensor *x, const nn_linear *layer, nn_act act)
{
    nn_tensor *y = NULL;
    if (x && layer && nn_fits(x->channels == layer->weights.in && act != NN_GLU, x, "linear layer"))
        y = x->engine->ops->apply_linear(x, layer, act);
    nn_drop(x);
    return y;
}

/* Each moment by itself. */
static bool of_moments(const nn_norm *norm)
{
    return norm->over == NN_RMS || norm->over == NN_OVER_CHANNELS;
}

nn_tensor *nn_apply_normalized(nn_tensor *x, const nn_norm *norm, const nn_linear *layer, nn_act act)
{
    nn_tensor *y = NULL;
    if (x && norm && layer &&
        nn_fits(x->channels == layer->weights.in && x->channels == norm->channels && of_moments(norm) &&
                    act != NN_GLU,
                x, "linear layer")) {
        const nn_fused *fused = &x->engine->ops->fused;
        y = fused->apply_normalized ? fused->apply_normalized(x, norm, layer, act)
                                    : nn_apply_linear(nn_normalize(nn_keep(x), norm, NN_LINEAR), layer, act);
    }
    nn_drop(x);
    return y;
}

nn_tensor *nn_add_linear(nn_tensor *x, nn_tensor *y, const nn_linear *layer)
{
    nn_tensor *z = NULL;
    if (x && y && layer &&
        nn_fits(y->channels == layer->weights.in && x->channels == layer->weights.out && x->rows == y->rows &&
                    x->time == y->time,
                x, "residual")) {
        const nn_fused *fused = &x->engine->ops->fused;
        z = fused->add_linear ? fused->add_linear(x, y, layer)
                              : nn_add(nn_keep(x), nn_apply_linear(nn_keep(y), layer, NN_LINEAR));
    }
    nn_drop(x);
    nn_drop(y);
    return z;
}

nn_tensor *nn_row_attention(nn_tensor *x, nn_tensor *gates, int heads, const nn_places *places)
{
    nn_tensor *y = NULL;
    if (x && gates &&
        nn_fits(x->channels % (3 * heads) == 0 && x->channels / (3 * heads) % 2 == 0 &&
                    gates->channels == heads && gates->rows == x->rows && gates->time == x->time,
                x, "attention"))
        y = x->engine->ops->row_attention(x, gates, heads, places);
    nn_drop(x);
    nn_drop(gates);
    return y;
}

static nn_tensor *compose_attention(nn_tensor *x, const nn_attention_layer *a)
{
    nn_tensor *y = nn_keep(x);
    y = a->across ? nn_transpose(y) : y;
    nn_tensor *gates = nn_apply_normalized(nn_keep(y), a->norm, a->gates, NN_LINEAR);
    y = nn_apply_normalized(y, a->norm, a->qkv, NN_LINEAR);
    y = nn_apply_linear(nn_row_attention(y, gates, a->heads, &a->places), a->out, NN_LINEAR);
    return nn_add(nn_keep(x), a->across ? nn_transpose(y) : y);
}

nn_tensor *nn_attend(nn_tensor *x, const nn_attention_layer *a)
{
    nn_tensor *y = NULL;
    if (x && a->norm && a->qkv && a->gates && a->out &&
        nn_fits(x->channels == a->norm->channels && a->norm->over == NN_RMS &&
                    x->channels == a->qkv->weights.in && x->channels == a->gates->weights.in &&
                    x->channels == a->out->weights.out && a->gates->weights.out == a->heads &&
                    a->qkv->weights.out == 3 * a->out->weights.in && a->out->weights.in % (2 * a->heads) == 0,
                x, "attention")) {
        const nn_fused *fused = &x->engine->ops->fused;
        const bool simple = fused->attend && !(a->across && a->places.polar_bias);
        y = simple ? fused->attend(x, a) : compose_attention(x, a);
    }
    nn_drop(x);
    return y;
}

nn_tensor *nn_feed_forward(nn_tensor *x, const nn_norm *norm, const nn_linear *in, nn_act act,
                           const nn_linear *out)
{
    nn_tensor *y = NULL;
    if (x && norm && in && out &&
        nn_fits(x->channels == norm->channels && of_moments(norm) && x->channels == in->weights.in &&
                    in->weights.out == out->weights.in && x->channels == out->weights.out && act != NN_GLU,
                x, "feed-forward")) {
        const nn_fused *fused = &x->engine->ops->fused;
        y = fused->feed_forward
                ? fused->feed_forward(x, norm, in, act, out)
                : nn_add_linear(nn_keep(x), nn_apply_normalized(nn_keep(x), norm, in, act), out);
    }
    nn_drop(x);
    return y;
}

nn_tensor *nn_stft(nn_tensor *x, int nfft, int hop)
{
    nn_tensor *y = NULL;
    if (x && nn_fits(x->rows == 1 && x->time > nfft / 2, x, "spectrum"))
        y = x->engine->ops->stft(x, nfft, hop);
    nn_drop(x);
    return y;
}

nn_tensor *nn_istft(nn_tensor *x, int hop, int64_t time)
{
    nn_tensor *y = NULL;
    if (x && nn_fits(x->channels % 2 == 0 && x->rows > 1 && hop < 2 * (x->rows - 1) &&
                         time <= (x->time - 1) * hop + x->rows - 1,
                     x, "signal"))
        y = x->engine->ops->istft(x, hop, time);
    nn_drop(x);
    return y;
}

/* ---- shapes */

nn_tensor *nn_reshape(nn_tensor *x, int64_t rows, int64_t channels, int64_t time)
{
    nn_tensor *y = NULL;
    if (x && nn_fits(rows * channels * time == x->rows * x->channels * x->time, x, "reshape"))
        y = x->engine->ops->reshape(x, rows, channels, time);
    nn_drop(x);
    return y;
}

nn_tensor *nn_permute(nn_tensor *x, const nn_permutation *p)
{
    nn_tensor *y = NULL;
    int64_t count = 1;
    for (int i = 0; i < 5; i++)
        count *= p->size[i];
    if (x && nn_fits(count == x->rows * x->channels * x->time && count == p->rows * p->channels * p->time, x,
                     "permutation"))
        y = x->engine->ops->permute(x, p);
    nn_drop(x);
    return y;
}

nn_tensor *nn_transpose(nn_tensor *x)
{
    if (!x)
        return NULL;
    const nn_permutation p = {
        {1, 1, x->rows, x->channels, x->time}, {0, 1, 4, 3, 2}, x->time, x->channels, x->rows};
    // cppcheck-suppress returnDanglingLifetime ; p is read before it returns
    return nn_permute(x, &p);
}

nn_tensor *nn_put_rows(nn_tensor *x, nn_tensor *y, int64_t from, bool add)
{
    nn_tensor *z = NULL;
    if (x && y &&
        nn_fits(x->channels == y->channels && x->time == y->time && from >= 0 && y->rows <= x->rows - from, x,
                "rows"))
        z = x->engine->ops->put_rows(x, y, from, add);
    nn_drop(x);
    nn_drop(y);
    return z;
}

nn_tensor *nn_concat(nn_tensor *x, nn_tensor *y)
{
    nn_tensor *z = NULL;
    if (x && y && nn_fits(x->rows == y->rows && x->time == y->time, x, "concatenation"))
        z = x->engine->ops->concat(x, y);
    nn_drop(x);
    nn_drop(y);
    return z;
}

static bool same_shape(const nn_tensor *x, const nn_tensor *y)
{
    return x->rows == y->rows && x->channels == y->channels && x->time == y->time;
}

nn_tensor *nn_multiply(nn_tensor *x, nn_tensor *y)
{
    nn_tensor *z = NULL;
    if (x && y && nn_fits(same_shape(x, y), x, "product"))
        z = x->engine->ops->multiply(x, y);
    nn_drop(x);
    nn_drop(y);
    return z;
}

nn_tensor *nn_multiply_complex(nn_tensor *x, nn_tensor *y, const float *factors)
{
    nn_tensor *z = NULL;
    if (x && y && nn_fits(same_shape(x, y) && x->channels % 2 == 0, x, "mask"))
        z = x->engine->ops->multiply_complex(x, y, factors);
    nn_drop(x);
    nn_drop(y);
    return z;
}

nn_tensor *nn_zeros(nn_engine *engine, int64_t rows, int64_t channels, int64_t time)
{
    return engine->ops->zeros(engine, rows, channels, time);
}
