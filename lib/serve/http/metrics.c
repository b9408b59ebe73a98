/* SPDX-License-Identifier: GPL-3.0-or-later
 * metrics.c - what is counted, in Prometheus' text format 0.0.4. */
#include "serve/http/metrics.h"
#include "jobs/record/clock.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

void ap_metrics_count(ap_metrics *m, const ap_request *r)
{
    size_t route = r->route ? (size_t)(r->route - ap_routes) : AP_METRIC_ROUTES - 1;
    if (r->status < AP_METRIC_CODES && route < AP_METRIC_ROUTES)
        atomic_fetch_add(&m->requests[route * AP_METRIC_CODES + r->status], 1);
    atomic_fetch_add(&m->sent_bytes, r->sent);
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP audiopipe_%s %s\n# TYPE audiopipe_%s %s\n", name, help, name, type);
}

/* A label's value, as the format wants it: names are those of recipes, which anybody may have written. */
static void put_label(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"' || *text == '\n')
            putc('\\', out);
        putc(*text == '\n' ? 'n' : *text, out);
    }
}

static void print_ended(FILE *out, const char *recipe, const char *state, size_t count)
{
    fputs("audiopipe_jobs_ended_total{recipe=\"", out);
    put_label(out, recipe);
    fprintf(out, "\",state=\"%s\"} %zu\n", state, count);
}

static void print_jobs(FILE *out, ap_server *server)
{
    static const ap_place places[] = {AP_QUEUE, AP_RUNNING, AP_DONE, AP_FAILED_JOBS};
    ap_index_count count;
    ap_ended_count ended[AP_TALLY_NAMES];
    ap_index_counts(server->index, &count);
    head(out, "jobs", "gauge", "Jobs in each place of the spool.");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        fprintf(out, "audiopipe_jobs{place=\"%s\"} %zu\n", ap_place_name(places[i]), count.places[places[i]]);
    head(out, "oldest_queued_seconds", "gauge", "How long the oldest job in the queue has waited.");
    fprintf(out, "audiopipe_oldest_queued_seconds %.3f\n",
            count.oldest_queued_s > 0 ? fmax(0, ap_wall_s() - count.oldest_queued_s) : 0);
    head(out, "jobs_ended_total", "counter", "Jobs that have ended since the start.");
    size_t recipes = ap_index_ended(server->index, ended, AP_TALLY_NAMES);
    for (size_t i = 0; i < recipes; i++) {
        print_ended(out, ended[i].recipe, "done", ended[i].done);
        print_ended(out, ended[i].recipe, "failed", ended[i].failed);
        print_ended(out, ended[i].recipe, "cancelled", ended[i].cancelled);
    }
}

/* How long the stages took, as a histogram for each name. */
static bool print_stages(FILE *out, ap_server *server)
{
    ap_stage_count *stages = calloc(AP_TALLY_NAMES, sizeof *stages);
    size_t count = stages ? ap_index_stages(server->index, stages, AP_TALLY_NAMES) : 0;
    head(out, "stage_seconds", "histogram", "What the stages of jobs took that are done.");
    for (size_t i = 0; i < count; i++) {
        const ap_stage_count *s = &stages[i];
        for (size_t k = 0; k < AP_STAGE_BUCKETS; k++) {
            fputs("audiopipe_stage_seconds_bucket{stage=\"", out);
            put_label(out, s->stage);
            fprintf(out, "\",le=\"%g\"} %zu\n", ap_stage_bounds[k], s->buckets[k]);
        }
        fputs("audiopipe_stage_seconds_bucket{stage=\"", out);
        put_label(out, s->stage);
        fprintf(out, "\",le=\"+Inf\"} %zu\naudiopipe_stage_seconds_sum{stage=\"", s->count);
        put_label(out, s->stage);
        fprintf(out, "\"} %.3f\naudiopipe_stage_seconds_count{stage=\"", s->seconds);
        put_label(out, s->stage);
        fprintf(out, "\"} %zu\n", s->count);
    }
    free(stages);
    return stages;
}

static void print_requests(FILE *out, ap_metrics *m)
{
    head(out, "http_requests_total", "counter", "Answers, by route and status.");
    for (size_t i = 0; i < AP_METRIC_ROUTES; i++)
        for (unsigned code = 100; code < AP_METRIC_CODES; code++) {
            unsigned n = atomic_load(&m->requests[i * AP_METRIC_CODES + code]);
            bool none = i == AP_METRIC_ROUTES - 1;
            if (n)
                fprintf(out, "audiopipe_http_requests_total{route=\"%s%s%s\",code=\"%u\"} %u\n",
                        none ? "" : ap_routes[i].method, none ? "none" : " ", none ? "" : ap_routes[i].path,
                        code, n);
        }
    head(out, "upload_bytes_total", "counter", "Bytes of files that were received.");
    fprintf(out, "audiopipe_upload_bytes_total %llu\n", (unsigned long long)atomic_load(&m->upload_bytes));
    head(out, "sent_bytes_total", "counter", "Bytes of answers.");
    fprintf(out, "audiopipe_sent_bytes_total %llu\n", (unsigned long long)atomic_load(&m->sent_bytes));
    head(out, "event_streams", "gauge", "Streams of events that are open.");
    fprintf(out, "audiopipe_event_streams %u\n", atomic_load(&m->streams));
}

/* From this host, by a connection that no proxy has forwarded. */
static bool is_local(const ap_request *r)
{
    return !ap_header(r, "X-Forwarded-For") && !ap_header(r, "Forwarded") &&
           (ap_is_local_host(r->address) || strcmp(r->address, "local") == 0);
}

void ap_get_metrics(ap_request *r)
{
    char *text = NULL;
    size_t size = 0;
    struct statvfs disk;
    if (!is_local(r) && !r->person.admin && !r->person.machine)
        return ap_reply_problem(r, 403, NULL, "this is for administrators, and for this host");
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return ap_reply_text(r, 503, NULL, NULL, 0);
    print_jobs(out, r->server);
    bool whole = print_stages(out, r->server);
    print_requests(out, &r->server->metrics);
    if (statvfs(r->server->home, &disk) == 0) {
        head(out, "spool_free_bytes", "gauge", "Room on the disk of the spool.");
        fprintf(out, "audiopipe_spool_free_bytes %.0f\n", (double)disk.f_bavail * (double)disk.f_frsize);
    }
    if (fclose(out) != 0 || !whole) {
        free(text);
        text = NULL;
    }
    ap_reply_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", text, size);
}
