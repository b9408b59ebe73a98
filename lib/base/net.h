/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * net.h - what the plugin on libcurl offers: objects on servers, named by s3://BUCKET/KEY, http:// or
 * https://.
 *
 * An object store answers to s3:// as the AWS tools would find it: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 * AWS_SESSION_TOKEN, or AWS_PROFILE in ~/.aws/credentials and ~/.aws/config; AWS_REGION; AWS_ENDPOINT_URL_S3
 * or AWS_ENDPOINT_URL for stores of other makers. */
#ifndef AP_BASE_NET_H
#define AP_BASE_NET_H

#include "base/bytes.h"
#include "base/plugin.h"

/* An object that is read, and one that is written; each belongs to one thread. */
typedef struct ap_net_reader ap_net_reader;
typedef struct ap_net_writer ap_net_writer;

typedef struct ap_net_object {
    const char *key;   /* NULL unless listed */
    uint64_t bytes;    /* AP_UNKNOWN: the server does not say */
    char etag[96];     /* without its quotes; "" if there is none */
    char modified[40]; /* as the server writes it */
    char type[96];     /* media type, "" if it is not known */
} ap_net_object;

/* false ends the listing, and err says why. */
typedef bool ap_net_visit(void *user, const ap_net_object *object, ap_error *err);

/* What may be signed into a URL besides its method. */
typedef struct ap_net_presign {
    const char *method;   /* GET, PUT, HEAD, DELETE */
    unsigned expires_s;   /* 1..604800 */
    const char *type;     /* the Content-Type that a PUT has to have; NULL: any */
    uint64_t bytes;       /* the Content-Length that it has to have; AP_UNKNOWN: any */
    const char *filename; /* GET: the name that a browser saves it under; NULL: its own */
} ap_net_presign;

/* What a server answers, into a body that starts as {0}, in one request, which no redirection leads
 * elsewhere: http and https only. More than most bytes are an error. */
typedef bool ap_net_fetch(const char *url, size_t most, ap_bytes *body, ap_error *err);

#define AP_NET_VERSION 2

/* The functions return false or NULL after filling err: AP_TRY_AGAIN when the network or the server may do
 * better later. Secrets are in no message. */
typedef struct ap_net_plugin {
    ap_plugin_head head;
    /* size: bytes, AP_UNKNOWN if the server does not say. seekable: ranges can be asked for. */
    ap_net_reader *(*open)(const char *url, uint64_t *size, bool *seekable, ap_error *err);
    /* As read(2). A connection that breaks is made again, and goes on at the next byte, if the object is the
     * same. */
    ptrdiff_t (*read)(ap_net_reader *reader, void *buffer, size_t size, ap_error *err);
    bool (*seek)(ap_net_reader *reader, uint64_t position, ap_error *err);
    void (*close)(ap_net_reader *reader); /* takes NULL */
    /* s3:// only. Nothing is visible before commit, which frees the writer, as abort does. */
    ap_net_writer *(*create)(const char *url, ap_error *err);
    bool (*write)(ap_net_writer *writer, const void *bytes, size_t size, ap_error *err);
    bool (*commit)(ap_net_writer *writer, ap_error *err);
    void (*abort)(ap_net_writer *writer); /* takes NULL */
    /* A small object in one request; only_new: not if there is one of the name already, which is AP_FAILED
     * and *there. */
    bool (*put)(const char *url, const void *bytes, size_t size, const char *type, bool only_new, bool *there,
                ap_error *err);
    bool (*head_of)(const char *url, ap_net_object *object, ap_error *err);
    bool (*remove)(const char *url, ap_error *err);
    /* The objects whose keys begin with that of the URL, in the server's order. start_after: a key, or NULL.
     */
    bool (*list)(const char *url, const char *start_after, ap_net_visit *visit, void *user, ap_error *err);
    /* A malloc'ed URL that whoever has it may use until it expires. */
    char *(*presign)(const char *url, const ap_net_presign *what, ap_error *err);
    /* A bucket's own settings: the sub-resource ("cors", "notification") read (malloc'ed) or written. */
    char *(*get_setting)(const char *url, const char *name, ap_error *err);
    bool (*put_setting)(const char *url, const char *name, const char *text, ap_error *err);
    ap_net_fetch *fetch;
} ap_net_plugin;

/* Whether a name is that of an object on a server. */
bool ap_net_is_url(const char *name);
/* Bytes of a name that may be told: what stands behind "?" in a URL may be all it takes to use it. */
size_t ap_net_shown(const char *name);
/* The last part of a path, of a URL the name that it stands for: decoded, without a query. malloc'ed, NULL
 * when out of memory. */
char *ap_net_leaf(const char *name);
/* NULL if the plugin is missing. */
const ap_net_plugin *ap_net_load(ap_error *err);

#endif
