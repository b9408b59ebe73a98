/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * inspect.h - what is in files, found out by as many threads as there are cores. */
#ifndef AP_JOBS_RECORD_INSPECT_H
#define AP_JOBS_RECORD_INSPECT_H

#include "jobs/record/probe.h"
#include "jobs/record/sha256.h"

/* A file: what is asked, then the answers. {0} at first. */
typedef struct ap_inspection {
    const char *path;
    ap_probe_depth depth;
    bool hash; /* whether it is hashed, and brought to the disk */

    ap_probe probe;
    uint64_t bytes;
    char hex[AP_SHA256_HEX];
    ap_error probed, hashed; /* of each what went wrong; code AP_OK: nothing did */
} ap_inspection;

void ap_inspect(ap_inspection *files, size_t count);

#endif
