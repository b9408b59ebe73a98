/* SPDX-License-Identifier: GPL-3.0-or-later
 * notices.c - what object stores tell of new objects.
 *
 * Records[].s3.object.key is encoded as in a form by AWS and MinIO ("+" is a blank), and is plain in Ceph's
 * records and in EventBridge's events; eventSource says whose it is. */
#include "serve/kept/notices.h"
#include "base/error.h"
#include "jobs/record/json.h"
#include "serve/who/sns.h"

#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* application/x-www-form-urlencoded; malloc'ed. NULL: it has a NUL, or there is no memory. */
static char *decode(const char *text)
{
    char *made = malloc(strlen(text) + 1), *to = made;
    for (const char *p = text; made && *p; p++) {
        int high = *p == '%' ? digit(p[1]) : -1, low = high >= 0 ? digit(p[2]) : -1;
        int c = low >= 0 ? 16 * high + low : *p == '+' ? ' ' : (unsigned char)*p;
        if (low >= 0)
            p += 2;
        if (!c) {
            free(made);
            return NULL;
        }
        *to++ = (char)c;
    }
    if (made)
        *to = 0;
    return made;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool tell(const cJSON *bucket, const cJSON *object, bool encoded, ap_notice_fn *see, void *user,
                 ap_error *err)
{
    const char *name = ap_json_string(bucket, "name"), *key = ap_json_string(object, "key");
    const char *sequencer = ap_json_string(object, "sequencer"), *etag = ap_json_string(object, "eTag");
    if (!*etag)
        etag = ap_json_string(object, "etag");
    char *plain = encoded ? decode(key) : strdup(key);
    bool ok = *name && plain && *plain;
    if (!ok)
        ap_fail(err, AP_FAILED, "an event names no object");
    const ap_notice notice = {name, plain, *sequencer ? sequencer : etag};
    ok = ok && see(&notice, user, err);
    free(plain);
    return ok;
}

/* "ObjectCreated:Put"; MinIO writes "s3:ObjectCreated:Put". */
static bool is_creation(const char *name)
{
    if (strncmp(name, "s3:", 3) == 0)
        name += 3;
    return strncmp(name, "ObjectCreated:", 14) == 0;
}

static bool read_records(const cJSON *records, ap_notice_fn *see, void *user, ap_error *err)
{
    const cJSON *record;
    bool ok = true;
    cJSON_ArrayForEach(record, records)
    {
        const cJSON *s3 = member(record, "s3");
        bool encoded = strcmp(ap_json_string(record, "eventSource"), "ceph:s3") != 0;
        if (!cJSON_IsObject(s3))
            ok = ok && ap_fail(err, AP_FAILED, "a record is not one of S3");
        else if (is_creation(ap_json_string(record, "eventName")))
            ok = ok && tell(member(s3, "bucket"), member(s3, "object"), encoded, see, user, err);
    }
    return ok;
}

static bool read_event(const cJSON *document, ap_notice_fn *see, void *user, ap_error *err)
{
    const cJSON *records = member(document, "Records"), *detail = member(document, "detail");
    if (cJSON_IsArray(records))
        return read_records(records, see, user, err);
    if (strcmp(ap_json_string(document, "Event"), "s3:TestEvent") == 0)
        return true;
    if (cJSON_IsObject(detail) && strcmp(ap_json_string(document, "source"), "aws.s3") == 0)
        return strcmp(ap_json_string(document, "detail-type"), "Object Created") != 0 ||
               tell(member(detail, "bucket"), member(detail, "object"), false, see, user, err);
    return ap_fail(err, AP_FAILED, "this is not an event of an object store");
}

/* A notification has the event as a text within; what else SNS says tells of no object. */
static bool read_sns(const cJSON *document, ap_notice_fn *see, void *user, ap_error *err)
{
    const char *type = ap_json_string(document, "Type");
    if (strcmp(type, "UnsubscribeConfirmation") == 0 || strcmp(type, "SubscriptionConfirmation") == 0)
        return true;
    if (strcmp(type, "Notification") != 0)
        return ap_fail(err, AP_FAILED, "this is not a message of SNS that is known");
    cJSON *event = cJSON_Parse(ap_json_string(document, "Message"));
    bool ok = read_event(event, see, user, err);
    cJSON_Delete(event);
    return ok;
}

bool ap_notices_read(const cJSON *document, ap_notice_fn *see, void *user, ap_error *err)
{
    return ap_is_sns(document) ? read_sns(document, see, user, err) : read_event(document, see, user, err);
}
