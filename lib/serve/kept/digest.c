/* SPDX-License-Identifier: GPL-3.0-or-later
 * digest.c - the checksums of tus. */
#include "serve/kept/digest.h"
#include "base/base64.h"

#include <nettle/nettle-meta.h>
#include <stdlib.h>
#include <string.h>

bool ap_digest_start(ap_digest *d, const char *header)
{
    const struct nettle_hash *const kinds[] = {&nettle_sha1, &nettle_sha256, &nettle_md5};
    size_t n = strcspn(header, " "), size;
    memset(d, 0, sizeof *d);
    if (!header[n])
        return false;
    const char *text = header + n + 1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i]->name) != n || strncmp(kinds[i]->name, header, n) != 0)
            continue;
        unsigned char *bytes = ap_base64_decode((const unsigned char *)text, strlen(text), &size);
        bool ok = bytes && size == kinds[i]->digest_size;
        if (ok) {
            memcpy(d->wanted, bytes, size);
            d->kind = kinds[i];
            d->kind->init(&d->context);
        }
        free(bytes);
        return ok;
    }
    return false;
}

void ap_digest_add(ap_digest *d, const void *bytes, size_t size)
{
    d->kind->update(&d->context, size, bytes);
}

bool ap_digest_is_right(ap_digest *d)
{
    unsigned char sum[32];
    d->kind->digest(&d->context, d->kind->digest_size, sum);
    return memcmp(sum, d->wanted, d->kind->digest_size) == 0;
}
