/* SPDX-License-Identifier: GPL-3.0-or-later
 * kernels_pick.c - the kernels for this processor, and the order of matrices that they like. */
#include "plugins/neural/cpu/kernels.h"

#include <string.h>

const nn_kernels *nn_kernels_usable(size_t index)
{
    const nn_kernels *usable[3];
    size_t count = 0;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        usable[count++] = &nn_kernels_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        usable[count++] = &nn_kernels_avx2;
#endif
    usable[count] = &nn_kernels_base;
    return index <= count ? usable[index] : NULL;
}

size_t nn_packed_size(const nn_kernels *k, size_t m, size_t columns)
{
    return (m + k->mr - 1) / k->mr * k->mr * columns;
}

void nn_pack(const nn_kernels *k, const float *from, size_t m, size_t columns, size_t row, size_t column,
             float *to)
{
    for (size_t i = 0; i < m; i += k->mr)
        for (size_t j = 0; j < columns; j++, to += k->mr)
            for (size_t r = 0; r < k->mr; r++)
                to[r] = i + r < m ? from[(i + r) * row + j * column] : 0;
}
