/* SPDX-License-Identifier: GPL-3.0-or-later
 * torch.cpp - tensor.h on libtorch: any device that it has, and TorchScript. */
extern "C" {
#include "base/error.h"
#include "base/plugin.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"
}

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <cmath>
#include <cstring>
#include <torch/script.h>
#include <vector>

namespace
{

struct device_data {
    at::Device device;
};

struct conv_data {
    at::Tensor weight, bias;
};

struct norm_data {
    at::Tensor weight, bias;
};

at::Device device_of(const nn_engine *engine)
{
    return static_cast<device_data *>(engine->data)->device;
}

const at::Tensor &of(const nn_tensor *x)
{
    return *static_cast<at::Tensor *>(x->data);
}

template <typename T> const T &of_layer(const void *data)
{
    return *static_cast<const T *>(data);
}

/* The first line of an exception: the others are a stack trace. */
void fail(nn_engine *engine, const char *what)
{
    bool memory = std::strstr(what, "out of memory") || std::strstr(what, "can't allocate memory");
    nn_engine_fail(engine, memory ? AP_TRY_AGAIN : AP_FAILED, "libtorch: %.*s", (int)std::strcspn(what, "\n"),
                   what);
}

/* Runs a function that may throw. */
template <typename F> bool guard(nn_engine *engine, F f)
{
    try {
        c10::InferenceMode no_gradients;
        f();
        return true;
    } catch (const c10::Error &e) {
        fail(engine, e.what_without_backtrace());
    } catch (const std::exception &e) {
        fail(engine, e.what());
    }
    return false;
}

/* Runs a function that returns a tensor of three dimensions. */
template <typename F> nn_tensor *make(nn_engine *engine, F f)
{
    nn_tensor *y = nn_tensor_shell(engine, 0, 0, 0);
    bool ok = y && guard(engine, [&] {
                  at::Tensor t = f();
                  y->rows = t.size(0);
                  y->channels = t.size(1);
                  y->time = t.size(2);
                  y->data = new at::Tensor(std::move(t));
              });
    if (ok)
        return y;
    free(y);
    return nullptr;
}

at::Tensor copy_in(const nn_engine *engine, const float *data, at::IntArrayRef sizes)
{
    at::Tensor t = at::from_blob(const_cast<float *>(data), sizes, at::kFloat);
    return t.to(device_of(engine), at::kFloat, false, true);
}

/* [rows][channels][time] <-> [1][channels][rows][time], as images are. */
at::Tensor to_image(const at::Tensor &x)
{
    return x.permute({1, 0, 2}).unsqueeze(0);
}

at::Tensor from_image(const at::Tensor &x)
{
    return x.squeeze(0).permute({1, 0, 2});
}

at::Tensor act_on(const at::Tensor &x, nn_act act)
{
    switch (act) {
    case NN_RELU:
        return at::relu(x);
    case NN_GELU:
        return at::gelu(x);
    case NN_TANH:
        return at::tanh(x);
    case NN_GLU:
        return at::glu(x, 1);
    default:
        return x;
    }
}

/* ---- engine and data */

bool choose_device(nn_engine *engine, const char *device, ap_error *err)
{
    bool want_cuda = std::strcmp(device, "cuda") == 0, automatic = std::strcmp(device, "auto") == 0;
    if (!want_cuda && !automatic && std::strcmp(device, "cpu") != 0)
        return ap_fail(err, AP_USAGE, "device '%s' is not one of auto, cpu, cuda", device);
    bool has_cuda = device[0] == 'c' && !want_cuda ? false : at::hasCUDA();
    if (want_cuda && !has_cuda)
        return ap_fail(err, AP_FAILED, "this libtorch has no CUDA, or the machine no GPU");
    engine->data = new device_data{at::Device(has_cuda ? at::kCUDA : at::kCPU)};
    return true;
}

bool torch_open(nn_engine *engine, const char *device, ap_error *err)
{
    bool chosen = false;
    bool ok = guard(engine, [&] {
        chosen = choose_device(engine, device, err);
        if (chosen)
            at::set_num_threads(engine->threads);
        /* TensorFloat-32 would cost the agreement with the CPU. */
        at::globalContext().setAllowTF32CuBLAS(false);
        at::globalContext().setAllowTF32CuDNN(false);
    });
    return ok ? chosen : nn_engine_check(engine, err);
}

void torch_close(nn_engine *engine)
{
    delete static_cast<device_data *>(engine->data);
}

bool torch_upload(nn_tensor *x, const float *data)
{
    return guard(x->engine, [&] {
        x->data = new at::Tensor(copy_in(x->engine, data, {x->rows, x->channels, x->time}));
    });
}

bool torch_download(const nn_tensor *x, float *data)
{
    return guard(x->engine, [&] {
        at::Tensor out = at::from_blob(data, {x->rows, x->channels, x->time}, at::kFloat);
        out.copy_(of(x));
    });
}

void torch_free_tensor(nn_tensor *x)
{
    delete static_cast<at::Tensor *>(x->data);
}

bool torch_new_conv(nn_conv *layer, const float *weight, const float *bias)
{
    const nn_conv_shape *s = &layer->shape;
    int64_t a = s->transposed ? s->in : s->out, b = s->transposed ? s->out : s->in;
    return guard(layer->engine, [&] {
        at::Tensor w = copy_in(layer->engine, weight, {a, b, s->kernel_rows, s->kernel});
        if (s->kernel_rows == 1 && s->stride_rows == 1)
            w = w.squeeze(2);
        layer->data = new conv_data{w, copy_in(layer->engine, bias, {s->out})};
    });
}

void torch_free_conv(nn_conv *layer)
{
    delete static_cast<conv_data *>(layer->data);
}

bool torch_new_norm(nn_norm *layer, const float *weight, const float *bias)
{
    return guard(layer->engine, [&] {
        at::Tensor w = copy_in(layer->engine, weight, {layer->channels});
        layer->data = new norm_data{w, bias ? copy_in(layer->engine, bias, {layer->channels}) : at::Tensor()};
    });
}

void torch_free_norm(nn_norm *layer)
{
    delete static_cast<norm_data *>(layer->data);
}

bool torch_new_lstm(nn_lstm *layer, const nn_lstm_weights *directions)
{
    return guard(layer->engine, [&] {
        auto *parameters = new std::vector<at::Tensor>;
        layer->data = parameters;
        int64_t h = layer->hidden;
        for (int i = 0; i < 2 * layer->layers; i++) {
            int64_t in = i < 2 ? layer->in : 2 * h;
            parameters->push_back(copy_in(layer->engine, directions[i].input, {4 * h, in}));
            parameters->push_back(copy_in(layer->engine, directions[i].hidden, {4 * h, h}));
            parameters->push_back(copy_in(layer->engine, directions[i].bias, {4 * h}));
            parameters->push_back(at::zeros({4 * h}, parameters->back().options()));
        }
    });
}

void torch_free_lstm(nn_lstm *layer)
{
    delete static_cast<std::vector<at::Tensor> *>(layer->data);
}

/* ---- convolutions */

at::Tensor convolve(const at::Tensor &x, const nn_conv *layer)
{
    const nn_conv_shape *s = &layer->shape;
    const conv_data &d = of_layer<conv_data>(layer->data);
    if (d.weight.dim() == 3)
        return at::conv1d(x, d.weight, d.bias, {s->stride}, {s->pad}, {s->dilation});
    return from_image(at::conv2d(to_image(x), d.weight, d.bias, {s->stride_rows, s->stride},
                                 {s->pad_rows, s->pad}, {1, s->dilation}));
}

nn_tensor *torch_convolve(nn_tensor *x, const nn_conv *layer, nn_act act)
{
    return make(x->engine, [&] { return act_on(convolve(of(x), layer), act); });
}

at::Tensor crop(const at::Tensor &x, nn_crop_to c)
{
    return x.narrow(0, c.from_row, c.rows).narrow(2, c.from, c.time);
}

at::Tensor convolve_transposed(const at::Tensor &x, const nn_conv *layer)
{
    const nn_conv_shape *s = &layer->shape;
    const conv_data &d = of_layer<conv_data>(layer->data);
    if (d.weight.dim() == 3)
        return at::conv_transpose1d(x, d.weight, d.bias, {s->stride});
    return from_image(at::conv_transpose2d(to_image(x), d.weight, d.bias, {s->stride_rows, s->stride}));
}

// cppcheck-suppress passedByValue
nn_tensor *torch_convolve_transposed(nn_tensor *x, const nn_conv *layer, nn_crop_to to, nn_act act)
{
    return make(x->engine, [&] { return act_on(crop(convolve_transposed(of(x), layer), to), act); });
}

/* ---- norms and sums */

at::Tensor normalize(const at::Tensor &x, const nn_norm *layer)
{
    const norm_data &d = of_layer<norm_data>(layer->data);
    const double eps = 1e-5; /* PyTorch's default, which Demucs keeps */
    if (layer->groups == 0 && layer->over == NN_OVER_ROW)
        return x * d.weight.unsqueeze(1);
    switch (layer->over) {
    case NN_RMS: {
        at::Tensor length = at::frobenius_norm(x, {1}, true).clamp_min(1e-12);
        return x / length * std::sqrt((double)layer->channels) * d.weight.unsqueeze(1);
    }
    case NN_OVER_CHANNELS:
        return at::layer_norm(x.transpose(1, 2), {layer->channels}, d.weight, d.bias, eps).transpose(1, 2);
    case NN_OVER_ROW:
        return at::group_norm(x.contiguous(), layer->groups, d.weight, d.bias, eps);
    default:
        return from_image(at::group_norm(to_image(x).contiguous(), layer->groups, d.weight, d.bias, eps));
    }
}

nn_tensor *torch_normalize(nn_tensor *x, const nn_norm *layer, nn_act act)
{
    return make(x->engine, [&] { return act_on(normalize(of(x), layer), act); });
}

nn_tensor *torch_convolve_normalized(nn_tensor *x, const nn_conv *conv, const nn_norm *norm, nn_act act)
{
    return make(x->engine, [&] { return act_on(normalize(convolve(of(x), conv), norm), act); });
}

nn_tensor *torch_activate(nn_tensor *x, nn_act act)
{
    return make(x->engine, [&] { return act_on(of(x), act); });
}

nn_tensor *torch_add(nn_tensor *x, nn_tensor *y)
{
    return make(x->engine, [&] { return of(x) + of(y); });
}

nn_tensor *torch_scale(nn_tensor *x, double factor, double offset)
{
    return make(x->engine, [&] { return of(x) * factor + offset; });
}

nn_tensor *torch_add_convolved(nn_tensor *x, nn_tensor *y, const nn_conv *layer)
{
    return make(x->engine, [&] { return of(x) + convolve(of(y), layer); });
}

nn_tensor *torch_add_branch(nn_tensor *x, nn_tensor *y, const nn_conv *conv, const nn_norm *norm,
                            const nn_norm *scale)
{
    return make(x->engine, [&] {
        at::Tensor z = at::glu(normalize(convolve(of(y), conv), norm), 1);
        return of(x) + z * of_layer<norm_data>(scale->data).weight.unsqueeze(1);
    });
}

bool torch_moments(const nn_tensor *x, double *mean, double *deviation)
{
    return guard(x->engine, [&] {
        at::Tensor t = of(x).contiguous();
        *mean = t.mean().item<double>();
        *deviation = t.numel() > 1 ? t.std().item<double>() : 0;
    });
}

/* ---- shapes */

// cppcheck-suppress passedByValue
nn_tensor *torch_crop(nn_tensor *x, nn_crop_to to)
{
    return make(x->engine, [&] { return crop(of(x), to); });
}

nn_tensor *torch_pad_time(nn_tensor *x, int64_t time)
{
    return make(x->engine, [&] { return at::constant_pad_nd(of(x), {0, time - x->time}); });
}

nn_tensor *torch_flatten(nn_tensor *x)
{
    return make(x->engine, [&] {
        return of(x).permute({1, 0, 2}).reshape({1, x->channels, x->rows * x->time});
    });
}

nn_tensor *torch_unflatten(nn_tensor *x, int64_t rows)
{
    return make(x->engine, [&] {
        return of(x).reshape({x->channels, rows, x->time / rows}).permute({1, 0, 2});
    });
}

nn_tensor *torch_windows(nn_tensor *x, int64_t width, int64_t stride)
{
    return make(x->engine, [&] {
        int64_t count = (x->time + stride - 1) / stride, length = (count - 1) * stride + width;
        at::Tensor padded = at::constant_pad_nd(of(x), {0, length - x->time});
        return padded.unfold(2, width, stride).permute({0, 2, 1, 3}).reshape({-1, x->channels, width});
    });
}

nn_tensor *torch_join_windows(nn_tensor *x, int64_t rows, int64_t stride, int64_t time)
{
    return make(x->engine, [&] {
        int64_t count = x->rows / rows, margin = stride / 2;
        at::Tensor frames = of(x).reshape({rows, count, x->channels, x->time});
        std::vector<at::Tensor> parts;
        for (int64_t i = 0; i < count; i++) {
            int64_t from = i == 0 ? 0 : margin, to = i == count - 1 ? x->time : x->time - margin;
            parts.push_back(frames.select(1, i).narrow(2, from, to - from));
        }
        return at::cat(parts, 2).narrow(2, 0, time);
    });
}

/* ---- attention and LSTM */

/* [rows][heads * d][t] -> [heads][rows * t][d] */
at::Tensor split_heads(const at::Tensor &x, int heads)
{
    return x.permute({1, 0, 2}).reshape({heads, x.size(1) / heads, -1}).transpose(1, 2);
}

nn_tensor *torch_attention(nn_tensor *q, nn_tensor *kv, int heads)
{
    return make(q->engine, [&] {
        at::Tensor queries = split_heads(of(q), heads) / std::sqrt((double)(q->channels / heads));
        at::Tensor keys = split_heads(of(kv).narrow(1, 0, q->channels), heads);
        at::Tensor values = split_heads(of(kv).narrow(1, q->channels, q->channels), heads);
        at::Tensor weights = at::softmax(at::bmm(queries, keys.transpose(1, 2)), -1);
        at::Tensor out = at::bmm(weights, values).transpose(1, 2);
        return out.reshape({q->channels, q->rows, q->time}).permute({1, 0, 2});
    });
}

nn_tensor *torch_local_attention(nn_tensor *x, int channels, int heads, int decays)
{
    return make(x->engine, [&] {
        int64_t n = x->rows, t = x->time, d = channels / heads;
        auto part = [&](int64_t i, int64_t size) {
            return of(x).narrow(1, i * channels, heads * size).reshape({n, heads, size, t});
        };
        at::Tensor index = at::arange(t, of(x).options());
        at::Tensor distance = (index.unsqueeze(1) - index.unsqueeze(0)).abs();
        at::Tensor slopes = at::arange(1, decays + 1, of(x).options()).reshape({1, 1, decays, 1});
        at::Tensor decay =
            (at::sigmoid(part(3, decays)) / 2 * slopes).sum(2, true) / std::sqrt((double)decays);
        /* keys in rows, queries in columns */
        at::Tensor dots = at::matmul(part(1, d).transpose(2, 3), part(0, d)) / std::sqrt((double)d);
        dots = dots - distance * decay;
        dots.diagonal(0, 2, 3).fill_(-100); /* nobody attends to itself */
        at::Tensor result = at::matmul(part(2, d), at::softmax(dots, 2));
        return result.reshape({n, channels, t});
    });
}

nn_tensor *torch_run_lstm(nn_tensor *x, const nn_lstm *layer)
{
    return make(x->engine, [&] {
        const auto &parameters = of_layer<std::vector<at::Tensor>>(layer->data);
        at::Tensor zero = at::zeros({2 * layer->layers, x->rows, layer->hidden}, of(x).options());
        at::Tensor in = of(x).permute({2, 0, 1}).contiguous();
        auto result = at::lstm(in, {zero, zero}, parameters, true, layer->layers, 0, false, true, false);
        return std::get<0>(result).permute({1, 2, 0});
    });
}

/* ---- spectrum */

/* Reflection needs more signal than it adds: a short one gets zeros first (Demucs' pad1d). */
at::Tensor pad_signal(const at::Tensor &x, int64_t left, int64_t right, bool reflect)
{
    int64_t missing = std::max(left, right) - x.size(-1) + 1;
    if (!reflect)
        return at::constant_pad_nd(x, {left, right});
    if (missing <= 0)
        return at::reflection_pad1d(x, {left, right});
    int64_t more_right = std::min(right, missing), more_left = missing - more_right;
    return at::reflection_pad1d(at::constant_pad_nd(x, {more_left, more_right}),
                                {left - more_left, right - more_right});
}

nn_tensor *torch_spectrum(nn_tensor *x, int nfft, bool reflect)
{
    return make(x->engine, [&] {
        int64_t hop = nfft / 4, frames = (x->time + hop - 1) / hop, pad = hop / 2 * 3;
        at::Tensor padded = pad_signal(of(x), pad, pad + frames * hop - x->time, reflect);
        at::Tensor window = at::hann_window(nfft, of(x).options());
        at::Tensor z = at::fft_rfft(padded[0].unfold(1, nfft, hop) * window) / std::sqrt((double)nfft);
        z = at::view_as_real(z.narrow(2, 0, nfft / 2)); /* [c][frames][bins][2] */
        return z.permute({2, 0, 3, 1}).reshape({nfft / 2, 2 * x->channels, frames});
    });
}

/* Adds frames [c][count][nfft] at every hop. */
at::Tensor overlap_add(const at::Tensor &frames, int64_t hop)
{
    int64_t nfft = frames.size(2), length = (frames.size(1) + 3) * hop;
    at::Tensor sum = at::col2im(frames.transpose(1, 2), {1, length}, {1, nfft}, {1, 1}, {0, 0}, {1, hop});
    return sum.reshape({frames.size(0), length});
}

nn_tensor *torch_signal(nn_tensor *x, int64_t offset, int64_t time)
{
    return make(x->engine, [&] {
        int64_t bins = x->rows, nfft = 2 * bins, hop = nfft / 4, channels = x->channels / 2;
        at::Tensor z = of(x).reshape({bins, channels, 2, x->time}).permute({1, 3, 0, 2}).contiguous();
        z = at::constant_pad_nd(at::view_as_complex(z), {0, 1});
        at::Tensor window = at::hann_window(nfft, of(x).options());
        at::Tensor frames = at::fft_irfft(z, nfft) * window * std::sqrt((double)nfft);
        at::Tensor sum = overlap_add(frames, hop).narrow(1, offset, time);
        /* Two silent frames on both sides count in the window's sum. */
        at::Tensor windows = (window * window).expand({1, x->time + 4, nfft});
        at::Tensor weight = overlap_add(windows, hop).narrow(1, 2 * hop + offset, time);
        return (sum / weight).unsqueeze(0);
    });
}

/* ---- bands of a spectrum */

struct linear_data {
    at::Tensor weight, bias;
};

bool torch_new_linear(nn_linear *layer, const float *bias)
{
    const nn_weights *w = &layer->weights;
    return guard(layer->engine, [&] {
        const auto type = w->half ? at::kHalf : at::kFloat;
        at::Tensor weight = at::from_blob(const_cast<void *>(w->data), {w->out, w->in}, type);
        weight = weight.to(device_of(layer->engine), at::kFloat, false, true);
        at::Tensor b = bias ? copy_in(layer->engine, bias, {w->out}) : at::zeros({w->out}, weight.options());
        layer->data = new linear_data{weight, b};
    });
}

void torch_free_linear(nn_linear *layer)
{
    delete static_cast<linear_data *>(layer->data);
}

nn_tensor *torch_apply_linear(nn_tensor *x, const nn_linear *layer, nn_act act)
{
    return make(x->engine, [&] {
        const linear_data &d = of_layer<linear_data>(layer->data);
        return act_on(at::matmul(d.weight, of(x)) + d.bias.unsqueeze(1), act);
    });
}

/* [r][heads * d][t] -> [r][heads][t][d] */
at::Tensor heads_of(const at::Tensor &x, int64_t heads)
{
    return x.reshape({x.size(0), heads, -1, x.size(2)}).transpose(2, 3);
}

/* Neighbouring pairs turned by the angles [t][d / 2]. */
at::Tensor rotate(const at::Tensor &x, const at::Tensor &angles)
{
    at::Tensor pairs = x.reshape({x.size(0), x.size(1), x.size(2), -1, 2});
    at::Tensor a = pairs.select(4, 0), b = pairs.select(4, 1), c = angles.cos(), s = angles.sin();
    return at::stack({a * c - b * s, a * s + b * c}, 4).reshape(x.sizes());
}

/* Magnitudes [r][heads][t][d] at angles, as cosines and sines. */
at::Tensor at_angles(const at::Tensor &x, const at::Tensor &angles)
{
    at::Tensor magnitude = at::softplus(x);
    return at::cat({magnitude * angles.cos(), magnitude * angles.sin()}, 3);
}

nn_tensor *torch_row_attention(nn_tensor *x, nn_tensor *gates, int heads, const nn_places *places)
{
    return make(x->engine, [&] {
        const int64_t inner = x->channels / 3, d = inner / heads, count = places->polar_bias ? d : d / 2;
        at::Tensor q = heads_of(of(x).narrow(1, 0, inner), heads),
                   k = heads_of(of(x).narrow(1, inner, inner), heads);
        at::Tensor v = heads_of(of(x).narrow(1, 2 * inner, inner), heads);
        at::Tensor t = at::arange(x->time, of(x).options()).unsqueeze(1);
        at::Tensor angles = t * copy_in(x->engine, places->frequencies, {1, count});
        if (places->polar_bias) {
            at::Tensor bias = copy_in(x->engine, places->polar_bias, {heads, 1, d}).clamp(-2 * M_PI, 0);
            q = at_angles(q, angles);
            k = at_angles(k, angles + bias);
        } else {
            q = rotate(q, angles);
            k = rotate(k, angles);
        }
        at::Tensor weights = at::softmax(at::matmul(q, k.transpose(2, 3)) / std::sqrt((double)d), -1);
        at::Tensor out = at::matmul(weights, v) * at::sigmoid(of(gates)).unsqueeze(3);
        return out.transpose(2, 3).reshape({x->rows, inner, x->time});
    });
}

nn_tensor *torch_stft(nn_tensor *x, int nfft, int hop)
{
    return make(x->engine, [&] {
        at::Tensor padded = at::reflection_pad1d(of(x), {nfft / 2, nfft / 2})[0];
        at::Tensor window = at::hann_window(nfft, of(x).options());
        at::Tensor z = at::view_as_real(at::fft_rfft(padded.unfold(1, nfft, hop) * window));
        return z.permute({2, 0, 3, 1}).reshape({nfft / 2 + 1, 2 * x->channels, -1});
    });
}

at::Tensor sum_frames(const at::Tensor &frames, int64_t hop)
{
    const int64_t nfft = frames.size(2), length = (frames.size(1) - 1) * hop + nfft;
    at::Tensor sum = at::col2im(frames.transpose(1, 2), {1, length}, {1, nfft}, {1, 1}, {0, 0}, {1, hop});
    return sum.reshape({frames.size(0), length});
}

nn_tensor *torch_istft(nn_tensor *x, int hop, int64_t time)
{
    return make(x->engine, [&] {
        const int64_t nfft = 2 * (x->rows - 1), channels = x->channels / 2;
        at::Tensor z = of(x).reshape({x->rows, channels, 2, x->time}).permute({1, 3, 0, 2}).contiguous();
        at::Tensor window = at::hann_window(nfft, of(x).options());
        at::Tensor frames = at::fft_irfft(at::view_as_complex(z), nfft) * window;
        at::Tensor weight = sum_frames((window * window).expand({1, x->time, nfft}), hop);
        return (sum_frames(frames, hop) / weight).narrow(1, nfft / 2, time).unsqueeze(0);
    });
}

nn_tensor *torch_reshape(nn_tensor *x, int64_t rows, int64_t channels, int64_t time)
{
    return make(x->engine, [&] { return of(x).reshape({rows, channels, time}); });
}

nn_tensor *torch_permute(nn_tensor *x, const nn_permutation *p)
{
    return make(x->engine, [&] {
        std::vector<int64_t> order(p->order, p->order + 5);
        at::Tensor view = of(x).reshape(at::IntArrayRef(p->size, 5));
        return view.permute(order).reshape({p->rows, p->channels, p->time});
    });
}

nn_tensor *torch_put_rows(nn_tensor *x, nn_tensor *y, int64_t from, bool add)
{
    return make(x->engine, [&] {
        at::Tensor z = nn_alone(x) ? of(x) : of(x).clone();
        at::Tensor rows = z.narrow(0, from, y->rows);
        if (add)
            rows.add_(of(y));
        else
            rows.copy_(of(y));
        return z;
    });
}

nn_tensor *torch_concat(nn_tensor *x, nn_tensor *y)
{
    return make(x->engine, [&] { return at::cat({of(x), of(y)}, 1); });
}

nn_tensor *torch_multiply(nn_tensor *x, nn_tensor *y)
{
    return make(x->engine, [&] { return of(x) * of(y); });
}

nn_tensor *torch_multiply_complex(nn_tensor *x, nn_tensor *y, const float *factors)
{
    return make(x->engine, [&] {
        const std::vector<int64_t> pairs = {x->rows, x->channels / 2, 2, x->time};
        at::Tensor a = of(x).reshape(pairs), b = of(y).reshape(pairs);
        at::Tensor re = a.select(2, 0) * b.select(2, 0) - a.select(2, 1) * b.select(2, 1);
        at::Tensor im = a.select(2, 0) * b.select(2, 1) + a.select(2, 1) * b.select(2, 0);
        at::Tensor factor = copy_in(x->engine, factors, {x->rows, 1, 1, 1});
        return (at::stack({re, im}, 2) * factor).reshape({x->rows, x->channels, x->time});
    });
}

nn_tensor *torch_zeros(nn_engine *engine, int64_t rows, int64_t channels, int64_t time)
{
    return make(engine, [&] {
        return at::zeros({rows, channels, time},
                         at::TensorOptions().dtype(at::kFloat).device(device_of(engine)));
    });
}

/* In the order of nn_backend: designated initialisers came with C++20. */
const nn_backend backend = {
    torch_open,
    torch_close,
    torch_upload,
    torch_download,
    torch_free_tensor,
    torch_new_conv,
    torch_free_conv,
    torch_new_norm,
    torch_free_norm,
    torch_new_lstm,
    torch_free_lstm,
    torch_convolve,
    torch_convolve_transposed,
    torch_crop,
    torch_pad_time,
    torch_normalize,
    torch_activate,
    torch_add,
    torch_scale,
    torch_moments,
    torch_flatten,
    torch_unflatten,
    torch_attention,
    torch_local_attention,
    torch_run_lstm,
    torch_windows,
    torch_join_windows,
    torch_spectrum,
    torch_signal,
    torch_new_linear,
    torch_free_linear,
    torch_apply_linear,
    torch_row_attention,
    torch_stft,
    torch_istft,
    torch_reshape,
    torch_permute,
    torch_put_rows,
    torch_concat,
    torch_multiply,
    torch_multiply_complex,
    torch_zeros,
    {torch_convolve_normalized, torch_add_convolved, torch_add_branch, nullptr, nullptr, nullptr, nullptr},
};

/* ---- TorchScript */

void *load(nn_engine *engine, const char *path, ap_error *err)
{
    torch::jit::Module *module = nullptr;
    bool ok = guard(engine, [&] {
        module = new torch::jit::Module(torch::jit::load(path, device_of(engine)));
        module->eval();
    });
    if (ok)
        return module;
    ap_error detail;
    nn_engine_check(engine, &detail);
    ap_fail(err, detail.code, "cannot load '%s': %s", path, detail.message);
    return nullptr;
}

void unload(void *module)
{
    delete static_cast<torch::jit::Module *>(module);
}

nn_tensor *run(const nn_tensor *x, void *module, int stems)
{
    return make(x->engine, [&] {
        at::Tensor out =
            static_cast<torch::jit::Module *>(module)->forward({of(x)}).toTensor().to(at::kFloat);
        TORCH_CHECK(out.dim() == 4 && out.size(0) == 1 && out.size(1) == stems &&
                        out.size(2) == x->channels && out.size(3) == x->time,
                    "the module's result does not have the shape [1, stems, channels, n]");
        return out.reshape({1, stems * x->channels, x->time});
    });
}

} // namespace

extern "C" {
AP_PLUGIN_EXPORT extern const nn_torch AP_PLUGIN_TABLE;
const nn_torch AP_PLUGIN_TABLE = {{NN_TORCH_VERSION, sizeof(nn_torch)}, &backend, load, unload, run};
}
