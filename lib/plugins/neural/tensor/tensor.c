/* SPDX-License-Identifier: GPL-3.0-or-later
 * tensor.c - ownership and shapes of tensors; the operations are the backend's. */
#include "plugins/neural/tensor/tensor.h"
#include "base/error.h"
#include "plugins/neural/tensor/backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void nn_engine_free(nn_engine *engine)
{
    if (!engine)
        return;
    engine->ops->close(engine);
    free(engine);
}

bool nn_engine_fail(nn_engine *engine, ap_status code, const char *format, ...)
{
    char message[sizeof engine->error.message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (!engine->failed)
        ap_fail(&engine->error, code, "%s", message);
    engine->failed = true;
    return false;
}

void nn_engine_ask(nn_engine *engine, bool (*go_on)(void *user, ap_error *err), void *user)
{
    engine->go_on = go_on;
    engine->user = user;
}

bool nn_engine_may_go_on(nn_engine *engine)
{
    if (!engine->failed && engine->go_on)
        engine->failed = !engine->go_on(engine->user, &engine->error);
    return !engine->failed;
}

bool nn_engine_check(nn_engine *engine, ap_error *err)
{
    bool failed = engine->failed;
    if (failed && err)
        *err = engine->error;
    engine->failed = false;
    return !failed;
}

/* ---- tensors */

nn_tensor *nn_tensor_shell(nn_engine *engine, int64_t rows, int64_t channels, int64_t time)
{
    if (!nn_engine_may_go_on(engine))
        return NULL;
    nn_tensor *x = malloc(sizeof *x);
    if (x)
        *x = (nn_tensor){engine, 1, rows, channels, time, NULL};
    else
        nn_engine_fail(engine, AP_TRY_AGAIN, "out of memory");
    return x;
}

nn_tensor *nn_tensor_new(nn_engine *engine, int64_t rows, int64_t channels, int64_t time, const float *data)
{
    nn_tensor *x = nn_tensor_shell(engine, rows, channels, time);
    if (x && !engine->ops->upload(x, data)) {
        free(x);
        x = NULL;
    }
    return x;
}

bool nn_tensor_read(nn_tensor *x, float *data)
{
    bool ok = x && x->engine->ops->download(x, data);
    nn_drop(x);
    return ok;
}

nn_tensor *nn_keep(nn_tensor *x)
{
    if (x)
        x->refs++;
    return x;
}

void nn_drop(nn_tensor *x)
{
    if (!x || --x->refs > 0)
        return;
    x->engine->ops->free_tensor(x);
    free(x);
}

bool nn_alone(const nn_tensor *x)
{
    return x->refs == 1;
}

int64_t nn_rows(const nn_tensor *x)
{
    return x ? x->rows : 0;
}

int64_t nn_channels(const nn_tensor *x)
{
    return x ? x->channels : 0;
}

int64_t nn_time(const nn_tensor *x)
{
    return x ? x->time : 0;
}

bool nn_fits(bool condition, const nn_tensor *x, const char *operation)
{
    return condition ||
           nn_engine_fail(x->engine, AP_FAILED,
                          "the model's layers do not fit together: %s of [%lld][%lld][%lld]", operation,
                          (long long)x->rows, (long long)x->channels, (long long)x->time);
}

/* ---- layers */

nn_conv *nn_conv_new(nn_engine *engine, const nn_conv_shape *shape, const float *weight, const float *bias)
{
    nn_conv *layer = calloc(1, sizeof *layer);
    if (!layer)
        return NULL;
    *layer = (nn_conv){engine, *shape, NULL};
    if (engine->ops->new_conv(layer, weight, bias))
        return layer;
    free(layer);
    return NULL;
}

void nn_conv_free(nn_conv *layer)
{
    if (layer)
        layer->engine->ops->free_conv(layer);
    free(layer);
}

nn_norm *nn_norm_new(nn_engine *engine, nn_norm_over over, int groups, int channels, const float *weight,
                     const float *bias)
{
    nn_norm *layer = calloc(1, sizeof *layer);
    if (!layer)
        return NULL;
    *layer = (nn_norm){engine, over, groups, channels, NULL};
    if (engine->ops->new_norm(layer, weight, bias))
        return layer;
    free(layer);
    return NULL;
}

void nn_norm_free(nn_norm *layer)
{
    if (layer)
        layer->engine->ops->free_norm(layer);
    free(layer);
}

nn_lstm *nn_lstm_new(nn_engine *engine, int in, int hidden, int layers, const nn_lstm_weights *directions)
{
    nn_lstm *layer = calloc(1, sizeof *layer);
    if (!layer)
        return NULL;
    *layer = (nn_lstm){engine, in, hidden, layers, NULL};
    if (engine->ops->new_lstm(layer, directions))
        return layer;
    free(layer);
    return NULL;
}

void nn_lstm_free(nn_lstm *layer)
{
    if (layer)
        layer->engine->ops->free_lstm(layer);
    free(layer);
}

/* ---- operations */

int64_t nn_conv_length(int64_t length, int kernel, int stride, int pad, int dilation)
{
    int64_t room = length + 2 * (int64_t)pad - (int64_t)dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
}

static bool takes(const nn_conv *layer, const nn_tensor *x, nn_act act)
{
    const nn_conv_shape *s = &layer->shape;
    return x->channels == s->in && (act != NN_GLU || s->out % 2 == 0) &&
           (s->transposed || (nn_conv_length(x->rows, s->kernel_rows, s->stride_rows, s->pad_rows, 1) > 0 &&
                              nn_conv_length(x->time, s->kernel, s->stride, s->pad, s->dilation) > 0));
}

nn_tensor *nn_convolve(nn_tensor *x, const nn_conv *layer, nn_act act)
{
    nn_tensor *y = NULL;
    if (x && layer && nn_fits(!layer->shape.transposed && takes(layer, x, act), x, "convolution"))
        y = x->engine->ops->convolve(x, layer, act);
    nn_drop(x);
    return y;
}

/* Replaces the "all" of a crop by the size; false if it does not lie inside. */
static bool resolve(nn_crop_to *crop, int64_t rows, int64_t time)
{
    if (!crop->rows)
        crop->rows = rows - crop->from_row;
    if (!crop->time)
        crop->time = time - crop->from;
    return crop->rows > 0 && crop->time > 0 && crop->from_row >= 0 && crop->from >= 0 &&
           crop->rows <= rows - crop->from_row && crop->time <= time - crop->from;
}

nn_tensor *nn_convolve_transposed(nn_tensor *x, const nn_conv *layer, nn_crop_to crop, nn_act act)
{
    nn_tensor *y = NULL;
    if (x && layer) {
        const nn_conv_shape *s = &layer->shape;
        int64_t rows = (x->rows - 1) * s->stride_rows + s->kernel_rows;
        int64_t time = (x->time - 1) * s->stride + s->kernel;
        if (nn_fits(s->transposed && act != NN_GLU && takes(layer, x, act) && resolve(&crop, rows, time), x,
                    "transposed convolution"))
            y = x->engine->ops->convolve_transposed(x, layer, crop, act);
    }
    nn_drop(x);
    return y;
}

nn_tensor *nn_crop(nn_tensor *x, nn_crop_to crop)
{
    nn_tensor *y = NULL;
    if (x && nn_fits(resolve(&crop, x->rows, x->time), x, "crop")) {
        if (crop.rows == x->rows && crop.time == x->time)
            return x;
        y = x->engine->ops->crop(x, crop);
    }
    nn_drop(x);
    return y;
}

nn_tensor *nn_pad_time(nn_tensor *x, int multiple)
{
    if (!x || x->time % multiple == 0)
        return x;
    nn_tensor *y = x->engine->ops->pad_time(x, x->time + multiple - x->time % multiple);
    nn_drop(x);
    return y;
}

nn_tensor *nn_normalize(nn_tensor *x, const nn_norm *layer, nn_act act)
{
    nn_tensor *y = NULL;
    if (x && layer &&
        nn_fits(x->channels == layer->channels && (act != NN_GLU || x->channels % 2 == 0) &&
                    (layer->groups || layer->over != NN_OVER_ROW || act == NN_LINEAR),
                x, "norm"))
        y = x->engine->ops->normalize(x, layer, act);
    nn_drop(x);
    return y;
}

nn_tensor *nn_convolve_normalized(nn_tensor *x, const nn_conv *conv, const nn_norm *norm, nn_act act)
{
    nn_tensor *y = NULL;
    if (x && conv && norm &&
        nn_fits(!conv->shape.transposed && takes(conv, x, act) && norm->channels == conv->shape.out, x,
                "convolution")) {
        const nn_fused *fused = &x->engine->ops->fused;
        y = fused->convolve_normalized
                ? fused->convolve_normalized(x, conv, norm, act)
                : nn_normalize(x->engine->ops->convolve(x, conv, NN_LINEAR), norm, act);
    }
    nn_drop(x);
    return y;
}

nn_tensor *nn_activate(nn_tensor *x, nn_act act)
{
    if (!x || act == NN_LINEAR)
        return x;
    nn_tensor *y = x->engine->ops->activate(x, act);
    nn_drop(x);
    return y;
}

nn_tensor *nn_add(nn_tensor *x, nn_tensor *y)
{
    nn_tensor *z = NULL;
    if (x && y &&
        nn_fits(x->channels == y->channels && (y->rows == x->rows || y->rows == 1) &&
                    (y->time == x->time || y->time == 1),
                x, "sum"))
        z = x->engine->ops->add(x, y);
    nn_drop(x);
    nn_drop(y);
    return z;
}

nn_tensor *nn_scale(nn_tensor *x, double factor, double offset)
{
    nn_tensor *y = x ? x->engine->ops->scale(x, factor, offset) : NULL;
    nn_drop(x);
    return y;
}

nn_tensor *nn_add_convolved(nn_tensor *x, nn_tensor *y, const nn_conv *layer)
{
    nn_tensor *z = NULL;
    if (x && y && layer &&
        nn_fits(takes(layer, y, NN_LINEAR) && layer->shape.kernel_rows == 1 &&
                    layer->shape.out == x->channels && x->rows == y->rows && x->time == y->time,
                x, "residual")) {
        const nn_fused *fused = &x->engine->ops->fused;
        z = fused->add_convolved ? fused->add_convolved(x, y, layer)
                                 : nn_add(nn_keep(x), x->engine->ops->convolve(y, layer, NN_LINEAR));
    }
    nn_drop(x);
    nn_drop(y);
    return z;
}

static nn_tensor *compose_branch(nn_tensor *x, nn_tensor *y, const nn_conv *conv, const nn_norm *norm,
                                 const nn_norm *scale)
{
    nn_tensor *z = y->engine->ops->convolve(y, conv, NN_LINEAR);
    return nn_add(nn_keep(x), nn_normalize(nn_normalize(z, norm, NN_GLU), scale, NN_LINEAR));
}

nn_tensor *nn_add_branch(nn_tensor *x, nn_tensor *y, const nn_conv *conv, const nn_norm *norm,
                         const nn_norm *scale)
{
    nn_tensor *z = NULL;
    if (x && y && conv && norm && scale &&
        nn_fits(takes(conv, y, NN_GLU) && conv->shape.kernel_rows == 1 &&
                    conv->shape.out == 2 * x->channels && norm->channels == conv->shape.out &&
                    scale->channels == x->channels && x->rows == y->rows && x->time == y->time,
                x, "branch")) {
        const nn_fused *fused = &x->engine->ops->fused;
        z = fused->add_branch ? fused->add_branch(x, y, conv, norm, scale)
                              : compose_branch(x, y, conv, norm, scale);
    }
    nn_drop(x);
    nn_drop(y);
    return z;
}

bool nn_moments(const nn_tensor *x, double *mean, double *deviation)
{
    return x && x->engine->ops->moments(x, mean, deviation);
}

nn_tensor *nn_flatten(nn_tensor *x)
{
    if (!x || x->rows == 1)
        return x;
    nn_tensor *y = x->engine->ops->flatten(x);
    nn_drop(x);
    return y;
}

nn_tensor *nn_unflatten(nn_tensor *x, int64_t rows)
{
    nn_tensor *y = NULL;
    if (x && nn_fits(x->rows == 1 && x->time % rows == 0, x, "unflatten"))
        y = x->engine->ops->unflatten(x, rows);
    nn_drop(x);
    return y;
}

nn_tensor *nn_attention(nn_tensor *q, nn_tensor *kv, int heads)
{
    nn_tensor *y = NULL;
    if (q && kv && nn_fits(kv->channels == 2 * q->channels && q->channels % heads == 0, q, "attention"))
        y = q->engine->ops->attention(q, kv, heads);
    nn_drop(q);
    nn_drop(kv);
    return y;
}

nn_tensor *nn_local_attention(nn_tensor *x, int channels, int heads, int decays)
{
    nn_tensor *y = NULL;
    if (x && nn_fits(x->channels == 3 * channels + heads * decays && channels % heads == 0, x, "attention"))
        y = x->engine->ops->local_attention(x, channels, heads, decays);
    nn_drop(x);
    return y;
}

nn_tensor *nn_run_lstm(nn_tensor *x, const nn_lstm *layer)
{
    nn_tensor *y = NULL;
    if (x && layer && nn_fits(x->channels == layer->in, x, "LSTM"))
        y = x->engine->ops->run_lstm(x, layer);
    nn_drop(x);
    return y;
}

nn_tensor *nn_windows(nn_tensor *x, int64_t width, int64_t stride)
{
    nn_tensor *y = x ? x->engine->ops->windows(x, width, stride) : NULL;
    nn_drop(x);
    return y;
}

nn_tensor *nn_join_windows(nn_tensor *x, int64_t rows, int64_t stride, int64_t time)
{
    nn_tensor *y = NULL;
    if (x && nn_fits(x->rows % rows == 0, x, "windows"))
        y = x->engine->ops->join_windows(x, rows, stride, time);
    nn_drop(x);
    return y;
}

nn_tensor *nn_spectrum(nn_tensor *x, int nfft, bool reflect)
{
    nn_tensor *y = NULL;
    if (x && nn_fits(x->rows == 1, x, "spectrum"))
        y = x->engine->ops->spectrum(x, nfft, reflect);
    nn_drop(x);
    return y;
}

nn_tensor *nn_signal(nn_tensor *x, int64_t offset, int64_t time)
{
    nn_tensor *y = NULL;
    if (x && nn_fits(x->channels % 2 == 0 && offset + time <= (x->time + 3) * x->rows / 2, x, "signal"))
        y = x->engine->ops->signal(x, offset, time);
    nn_drop(x);
    return y;
}
