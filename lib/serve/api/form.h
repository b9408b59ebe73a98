/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * form.h - files from HTML forms and curl -F (multipart/form-data, RFC 7578), and POST /v1/files, which takes
 * them or starts a tus upload. */
#ifndef AP_SERVE_API_FORM_H
#define AP_SERVE_API_FORM_H

#include "serve/http/request.h"

#include <cjson/cJSON.h>

ap_handler ap_files_begin, ap_files_finish, ap_files_drop;
void ap_files_take(ap_request *r, const char *bytes, size_t size);

bool ap_is_form(const ap_request *r);
/* For other routes whose body is a form, with begin, take and drop of the above: the files that came, as
 * {"id","name","size","sha256"}, and what the field "recipe" says, "" if it is not there. NULL: there are
 * none, and it has answered. */
cJSON *ap_form_end(ap_request *r, char recipe[64]);

#endif
