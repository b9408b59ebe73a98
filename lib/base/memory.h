/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * memory.h - memory that says why there is none. */
#ifndef AP_BASE_MEMORY_H
#define AP_BASE_MEMORY_H

#include "audiopipe.h"

/* As calloc, for free(); NULL, having filled err, when out of memory. */
void *ap_allocate(size_t count, size_t size, ap_error *err);

#endif
