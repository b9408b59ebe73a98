/* SPDX-License-Identifier: GPL-3.0-or-later
 * log.c - a JSON object a line on stderr. */
#include "serve/http/log.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cJSON *line_of(const char *level)
{
    char now[32];
    cJSON *line = cJSON_CreateObject();
    ap_time_text(now);
    if (line && ap_json_put_text(line, "ts", now) && ap_json_put_text(line, "level", level))
        return line;
    cJSON_Delete(line);
    return NULL;
}

/* In one write, so that lines of several threads do not mix. */
static void print_line(cJSON *line)
{
    char *text = line ? ap_json_print(line, false) : NULL;
    size_t size = text ? strlen(text) : 0;
    if (text) {
        text[size] = '\n'; /* over the NUL */
        (void)!write(STDERR_FILENO, text, size + 1);
    }
    free(text);
    cJSON_Delete(line);
}

void ap_log(const char *level, const char *job, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    cJSON *line = line_of(level);
    if (line && job)
        ap_json_put_text(line, "job", job);
    if (line)
        ap_json_put_text(line, "message", message);
    print_line(line);
}

void ap_log_request(const ap_request *r, bool whole)
{
    cJSON *line = line_of(r->status >= 500 ? "error" : "info");
    if (!line)
        return;
    ap_json_put_text(line, "request", r->trace);
    ap_json_put_text(line, "address", r->address);
    if (*r->person.owner)
        ap_json_put_text(line, "owner", r->person.owner);
    if (*r->job)
        ap_json_put_text(line, "job", r->job);
    ap_json_put_text(line, "method", r->route ? r->route->method : NULL);
    ap_json_put_text(line, "path", r->url);
    ap_json_put_number(line, "status", r->status);
    ap_json_put_number(line, "received", (double)r->received);
    ap_json_put_number(line, "sent", (double)r->sent);
    ap_json_put_number(line, "seconds", round(1e6 * (ap_monotonic_s() - r->started_s)) / 1e6);
    if (!whole)
        ap_json_put(line, "cut", cJSON_CreateTrue());
    print_line(line);
}
