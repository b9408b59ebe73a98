/* SPDX-License-Identifier: GPL-3.0-or-later
 * error.c - error values. */
#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_message(ap_error *err, ap_status code, const char *format, va_list args)
{
    err->code = code;
    err->number = 0;
    vsnprintf(err->message, sizeof err->message, format, args);
    ap_text_one_line(err->message);
}

bool ap_fail(ap_error *err, ap_status code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        set_message(err, code, format, args);
        va_end(args);
    }
    return false;
}

static ap_status status_of_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case EBUSY:
    case ETXTBSY:
        return AP_TRY_AGAIN;
    default:
        return AP_FAILED;
    }
}

bool ap_fail_errno(ap_error *err, int number, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        set_message(err, status_of_errno(number), format, args);
        va_end(args);
        err->number = number;
        const char *reason = strerror(number);
        size_t n = strlen(err->message), most = sizeof err->message - strlen(reason) - 3;
        n = n < most ? n : most; /* a long name is cut, the reason is not */
        snprintf(err->message + n, sizeof err->message - n, ": %s", reason);
    }
    return false;
}

bool ap_fail_memory(ap_error *err)
{
    return ap_fail(err, AP_TRY_AGAIN, "out of memory");
}

bool ap_check_range(const char *name, double value, double lo, double hi, ap_error *err)
{
    if (value >= lo && value <= hi)
        return true;
    return ap_fail(err, AP_USAGE, "%s %g is out of range (%g to %g)", name, value, lo, hi);
}
