/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tus.h - uploads that go on where they stopped: tus 1.0 with creation, creation-with-upload, expiration,
 * termination, checksum and concatenation. */
#ifndef AP_SERVE_API_TUS_H
#define AP_SERVE_API_TUS_H

#include "serve/http/request.h"

/* POST /v1/files, unless it is a form (form.h). */
void ap_tus_begin_create(ap_request *r);
/* PATCH /v1/files/{id} */
void ap_tus_begin_patch(ap_request *r);
void ap_tus_take(ap_request *r, const char *bytes, size_t size);
/* The end of both. */
void ap_tus_finish(ap_request *r);
void ap_tus_drop(ap_request *r);
/* HEAD, DELETE /v1/files/{id} */
ap_handler ap_tus_head, ap_tus_delete;

#endif
