/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * receive.h - a file that comes in one go, hashed on the way: it appears when it is whole, or not at all. */
#ifndef AP_SERVE_KEPT_RECEIVE_H
#define AP_SERVE_KEPT_RECEIVE_H

#include "serve/kept/uploads.h"

#include <nettle/sha2.h>

typedef struct ap_receiving {
    ap_uploads *uploads;
    int fd;
    char id[AP_FILE_ID_BYTES];
    uint64_t size, most;
    bool failed, too_long;
    ap_error why; /* it failed */
    struct sha256_ctx hash;
} ap_receiving;

/* Writes to ID.part; at most that many bytes. */
bool ap_receive_start(ap_receiving *in, ap_uploads *uploads, const char *id, uint64_t most, ap_error *err);
/* An error is kept for the end. */
void ap_receive(ap_receiving *in, const char *bytes, size_t size);
/* fsync, rename; upload gets length, offset and sha256 and is saved. */
bool ap_receive_end(ap_receiving *in, ap_upload *upload, ap_error *err);
/* Drops a file that was not ended. */
void ap_receive_drop(ap_receiving *in);

#endif
