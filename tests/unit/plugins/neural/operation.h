/* SPDX-License-Identifier: GPL-3.0-or-later
 * operation.h - an operation of the CPU backend in all ways that it can run: with the kernels of every
 * instruction set that this processor has, on one to three threads, which have to give the same bits. */
#ifndef OPERATION_H
#define OPERATION_H

#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/tensor/tensor.h"
#include "test.h"

/* The linker gives the backend this one instead of the best. */
static size_t chosen;
const nn_kernels *__real_nn_kernels_usable(size_t index);
const nn_kernels *__wrap_nn_kernels_usable(size_t index);

const nn_kernels *__wrap_nn_kernels_usable(size_t index)
{
    return __real_nn_kernels_usable(index + chosen);
}

static uint64_t seed = 1;

static int between(int lo, int hi)
{
    return lo + (int)(test_random(&seed) % (uint32_t)(hi - lo + 1));
}

typedef struct shape {
    int64_t rows, channels, time;
} shape;

static size_t size_of(shape s)
{
    return (size_t)(s.rows * s.channels * s.time);
}

/* Takes tensors of the engine to the result; NULL: the engine says why. */
typedef nn_tensor *operation(nn_engine *engine, const void *arguments);

/* Runs it in all ways, and compares with what was expected. */
static bool check(operation *run, const void *arguments, shape s, const double *expected, double tolerance)
{
    bool ok = true;
    float *first = NULL, *out = malloc(size_of(s) * sizeof *out);
    for (chosen = 0; ok && __real_nn_kernels_usable(chosen); chosen++) {
        for (int threads = 1; ok && threads <= 3; threads++) {
            double worst = 0;
            nn_engine *engine = nn_engine_new("cpu", threads, NULL);
            nn_tensor *y = run(engine, arguments);
            ok = CHECK(nn_rows(y) == s.rows && nn_channels(y) == s.channels && nn_time(y) == s.time);
            if (ok) {
                CHECK(nn_tensor_read(y, out));
                for (size_t i = 0; i < size_of(s); i++)
                    worst = fmax(worst, isfinite(out[i]) ? fabs((double)out[i] - expected[i]) : INFINITY);
                if (threads == 1)
                    memcpy(first = realloc(first, size_of(s) * sizeof *out), out, size_of(s) * sizeof *out);
                ok = CHECK(worst <= tolerance) && CHECK(memcmp(first, out, size_of(s) * sizeof *out) == 0);
            } else {
                nn_drop(y);
            }
            nn_engine_free(engine);
            if (!ok)
                fprintf(stderr, "%s, %d threads: differs by %g\n", __real_nn_kernels_usable(chosen)->name,
                        threads, worst);
        }
    }
    chosen = 0;
    free(first);
    free(out);
    return ok;
}

#endif
