/* SPDX-License-Identifier: GPL-3.0-or-later
 * kernels.c - the inner loops of the CPU backend, compiled once for each instruction set: NN_NAME is the
 * table's suffix, NN_WIDTH the floats of a vector, NN_ROWS x NN_VECTORS the register tile of the matrix
 * product. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/tensor/half.h"

#include <stdint.h>
#include <string.h>

#ifndef NN_NAME
#define NN_NAME base
#define NN_WIDTH 4
#define NN_ROWS 4
#define NN_VECTORS 2
#endif

#define PASTE2(a, b) a##b
#define PASTE(a, b) PASTE2(a, b)
#define STRING2(a) #a
#define STRING(a) STRING2(a)
#define INLINE static inline __attribute__((always_inline))
#define PRAGMA(text) _Pragma(#text)
/* Before a loop over the registers of a tile: unrolled early enough for them to be registers. */
#define UNROLL(count) PRAGMA(GCC unroll count)

#define MAX_COLUMNS 512

#include "plugins/neural/cpu/kernels_multiply.h"

/* ---- functions */

INLINE float of_bits(int32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

INLINE int32_t to_bits(float f)
{
    int32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/* e^x to about 1 ulp: range reduction and polynomial of Cephes' expf (Moshier, 1988). */
INLINE float exponential(float x)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: rounds to an integer in the low bits */
    x = x < -60.0f ? -60.0f : x; /* below, products with the result could become denormal, which is slow */
    x = x > 60.0f ? 60.0f : x;
    float n = x * 1.44269504088896341f + magic;
    const int32_t power = (int32_t)((uint32_t)to_bits(n) << 23);
    n -= magic;
    x -= n * 0.693359375f;
    x -= n * -2.12194440e-4f;
    float y = 1.9875691500e-4f;
    y = y * x + 1.3981999507e-3f;
    y = y * x + 8.3334519073e-3f;
    y = y * x + 4.1665795894e-2f;
    y = y * x + 1.6666665459e-1f;
    y = y * x + 5.0000001201e-1f;
    y = y * (x * x) + x + 1.0f;
    return of_bits(to_bits(y) + power);
}

/* 2^x for x <= 0 to about 1 ulp: polynomial of Cephes' exp2f. */
INLINE float power_of_2(float x)
{
    const float magic = 12582912.0f;
    x = x < -90.0f ? -90.0f : x; /* as above */
    float n = x + magic;
    const int32_t power = (int32_t)((uint32_t)to_bits(n) << 23);
    x -= n - magic;
    float y = 1.535336188319500e-4f;
    y = y * x + 1.339887440266574e-3f;
    y = y * x + 9.618437357674640e-3f;
    y = y * x + 5.550332471162809e-2f;
    y = y * x + 2.402264791363012e-1f;
    y = y * x + 6.931472028550421e-1f;
    y = y * x + 1.0f;
    return of_bits(to_bits(y) + power);
}

/* x Phi(x) with Phi(-u) = exp(-P(u)) / 2; P is a minimax fit of -log(erfc(u / sqrt 2)) on 0..6 whose effect
 * on the result is below 5e-8. */
INLINE float gelu_of(float x)
{
    float u = x < 0 ? -x : x;
    u = u > 6.0f ? 6.0f : u;
    float p = -2.542990102938347e-07f;
    p = p * u + 5.107674951432273e-06f;
    p = p * u + -4.256759712006897e-05f;
    p = p * u + 1.6592575411777943e-04f;
    p = p * u + 4.9867583584273234e-05f;
    p = p * u + -4.8735677264630795e-03f;
    p = p * u + 3.639132156968117e-02f;
    p = p * u + 3.1829124689102173e-01f;
    p = p * u + 7.978875041007996e-01f;
    p = p * u + -1.5811944820143253e-07f;
    const float tail = 0.5f * exponential(-p) * x;
    return x < 0 ? tail : x - tail;
}

INLINE float sigmoid(float x)
{
    return 1.0f / (1.0f + exponential(-x));
}

/* 2 / (1 + e^-2x) - 1 loses small arguments: below 1/8 the series is good to 1e-9. */
INLINE float hyperbolic_tangent(float x)
{
    const float s = x * x, series = x * (1.0f + s * (-1.0f / 3 + s * (2.0f / 15 + s * (-17.0f / 315))));
    const float exact = 2.0f * sigmoid(2.0f * x) - 1.0f;
    return s < 0.015625f ? series : exact;
}

static void gelu(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = gelu_of(x[i]);
}

static void relu(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] > 0 ? x[i] : 0;
}

static void tanh_of(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = hyperbolic_tangent(x[i]);
}

static void gate_of(float *restrict x, const float *restrict gate, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= sigmoid(gate[i]);
}

static void multiply_by(float *restrict x, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= y[i];
}

static void multiply_complex(float *restrict a, float *restrict b, const float *restrict c,
                             const float *restrict d, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float re = a[i] * c[i] - b[i] * d[i], im = a[i] * d[i] + b[i] * c[i];
        a[i] = factor * re;
        b[i] = factor * im;
    }
}

static void rotate(float *restrict a, float *restrict b, const float *restrict cosines,
                   const float *restrict sines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float x = a[i] * cosines[i] - b[i] * sines[i];
        b[i] = a[i] * sines[i] + b[i] * cosines[i];
        a[i] = x;
    }
}

static void turn_lines(float *restrict a, float *restrict b, float cosine, float sine, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float x = a[i] * cosine - b[i] * sine;
        b[i] = a[i] * sine + b[i] * cosine;
        a[i] = x;
    }
}

static void softplus(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] > 0 ? x[i] : 0) + __builtin_log1pf(__builtin_expf(-__builtin_fabsf(x[i])));
}

static void glu(const float *restrict a, const float *restrict b, float *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = a[i] * sigmoid(b[i]);
}

static void add(float *restrict x, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] += y[i];
}

static void butterfly(float *restrict a, float *restrict b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float difference = a[i] - b[i];
        a[i] += b[i];
        b[i] = difference;
    }
}

static void spread(float *restrict d0, float *restrict d1, float *restrict d2, float *restrict d3, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float x1 = d1[i], x2 = d2[i];
        d0[i] -= x2;
        d1[i] = x1 + x2;
        d2[i] = x2 - x1;
        d3[i] = x1 - d3[i];
    }
}

static void affine(float *x, float factor, float offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] * factor + offset;
}

static void affine_gelu(float *x, float factor, float offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = gelu_of(x[i] * factor + offset);
}

static void add_glu(float *restrict x, const float *restrict a, const float *restrict b,
                    const float affine[4], float scale, size_t n)
{
    const float fa = affine[0], oa = affine[1], fb = affine[2], ob = affine[3];
    for (size_t i = 0; i < n; i++)
        x[i] += scale * ((a[i] * fa + oa) * sigmoid(b[i] * fb + ob));
}

/* Floats are added up in short runs, the runs in doubles. */
static void moments(const float *x, size_t n, double sums[2])
{
    enum { LANES = 32, RUN = LANES * 64 };
    for (size_t from = 0; from < n; from += RUN) {
        const size_t to = n - from < RUN ? n : from + RUN;
        float sum[LANES] = {0}, squares[LANES] = {0};
        size_t i = from;
        for (; to - i >= LANES; i += LANES)
            for (size_t j = 0; j < LANES; j++) {
                sum[j] += x[i + j];
                squares[j] += x[i + j] * x[i + j];
            }
        for (size_t j = 0; i + j < to; j++) {
            sum[j] += x[i + j];
            squares[j] += x[i + j] * x[i + j];
        }
        for (size_t j = 0; j < LANES; j++) {
            sums[0] += (double)sum[j];
            sums[1] += (double)squares[j];
        }
    }
}

/* ---- columns */

static void layer_norm(const float *x, float *out, size_t channels, size_t ld, size_t n, const float *weight,
                       const float *bias, float eps)
{
    float mean[MAX_COLUMNS] = {0}, factor[MAX_COLUMNS] = {0};
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            mean[i] += x[c * ld + i];
    for (size_t i = 0; i < n; i++)
        mean[i] /= (float)channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++) {
            const float d = x[c * ld + i] - mean[i];
            factor[i] += d * d;
        }
    for (size_t i = 0; i < n; i++)
        factor[i] = 1.0f / __builtin_sqrtf(factor[i] / (float)channels + eps);
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            out[c * ld + i] = (x[c * ld + i] - mean[i]) * factor[i] * weight[c] + bias[c];
}

static void rms_norm(float *restrict x, size_t channels, size_t ld, size_t n, float scale,
                     const float *restrict weight)
{
    float factor[MAX_COLUMNS] = {0};
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            factor[i] += x[c * ld + i] * x[c * ld + i];
    for (size_t i = 0; i < n; i++) {
        const float length = __builtin_sqrtf(factor[i]);
        factor[i] = scale / (length > 1e-12f ? length : 1e-12f);
    }
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            x[c * ld + i] *= factor[i] * weight[c];
}

static void soften(float *restrict s, size_t keys, size_t n, float scale, float *restrict max,
                   float *restrict sum, float *restrict correction)
{
    float top[MAX_COLUMNS];
    scale *= 1.44269504088896341f;
    memcpy(top, max, n * sizeof *top);
    for (size_t k = 0; k < keys; k++)
        for (size_t i = 0; i < n; i++)
            top[i] = s[k * n + i] > top[i] ? s[k * n + i] : top[i];
    for (size_t i = 0; i < n; i++) {
        correction[i] = power_of_2(scale * (max[i] - top[i]));
        sum[i] *= correction[i];
        max[i] = top[i];
    }
    for (size_t k = 0; k < keys; k++)
        for (size_t i = 0; i < n; i++) {
            s[k * n + i] = power_of_2(scale * (s[k * n + i] - top[i]));
            sum[i] += s[k * n + i];
        }
}

#include "plugins/neural/cpu/kernels_across.h"

/* ---- transforms: radix 2, decimation in time; each lane is a transform of its own */

INLINE void turn(float *restrict re, float *restrict im, size_t a, size_t b, float c, float s)
{
    for (size_t l = 0; l < NN_FFT_LANES; l++) {
        const float x = re[b + l] * c - im[b + l] * s, y = re[b + l] * s + im[b + l] * c;
        re[b + l] = re[a + l] - x;
        im[b + l] = im[a + l] - y;
        re[a + l] += x;
        im[a + l] += y;
    }
}

static void fft(float *re, float *im, size_t n, const float *cosines, const float *sines, float sign)
{
    for (size_t half = 1; half < n; half *= 2)
        for (size_t block = 0; block < n; block += 2 * half)
            for (size_t i = 0; i < half; i++) {
                const size_t t = i * (n / 2 / half), a = (block + i) * NN_FFT_LANES;
                turn(re, im, a, a + half * NN_FFT_LANES, cosines[t], sign * sines[t]);
            }
}

static void lstm_cell(const float *input, const float *forget, const float *cell, const float *output,
                      float *c, float *h, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        c[i] = sigmoid(forget[i]) * c[i] + sigmoid(input[i]) * hyperbolic_tangent(cell[i]);
        h[i] = sigmoid(output[i]) * hyperbolic_tangent(c[i]);
    }
}

const nn_kernels PASTE(nn_kernels_, NN_NAME) = {
    .name = STRING(NN_NAME),
    .width = NN_WIDTH,
    .mr = NN_ROWS,
    .nr = NN_VECTORS * NN_WIDTH,
    .multiply = multiply,
    .gelu = gelu,
    .relu = relu,
    .tanh = tanh_of,
    .gate = gate_of,
    .multiply_by = multiply_by,
    .multiply_complex = multiply_complex,
    .rotate = rotate,
    .turn = turn_lines,
    .across_scores = across_scores,
    .across_values = across_values,
    .softplus = softplus,
    .glu = glu,
    .add = add,
    .butterfly = butterfly,
    .spread = spread,
    .affine = affine,
    .affine_gelu = affine_gelu,
    .moments = moments,
    .add_glu = add_glu,
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .soften = soften,
    .fft = fft,
    .lstm_cell = lstm_cell,
};
