/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * net.h - the functions of the plugin's table (base/net.h), by the file that implements them. */
#ifndef AP_NET_NET_H
#define AP_NET_NET_H

#include "base/net.h"

/* ---- read.c */

ap_net_reader *ap_net_open(const char *url, uint64_t *size, bool *seekable, ap_error *err);
ptrdiff_t ap_net_read(ap_net_reader *reader, void *buffer, size_t size, ap_error *err);
bool ap_net_seek(ap_net_reader *reader, uint64_t position, ap_error *err);
void ap_net_close(ap_net_reader *reader);
bool ap_net_fetch_once(const char *url, size_t most, ap_bytes *body, ap_error *err);

/* ---- write.c */

ap_net_writer *ap_net_create(const char *url, ap_error *err);
bool ap_net_write(ap_net_writer *writer, const void *bytes, size_t size, ap_error *err);
bool ap_net_commit(ap_net_writer *writer, ap_error *err);
void ap_net_abort(ap_net_writer *writer);

/* ---- s3.c */

bool ap_net_put(const char *url, const void *bytes, size_t size, const char *type, bool only_new, bool *there,
                ap_error *err);
bool ap_net_head(const char *url, ap_net_object *object, ap_error *err);
bool ap_net_remove(const char *url, ap_error *err);
bool ap_net_list(const char *url, const char *start_after, ap_net_visit *visit, void *user, ap_error *err);
char *ap_net_presign_url(const char *url, const ap_net_presign *what, ap_error *err);
char *ap_net_get_setting(const char *url, const char *name, ap_error *err);
bool ap_net_put_setting(const char *url, const char *name, const char *text, ap_error *err);

#endif
