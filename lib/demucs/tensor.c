/* SPDX-License-Identifier: GPL-3.0-or-later
 * tensor.c - ownership and shapes of tensors; the operations are the backend's. */
#include "backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void dm_engine_free(dm_engine *engine)
{
    if (!engine)
        return;
    engine->ops->close(engine);
    free(engine);
}

bool dm_engine_fail(dm_engine *engine, ap_status code, const char *format, ...)
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

bool dm_engine_check(dm_engine *engine, ap_error *err)
{
    bool failed = engine->failed;
    if (failed && err)
        *err = engine->error;
    engine->failed = false;
    return !failed;
}

/* ---- tensors */

dm_tensor *dm_tensor_shell(dm_engine *engine, int64_t rows, int64_t channels, int64_t time)
{
    dm_tensor *x = malloc(sizeof *x);
    if (x)
        *x = (dm_tensor){engine, 1, rows, channels, time, NULL};
    else
        dm_engine_fail(engine, AP_TRY_AGAIN, "out of memory");
    return x;
}

dm_tensor *dm_tensor_new(dm_engine *engine, int64_t rows, int64_t channels, int64_t time, const float *data)
{
    dm_tensor *x = dm_tensor_shell(engine, rows, channels, time);
    if (x && !engine->ops->upload(x, data)) {
        free(x);
        x = NULL;
    }
    return x;
}

bool dm_tensor_read(dm_tensor *x, float *data)
{
    bool ok = x && x->engine->ops->download(x, data);
    dm_drop(x);
    return ok;
}

dm_tensor *dm_keep(dm_tensor *x)
{
    if (x)
        x->refs++;
    return x;
}

void dm_drop(dm_tensor *x)
{
    if (!x || --x->refs > 0)
        return;
    x->engine->ops->free_tensor(x);
    free(x);
}

bool dm_alone(const dm_tensor *x)
{
    return x->refs == 1;
}

int64_t dm_rows(const dm_tensor *x)
{
    return x ? x->rows : 0;
}

int64_t dm_channels(const dm_tensor *x)
{
    return x ? x->channels : 0;
}

int64_t dm_time(const dm_tensor *x)
{
    return x ? x->time : 0;
}

/* A layer was given something that it is not made for: a network that contradicts itself. */
static bool fits(bool condition, const dm_tensor *x, const char *operation)
{
    return condition ||
           dm_engine_fail(x->engine, AP_FAILED,
                          "the model's layers do not fit together: %s of [%lld][%lld][%lld]", operation,
                          (long long)x->rows, (long long)x->channels, (long long)x->time);
}

/* ---- layers */

dm_conv *dm_conv_new(dm_engine *engine, const dm_conv_shape *shape, const float *weight, const float *bias)
{
    dm_conv *layer = calloc(1, sizeof *layer);
    if (!layer)
        return NULL;
    *layer = (dm_conv){engine, *shape, NULL};
    if (engine->ops->new_conv(layer, weight, bias))
        return layer;
    free(layer);
    return NULL;
}

void dm_conv_free(dm_conv *layer)
{
    if (layer)
        layer->engine->ops->free_conv(layer);
    free(layer);
}

dm_norm *dm_norm_new(dm_engine *engine, dm_norm_over over, int groups, int channels, const float *weight,
                     const float *bias)
{
    dm_norm *layer = calloc(1, sizeof *layer);
    if (!layer)
        return NULL;
    *layer = (dm_norm){engine, over, groups, channels, NULL};
    if (engine->ops->new_norm(layer, weight, bias))
        return layer;
    free(layer);
    return NULL;
}

void dm_norm_free(dm_norm *layer)
{
    if (layer)
        layer->engine->ops->free_norm(layer);
    free(layer);
}

dm_lstm *dm_lstm_new(dm_engine *engine, int in, int hidden, int layers, const dm_lstm_weights *directions)
{
    dm_lstm *layer = calloc(1, sizeof *layer);
    if (!layer)
        return NULL;
    *layer = (dm_lstm){engine, in, hidden, layers, NULL};
    if (engine->ops->new_lstm(layer, directions))
        return layer;
    free(layer);
    return NULL;
}

void dm_lstm_free(dm_lstm *layer)
{
    if (layer)
        layer->engine->ops->free_lstm(layer);
    free(layer);
}

/* ---- operations */

int64_t dm_conv_length(int64_t length, int kernel, int stride, int pad, int dilation)
{
    int64_t room = length + 2 * (int64_t)pad - (int64_t)dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
}

static bool takes(const dm_conv *layer, const dm_tensor *x, dm_act act)
{
    const dm_conv_shape *s = &layer->shape;
    return x->channels == s->in && (act != DM_GLU || s->out % 2 == 0) &&
           (s->transposed || (dm_conv_length(x->rows, s->kernel_rows, s->stride_rows, s->pad_rows, 1) > 0 &&
                              dm_conv_length(x->time, s->kernel, s->stride, s->pad, s->dilation) > 0));
}

dm_tensor *dm_convolve(dm_tensor *x, const dm_conv *layer, dm_act act)
{
    dm_tensor *y = NULL;
    if (x && layer && fits(!layer->shape.transposed && takes(layer, x, act), x, "convolution"))
        y = x->engine->ops->convolve(x, layer, act);
    dm_drop(x);
    return y;
}

/* Replaces the "all" of a crop by the size; false if it does not lie inside. */
static bool resolve(dm_crop_to *crop, int64_t rows, int64_t time)
{
    if (!crop->rows)
        crop->rows = rows - crop->from_row;
    if (!crop->time)
        crop->time = time - crop->from;
    return crop->rows > 0 && crop->time > 0 && crop->from_row >= 0 && crop->from >= 0 &&
           crop->rows <= rows - crop->from_row && crop->time <= time - crop->from;
}

dm_tensor *dm_convolve_transposed(dm_tensor *x, const dm_conv *layer, dm_crop_to crop, dm_act act)
{
    dm_tensor *y = NULL;
    if (x && layer) {
        const dm_conv_shape *s = &layer->shape;
        int64_t rows = (x->rows - 1) * s->stride_rows + s->kernel_rows;
        int64_t time = (x->time - 1) * s->stride + s->kernel;
        if (fits(s->transposed && act != DM_GLU && takes(layer, x, act) && resolve(&crop, rows, time), x,
                 "transposed convolution"))
            y = x->engine->ops->convolve_transposed(x, layer, crop, act);
    }
    dm_drop(x);
    return y;
}

dm_tensor *dm_crop(dm_tensor *x, dm_crop_to crop)
{
    dm_tensor *y = NULL;
    if (x && fits(resolve(&crop, x->rows, x->time), x, "crop")) {
        if (crop.rows == x->rows && crop.time == x->time)
            return x;
        y = x->engine->ops->crop(x, crop);
    }
    dm_drop(x);
    return y;
}

dm_tensor *dm_pad_time(dm_tensor *x, int multiple)
{
    if (!x || x->time % multiple == 0)
        return x;
    dm_tensor *y = x->engine->ops->pad_time(x, x->time + multiple - x->time % multiple);
    dm_drop(x);
    return y;
}

dm_tensor *dm_normalize(dm_tensor *x, const dm_norm *layer, dm_act act)
{
    dm_tensor *y = NULL;
    if (x && layer &&
        fits(x->channels == layer->channels && (act != DM_GLU || x->channels % 2 == 0), x, "norm"))
        y = x->engine->ops->normalize(x, layer, act);
    dm_drop(x);
    return y;
}

dm_tensor *dm_convolve_normalized(dm_tensor *x, const dm_conv *conv, const dm_norm *norm, dm_act act)
{
    dm_tensor *y = NULL;
    if (x && conv && norm &&
        fits(!conv->shape.transposed && takes(conv, x, act) && norm->channels == conv->shape.out, x,
             "convolution"))
        y = x->engine->ops->convolve_normalized(x, conv, norm, act);
    dm_drop(x);
    return y;
}

dm_tensor *dm_activate(dm_tensor *x, dm_act act)
{
    if (!x || act == DM_LINEAR)
        return x;
    dm_tensor *y = x->engine->ops->activate(x, act);
    dm_drop(x);
    return y;
}

dm_tensor *dm_add(dm_tensor *x, dm_tensor *y)
{
    dm_tensor *z = NULL;
    if (x && y &&
        fits(x->channels == y->channels && (y->rows == x->rows || y->rows == 1) &&
                 (y->time == x->time || y->time == 1),
             x, "sum"))
        z = x->engine->ops->add(x, y);
    dm_drop(x);
    dm_drop(y);
    return z;
}

dm_tensor *dm_scale(dm_tensor *x, double factor, double offset)
{
    dm_tensor *y = x ? x->engine->ops->scale(x, factor, offset) : NULL;
    dm_drop(x);
    return y;
}

dm_tensor *dm_add_convolved(dm_tensor *x, dm_tensor *y, const dm_conv *layer)
{
    dm_tensor *z = NULL;
    if (x && y && layer &&
        fits(takes(layer, y, DM_LINEAR) && layer->shape.kernel_rows == 1 && layer->shape.out == x->channels &&
                 x->rows == y->rows && x->time == y->time,
             x, "residual"))
        z = x->engine->ops->add_convolved(x, y, layer);
    dm_drop(x);
    dm_drop(y);
    return z;
}

dm_tensor *dm_add_branch(dm_tensor *x, dm_tensor *y, const dm_conv *conv, const dm_norm *norm,
                         const dm_norm *scale)
{
    dm_tensor *z = NULL;
    if (x && y && conv && norm && scale &&
        fits(takes(conv, y, DM_GLU) && conv->shape.kernel_rows == 1 && conv->shape.out == 2 * x->channels &&
                 norm->channels == conv->shape.out && scale->channels == x->channels && x->rows == y->rows &&
                 x->time == y->time,
             x, "branch"))
        z = x->engine->ops->add_branch(x, y, conv, norm, scale);
    dm_drop(x);
    dm_drop(y);
    return z;
}

bool dm_moments(const dm_tensor *x, double *mean, double *deviation)
{
    return x && x->engine->ops->moments(x, mean, deviation);
}

dm_tensor *dm_flatten(dm_tensor *x)
{
    if (!x || x->rows == 1)
        return x;
    dm_tensor *y = x->engine->ops->flatten(x);
    dm_drop(x);
    return y;
}

dm_tensor *dm_unflatten(dm_tensor *x, int64_t rows)
{
    dm_tensor *y = NULL;
    if (x && fits(x->rows == 1 && x->time % rows == 0, x, "unflatten"))
        y = x->engine->ops->unflatten(x, rows);
    dm_drop(x);
    return y;
}

dm_tensor *dm_attention(dm_tensor *q, dm_tensor *kv, int heads)
{
    dm_tensor *y = NULL;
    if (q && kv && fits(kv->channels == 2 * q->channels && q->channels % heads == 0, q, "attention"))
        y = q->engine->ops->attention(q, kv, heads);
    dm_drop(q);
    dm_drop(kv);
    return y;
}

dm_tensor *dm_local_attention(dm_tensor *x, int channels, int heads, int decays)
{
    dm_tensor *y = NULL;
    if (x && fits(x->channels == 3 * channels + heads * decays && channels % heads == 0, x, "attention"))
        y = x->engine->ops->local_attention(x, channels, heads, decays);
    dm_drop(x);
    return y;
}

dm_tensor *dm_run_lstm(dm_tensor *x, const dm_lstm *layer)
{
    dm_tensor *y = NULL;
    if (x && layer && fits(x->channels == layer->in, x, "LSTM"))
        y = x->engine->ops->run_lstm(x, layer);
    dm_drop(x);
    return y;
}

dm_tensor *dm_windows(dm_tensor *x, int64_t width, int64_t stride)
{
    dm_tensor *y = x ? x->engine->ops->windows(x, width, stride) : NULL;
    dm_drop(x);
    return y;
}

dm_tensor *dm_join_windows(dm_tensor *x, int64_t rows, int64_t stride, int64_t time)
{
    dm_tensor *y = NULL;
    if (x && fits(x->rows % rows == 0, x, "windows"))
        y = x->engine->ops->join_windows(x, rows, stride, time);
    dm_drop(x);
    return y;
}

dm_tensor *dm_spectrum(dm_tensor *x, int nfft, bool reflect)
{
    dm_tensor *y = NULL;
    if (x && fits(x->rows == 1, x, "spectrum"))
        y = x->engine->ops->spectrum(x, nfft, reflect);
    dm_drop(x);
    return y;
}

dm_tensor *dm_signal(dm_tensor *x, int64_t offset, int64_t time)
{
    dm_tensor *y = NULL;
    if (x && fits(x->channels % 2 == 0 && offset + time <= (x->time + 3) * x->rows / 2, x, "signal"))
        y = x->engine->ops->signal(x, offset, time);
    dm_drop(x);
    return y;
}
