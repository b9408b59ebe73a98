/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * error.h - error values: how every function says why it failed. */
#ifndef AP_BASE_ERROR_H
#define AP_BASE_ERROR_H

#include "audiopipe.h"

/* Fills err (which may be NULL); returns false so that a caller can return the call. Control characters in
 * the message are replaced by '?', so it stays one line. */
bool ap_fail(ap_error *err, ap_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with ": strerror(number)" appended, and number in err; ENOSPC, EDQUOT, ENOMEM, EMFILE, EAGAIN...
 * become AP_TRY_AGAIN.
 */
bool ap_fail_errno(ap_error *err, int number, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool ap_fail_memory(ap_error *err);
/* Checks lo <= value <= hi (NaN fails), else AP_USAGE naming the option. */
bool ap_check_range(const char *name, double value, double lo, double hi, ap_error *err);

#endif
