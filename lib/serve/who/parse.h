/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * parse.h - what stands in the headers of requests. Pure functions of text. */
#ifndef AP_SERVE_WHO_PARSE_H
#define AP_SERVE_WHO_PARSE_H

#include "audiopipe.h"

#define AP_FILE_ID_BYTES 33 /* 32 hexadecimal digits and a NUL */

/* Only digits, and not more than fit. */
bool ap_parse_number(const char *text, uint64_t *value);
/* The ID of an uploaded file. */
bool ap_is_file_id(const char *text);
/* [A-Za-z0-9][A-Za-z0-9._@-]*, at most 63 bytes. */
bool ap_is_owner_name(const char *text);

typedef enum ap_range_kind {
    AP_RANGE_WHOLE, /* none, several, or not understood: all of it (RFC 9110, section 14.2) */
    AP_RANGE_PART,
    AP_RANGE_BEYOND, /* 416 */
} ap_range_kind;
/* The bytes that a Range header (NULL: none) asks for, of that many. */
ap_range_kind ap_parse_range(const char *text, uint64_t size, uint64_t *first, uint64_t *length);
/* Whether an entity tag, with its quotes, is in the list of an If-None-Match header; compared weakly. */
bool ap_lists_etag(const char *list, const char *etag);
/* Whether an Accept-Encoding header (NULL: none) names gzip, and not with a weight of 0. */
bool ap_takes_gzip(const char *list);

/* Whether a list of KEY BASE64 pairs is one (tus 1.0, Upload-Metadata); "" is. */
bool ap_is_tus_metadata(const char *text);
/* The value of a key in it, malloc'ed; NULL if it is not there. Without control characters. */
char *ap_tus_metadata(const char *text, const char *key);

/* malloc'ed, with all but unreserved characters (RFC 3986, section 2.3) and "/" as %XX. */
char *ap_percent_encode(const char *text);
/* "name.mp3" for a Content-Disposition, malloc'ed: attachment with filename and filename* (RFC 6266). */
char *ap_disposition(const char *name);

/* Whether a path matches a pattern: "/v1/jobs/{id}/outputs/{name*}", where {x} is a segment and {x*} the
 * rest. The first two such parts are copied, cut at size bytes a match is none. */
bool ap_match_path(const char *pattern, const char *path, char *first, char *second, size_t size);

/* Whether that is this host, as a name or as an address: "localhost", 127.*, "::1", also in brackets. */
bool ap_is_local_host(const char *host);

#endif
