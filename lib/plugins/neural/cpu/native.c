/* SPDX-License-Identifier: GPL-3.0-or-later
 * native.c - the CPU backend: memory, threads, and the operations that only move or scale data. */
#include "plugins/neural/cpu/native.h"
#include "base/error.h"
#include "plugins/neural/tensor/tensor.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Buffers that are kept for the next tensor: fresh memory of this size costs a page fault for each 4 KiB. */
#define POOL_SIZE 24

/* In front of every tensor's floats. */
typedef struct header {
    size_t capacity; /* floats */
    char fill[64 - sizeof(size_t)];
} header;

typedef struct native {
    const nn_kernels *kernels;
    nn_threads *threads;
    header *pool[POOL_SIZE];
    float **scratch; /* of each thread */
    size_t scratch_size;
    float *buffer;
    size_t buffer_size;
    float *twiddles; /* cosines, then sines */
    size_t twiddles_n;
} native;

static native *of(const nn_engine *engine)
{
    return engine->data;
}

static bool no_memory(nn_engine *engine)
{
    return nn_engine_fail(engine, AP_TRY_AGAIN, "out of memory");
}

const nn_kernels *nn_native_kernels(const nn_engine *engine)
{
    return of(engine)->kernels;
}

/* ---- memory */

/* The smallest buffer in the pool that is large enough and not far too large. */
static header *from_pool(native *n, size_t floats)
{
    header **best = NULL;
    for (size_t i = 0; i < POOL_SIZE; i++) {
        header **h = &n->pool[i];
        if (*h && (*h)->capacity >= floats && (*h)->capacity / 2 <= floats &&
            (!best || (*h)->capacity < (*best)->capacity))
            best = h;
    }
    header *found = best ? *best : NULL;
    if (best)
        *best = NULL;
    return found;
}

static float *take(nn_engine *engine, size_t floats)
{
    floats = (floats + NN_SLACK + 15) & ~(size_t)15;
    header *h = from_pool(of(engine), floats);
    if (!h && (h = aligned_alloc(64, sizeof *h + floats * sizeof(float))))
        h->capacity = floats;
    return h ? (float *)(h + 1) : NULL;
}

/* Back to the pool, in the place of the smallest if it is full. */
static void give(nn_engine *engine, float *floats)
{
    native *n = of(engine);
    header *h = (header *)floats - 1, **smallest = &n->pool[0];
    for (size_t i = 0; i < POOL_SIZE; i++) {
        if (!n->pool[i]) {
            n->pool[i] = h;
            return;
        }
        if (n->pool[i]->capacity < (*smallest)->capacity)
            smallest = &n->pool[i];
    }
    if ((*smallest)->capacity < h->capacity) {
        header *other = *smallest;
        *smallest = h;
        h = other;
    }
    free(h);
}

nn_tensor *nn_native_new(nn_engine *engine, int64_t rows, int64_t channels, int64_t time)
{
    nn_tensor *x = nn_tensor_shell(engine, rows, channels, time);
    if (!x)
        return NULL;
    const size_t floats = (size_t)(rows * channels * time);
    float *data = take(engine, floats);
    x->data = data;
    if (data) {
        memset(data + floats, 0, NN_SLACK * sizeof *data);
        return x;
    }
    no_memory(engine);
    free(x);
    return NULL;
}

static size_t size_of(const nn_tensor *x)
{
    return (size_t)(x->rows * x->channels * x->time);
}

nn_tensor *nn_native_own(nn_tensor *x)
{
    if (nn_alone(x))
        return nn_keep(x);
    nn_tensor *y = nn_native_new(x->engine, x->rows, x->channels, x->time);
    if (y)
        memcpy(y->data, x->data, size_of(x) * sizeof(float));
    return y;
}

bool nn_native_reserve(nn_engine *engine, size_t floats)
{
    native *n = of(engine);
    if (n->scratch_size >= floats)
        return true;
    floats = (floats + 15) & ~(size_t)15;
    n->scratch_size = 0;
    for (int i = 0; i < engine->threads; i++) {
        free(n->scratch[i]);
        n->scratch[i] = aligned_alloc(64, floats * sizeof(float));
        if (!n->scratch[i])
            return no_memory(engine);
    }
    n->scratch_size = floats;
    return true;
}

float *nn_native_scratch(const nn_engine *engine)
{
    return of(engine)->scratch[nn_threads_number()];
}

/* A loop that may be given up: what it was to write is then not all there, and the engine has failed. */
typedef struct watched {
    nn_engine *engine;
    nn_task *task;
    const void *job;
    atomic_bool *stop;
} watched;

static void run_watched(const void *job, size_t i)
{
    const watched *w = job;
    if (nn_threads_number() == 0 && !nn_engine_may_go_on(w->engine))
        atomic_store(w->stop, true);
    if (!atomic_load_explicit(w->stop, memory_order_relaxed))
        w->task(w->job, i);
}

void nn_native_each(nn_engine *engine, size_t count, nn_task *task, const void *job)
{
    atomic_bool stop = false;
    const watched w = {engine, task, job, &stop};
    if (engine->go_on)
        nn_threads_run(of(engine)->threads, count, run_watched, &w);
    else
        nn_threads_run(of(engine)->threads, count, task, job);
}

float *nn_native_buffer(nn_engine *engine, size_t floats)
{
    native *n = of(engine);
    if (n->buffer_size < floats) {
        free(n->buffer);
        n->buffer = aligned_alloc(64, ((floats + 15) & ~(size_t)15) * sizeof(float));
        n->buffer_size = n->buffer ? floats : 0;
        if (!n->buffer)
            no_memory(engine);
    }
    return n->buffer;
}

size_t nn_native_columns(const nn_engine *engine, int64_t rows, int64_t time)
{
    const int64_t blocks = rows * ((time + NN_COLUMNS - 1) / NN_COLUMNS), wanted = 2 * engine->threads;
    if (blocks >= wanted)
        return NN_COLUMNS;
    const int64_t nr = (int64_t)of(engine)->kernels->nr, share = rows * time / wanted;
    const int64_t columns = (share + nr - 1) / nr * nr;
    return (size_t)(columns < nr ? nr : columns < NN_COLUMNS ? columns : NN_COLUMNS);
}

nn_blocks nn_native_blocks(const nn_engine *engine, int64_t rows, int64_t time)
{
    return (nn_blocks){(size_t)time, nn_native_columns(engine, rows, time)};
}

size_t nn_blocks_of(nn_blocks b, size_t rows)
{
    return rows * ((b.time + b.columns - 1) / b.columns);
}

nn_block nn_block_at(nn_blocks b, size_t i)
{
    const size_t each = nn_blocks_of(b, 1), from = i % each * b.columns;
    return (nn_block){i / each, from, b.time - from < b.columns ? b.time - from : b.columns};
}

bool nn_native_twiddles(nn_engine *engine, size_t n, const float **cosines, const float **sines)
{
    native *e = of(engine);
    if (e->twiddles_n != n) {
        free(e->twiddles);
        e->twiddles = malloc(n * sizeof *e->twiddles);
        e->twiddles_n = e->twiddles ? n : 0;
        if (!e->twiddles)
            return no_memory(engine);
        for (size_t i = 0; i < n / 2; i++) {
            const double angle = 2 * M_PI * (double)i / (double)n;
            e->twiddles[i] = (float)cos(angle);
            e->twiddles[n / 2 + i] = (float)sin(angle);
        }
    }
    *cosines = e->twiddles;
    *sines = e->twiddles + n / 2;
    return true;
}

/* ---- engine and data */

static void native_close(nn_engine *engine)
{
    native *n = of(engine);
    for (size_t i = 0; i < POOL_SIZE; i++)
        free(n->pool[i]);
    for (int i = 0; n->scratch && i < engine->threads; i++)
        free(n->scratch[i]);
    free(n->scratch);
    free(n->buffer);
    free(n->twiddles);
    nn_threads_free(n->threads);
    free(n);
}

static bool native_open(nn_engine *engine, const char *device, ap_error *err)
{
    (void)device;
    native *n = calloc(1, sizeof *n);
    if (!n)
        return ap_fail_memory(err);
    engine->data = n;
    n->kernels = nn_kernels_usable(0);
    snprintf(engine->name, sizeof engine->name, "CPU, kernels for %s, threads: %d", n->kernels->name,
             engine->threads);
    n->scratch = calloc((size_t)engine->threads, sizeof *n->scratch);
    n->threads = nn_threads_new((size_t)engine->threads);
    if (n->scratch && n->threads)
        return true;
    native_close(engine);
    return ap_fail_memory(err);
}

static bool native_upload(nn_tensor *x, const float *data)
{
    const size_t floats = size_of(x);
    float *to = take(x->engine, floats);
    if (!to)
        return no_memory(x->engine);
    memcpy(to, data, floats * sizeof *to);
    memset(to + floats, 0, NN_SLACK * sizeof *to);
    x->data = to;
    return true;
}

static bool native_download(const nn_tensor *x, float *data)
{
    memcpy(data, x->data, size_of(x) * sizeof *data);
    return true;
}

static void native_free_tensor(nn_tensor *x)
{
    give(x->engine, x->data);
}

/* ---- operations that only move or scale */

nn_tensor *nn_native_crop(nn_tensor *x, nn_crop_to c)
{
    nn_tensor *y = nn_native_new(x->engine, c.rows, x->channels, c.time);
    if (!y)
        return NULL;
    for (int64_t i = 0; i < c.rows * x->channels; i++)
        memcpy(nn_floats(y) + i * c.time, nn_floats(x) + (c.from_row * x->channels + i) * x->time + c.from,
               (size_t)c.time * sizeof(float));
    return y;
}

static nn_tensor *native_pad_time(nn_tensor *x, int64_t time)
{
    nn_tensor *y = nn_native_new(x->engine, x->rows, x->channels, time);
    if (!y)
        return NULL;
    for (int64_t i = 0; i < x->rows * x->channels; i++) {
        float *to = nn_floats(y) + i * time;
        memcpy(to, nn_floats(x) + i * x->time, (size_t)x->time * sizeof *to);
        memset(to + x->time, 0, (size_t)(time - x->time) * sizeof *to);
    }
    return y;
}

typedef struct sum {
    const nn_tensor *x, *y; /* y is added to x */
} sum;

static void add_line(const void *job, size_t i)
{
    const sum *s = job;
    const nn_tensor *x = s->x, *y = s->y;
    const nn_kernels *k = nn_native_kernels(x->engine);
    const size_t time = (size_t)x->time, j = y->rows == 1 ? i % (size_t)x->channels : i;
    if (y->time == x->time)
        k->add(nn_floats(x) + i * time, nn_floats(y) + j * time, time);
    else
        k->affine(nn_floats(x) + i * time, 1, nn_floats(y)[j], time);
}

static nn_tensor *native_add(nn_tensor *x, nn_tensor *y)
{
    nn_tensor *z = nn_native_own(x);
    if (z)
        nn_native_each(x->engine, (size_t)(x->rows * x->channels), add_line, &(sum){z, y});
    return z;
}

typedef struct scaling {
    const nn_tensor *x;
    float factor, offset;
} scaling;

static void scale_line(const void *job, size_t i)
{
    const scaling *s = job;
    const size_t time = (size_t)s->x->time;
    nn_native_kernels(s->x->engine)->affine(nn_floats(s->x) + i * time, s->factor, s->offset, time);
}

static nn_tensor *native_scale(nn_tensor *x, double factor, double offset)
{
    nn_tensor *y = nn_native_own(x);
    if (y)
        nn_native_each(x->engine, (size_t)(x->rows * x->channels), scale_line,
                       &(scaling){y, (float)factor, (float)offset});
    return y;
}

/* [outer][inner][time] to [inner][outer][time] */
typedef struct swapping {
    const float *from;
    float *to;
    size_t outer, inner, time;
} swapping;

static void swap_line(const void *job, size_t i)
{
    const swapping *s = job;
    const size_t j = i % s->outer * s->inner + i / s->outer;
    memcpy(s->to + i * s->time, s->from + j * s->time, s->time * sizeof *s->to);
}

static void swap(const nn_tensor *x, const nn_tensor *y, int64_t outer, int64_t inner, int64_t time)
{
    nn_native_each(x->engine, (size_t)(outer * inner), swap_line,
                   &(swapping){nn_floats(x), nn_floats(y), (size_t)outer, (size_t)inner, (size_t)time});
}

static nn_tensor *native_flatten(nn_tensor *x)
{
    nn_tensor *y = nn_native_new(x->engine, 1, x->channels, x->rows * x->time);
    if (y)
        swap(x, y, x->rows, x->channels, x->time);
    return y;
}

static nn_tensor *native_unflatten(nn_tensor *x, int64_t rows)
{
    nn_tensor *y = nn_native_new(x->engine, rows, x->channels, x->time / rows);
    if (y)
        swap(x, y, x->channels, rows, x->time / rows);
    return y;
}

static nn_tensor *native_windows(nn_tensor *x, int64_t width, int64_t stride)
{
    const int64_t count = (x->time + stride - 1) / stride;
    nn_tensor *y = nn_native_new(x->engine, x->rows * count, x->channels, width);
    for (int64_t i = 0; y && i < y->rows * x->channels; i++) {
        const int64_t row = i / x->channels, channel = i % x->channels, from = row % count * stride;
        const int64_t there = x->time - from < width ? x->time - from : width;
        float *to = nn_floats(y) + i * width;
        memcpy(to, nn_floats(x) + (row / count * x->channels + channel) * x->time + from,
               (size_t)there * sizeof *to);
        memset(to + there, 0, (size_t)(width - there) * sizeof *to);
    }
    return y;
}

/* Each window gives the moments that are nearer to its middle than to those of its neighbours. */
static nn_tensor *native_join_windows(nn_tensor *x, int64_t rows, int64_t stride, int64_t time)
{
    const int64_t count = x->rows / rows, margin = stride / 2;
    nn_tensor *y = nn_native_new(x->engine, rows, x->channels, time);
    for (int64_t i = 0; y && i < x->rows * x->channels; i++) {
        const int64_t row = i / x->channels, channel = i % x->channels, window = row % count;
        const int64_t from = window == 0 ? 0 : margin, at = window * stride + from;
        int64_t size = x->time - from - (window == count - 1 ? 0 : margin);
        size = size < time - at ? size : time - at;
        if (size > 0)
            memcpy(nn_floats(y) + (row / count * x->channels + channel) * time + at,
                   nn_floats(x) + i * x->time + from, (size_t)size * sizeof(float));
    }
    return y;
}

static const nn_backend backend = {
    .open = native_open,
    .close = native_close,
    .upload = native_upload,
    .download = native_download,
    .free_tensor = native_free_tensor,
    .new_conv = nn_native_new_conv,
    .free_conv = nn_native_free_conv,
    .new_norm = nn_native_new_norm,
    .free_norm = nn_native_free_norm,
    .new_lstm = nn_native_new_lstm,
    .free_lstm = nn_native_free_lstm,
    .convolve = nn_native_convolve,
    .convolve_transposed = nn_native_convolve_transposed,
    .crop = nn_native_crop,
    .pad_time = native_pad_time,
    .normalize = nn_native_normalize,
    .activate = nn_native_activate,
    .add = native_add,
    .scale = native_scale,
    .moments = nn_native_moments,
    .flatten = native_flatten,
    .unflatten = native_unflatten,
    .attention = nn_native_attention,
    .local_attention = nn_native_local_attention,
    .run_lstm = nn_native_run_lstm,
    .windows = native_windows,
    .join_windows = native_join_windows,
    .spectrum = nn_native_spectrum,
    .signal = nn_native_signal,
    .new_linear = nn_native_new_linear,
    .free_linear = nn_native_free_linear,
    .apply_linear = nn_native_apply_linear,
    .row_attention = nn_native_row_attention,
    .stft = nn_native_stft,
    .istft = nn_native_istft,
    .reshape = nn_native_reshape,
    .permute = nn_native_permute,
    .put_rows = nn_native_put_rows,
    .concat = nn_native_concat,
    .multiply = nn_native_multiply,
    .multiply_complex = nn_native_multiply_complex,
    .zeros = nn_native_zeros,
    .fused = {.apply_normalized = nn_native_apply_normalized,
              .attend = nn_native_attend,
              .feed_forward = nn_native_feed_forward,
              .add_linear = nn_native_add_linear,
              .convolve_normalized = nn_native_convolve_normalized,
              .add_convolved = nn_native_add_convolved,
              .add_branch = nn_native_add_branch},
};

const nn_backend *nn_native_backend(void)
{
    return &backend;
}
