/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * write.h - bytes to a descriptor. */
#ifndef AP_BASE_WRITE_H
#define AP_BASE_WRITE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes all of it at the position, also after signals. false with errno set. */
bool ap_write_all(int fd, const void *bytes, size_t size);

#endif
