/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mount.h - whether the file system of a spool can be shared between hosts. */
#ifndef AP_JOBS_SPOOL_MOUNT_H
#define AP_JOBS_SPOOL_MOUNT_H

#include <stdbool.h>

/* What is wrong with the file system that path (absolute, without links) is on, for a spool that several
 * hosts share: malloc'ed, "" if nothing is, NULL when out of memory. mountinfo: the text of
 * /proc/self/mountinfo, see proc(5). */
char *ap_mount_trouble(const char *mountinfo, const char *path);

#endif
