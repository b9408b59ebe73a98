/* SPDX-License-Identifier: GPL-3.0-or-later
 * needs.c - what a job needs of its machine. */
#include "jobs/spool/needs.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/json.h"

#include <stdlib.h>
#include <string.h>

#define MOST 1e9

/* A number of MiB as Slurm writes it: 2G, 500M, 1T; a bare number is one of MiB. */
static bool parse_size(const char *text, size_t length, double *mib)
{
    static const struct {
        char unit;
        double mib;
    } units[] = {{'K', 0x1p-10}, {'M', 1}, {'G', 0x1p10}, {'T', 0x1p20}};
    char *end;
    if (*text < '0' || *text > '9' || strspn(text, "0123456789.") + 1 < length) /* no exponent, no 0x */
        return false;
    double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (end == text + length - 1 && (*end & ~32) == units[i].unit) {
            *mib = number * units[i].mib;
            return *mib > 0 && *mib <= MOST;
        }
    *mib = number;
    return end == text + length && number > 0 && number <= MOST;
}

static bool parse_count(const char *text, size_t length, double *count)
{
    if (!length || length > 6 || strspn(text, "0123456789") < length)
        return false;
    *count = strtod(text, NULL);
    return true;
}

static bool parse_word(const char *word, size_t length, ap_needs *needs)
{
    const char *equals = memchr(word, '=', length);
    if (!equals)
        return true;
    const size_t key = (size_t)(equals - word), n = length - key - 1;
    if (key == 3 && strncmp(word, "mem", 3) == 0)
        return parse_size(equals + 1, n, &needs->mem_mib);
    if (key == 3 && strncmp(word, "gpu", 3) == 0)
        return parse_count(equals + 1, n, &needs->gpus);
    return key == 7 && strncmp(word, "threads", 7) == 0 && parse_count(equals + 1, n, &needs->threads);
}

bool ap_needs_parse(const char *words, ap_needs *needs, ap_error *err)
{
    *needs = (ap_needs){0};
    for (const char *p = words; *(p += strspn(p, " ,")); p += strcspn(p, " ,")) {
        const size_t n = strcspn(p, " ,");
        if (!parse_word(p, n, needs))
            return ap_fail(err, AP_USAGE, "'%.*s' is none of mem=2G, gpu=1, threads=2", (int)n, p);
    }
    return true;
}

char *ap_needs_text(const char *words)
{
    char *text = malloc(strlen(words) + 1), *to = text;
    for (const char *p = words; text && *(p += strspn(p, " ")); p += strcspn(p, " ")) {
        const size_t n = strcspn(p, " ");
        if (!memchr(p, '=', n))
            continue;
        if (to > text)
            *to++ = ' ';
        memcpy(to, p, n);
        to += n;
    }
    if (text)
        *to = 0;
    return text;
}

/* ---- choosing */

static bool is_listed(const char *list, const char *name)
{
    const size_t n = strlen(name);
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == n && strncmp(p, name, n) == 0)
            return true;
    return false;
}

static bool fits(const ap_needs *needs, const ap_needs *can)
{
    return needs->gpus <= can->gpus && (can->mem_mib <= 0 || needs->mem_mib <= can->mem_mib) &&
           (can->threads <= 0 || needs->threads <= can->threads);
}

bool ap_job_is_chosen(const ap_job_choice *choice, const cJSON *document)
{
    ap_needs needs;
    if (!choice)
        return true;
    if (choice->recipes && !is_listed(choice->recipes, ap_json_string(document, "recipe")))
        return false;
    return !choice->can || !ap_needs_parse(ap_json_string(document, "needs"), &needs, NULL) ||
           fits(&needs, choice->can);
}
