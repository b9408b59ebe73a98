/* SPDX-License-Identifier: GPL-3.0-or-later
 * tensor.h - the operations that the networks are made of, on some device.
 *
 * A tensor is an array of floats [rows][channels][time]. The spectral branch has a row for each frequency,
 * the waveform branch and the transformer have one row.
 *
 * - An operation takes over every tensor given to it: it frees it, or writes its result over it.
 *   dm_keep(x) makes one more reference for the caller to go on with. Layers are not taken over.
 * - NULL in gives NULL out (and the other operands are freed), so a network needs one check, at its end. What
 *   went wrong is kept by the engine.
 * - An engine is used by one thread at a time. */
#ifndef DM_TENSOR_H
#define DM_TENSOR_H

#include "internal.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dm_engine dm_engine;
typedef struct dm_tensor dm_tensor;

/* A device to compute on: "auto", "cpu", "cuda"; threads 0 = all cores. NULL on failure. */
dm_engine *dm_engine_new(const char *device, int threads, ap_error *err);
void dm_engine_free(dm_engine *engine);
/* What went wrong first since the last call; false if something did. */
bool dm_engine_check(dm_engine *engine, ap_error *err);

/* ---- tensors */

/* Copies from and to the caller's memory. dm_tensor_read takes x over; false if x is NULL or on failure. */
dm_tensor *dm_tensor_new(dm_engine *engine, int64_t rows, int64_t channels, int64_t time, const float *data);
bool dm_tensor_read(dm_tensor *x, float *data);
dm_tensor *dm_keep(dm_tensor *x);
void dm_drop(dm_tensor *x);
/* 0 for NULL. */
int64_t dm_rows(const dm_tensor *x);
int64_t dm_channels(const dm_tensor *x);
int64_t dm_time(const dm_tensor *x);

/* ---- layers */

typedef enum dm_act { DM_LINEAR, DM_RELU, DM_GELU, DM_GLU } dm_act; /* GLU halves the channels */

/* A convolution over rows and time. Transposed ones go over one of the two. */
typedef struct dm_conv_shape {
    int in, out;
    int kernel_rows, kernel;
    int stride_rows, stride;
    int pad_rows, pad; /* not transposed: zeros on both sides */
    int dilation;      /* in time */
    bool transposed;
} dm_conv_shape;

typedef struct dm_conv dm_conv;
typedef struct dm_norm dm_norm;
typedef struct dm_lstm dm_lstm;

/* weight: [out][in][kernel_rows][kernel], transposed: [in][out][kernel_rows][kernel]; bias: [out]. */
dm_conv *dm_conv_new(dm_engine *engine, const dm_conv_shape *shape, const float *weight, const float *bias);
void dm_conv_free(dm_conv *layer);
/* What is normalised together: the channels of each moment (layer norm), or a group of channels at all times
 * of a row, or of all rows (group norm). */
typedef enum dm_norm_over { DM_OVER_CHANNELS, DM_OVER_ROW, DM_OVER_ALL } dm_norm_over;

dm_norm *dm_norm_new(dm_engine *engine, dm_norm_over over, int groups, int channels, const float *weight,
                     const float *bias);
void dm_norm_free(dm_norm *layer);

/* One direction of one layer: PyTorch's weight_ih [4h][in], weight_hh [4h][h], both biases added [4h]; gates
 * in the order input, forget, cell, output. */
typedef struct dm_lstm_weights {
    const float *input, *hidden, *bias;
} dm_lstm_weights;

/* directions[2 * layer + backward] */
dm_lstm *dm_lstm_new(dm_engine *engine, int in, int hidden, int layers, const dm_lstm_weights *directions);
void dm_lstm_free(dm_lstm *layer);

/* ---- operations */

/* The layer, then act. Transposed layers know no GLU; along their axis they drop what is before from_* and
 * give rows or time (0 = all). */
dm_tensor *dm_convolve(dm_tensor *x, const dm_conv *layer, dm_act act);
typedef struct dm_crop_to {
    int64_t from_row, rows, from, time;
} dm_crop_to;
dm_tensor *dm_convolve_transposed(dm_tensor *x, const dm_conv *layer, dm_crop_to crop, dm_act act);
dm_tensor *dm_crop(dm_tensor *x, dm_crop_to crop);
/* Appends zeros until the time is a multiple. */
dm_tensor *dm_pad_time(dm_tensor *x, int multiple);
dm_tensor *dm_normalize(dm_tensor *x, const dm_norm *layer, dm_act act);
/* Convolution, norm, activation. */
dm_tensor *dm_convolve_normalized(dm_tensor *x, const dm_conv *conv, const dm_norm *norm, dm_act act);
dm_tensor *dm_activate(dm_tensor *x, dm_act act);
/* x + y. y may have 1 as its time, or 1 as its rows: then it is repeated. */
dm_tensor *dm_add(dm_tensor *x, dm_tensor *y);
/* x * factor + offset */
dm_tensor *dm_scale(dm_tensor *x, double factor, double offset);
/* x + layer(y), of a layer with one kernel row */
dm_tensor *dm_add_convolved(dm_tensor *x, dm_tensor *y, const dm_conv *layer);
/* x + scale * glu(norm(conv(y))), scale for each channel, of one kernel row: the end of a DConv branch. */
dm_tensor *dm_add_branch(dm_tensor *x, dm_tensor *y, const dm_conv *conv, const dm_norm *norm,
                         const dm_norm *scale);
/* Mean and standard deviation (of a sample: n - 1) of all elements. x stays with the caller. */
bool dm_moments(const dm_tensor *x, double *mean, double *deviation);

/* [rows][channels][time] -> [1][channels][rows * time] and back. */
dm_tensor *dm_flatten(dm_tensor *x);
dm_tensor *dm_unflatten(dm_tensor *x, int64_t rows);

/* Softmax attention of heads, over all moments of all rows: q [r][c][t], kv [q][2c][s] -> [r][c][t]. */
dm_tensor *dm_attention(dm_tensor *q, dm_tensor *kv, int heads);
/* Attention with a penalty on distance (Demucs' LocalState): x is query, key, content [c] each and decay
 * [heads * decays], one after another in the channels. */
dm_tensor *dm_local_attention(dm_tensor *x, int channels, int heads, int decays);
/* All layers, both directions: [rows][in][time] -> [rows][2 * hidden][time], each row a sequence. */
dm_tensor *dm_run_lstm(dm_tensor *x, const dm_lstm *layer);
/* Cuts time into windows, which become rows: [1][c][t] -> [n][c][width], padded with zeros at the end; and
 * puts the middles of them together again. */
dm_tensor *dm_windows(dm_tensor *x, int64_t width, int64_t stride);
dm_tensor *dm_join_windows(dm_tensor *x, int64_t rows, int64_t stride, int64_t time);

/* Hann-windowed spectrum with hop nfft / 4, normalised by 1/sqrt(nfft), of a signal with 3 nfft / 8 samples
 * more at its ends (reflected or zeros) so that there are ceil(time / hop) moments: [1][c][n] ->
 * [nfft / 2][2c: re, im][moments]. The Nyquist bin is dropped. */
dm_tensor *dm_spectrum(dm_tensor *x, int nfft, bool reflect);
/* The inverse; the result starts at sample offset of the padded signal and has time samples. */
dm_tensor *dm_signal(dm_tensor *x, int64_t offset, int64_t time);

/* ---- TorchScript */

typedef struct dm_script dm_script;

dm_script *dm_script_new(dm_engine *engine, const char *path, ap_error *err);
void dm_script_free(dm_script *script);
/* [1][c][n] -> [1][stems * c][n] by a module that maps [1, c, n] to [1, stems, c, n]. */
dm_tensor *dm_script_run(dm_tensor *x, dm_script *script, int stems);

#ifdef __cplusplus
}
#endif

#endif
