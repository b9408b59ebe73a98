/* SPDX-License-Identifier: GPL-3.0-or-later
 * The layers of a transformer, as the CPU backend joins them, against plain loops in double precision:
 * sequences along time and across rows, of one moment and of more than a slice has, weights in 32 and in 16
 * bits. */
#include "plugins/neural/operation.h"

/* A matrix [out][in] with its weights as they are stored, and as they are meant. */
typedef struct matrix {
    int in, out;
    bool half;
    void *stored;
    float *weight, *bias; /* bias NULL: none */
} matrix;

typedef struct transformer {
    shape in;
    float *x, *gamma, *beta, frequencies[16]; /* beta: a layer norm's; NULL: the norm is NN_RMS */
    matrix qkv, gates, out, feed_in, feed_out;
    int heads, d;
    bool across;
} transformer;

/* Sixteenths from -1 to 1, which 16 bits hold: sign, exponent and fraction by hand. */
static uint16_t half_of(float x)
{
    int exponent = 0;
    const float fraction = frexpf(fabsf(x), &exponent);
    const int bits = x == 0 ? 0 : (exponent + 14) << 10 | ((int)(fraction * 2048) & 1023);
    return (uint16_t)(bits | (x < 0) << 15);
}

static matrix some_matrix(int in, int out, bool bias)
{
    matrix m = {.in = in, .out = out, .half = between(0, 1)};
    const size_t count = (size_t)in * (size_t)out;
    m.weight = malloc(count * sizeof *m.weight);
    m.stored = malloc(count * sizeof *m.weight);
    m.bias = bias ? test_noise((size_t)out, 0.3F, test_random(&seed)) : NULL;
    for (size_t i = 0; i < count; i++) {
        m.weight[i] = (float)between(-16, 16) / 16 / 2;
        if (m.half)
            ((uint16_t *)m.stored)[i] = half_of(m.weight[i]);
        else
            ((float *)m.stored)[i] = m.weight[i];
    }
    return m;
}

static void free_matrix(matrix *m)
{
    free(m->stored);
    free(m->weight);
    free(m->bias);
}

static transformer some_transformer(int i)
{
    transformer t = {.heads = between(1, 3), .d = 2 * between(1, 8), .across = i % 2};
    const int channels = between(1, 40), inner = t.heads * t.d, hidden = between(1, 300);
    const int rows = between(1, i % 5 ? 9 : 40), time = between(1, i % 5 ? 9 : 400);
    t.in = (shape){t.across ? time : rows, channels, t.across ? rows : time};
    if (i % 4 == 1) /* more columns than a slice has */
        t.in = (shape){300, 3, between(28, 34)};
    const int c = (int)t.in.channels;
    t.x = test_noise(size_of(t.in), 1, test_random(&seed));
    t.gamma = test_noise((size_t)c, 1, test_random(&seed));
    for (int j = 0; j < t.d / 2; j++)
        t.frequencies[j] = powf(100, -(float)j / (float)t.d);
    t.qkv = some_matrix(c, 3 * inner, false);
    t.gates = some_matrix(c, t.heads, true);
    t.out = some_matrix(inner, c, false);
    t.feed_in = some_matrix(c, hidden, true);
    t.feed_out = some_matrix(hidden, c, true);
    return t;
}

static void free_transformer(transformer *t)
{
    matrix *const all[] = {&t->qkv, &t->gates, &t->out, &t->feed_in, &t->feed_out};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free_matrix(all[i]);
    free(t->x);
    free(t->gamma);
    free(t->beta);
}

static nn_linear *linear(nn_engine *engine, const matrix *m)
{
    const nn_weights w = {.data = m->stored, .half = m->half, .in = m->in, .out = m->out};
    return nn_linear_new(engine, &w, m->bias);
}

static nn_norm *norm(nn_engine *engine, const transformer *t)
{
    return nn_norm_new(engine, t->beta ? NN_OVER_CHANNELS : NN_RMS, 1, (int)t->in.channels, t->gamma,
                       t->beta);
}

static nn_tensor *run_attention(nn_engine *engine, const void *arguments)
{
    const transformer *t = arguments;
    nn_norm *n = norm(engine, t);
    nn_linear *qkv = linear(engine, &t->qkv), *gates = linear(engine, &t->gates),
              *out = linear(engine, &t->out);
    const nn_attention_layer a = {n, qkv, gates, out, t->heads, {t->frequencies, NULL}, t->across};
    nn_tensor *y = nn_attend(nn_tensor_new(engine, t->in.rows, t->in.channels, t->in.time, t->x), &a);
    nn_norm_free(n);
    nn_linear_free(qkv);
    nn_linear_free(gates);
    nn_linear_free(out);
    return y;
}

static nn_tensor *run_feed_forward(nn_engine *engine, const void *arguments)
{
    const transformer *t = arguments;
    nn_norm *n = norm(engine, t);
    nn_linear *in = linear(engine, &t->feed_in), *out = linear(engine, &t->feed_out);
    nn_tensor *x = nn_tensor_new(engine, t->in.rows, t->in.channels, t->in.time, t->x);
    nn_tensor *y = nn_feed_forward(x, n, in, NN_GELU, out);
    nn_norm_free(n);
    nn_linear_free(in);
    nn_linear_free(out);
    return y;
}

/* ---- in double precision */

static size_t place(const transformer *t, int64_t row, int64_t channel, int64_t moment)
{
    return (size_t)((row * t->in.channels + channel) * t->in.time + moment);
}

/* One moment's channels, normalised. */
static void normalized(const transformer *t, int64_t row, int64_t moment, double *to)
{
    const double count = (double)t->in.channels;
    double sum = 0, squares = 0;
    for (int64_t c = 0; c < t->in.channels; c++)
        sum += (double)t->x[place(t, row, c, moment)];
    const double mean = t->beta ? sum / count : 0;
    for (int64_t c = 0; c < t->in.channels; c++)
        squares += pow((double)t->x[place(t, row, c, moment)] - mean, 2);
    const double deviation =
        t->beta ? sqrt(squares / count + 1e-5) : fmax(sqrt(squares), 1e-12) / sqrt(count);
    for (int64_t c = 0; c < t->in.channels; c++)
        to[c] = ((double)t->x[place(t, row, c, moment)] - mean) / deviation * (double)t->gamma[c] +
                (t->beta ? (double)t->beta[c] : 0);
}

static void multiplied(const matrix *m, const double *in, double *out)
{
    for (int o = 0; o < m->out; o++) {
        out[o] = m->bias ? (double)m->bias[o] : 0;
        for (int i = 0; i < m->in; i++)
            out[o] += (double)m->weight[o * m->in + i] * in[i];
    }
}

static void turn(const transformer *t, double *x, int64_t at)
{
    for (int pair = 0; pair < t->heads * t->d / 2; pair++) {
        const double angle = (double)at * (double)t->frequencies[pair % (t->d / 2)];
        const double a = x[2 * pair], b = x[2 * pair + 1];
        x[2 * pair] = a * cos(angle) - b * sin(angle);
        x[2 * pair + 1] = b * cos(angle) + a * sin(angle);
    }
}

/* What a query sees in qkv[count][3 * inner], in one head. */
static void see(const transformer *t, const double *qkv, int64_t count, int64_t query, int head, double *to)
{
    const int inner = t->heads * t->d;
    double total = 0;
    memset(to, 0, (size_t)t->d * sizeof *to);
    for (int64_t key = 0; key < count; key++) {
        const double *q = qkv + query * 3 * inner + head * t->d,
                     *k = qkv + key * 3 * inner + inner + head * t->d;
        double score = 0;
        for (int c = 0; c < t->d; c++)
            score += q[c] * k[c];
        score = exp(score / sqrt(t->d));
        total += score;
        for (int c = 0; c < t->d; c++)
            to[c] += score * k[inner + c];
    }
    for (int c = 0; c < t->d; c++)
        to[c] /= total;
}

/* One sequence: the row or, across, the moment of that number. */
static void attend_sequence(const transformer *t, int64_t number, double *expected)
{
    const int64_t count = t->across ? t->in.rows : t->in.time;
    const size_t inner = (size_t)(t->heads * t->d), channels = (size_t)t->in.channels;
    double *qkv = malloc((size_t)count * 3 * inner * sizeof *qkv), *seen = malloc(inner * sizeof *seen);
    double *v = malloc(channels * sizeof *v), gates[3];
    for (int64_t i = 0; i < count; i++) {
        normalized(t, t->across ? i : number, t->across ? number : i, v);
        multiplied(&t->qkv, v, qkv + (size_t)i * 3 * inner);
        turn(t, qkv + (size_t)i * 3 * inner, i);
        turn(t, qkv + (size_t)i * 3 * inner + inner, i);
    }
    for (int64_t i = 0; i < count; i++) {
        const int64_t row = t->across ? i : number, moment = t->across ? number : i;
        normalized(t, row, moment, v);
        multiplied(&t->gates, v, gates);
        for (int head = 0; head < t->heads; head++) {
            see(t, qkv, count, i, head, seen + head * t->d);
            for (int c = 0; c < t->d; c++)
                seen[head * t->d + c] /= 1 + exp(-gates[head]);
        }
        multiplied(&t->out, seen, v);
        for (int64_t c = 0; c < t->in.channels; c++)
            expected[place(t, row, c, moment)] = (double)t->x[place(t, row, c, moment)] + v[c];
    }
    free(qkv);
    free(seen);
    free(v);
}

static void attention_is_its_parts(void)
{
    for (int i = 0; i < 12; i++) {
        transformer t = some_transformer(i);
        double *expected = malloc(size_of(t.in) * sizeof *expected);
        for (int64_t n = 0; n < (t.across ? t.in.time : t.in.rows); n++)
            attend_sequence(&t, n, expected);
        if (!check(run_attention, &t, t.in, expected, 1e-4))
            fprintf(stderr, "%d heads of %d, [%d][%d][%d]%s\n", t.heads, t.d, (int)t.in.rows,
                    (int)t.in.channels, (int)t.in.time, t.across ? " across" : "");
        free(expected);
        free_transformer(&t);
    }
}

static void feed_forward_is_its_parts(void)
{
    for (int i = 0; i < 12; i++) {
        transformer t = some_transformer(i);
        t.beta = i % 2 ? test_noise((size_t)t.in.channels, 1, test_random(&seed)) : NULL;
        double *expected = malloc(size_of(t.in) * sizeof *expected), v[64], hidden[300];
        for (int64_t row = 0; row < t.in.rows; row++)
            for (int64_t moment = 0; moment < t.in.time; moment++) {
                normalized(&t, row, moment, v);
                multiplied(&t.feed_in, v, hidden);
                for (int h = 0; h < t.feed_in.out; h++)
                    hidden[h] *= 0.5 * erfc(-hidden[h] / sqrt(2));
                multiplied(&t.feed_out, hidden, v);
                for (int64_t c = 0; c < t.in.channels; c++)
                    expected[place(&t, row, c, moment)] = (double)t.x[place(&t, row, c, moment)] + v[c];
            }
        if (!check(run_feed_forward, &t, t.in, expected, 1e-4))
            fprintf(stderr, "%d hidden, [%d][%d][%d]\n", t.feed_in.out, (int)t.in.rows, (int)t.in.channels,
                    (int)t.in.time);
        free(expected);
        free_transformer(&t);
    }
}

TEST_MAIN(CASE(attention_is_its_parts), CASE(feed_forward_is_its_parts))
