/* SPDX-License-Identifier: GPL-3.0-or-later
 * The operations of the CPU backend against plain loops in double precision, with the kernels of every
 * instruction set that this processor has, on any number of threads, on shapes of which no model has most. */
#include "plugins/neural/operation.h"

/* ---- convolutions */

typedef struct convolution {
    nn_conv_shape s;
    nn_act act;
    nn_crop_to crop;
    shape in;
    float *x, *weight, *bias;
} convolution;

static nn_tensor *run_convolution(nn_engine *engine, const void *arguments)
{
    const convolution *c = arguments;
    nn_conv *layer = nn_conv_new(engine, &c->s, c->weight, c->bias);
    nn_tensor *x = nn_tensor_new(engine, c->in.rows, c->in.channels, c->in.time, c->x);
    x = c->s.transposed ? nn_convolve_transposed(x, layer, c->crop, c->act) : nn_convolve(x, layer, c->act);
    nn_conv_free(layer);
    return x;
}

/* Where the input of an output and tap is along an axis; -1: nowhere. */
static int64_t input_of(const nn_conv_shape *s, int64_t at, int tap, int stride, int pad, int dilation,
                        int64_t length)
{
    const int64_t i = s->transposed ? at - tap : at * stride + tap * dilation - pad;
    if (i < 0 || (s->transposed && i % stride))
        return -1;
    return (s->transposed ? i / stride : i) < length ? (s->transposed ? i / stride : i) : -1;
}

static double convolved(const convolution *c, int64_t row, int out, int64_t at)
{
    const nn_conv_shape *s = &c->s;
    double sum = c->bias[out];
    for (int kr = 0; kr < s->kernel_rows; kr++)
        for (int k = 0; k < s->kernel; k++) {
            const int64_t r = input_of(s, row, kr, s->stride_rows, s->pad_rows, 1, c->in.rows);
            const int64_t t = input_of(s, at, k, s->stride, s->pad, s->dilation, c->in.time);
            for (int in = 0; r >= 0 && t >= 0 && in < s->in; in++) {
                const int matrix = s->transposed ? in * s->out + out : out * s->in + in;
                sum += (double)c->weight[(matrix * s->kernel_rows + kr) * s->kernel + k] *
                       (double)c->x[(r * s->in + in) * c->in.time + t];
            }
        }
    return sum;
}

static double activated(const convolution *c, int64_t row, int out, int64_t at)
{
    const double y = convolved(c, row, out, at);
    switch (c->act) {
    case NN_RELU:
        return y > 0 ? y : 0;
    case NN_GELU:
        return y * 0.5 * erfc(-y * M_SQRT1_2);
    case NN_GLU:
        return y / (1 + exp(-convolved(c, row, out + c->s.out / 2, at)));
    default:
        return y;
    }
}

static int64_t length_of(int64_t in, int kernel, int stride, int pad, int dilation)
{
    const int64_t room = in + 2 * pad - dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
}

static void crop(int64_t *from, int64_t *length)
{
    *from = between(0, (int)*length - 1);
    *length = between(1, (int)(*length - *from));
}

/* false: the shape is one that has no output. */
static bool check_convolution(convolution *c)
{
    const nn_conv_shape *s = &c->s;
    const int64_t rows = s->transposed
                             ? (c->in.rows - 1) * s->stride_rows + s->kernel_rows
                             : length_of(c->in.rows, s->kernel_rows, s->stride_rows, s->pad_rows, 1);
    const int64_t time = s->transposed ? (c->in.time - 1) * s->stride + s->kernel
                                       : length_of(c->in.time, s->kernel, s->stride, s->pad, s->dilation);
    if (rows == 0 || time == 0)
        return false;
    c->crop = (nn_crop_to){0, rows, 0, time};
    if (s->transposed && s->kernel_rows * s->stride_rows > 1)
        crop(&c->crop.from_row, &c->crop.rows);
    else if (s->transposed)
        crop(&c->crop.from, &c->crop.time);
    const size_t products = (size_t)(s->in * s->kernel_rows * s->kernel);
    const shape out = {c->crop.rows, c->act == NN_GLU ? s->out / 2 : s->out, c->crop.time};
    double *expected = malloc(size_of(out) * sizeof *expected);
    c->x = test_noise(size_of(c->in), 1, test_random(&seed));
    c->weight = test_noise(products * (size_t)s->out, 2 / sqrtf((float)products), test_random(&seed));
    c->bias = test_noise((size_t)s->out, 1, test_random(&seed));
    for (int64_t i = 0; i < (int64_t)size_of(out); i++)
        expected[i] = activated(c, c->crop.from_row + i / out.time / out.channels,
                                (int)(i / out.time % out.channels), c->crop.from + i % out.time);
    if (!check(run_convolution, c, out, expected, 5e-6))
        fprintf(stderr,
                "%d to %d channels, kernel %d x %d, stride %d x %d, pad %d x %d, dilation %d, of %d x %d\n",
                s->in, s->out, s->kernel_rows, s->kernel, s->stride_rows, s->stride, s->pad_rows, s->pad,
                s->dilation, (int)c->in.rows, (int)c->in.time);
    free(expected);
    free(c->x);
    free(c->weight);
    free(c->bias);
    return true;
}

static shape some_input(void)
{
    const int time = between(0, 9) == 0 ? between(300, 1500) : between(1, 80);
    return (shape){between(1, 6), between(0, 3) ? between(1, 12) : between(12, 40), time};
}

static void convolutions_are_sums_of_products(void)
{
    for (int i = 0; i < 150;) {
        convolution c = {.act = (nn_act)between(NN_LINEAR, NN_GLU), .in = some_input()};
        c.s = (nn_conv_shape){
            (int)c.in.channels, 2 * between(1, 10), between(1, 4), between(1, 5), between(1, 3),
            between(1, 4),      between(0, 3),      between(0, 3), between(1, 3), false};
        i += check_convolution(&c);
    }
}

/* They take the output's rows in pairs. */
static void convolutions_with_three_rows_are_sums_of_products(void)
{
    for (int i = 0; i < 100;) {
        convolution c = {.act = (nn_act)between(NN_LINEAR, NN_GLU), .in = some_input()};
        c.s =
            (nn_conv_shape){(int)c.in.channels, 2 * between(1, 10), 3,    between(1, 5), 1, 1, between(0, 3),
                            between(0, 3),      between(1, 3),      false};
        i += check_convolution(&c);
    }
}

static void transposed_convolutions_are_sums_of_products(void)
{
    for (int i = 0; i < 100;) {
        convolution c = {.act = (nn_act)between(NN_LINEAR, NN_GELU), .in = some_input()};
        const int kernel = between(1, 9), stride = between(1, 5);
        const bool rows = between(0, 1);
        c.s = (nn_conv_shape){(int)c.in.channels,
                              between(1, 10),
                              rows ? kernel : 1,
                              rows ? 1 : kernel,
                              rows ? stride : 1,
                              rows ? 1 : stride,
                              0,
                              0,
                              1,
                              true};
        i += check_convolution(&c);
    }
}

/* ---- attention */

typedef struct attention {
    shape q, kv;
    int heads;
    float *queries, *memory;
} attention;

static nn_tensor *run_attention(nn_engine *engine, const void *arguments)
{
    const attention *a = arguments;
    nn_tensor *q = nn_tensor_new(engine, a->q.rows, a->q.channels, a->q.time, a->queries);
    return nn_attention(q, nn_tensor_new(engine, a->kv.rows, a->kv.channels, a->kv.time, a->memory),
                        a->heads);
}

/* The moments of all rows, one after another. */
static double at(const float *x, shape s, int64_t channel, int64_t moment)
{
    return (double)x[(moment / s.time * s.channels + channel) * s.time + moment % s.time];
}

/* What a query gets in the d channels of a head. */
static void attend(const attention *a, int64_t head, int64_t query, double *out)
{
    const int64_t d = a->q.channels / a->heads, keys = a->kv.rows * a->kv.time;
    double total = 0;
    for (int64_t i = 0; i < d; i++)
        out[i] = 0;
    for (int64_t key = 0; key < keys; key++) {
        double score = 0;
        for (int64_t i = head * d; i < (head + 1) * d; i++)
            score += at(a->queries, a->q, i, query) * at(a->memory, a->kv, i, key);
        score = exp(score / sqrt((double)d));
        total += score;
        for (int64_t i = 0; i < d; i++)
            out[i] += score * at(a->memory, a->kv, a->q.channels + head * d + i, key);
    }
    for (int64_t i = 0; i < d; i++)
        out[i] /= total;
}

static void attention_is_a_weighted_mean(void)
{
    for (int i = 0; i < 30; i++) {
        attention a = {.heads = between(1, 3)};
        const int64_t d = between(1, 20);
        a.q = (shape){between(1, 3), d * a.heads, between(1, i % 3 ? 20 : 230)};
        a.kv = (shape){between(1, 3), 2 * d * a.heads, between(1, i % 3 ? 20 : 300)};
        a.queries = test_noise(size_of(a.q), 3, test_random(&seed));
        a.memory = test_noise(size_of(a.kv), 3, test_random(&seed));
        double *expected = malloc(size_of(a.q) * sizeof *expected), one[20];
        for (int64_t query = 0; query < a.q.rows * a.q.time; query++)
            for (int64_t head = 0; head < a.heads; head++) {
                attend(&a, head, query, one);
                for (int64_t c = 0; c < d; c++)
                    expected[(query / a.q.time * a.q.channels + head * d + c) * a.q.time + query % a.q.time] =
                        one[c];
            }
        if (!check(run_attention, &a, a.q, expected, 2e-5))
            fprintf(stderr, "%d heads of %d, %d x %d queries, %d x %d keys\n", a.heads, (int)d, (int)a.q.rows,
                    (int)a.q.time, (int)a.kv.rows, (int)a.kv.time);
        free(expected);
        free(a.queries);
        free(a.memory);
    }
}

TEST_MAIN(CASE(convolutions_are_sums_of_products), CASE(convolutions_with_three_rows_are_sums_of_products),
          CASE(transposed_convolutions_are_sums_of_products), CASE(attention_is_a_weighted_mean))
