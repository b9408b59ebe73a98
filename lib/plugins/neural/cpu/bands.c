/* SPDX-License-Identifier: GPL-3.0-or-later
 * bands.c - the operations of networks on bands that move data, and products of elements. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <string.h>

/* Columns that a permutation takes at a time, so that what it reads and writes far apart stays in the cache.
 */
#define TILE 16

nn_tensor *nn_native_zeros(nn_engine *engine, int64_t rows, int64_t channels, int64_t time)
{
    nn_tensor *y = nn_native_new(engine, rows, channels, time);
    if (y)
        memset(nn_floats(y), 0, (size_t)(rows * channels * time) * sizeof(float));
    return y;
}

nn_tensor *nn_native_reshape(nn_tensor *x, int64_t rows, int64_t channels, int64_t time)
{
    nn_tensor *y = nn_native_own(x);
    if (!y)
        return NULL;
    y->rows = rows;
    y->channels = channels;
    y->time = time;
    return y;
}

/* The innermost two dimensions: out[i][j] = in[i * a + j * b]. */
static void copy_plane(const float *in, int64_t m, int64_t n, int64_t a, int64_t b, float *out)
{
    for (int64_t first = 0; first < n; first += TILE) {
        const int64_t end = n - first < TILE ? n : first + TILE;
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = first; j < end; j++)
                out[i * n + j] = in[i * a + j * b];
    }
}

/* Dimensions of the result: how long they are, and how far apart in the source. */
typedef struct permutation {
    const float *from;
    float *to;
    int64_t size[5], step[5];
} permutation;

static void permute_plane(const void *job, size_t number)
{
    const permutation *p = job;
    const int64_t *size = p->size, *step = p->step, m = size[3], n = size[4], plane = (int64_t)number;
    const int64_t c = plane % size[2], b = plane / size[2] % size[1], a = plane / size[2] / size[1];
    const float *in = p->from + a * step[0] + b * step[1] + c * step[2];
    float *out = p->to + plane * m * n;
    if (step[4] != 1)
        copy_plane(in, m, n, step[3], step[4], out);
    else
        for (int64_t i = 0; i < m; i++)
            memcpy(out + i * n, in + i * step[3], (size_t)n * sizeof *out);
}

nn_tensor *nn_native_permute(nn_tensor *x, const nn_permutation *p)
{
    nn_tensor *y = nn_native_new(x->engine, p->rows, p->channels, p->time);
    int64_t stride[5], all = 1;
    if (!y)
        return NULL;
    permutation job = {.from = nn_floats(x), .to = nn_floats(y)};
    for (int i = 4; i >= 0; i--) {
        stride[i] = all;
        all *= p->size[i];
    }
    for (int i = 0; i < 5; i++) {
        job.size[i] = p->size[p->order[i]];
        job.step[i] = stride[p->order[i]];
    }
    nn_native_each(x->engine, (size_t)(job.size[0] * job.size[1] * job.size[2]), permute_plane, &job);
    return y;
}

/* y is put into, added to or multiplied with x, row by row. */
typedef struct pair {
    const nn_tensor *x, *y;
    int64_t from; /* row of x of the first one of y */
    bool add;
    const float *factors; /* of rows */
} pair;

static size_t row_size(const nn_tensor *x)
{
    return (size_t)(x->channels * x->time);
}

static void put_row(const void *job, size_t i)
{
    const pair *p = job;
    const size_t line = row_size(p->x);
    float *to = nn_floats(p->x) + ((size_t)p->from + i) * line;
    if (p->add)
        nn_native_kernels(p->x->engine)->add(to, nn_floats(p->y) + i * line, line);
    else
        memcpy(to, nn_floats(p->y) + i * line, line * sizeof *to);
}

nn_tensor *nn_native_put_rows(nn_tensor *x, nn_tensor *y, int64_t from, bool add)
{
    nn_tensor *z = nn_native_own(x);
    if (z)
        nn_native_each(x->engine, (size_t)y->rows, put_row,
                       &(pair){.x = z, .y = y, .from = from, .add = add});
    return z;
}

nn_tensor *nn_native_concat(nn_tensor *x, nn_tensor *y)
{
    nn_tensor *z = nn_native_new(x->engine, x->rows, x->channels + y->channels, x->time);
    const size_t a = row_size(x), b = row_size(y);
    for (size_t row = 0; z && row < (size_t)x->rows; row++) {
        memcpy(nn_floats(z) + row * (a + b), nn_floats(x) + row * a, a * sizeof(float));
        memcpy(nn_floats(z) + row * (a + b) + a, nn_floats(y) + row * b, b * sizeof(float));
    }
    return z;
}

static void multiply_row(const void *job, size_t i)
{
    const pair *p = job;
    const size_t line = row_size(p->x);
    nn_native_kernels(p->x->engine)
        ->multiply_by(nn_floats(p->x) + i * line, nn_floats(p->y) + i * line, line);
}

nn_tensor *nn_native_multiply(nn_tensor *x, nn_tensor *y)
{
    nn_tensor *z = nn_native_own(x);
    if (z)
        nn_native_each(x->engine, (size_t)x->rows, multiply_row, &(pair){.x = z, .y = y});
    return z;
}

static void multiply_lines(const void *job, size_t i)
{
    const pair *p = job;
    const size_t time = (size_t)p->x->time;
    float *a = nn_floats(p->x) + 2 * i * time;
    const float *b = nn_floats(p->y) + 2 * i * time, factor = p->factors[i / ((size_t)p->x->channels / 2)];
    nn_native_kernels(p->x->engine)->multiply_complex(a, a + time, b, b + time, factor, time);
}

nn_tensor *nn_native_multiply_complex(nn_tensor *x, nn_tensor *y, const float *factors)
{
    nn_tensor *z = nn_native_own(x);
    if (z)
        nn_native_each(x->engine, (size_t)(x->rows * (x->channels / 2)), multiply_lines,
                       &(pair){.x = z, .y = y, .factors = factors});
    return z;
}
