/* SPDX-License-Identifier: GPL-3.0-or-later
 * profile.c - the linker gives the engine kernels that count, around the real ones, and the loop that shares
 * work out. */
#include "profile.h"
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/threads.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SHAPES 200

typedef struct entry {
    char name[40];
    size_t m, k;
    int kind;
    double calls, seconds, operations;
} entry;

static const nn_kernels *real;
static nn_kernels counting;
static entry shapes[SHAPES], others[32];
static size_t shape_count, other_count;
static double in_loops;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void count(entry *e, double start, double operations)
{
    e->seconds += now() - start;
    e->calls++;
    e->operations += operations;
}

/* ---- the matrix product, by shape */

static entry *shape_of(const nn_product *p)
{
    static const char *const names[] = {"packed", "in place", "in place, 16 bits"};
    const int kind = p->a ? 0 : p->half ? 2 : 1;
    for (size_t i = 0; i < shape_count; i++)
        if (shapes[i].m == p->m && shapes[i].k == p->k && shapes[i].kind == kind)
            return &shapes[i];
    if (shape_count == SHAPES)
        return &shapes[SHAPES - 1];
    entry *e = &shapes[shape_count++];
    *e = (entry){.m = p->m, .k = p->k, .kind = kind};
    snprintf(e->name, sizeof e->name, "%zu x %zu, %s", p->m, p->k, names[kind]);
    return e;
}

static void count_multiply(const nn_product *p)
{
    const double start = now();
    real->multiply(p);
    count(shape_of(p), start, 2 * (double)p->m * (double)p->n * (double)p->k);
}

/* ---- the other kernels */

#define KERNELS(X)                                                                                           \
    X(gelu, (float *x, size_t n), (x, n))                                                                    \
    X(relu, (float *x, size_t n), (x, n))                                                                    \
    X(tanh, (float *x, size_t n), (x, n))                                                                    \
    X(gate, (float *x, const float *y, size_t n), (x, y, n))                                                 \
    X(glu, (const float *a, const float *b, float *x, size_t n), (a, b, x, n))                               \
    X(add, (float *x, const float *y, size_t n), (x, y, n))                                                  \
    X(affine, (float *x, float a, float b, size_t n), (x, a, b, n))                                          \
    X(affine_gelu, (float *x, float a, float b, size_t n), (x, a, b, n))                                     \
    X(moments, (const float *x, size_t n, double s[2]), (x, n, s))                                           \
    X(spread, (float *a, float *b, float *c, float *d, size_t n), (a, b, c, d, n))                           \
    X(butterfly, (float *a, float *b, size_t n), (a, b, n))                                                  \
    X(rotate, (float *a, float *b, const float *c, const float *s, size_t n), (a, b, c, s, n))               \
    X(turn, (float *a, float *b, float c, float s, size_t n), (a, b, c, s, n))                               \
    X(multiply_by, (float *x, const float *y, size_t n), (x, y, n))                                          \
    X(multiply_complex, (float *a, float *b, const float *c, const float *d, float f, size_t n),             \
      (a, b, c, d, f, n))                                                                                    \
    X(across_scores, (const nn_across *a, size_t q, float *s), (a, q, s))                                    \
    X(across_values, (const nn_across *a, const float *w, const float *f, float *x), (a, w, f, x))           \
    X(add_glu, (float *x, const float *a, const float *b, const float f[4], float s, size_t n),              \
      (x, a, b, f, s, n))                                                                                    \
    X(layer_norm,                                                                                            \
      (const float *x, float *y, size_t c, size_t ld, size_t n, const float *w, const float *b, float e),    \
      (x, y, c, ld, n, w, b, e))                                                                             \
    X(rms_norm, (float *x, size_t c, size_t ld, size_t n, float s, const float *w), (x, c, ld, n, s, w))     \
    X(soften, (float *s, size_t k, size_t n, float f, float *m, float *sum, float *c),                       \
      (s, k, n, f, m, sum, c))                                                                               \
    X(fft, (float *re, float *im, size_t n, const float *c, const float *s, float sign),                     \
      (re, im, n, c, s, sign))                                                                               \
    X(lstm_cell,                                                                                             \
      (const float *i, const float *f, const float *g, const float *o, float *c, float *h, size_t n),        \
      (i, f, g, o, c, h, n))

#define COUNTED(function, parameters, arguments)                                                             \
    static entry *function##_entry;                                                                          \
    static void count_##function parameters                                                                  \
    {                                                                                                        \
        const double start = now();                                                                          \
        real->function arguments;                                                                            \
        count(function##_entry, start, 0);                                                                   \
    }
KERNELS(COUNTED)

#define REPLACE(function, parameters, arguments)                                                             \
    function##_entry = &others[other_count++];                                                               \
    snprintf(function##_entry->name, sizeof function##_entry->name, "%s", #function);                        \
    counting.function = count_##function;

/* ---- what the linker puts in the place of others */

const nn_kernels *__real_nn_kernels_usable(size_t index);
const nn_kernels *__wrap_nn_kernels_usable(size_t index);
void __real_nn_threads_run(nn_threads *t, size_t count, nn_task *task, const void *job);
void __wrap_nn_threads_run(nn_threads *t, size_t count, nn_task *task, const void *job);

const nn_kernels *__wrap_nn_kernels_usable(size_t index)
{
    return real && index == 0 ? &counting : __real_nn_kernels_usable(index);
}

/* Of loops that threads can share. */
void __wrap_nn_threads_run(nn_threads *t, size_t count, nn_task *task, const void *job)
{
    const double start = real ? now() : 0;
    __real_nn_threads_run(t, count, task, job);
    if (real && count > 1)
        in_loops += now() - start;
}

void profile_start(void)
{
    real = __real_nn_kernels_usable(0);
    counting = *real;
    counting.multiply = count_multiply;
    KERNELS(REPLACE)
}

void profile_clear(void)
{
    shape_count = 0;
    for (size_t i = 0; i < other_count; i++)
        others[i].calls = others[i].seconds = 0;
    in_loops = 0;
}

/* ---- the table */

/* What a look at the clock takes, which every call contains once. */
static double clock_seconds(void)
{
    enum { LOOKS = 1000 };
    const double start = now();
    for (int i = 1; i < LOOKS; i++)
        now();
    return (now() - start) / LOOKS;
}

static int by_seconds(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    return x->seconds < y->seconds ? 1 : x->seconds > y->seconds ? -1 : 0;
}

static void print_entries(entry *e, size_t count, double seconds, double peak, double looks, double *rest)
{
    for (size_t i = 0; i < count; i++) {
        e[i].seconds -= e[i].calls * looks;
        *rest -= e[i].seconds + 2 * e[i].calls * looks;
    }
    qsort(e, count, sizeof *e, by_seconds);
    for (size_t i = 0; i < count; i++) {
        if (e[i].seconds < 1e-3 * seconds)
            continue;
        printf("%-32s %9.0f %8.3f %6.1f %%", e[i].name, e[i].calls, e[i].seconds,
               100 * e[i].seconds / seconds);
        if (e[i].operations > 0)
            printf(" %8.1f %6.0f %%", e[i].operations * 1e-9, 100e-9 * e[i].operations / e[i].seconds / peak);
        printf("\n");
    }
}

void profile_print(double seconds, double peak)
{
    const double looks = clock_seconds();
    double all = seconds, calls = 0, rest;
    for (size_t i = 0; i < shape_count + other_count; i++)
        calls += i < shape_count ? shapes[i].calls : others[i - shape_count].calls;
    all -= 2 * calls * looks;
    rest = seconds;
    printf("%-32s %9s %8s %8s %8s %8s\n", "matrix, kernel", "calls", "s", "of all", "GFLOP", "of peak");
    print_entries(shapes, shape_count, all, peak, looks, &rest);
    print_entries(others, other_count, all, peak, looks, &rest);
    printf("%-32s %9s %8.3f %6.1f %%\n", "all else", "", rest, 100 * rest / all);
    printf("%-32s %9s %8.3f %6.1f %%\n", "of it all, not shared by threads", "", seconds - in_loops,
           100 * (seconds - in_loops) / all);
}
