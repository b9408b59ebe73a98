/* SPDX-License-Identifier: GPL-3.0-or-later
 * tensor.h - the operations that the networks are made of, on some device.
 *
 * A tensor is an array of floats [rows][channels][time]. The spectral branch has a row for each frequency,
 * the waveform branch and the transformer have one row.
 *
 * - An operation takes over every tensor given to it: it frees it, or writes its result over it.
 *   nn_keep(x) makes one more reference for the caller to go on with. Layers are not taken over.
 * - NULL in gives NULL out (and the other operands are freed), so a network needs one check, at its end. What
 *   went wrong is kept by the engine.
 * - An engine is used by one thread at a time. */
#ifndef NN_TENSOR_H
#define NN_TENSOR_H

#include "plugins/neural/tensor/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A device to compute on: "auto", "cpu", "cuda"; threads 0 = all cores. NULL on failure. */
nn_engine *nn_engine_new(const char *device, int threads, ap_error *err);
/* What computes, for people. */
const char *nn_engine_name(const nn_engine *engine);
void nn_engine_free(nn_engine *engine);
/* What went wrong first since the last call; false if something did. */
bool nn_engine_check(nn_engine *engine, ap_error *err);
/* Whom to ask, again and again, whether to go on with what is computed; NULL: nobody. If it returns false,
 * having filled err, the engine has failed. */
void nn_engine_ask(nn_engine *engine, bool (*go_on)(void *user, ap_error *err), void *user);

/* ---- tensors */

/* Copies from and to the caller's memory. nn_tensor_read takes x over; false if x is NULL or on failure. */
nn_tensor *nn_tensor_new(nn_engine *engine, int64_t rows, int64_t channels, int64_t time, const float *data);
bool nn_tensor_read(nn_tensor *x, float *data);
nn_tensor *nn_keep(nn_tensor *x);
void nn_drop(nn_tensor *x);
/* 0 for NULL. */
int64_t nn_rows(const nn_tensor *x);
int64_t nn_channels(const nn_tensor *x);
int64_t nn_time(const nn_tensor *x);

/* ---- layers */

/* weight: [out][in][kernel_rows][kernel], transposed: [in][out][kernel_rows][kernel]; bias: [out]. */
nn_conv *nn_conv_new(nn_engine *engine, const nn_conv_shape *shape, const float *weight, const float *bias);
void nn_conv_free(nn_conv *layer);
/* NN_OVER_ROW with groups 0: nothing is normalised, each channel is multiplied by its weight; no activation.
 * bias NULL: zeros. */
nn_norm *nn_norm_new(nn_engine *engine, nn_norm_over over, int groups, int channels, const float *weight,
                     const float *bias);
void nn_norm_free(nn_norm *layer);

/* directions[2 * layer + backward] */
nn_lstm *nn_lstm_new(nn_engine *engine, int in, int hidden, int layers, const nn_lstm_weights *directions);
void nn_lstm_free(nn_lstm *layer);

/* A matrix for the channels of each moment. bias: [out], copied; NULL: zeros. */
nn_linear *nn_linear_new(nn_engine *engine, const nn_weights *weights, const float *bias);
void nn_linear_free(nn_linear *layer);

/* ---- operations */

/* The layer, then act. Transposed layers know no GLU; along their axis they drop what is before from_* and
 * give rows or time (0 = all). */
nn_tensor *nn_convolve(nn_tensor *x, const nn_conv *layer, nn_act act);
nn_tensor *nn_convolve_transposed(nn_tensor *x, const nn_conv *layer, nn_crop_to crop, nn_act act);
nn_tensor *nn_crop(nn_tensor *x, nn_crop_to crop);
/* Appends zeros until the time is a multiple. */
nn_tensor *nn_pad_time(nn_tensor *x, int multiple);
nn_tensor *nn_normalize(nn_tensor *x, const nn_norm *layer, nn_act act);
/* Convolution, norm, activation. */
nn_tensor *nn_convolve_normalized(nn_tensor *x, const nn_conv *conv, const nn_norm *norm, nn_act act);
nn_tensor *nn_activate(nn_tensor *x, nn_act act);
/* x + y. y may have 1 as its time, or 1 as its rows: then it is repeated. */
nn_tensor *nn_add(nn_tensor *x, nn_tensor *y);
/* x * factor + offset */
nn_tensor *nn_scale(nn_tensor *x, double factor, double offset);
/* x + layer(y), of a layer with one kernel row */
nn_tensor *nn_add_convolved(nn_tensor *x, nn_tensor *y, const nn_conv *layer);
/* x + scale * glu(norm(conv(y))), scale for each channel, of one kernel row: the end of a DConv branch. */
nn_tensor *nn_add_branch(nn_tensor *x, nn_tensor *y, const nn_conv *conv, const nn_norm *norm,
                         const nn_norm *scale);
/* Mean and standard deviation (of a sample: n - 1) of all elements. x stays with the caller. */
bool nn_moments(const nn_tensor *x, double *mean, double *deviation);

/* [rows][channels][time] -> [1][channels][rows * time] and back. */
nn_tensor *nn_flatten(nn_tensor *x);
nn_tensor *nn_unflatten(nn_tensor *x, int64_t rows);

/* Softmax attention of heads, over all moments of all rows: q [r][c][t], kv [q][2c][s] -> [r][c][t]. */
nn_tensor *nn_attention(nn_tensor *q, nn_tensor *kv, int heads);
/* Attention with a penalty on distance (Demucs' LocalState): x is query, key, content [c] each and decay
 * [heads * decays], one after another in the channels. */
nn_tensor *nn_local_attention(nn_tensor *x, int channels, int heads, int decays);
/* All layers, both directions: [rows][in][time] -> [rows][2 * hidden][time], each row a sequence. */
nn_tensor *nn_run_lstm(nn_tensor *x, const nn_lstm *layer);
/* The layer on the channels of each moment, then act (no GLU). */
nn_tensor *nn_apply_linear(nn_tensor *x, const nn_linear *layer, nn_act act);
/* The same of x normalised (NN_RMS, NN_OVER_CHANNELS). */
nn_tensor *nn_apply_normalized(nn_tensor *x, const nn_norm *norm, const nn_linear *layer, nn_act act);
/* x + layer(y) */
nn_tensor *nn_add_linear(nn_tensor *x, nn_tensor *y, const nn_linear *layer);

/* Softmax attention within each row: x is query, key, value [c] each, one after another in the channels;
 * query and key are turned by their place in time; each head's result is multiplied by the sigmoid of its
 * gate. [r][3c][t], gates [r][heads][t] -> [r][c][t]. Polar: as PoPE does (Gopalakrishnan et al. 2025). */
nn_tensor *nn_row_attention(nn_tensor *x, nn_tensor *gates, int heads, const nn_places *places);

/* x + out(nn_row_attention(qkv(norm(x)), gates(norm(x)))) */
nn_tensor *nn_attend(nn_tensor *x, const nn_attention_layer *layer);
/* x + out(act(in(norm(x)))) */
nn_tensor *nn_feed_forward(nn_tensor *x, const nn_norm *norm, const nn_linear *in, nn_act act,
                           const nn_linear *out);

/* Cuts time into windows, which become rows: [1][c][t] -> [n][c][width], padded with zeros at the end; and
 * puts the middles of them together again. */
nn_tensor *nn_windows(nn_tensor *x, int64_t width, int64_t stride);
nn_tensor *nn_join_windows(nn_tensor *x, int64_t rows, int64_t stride, int64_t time);

/* Hann-windowed spectrum with hop nfft / 4, normalised by 1/sqrt(nfft), of a signal with 3 nfft / 8 samples
 * more at its ends (reflected or zeros) so that there are ceil(time / hop) moments: [1][c][n] ->
 * [nfft / 2][2c: re, im][moments]. The Nyquist bin is dropped. */
nn_tensor *nn_spectrum(nn_tensor *x, int nfft, bool reflect);
/* The inverse; the result starts at sample offset of the padded signal and has time samples. */
nn_tensor *nn_signal(nn_tensor *x, int64_t offset, int64_t time);

/* The centred spectrum with any hop: Hann window of nfft, nfft / 2 reflected samples at both ends, not
 * scaled: [1][c][n] -> [nfft / 2 + 1][2c: re, im][n / hop + 1]; n > nfft / 2. And back to time samples. */
nn_tensor *nn_stft(nn_tensor *x, int nfft, int hop);
nn_tensor *nn_istft(nn_tensor *x, int hop, int64_t time);

/* ---- shapes */

/* The same floats in the same order under other sizes. */
nn_tensor *nn_reshape(nn_tensor *x, int64_t rows, int64_t channels, int64_t time);
/* As the permutation says. */
nn_tensor *nn_permute(nn_tensor *x, const nn_permutation *p);
/* [r][c][t] -> [t][c][r] */
nn_tensor *nn_transpose(nn_tensor *x);
/* y in the place of, or added to, the rows from.. of x. */
nn_tensor *nn_put_rows(nn_tensor *x, nn_tensor *y, int64_t from, bool add);
/* The channels of x, then those of y. */
nn_tensor *nn_concat(nn_tensor *x, nn_tensor *y);
nn_tensor *nn_multiply(nn_tensor *x, nn_tensor *y);
/* Pairs of channels as complex numbers, times the factor of their row. */
nn_tensor *nn_multiply_complex(nn_tensor *x, nn_tensor *y, const float *factors);
nn_tensor *nn_zeros(nn_engine *engine, int64_t rows, int64_t channels, int64_t time);

/* ---- TorchScript */

typedef struct nn_script nn_script;

nn_script *nn_script_new(nn_engine *engine, const char *path, ap_error *err);
void nn_script_free(nn_script *script);
/* [1][c][n] -> [1][stems * c][n] by a module that maps [1, c, n] to [1, stems, c, n]. */
nn_tensor *nn_script_run(nn_tensor *x, nn_script *script, int stems);

#ifdef __cplusplus
}
#endif

#endif
