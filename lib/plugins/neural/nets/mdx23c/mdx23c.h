/* SPDX-License-Identifier: GPL-3.0-or-later
 * mdx23c.h - MDX23C (TFC-TDF v3): a U-Net on the spectrum. */
#ifndef NN_MDX23C_H
#define NN_MDX23C_H

#include "plugins/neural/nets/network.h"

extern const nn_architecture nn_mdx23c;

#endif
