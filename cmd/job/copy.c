/* SPDX-License-Identifier: GPL-3.0-or-later
 * copy.c - files copied out of a spool; a copy is there whole, or not at all. */
#include "base/error.h"
#include "base/net.h"
#include "base/transfer.h"
#include "job/job.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Makes the folders on the way to path, as the user's mask has it. */
static bool make_way(char *path, ap_error *err)
{
    for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        bool ok = mkdir(path, 0777) == 0 || errno == EEXIST ||
                  ap_fail_errno(err, errno, "cannot create '%s'", path);
        *slash = '/';
        if (!ok)
            return false;
    }
    return true;
}

bool job_copy(const char *path, char *target, ap_error *err)
{
    return (ap_net_is_url(target) || make_way(target, err)) &&
           ap_transfer_file(path, target, AP_UNKNOWN, NULL, err);
}
