/* SPDX-License-Identifier: GPL-3.0-or-later
 * id3_make.c - tags as ID3v2.4 (id3.org, "ID3 tag version 2.4.0 - Native Frames"). */
#include "base/bytes.h"
#include "base/error.h"
#include "formats/mp3/id3.h"
#include "formats/tag_names.h"
#include "formats/vorbiscomment.h"
#include "stream/chapters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE 10
#define MAX_SIZE ((size_t)0x0fffffff) /* 28 bits */
#define UTF_8 3
#define LATIN_1 0
#define NO_OFFSET 0xffffffffu

#define PERFORMER "PERFORMER"

/* The frame of a key; all keys without one of their own become TXXX. */
static const char *frame_id(const char *key)
{
    if (strcmp(key, "MUSICBRAINZ_TRACKID") == 0)
        return "UFID";
    if (strcmp(key, PERFORMER) == 0)
        return "TMCL";
    return ap_tag_role_of_key(key) ? "TIPL" : ap_tag_id3_of_key(key);
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

/* Adds a frame, unless the tag would get larger than it may. */
static void add_frame(ap_bytes *tag, const char *id, const ap_bytes *body)
{
    unsigned char header[HEADER_SIZE] = {0};
    if (tag->size + HEADER_SIZE + body->size > MAX_SIZE - AP_ID3_PADDING - 1)
        return;
    memcpy(header, id, 4);
    ap_id3_put_size(header + 4, body->size);
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

/* "3" becomes "3/12". */
static void add_total(ap_bytes *body, const ap_tags *tags, const char *key)
{
    const ap_tag_total *t = ap_tag_total_of(key);
    const char *total = t ? ap_tags_get(tags, t->total) : NULL;
    if (t && !total)
        total = ap_tags_get(tags, t->alias);
    if (!total || !body->size || memchr(body->data, '/', body->size))
        return;
    ap_bytes_text(body, "/");
    ap_bytes_text(body, total);
}

/* Whether key is the total of number and goes into its frame. */
static bool is_total_of(const char *number, const char *key)
{
    const ap_tag_total *t = ap_tag_total_of(number);
    return t && (strcmp(key, t->total) == 0 || strcmp(key, t->alias) == 0);
}

/* A tag that an earlier one has taken into its frame. */
static bool is_taken(const ap_tags *tags, size_t index, const char *key)
{
    const char *other, *value;
    for (size_t i = 0; ap_tags_at(tags, i, &other, &value); i++)
        if (is_total_of(other, key) || (i < index && same_frame(key, other)))
            return true;
    return false;
}

/* Parts and people: "Name (instrument)" of PERFORMER is taken apart. */
static void add_people(ap_bytes *body, const ap_tags *tags, const char *id)
{
    const char *key, *value;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++) {
        if (strcmp(frame_id(key), id) != 0)
            continue;
        const char *role = ap_tag_role_of_key(key), *end = value + strlen(value);
        const char *open = !role && end > value && end[-1] == ')' ? strrchr(value, '(') : NULL;
        bool split = open && open > value + 1 && open[-1] == ' ';
        if (body->size)
            ap_bytes_zeros(body, 1);
        ap_bytes_add(body, split ? open + 1 : role,
                     split  ? (size_t)(end - open) - 2
                     : role ? strlen(role)
                            : 0);
        ap_bytes_zeros(body, 1);
        ap_bytes_add(body, value, split ? (size_t)(open - value) - 1 : strlen(value));
    }
}

static void add_identifier(ap_bytes *tag, const char *value)
{
    ap_bytes body = {0};
    ap_bytes_add(&body, AP_ID3_MUSICBRAINZ, sizeof AP_ID3_MUSICBRAINZ);
    ap_bytes_text(&body, value);
    add_frame(tag, "UFID", &body);
    free(body.data);
}

static void add_text(ap_bytes *tag, const ap_tags *tags, size_t index, const char *key)
{
    const char *id = frame_id(key);
    bool lines = strcmp(id, "COMM") == 0 || strcmp(id, "USLT") == 0;
    ap_bytes body = {0}, values = {0};
    if (strcmp(id, "TIPL") == 0 || strcmp(id, "TMCL") == 0)
        add_people(&values, tags, id);
    else
        add_values(&values, tags, index, lines);
    add_total(&values, tags, key);
    ap_bytes_big(&body, is_ascii(&values) ? LATIN_1 : UTF_8, 1); /* old players read the first only */
    if (lines)
        ap_bytes_add(&body, "eng", 4); /* language, as most programs set it, and no description */
    if (strcmp(id, "TXXX") == 0)
        ap_bytes_add(&body, ap_tag_name_of_key(key), strlen(ap_tag_name_of_key(key)) + 1);
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
    ap_bytes_big(&body, AP_FRONT_COVER, 1);
    ap_bytes_zeros(&body, 1); /* no description */
    ap_bytes_add(&body, picture->data, picture->size);
    add_frame(tag, "APIC", &body);
    free(body.data);
}

static void add_chapter(ap_bytes *tag, size_t number, const ap_chapter *c, uint64_t end_ms)
{
    char id[24]; /* chp and any number */
    ap_bytes body = {0}, title = {0};
    snprintf(id, sizeof id, "chp%zu", number);
    ap_bytes_add(&body, id, strlen(id) + 1);
    ap_bytes_big(&body, c->start_ms < NO_OFFSET ? c->start_ms : NO_OFFSET, 4);
    ap_bytes_big(&body, end_ms < NO_OFFSET ? end_ms : NO_OFFSET, 4);
    ap_bytes_big(&body, UINT64_C(0xffffffffffffffff), 8); /* no offsets in bytes */
    if (c->title) {
        ap_bytes_big(&title, UTF_8, 1);
        ap_bytes_text(&title, c->title);
        add_frame(&body, "TIT2", &title);
    }
    add_frame(tag, "CHAP", &body);
    free(title.data);
    free(body.data);
}

/* The table of contents has room for 255 chapters; readers find the others without it. */
static void add_contents(ap_bytes *tag, size_t count)
{
    char id[24]; /* chp and any number */
    ap_bytes body = {0};
    ap_bytes_add(&body, "toc", 4);
    ap_bytes_big(&body, 3, 1); /* top level, ordered */
    count = count < UINT8_MAX ? count : UINT8_MAX;
    ap_bytes_big(&body, count, 1);
    for (size_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, "chp%zu", i);
        ap_bytes_add(&body, id, strlen(id) + 1);
    }
    add_frame(tag, "CTOC", &body);
    free(body.data);
}

/* CTOC and CHAP ("ID3v2 Chapter Frame Addendum" 1.0). */
static bool add_chapters(ap_bytes *tag, const ap_tags *tags, uint64_t duration_ms)
{
    ap_chapter *list;
    size_t count;
    if (!ap_chapters_list(tags, &list, &count))
        return false;
    if (count)
        add_contents(tag, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t end_ms = i + 1 < count ? list[i + 1].start_ms : duration_ms;
        add_chapter(tag, i, &list[i],
                    end_ms == AP_UNKNOWN || end_ms < list[i].start_ms ? list[i].start_ms : end_ms);
    }
    free(list);
    return true;
}

bool ap_id3_make(const ap_tags *tags, const ap_format *format, unsigned char **bytes, size_t *size,
                 ap_error *err)
{
    static const unsigned char header[HEADER_SIZE] = {'I', 'D', '3', 4, 0};
    const char *key, *value;
    ap_bytes tag = {0};
    ap_bytes_add(&tag, header, sizeof header);
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++)
        if (strcmp(frame_id(key), "UFID") == 0 && ap_tags_get(tags, key) == value)
            add_identifier(&tag, value);
        else if (!ap_is_chapter_key(key) && !is_taken(tags, i, key))
            add_text(&tag, tags, i, key);
    bool known = format && format->frames != AP_UNKNOWN && format->frames < UINT64_MAX / 1000;
    tag.failed |= !add_chapters(&tag, tags, known ? format->frames * 1000 / format->rate : AP_UNKNOWN);
    ap_picture picture = ap_tags_picture(tags);
    if (picture.size)
        add_picture(&tag, &picture);
    *bytes = NULL;
    *size = 0;
    bool empty = tag.size == HEADER_SIZE;
    ap_bytes_zeros(&tag, AP_ID3_PADDING +
                             (tag.size & 1)); /* even, so that a chunk of RIFF or AIFF needs no pad byte */
    if (tag.failed || empty) {
        free(tag.data);
        return !tag.failed || ap_fail_memory(err);
    }
    ap_id3_put_size(tag.data + 6, tag.size - HEADER_SIZE);
    *bytes = tag.data;
    *size = tag.size;
    return true;
}
