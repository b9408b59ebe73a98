/* SPDX-License-Identifier: GPL-3.0-or-later
 * id3_make.c - tags as ID3v2.4 (id3.org, "ID3 tag version 2.4.0 - Native Frames"). */
#include "base/bytes.h"
#include "base/error.h"
#include "formats/mp3/id3.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE 10
#define MAX_SIZE ((size_t)0x0fffffff) /* 28 bits */
#define UTF_8 3
#define LATIN_1 0
#define FRONT_COVER 3

/* The frames of the usual keys; all others become TXXX with the key as description. */
static const struct {
    const char *key, *id;
} frames[] = {
    {"TITLE", "TIT2"},          {"ARTIST", "TPE1"},
    {"ALBUM", "TALB"},          {"ALBUMARTIST", "TPE2"},
    {"ALBUM ARTIST", "TPE2"},   {"TRACKNUMBER", "TRCK"},
    {"DISCNUMBER", "TPOS"},     {"DATE", "TDRC"},
    {"YEAR", "TDRC"},           {"GENRE", "TCON"},
    {"COMMENT", "COMM"},        {"DESCRIPTION", "COMM"},
    {"COMPOSER", "TCOM"},       {"LYRICS", "USLT"},
    {"UNSYNCEDLYRICS", "USLT"}, {"COPYRIGHT", "TCOP"},
    {"PUBLISHER", "TPUB"},      {"ORGANIZATION", "TPUB"},
    {"LABEL", "TPUB"},          {"CONDUCTOR", "TPE3"},
    {"REMIXER", "TPE4"},        {"LYRICIST", "TEXT"},
    {"ISRC", "TSRC"},           {"BPM", "TBPM"},
    {"LANGUAGE", "TLAN"},       {"GROUPING", "TIT1"},
    {"SUBTITLE", "TIT3"},       {"INITIALKEY", "TKEY"},
    {"MOOD", "TMOO"},           {"MEDIA", "TMED"},
    {"COMPILATION", "TCMP"},    {"ORIGINALDATE", "TDOR"},
    {"ENCODER", "TSSE"},        {"ENCODED-BY", "TENC"},
    {"TITLESORT", "TSOT"},      {"ARTISTSORT", "TSOP"},
    {"ALBUMSORT", "TSOA"},      {"ALBUMARTISTSORT", "TSO2"},
    {"COMPOSERSORT", "TSOC"},
};

/* Keys whose value goes behind a slash into the frame of another key. */
static const struct {
    const char *key, *total;
} totals[] = {
    {"TRACKNUMBER", "TRACKTOTAL"},
    {"TRACKNUMBER", "TOTALTRACKS"},
    {"DISCNUMBER", "DISCTOTAL"},
    {"DISCNUMBER", "TOTALDISCS"},
};

static const char *frame_id(const char *key)
{
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        if (strcmp(frames[i].key, key) == 0)
            return frames[i].id;
    return "TXXX";
}

static bool same_frame(const char *key, const char *other)
{
    const char *id = frame_id(key);
    return strcmp(key, other) == 0 || (strcmp(id, "TXXX") != 0 && strcmp(id, frame_id(other)) == 0);
}

static bool is_ascii(const ap_bytes *b)
{
    for (size_t i = 0; i < b->size; i++)
        if (b->data[i] >= 0x80)
            return false;
    return true;
}

/* Sizes have 7 bits to a byte. */
static void put_size(unsigned char *p, size_t size)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(size >> (21 - 7 * i) & 0x7f);
}

/* Adds a frame, unless the tag would get larger than it may. */
static void add_frame(ap_bytes *tag, const char *id, const ap_bytes *body)
{
    unsigned char header[HEADER_SIZE] = {0};
    if (tag->size + HEADER_SIZE + body->size > MAX_SIZE)
        return;
    memcpy(header, id, 4);
    put_size(header + 4, body->size);
    ap_bytes_add(tag, header, sizeof header);
    ap_bytes_add(tag, body->data, body->size);
    tag->failed |= body->failed;
}

/* All values of the frame that tag number first begins: separated by NUL, in comments and lyrics by newlines.
 */
static void add_values(ap_bytes *body, const ap_tags *tags, size_t first, bool lines)
{
    const char *key, *other, *value;
    ap_tags_at(tags, first, &key, &value);
    ap_bytes_text(body, value);
    for (size_t i = first + 1; ap_tags_at(tags, i, &other, &value); i++) {
        if (!same_frame(key, other))
            continue;
        ap_bytes_add(body, lines ? "\n" : "", 1);
        ap_bytes_text(body, value);
    }
}

static void add_total(ap_bytes *body, const ap_tags *tags, const char *key)
{
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        const char *total = ap_tags_get(tags, totals[i].total);
        if (strcmp(key, totals[i].key) == 0 && total && body->size && !memchr(body->data, '/', body->size)) {
            ap_bytes_text(body, "/");
            ap_bytes_text(body, total);
        }
    }
}

/* A tag that an earlier one has taken into its frame. */
static bool is_taken(const ap_tags *tags, size_t index, const char *key)
{
    const char *other, *value;
    for (size_t i = 0; i < index && ap_tags_at(tags, i, &other, &value); i++)
        if (same_frame(key, other))
            return true;
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        if (strcmp(key, totals[i].total) == 0 && ap_tags_get(tags, totals[i].key))
            return true;
    return false;
}

static void add_text(ap_bytes *tag, const ap_tags *tags, size_t index, const char *key)
{
    const char *id = frame_id(key);
    bool lines = strcmp(id, "COMM") == 0 || strcmp(id, "USLT") == 0;
    ap_bytes body = {0}, values = {0};
    add_values(&values, tags, index, lines);
    add_total(&values, tags, key);
    ap_bytes_big(&body, is_ascii(&values) ? LATIN_1 : UTF_8, 1); /* old players read the first only */
    if (lines)
        ap_bytes_add(&body, "eng", 4); /* language, as most programs set it, and no description */
    if (strcmp(id, "TXXX") == 0)
        ap_bytes_add(&body, key, strlen(key) + 1);
    ap_bytes_add(&body, values.data, values.size);
    body.failed |= values.failed;
    add_frame(tag, id, &body);
    free(values.data);
    free(body.data);
}

static void add_picture(ap_bytes *tag, const ap_picture *picture)
{
    ap_bytes body = {0};
    ap_bytes_big(&body, LATIN_1, 1);
    ap_bytes_add(&body, picture->mime, strlen(picture->mime) + 1);
    ap_bytes_big(&body, FRONT_COVER, 1);
    ap_bytes_zeros(&body, 1); /* no description */
    ap_bytes_add(&body, picture->data, picture->size);
    add_frame(tag, "APIC", &body);
    free(body.data);
}

bool ap_id3_make(const ap_tags *tags, unsigned char **bytes, size_t *size, ap_error *err)
{
    static const unsigned char header[HEADER_SIZE] = {'I', 'D', '3', 4, 0};
    const char *key, *value;
    ap_bytes tag = {0};
    ap_bytes_add(&tag, header, sizeof header);
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++)
        if (!is_taken(tags, i, key))
            add_text(&tag, tags, i, key);
    ap_picture picture = ap_tags_picture(tags);
    if (picture.size)
        add_picture(&tag, &picture);
    *bytes = NULL;
    *size = 0;
    if (tag.failed || tag.size == HEADER_SIZE) {
        free(tag.data);
        return !tag.failed || ap_fail_memory(err);
    }
    put_size(tag.data + 6, tag.size - HEADER_SIZE);
    *bytes = tag.data;
    *size = tag.size;
    return true;
}
