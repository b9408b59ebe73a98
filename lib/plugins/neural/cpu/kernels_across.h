/* SPDX-License-Identifier: GPL-3.0-or-later
 * kernels_across.h - a part of kernels.c: attention of sequences that lie side by side, one in each lane of a
 * vector. */

/* Keys, or channels, that are taken together with the queries: sums stay in registers. */
#define TOGETHER (NN_WIDTH == 16 ? 4 : 2)

/* Row of a tile: past the last one, the last one again; its result is not used. */
INLINE size_t at_most(size_t i, size_t count)
{
    return i < count ? i : count - 1;
}

INLINE vector load(const float *x)
{
    return *(const vector *)x;
}

/* sum[j][i] += x[i] * the vector at y[j] + at. */
INLINE void add_products(vector sum[TOGETHER][NN_ACROSS], const vector x[NN_ACROSS],
                         const float *const y[TOGETHER], size_t at)
{
    UNROLL(TOGETHER)
    for (size_t j = 0; j < TOGETHER; j++) {
        const vector v = load(y[j] + at);
        UNROLL(NN_ACROSS)
        for (size_t i = 0; i < NN_ACROSS; i++)
            sum[j][i] += x[i] * v;
    }
}

static void across_scores(const nn_across *a, size_t query, float *scores)
{
    const float *q[NN_ACROSS], *k[TOGETHER];
    for (size_t i = 0; i < NN_ACROSS; i++)
        q[i] = a->q + at_most(query + i, a->count) * a->row;
    for (size_t key = 0; key < a->count; key += TOGETHER) {
        vector sum[TOGETHER][NN_ACROSS] = {{{0}}};
        for (size_t j = 0; j < TOGETHER; j++)
            k[j] = a->k + at_most(key + j, a->count) * a->row;
        for (size_t c = 0; c < a->d; c++) {
            vector x[NN_ACROSS];
            UNROLL(NN_ACROSS)
            for (size_t i = 0; i < NN_ACROSS; i++)
                x[i] = load(q[i] + c * a->channel);
            add_products(sum, x, k, c * a->channel);
        }
        for (size_t j = 0; j < TOGETHER && key + j < a->count; j++)
            memcpy(scores + (key + j) * NN_ACROSS * NN_WIDTH, sum[j], sizeof sum[j]);
    }
}

static void across_values(const nn_across *a, const float *weights, const float *factors, float *out)
{
    const float *v[TOGETHER];
    for (size_t channel = 0; channel < a->d; channel += TOGETHER) {
        vector sum[TOGETHER][NN_ACROSS] = {{{0}}};
        for (size_t c = 0; c < TOGETHER; c++)
            v[c] = a->v + at_most(channel + c, a->d) * a->channel;
        for (size_t key = 0; key < a->count; key++) {
            vector w[NN_ACROSS];
            UNROLL(NN_ACROSS)
            for (size_t i = 0; i < NN_ACROSS; i++)
                w[i] = load(weights + (key * NN_ACROSS + i) * NN_WIDTH);
            add_products(sum, w, v, key * a->row);
        }
        for (size_t c = 0; c < TOGETHER && channel + c < a->d; c++)
            for (size_t i = 0; i < NN_ACROSS; i++)
                *(vector *)(out + (i * a->d + channel + c) * NN_WIDTH) =
                    sum[c][i] * load(factors + i * NN_WIDTH);
    }
}
