/* SPDX-License-Identifier: GPL-3.0-or-later
 * memory.c - memory that says why there is none. */
#include "base/memory.h"
#include "base/error.h"

#include <stdlib.h>

void *ap_allocate(size_t count, size_t size, ap_error *err)
{
    void *memory = calloc(count, size);
    if (!memory)
        ap_fail_memory(err);
    return memory;
}
