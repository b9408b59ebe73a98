/* SPDX-License-Identifier: GPL-3.0-or-later
 * page.c - what is the same for all users: page, styles, scripts, icon, API description, health. */
#include "serve/api/page.h"
#include "jobs/record/sha256.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* The same as gzip, malloc'ed; NULL: out of memory. */
static char *packed(const char *text, size_t *size)
{
    z_stream z = {.next_in = (z_const Bytef *)text, .avail_in = (uInt)strlen(text)};
    const int window = MAX_WBITS + 16; /* with a head of gzip */
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    uLong room = deflateBound(&z, z.avail_in);
    char *to = malloc(room);
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)room;
    bool ok = to && deflate(&z, Z_FINISH) == Z_STREAM_END;
    *size = z.total_out;
    deflateEnd(&z);
    if (ok)
        return to;
    free(to);
    return NULL;
}

/* Of what is not the same for everyone nothing is packed: its length would tell of secrets in it. */
static void reply_constant(ap_request *r, const char *type, const char *text)
{
    char hex[AP_SHA256_HEX], etag[80];
    const char *had = ap_header(r, "If-None-Match");
    bool gzip = ap_takes_gzip(ap_header(r, "Accept-Encoding"));
    size_t size = strlen(text);
    ap_sha256_text(text, hex);
    snprintf(etag, sizeof etag, "\"%s%s\"", hex, gzip ? "-gzip" : "");
    if (had && ap_lists_etag(had, etag))
        ap_reply_empty(r, 304);
    else {
        char *body = gzip ? packed(text, &size) : strdup(text);
        ap_reply_text(r, 200, type, body, size);
        ap_reply_header(r, "Content-Encoding", body && gzip ? "gzip" : NULL);
    }
    ap_reply_header(r, "ETag", etag);
    ap_reply_header(r, "Vary", "Accept-Encoding");
    ap_reply_header(r, "Cache-Control", "no-cache");
}

void ap_get_page(ap_request *r)
{
    reply_constant(r, "text/html; charset=utf-8", ap_page_html);
}

void ap_get_page_css(ap_request *r)
{
    reply_constant(r, "text/css; charset=utf-8", ap_page_css);
}

void ap_get_page_js(ap_request *r)
{
    reply_constant(r, "text/javascript; charset=utf-8", ap_page_js);
}

void ap_get_player_js(ap_request *r)
{
    reply_constant(r, "text/javascript; charset=utf-8", ap_player_js);
}

void ap_get_upload_js(ap_request *r)
{
    reply_constant(r, "text/javascript; charset=utf-8", ap_upload_js);
}

/* Five bars of a wave. */
void ap_get_icon(ap_request *r)
{
    static const char icon[] =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><rect width=\"32\" height=\"32\" "
        "rx=\"8\" "
        "fill=\"#5b4bd6\"/><path d=\"M6 14v4M11 10v12M16 6v20M21 11v10M26 14v4\" stroke=\"#fff\" "
        "stroke-width=\"3\" stroke-linecap=\"round\"/></svg>\n";
    reply_constant(r, "image/svg+xml", icon);
}

void ap_get_openapi(ap_request *r)
{
    reply_constant(r, "application/json", ap_openapi_json);
}

void ap_get_healthz(ap_request *r)
{
    ap_reply_text(r, 200, "text/plain; charset=utf-8", strdup("ok\n"), 3);
}

void ap_get_readyz(ap_request *r)
{
    if (!ap_index_ready(r->server->index))
        ap_reply_problem(r, 503, NULL, "the jobs are still being read");
    else if (access(r->server->home, W_OK) != 0 || access(r->server->options->work.spool, W_OK) != 0)
        ap_reply_problem(r, 503, NULL, "the spool cannot be written to");
    else
        ap_reply_text(r, 200, "text/plain; charset=utf-8", strdup("ready\n"), 6);
}
