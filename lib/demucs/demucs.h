/* SPDX-License-Identifier: GPL-3.0-or-later
 * demucs.h - what the plugin audiopipe/demucs.so offers: one symbol. */
#ifndef AP_DEMUCS_H
#define AP_DEMUCS_H

#include "../separator.h"

__attribute__((visibility("default"))) const ap_method *ap_demucs_method(void);

#endif
