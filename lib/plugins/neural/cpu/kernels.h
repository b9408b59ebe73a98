/* SPDX-License-Identifier: GPL-3.0-or-later
 * kernels.h - the inner loops of the CPU backend. kernels.c is compiled once for each instruction set; the
 * best that the processor has is chosen at run time. */
#ifndef NN_KERNELS_H
#define NN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

/* Rows of matrices may be read this many floats past their end. */
#define NN_SLACK 64

/* c[m][n] = bias[m] + a[m][k] b[k][n], plus the old c if add. Neither b nor its rows need to lie together. */
typedef struct nn_product {
    const float *a;        /* packed by nn_pack; NULL: plain */
    size_t columns;        /* of what was packed: a may be a part of it */
    const float *const *b; /* k rows */
    size_t m, n, k;
    const float *bias; /* m rounded up to a multiple of mr; NULL: zeros */
    bool add;
    float *c;
    size_t ldc;
    const void *plain; /* rows of a, one behind the other: floats, or 16 bits each if half */
    bool half;
} nn_product;

/* Sequences of count rows that lie side by side in time: queries, keys and values of d channels each. */
typedef struct nn_across {
    const float *q, *k, *v;
    size_t count, d;
    size_t row, channel; /* floats from one row, or channel, to the next */
} nn_across;

#define NN_ACROSS 4 /* queries at a time */

typedef struct nn_kernels {
    const char *name;
    size_t width; /* of a vector */
    size_t mr;    /* rows of a that nn_pack puts together */
    size_t nr;    /* columns that are best taken at a time */
    void (*multiply)(const nn_product *p);
    /* Of n floats each; x is also the result. */
    void (*gelu)(float *x, size_t n);
    void (*relu)(float *x, size_t n);
    void (*tanh)(float *x, size_t n);
    /* x *= sigmoid(gate) */
    void (*gate)(float *x, const float *gate, size_t n);
    void (*multiply_by)(float *x, const float *y, size_t n);
    /* a, b = factor (a + i b) (c + i d) */
    void (*multiply_complex)(float *a, float *b, const float *c, const float *d, float factor, size_t n);
    /* a, b = a cos - b sin, a sin + b cos */
    void (*rotate)(float *a, float *b, const float *cosines, const float *sines, size_t n);
    /* The same with one angle for all. */
    void (*turn)(float *a, float *b, float cosine, float sine, size_t n);
    /* scores[count][NN_ACROSS][width] of the queries of rows query.. of width sequences with all keys. */
    void (*across_scores)(const nn_across *a, size_t query, float *scores);
    /* out[NN_ACROSS][d][width]: values, weighted, times factors[NN_ACROSS][width]. */
    void (*across_values)(const nn_across *a, const float *weights, const float *factors, float *out);
    /* x = log(1 + e^x); accurate to 1 ulp of 1 */
    void (*softplus)(float *x, size_t n);
    void (*glu)(const float *a, const float *b, float *out, size_t n);
    void (*add)(float *x, const float *y, size_t n);
    /* a, b = a + b, a - b */
    void (*butterfly)(float *a, float *b, size_t n);
    /* Four lines to d0 - d2, d1 + d2, d2 - d1, d1 - d3. */
    void (*spread)(float *d0, float *d1, float *d2, float *d3, size_t n);
    void (*affine)(float *x, float factor, float offset, size_t n);
    void (*affine_gelu)(float *x, float factor, float offset, size_t n);
    /* Adds the sum and the sum of squares. */
    void (*moments)(const float *x, size_t n, double sums[2]);
    /* x += scale * glu(a, b), both halves with their own factor and offset */
    void (*add_glu)(float *x, const float *a, const float *b, const float affine[4], float scale, size_t n);
    /* Layer norm of the columns of x[channels][ld], n <= 512 of them. */
    void (*layer_norm)(const float *x, float *out, size_t channels, size_t ld, size_t n, const float *weight,
                       const float *bias, float eps);
    /* Columns of x[channels][ld] to unit length (but for those shorter than 1e-12) times scale and weight, in
     * place. */
    void (*rms_norm)(float *x, size_t channels, size_t ld, size_t n, float scale, const float *weight);
    /* One more block s[keys][n] of attention scores to exp(scale * (s - max)), n <= 512; max and sum are kept
     * for each column, correction is what to multiply earlier results by. */
    void (*soften)(float *s, size_t keys, size_t n, float scale, float *max, float *sum, float *correction);
    /* 16 complex transforms of n = 2^i points at once: re[n][16], im[n][16], in bit-reversed order in,
     * natural order out. twiddles: cos and sin of 2 pi i / n for i < n / 2; sign -1 forward, 1 back. */
    void (*fft)(float *re, float *im, size_t n, const float *cosines, const float *sines, float sign);
    /* Gates of an LSTM cell, each n floats; updates c and h. */
    void (*lstm_cell)(const float *input, const float *forget, const float *cell, const float *output,
                      float *c, float *h, size_t n);
} nn_kernels;

#define NN_FFT_LANES 16

extern const nn_kernels nn_kernels_base;
#ifdef __x86_64__
extern const nn_kernels nn_kernels_avx2, nn_kernels_avx512;
#endif

/* Those that this processor can run, the best first; NULL after the last. */
const nn_kernels *nn_kernels_usable(size_t index);
/* Floats that packing m x k takes. */
size_t nn_packed_size(const nn_kernels *k, size_t m, size_t columns);
/* a[i][j] = from[i * row + j * column] -> panels of mr rows, column after column; missing rows are 0. */
void nn_pack(const nn_kernels *k, const float *from, size_t m, size_t columns, size_t row, size_t column,
             float *to);

#endif
