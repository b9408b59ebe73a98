/* SPDX-License-Identifier: GPL-3.0-or-later
 * client.c - requests by libcurl's multi interface, so that a signal ends a wait, and so that a body is taken
 * only as fast as it is wanted. */
#include "plugins/net/client.h"
#include "base/error.h"
#include "base/text.h"

#include <curl/curl.h>
#include <errno.h>
#include <nettle/md5.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/select.h>
#include <time.h>

#define CONNECT_S 30L
#define STALL_S 60L                  /* without a byte: given up */
#define WAITING ((size_t)1 << 20)    /* bytes of a body that may wait here */
#define MAX_ANSWER ((size_t)8 << 20) /* bytes of an answer that is kept whole */

struct ap_client {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    bool running, headers_seen, paused, failed;
    CURLcode result;
    ap_response response;
    ap_bytes in; /* of the body: from in_at on it waits for its reader */
    size_t in_at;
    bool keep; /* all of the body, in in */
    const unsigned char *out;
    size_t out_size, out_at;
    char url[32768], text[CURL_ERROR_SIZE];
    const atomic_bool *stop; /* NULL: only a signal ends a wait */
};

/* ---- libcurl calls these */

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    ap_client *c = user;
    (void)size; /* 1 */
    const size_t waiting = c->in.size - c->in_at;
    if (c->keep && waiting + count > MAX_ANSWER)
        return 0;
    if (!c->keep && waiting && waiting + count > WAITING) {
        c->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    c->headers_seen = true;
    if (c->in_at == c->in.size)
        c->in_at = c->in.size = 0;
    ap_bytes_add(&c->in, data, count);
    return c->in.failed ? 0 : count;
}

static size_t give_body(char *to, size_t size, size_t count, void *user)
{
    ap_client *c = user;
    size_t n = size * count, left = c->out_size - c->out_at;
    n = n < left ? n : left;
    if (n)
        memcpy(to, c->out + c->out_at, n);
    c->out_at += n;
    return n;
}

static int rewind_body(void *user, curl_off_t offset, int origin)
{
    ap_client *c = user;
    if (origin != SEEK_SET || offset < 0 || (size_t)offset > c->out_size)
        return CURL_SEEKFUNC_FAIL;
    c->out_at = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* The value of a header of that name, in room bytes; false for another header. */
static bool header_value(const char *line, size_t size, const char *name, char *value, size_t room)
{
    size_t n = strlen(name);
    if (size <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
        return false;
    const char *p = line + n + 1, *end = line + size;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    n = (size_t)(end - p) < room ? (size_t)(end - p) : room - 1;
    memcpy(value, p, n);
    value[n] = 0;
    return true;
}

static uint64_t number_of(const char *text)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && errno == 0 ? v : AP_UNKNOWN;
}

static size_t take_header(char *line, size_t size, size_t count, void *user)
{
    ap_client *c = user;
    ap_response *r = &c->response;
    char value[96];
    size *= count;
    if (size > 5 && strncmp(line, "HTTP/", 5) == 0) /* of the last answer, after redirections */
        *r = (ap_response){.length = AP_UNKNOWN, .range_start = AP_UNKNOWN};
    else if (header_value(line, size, "content-length", value, sizeof value))
        r->length = number_of(value);
    else if (header_value(line, size, "content-range", value, sizeof value))
        r->range_start = strncmp(value, "bytes ", 6) == 0 ? number_of(value + 6) : AP_UNKNOWN;
    else if (header_value(line, size, "accept-ranges", value, sizeof value))
        r->ranges = strcasecmp(value, "bytes") == 0;
    else if (!header_value(line, size, "etag", r->etag, sizeof r->etag) &&
             !header_value(line, size, "content-type", r->type, sizeof r->type) &&
             !header_value(line, size, "last-modified", r->modified, sizeof r->modified))
        (void)header_value(line, size, "x-amz-bucket-region", r->region, sizeof r->region);
    return size;
}

/* ---- a client */

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

ap_client *ap_client_new(ap_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    ap_client *c = calloc(1, sizeof *c);
    if (c && (c->multi = curl_multi_init()) && (c->easy = curl_easy_init()))
        return c;
    ap_fail_memory(err);
    ap_client_free(c);
    return NULL;
}

void ap_client_free(ap_client *c)
{
    if (!c)
        return;
    ap_client_stop(c);
    curl_easy_cleanup(c->easy);
    curl_multi_cleanup(c->multi);
    free(c->in.data);
    free(c);
}

void ap_client_stop(ap_client *c)
{
    if (c->running)
        curl_multi_remove_handle(c->multi, c->easy);
    curl_slist_free_all(c->headers);
    c->headers = NULL;
    c->running = false;
    c->in.size = c->in_at = 0;
}

/* ---- what is sent */

static bool add_header(ap_client *c, const char *name, const char *value)
{
    char *line = ap_print("%s: %s", name, value);
    struct curl_slist *more = line ? curl_slist_append(c->headers, line) : NULL;
    free(line);
    if (more)
        c->headers = more;
    return more != NULL;
}

/* The date, the hash of the body, and the signature over all of it. */
static bool sign_headers(ap_client *c, const ap_request *q, const char *query_text)
{
    const ap_account *a = &q->target->account;
    char hash[AP_SIGV4_HEX] = "UNSIGNED-PAYLOAD"; /* TLS protects the body */
    struct tm now;
    time_t seconds = time(NULL);
    if (strncmp(q->target->base, "https:", 6) != 0)
        ap_sigv4_sha256(q->body ? q->body : "", q->body_size, hash);
    ap_sigv4_request r = {.method = q->method,
                          .host = q->target->host,
                          .path = q->target->path,
                          .payload = hash,
                          .region = a->region,
                          .access_key = a->access_key,
                          .secret_key = a->secret_key,
                          .token = a->token,
                          .query_count = q->query_count};
    memcpy(r.query, q->query, sizeof q->query);
    strftime(r.time, sizeof r.time, "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &now));
    const ap_sigv4_pair own[] = {
        {"x-amz-content-sha256", hash}, {"x-amz-date", r.time}, {"x-amz-security-token", a->token}};
    for (size_t i = 0; i < (a->token ? 3 : 2); i++)
        r.headers[r.header_count++] = own[i];
    char *value = ap_sigv4_authorization(&r);
    bool ok = value && add_header(c, "Authorization", value) && query_text;
    for (size_t i = 0; ok && i < r.header_count; i++)
        ok = add_header(c, r.headers[i].name, r.headers[i].value);
    free(value);
    return ok;
}

/* The digest that every store checks (RFC 1864). */
static bool add_md5(ap_client *c, const ap_request *q)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t sum[MD5_DIGEST_SIZE + 2] = {0};
    char text[25] = {0};
    struct md5_ctx hash;
    md5_init(&hash);
    md5_update(&hash, q->body_size, q->body);
    md5_digest(&hash, MD5_DIGEST_SIZE, sum);
    for (size_t i = 0; i < 6; i++) {
        uint32_t v = (uint32_t)sum[3 * i] << 16 | (uint32_t)sum[3 * i + 1] << 8 | sum[3 * i + 2];
        for (size_t k = 0; k < 4; k++)
            text[4 * i + k] = digits[v >> (18 - 6 * k) & 63];
    }
    text[22] = text[23] = '=';
    return add_header(c, "Content-MD5", text);
}

static bool set_headers(ap_client *c, const ap_request *q)
{
    const ap_target *t = q->target;
    ap_sigv4_request r = {.query_count = q->query_count};
    memcpy(r.query, q->query, sizeof q->query);
    char *query = t->s3 ? ap_sigv4_query(&r) : strdup(t->query ? t->query : "");
    bool ok = query && add_header(c, "Expect", "") && add_header(c, "User-Agent", "audiopipe/" AP_VERSION);
    if (ok)
        ok = snprintf(c->url, sizeof c->url, "%s%s%s%s", t->base, t->path, *query ? "?" : "", query) <
             (int)sizeof c->url;
    for (size_t i = 0; ok && i < q->header_count; i++)
        ok = add_header(c, q->headers[i].name, q->headers[i].value);
    if (ok && t->s3 && q->body && q->body_size)
        ok = add_md5(c, q);
    if (ok && t->s3 && t->account.access_key)
        ok = sign_headers(c, q, query);
    free(query);
    return ok;
}

static void set_options(ap_client *c, const ap_request *q)
{
    CURL *e = c->easy;
    curl_easy_reset(e);
    curl_easy_setopt(e, CURLOPT_URL, c->url);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, STALL_S);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->text);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 131072L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION,
                     q->target->s3 || q->here ? 0L : 1L); /* a signature is for one host */
    curl_easy_setopt(e, CURLOPT_MAXREDIRS, 8L);
    curl_easy_setopt(e, CURLOPT_NOBODY, strcmp(q->method, "HEAD") == 0 ? 1L : 0L);
    if (strcmp(q->method, "PUT") == 0 || strcmp(q->method, "POST") == 0) {
        curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 524288L);
        curl_easy_setopt(e, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(e, CURLOPT_READDATA, c);
        curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, rewind_body);
        curl_easy_setopt(e, CURLOPT_SEEKDATA, c);
        curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->body_size);
    }
    if (strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0)
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
}

static bool send_request(ap_client *c, const ap_request *q, bool keep, ap_error *err)
{
    ap_client_stop(c);
    c->headers_seen = c->paused = c->failed = false;
    c->in.failed = false;
    c->keep = keep;
    c->out = q->body;
    c->out_size = q->body_size;
    c->out_at = 0;
    *c->text = 0;
    c->response = (ap_response){.length = AP_UNKNOWN, .range_start = AP_UNKNOWN};
    if (!set_headers(c, q))
        return ap_fail_memory(err);
    set_options(c, q);
    if (curl_multi_add_handle(c->multi, c->easy) != CURLM_OK)
        return ap_fail_memory(err);
    c->running = true;
    return true;
}

/* ---- waiting */

void ap_client_stop_when(ap_client *c, const atomic_bool *stop)
{
    c->stop = stop;
}

/* false when a signal came, or it is to stop. */
static bool wait_for_sockets(ap_client *c)
{
    fd_set in, out, other;
    int most = -1;
    long ms = -1;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&other);
    curl_multi_fdset(c->multi, &in, &out, &other, &most);
    curl_multi_timeout(c->multi, &ms);
    if (ms < 0 || ms > 1000)
        ms = 1000;
    if (most < 0 && ms > 50)
        ms = 50; /* it looks up a name in a thread of its own */
    struct timeval t = {ms / 1000, ms % 1000 * 1000};
    bool ok = select(most + 1, &in, &out, &other, &t) >= 0 || errno != EINTR;
    return ok && !(c->stop && atomic_load(c->stop));
}

/* Lets libcurl work, and waits when it has nothing to do. false when a signal came. */
static bool pump(ap_client *c, ap_error *err)
{
    int running = 0, left;
    if (curl_multi_perform(c->multi, &running) != CURLM_OK)
        return ap_fail_memory(err);
    for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));)
        if (m->msg == CURLMSG_DONE) {
            c->result = m->data.result;
            curl_multi_remove_handle(c->multi, c->easy);
            c->running = false;
            c->failed = c->result != CURLE_OK;
        }
    long status = 0;
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    c->response.status = status;
    if (!c->running || c->paused || c->in.size > c->in_at)
        return true;
    return wait_for_sockets(c) || ap_fail_errno(err, EINTR, "the network");
}

static bool broken(const ap_client *c, const ap_target *t, ap_error *err)
{
    const bool passing = c->result != CURLE_UNSUPPORTED_PROTOCOL && c->result != CURLE_URL_MALFORMAT &&
                         c->result != CURLE_PEER_FAILED_VERIFICATION &&
                         c->result != CURLE_TOO_MANY_REDIRECTS && c->result != CURLE_WRITE_ERROR;
    return ap_fail(err, passing ? AP_TRY_AGAIN : AP_FAILED, "cannot reach '%s': %s", t->name,
                   *c->text ? c->text : curl_easy_strerror(c->result));
}

bool ap_client_start(ap_client *c, const ap_request *q, ap_response *response, ap_error *err)
{
    if (!send_request(c, q, false, err))
        return false;
    while (c->running && !c->headers_seen)
        if (!pump(c, err))
            return false;
    *response = c->response;
    return !c->failed || c->response.status >= 300 || broken(c, q->target, err);
}

ptrdiff_t ap_client_read(ap_client *c, void *buffer, size_t size, ap_error *err)
{
    while (c->running && c->in_at == c->in.size) {
        if (c->paused) {
            c->paused = false;
            curl_easy_pause(c->easy, CURLPAUSE_CONT);
        }
        if (!pump(c, err))
            return -1;
    }
    size_t n = c->in.size - c->in_at;
    if (n == 0 && c->failed) {
        ap_fail(err, AP_TRY_AGAIN, "%s", *c->text ? c->text : curl_easy_strerror(c->result));
        return -1;
    }
    n = n < size ? n : size;
    if (n)
        memcpy(buffer, c->in.data + c->in_at, n);
    c->in_at += n;
    return (ptrdiff_t)n;
}

bool ap_client_pause(unsigned attempt, ap_error *err)
{
    const double s = 0.1 * (double)(1u << (attempt < 6 ? attempt : 6)); /* 0.2 to 6.4 */
    const struct timespec t = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};
    return nanosleep(&t, NULL) == 0 || ap_fail_errno(err, errno, "the network");
}

/* Whether the same request may do better later. */
static bool is_passing(long status)
{
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

static bool run_once(ap_client *c, const ap_request *q, ap_response *response, ap_error *err)
{
    if (!send_request(c, q, true, err))
        return false;
    while (c->running)
        if (!pump(c, err))
            return false;
    *response = c->response;
    return !c->failed || broken(c, q->target, err);
}

bool ap_client_run(ap_client *c, const ap_request *q, ap_response *response, ap_bytes *body, ap_error *err)
{
    ap_error why = {0};
    for (unsigned attempt = 1;; attempt++) {
        const bool ok = run_once(c, q, response, &why);
        if ((ok && !is_passing(response->status)) || (!ok && why.code != AP_TRY_AGAIN) ||
            attempt == AP_CLIENT_ATTEMPTS) {
            if (body) {
                body->size = 0;
                ap_bytes_add(body, c->in.data, c->in.size);
            }
            if (!ok && err)
                *err = why;
            return ok;
        }
        if (!ap_client_pause(attempt, err))
            return false;
    }
}

/* ---- refusals */

/* The text of the first element of that name; "" if there is none. */
static void element(const ap_bytes *body, const char *open, char *text, size_t room)
{
    const char *p = body && body->size ? memmem(body->data, body->size, open, strlen(open)) : NULL;
    *text = 0;
    if (!p)
        return;
    p += strlen(open);
    const char *end = memchr(p, '<', (size_t)((const char *)body->data + body->size - p));
    if (!end)
        return;
    size_t n = (size_t)(end - p) < room ? (size_t)(end - p) : room - 1;
    memcpy(text, p, n);
    text[n] = 0;
}

static const char *reason_of(long status)
{
    switch (status) {
    case 301:
    case 307:
        return "the bucket is elsewhere";
    case 400:
        return "the request was refused";
    case 401:
    case 403:
        return "access denied";
    case 404:
        return "there is no such object";
    case 412:
        return "there is another one of that name";
    default:
        return is_passing(status) ? "the server cannot do it now" : "the server refused";
    }
}

bool ap_client_refused(const ap_target *t, const char *verb, const ap_response *r, const ap_bytes *body,
                       ap_error *err)
{
    char code[64], message[128];
    const char *reason = reason_of(r->status);
    element(body, "<Code>", code, sizeof code);
    element(body, "<Message>", message, sizeof message);
    if (!t->s3 && r->status / 100 == 3)
        reason = "it is elsewhere";
    if (strcmp(code, "NoSuchBucket") == 0)
        reason = "there is no such bucket";
    if (strcmp(code, "RequestTimeTooSkewed") == 0)
        reason = "the clock of this machine is not that of the server";
    if (*r->region && (r->status == 301 || r->status == 400))
        return ap_fail(err, AP_FAILED, "cannot %s '%s': the bucket is in the region %s: set AWS_REGION", verb,
                       t->name, r->region);
    return ap_fail(err, is_passing(r->status) ? AP_TRY_AGAIN : AP_FAILED, "cannot %s '%s': %s (%ld%s%s%s%s)",
                   verb, t->name, reason, r->status, *code ? " " : "", code, *message ? ": " : "", message);
}
