/* SPDX-License-Identifier: GPL-3.0-or-later
 * backend.h - what implements tensor.h on a kind of device. tensor.c owns tensors and checks shapes. */
#ifndef DM_BACKEND_H
#define DM_BACKEND_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dm_backend dm_backend;
typedef struct dm_torch dm_torch;

struct dm_engine {
    const dm_backend *ops;
    const dm_torch *torch; /* NULL: not that backend */
    int threads;
    bool failed;
    ap_error error;
    void *data; /* of the backend, as in the structs below */
};

struct dm_tensor {
    dm_engine *engine;
    int refs;
    int64_t rows, channels, time;
    void *data;
};

struct dm_conv {
    dm_engine *engine;
    dm_conv_shape shape;
    void *data;
};

struct dm_norm {
    dm_engine *engine;
    dm_norm_over over;
    int groups, channels;
    void *data;
};

struct dm_lstm {
    dm_engine *engine;
    int in, hidden, layers;
    void *data;
};

/* Operations read their operands and return a new tensor, or NULL after dm_engine_fail. One that writes over
 * an operand that nobody else holds (dm_alone) returns dm_keep of it. */
struct dm_backend {
    bool (*open)(dm_engine *engine, const char *device, ap_error *err);
    void (*close)(dm_engine *engine);
    bool (*upload)(dm_tensor *x, const float *data);
    bool (*download)(const dm_tensor *x, float *data);
    void (*free_tensor)(dm_tensor *x);
    bool (*new_conv)(dm_conv *layer, const float *weight, const float *bias);
    void (*free_conv)(dm_conv *layer);
    bool (*new_norm)(dm_norm *layer, const float *weight, const float *bias);
    void (*free_norm)(dm_norm *layer);
    bool (*new_lstm)(dm_lstm *layer, const dm_lstm_weights *directions);
    void (*free_lstm)(dm_lstm *layer);
    dm_tensor *(*convolve)(dm_tensor *x, const dm_conv *layer, dm_act act);
    dm_tensor *(*convolve_transposed)(dm_tensor *x, const dm_conv *layer, dm_crop_to crop, dm_act act);
    dm_tensor *(*convolve_normalized)(dm_tensor *x, const dm_conv *conv, const dm_norm *norm, dm_act act);
    dm_tensor *(*crop)(dm_tensor *x, dm_crop_to crop);
    dm_tensor *(*pad_time)(dm_tensor *x, int64_t time);
    dm_tensor *(*normalize)(dm_tensor *x, const dm_norm *layer, dm_act act);
    dm_tensor *(*activate)(dm_tensor *x, dm_act act);
    dm_tensor *(*add)(dm_tensor *x, dm_tensor *y);
    dm_tensor *(*scale)(dm_tensor *x, double factor, double offset);
    dm_tensor *(*add_convolved)(dm_tensor *x, dm_tensor *y, const dm_conv *layer);
    dm_tensor *(*add_branch)(dm_tensor *x, dm_tensor *y, const dm_conv *conv, const dm_norm *norm,
                             const dm_norm *scale);
    bool (*moments)(const dm_tensor *x, double *mean, double *deviation);
    dm_tensor *(*flatten)(dm_tensor *x);
    dm_tensor *(*unflatten)(dm_tensor *x, int64_t rows);
    dm_tensor *(*attention)(dm_tensor *q, dm_tensor *kv, int heads);
    dm_tensor *(*local_attention)(dm_tensor *x, int channels, int heads, int decays);
    dm_tensor *(*run_lstm)(dm_tensor *x, const dm_lstm *layer);
    dm_tensor *(*windows)(dm_tensor *x, int64_t width, int64_t stride);
    dm_tensor *(*join_windows)(dm_tensor *x, int64_t rows, int64_t stride, int64_t time);
    dm_tensor *(*spectrum)(dm_tensor *x, int nfft, bool reflect);
    dm_tensor *(*signal)(dm_tensor *x, int64_t offset, int64_t time);
};

/* The CPU, by our own means. */
const dm_backend *dm_native_backend(void);

/* What the plugin demucs-torch.so offers under the name dm_torch_get: libtorch's devices, and TorchScript. */
struct dm_torch {
    const dm_backend *backend;
    void *(*load)(dm_engine *engine, const char *path, ap_error *err);
    void (*unload)(void *module);
    dm_tensor *(*run)(const dm_tensor *x, void *module, int stems);
};

__attribute__((visibility("default"))) const dm_torch *dm_torch_get(void);

/* A tensor without data, for a backend to fill. NULL when out of memory. */
dm_tensor *dm_tensor_shell(dm_engine *engine, int64_t rows, int64_t channels, int64_t time);
bool dm_alone(const dm_tensor *x);
/* Records the first failure. Returns false. */
bool dm_engine_fail(dm_engine *engine, ap_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Lengths after a convolution. */
int64_t dm_conv_length(int64_t length, int kernel, int stride, int pad, int dilation);

#ifdef __cplusplus
}
#endif

#endif
