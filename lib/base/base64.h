/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * base64.h - bytes as text (RFC 4648, section 4). */
#ifndef AP_BASE_BASE64_H
#define AP_BASE_BASE64_H

#include <stddef.h>

/* A malloc'ed string, NULL when out of memory. */
char *ap_base64_encode(const unsigned char *bytes, size_t size);
/* Up to the first character that is not base64, which may be the padding. malloc'ed; NULL when out of memory.
 */
unsigned char *ap_base64_decode(const unsigned char *text, size_t length, size_t *size);

#endif
