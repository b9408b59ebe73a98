/* SPDX-License-Identifier: GPL-3.0-or-later
 * temporary.c - unlinked temporary files. */
#include "base/temporary.h"
#include "base/error.h"
#include "base/write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int ap_temporary_file(ap_error *err)
{
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/var/tmp"; /* /tmp is often memory (file-hierarchy(7)) */
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char path[4096];
    if (snprintf(path, sizeof path, "%s/audiopipe-XXXXXX", folder) >= (int)sizeof path)
        errno = ENAMETOOLONG;
    else if ((fd = mkostemp(path, O_CLOEXEC)) >= 0)
        unlink(path);
    if (fd < 0)
        ap_fail_errno(err, errno, "cannot make a temporary file in '%s'", folder);
    return fd;
}

bool ap_temporary_write(int fd, const void *bytes, size_t size, ap_error *err)
{
    return ap_write_all(fd, bytes, size) || ap_fail_errno(err, errno, "cannot write a temporary file");
}
