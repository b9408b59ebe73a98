/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * form.h - files from HTML forms and curl -F (multipart/form-data, RFC 7578), and POST /v1/files, which takes
 * them or starts a tus upload. */
#ifndef AP_SERVE_FORM_H
#define AP_SERVE_FORM_H

#include "serve/request.h"

ap_handler ap_files_begin, ap_files_finish, ap_files_drop;
void ap_files_take(ap_request *r, const char *bytes, size_t size);

#endif
