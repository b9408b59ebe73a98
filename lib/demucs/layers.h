/* SPDX-License-Identifier: GPL-3.0-or-later
 * layers.h - the layers of Demucs: made from the tensors of a checkpoint, and applied. */
#ifndef DM_LAYERS_H
#define DM_LAYERS_H

#include "checkpoint.h"
#include "tensor.h"

/* Takes tensors out of a checkpoint. After the first failure everything returns NULL, and err says why. */
typedef struct dm_loader {
    const dm_checkpoint *checkpoint;
    dm_engine *engine;
    ap_error *err;
    size_t used;
    bool failed;
} dm_loader;

bool dm_loader_fail(dm_loader *loader, const char *what, const char *name);
/* The floats of a tensor of exactly that size; size[dims..] are ignored. The caller frees them. */
float *dm_load(dm_loader *loader, const char *name, int dims, const int64_t *size);
float *dm_load_vector(dm_loader *loader, const char *name, int64_t size);
/* name.weight and name.bias. flat: the file's tensor has no rows dimension (Conv1d). */
dm_conv *dm_load_conv(dm_loader *loader, const char *name, const dm_conv_shape *shape, bool flat);
dm_norm *dm_load_norm(dm_loader *loader, const char *name, dm_norm_over over, int groups, int channels);
/* A factor for each channel; also a LayerScale's name.scale. */
dm_norm *dm_load_scale(dm_loader *loader, const char *name, int channels);
/* prefix with the printed rest appended. */
typedef struct dm_name {
    char text[160];
} dm_name;
dm_name dm_name_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- DConv: a residual branch of small dilated convolutions */

#define DM_MAX_BRANCHES 8

typedef struct dm_branch {
    dm_conv *squeeze, *expand;
    dm_norm *norm1, *norm2, *scale;
    dm_lstm *lstm; /* NULL: none */
    dm_conv *lstm_linear;
    dm_conv *attention_in, *attention_out; /* NULL: none */
    int hidden;
} dm_branch;

typedef struct dm_dconv {
    dm_branch branches[DM_MAX_BRANCHES];
    int depth; /* 0: none */
} dm_dconv;

typedef struct dm_dconv_options {
    int channels, depth; /* depth < 0: not dilated */
    double compress;
    bool lstm, attention;
} dm_dconv_options;

void dm_dconv_load(dm_loader *loader, const char *name, const dm_dconv_options *options, dm_dconv *d);
void dm_dconv_free(dm_dconv *d);
dm_tensor *dm_dconv_apply(dm_tensor *x, const dm_dconv *d);

/* ---- encoder and decoder layers of both branches */

typedef struct dm_layer_options {
    int in, out;
    int kernel, stride, context;
    bool spectral; /* over the rows, else over time */
    bool pad, empty, last;
    int norm_groups; /* 0: no norms */
    bool dconv;
    dm_dconv_options branch;
} dm_layer_options;

typedef struct dm_layer {
    dm_layer_options options;
    int pad;
    dm_conv *conv, *rewrite;
    dm_norm *norm1, *norm2;
    dm_dconv dconv;
} dm_layer;

void dm_encoder_load(dm_loader *loader, const char *name, const dm_layer_options *options, dm_layer *layer);
void dm_decoder_load(dm_loader *loader, const char *name, const dm_layer_options *options, dm_layer *layer);
void dm_layer_free(dm_layer *layer);
/* injected: inject, from the waveform branch, is added after the convolution. */
dm_tensor *dm_encode(dm_tensor *x, const dm_layer *layer, dm_tensor *inject, bool injected);
/* pre, if not NULL, gets the input of the transposed convolution. length: of the result of a waveform layer.
 */
dm_tensor *dm_decode(dm_tensor *x, const dm_layer *layer, int64_t length, dm_tensor **pre);

#endif
