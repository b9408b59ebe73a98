/* SPDX-License-Identifier: GPL-3.0-or-later
 * request.c - what a request says of itself. */
#include "serve/http/request.h"
#include "base/text.h"
#include "serve/http/state.h"

#include <string.h>

const char *ap_header(const ap_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *ap_query(const ap_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

uint64_t ap_body_announced(const ap_request *r)
{
    uint64_t n;
    const char *length = ap_header(r, "Content-Length");
    if (ap_header(r, "Transfer-Encoding"))
        return AP_UNKNOWN;
    return length && ap_parse_number(length, &n) ? n : 0;
}

char *ap_base_url(const ap_request *r)
{
    const ap_serve_options *o = r->server->options;
    const char *host = ap_header(r, "Host"), *proto = ap_header(r, "X-Forwarded-Proto");
    if (o->public_url)
        return ap_print("%.*s", (int)(strlen(o->public_url) - (strrchr(o->public_url, '/')[1] == 0)),
                        o->public_url);
    bool secure = o->certificate || (o->trust_proxy && proto && strcmp(proto, "https") == 0);
    return ap_print("http%s://%s", secure ? "s" : "", host ? host : "localhost");
}

bool ap_may_see(const ap_request *r, const char *owner)
{
    return r->person.admin || strcmp(r->person.owner, owner) == 0;
}
