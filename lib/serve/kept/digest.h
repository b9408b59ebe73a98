/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * digest.h - the checksums of tus: "sha1 BASE64", "sha256 BASE64", "md5 BASE64". */
#ifndef AP_SERVE_KEPT_DIGEST_H
#define AP_SERVE_KEPT_DIGEST_H

#include "audiopipe.h"

#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

typedef struct ap_digest {
    const struct nettle_hash *kind;
    union {
        struct sha1_ctx sha1;
        struct sha256_ctx sha256;
        struct md5_ctx md5;
    } context;
    unsigned char wanted[32];
} ap_digest;

/* Of an Upload-Checksum header; false: it is none. */
bool ap_digest_start(ap_digest *d, const char *header);
void ap_digest_add(ap_digest *d, const void *bytes, size_t size);
/* Ends it. */
bool ap_digest_is_right(ap_digest *d);

#endif
