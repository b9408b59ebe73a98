/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * backlog.h - bytes that wait in an unlinked temporary file, between one writer and one reader, which may be
 * two threads. */
#ifndef AP_BASE_BACKLOG_H
#define AP_BASE_BACKLOG_H

#include "audiopipe.h"

typedef struct ap_backlog ap_backlog;

ap_backlog *ap_backlog_new(ap_error *err);
bool ap_backlog_put(ap_backlog *q, const void *bytes, size_t size, ap_error *err);
/* The next size bytes, which have to have been put already. The file system gets their room back. */
bool ap_backlog_take(ap_backlog *q, void *bytes, size_t size, ap_error *err);
/* Takes NULL. */
void ap_backlog_free(ap_backlog *q);

#endif
