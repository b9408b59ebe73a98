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

nn_tensor *nn_native_permute(nn_tensor *x, const nn_permutation *p)
{
    nn_tensor *y = nn_native_new(x->engine, p->rows, p->channels, p->time);
    int64_t stride[5], size[5], step[5], all = 1;
    if (!y)
        return NULL;
    for (int i = 4; i >= 0; i--) {
        stride[i] = all;
        all *= p->size[i];
    }
    for (int i = 0; i < 5; i++) {
        size[i] = p->size[p->order[i]];
        step[i] = stride[p->order[i]];
    }
    const int64_t m = size[3], n = size[4];
    NN_PARALLEL(x->engine)
    for (int64_t plane = 0; plane < size[0] * size[1] * size[2]; plane++) {
        const int64_t c = plane % size[2], b = plane / size[2] % size[1], a = plane / size[2] / size[1];
        const float *in = nn_floats(x) + a * step[0] + b * step[1] + c * step[2];
        float *out = nn_floats(y) + plane * m * n;
        if (step[4] != 1)
            copy_plane(in, m, n, step[3], step[4], out);
        else
            for (int64_t i = 0; i < m; i++)
                memcpy(out + i * n, in + i * step[3], (size_t)n * sizeof *out);
    }
    return y;
}

nn_tensor *nn_native_put_rows(nn_tensor *x, nn_tensor *y, int64_t from, bool add)
{
    nn_tensor *z = nn_native_own(x);
    if (!z)
        return NULL;
    const size_t line = (size_t)(x->channels * x->time);
    NN_PARALLEL(x->engine)
    for (int64_t row = 0; row < y->rows; row++) {
        float *to = nn_floats(z) + (size_t)(from + row) * line;
        const float *in = nn_floats(y) + (size_t)row * line;
        if (add)
            nn_native_kernels(x->engine)->add(to, in, line);
        else
            memcpy(to, in, line * sizeof *to);
    }
    return z;
}

nn_tensor *nn_native_concat(nn_tensor *x, nn_tensor *y)
{
    nn_tensor *z = nn_native_new(x->engine, x->rows, x->channels + y->channels, x->time);
    const size_t a = (size_t)(x->channels * x->time), b = (size_t)(y->channels * y->time);
    for (size_t row = 0; z && row < (size_t)x->rows; row++) {
        memcpy(nn_floats(z) + row * (a + b), nn_floats(x) + row * a, a * sizeof(float));
        memcpy(nn_floats(z) + row * (a + b) + a, nn_floats(y) + row * b, b * sizeof(float));
    }
    return z;
}

nn_tensor *nn_native_multiply(nn_tensor *x, nn_tensor *y)
{
    nn_tensor *z = nn_native_own(x);
    const size_t line = (size_t)(x->channels * x->time);
    NN_PARALLEL(x->engine)
    for (size_t row = 0; row < (z ? (size_t)x->rows : 0); row++)
        nn_native_kernels(x->engine)->multiply_by(nn_floats(z) + row * line, nn_floats(y) + row * line, line);
    return z;
}

nn_tensor *nn_native_multiply_complex(nn_tensor *x, nn_tensor *y, const float *factors)
{
    nn_tensor *z = nn_native_own(x);
    const size_t time = (size_t)x->time, pairs = (size_t)x->channels / 2;
    NN_PARALLEL(x->engine)
    for (size_t i = 0; i < (z ? (size_t)x->rows * pairs : 0); i++) {
        float *a = nn_floats(z) + 2 * i * time;
        const float *b = nn_floats(y) + 2 * i * time;
        nn_native_kernels(x->engine)->multiply_complex(a, a + time, b, b + time, factors[i / pairs], time);
    }
    return z;
}
