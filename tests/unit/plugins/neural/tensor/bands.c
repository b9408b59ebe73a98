/* SPDX-License-Identifier: GPL-3.0-or-later
 * The operations of RoFormers and MDX23C against plain loops in double precision, with the kernels of every
 * instruction set that this processor has, on any number of threads. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/tensor/tensor.h"
#include "test.h"

/* The linker gives the backend this one instead of the best. */
static size_t chosen;
const nn_kernels *__real_nn_kernels_usable(size_t index);
const nn_kernels *__wrap_nn_kernels_usable(size_t index);

const nn_kernels *__wrap_nn_kernels_usable(size_t index)
{
    return __real_nn_kernels_usable(index + chosen);
}

/* What a test gives to its operation. */
typedef struct given {
    int64_t rows, channels, time; /* of x */
    const float *x, *y, *z;
    int number, other;
    const nn_weights *weights;
    nn_act act;
} given;

typedef nn_tensor *operation(nn_engine *engine, const given *g);

static void compare(operation *run, const given *g, const double *expected, size_t count, double tolerance)
{
    float *out = malloc(count * sizeof *out);
    for (chosen = 0; __real_nn_kernels_usable(chosen); chosen++)
        for (int threads = 1; threads <= 3; threads++) {
            nn_engine *engine = nn_engine_new("cpu", threads, NULL);
            nn_tensor *y = run(engine, g);
            double worst = INFINITY;
            if (CHECK(y && (size_t)(nn_rows(y) * nn_channels(y) * nn_time(y)) == count)) {
                CHECK(nn_tensor_read(y, out));
                worst = 0;
                for (size_t i = 0; i < count; i++)
                    worst = fmax(worst, isfinite(out[i]) ? fabs((double)out[i] - expected[i]) : INFINITY);
            }
            if (!CHECK(worst <= tolerance))
                fprintf(stderr, "%s, %d threads: differs by %g\n", __real_nn_kernels_usable(chosen)->name,
                        threads, worst);
            nn_engine_free(engine);
        }
    chosen = 0;
    free(out);
}

static nn_tensor *tensor_of(nn_engine *engine, const given *g, const float *data)
{
    return nn_tensor_new(engine, g->rows, g->channels, g->time, data);
}

/* ---- attention: x is [rows][3 heads d][time], y its gates [rows][heads][time] */

enum { ROWS = 3, HEADS = 2, D = 6, TIME = 37 };

static nn_tensor *attend(nn_engine *engine, const given *g)
{
    const nn_places places = {g->z, g->number ? g->z + D : NULL};
    return nn_row_attention(tensor_of(engine, g, g->x), nn_tensor_new(engine, ROWS, HEADS, TIME, g->y), HEADS,
                            &places);
}

/* Query (part 0) or key (part 1) of a head with its place in it: 2 D numbers. */
static void place(const given *g, int64_t row, int part, int head, int t, double *out)
{
    for (int i = 0; i < D; i++) {
        const int c = (part * HEADS + head) * D + i;
        const double v = g->x[(row * g->channels + c) * TIME + t];
        const double other = g->x[(row * g->channels + (c ^ 1)) * TIME + t];
        if (g->number) {
            const double bias = fmin(fmax(g->z[D + head * D + i], -2 * M_PI), 0);
            const double angle = t * (double)g->z[i] + (part ? bias : 0);
            out[i] = log1p(exp(v)) * cos(angle);
            out[D + i] = log1p(exp(v)) * sin(angle);
        } else {
            const double angle = t * (double)g->z[i / 2];
            out[i] = v * cos(angle) + (i % 2 ? 1 : -1) * other * sin(angle);
            out[D + i] = 0;
        }
    }
}

static void attended(const given *g, int64_t row, int head, int t, double *out)
{
    double weights[TIME], q[2 * D], k[2 * D], sum = 0;
    place(g, row, 0, head, t, q);
    for (int s = 0; s < TIME; s++) {
        double product = 0;
        place(g, row, 1, head, s, k);
        for (int i = 0; i < 2 * D; i++)
            product += q[i] * k[i];
        sum += weights[s] = exp(product / sqrt(D));
    }
    const double gate = 1 / (1 + exp(-(double)g->y[(row * HEADS + head) * TIME + t]));
    for (int i = 0; i < D; i++) {
        double mean = 0;
        for (int s = 0; s < TIME; s++)
            mean +=
                weights[s] / sum * (double)g->x[(row * g->channels + (2 * HEADS + head) * D + i) * TIME + s];
        out[((row * HEADS + head) * D + i) * TIME + t] = gate * mean;
    }
}

static void check_attention(bool polar)
{
    const size_t count = (size_t)ROWS * HEADS * D * TIME;
    float *x = test_noise(3 * count, 1, 1), *gates = test_noise((size_t)ROWS * HEADS * TIME, 2, 2),
          z[D + HEADS * D];
    double *expected = malloc(count * sizeof *expected);
    uint64_t seed = 9;
    for (int i = 0; i < D + HEADS * D; i++)
        z[i] = i < D ? 1 / (1.0f + (float)i) : (float)(test_random(&seed) % 1000) / 100 - 8;
    const given g = {ROWS, 3 * HEADS * D, TIME, .x = x, .y = gates, .z = z, .number = polar};
    for (int64_t row = 0; row < ROWS; row++)
        for (int head = 0; head < HEADS; head++)
            for (int t = 0; t < TIME; t++)
                attended(&g, row, head, t, expected);
    compare(attend, &g, expected, count, 3e-6);
    free(x);
    free(gates);
    free(expected);
}

static void attention_turns_pairs_by_their_place(void)
{
    check_attention(false);
}

static void polar_attention_has_places_of_its_own(void)
{
    check_attention(true);
}

/* ---- matrices, of 16 and 32 bits */

static nn_tensor *apply(nn_engine *engine, const given *g)
{
    nn_linear *layer = nn_linear_new(engine, g->weights, g->y);
    nn_tensor *x = nn_apply_linear(tensor_of(engine, g, g->x), layer, g->act);
    nn_linear_free(layer);
    return x;
}

static double activated(double y, nn_act act)
{
    return act == NN_GELU   ? y * 0.5 * erfc(-y * M_SQRT1_2)
           : act == NN_TANH ? tanh(y)
           : act == NN_RELU ? fmax(y, 0)
                            : y;
}

static void matrices_take_weights_where_they_are(void)
{
    enum { R = 2, IN = 19, OUT = 23, T = 45 };
    float *x = test_noise(R * IN * T, 1, 4), *bias = test_noise(OUT, 1, 5), w[OUT * IN];
    uint16_t half[OUT * IN];
    double expected[R * OUT * T];
    uint64_t seed = 3;
    for (int i = 0; i < OUT * IN; i++) { /* sixteenths from -4 to 4 are exact in 16 bits */
        const int n = (int)(test_random(&seed) % 128) - 64;
        w[i] = (float)n / 16;
        uint32_t bits;
        memcpy(&bits, &w[i], sizeof bits);
        half[i] = n ? (uint16_t)((bits >> 16 & 0x8000) | ((bits >> 13 & 0x3ffff) - (112 << 10))) : 0;
    }
    const nn_act acts[] = {NN_LINEAR, NN_RELU, NN_GELU, NN_TANH};
    for (int way = 0; way < 8; way++) {
        const nn_weights weights = {
            .data = way < 4 ? (void *)w : half, .half = way >= 4, .in = IN, .out = OUT};
        const given g = {
            R, IN, T, .x = x, .y = way % 2 ? bias : NULL, .weights = &weights, .act = acts[way % 4]};
        for (int i = 0; i < R * OUT * T; i++) {
            const int row = i / (OUT * T), o = i / T % OUT, t = i % T;
            double sum = g.y ? (double)bias[o] : 0;
            for (int k = 0; k < IN; k++)
                sum += (double)w[o * IN + k] * (double)x[(row * IN + k) * T + t];
            expected[i] = activated(sum, g.act);
        }
        compare(apply, &g, expected, R * OUT * T, 2e-5);
    }
    free(x);
    free(bias);
}

/* ---- spectra */

static nn_tensor *transform(nn_engine *engine, const given *g)
{
    return nn_stft(tensor_of(engine, g, g->x), g->number, g->other);
}

static nn_tensor *there_and_back(nn_engine *engine, const given *g)
{
    return nn_istft(transform(engine, g), g->other, g->time);
}

static double sample_at(const float *line, int64_t at, int64_t n)
{
    return line[at < 0 ? -at : at < n ? at : 2 * (n - 1) - at];
}

static void check_spectrum(int nfft, int hop, int64_t n)
{
    const int64_t moments = n / hop + 1, bins = nfft / 2 + 1;
    float *x = test_noise((size_t)(2 * n), 1, 6);
    double *expected = malloc((size_t)(bins * 4 * moments) * sizeof *expected),
           *signal = malloc((size_t)(2 * n) * sizeof *signal);
    const given g = {1, 2, n, .x = x, .number = nfft, .other = hop};
    for (int64_t b = 0; b < bins; b++)
        for (int64_t c = 0; c < 2; c++)
            for (int64_t m = 0; m < moments; m++) {
                double re = 0, im = 0;
                for (int i = 0; i < nfft; i++) {
                    const double v = (0.5 - 0.5 * cos(2 * M_PI * i / nfft)) *
                                     sample_at(x + c * n, m * hop + i - nfft / 2, n);
                    re += v * cos(2 * M_PI * (double)(b * i % nfft) / nfft);
                    im -= v * sin(2 * M_PI * (double)(b * i % nfft) / nfft);
                }
                expected[(b * 4 + 2 * c) * moments + m] = re;
                expected[(b * 4 + 2 * c + 1) * moments + m] = im;
            }
    compare(transform, &g, expected, (size_t)(bins * 4 * moments), 1e-5 * sqrt(nfft));
    for (int64_t i = 0; i < 2 * n; i++)
        signal[i] = x[i];
    if ((moments - 1) * hop + hop / 2 >= n) /* all of it is under a window */
        compare(there_and_back, &g, signal, (size_t)(2 * n), 1e-5);
    free(x);
    free(expected);
    free(signal);
}

static void spectra_have_any_hop(void)
{
    check_spectrum(64, 16, 160);
    check_spectrum(64, 20, 180); /* does not divide the window */
    check_spectrum(96, 30, 210); /* no power of two */
    check_spectrum(50, 7, 70);
    check_spectrum(64, 32, 33);
}

/* ---- shapes */

static nn_tensor *reorder(nn_engine *engine, const given *g)
{
    const nn_permutation p = {{2, 3, 4, 5, 6}, {3, 0, 4, 2, 1}, 10, 6, 12};
    return nn_permute(tensor_of(engine, g, g->x), &p);
}

static nn_tensor *put_and_multiply(nn_engine *engine, const given *g)
{
    nn_tensor *x = tensor_of(engine, g, g->x), *y = nn_tensor_new(engine, 1, g->channels, g->time, g->y);
    x = nn_put_rows(x, nn_keep(y), 1, true);
    x = nn_put_rows(x, y, 2, false);
    return nn_multiply_complex(x, tensor_of(engine, g, g->z), (const float[]){1, 0.5f, 0.25f});
}

static void shapes_are_permuted_and_filled(void)
{
    float *x = test_noise(720, 1, 7), *y = test_noise(240, 1, 8), *z = test_noise(720, 1, 9);
    double expected[720];
    const given g = {6, 10, 12, .x = x}, h = {3, 4, 60, .x = x, .y = y, .z = z};
    for (int i = 0; i < 720; i++) { /* result [5][2][6][4][3] */
        const int a = i / 144, b = i / 72 % 2, c = i / 12 % 6, d = i / 3 % 4, e = i % 3;
        expected[i] = x[(((b * 3 + e) * 4 + d) * 5 + a) * 6 + c];
    }
    compare(reorder, &g, expected, 720, 0);
    for (int row = 0; row < 3; row++)
        for (int i = 0; i < 240; i++) {
            const int at = row * 240 + i, partner = i / 60 % 2 ? at - 60 : at + 60;
            const double factor = row == 0 ? 1 : row == 1 ? 0.5 : 0.25;
            const double mine = row == 2 ? y[i] : row == 1 ? x[at] + y[i] : x[at];
            const double other = row == 2   ? y[partner - 480]
                                 : row == 1 ? x[partner] + y[partner - 240]
                                            : x[partner];
            expected[at] =
                factor * (i / 60 % 2 ? other * z[at] + mine * z[partner] : mine * z[at] - other * z[partner]);
        }
    compare(put_and_multiply, &h, expected, 720, 1e-6);
    free(x);
    free(y);
    free(z);
}

TEST_MAIN(CASE(attention_turns_pairs_by_their_place), CASE(polar_attention_has_places_of_its_own),
          CASE(matrices_take_weights_where_they_are), CASE(spectra_have_any_hop),
          CASE(shapes_are_permuted_and_filled))
