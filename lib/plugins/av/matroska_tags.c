/* SPDX-License-Identifier: GPL-3.0-or-later
 * matroska_tags.c - the tags of Matroska and WebM, all values of each: libav keeps the last one (RFC 9559,
 * 5.1.8; EBML: RFC 8794). */
#include "plugins/av/av_tags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TAGS (UINT64_C(16) << 20)
#define MAX_ELEMENTS 1000 /* before the first cluster */

enum {
    ID_SEGMENT = 0x18538067,
    ID_SEEK_HEAD = 0x114d9b74,
    ID_SEEK = 0x4dbb,
    ID_SEEK_ID = 0x53ab,
    ID_SEEK_POSITION = 0x53ac,
    ID_CLUSTER = 0x1f43b675,
    ID_TAGS = 0x1254c367,
    ID_TAG = 0x7373,
    ID_TARGETS = 0x63c0,
    ID_TARGET_TYPE = 0x63ca,
    ID_TRACK = 0x63c5,
    ID_EDITION = 0x63c9,
    ID_CHAPTER = 0x63c4,
    ID_ATTACHMENT = 0x63c6,
    ID_SIMPLE = 0x67c8,
    ID_NAME = 0x45a3,
    ID_STRING = 0x4487,
};

typedef struct span {
    const unsigned char *at, *end;
} span;

static uint64_t value_of(span s)
{
    uint64_t v = 0;
    for (; s.at < s.end; s.at++)
        v = v << 8 | *s.at;
    return v;
}

/* A number of variable size; with its marker, for an id. false: it is not whole. */
static bool read_number(span *s, bool marked, uint64_t *v)
{
    if (s->at >= s->end || *s->at == 0)
        return false;
    size_t n = (size_t)__builtin_clz(*s->at) - 23;
    if ((size_t)(s->end - s->at) < n)
        return false;
    *v = value_of((span){s->at, s->at + n});
    if (!marked)
        *v &= (UINT64_C(1) << 7 * n) - 1;
    s->at += n;
    return true;
}

/* The next element; s then stands after it. false: there is none. */
static bool next_element(span *s, uint64_t *id, span *body)
{
    uint64_t size;
    if (!read_number(s, true, id) || !read_number(s, false, &size) || size > (uint64_t)(s->end - s->at))
        return false;
    *body = (span){s->at, s->at + size};
    s->at += size;
    return true;
}

static bool find(span s, uint64_t wanted, span *body)
{
    uint64_t id;
    while (next_element(&s, &id, body))
        if (id == wanted)
            return true;
    return false;
}

/* Texts may be padded with zeros. */
static char *text_of(span s)
{
    return strndup((const char *)s.at, (size_t)(s.end - s.at));
}

/* Of a tag of the whole: its target type, "" if it has none. false: it is about a part. */
static bool read_target(span tag, char *type, size_t size)
{
    static const uint64_t parts[] = {ID_TRACK, ID_EDITION, ID_CHAPTER, ID_ATTACHMENT};
    span targets, found;
    *type = 0;
    if (!find(tag, ID_TARGETS, &targets))
        return true;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (find(targets, parts[i], &found) && value_of(found))
            return false;
    if (find(targets, ID_TARGET_TYPE, &found))
        snprintf(type, size, "%.*s", (int)(found.end - found.at < 32 ? found.end - found.at : 32), found.at);
    return true;
}

/* The values of a Tag element, their names as libav makes them. */
static void read_tag(span tag, ap_tags *tags)
{
    char type[40], key[256];
    uint64_t id;
    span body, name, string;
    ap_tags *own = ap_tags_new();
    bool whole = own && read_target(tag, type, sizeof type);
    while (whole && next_element(&tag, &id, &body)) {
        if (id != ID_SIMPLE || !find(body, ID_NAME, &name) || !find(body, ID_STRING, &string))
            continue;
        char *n = text_of(name), *v = text_of(string);
        if (n && v && snprintf(key, sizeof key, "%s%s%s", type, *type ? "/" : "", n) < (int)sizeof key)
            ap_av_add_tag(own, key, v);
        free(n);
        free(v);
    }
    if (own)
        (void)ap_tags_fill(tags, own);
    ap_tags_free(&own);
}

/* An element in the file; its size may be unknown: to the end. */
static bool read_head(ap_input *in, uint64_t at, uint64_t *id, uint64_t *begin, uint64_t *size)
{
    unsigned char h[12];
    if (!ap_input_seek(in, at, NULL))
        return false;
    ptrdiff_t n = ap_input_read(in, h, sizeof h, NULL);
    span s = {h, h + (n > 0 ? n : 0)};
    if (!read_number(&s, true, id) || !read_number(&s, false, size))
        return false;
    *begin = at + (uint64_t)(s.at - h);
    return true;
}

static unsigned char *load(ap_input *in, uint64_t begin, uint64_t size, span *s)
{
    unsigned char *p =
        size <= MAX_TAGS && ap_input_seek(in, begin, NULL) ? ap_input_load(in, (size_t)size, NULL) : NULL;
    *s = (span){p, p ? p + size : p};
    return p;
}

static void read_tags(ap_input *in, uint64_t begin, uint64_t size, ap_tags *tags)
{
    uint64_t id;
    span s, tag;
    unsigned char *p = load(in, begin, size, &s);
    while (p && next_element(&s, &id, &tag))
        if (id == ID_TAG)
            read_tag(tag, tags);
    free(p);
}

/* Where the tags are, as the SeekHead says, from the start of the segment; 0: it does not say. */
static uint64_t listed_tags(ap_input *in, uint64_t begin, uint64_t size)
{
    uint64_t id, place = 0;
    span s, seek, of, position;
    unsigned char *p = load(in, begin, size, &s);
    while (p && next_element(&s, &id, &seek))
        if (id == ID_SEEK && find(seek, ID_SEEK_ID, &of) && value_of(of) == ID_TAGS &&
            find(seek, ID_SEEK_POSITION, &position))
            place = value_of(position);
    free(p);
    return place;
}

void ap_matroska_tags(ap_input *in, uint64_t start, ap_tags *tags)
{
    uint64_t id, at, begin, size, listed = 0;
    bool found = false;
    if (!read_head(in, start, &id, &begin, &size) || size > MAX_TAGS ||
        !read_head(in, begin + size, &id, &begin, &size) || id != ID_SEGMENT)
        return;
    const uint64_t segment = at = begin;
    for (int i = 0; i < MAX_ELEMENTS && read_head(in, at, &id, &begin, &size) && id != ID_CLUSTER; i++) {
        if (id == ID_SEEK_HEAD && !listed)
            listed = listed_tags(in, begin, size);
        if (id == ID_TAGS)
            read_tags(in, begin, size, tags);
        found = found || id == ID_TAGS;
        if (size > UINT64_MAX / 4)
            return;
        at = begin + size;
    }
    if (!found && listed && listed < UINT64_MAX / 4 && read_head(in, segment + listed, &id, &begin, &size) &&
        id == ID_TAGS)
        read_tags(in, begin, size, tags);
}
