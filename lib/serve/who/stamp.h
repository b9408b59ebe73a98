/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stamp.h - whether a file is another one than last time. */
#ifndef AP_SERVE_WHO_STAMP_H
#define AP_SERVE_WHO_STAMP_H

#include "audiopipe.h"

typedef struct ap_stamp {
    int64_t inode, seconds, nanoseconds, size; /* all 0: there is none */
} ap_stamp;

void ap_stamp_take(const char *path, ap_stamp *stamp);
/* Takes it again; whether it is another one now. */
bool ap_stamp_changes(const char *path, ap_stamp *stamp);

#endif
