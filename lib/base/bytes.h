/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bytes.h - numbers in bytes, and bytes under construction. */
#ifndef AP_BASE_BYTES_H
#define AP_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number of that many bytes, 1 to 8. */
uint64_t ap_get_big(const unsigned char *p, size_t size);
uint64_t ap_get_little(const unsigned char *p, size_t size);

/* Starts as {0}. After running out of memory it stays as it is, and failed. */
typedef struct ap_bytes {
    unsigned char *data; /* free() it */
    size_t size, capacity;
    bool failed;
} ap_bytes;

void ap_bytes_add(ap_bytes *b, const void *data, size_t size);
void ap_bytes_text(ap_bytes *b, const char *text); /* without the NUL */
void ap_bytes_zeros(ap_bytes *b, size_t size);
/* A number in that many bytes, 1 to 8. */
void ap_bytes_big(ap_bytes *b, uint64_t value, int size);
void ap_bytes_little(ap_bytes *b, uint64_t value, int size);
/* The same into memory that is there. */
void ap_put_big(unsigned char *p, uint64_t value, int size);
void ap_put_little(unsigned char *p, uint64_t value, int size);

#endif
