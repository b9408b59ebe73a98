/* SPDX-License-Identifier: GPL-3.0-or-later
 * kernels_multiply.h - a part of kernels.c: the matrix product. */

/* Rows of b at a time: a strip of them, as wide as a tile, and as many columns of some rows of a lie in the
 * first cache; rows of a at a time: so many columns of them lie in the second one (Goto and van de Geijn,
 * "Anatomy of High-Performance Matrix Multiplication", 2008). */
#define BLOCK_K 128
#define BLOCK_M 256
#define STRIP (NN_VECTORS * NN_WIDTH)
/* Terms between two fetches: the floats of a cache line. */
#define LINE 16

typedef float vector __attribute__((vector_size(4 * NN_WIDTH), aligned(4), may_alias));

/* A part of the left-hand matrix: element [r][i] of a tile is at[r * row + i * column], and the next tile's
 * rows begin at at[next]. */
typedef struct matrix {
    const float *at;
    size_t row, column, next;
} matrix;

/* k rows of b, as wide as a tile: the columns of c from column on. */
typedef struct strip {
    float b[BLOCK_K * STRIP] __attribute__((aligned(64)));
    size_t k, column;
    const float *bias; /* NULL: none */
    bool add;          /* to what c holds */
} strip;

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

/* What the next tile reads of a for terms i..i + LINE, because the processor cannot guess where rows that lie
 * apart go on. */
INLINE void fetch_next(const matrix a, size_t i)
{
    const float *next = a.at + a.next + i * a.column;
    const size_t line = a.row == 1 ? LINE : a.row; /* rows side by side are one run */
    for (size_t r = 0; r < NN_ROWS; r++)
        __builtin_prefetch(next + r * line, 0, 3);
}

/* Rows row.. of a times the strip: to c, or to a small copy when not all of it is wanted. */
INLINE void tile(const matrix a, const strip *s, size_t row, float *c, size_t ldc, int vectors)
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
    for (size_t i = 0; i < s->k; i++) {
        if (i % LINE == 0)
            fetch_next(a, i);
        vector x[NN_VECTORS];
        UNROLL(NN_VECTORS)
        for (int v = 0; v < vectors; v++)
            x[v] = *(const vector *)(s->b + i * STRIP + v * NN_WIDTH);
        UNROLL(NN_ROWS)
        for (int r = 0; r < NN_ROWS; r++) {
            UNROLL(NN_VECTORS)
            for (int v = 0; v < vectors; v++)
                sum[r][v] += a.at[(size_t)r * a.row + i * a.column] * x[v];
        }
    }
    put_tile(sum, s->bias ? s->bias + row : NULL, s->add, c, ldc, vectors);
}

/* A tile at the edge goes through a copy. */
INLINE void edge(const nn_product *p, const matrix a, const strip *s, size_t row, int vectors)
{
    float copy[NN_ROWS * STRIP];
    const size_t rows = p->m - row < NN_ROWS ? p->m - row : NN_ROWS;
    const size_t columns = p->n - s->column < STRIP ? p->n - s->column : STRIP;
    float *c = p->c + row * p->ldc + s->column;
    memset(copy, 0, sizeof copy);
    for (size_t r = 0; s->add && r < rows; r++)
        memcpy(copy + r * STRIP, c + r * p->ldc, columns * sizeof *c);
    tile(a, s, row, copy, STRIP, vectors);
    for (size_t r = 0; r < rows; r++)
        memcpy(c + r * p->ldc, copy + r * STRIP, columns * sizeof *c);
}

/* Rows from..to of the product of the strip. */
INLINE void tiles(const nn_product *p, matrix a, const strip *s, size_t from, size_t to, int vectors)
{
    const bool wide = p->n - s->column >= (size_t)vectors * NN_WIDTH;
    for (size_t row = from; row < to; row += NN_ROWS, a.at += a.next)
        if (wide && p->m - row >= NN_ROWS)
            tile(a, s, row, p->c + row * p->ldc + s->column, p->ldc, vectors);
        else
            edge(p, a, s, row, vectors);
}

/* Rows from..to of the product of columns s->column.., summed over s->k terms from k on. */
INLINE void multiply_strip(const nn_product *p, const matrix a, strip *s, size_t k, size_t from, size_t to,
                           int vectors)
{
    for (size_t i = 0; i < s->k; i++) {
        const float *b = p->b[k + i] + s->column;
        UNROLL(NN_VECTORS)
        for (int v = 0; v < vectors; v++)
            *(vector *)(s->b + i * STRIP + v * NN_WIDTH) = *(const vector *)(b + v * NN_WIDTH);
    }
    if (p->a)
        tiles(p, (matrix){a.at, 1, NN_ROWS, a.next}, s, from, to, vectors);
    else
        tiles(p, (matrix){a.at, a.row, 1, a.next}, s, from, to, vectors);
}

/* Columns from..from + k of some rows of a plain matrix to a copy, with rows of zeros up to a whole tile. */
static matrix copy_rows(const nn_product *p, size_t row, size_t rows, size_t from, size_t k, float *copy)
{
    for (size_t r = 0; r < rows; r++) {
        float *to = copy + r * BLOCK_K;
        const size_t at = (row + r) * p->columns + from;
        if (!p->half)
            memcpy(to, (const float *)p->plain + at, k * sizeof *to);
        else
            for (size_t i = 0; i < k; i++)
                to[i] = nn_of_half(((const uint16_t *)p->plain)[at + i]);
    }
    for (size_t r = rows; r % NN_ROWS; r++)
        memset(copy + r * BLOCK_K, 0, k * sizeof *copy);
    return (matrix){copy, BLOCK_K, 1, NN_ROWS * BLOCK_K};
}

/* Columns from..from + k of rows row..row + rows of a: where they lie, or in a copy. */
static matrix rows_of(const nn_product *p, size_t row, size_t rows, size_t from, size_t k, float *copy)
{
    if (p->a)
        return (matrix){p->a + row * p->columns + from * NN_ROWS, 1, NN_ROWS, NN_ROWS * p->columns};
    if (p->half || rows % NN_ROWS)
        return copy_rows(p, row, rows, from, k, copy);
    return (matrix){(const float *)p->plain + row * p->columns + from, p->columns, 1, NN_ROWS * p->columns};
}

static void multiply(const nn_product *p)
{
    float copy[BLOCK_M * BLOCK_K];
    strip s;
    for (size_t k = 0; k < p->k; k += BLOCK_K)
        for (size_t row = 0; row < p->m; row += BLOCK_M) {
            const size_t rows = p->m - row < BLOCK_M ? p->m - row : BLOCK_M;
            s.k = p->k - k < BLOCK_K ? p->k - k : BLOCK_K;
            s.add = p->add || k > 0;
            s.bias = k ? NULL : p->bias;
            const matrix a = rows_of(p, row, rows, k, s.k, copy);
            for (s.column = 0; s.column < p->n; s.column += STRIP) {
                const size_t left = p->n - s.column;
                if (left > 2 * NN_WIDTH)
                    multiply_strip(p, a, &s, k, row, row + rows, NN_VECTORS);
                else if (left > NN_WIDTH)
                    multiply_strip(p, a, &s, k, row, row + rows, 2);
                else
                    multiply_strip(p, a, &s, k, row, row + rows, 1);
            }
        }
}
