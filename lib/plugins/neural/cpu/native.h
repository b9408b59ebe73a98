/* SPDX-License-Identifier: GPL-3.0-or-later
 * native.h - what the files of the CPU backend share. A tensor's data are its floats, followed by NN_SLACK.
 */
#ifndef NN_NATIVE_H
#define NN_NATIVE_H

#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/threads.h"
#include "plugins/neural/tensor/backend.h"

/* Columns of a block of work: its inputs and results fit the second cache. At most MAX_COLUMNS of kernels.c.
 */
#define NN_COLUMNS 336

/* ---- native.c */

const nn_kernels *nn_native_kernels(const nn_engine *engine);
static inline float *nn_floats(const nn_tensor *x)
{
    return x->data;
}
/* The length of lines that have n floats: no multiple of 4 KiB, which would put all of them into the same few
 * places of the cache. */
static inline size_t nn_native_line(size_t n)
{
    return ((n + 15) / 16 * 16) | 16;
}
/* A tensor with undefined content; NULL when out of memory. */
nn_tensor *nn_native_new(nn_engine *engine, int64_t rows, int64_t channels, int64_t time);
/* x itself if nobody else holds it, otherwise a copy. */
nn_tensor *nn_native_own(nn_tensor *x);
/* Makes room for that many floats in every thread's scratch; what was there is lost. */
bool nn_native_reserve(nn_engine *engine, size_t floats);
float *nn_native_scratch(const nn_engine *engine);
/* Shares the pieces of a job out among the engine's threads, as nn_threads_run, and asks
 * whether to go on. */
void nn_native_each(nn_engine *engine, size_t count, nn_task *task, const void *job);
/* Floats that stay until the engine is freed or asks again. */
float *nn_native_buffer(nn_engine *engine, size_t floats);
/* How many columns to take at a time so that all threads have work. */
size_t nn_native_columns(const nn_engine *engine, int64_t rows, int64_t time);
/* Rows of time columns, in blocks of some columns of one row. */
typedef struct nn_blocks {
    size_t time, columns;
} nn_blocks;

/* Columns from..from + n of a row. */
typedef struct nn_block {
    size_t row, from, n;
} nn_block;

nn_blocks nn_native_blocks(const nn_engine *engine, int64_t rows, int64_t time);
/* How many there are, and which is number i. */
size_t nn_blocks_of(nn_blocks blocks, size_t rows);
nn_block nn_block_at(nn_blocks blocks, size_t i);
/* cos and sin of 2 pi i / n for i < n / 2. */
bool nn_native_twiddles(nn_engine *engine, size_t n, const float **cosines, const float **sines);

/* ---- conv.c */

bool nn_native_new_conv(nn_conv *layer, const float *weight, const float *bias);
void nn_native_free_conv(nn_conv *layer);
nn_tensor *nn_native_convolve(nn_tensor *x, const nn_conv *layer, nn_act act);
nn_tensor *nn_native_add_convolved(nn_tensor *x, nn_tensor *y, const nn_conv *layer);
/* Columns from..from + n of row number row of the convolution, to out (leading dimension ld), or added to it.
 * space: nn_native_conv_space floats. */
void nn_native_conv_block(const nn_tensor *x, const nn_conv *layer, int64_t row, size_t from, size_t n,
                          bool add, float *out, size_t ld, float *space);
size_t nn_native_conv_space(const nn_conv *layer, size_t n);

/* out[i] = in[start + i * step], zero outside of the line. */
void nn_native_copy_line(const float *in, int64_t time, int64_t start, int64_t step, float *out, size_t n);
/* GLU of z[2c][n] into c lines. */
void nn_native_halve(const nn_kernels *k, const float *z, size_t channels, size_t n, float *out, size_t ld);
void nn_native_activate_lines(const nn_kernels *k, nn_act act, float *x, size_t lines, size_t n, size_t ld);

/* ---- conv_rows.c */

bool nn_native_in_pairs(const nn_conv_shape *s);
bool nn_native_pack_pairs(nn_conv *layer, const float *weight, const float *bias);
nn_tensor *nn_native_convolve_pairs(nn_tensor *x, const nn_conv *layer, nn_act act);

/* ---- conv_tr.c */

bool nn_native_pack_transposed(nn_conv *layer, const float *weight, const float *bias);
nn_tensor *nn_native_convolve_transposed(nn_tensor *x, const nn_conv *layer, nn_crop_to crop, nn_act act);

/* The weights of a layer, packed; transposed layers have a row for each phase and output, those in pairs of
 * rows four matrices. */
typedef struct nn_conv_data {
    float *a, *bias;
    size_t m, k;
} nn_conv_data;

/* count matrices [m][k], one after the other. */
bool nn_native_pack(nn_conv *layer, size_t count, size_t m, size_t k, const float *matrix, const float *bias);

/* ---- linear.c */

bool nn_native_new_linear(nn_linear *layer, const float *bias);
void nn_native_free_linear(nn_linear *layer);
nn_tensor *nn_native_apply_linear(nn_tensor *x, const nn_linear *layer, nn_act act);
nn_tensor *nn_native_apply_normalized(nn_tensor *x, const nn_norm *norm, const nn_linear *layer, nn_act act);
nn_tensor *nn_native_add_linear(nn_tensor *x, nn_tensor *y, const nn_linear *layer);
/* Adds layer(y) to the part of x from row and time on. */
bool nn_native_add_linear_at(const nn_tensor *x, int64_t row, int64_t time, const nn_tensor *y,
                             const nn_linear *layer);
/* What rows row..row + count, an even number but for the last ones, of layer number layer make of columns
 * from..from + n: z[count][ld], which may be changed. */
typedef void nn_put(const void *user, size_t layer, size_t row, size_t count, float *z, size_t ld,
                    size_t from, size_t n);
/* Some layers on a part of x, normalised; put takes their results to where they belong. */
bool nn_native_project(const nn_tensor *x, nn_crop_to part, const nn_norm *norm,
                       const nn_linear *const *layers, size_t count, nn_put *put, const void *user);
nn_tensor *nn_native_feed_forward(nn_tensor *x, const nn_norm *norm, const nn_linear *in, nn_act act,
                                  const nn_linear *out);

/* ---- attend.c */

nn_tensor *nn_native_attend(nn_tensor *x, const nn_attention_layer *layer);

/* ---- bands.c */

nn_tensor *nn_native_zeros(nn_engine *engine, int64_t rows, int64_t channels, int64_t time);
nn_tensor *nn_native_crop(nn_tensor *x, nn_crop_to crop);
nn_tensor *nn_native_reshape(nn_tensor *x, int64_t rows, int64_t channels, int64_t time);
nn_tensor *nn_native_permute(nn_tensor *x, const nn_permutation *p);
nn_tensor *nn_native_put_rows(nn_tensor *x, nn_tensor *y, int64_t from, bool add);
nn_tensor *nn_native_concat(nn_tensor *x, nn_tensor *y);
nn_tensor *nn_native_multiply(nn_tensor *x, nn_tensor *y);
nn_tensor *nn_native_multiply_complex(nn_tensor *x, nn_tensor *y, const float *factors);

/* ---- stft.c */

nn_tensor *nn_native_stft(nn_tensor *x, int nfft, int hop);
nn_tensor *nn_native_istft(nn_tensor *x, int hop, int64_t time);

/* ---- norm.c */

bool nn_native_new_norm(nn_norm *layer, const float *weight, const float *bias);
void nn_native_free_norm(nn_norm *layer);
/* Norms of the channels of each moment (NN_RMS, NN_OVER_CHANNELS): columns of x[channels][ld], in place; n <=
 * NN_COLUMNS. */
void nn_native_norm_columns(const nn_norm *layer, float *x, size_t ld, size_t n);
nn_tensor *nn_native_normalize(nn_tensor *x, const nn_norm *layer, nn_act act);
nn_tensor *nn_native_convolve_normalized(nn_tensor *x, const nn_conv *conv, const nn_norm *norm, nn_act act);
nn_tensor *nn_native_add_branch(nn_tensor *x, nn_tensor *y, const nn_conv *conv, const nn_norm *norm,
                                const nn_norm *scale);
bool nn_native_moments(const nn_tensor *x, double *mean, double *deviation);
nn_tensor *nn_native_activate(nn_tensor *x, nn_act act);

/* ---- attention.c, lstm.c, spectrum.c */

nn_tensor *nn_native_attention(nn_tensor *q, nn_tensor *kv, int heads);
nn_tensor *nn_native_row_attention(nn_tensor *x, nn_tensor *gates, int heads, const nn_places *places);
/* The same of queries and keys that are turned already. */
nn_tensor *nn_native_turned_attention(nn_tensor *x, nn_tensor *gates, int heads);
/* cosines[count][time], then sines, of the places' angles; bias NULL: none. */
void nn_native_angles(const nn_places *places, const float *bias, size_t count, size_t time, float *cosines);
nn_tensor *nn_native_local_attention(nn_tensor *x, int channels, int heads, int decays);
bool nn_native_new_lstm(nn_lstm *layer, const nn_lstm_weights *directions);
void nn_native_free_lstm(nn_lstm *layer);
nn_tensor *nn_native_run_lstm(nn_tensor *x, const nn_lstm *layer);
nn_tensor *nn_native_spectrum(nn_tensor *x, int nfft, bool reflect);
nn_tensor *nn_native_signal(nn_tensor *x, int64_t offset, int64_t time);

#endif
