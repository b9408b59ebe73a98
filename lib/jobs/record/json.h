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
/* "" and fallback when the member is missing or of another type. */
const char *ap_json_string(const cJSON *object, const char *key);
double ap_json_number(const cJSON *object, const char *key, double fallback);
/* The item at a path: "." or ".stages[0].seconds", "[-1]" counts from the end. NULL if it is not there. */
cJSON *ap_json_find(cJSON *root, const char *path, ap_error *err);
/* Puts value (taken over) at a path, making the objects on the way; "[n]" with n = length appends. */
bool ap_json_store(cJSON *root, const char *path, cJSON *value, ap_error *err);

#endif
