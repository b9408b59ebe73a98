/* SPDX-License-Identifier: GPL-3.0-or-later
 * denormals.c - flush to zero. */
#include "dsp/denormals.h"

#ifdef __SSE__
#include <xmmintrin.h>
#endif

unsigned ap_ignore_denormals(void)
{
#ifdef __SSE__
    unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | 0x8040); /* flush to zero, denormals are zero: Intel SDM, volume 1, 10.2.3 */
    return saved;
#else
    return 0;
#endif
}

void ap_restore_denormals(unsigned saved)
{
#ifdef __SSE__
    _mm_setcsr(saved);
#else
    (void)saved;
#endif
}
