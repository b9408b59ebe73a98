/* SPDX-License-Identifier: GPL-3.0-or-later
 * loader.h - layers made from the tensors of a checkpoint. */
#ifndef NN_LOADER_H
#define NN_LOADER_H

#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/tensor/tensor.h"

/* Takes tensors out of a checkpoint. After the first failure everything returns NULL, and err says why. */
typedef struct nn_loader {
    const nn_checkpoint *checkpoint;
    nn_engine *engine;
    ap_error *err;
    bool *used; /* of each tensor */
    bool failed;
} nn_loader;

/* false: out of memory, and err says so. */
bool nn_loader_open(nn_loader *loader, const nn_checkpoint *checkpoint, nn_engine *engine, ap_error *err);
/* true if nothing failed and every tensor was used; frees what the loader has. */
bool nn_loader_finish(nn_loader *loader);
bool nn_loader_fail(nn_loader *loader, const char *what, const char *name);
void *nn_loader_no_memory(nn_loader *loader);
/* Returns layer; NULL is a failure of the engine's, unless there was one before. */
void *nn_loader_made(nn_loader *loader, void *layer);
/* Whether there is a tensor of that name. */
bool nn_loader_has(const nn_loader *loader, const char *name);
/* The floats of a tensor of exactly that size; size[dims..] are ignored. The caller frees them. */
float *nn_load(nn_loader *loader, const char *name, int dims, const int64_t *size);
float *nn_load_vector(nn_loader *loader, const char *name, int64_t size);
/* name.weight and name.bias. flat: the file's tensor has no rows dimension (Conv1d). */
nn_conv *nn_load_conv(nn_loader *loader, const char *name, const nn_conv_shape *shape, bool flat);
nn_norm *nn_load_norm(nn_loader *loader, const char *name, nn_norm_over over, int groups, int channels);
/* A factor for each channel; also a LayerScale's name.scale. */
nn_norm *nn_load_scale(nn_loader *loader, const char *name, int channels);
/* name.weight [out][in], with name.bias if there shall be one. The weights stay in the file if they can. */
nn_linear *nn_load_linear(nn_loader *loader, const char *name, int in, int out, bool bias);
nn_norm *nn_load_rms(nn_loader *loader, const char *name, int channels);
/* prefix with the printed rest appended. */
typedef struct nn_name {
    char text[160];
} nn_name;
nn_name nn_name_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
