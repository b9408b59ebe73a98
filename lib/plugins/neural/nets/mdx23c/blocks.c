/* SPDX-License-Identifier: GPL-3.0-or-later
 * blocks.c - the blocks of MDX23C: convolutions over time and frequency, and matrices along frequency. */
#include "plugins/neural/nets/mdx23c/blocks.h"

#include <stdlib.h>

/* ---- loading */

/* The instance norm of a step: each channel by itself. */
static nn_norm *load_norm(nn_loader *loader, const char *name, int channels)
{
    return nn_load_norm(loader, name, NN_OVER_ALL, channels, channels);
}

/* In the file the rows of a kernel are moments; here they are frequencies. */
static void transpose_kernels(float *w, size_t count, size_t k)
{
    for (float *end = w + count * k * k; w < end; w += k * k)
        for (size_t a = 0; a < k; a++)
            for (size_t b = 0; b < a; b++) {
                const float x = w[a * k + b];
                w[a * k + b] = w[b * k + a];
                w[b * k + a] = x;
            }
}

/* A convolution without bias. */
static nn_conv *load_conv(nn_loader *loader, const char *name, const nn_conv_shape *s)
{
    float *w = nn_load(loader, nn_name_of("%s.weight", name).text, 4,
                       (int64_t[]){s->out, s->in, s->kernel, s->kernel});
    float *zeros = calloc((size_t)s->out, sizeof *zeros);
    nn_conv *conv = NULL;
    if (!zeros)
        nn_loader_no_memory(loader);
    if (w && zeros) {
        transpose_kernels(w, (size_t)s->out * (size_t)s->in, (size_t)s->kernel);
        conv = nn_loader_made(loader, nn_conv_new(loader->engine, s, w, zeros));
    }
    free(w);
    free(zeros);
    return conv;
}

static void load_tfc(nn_loader *loader, const char *name, int in, int out, nn_mdx_step *s)
{
    const nn_conv_shape shape = {in, out, 3, 3, 1, 1, 1, 1, 1, false};
    s->norm = load_norm(loader, nn_name_of("%s.0", name).text, in);
    s->conv = load_conv(loader, nn_name_of("%s.2", name).text, &shape);
}

static void load_block(nn_loader *loader, const char *name, const nn_mdx_options *o, int in, nn_mdx_block *b)
{
    const nn_name tdf = nn_name_of("%s.tdf", name);
    const int hidden = o->rows / o->bottleneck;
    load_tfc(loader, nn_name_of("%s.tfc1", name).text, in, o->out, &b->tfc1);
    b->squeeze.norm = load_norm(loader, nn_name_of("%s.0", tdf.text).text, o->out);
    b->squeeze.linear = nn_load_linear(loader, nn_name_of("%s.2", tdf.text).text, o->rows, hidden, false);
    b->expand.norm = load_norm(loader, nn_name_of("%s.3", tdf.text).text, o->out);
    b->expand.linear = nn_load_linear(loader, nn_name_of("%s.5", tdf.text).text, hidden, o->rows, false);
    load_tfc(loader, nn_name_of("%s.tfc2", name).text, o->out, o->out, &b->tfc2);
    b->shortcut = nn_load_linear(loader, nn_name_of("%s.shortcut", name).text, in, o->out, false);
}

void nn_mdx_blocks_load(nn_loader *loader, const char *name, const nn_mdx_options *o, nn_mdx_blocks *b)
{
    b->count = o->count;
    b->act = o->act;
    for (int i = 0; i < o->count && !loader->failed; i++)
        load_block(loader, nn_name_of("%s.blocks.%d", name, i).text, o, i ? o->out : o->in, &b->blocks[i]);
}

void nn_mdx_step_free(nn_mdx_step *s)
{
    nn_norm_free(s->norm);
    nn_conv_free(s->conv);
    nn_linear_free(s->linear);
}

void nn_mdx_blocks_free(nn_mdx_blocks *b)
{
    for (int i = 0; i < b->count; i++) {
        nn_mdx_step_free(&b->blocks[i].tfc1);
        nn_mdx_step_free(&b->blocks[i].tfc2);
        nn_mdx_step_free(&b->blocks[i].squeeze);
        nn_mdx_step_free(&b->blocks[i].expand);
        nn_linear_free(b->blocks[i].shortcut);
    }
}

void nn_mdx_down_load(nn_loader *loader, const char *name, int in, int out, nn_mdx_step *s)
{
    const nn_conv_shape shape = {in, out, 2, 2, 2, 2, 0, 0, 1, false};
    s->norm = load_norm(loader, nn_name_of("%s.conv.0", name).text, in);
    s->conv = load_conv(loader, nn_name_of("%s.conv.2", name).text, &shape);
}

/* A transposed convolution, the outputs of which do not overlap, is a matrix with four results for each
 * output: [in][out][moment][frequency] in the file, [out][frequency][moment][in] here. */
void nn_mdx_up_load(nn_loader *loader, const char *name, int in, int out, nn_mdx_step *s)
{
    const size_t width = (size_t)in, rows = (size_t)out;
    s->norm = load_norm(loader, nn_name_of("%s.conv.0", name).text, in);
    float *w = nn_load(loader, nn_name_of("%s.conv.2.weight", name).text, 4, (int64_t[]){in, out, 2, 2});
    float *m = malloc(4 * width * rows * sizeof *m);
    if (!m)
        nn_loader_no_memory(loader);
    for (size_t i = 0; w && m && i < width; i++)
        for (size_t o = 0; o < rows; o++)
            for (size_t k = 0; k < 4; k++)
                m[(4 * o + k % 2 * 2 + k / 2) * width + i] = w[(i * rows + o) * 4 + k];
    const nn_weights weights = {.data = m, .owned = true, .in = in, .out = 4 * out};
    if (w && m)
        s->linear = nn_loader_made(loader, nn_linear_new(loader->engine, &weights, NULL));
    if (!s->linear)
        free(m);
    free(w);
}

/* ---- running */

static nn_tensor *convolve(nn_tensor *x, const nn_mdx_step *s, nn_act act)
{
    return nn_convolve(nn_normalize(x, s->norm, act), s->conv, NN_LINEAR);
}

/* The matrix on the frequencies of each channel and moment. */
static nn_tensor *along_rows(nn_tensor *x, const nn_mdx_step *s, nn_act act)
{
    const int64_t rows = nn_rows(x), channels = nn_channels(x), time = nn_time(x);
    x = nn_reshape(nn_normalize(x, s->norm, act), 1, rows, channels * time);
    x = nn_apply_linear(x, s->linear, NN_LINEAR);
    return nn_reshape(x, nn_channels(x), channels, time);
}

nn_tensor *nn_mdx_blocks_apply(nn_tensor *x, const nn_mdx_blocks *b)
{
    for (int i = 0; i < b->count; i++) {
        const nn_mdx_block *block = &b->blocks[i];
        nn_tensor *shortcut = nn_apply_linear(nn_keep(x), block->shortcut, NN_LINEAR);
        x = convolve(x, &block->tfc1, b->act);
        nn_tensor *tdf = along_rows(nn_keep(x), &block->squeeze, b->act);
        x = nn_add(x, along_rows(tdf, &block->expand, b->act));
        x = nn_add(convolve(x, &block->tfc2, b->act), shortcut);
    }
    return x;
}

nn_tensor *nn_mdx_down(nn_tensor *x, const nn_mdx_step *s, nn_act act)
{
    return convolve(x, s, act);
}

nn_tensor *nn_mdx_up(nn_tensor *x, const nn_mdx_step *s, nn_act act)
{
    x = nn_apply_linear(nn_normalize(x, s->norm, act), s->linear, NN_LINEAR);
    const int64_t rows = nn_rows(x), channels = nn_channels(x) / 4, time = nn_time(x);
    const nn_permutation p = {{rows, channels, 2, 2, time}, {0, 2, 1, 4, 3}, 2 * rows, channels, 2 * time};
    return nn_permute(x, &p);
}
