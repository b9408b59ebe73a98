/* SPDX-License-Identifier: GPL-3.0-or-later
 * mirror.c - series continued by mirrors at their ends. */
#include "dsp/mirror.h"

uint64_t ap_mirror(int64_t i, uint64_t n)
{
    int64_t period = 2 * (int64_t)n;
    int64_t at = i % period;
    if (at < 0)
        at += period;
    return (uint64_t)(at < (int64_t)n ? at : period - 1 - at);
}
