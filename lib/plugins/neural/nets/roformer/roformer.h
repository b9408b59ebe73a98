/* SPDX-License-Identifier: GPL-3.0-or-later
 * roformer.h - BS-RoFormer and Mel-Band RoFormer: bands of the spectrum as tokens, masks from transformers
 * along time and along the bands. */
#ifndef NN_ROFORMER_H
#define NN_ROFORMER_H

#include "plugins/neural/nets/network.h"

extern const nn_architecture nn_bs_roformer, nn_mel_roformer;

#endif
