/* SPDX-License-Identifier: GPL-3.0-or-later
 * kernels_multiply.h - a part of kernels.c: the matrix product. */

/* Columns of b that stay in the first cache while the rows of a go by. */
#define BLOCK_K 512

/* Some rows of the left-hand matrix: element [r][i] is at[r * row + i * column]. next: the rows after them,
 * to be fetched meanwhile, because the processor cannot guess where they are; NULL: it can. */
typedef struct matrix {
    const float *at;
    size_t row, column;
    const float *next;
} matrix;

/* Terms between two fetches, and rows that are fetched while a tile is computed. */
#define LINE 16
#define FETCHED 2

typedef float vector __attribute__((vector_size(4 * NN_WIDTH), aligned(4), may_alias));

/* Rows of sums to c, with the bias, if there is one, and what was there before, if add. */
INLINE void put_tile(vector sum[NN_ROWS][NN_VECTORS], const float *bias, bool add, float *c, size_t ldc,
                     int vectors)
{
    UNROLL(NN_ROWS)
    for (int r = 0; r < NN_ROWS; r++) {
        UNROLL(NN_VECTORS)
        for (int v = 0; v < vectors; v++) {
            vector *to = (vector *)(c + (size_t)r * ldc + v * NN_WIDTH);
            if (bias)
                sum[r][v] += bias[r];
            if (add)
                sum[r][v] += *to;
            *to = sum[r][v];
        }
    }
}

/* The rows of a tile: of c, or of a small copy when not all of it is wanted. */
INLINE void tile(const nn_product *p, const matrix a, const float *const *b, size_t k, size_t row,
                 size_t column, bool add, float *c, size_t ldc, int vectors)
{
    vector sum[NN_ROWS][NN_VECTORS];
    UNROLL(NN_ROWS)
    for (int r = 0; r < NN_ROWS; r++) {
        UNROLL(NN_VECTORS)
        for (int v = 0; v < vectors; v++)
            sum[r][v] = (vector){0};
    }
    for (int r = 0; r < NN_ROWS; r++)
        for (int v = 0; v < vectors; v++)
            __builtin_prefetch(c + (size_t)r * ldc + v * NN_WIDTH, 1, 3);
    const float *next = a.next ? a.next + column / (NN_VECTORS * NN_WIDTH) * FETCHED * a.row : NULL;
    for (size_t from = 0; from < k; from += LINE) {
        const size_t to = k - from < LINE || !a.next ? k : from + LINE;
        for (size_t r = 0; next && r < FETCHED; r++)
            __builtin_prefetch(next + r * a.row + from, 0, 2);
        for (size_t i = from; i < to; i++) {
            vector x[NN_VECTORS];
            UNROLL(NN_VECTORS)
            for (int v = 0; v < vectors; v++)
                x[v] = *(const vector *)(b[i] + column + v * NN_WIDTH);
            UNROLL(NN_ROWS)
            for (int r = 0; r < NN_ROWS; r++) {
                UNROLL(NN_VECTORS)
                for (int v = 0; v < vectors; v++)
                    sum[r][v] += a.at[(size_t)r * a.row + i * a.column] * x[v];
            }
        }
        if (!a.next)
            break;
    }
    put_tile(sum, p->bias && b == p->b ? p->bias + row : NULL, add, c, ldc, vectors);
}

/* A tile at the edge goes through a copy. */
INLINE void edge(const nn_product *p, const matrix a, const float *const *b, size_t k, size_t row,
                 size_t column, bool add, int vectors)
{
    enum { LD = NN_VECTORS * NN_WIDTH };
    float copy[NN_ROWS * LD];
    const size_t rows = p->m - row < NN_ROWS ? p->m - row : NN_ROWS;
    const size_t columns = p->n - column < LD ? p->n - column : LD;
    float *c = p->c + row * p->ldc + column;
    memset(copy, 0, sizeof copy);
    for (size_t r = 0; add && r < rows; r++)
        memcpy(copy + r * LD, c + r * p->ldc, columns * sizeof *c);
    tile(p, a, b, k, row, column, add, copy, LD, vectors);
    for (size_t r = 0; r < rows; r++)
        memcpy(c + r * p->ldc, copy + r * LD, columns * sizeof *c);
}

INLINE void tile_or_edge(const nn_product *p, const matrix a, const float *const *b, size_t k, size_t row,
                         size_t column, bool add, int vectors)
{
    if (p->m - row >= NN_ROWS && p->n - column >= (size_t)vectors * NN_WIDTH)
        tile(p, a, b, k, row, column, add, p->c + row * p->ldc + column, p->ldc, vectors);
    else
        edge(p, a, b, k, row, column, add, vectors);
}

/* Rows row..row + NN_ROWS of the product, of k columns of a. */
INLINE void panel_of(const nn_product *p, const matrix a, const float *const *b, size_t k, size_t row,
                     bool add)
{
    size_t column = 0;
    for (; p->n - column >= NN_VECTORS * NN_WIDTH; column += NN_VECTORS * NN_WIDTH)
        tile_or_edge(p, a, b, k, row, column, add, NN_VECTORS);
    const size_t rest = p->n - column;
    if (rest > 2 * NN_WIDTH)
        tile_or_edge(p, a, b, k, row, column, add, NN_VECTORS);
    else if (rest > NN_WIDTH)
        tile_or_edge(p, a, b, k, row, column, add, 2);
    else if (rest > 0)
        tile_or_edge(p, a, b, k, row, column, add, 1);
}

static void packed_panel(const nn_product *p, const float *a, const float *const *b, size_t k, size_t row,
                         bool add)
{
    const matrix packed = {a, 1, NN_ROWS, NULL};
    panel_of(p, packed, b, k, row, add);
}

static void plain_panel(const nn_product *p, const float *a, size_t stride, const float *const *b, size_t k,
                        size_t row, bool add)
{
    const bool more = !p->half && row + 2 * NN_ROWS <= p->m;
    const matrix rows = {a, stride, 1, more ? a + NN_ROWS * stride : NULL};
    panel_of(p, rows, b, k, row, add);
}

/* Rows row.. of a plain matrix, columns from..from + k: those past the last are zeros. Where they lie, or in
 * a copy. */
static const float *plain_rows(const nn_product *p, size_t row, size_t from, size_t k, float *copy,
                               size_t *stride)
{
    const size_t rows = p->m - row < NN_ROWS ? p->m - row : NN_ROWS;
    if (!p->half && rows == NN_ROWS) {
        *stride = p->columns;
        return (const float *)p->plain + row * p->columns + from;
    }
    *stride = BLOCK_K;
    for (size_t r = 0; r < NN_ROWS; r++) {
        float *to = copy + r * BLOCK_K;
        const size_t at = (row + r) * p->columns + from;
        if (r >= rows)
            memset(to, 0, k * sizeof *to);
        else if (!p->half)
            memcpy(to, (const float *)p->plain + at, k * sizeof *to);
        else
            for (size_t i = 0; i < k; i++)
                to[i] = nn_of_half(((const uint16_t *)p->plain)[at + i]);
    }
    return copy;
}

static void multiply(const nn_product *p)
{
    float copy[NN_ROWS * BLOCK_K];
    for (size_t k = 0; k < p->k; k += BLOCK_K) {
        const size_t size = p->k - k < BLOCK_K ? p->k - k : BLOCK_K;
        const bool add = p->add || k > 0;
        for (size_t row = 0; row < p->m; row += NN_ROWS) {
            size_t stride = 0;
            if (p->a)
                packed_panel(p, p->a + row * p->columns + k * NN_ROWS, p->b + k, size, row, add);
            else {
                const float *a = plain_rows(p, row, k, size, copy, &stride);
                plain_panel(p, a, stride, p->b + k, size, row, add);
            }
        }
    }
}
