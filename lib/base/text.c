/* SPDX-License-Identifier: GPL-3.0-or-later
 * text.c - text. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

char *ap_print(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? NULL : text;
}
