/* SPDX-License-Identifier: GPL-3.0-or-later
 * write.c - bytes to a descriptor. */
#include "base/write.h"

#include <errno.h>
#include <unistd.h>

bool ap_write_all(int fd, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            p += n;
            size -= (size_t)n;
        }
    }
    return true;
}
