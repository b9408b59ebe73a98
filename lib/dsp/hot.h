/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hot.h - how hot loops are compiled. */
#ifndef AP_DSP_HOT_H
#define AP_DSP_HOT_H

#include <stdint.h> /* says whether this is glibc, which has the loader that clones need */

/* Hot loops, also compiled for AVX2. No contraction to FMA: the same samples everywhere. The unit tests
 * define it to nothing, to try what other processors run. */
#ifdef AP_HOT
#elif defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define AP_HOT __attribute__((target_clones("default", "avx2")))
#else
#define AP_HOT
#endif

#endif
