/* SPDX-License-Identifier: GPL-3.0-or-later
 * values.c - the arguments of options, and what becomes of them. */
#include "front/values.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool takes_argument(const option_row *o)
{
    return o->type != OPTION_ON && o->type != OPTION_OFF && o->type != OPTION_ANSWER;
}

static bool parse_number(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == 0 && isfinite(*number);
}

/* The same, followed by "k" and the unit if there are any: 44.1k, 192kbps, -1dBTP. */
static bool parse_quantity(const option_row *o, const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    if (end == text || !isfinite(*number))
        return false;
    if (o->unit && strcasecmp(end, o->unit) == 0)
        return true;
    if (o->kilo == 0 || (*end != 'k' && *end != 'K'))
        return *end == 0;
    *number = nearbyint(*number * o->kilo * 1e6) / 1e6; /* 44.1k is a whole number of Hz */
    return end[1] == 0 || strcasecmp(end + 1, o->unit) == 0;
}

bool parse_time(const char *text, double *seconds)
{
    double total = 0, part;
    char copy[64];
    if (strlen(text) >= sizeof copy)
        return false;
    strcpy(copy, text);
    char *rest = copy;
    for (int fields = 0; rest; fields++) {
        const char *field = strsep(&rest, ":");
        if (fields == 3 || *field < '.' || *field > '9' || !parse_number(field, &part) || part < 0)
            return false;
        if (fields && part >= 60)
            return false;
        total = 60 * total + part;
    }
    *seconds = total;
    return true;
}

static bool parse_seed(const char *text, uint64_t *seed)
{
    char *end;
    errno = 0;
    *seed = strtoull(text, &end, 0);
    return *text >= '0' && *text <= '9' && *end == 0 && errno == 0;
}

const char *list_choices(const option_row *o, char list[256])
{
    size_t n = 0;
    *list = 0;
    for (const choice *c = o->choices; c->name && n < 256; c++)
        n += (size_t)snprintf(list + n, 256 - n, "%s%s", n ? "|" : "", c->name);
    return list;
}

static int find_choice(const command *c, const option_row *o, const char *text)
{
    char list[256];
    for (const choice *one = o->choices; one->name; one++)
        if (strcmp(one->name, text) == 0)
            return one->value;
    usage_error(c, "--%s '%s' is none of %s", o->name, text, list_choices(o, list));
}

static void check_range(const command *c, const option_row *o, const char *text, double value)
{
    if (value < o->lo)
        usage_error(c, "--%s %s is too small (%g to %g)", o->name, text, o->lo, o->hi);
    if (value > o->hi)
        usage_error(c, "--%s %s is too large (%g to %g)", o->name, text, o->lo, o->hi);
}

static double number_of(const command *c, const option_row *o, const char *text)
{
    double value = 0;
    bool ok = o->type == OPTION_TIME ? parse_time(text, &value) : parse_quantity(o, text, &value);
    if (!ok || (o->type == OPTION_COUNT && value != floor(value)))
        usage_error(c, "--%s '%s' is not a %s", o->name, text,
                    o->type == OPTION_TIME    ? "time (seconds or h:m:s)"
                    : o->type == OPTION_COUNT ? "whole number"
                                              : "number");
    check_range(c, o, text, value);
    return value;
}

/* The field is an enum, or an int: of the same size, but another type. */
static void put_choice(void *field, int value)
{
    _Static_assert(sizeof(option_type) == sizeof value, "enums are as large as int");
    memcpy(field, &value, sizeof value);
}

int choice_at(const void *field)
{
    int value;
    memcpy(&value, field, sizeof value);
    return value;
}

void set_option(const command *c, const option_row *o, void *config, const char *text)
{
    void *field = (char *)config + o->offset;
    ap_error err;
    switch (o->type) {
    case OPTION_END:
    case OPTION_ANSWER:
        break;
    case OPTION_ON:
    case OPTION_OFF:
        *(bool *)field = o->type == OPTION_ON;
        break;
    case OPTION_NUMBER:
    case OPTION_TIME:
        *(double *)field = number_of(c, o, text);
        break;
    case OPTION_COUNT:
        *(unsigned *)field = (unsigned)number_of(c, o, text);
        break;
    case OPTION_SEED:
        if (!parse_seed(text, field))
            usage_error(c, "--%s '%s' is not a whole number from 0 to 2^64-1", o->name, text);
        break;
    case OPTION_TEXT:
    case OPTION_FILE:
        *(const char **)field = text;
        break;
    case OPTION_CHOICE:
        put_choice(field, find_choice(c, o, text));
        break;
    case OPTION_CALL:
        if (!o->call(config, text, &err))
            usage_error(c, "--%s: %s", o->name, err.message);
        break;
    }
}
