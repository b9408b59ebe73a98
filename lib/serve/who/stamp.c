/* SPDX-License-Identifier: GPL-3.0-or-later
 * stamp.c - whether a file is another one than last time. */
#include "serve/who/stamp.h"

#include <string.h>
#include <sys/stat.h>

void ap_stamp_take(const char *path, ap_stamp *stamp)
{
    struct stat st;
    memset(stamp, 0, sizeof *stamp);
    if (stat(path, &st) == 0)
        *stamp = (ap_stamp){(int64_t)st.st_ino, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_size};
}

bool ap_stamp_changes(const char *path, ap_stamp *stamp)
{
    ap_stamp before = *stamp;
    ap_stamp_take(path, stamp);
    return memcmp(stamp, &before, sizeof before) != 0;
}
