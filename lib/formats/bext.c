/* SPDX-License-Identifier: GPL-3.0-or-later
 * bext.c - what recorders and broadcasters note in WAV: EBU Tech 3285, "Specification of the Broadcast Wave
 * Format", 2.3. It is kept as text, so that it passes through pipes and other formats. The loudness of
 * version 2 is not: it would no longer be true after most stages. */
#include "formats/bext.h"
#include "base/text.h"
#include "stream/chapters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIME_AT = 338, VERSION_AT = 346, UMID_AT = 348, UMID_SIZE = 64, HISTORY_AT = 602 };
#define UMID "BEXT_UMID"
#define HISTORY "BEXT_CODING_HISTORY"

static const struct {
    const char *key;
    size_t at, size;
} texts[] = {
    {"BEXT_DESCRIPTION", 0, 256},           {"BEXT_ORIGINATOR", 256, 32},
    {"BEXT_ORIGINATOR_REFERENCE", 288, 32}, {"BEXT_ORIGINATION_DATE", 320, 10},
    {"BEXT_ORIGINATION_TIME", 330, 8},
};

bool ap_is_bext_key(const char *key)
{
    return strncmp(key, "BEXT_", 5) == 0;
}

static void set(ap_tags *tags, const char *key, const unsigned char *text, size_t size)
{
    char *copy = strndup((const char *)text, size);
    if (copy)
        (void)ap_tags_set(tags, key, copy); /* one that cannot be kept is no reason to stop */
    free(copy);
}

static void set_umid(ap_tags *tags, const unsigned char *bytes)
{
    char text[2 * UMID_SIZE + 1];
    bool empty = true;
    for (size_t i = 0; i < UMID_SIZE; i++) {
        snprintf(text + 2 * i, 3, "%02X", bytes[i]);
        empty = empty && bytes[i] == 0;
    }
    if (!empty)
        (void)ap_tags_set(tags, UMID, text);
}

void ap_bext_parse(const unsigned char *bytes, size_t size, uint32_t rate, ap_tags *tags)
{
    char time[48];
    if (size < HISTORY_AT)
        return;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        set(tags, texts[i].key, bytes + texts[i].at, texts[i].size);
    uint64_t frames = ap_get_little(bytes + TIME_AT, 8);
    snprintf(time, sizeof time, "%" PRIu64 "/%" PRIu32, frames, rate);
    if (frames)
        (void)ap_tags_set(tags, AP_TIME_REFERENCE, time);
    if (ap_get_little(bytes + VERSION_AT, 2) >= 1)
        set_umid(tags, bytes + UMID_AT);
    set(tags, HISTORY, bytes + HISTORY_AT, size - HISTORY_AT);
}

static bool has_any(const ap_tags *tags)
{
    const char *key, *value;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++)
        if (ap_is_bext_key(key))
            return true;
    return false;
}

static bool put_umid(unsigned char *to, const char *text)
{
    unsigned char bytes[UMID_SIZE];
    if (!text || strlen(text) != 2 * sizeof bytes ||
        strspn(text, "0123456789ABCDEFabcdef") != 2 * sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++) {
        unsigned byte = 0;
        sscanf(text + 2 * i, "%2x", &byte);
        bytes[i] = (unsigned char)byte;
    }
    memcpy(to, bytes, sizeof bytes);
    return true;
}

void ap_bext_make(ap_bytes *b, const ap_tags *tags, uint32_t rate)
{
    unsigned char body[HISTORY_AT] = {0};
    if (!has_any(tags))
        return;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = ap_tags_get(tags, texts[i].key);
        if (text)
            memcpy(body + texts[i].at, text, ap_utf8_fit(text, texts[i].size));
    }
    uint64_t frames;
    if (ap_time_reference(tags, rate, &frames))
        ap_put_little(body + TIME_AT, frames, 8);
    const char *umid = ap_tags_get(tags, UMID), *history = ap_tags_get(tags, HISTORY);
    bool has_umid = put_umid(body + UMID_AT, umid);
    ap_put_little(body + VERSION_AT, has_umid, 2);
    ap_bytes_add(b, body, sizeof body);
    if (history)
        ap_bytes_text(b, history);
    ap_bytes_zeros(b, b->size & 1);
}
