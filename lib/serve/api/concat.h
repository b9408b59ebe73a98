/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * concat.h - one upload made of others, which came side by side. */
#ifndef AP_SERVE_API_CONCAT_H
#define AP_SERVE_API_CONCAT_H

#include "serve/http/request.h"
#include "serve/kept/uploads.h"

/* The sum of the lengths of the parts in a list of URLs or paths, which have to be whole, and the asker's.
 * Answers when it says false. */
bool ap_concat_length(ap_request *r, const char *list, uint64_t *length);
/* Fills the file of an upload with its parts, in their order, and removes them. Answers when it says false.
 */
bool ap_concat(ap_request *r, ap_upload *upload);
/* Appends all that is in a file to another, from its start. */
bool ap_append_file(int out, int in, ap_error *err);

#endif
