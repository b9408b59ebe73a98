/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * temporary.h - unlinked temporary files, in $TMPDIR, else in /var/tmp. */
#ifndef AP_BASE_TEMPORARY_H
#define AP_BASE_TEMPORARY_H

#include "audiopipe.h"

/* An unlinked temporary file. -1 on failure. */
int ap_temporary_file(ap_error *err);
/* Writes all of it at the position. */
bool ap_temporary_write(int fd, const void *bytes, size_t size, ap_error *err);

#endif
