/* SPDX-License-Identifier: GPL-3.0-or-later
 * cause.c - why a recipe failed.
 *
 * In a pipe of stages the last words are those of the last command, which often only says that its input
 * ended too early; the reason is what the first said that failed. */
#include "jobs/run/cause.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"

#include <math.h>
#include <signal.h>
#include <string.h>

/* The members of a pipe start within this time, s; the first may end before the second has started. */
#define TOGETHER_S 1.0

bool ap_is_hint(const char *line)
{
    static const char start[] = "Try '", end[] = "for more information.";
    size_t n = strlen(line);
    return strncmp(line, start, sizeof start - 1) == 0 && n >= sizeof end - 1 &&
           strcmp(line + n - (sizeof end - 1), end) == 0;
}

const char *ap_last_line(const cJSON *stage)
{
    const cJSON *lines = cJSON_GetObjectItemCaseSensitive(stage, "stderr");
    for (int i = cJSON_GetArraySize(lines); i-- > 0;) {
        const char *line = cJSON_GetStringValue(cJSON_GetArrayItem(lines, i));
        if (line && *line && !ap_is_hint(line))
            return line;
    }
    return "";
}

static double start_of(const cJSON *stage)
{
    return ap_time_of(ap_json_string(stage, "started"));
}

static double end_of(const cJSON *stage)
{
    double finished = ap_time_of(ap_json_string(stage, "finished"));
    return isnan(finished) ? start_of(stage) + ap_json_number(stage, "seconds", 0) : finished;
}

/* Failed by itself: a stage that SIGPIPE killed had lost its reader, which failed before. */
static bool has_failed(const cJSON *stage)
{
    double code = ap_json_number(stage, "exit_code", 0);
    return strcmp(ap_json_string(stage, "state"), "failed") == 0 && code != 128 + SIGPIPE &&
           *ap_last_line(stage);
}

const cJSON *ap_find_cause(const cJSON *document, const char *last_words)
{
    const cJSON *stages = cJSON_GetObjectItemCaseSensitive(document, "stages"), *stage, *last = NULL, *cause;
    cJSON_ArrayForEach(stage, stages)
    {
        /* the first is the recipe itself */
        if (stage != stages->child && has_failed(stage) && strcmp(ap_last_line(stage), last_words) == 0)
            last = stage;
    }
    cause = last;
    cJSON_ArrayForEach(stage, stages)
    {
        bool beside = last && start_of(stage) <= end_of(last) && end_of(stage) >= start_of(last) - TOGETHER_S;
        if (stage != stages->child && beside && has_failed(stage) && end_of(stage) < end_of(cause))
            cause = stage;
    }
    return cause;
}
