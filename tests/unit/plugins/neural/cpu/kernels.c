/* SPDX-License-Identifier: GPL-3.0-or-later
 * Each entry of the table of kernels, for every instruction set that this processor has, against plain loops
 * in double precision: lengths that fill no vector, memory that is aligned to nothing, numbers that are hard,
 * and around every line NaNs, which are not to spread and not to be written over. */
#include "plugins/neural/cpu/kernels.h"
#include "test.h"

#define LINES 6
#define GUARD (NN_SLACK + 1)

static uint64_t seed = 1;

static float uniform(float level)
{
    return level * ((float)test_random(&seed) * 0x1p-31f - 1.0f);
}

/* As fmax, but no number is the worst. */
static double worse(double a, double b)
{
    return isfinite(b) ? fmax(a, b) : INFINITY;
}

/* n floats between NaNs, at an odd place. */
static float *line_new(size_t n)
{
    float *all = malloc((n + 2 * GUARD) * sizeof *all);
    for (size_t i = 0; i < n + 2 * GUARD; i++)
        all[i] = NAN;
    for (size_t i = 0; i < n; i++)
        all[GUARD + i] = uniform(2);
    return all + GUARD;
}

static void line_free(float *x, size_t n)
{
    bool kept = true;
    for (size_t i = 0; i < GUARD; i++)
        kept = kept && isnan(x[-1 - (ptrdiff_t)i]) && isnan(x[n + i]);
    CHECK(kept);
    free(x - GUARD);
}

/* ---- functions of floats, one after the other */

typedef struct elementwise {
    const char *name;
    void (*run)(const nn_kernels *k, float *const v[LINES], size_t n);
    void (*plain)(double v[LINES]);
} elementwise;

static const float affine[4] = {0.5f, 0.125f, 2, -0.25f};

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double gelu(double x)
{
    return x * erfc(-x * M_SQRT1_2) / 2;
}

/* clang-format off */
#define ENTRY(name, call, ...)                                                                               \
    static void run_##name(const nn_kernels *k, float *const v[LINES], size_t n) { k->call; }                \
    static void plain_##name(double v[LINES]) { __VA_ARGS__ }
#define TURN(c, s) const double x = v[0] * (c) - v[1] * (s); v[1] = v[0] * (s) + v[1] * (c); v[0] = x;

ENTRY(gelu, gelu(v[0], n), v[0] = gelu(v[0]);)
ENTRY(relu, relu(v[0], n), v[0] = v[0] > 0 ? v[0] : 0;)
ENTRY(tanh, tanh(v[0], n), v[0] = tanh(v[0]);)
ENTRY(gate, gate(v[0], v[1], n), v[0] *= sigmoid(v[1]);)
ENTRY(multiply_by, multiply_by(v[0], v[1], n), v[0] *= v[1];)
ENTRY(multiply_complex, multiply_complex(v[0], v[1], v[2], v[3], 1.5f, n),
      const double re = v[0] * v[2] - v[1] * v[3]; v[1] = 1.5 * (v[0] * v[3] + v[1] * v[2]); v[0] = 1.5 * re;)
ENTRY(rotate, rotate(v[0], v[1], v[2], v[3], n), TURN(v[2], v[3]))
ENTRY(turn, turn(v[0], v[1], 0.75f, 0.625f, n), TURN(0.75, 0.625))
ENTRY(softplus, softplus(v[0], n), v[0] = fmax(v[0], 0) + log1p(exp(-fabs(v[0])));)
ENTRY(glu, glu(v[0], v[1], v[2], n), v[2] = v[0] * sigmoid(v[1]);)
ENTRY(add, add(v[0], v[1], n), v[0] += v[1];)
ENTRY(butterfly, butterfly(v[0], v[1], n), const double x = v[0]; v[0] += v[1]; v[1] = x - v[1];)
ENTRY(spread, spread(v[0], v[1], v[2], v[3], n), const double x = v[1], y = v[2];
      v[0] -= y; v[1] = x + y; v[2] = y - x; v[3] = x - v[3];)
ENTRY(affine, affine(v[0], 1.5f, -0.25f, n), v[0] = v[0] * 1.5 - 0.25;)
ENTRY(affine_gelu, affine_gelu(v[0], 1.5f, -0.25f, n), v[0] = gelu(v[0] * 1.5 - 0.25);)
ENTRY(add_glu, add_glu(v[0], v[1], v[2], affine, 2, n),
      v[0] += 2 * (v[1] * 0.5 + 0.125) * sigmoid(v[2] * 2 - 0.25);)
ENTRY(lstm_cell, lstm_cell(v[0], v[1], v[2], v[3], v[4], v[5], n),
      v[4] = sigmoid(v[1]) * v[4] + sigmoid(v[0]) * tanh(v[2]); v[5] = sigmoid(v[3]) * tanh(v[4]);)

#define ROW(name) {#name, run_##name, plain_##name}
static const elementwise rows[] = {
    ROW(gelu), ROW(relu), ROW(tanh), ROW(gate), ROW(multiply_by), ROW(multiply_complex), ROW(rotate), ROW(turn),
    ROW(softplus), ROW(glu), ROW(add), ROW(butterfly), ROW(spread), ROW(affine), ROW(affine_gelu), ROW(add_glu),
    ROW(lstm_cell),
};
/* clang-format on */

static const float hard[] = {0,      -0.0f,   1e-38f, -1e-38f, 1e-20f, 0.125f, -0.125f, 6,
                             -6.01f, 59.999f, -60.5f, 100,     -100,   88.8f,  -88.8f,  1e-7f};

static void check_line(const nn_kernels *k, const elementwise *row, size_t n)
{
    float *v[LINES];
    double *before = malloc(LINES * n * sizeof *before), worst = 0;
    for (size_t l = 0; l < LINES; l++) {
        v[l] = line_new(n);
        for (size_t i = 0; i < n; i += 3)
            v[l][i] = hard[test_random(&seed) % (sizeof hard / sizeof *hard)];
        for (size_t i = 0; i < n; i++)
            before[LINES * i + l] = v[l][i];
    }
    row->run(k, v, n);
    for (size_t i = 0; i < n; i++) {
        double *x = before + LINES * i, largest = 1;
        for (size_t l = 0; l < LINES; l++)
            largest = fmax(largest, fabs(x[l]));
        row->plain(x);
        for (size_t l = 0; l < LINES; l++) /* of an ulp of what a product of two of them can be */
            worst = worse(worst, fabs(v[l][i] - x[l]) / (largest * largest));
    }
    if (!CHECK(worst < 1e-6))
        fprintf(stderr, "%s of %s, %zu: off by %g\n", row->name, k->name, n, worst);
    for (size_t l = 0; l < LINES; l++)
        line_free(v[l], n);
    free(before);
}

static void functions(void)
{
    static const size_t sizes[] = {1, 3, 15, 16, 17, 64, 100, 257};
    const nn_kernels *k;
    for (size_t set = 0; (k = nn_kernels_usable(set)); set++)
        for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                check_line(k, &rows[row], sizes[i]);
}

static void sums(void)
{
    const nn_kernels *k;
    for (size_t set = 0; (k = nn_kernels_usable(set)); set++)
        for (size_t n = 1; n < 10000; n = 3 * n + 1) {
            float *x = line_new(n);
            double got[2] = {1, 2}, sum = 1, squares = 2;
            for (size_t i = 0; i < n; i++) {
                sum += x[i];
                squares += (double)x[i] * x[i];
            }
            k->moments(x, n, got);
            CHECK_NEAR(got[0], sum, 1e-6 * (double)(n + 10));
            CHECK_NEAR(got[1], squares, 1e-6 * (double)(n + 10));
            line_free(x, n);
        }
}

/* ---- columns */

typedef struct columns {
    size_t channels, ld, n;
} columns;

static const columns shapes[] = {{1, 1, 1}, {3, 20, 17}, {24, 64, 64}, {5, 600, 512}};
#define SHAPES (sizeof shapes / sizeof *shapes)

/* Lines that columns past n belong to are not touched. */
static void check_columns(const nn_kernels *k, columns s, bool rms)
{
    const size_t size = s.channels * s.ld;
    float *x = line_new(size), *out = line_new(size), *weight = line_new(s.channels),
          *bias = line_new(s.channels);
    float *old = malloc(size * sizeof *old);
    memcpy(out, x, size * sizeof *x);
    memcpy(old, x, size * sizeof *x);
    if (rms)
        k->rms_norm(out, s.channels, s.ld, s.n, 3, weight);
    else
        k->layer_norm(x, out, s.channels, s.ld, s.n, weight, bias, 1e-5f);
    double worst = 0;
    for (size_t i = 0; i < s.ld; i++) {
        double sum = 0, squares = 0;
        for (size_t c = 0; c < s.channels; c++) {
            sum += old[c * s.ld + i];
            squares += (double)old[c * s.ld + i] * old[c * s.ld + i];
        }
        const double count = (double)s.channels, mean = sum / count;
        for (size_t c = 0; c < s.channels; c++) {
            double v = old[c * s.ld + i];
            if (i < s.n && rms)
                v *= 3 / fmax(sqrt(squares), 1e-12) * weight[c];
            else if (i < s.n)
                v = (v - mean) / sqrt(squares / count - mean * mean + 1e-5) * weight[c] + bias[c];
            worst = worse(worst, fabs(out[c * s.ld + i] - v));
        }
    }
    CHECK(worst < 2e-5);
    line_free(x, size);
    line_free(out, size);
    line_free(weight, s.channels);
    line_free(bias, s.channels);
    free(old);
}

static void norms_of_columns(void)
{
    const nn_kernels *k;
    for (size_t set = 0; (k = nn_kernels_usable(set)); set++)
        for (size_t i = 0; i < SHAPES; i++) {
            check_columns(k, shapes[i], false);
            check_columns(k, shapes[i], true);
        }
}

/* Two blocks after each other give what one gives. */
static void check_softening(const nn_kernels *k, size_t keys, size_t n)
{
    float *s = line_new(2 * keys * n), *max = line_new(n), *sum = line_new(n), *correction = line_new(n);
    double *plain = malloc(2 * keys * n * sizeof *plain), worst = 0;
    for (size_t i = 0; i < 2 * keys * n; i++)
        plain[i] = s[i] *= 20;
    for (size_t i = 0; i < n; i++) {
        max[i] = -1e30f;
        sum[i] = 0;
    }
    k->soften(s, keys, n, 0.5f, max, sum, correction);
    k->soften(s + keys * n, keys, n, 0.5f, max, sum, correction);
    for (size_t i = 0; i < n; i++) {
        double top = -INFINITY, all = 0;
        for (size_t j = 0; j < 2 * keys; j++)
            top = fmax(top, plain[j * n + i]);
        for (size_t j = 0; j < 2 * keys; j++) {
            const double weight = exp(0.5 * (plain[j * n + i] - top));
            const double got = s[j * n + i] * (j < keys ? (double)correction[i] : 1);
            all += weight;
            worst = worse(worst, fabs(got - weight));
        }
        worst = worse(worst, fabs(sum[i] / all - 1));
        CHECK_NEAR(max[i], top, 0);
    }
    CHECK(worst < 2e-6);
    line_free(s, 2 * keys * n);
    line_free(max, n);
    line_free(sum, n);
    line_free(correction, n);
    free(plain);
}

static void softening(void)
{
    const nn_kernels *k;
    for (size_t set = 0; (k = nn_kernels_usable(set)); set++) {
        check_softening(k, 1, 1);
        check_softening(k, 5, 37);
        check_softening(k, 64, 512);
    }
}

/* ---- attention of sequences side by side */

static void check_across(const nn_kernels *k, size_t count, size_t d)
{
    const size_t w = k->width, size = count * d * w, tile = NN_ACROSS * w;
    float *x[3] = {line_new(size), line_new(size), line_new(size)};
    float *scores = line_new(count * tile), *factors = line_new(tile), *out = line_new(NN_ACROSS * d * w);
    const nn_across a = {x[0], x[1], x[2], count, d, d * w, w};
    for (size_t query = 0; query < count; query += NN_ACROSS) {
        double worst = 0;
        k->across_scores(&a, query, scores);
        k->across_values(&a, scores, factors, out);
        for (size_t i = 0; i < NN_ACROSS && query + i < count; i++)
            for (size_t lane = 0; lane < w; lane++) {
                for (size_t key = 0; key < count; key++) {
                    double sum = 0;
                    for (size_t c = 0; c < d; c++)
                        sum +=
                            (double)x[0][((query + i) * d + c) * w + lane] * x[1][(key * d + c) * w + lane];
                    worst = worse(worst, fabs(scores[key * tile + i * w + lane] - sum));
                }
                for (size_t c = 0; c < d; c++) {
                    double sum = 0;
                    for (size_t key = 0; key < count; key++)
                        sum += (double)scores[key * tile + i * w + lane] * x[2][(key * d + c) * w + lane];
                    worst = worse(worst, fabs(out[(i * d + c) * w + lane] - sum * factors[i * w + lane]));
                }
            }
        CHECK(worst < 1e-5 * (double)(count + d));
    }
    for (size_t i = 0; i < 3; i++)
        line_free(x[i], size);
    line_free(scores, count * tile);
    line_free(factors, tile);
    line_free(out, NN_ACROSS * d * w);
}

static void attention_across(void)
{
    const nn_kernels *k;
    for (size_t set = 0; (k = nn_kernels_usable(set)); set++) {
        check_across(k, 1, 1);
        check_across(k, 7, 5);
        check_across(k, 12, 16);
    }
}

/* ---- transforms */

static size_t reversed(size_t i, size_t n)
{
    size_t r = 0;
    for (; n > 1; n /= 2, i /= 2)
        r = 2 * r + i % 2;
    return r;
}

static void check_transform(const nn_kernels *k, size_t n, double sign)
{
    enum { W = NN_FFT_LANES };
    float *x = line_new(2 * n * W), *y = line_new(2 * n * W), *cosines = line_new(n), *sines = line_new(n);
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        cosines[i] = (float)cos(2 * M_PI * (double)i / (double)n);
        sines[i] = (float)sin(2 * M_PI * (double)i / (double)n);
        for (size_t lane = 0; lane < W; lane++) {
            y[i * W + lane] = x[reversed(i, n) * W + lane];
            y[(n + i) * W + lane] = x[(n + reversed(i, n)) * W + lane];
        }
    }
    k->fft(y, y + n * W, n, cosines, sines, (float)sign);
    for (size_t lane = 0; lane < W; lane++)
        for (size_t bin = 0; bin < n; bin++) {
            double re = 0, im = 0;
            for (size_t i = 0; i < n; i++) {
                const double t = sign * 2 * M_PI * (double)(bin * i % n) / (double)n;
                const double a = x[i * W + lane], b = x[(n + i) * W + lane];
                re += a * cos(t) - b * sin(t);
                im += a * sin(t) + b * cos(t);
            }
            worst = worse(worst, hypot(y[bin * W + lane] - re, y[(n + bin) * W + lane] - im));
        }
    CHECK(worst < 1e-5 * (double)n);
    line_free(x, 2 * n * W);
    line_free(y, 2 * n * W);
    line_free(cosines, n);
    line_free(sines, n);
}

static void transforms(void)
{
    const nn_kernels *k;
    for (size_t set = 0; (k = nn_kernels_usable(set)); set++)
        for (size_t n = 2; n <= 64; n *= 2)
            check_transform(k, n, n % 4 ? 1 : -1);
}

/* ---- products */

typedef enum matrix_kind { PACKED, PLAIN, HALF, KINDS } matrix_kind;

/* Rows of 16 bits, of numbers that they hold exactly. */
static void *halve(float *a, size_t count)
{
    _Float16 *half = malloc(count * sizeof *half);
    for (size_t i = 0; i < count; i++)
        a[i] = (float)(half[i] = (_Float16)a[i]);
    return half;
}

static bool is_product(const float *a, const nn_product *p, const float *old)
{
    double worst = 0;
    for (size_t r = 0; r < p->m; r++)
        for (size_t i = 0; i < p->ldc; i++) {
            double sum = i < p->n && !p->add ? 0 : old[r * p->ldc + i];
            for (size_t j = 0; i < p->n && j < p->k; j++)
                sum += (double)a[r * p->columns + j] * p->b[j][i];
            if (i < p->n && p->bias)
                sum += p->bias[r];
            worst = worse(worst, fabs(p->c[r * p->ldc + i] - sum)); /* between the rows: nothing changes */
        }
    return worst < 4e-6 * sqrt((double)p->k) * 4;
}

static void check_product(const nn_kernels *k, matrix_kind kind, size_t m, size_t n, size_t depth)
{
    const size_t width = depth + 3, ldc = n + 5;
    float *a = line_new(m * width), *c = line_new(m * ldc), *bias = line_new(m + k->mr);
    float *packed = line_new(nn_packed_size(k, m, width)), *old = malloc(m * ldc * sizeof *old);
    const float **b = malloc(depth * sizeof *b);
    void *half = kind == HALF ? halve(a, m * width) : NULL;
    for (size_t i = 0; i < depth; i++)
        b[i] = line_new(n);
    nn_pack(k, a, m, width, width, 1, packed);
    nn_product p = {.columns = width, .b = b, .m = m, .n = n, .k = depth, .c = c, .ldc = ldc};
    p.a = kind == PACKED ? packed : NULL;
    p.plain = half ? half : a;
    p.half = half;
    for (int way = 0; way < 4; way++) {
        p.add = way & 1;
        p.bias = way & 2 ? bias : NULL;
        memcpy(old, c, m * ldc * sizeof *c);
        k->multiply(&p);
        if (!CHECK(is_product(a, &p, old)))
            fprintf(stderr, "%s, kind %d, %zu x %zu x %zu, way %d\n", k->name, kind, m, n, depth, way);
        for (size_t i = 0; i < m * ldc; i++)
            c[i] = uniform(2);
    }
    for (size_t i = 0; i < depth; i++)
        line_free((float *)(uintptr_t)b[i], n);
    line_free(a, m * width);
    line_free(c, m * ldc);
    line_free(bias, m + k->mr);
    line_free(packed, nn_packed_size(k, m, width));
    free(old);
    free(b);
    free(half);
}

static void products(void)
{
    const nn_kernels *k;
    for (size_t set = 0; (k = nn_kernels_usable(set)); set++)
        for (matrix_kind kind = PACKED; kind < KINDS; kind++) {
            check_product(k, kind, 1, 1, 1);
            check_product(k, kind, k->mr - 1, k->width - 1, 17);
            check_product(k, kind, k->mr, k->nr, 16);
            check_product(k, kind, 2 * k->mr + 1, k->nr + k->width, 40);
            check_product(k, kind, 3 * k->mr, 2 * k->nr + k->width + 1, 513); /* more than stays in a cache */
            check_product(k, kind, k->mr + 2, 2 * k->nr + 2 * k->width + 3, 600);
            check_product(k, kind, 32 * k->mr, k->nr + 1, 128); /* whole blocks, and a little more */
            check_product(k, kind, 520 + k->mr - 1, k->nr + k->width + 1, 257);
        }
}

TEST_MAIN(CASE(functions), CASE(sums), CASE(norms_of_columns), CASE(softening), CASE(attention_across),
          CASE(transforms), CASE(products))
