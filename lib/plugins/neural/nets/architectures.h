/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * architectures.h - every architecture that this program has: one more is a folder beside this file, and a
 * line here. Of those that recognise a checkpoint the first takes it. */
#ifndef NN_ARCHITECTURES_H
#define NN_ARCHITECTURES_H

#include "plugins/neural/nets/network.h"

/* clang-format off */
#define NN_ARCHITECTURES(DO) \
    DO(nn_htdemucs) \
    DO(nn_hdemucs) \
    DO(nn_demucs_v2) /* known so that it can be refused by its name */ \
    DO(nn_bs_roformer) \
    DO(nn_mel_roformer) \
    DO(nn_mdx23c)
/* clang-format on */

#define NN_DECLARE(name) extern const nn_architecture name;
NN_ARCHITECTURES(NN_DECLARE)
#undef NN_DECLARE

#endif
