/* SPDX-License-Identifier: GPL-3.0-or-later
 * transformer.c - the transformers of RoFormers (Lu, Wang, Kong, Hung 2023; Su et al. 2021 for the rotation).
 */
#include "plugins/neural/nets/roformer/transformer.h"

#include <stdlib.h>

/* ---- loading */

static void load_places(nn_loader *loader, const char *name, const nn_rope_options *o, nn_rope_layer *l)
{
    if (!o->polar) {
        l->frequencies =
            nn_load_vector(loader, nn_name_of("%s.rotary_embed.freqs", name).text, o->dim_head / 2);
        return;
    }
    l->frequencies = nn_load_vector(loader, nn_name_of("%s.pope_embed.inv_freqs", name).text, o->dim_head);
    l->polar_bias =
        nn_load(loader, nn_name_of("%s.pope_embed.bias", name).text, 2, (int64_t[]){o->heads, o->dim_head});
}

static void load_layer(nn_loader *loader, const char *name, const nn_rope_options *o, nn_rope_layer *l)
{
    const nn_name a = nn_name_of("%s.0", name), f = nn_name_of("%s.1.net", name);
    const int inner = o->heads * o->dim_head;
    load_places(loader, a.text, o, l);
    l->norm = nn_load_rms(loader, nn_name_of("%s.norm.gamma", a.text).text, o->dim);
    l->qkv = nn_load_linear(loader, nn_name_of("%s.to_qkv", a.text).text, o->dim, 3 * inner, false);
    l->gates = nn_load_linear(loader, nn_name_of("%s.to_gates", a.text).text, o->dim, o->heads, true);
    l->out = nn_load_linear(loader, nn_name_of("%s.to_out.0", a.text).text, inner, o->dim, false);
    l->feed_norm = nn_load_rms(loader, nn_name_of("%s.0.gamma", f.text).text, o->dim);
    l->feed_in = nn_load_linear(loader, nn_name_of("%s.1", f.text).text, o->dim, 4 * o->dim, true);
    l->feed_out = nn_load_linear(loader, nn_name_of("%s.4", f.text).text, 4 * o->dim, o->dim, true);
}

void nn_rope_load(nn_loader *loader, const char *name, const nn_rope_options *o, nn_rope_transformer *t)
{
    t->count = o->depth;
    t->heads = o->heads;
    for (int i = 0; i < o->depth; i++)
        load_layer(loader, nn_name_of("%s.layers.%d", name, i).text, o, &t->layers[i]);
    if (o->norm)
        t->norm = nn_load_rms(loader, nn_name_of("%s.norm.gamma", name).text, o->dim);
}

void nn_rope_free(nn_rope_transformer *t)
{
    for (int i = 0; i < t->count; i++) {
        nn_rope_layer *l = &t->layers[i];
        nn_norm_free(l->norm);
        nn_norm_free(l->feed_norm);
        nn_linear_free(l->qkv);
        nn_linear_free(l->gates);
        nn_linear_free(l->out);
        nn_linear_free(l->feed_in);
        nn_linear_free(l->feed_out);
        free(l->frequencies);
        free(l->polar_bias);
    }
    nn_norm_free(t->norm);
}

/* ---- running */

nn_tensor *nn_rope_apply(nn_tensor *x, const nn_rope_transformer *t, bool across)
{
    for (int i = 0; i < t->count; i++) {
        const nn_rope_layer *l = &t->layers[i];
        const nn_attention_layer attention = {.norm = l->norm,
                                              .qkv = l->qkv,
                                              .gates = l->gates,
                                              .out = l->out,
                                              .heads = t->heads,
                                              .places = {l->frequencies, l->polar_bias},
                                              .across = across};
        x = nn_attend(x, &attention);
        x = nn_feed_forward(x, l->feed_norm, l->feed_in, NN_GELU, l->feed_out);
    }
    return t->norm ? nn_normalize(x, t->norm, NN_LINEAR) : x;
}
