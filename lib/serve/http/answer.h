/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * answer.h - a request on its way: guards, route, body, answer, log. */
#ifndef AP_SERVE_HTTP_ANSWER_H
#define AP_SERVE_HTTP_ANSWER_H

#include "serve/http/request.h"

/* The HTTP library's calls; cls is the server. */
enum MHD_Result ap_answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                          const char *version, const char *data, size_t *size, void **request);
void ap_completed(void *cls, struct MHD_Connection *connection, void **request,
                  enum MHD_RequestTerminationCode why);

#endif
