/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * json.h - reading and writing the members of JSON documents. */
#ifndef AP_JOBS_RECORD_JSON_H
#define AP_JOBS_RECORD_JSON_H

#include "audiopipe.h"
#include <cjson/cJSON.h>

/* A JSON string. Text that is not valid UTF-8 is read as ISO 8859-1. NULL when out of memory. */
cJSON *ap_json_text(const char *text);
/* A member of an object, replaced if it is there. value is taken over; NULL or no memory gives false. */
bool ap_json_put(cJSON *object, const char *key, cJSON *value);
bool ap_json_put_text(cJSON *object, const char *key, const char *text); /* NULL: null */
bool ap_json_put_number(cJSON *object, const char *key, double number);  /* not finite: null */
/* A path. Bytes that are not UTF-8 come back as they were, which ap_json_text does not promise. */
bool ap_json_put_path(cJSON *object, const char *key, const char *path);
/* The path of such a member, malloc'ed; "" when it is missing. */
char *ap_json_path(const cJSON *object, const char *key);
/* "" and fallback when the member is missing or of another type. */
const char *ap_json_string(const cJSON *object, const char *key);
double ap_json_number(const cJSON *object, const char *key, double fallback);
/* The item at a path: "." or ".stages[0].seconds", "[-1]" counts from the end. NULL if it is not there. */
cJSON *ap_json_find(cJSON *root, const char *path, ap_error *err);
/* Puts value (taken over) at a path, making the objects on the way; "[n]" with n = length appends. */
bool ap_json_store(cJSON *root, const char *path, cJSON *value, ap_error *err);

/* malloc'ed text, in which each number reads back as the same; NULL when out of memory. */
char *ap_json_print(const cJSON *document, bool pretty);
/* Whether all numbers of a JSON text stay what they are: whole ones up to 2^53, ones with a fraction up
 * to 2^52, and ones with an exponent if they are finite. Such numbers are not exact in other programs either
 * (RFC 8259, section 6). */
bool ap_json_check_numbers(const char *text, size_t size, ap_error *err);

#endif
