/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * text.h - text. */
#ifndef AP_BASE_TEXT_H
#define AP_BASE_TEXT_H

/* A malloc'ed text, NULL when out of memory. */
char *ap_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
