/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hash.h - hashes for tables. They resist no attack: collisions are easy to find. */
#ifndef AP_BASE_HASH_H
#define AP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define AP_HASH_START 0xcbf29ce484222325u

/* FNV-1a, 64 bits (draft-eastlake-fnv): goes on from the hash of what came before, or AP_HASH_START. */
static inline uint64_t ap_hash(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

#endif
