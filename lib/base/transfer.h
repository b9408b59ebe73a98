/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * transfer.h - copies bytes from an input to an output, each a file or an object on a server. */
#ifndef AP_BASE_TRANSFER_H
#define AP_BASE_TRANSFER_H

#include "base/input.h"
#include "base/output.h"

/* Is asked before each block; false, with err filled, ends the copy. */
typedef bool ap_go_on_fn(ap_error *err);

/* Everything of in to out, which then is committed. Both are closed, whatever happens; NULL for either is an
 * error that err tells already. most: more bytes are an error, AP_UNKNOWN: any number. go_on may be NULL. */
bool ap_transfer(ap_input *in, ap_output *out, uint64_t most, ap_go_on_fn *go_on, ap_error *err);
/* The same by names: files, and URLs (base/net.h). */
bool ap_transfer_file(const char *from, const char *to, uint64_t most, ap_go_on_fn *go_on, ap_error *err);

#endif
