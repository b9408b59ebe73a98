/* SPDX-License-Identifier: GPL-3.0-or-later
 * chapters.c - chapters and time references as pairs of tags. */
#include "stream/chapters.h"
#include "stream/tags.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "CHAPTER"
#define DIGITS 3
#define KEY_SIZE 16

/* The number in CHAPTER000 or CHAPTER000NAME, -1 for another key; *rest is what follows it. */
static int number_of(const char *key, const char **rest)
{
    int n = 0;
    if (strncmp(key, PREFIX, strlen(PREFIX)) != 0)
        return -1;
    key += strlen(PREFIX);
    for (int i = 0; i < DIGITS; i++, key++) {
        if (*key < '0' || *key > '9')
            return -1;
        n = 10 * n + (*key - '0');
    }
    *rest = key;
    return n;
}

bool ap_is_chapter_key(const char *key)
{
    const char *rest;
    return number_of(key, &rest) >= 0 &&
           (*rest == 0 || strcmp(rest, "NAME") == 0 || strcmp(rest, "URL") == 0);
}

/* HH:MM:SS.mmm; programs write more or fewer digits after the point. */
static bool parse_time(const char *text, uint64_t *ms)
{
    unsigned h, m, s, used = 0;
    if (sscanf(text, "%5u:%2u:%2u%n", &h, &m, &s, (int *)&used) != 3 || m > 59 || s > 59)
        return false;
    *ms = (h * UINT64_C(3600) + m * 60 + s) * 1000;
    text += used;
    uint64_t scale = 100;
    if (*text == '.' || *text == ',')
        for (text++; *text >= '0' && *text <= '9'; text++, scale /= 10)
            *ms += (uint64_t)(*text - '0') * scale;
    return *text == 0;
}

static bool add(ap_tags *tags, unsigned number, const ap_chapter *c)
{
    char key[KEY_SIZE], time[32];
    uint64_t s = c->start_ms / 1000;
    if (number >= AP_MAX_CHAPTERS)
        return false;
    snprintf(key, sizeof key, PREFIX "%03u", number);
    snprintf(time, sizeof time, "%02" PRIu64 ":%02u:%02u.%03u", s / 3600, (unsigned)(s / 60 % 60),
             (unsigned)(s % 60), (unsigned)(c->start_ms % 1000));
    if (!ap_tags_add(tags, key, time))
        return false;
    snprintf(key, sizeof key, PREFIX "%03uNAME", number);
    return !c->title || ap_tags_add(tags, key, c->title);
}

/* One more than the highest number. Programs begin with 0 or 1; ours is 1. */
static unsigned next_number(const ap_tags *tags)
{
    const char *key, *value, *rest;
    int highest = 0;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++) {
        int n = number_of(key, &rest);
        highest = n > highest ? n : highest;
    }
    return (unsigned)highest + 1;
}

bool ap_chapters_add(ap_tags *tags, uint64_t start_ms, const char *title)
{
    const ap_chapter c = {start_ms, title};
    return add(tags, next_number(tags), &c);
}

static int by_start(const void *a, const void *b)
{
    const ap_chapter *x = a, *y = b;
    return (x->start_ms > y->start_ms) - (x->start_ms < y->start_ms);
}

bool ap_chapters_list(const ap_tags *tags, ap_chapter **list, size_t *count)
{
    ap_chapter all[AP_MAX_CHAPTERS] = {{0, NULL}};
    bool there[AP_MAX_CHAPTERS] = {false};
    const char *key, *value, *rest;
    *count = 0;
    *list = NULL;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++) {
        int n = number_of(key, &rest);
        if (n >= 0 && *rest == 0)
            there[n] = parse_time(value, &all[n].start_ms);
        else if (n >= 0 && strcmp(rest, "NAME") == 0)
            all[n].title = value;
    }
    for (size_t n = 0; n < AP_MAX_CHAPTERS; n++)
        if (there[n])
            all[(*count)++] = all[n];
    if (*count == 0)
        return true;
    qsort(all, *count, sizeof *all, by_start);
    *list = malloc(*count * sizeof *all);
    if (*list)
        memcpy(*list, all, *count * sizeof *all);
    return *list;
}

/* Puts the chapters that keep tells, moved, in the place of all. keep: the new start, false: not this one. */
static bool replace_chapters(ap_tags *tags,
                             bool (*keep)(const void *how, ap_chapter *c, const ap_chapter *next),
                             const void *how)
{
    ap_chapter *list;
    size_t count;
    ap_tags *moved = ap_tags_new();
    bool ok = moved && ap_chapters_list(tags, &list, &count);
    if (!ok || count == 0) {
        ap_tags_free(&moved);
        return ok;
    }
    for (size_t i = 0; ok && i < count; i++)
        if (keep(how, &list[i], i + 1 < count ? &list[i + 1] : NULL))
            ok = ap_chapters_add(moved, list[i].start_ms, list[i].title);
    ap_tags_remove_if(tags, ap_is_chapter_key);
    ok = ok && ap_tags_merge(tags, moved);
    ap_tags_free(&moved);
    free(list);
    return ok;
}

typedef struct range {
    uint64_t start_ms, length_ms;
} range;

static bool keep_in_range(const void *how, ap_chapter *c, const ap_chapter *next)
{
    const range *r = how;
    bool goes_on = !next || next->start_ms > r->start_ms;
    c->start_ms = c->start_ms > r->start_ms ? c->start_ms - r->start_ms : 0;
    return goes_on && c->start_ms < r->length_ms;
}

static bool keep_later(const void *how, ap_chapter *c, const ap_chapter *next)
{
    (void)next;
    c->start_ms += *(const uint64_t *)how;
    return true;
}

bool ap_time_reference(const ap_tags *tags, uint32_t rate, uint64_t *frames)
{
    const char *value = ap_tags_get(tags, AP_TIME_REFERENCE);
    uint64_t count;
    uint32_t of;
    if (!value || sscanf(value, "%20" SCNu64 "/%10" SCNu32, &count, &of) != 2 || of < AP_MIN_RATE ||
        of > AP_MAX_RATE || count > UINT64_MAX / AP_MAX_RATE - 1)
        return false;
    *frames = (count * rate + of / 2) / of;
    return true;
}

static bool set_reference(ap_tags *tags, uint64_t frames, uint32_t rate)
{
    char text[48];
    snprintf(text, sizeof text, "%" PRIu64 "/%" PRIu32, frames, rate);
    return ap_tags_set(tags, AP_TIME_REFERENCE, text);
}

static uint64_t to_ms(uint64_t frames, uint32_t rate)
{
    return frames < UINT64_MAX / 1000 ? frames * 1000 / rate : AP_UNKNOWN;
}

bool ap_tags_cut(ap_tags *tags, uint64_t start, uint64_t count, uint32_t rate)
{
    const range r = {to_ms(start, rate), to_ms(count, rate)};
    uint64_t frames;
    if (!replace_chapters(tags, keep_in_range, &r))
        return false;
    if (start == 0 || !ap_time_reference(tags, rate, &frames) || start > UINT64_MAX - frames)
        return true;
    return set_reference(tags, frames + start, rate);
}

/* What would have begun before midnight begins there. */
bool ap_tags_delay(ap_tags *tags, uint64_t frames, uint32_t rate)
{
    const uint64_t ms = to_ms(frames, rate);
    uint64_t reference;
    if (frames == 0)
        return true;
    if (ms == AP_UNKNOWN || !replace_chapters(tags, keep_later, &ms))
        return false;
    if (!ap_time_reference(tags, rate, &reference))
        return true;
    return set_reference(tags, reference > frames ? reference - frames : 0, rate);
}

bool ap_tags_append(ap_tags *tags, const ap_tags *of_part, uint64_t start, uint32_t rate)
{
    const uint64_t ms = to_ms(start, rate);
    ap_chapter *list = NULL;
    size_t count = 0;
    if (ms == AP_UNKNOWN || (of_part && !ap_chapters_list(of_part, &list, &count)))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = ap_chapters_add(tags, ms + list[i].start_ms, list[i].title);
    if (count == 0 && next_number(tags) > 1)
        ok = ap_chapters_add(tags, ms, of_part ? ap_tags_get(of_part, "TITLE") : NULL);
    free(list);
    return ok;
}
