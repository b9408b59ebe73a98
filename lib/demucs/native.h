/* SPDX-License-Identifier: GPL-3.0-or-later
 * native.h - what the files of the CPU backend share. A tensor's data are its floats, followed by DM_SLACK.
 */
#ifndef DM_NATIVE_H
#define DM_NATIVE_H

#include "backend.h"
#include "kernels.h"

/* Columns of a block of work: its inputs and results fit the second cache. At most MAX_COLUMNS of kernels.c.
 */
#define DM_COLUMNS 336

#define PRAGMA(text) _Pragma(#text)
/* The iterations of the following loop, shared out among the engine's threads. */
#define DM_PARALLEL(engine) PRAGMA(omp parallel for num_threads((engine)->threads) schedule(dynamic))

/* ---- native.c */

const dm_kernels *dm_native_kernels(const dm_engine *engine);
static inline float *dm_floats(const dm_tensor *x)
{
    return x->data;
}
/* The length of lines that have n floats: no multiple of 4 KiB, which would put all of them into the same few
 * places of the cache. */
static inline size_t dm_native_line(size_t n)
{
    return ((n + 15) / 16 * 16) | 16;
}
/* A tensor with undefined content; NULL when out of memory. */
dm_tensor *dm_native_new(dm_engine *engine, int64_t rows, int64_t channels, int64_t time);
/* x itself if nobody else holds it, otherwise a copy. */
dm_tensor *dm_native_own(dm_tensor *x);
/* Makes room for that many floats in every thread's scratch; what was there is lost. */
bool dm_native_reserve(dm_engine *engine, size_t floats);
float *dm_native_scratch(const dm_engine *engine);
/* Floats that stay until the engine is freed or asks again. */
float *dm_native_buffer(dm_engine *engine, size_t floats);
/* How many columns to take at a time so that all threads have work. */
size_t dm_native_columns(const dm_engine *engine, int64_t rows, int64_t time);
/* cos and sin of 2 pi i / n for i < n / 2. */
bool dm_native_twiddles(dm_engine *engine, size_t n, const float **cosines, const float **sines);

/* ---- native_conv.c */

bool dm_native_new_conv(dm_conv *layer, const float *weight, const float *bias);
void dm_native_free_conv(dm_conv *layer);
dm_tensor *dm_native_convolve(dm_tensor *x, const dm_conv *layer, dm_act act);
dm_tensor *dm_native_add_convolved(dm_tensor *x, dm_tensor *y, const dm_conv *layer);
/* Columns from..from + n of row number row of the convolution, to out (leading dimension ld), or added to it.
 * space: dm_native_conv_space floats. */
void dm_native_conv_block(const dm_tensor *x, const dm_conv *layer, int64_t row, size_t from, size_t n,
                          bool add, float *out, size_t ld, float *space);
size_t dm_native_conv_space(const dm_conv *layer, size_t n);

/* out[i] = in[start + i * step], zero outside of the line. */
void dm_native_copy_line(const float *in, int64_t time, int64_t start, int64_t step, float *out, size_t n);
/* GLU of z[2c][n] into c lines. */
void dm_native_halve(const dm_kernels *k, const float *z, size_t channels, size_t n, float *out, size_t ld);
void dm_native_activate_lines(const dm_kernels *k, dm_act act, float *x, size_t lines, size_t n, size_t ld);

/* ---- native_conv_rows.c */

bool dm_native_in_pairs(const dm_conv_shape *s);
bool dm_native_pack_pairs(dm_conv *layer, const float *weight, const float *bias);
dm_tensor *dm_native_convolve_pairs(dm_tensor *x, const dm_conv *layer, dm_act act);

/* ---- native_conv_tr.c */

bool dm_native_pack_transposed(dm_conv *layer, const float *weight, const float *bias);
dm_tensor *dm_native_convolve_transposed(dm_tensor *x, const dm_conv *layer, dm_crop_to crop, dm_act act);

/* The weights of a layer, packed; transposed layers have a row for each phase and output, those in pairs of
 * rows four matrices. */
typedef struct dm_conv_data {
    float *a, *bias;
    size_t m, k;
} dm_conv_data;

/* count matrices [m][k], one behind the other. */
bool dm_native_pack(dm_conv *layer, size_t count, size_t m, size_t k, const float *matrix, const float *bias);

/* ---- native_norm.c */

bool dm_native_new_norm(dm_norm *layer, const float *weight, const float *bias);
void dm_native_free_norm(dm_norm *layer);
dm_tensor *dm_native_normalize(dm_tensor *x, const dm_norm *layer, dm_act act);
dm_tensor *dm_native_convolve_normalized(dm_tensor *x, const dm_conv *conv, const dm_norm *norm, dm_act act);
dm_tensor *dm_native_add_branch(dm_tensor *x, dm_tensor *y, const dm_conv *conv, const dm_norm *norm,
                                const dm_norm *scale);
bool dm_native_moments(const dm_tensor *x, double *mean, double *deviation);
dm_tensor *dm_native_activate(dm_tensor *x, dm_act act);

/* ---- native_attention.c, native_lstm.c, native_spectrum.c */

dm_tensor *dm_native_attention(dm_tensor *q, dm_tensor *kv, int heads);
dm_tensor *dm_native_local_attention(dm_tensor *x, int channels, int heads, int decays);
bool dm_native_new_lstm(dm_lstm *layer, const dm_lstm_weights *directions);
void dm_native_free_lstm(dm_lstm *layer);
dm_tensor *dm_native_run_lstm(dm_tensor *x, const dm_lstm *layer);
dm_tensor *dm_native_spectrum(dm_tensor *x, int nfft, bool reflect);
dm_tensor *dm_native_signal(dm_tensor *x, int64_t offset, int64_t time);

#endif
