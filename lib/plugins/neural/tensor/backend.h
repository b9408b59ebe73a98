/* SPDX-License-Identifier: GPL-3.0-or-later
 * backend.h - what implements tensor.h on a kind of device. tensor.c owns tensors and checks shapes. */
#ifndef NN_BACKEND_H
#define NN_BACKEND_H

#include "base/plugin.h"
#include "plugins/neural/tensor/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nn_backend nn_backend;
typedef struct nn_torch nn_torch;

struct nn_engine {
    const nn_backend *ops;
    const nn_torch *torch; /* NULL: not that backend */
    int threads;
    bool (*go_on)(void *user, ap_error *err); /* asked while it computes; NULL: nobody wants to be asked */
    void *user;
    bool failed;
    ap_error error;
    void *data;    /* of the backend, as in the structs below */
    char name[64]; /* what computes, for people */
};

struct nn_tensor {
    nn_engine *engine;
    int refs;
    int64_t rows, channels, time;
    void *data;
};

struct nn_conv {
    nn_engine *engine;
    nn_conv_shape shape;
    void *data;
};

struct nn_norm {
    nn_engine *engine;
    nn_norm_over over;
    int groups, channels;
    void *data;
};

struct nn_linear {
    nn_engine *engine;
    nn_weights weights;
    void *data;
};

struct nn_lstm {
    nn_engine *engine;
    int in, hidden, layers;
    void *data;
};

/* Several operations in one pass over memory. All are optional: where one is NULL, tensor.c composes it of
 * the others. */
typedef struct nn_fused {
    nn_tensor *(*convolve_normalized)(nn_tensor *x, const nn_conv *conv, const nn_norm *norm, nn_act act);
    nn_tensor *(*add_convolved)(nn_tensor *x, nn_tensor *y, const nn_conv *layer);
    nn_tensor *(*add_branch)(nn_tensor *x, nn_tensor *y, const nn_conv *conv, const nn_norm *norm,
                             const nn_norm *scale);
    nn_tensor *(*apply_normalized)(nn_tensor *x, const nn_norm *norm, const nn_linear *layer, nn_act act);
    nn_tensor *(*add_linear)(nn_tensor *x, nn_tensor *y, const nn_linear *layer);
    nn_tensor *(*attend)(nn_tensor *x, const nn_attention_layer *layer); /* not across with polar places */
    nn_tensor *(*feed_forward)(nn_tensor *x, const nn_norm *norm, const nn_linear *in, nn_act act,
                               const nn_linear *out);
} nn_fused;

/* Operations read their operands and return a new tensor, or NULL after nn_engine_fail. One that writes over
 * an operand that nobody else holds (nn_alone) returns nn_keep of it. */
struct nn_backend {
    bool (*open)(nn_engine *engine, const char *device, ap_error *err);
    void (*close)(nn_engine *engine);
    bool (*upload)(nn_tensor *x, const float *data);
    bool (*download)(const nn_tensor *x, float *data);
    void (*free_tensor)(nn_tensor *x);
    bool (*new_conv)(nn_conv *layer, const float *weight, const float *bias);
    void (*free_conv)(nn_conv *layer);
    bool (*new_norm)(nn_norm *layer, const float *weight, const float *bias);
    void (*free_norm)(nn_norm *layer);
    bool (*new_lstm)(nn_lstm *layer, const nn_lstm_weights *directions);
    void (*free_lstm)(nn_lstm *layer);
    nn_tensor *(*convolve)(nn_tensor *x, const nn_conv *layer, nn_act act);
    nn_tensor *(*convolve_transposed)(nn_tensor *x, const nn_conv *layer, nn_crop_to crop, nn_act act);
    nn_tensor *(*crop)(nn_tensor *x, nn_crop_to crop);
    nn_tensor *(*pad_time)(nn_tensor *x, int64_t time);
    nn_tensor *(*normalize)(nn_tensor *x, const nn_norm *layer, nn_act act);
    nn_tensor *(*activate)(nn_tensor *x, nn_act act);
    nn_tensor *(*add)(nn_tensor *x, nn_tensor *y);
    nn_tensor *(*scale)(nn_tensor *x, double factor, double offset);
    bool (*moments)(const nn_tensor *x, double *mean, double *deviation);
    nn_tensor *(*flatten)(nn_tensor *x);
    nn_tensor *(*unflatten)(nn_tensor *x, int64_t rows);
    nn_tensor *(*attention)(nn_tensor *q, nn_tensor *kv, int heads);
    nn_tensor *(*local_attention)(nn_tensor *x, int channels, int heads, int decays);
    nn_tensor *(*run_lstm)(nn_tensor *x, const nn_lstm *layer);
    nn_tensor *(*windows)(nn_tensor *x, int64_t width, int64_t stride);
    nn_tensor *(*join_windows)(nn_tensor *x, int64_t rows, int64_t stride, int64_t time);
    nn_tensor *(*spectrum)(nn_tensor *x, int nfft, bool reflect);
    nn_tensor *(*signal)(nn_tensor *x, int64_t offset, int64_t time);
    bool (*new_linear)(nn_linear *layer, const float *bias);
    void (*free_linear)(nn_linear *layer);
    nn_tensor *(*apply_linear)(nn_tensor *x, const nn_linear *layer, nn_act act);
    nn_tensor *(*row_attention)(nn_tensor *x, nn_tensor *gates, int heads, const nn_places *places);
    nn_tensor *(*stft)(nn_tensor *x, int nfft, int hop);
    nn_tensor *(*istft)(nn_tensor *x, int hop, int64_t time);
    nn_tensor *(*reshape)(nn_tensor *x, int64_t rows, int64_t channels, int64_t time);
    nn_tensor *(*permute)(nn_tensor *x, const nn_permutation *p);
    nn_tensor *(*put_rows)(nn_tensor *x, nn_tensor *y, int64_t from, bool add);
    nn_tensor *(*concat)(nn_tensor *x, nn_tensor *y);
    nn_tensor *(*multiply)(nn_tensor *x, nn_tensor *y);
    nn_tensor *(*multiply_complex)(nn_tensor *x, nn_tensor *y, const float *factors);
    nn_tensor *(*zeros)(nn_engine *engine, int64_t rows, int64_t channels, int64_t time);
    nn_fused fused;
};

/* The CPU, by our own means. */
const nn_backend *nn_native_backend(void);

/* What the plugin neural-torch.so offers: libtorch's devices, and TorchScript. */
struct nn_torch {
    ap_plugin_head head;
    const nn_backend *backend;
    void *(*load)(nn_engine *engine, const char *path, ap_error *err);
    void (*unload)(void *module);
    nn_tensor *(*run)(const nn_tensor *x, void *module, int stems);
};

#define NN_TORCH_VERSION 6

/* A tensor without data, for a backend to fill. NULL when out of memory. */
nn_tensor *nn_tensor_shell(nn_engine *engine, int64_t rows, int64_t channels, int64_t time);
bool nn_alone(const nn_tensor *x);
/* For a layer that was given something that it is not made for: a network that contradicts itself. Returns
 * condition. */
bool nn_fits(bool condition, const nn_tensor *x, const char *operation);
/* Records the first failure. Returns false. */
bool nn_engine_fail(nn_engine *engine, ap_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Asks whoever started it all; false after a failure. By the thread that computes alone. */
bool nn_engine_may_go_on(nn_engine *engine);
/* Lengths after a convolution. */
int64_t nn_conv_length(int64_t length, int kernel, int stride, int pad, int dilation);

#ifdef __cplusplus
}
#endif

#endif
