/* SPDX-License-Identifier: GPL-3.0-or-later
 * mp4_tags.c - the tags of MP4 (moov/udta/meta/ilst; Apple, "QuickTime File Format", Metadata), of which
 * libav gives one value each. */
#include "base/bytes.h"
#include "base/input.h"
#include "formats/mp3/id3.h"
#include "formats/tag_names.h"
#include "formats/vorbiscomment.h"
#include "plugins/av/av.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATOM_HEADER 8
#define DATA_HEADER 8 /* type and locale, before the value in a data atom */
#define META_HEADER 4 /* version and flags, before the atoms in meta */
#define MAX_ATOMS 10000
#define MAX_LIST ((uint64_t)80 << 20) /* room for the largest picture */
enum { TYPE_IMPLICIT = 0, TYPE_UTF_8 = 1 };

static const char *const keys[][2] = {
    {"\xa9nam", "TITLE"},
    {"\xa9"
     "ART",
     "ARTIST"},
    {"\xa9"
     "alb",
     "ALBUM"},
    {"aART", "ALBUMARTIST"},
    {"\xa9"
     "day",
     "DATE"},
    {"\xa9gen", "GENRE"},
    {"\xa9"
     "cmt",
     "COMMENT"},
    {"\xa9wrt", "COMPOSER"},
    {"\xa9lyr", "LYRICS"},
    {"cprt", "COPYRIGHT"},
    {"\xa9grp", "GROUPING"},
    {"desc", "DESCRIPTION"},
    {"soar", "ARTISTSORT"},
    {"soal", "ALBUMSORT"},
    {"soaa", "ALBUMARTISTSORT"},
    {"sonm", "TITLESORT"},
    {"soco", "COMPOSERSORT"},
    {"\xa9wrk", "WORK"},
    {"\xa9mvn", "MOVEMENTNAME"},
    {"\xa9mvi", "MOVEMENT"},
    {"tmpo", "BPM"},
    {"\xa9"
     "con",
     "CONDUCTOR"},
    {"cpil", "COMPILATION"},
};

/* An atom in memory. */
typedef struct atom {
    const unsigned char *type, *body;
    size_t size;
} atom;

/* Takes the next atom. false at the end, and where the sizes make no sense. */
static bool next_atom(const unsigned char **at, size_t *left, atom *a)
{
    if (*left < ATOM_HEADER)
        return false;
    uint64_t size = ap_get_big(*at, 4);
    if (size < ATOM_HEADER || size > *left)
        return false;
    *a = (atom){*at + 4, *at + ATOM_HEADER, (size_t)size - ATOM_HEADER};
    *at += size;
    *left -= (size_t)size;
    return true;
}

static bool is_type(const atom *a, const char *type)
{
    return memcmp(a->type, type, 4) == 0;
}

static void add(ap_tags *tags, const char *key, const char *value, size_t size)
{
    char *text = strndup(value, size);
    if (text)
        (void)ap_tags_add(tags, key, text); /* one that cannot be kept is no reason to stop */
    free(text);
}

static void add_number(ap_tags *tags, const char *key, uint64_t number)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    if (number)
        add(tags, key, text, (size_t)n);
}

/* One value of a free-form or usual item. */
static void add_value(ap_tags *tags, const char *key, const unsigned char *value, size_t size)
{
    uint64_t type = ap_get_big(value, 4);
    value += DATA_HEADER;
    size -= DATA_HEADER;
    if (type == TYPE_UTF_8 || type == TYPE_IMPLICIT)
        add(tags, key, (const char *)value, size);
    else if (size >= 1 && size <= 8) /* integers: tmpo, cpil, movements */
        add_number(tags, key, ap_get_big(value, size));
}

/* trkn and disk: two bytes of nothing, the number and the total in two each. */
static void add_position(ap_tags *tags, const char *key, const unsigned char *value, size_t size)
{
    if (size < DATA_HEADER + 6)
        return;
    add_number(tags, key, ap_get_big(value + DATA_HEADER + 2, 2));
    add_number(tags, ap_tag_total_of(key)->total, ap_get_big(value + DATA_HEADER + 4, 2));
}

static void add_data(ap_tags *tags, const atom *item, const char *key, const atom *data)
{
    const unsigned char *value = data->body;
    if (data->size < DATA_HEADER)
        return;
    if (key)
        add_value(tags, key, value, data->size);
    else if (is_type(item, "trkn"))
        add_position(tags, "TRACKNUMBER", value, data->size);
    else if (is_type(item, "disk"))
        add_position(tags, "DISCNUMBER", value, data->size);
    else if (is_type(item, "covr"))
        (void)ap_picture_add(tags, AP_FRONT_COVER, "", value + DATA_HEADER, data->size - DATA_HEADER);
    else if (is_type(item, "gnre") && data->size >= DATA_HEADER + 2) {
        uint64_t number = ap_get_big(value + DATA_HEADER, 2);
        const char *name = number ? ap_genre_name((unsigned)number - 1) : NULL;
        if (name)
            add(tags, "GENRE", name, strlen(name));
    }
}

static const char *key_of(const atom *item)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (is_type(item, keys[i][0]))
            return keys[i][1];
    return NULL;
}

/* An item: its data atoms are its values; in "----" an atom "name" goes before. */
static void parse_item(const atom *item, ap_tags *tags)
{
    const unsigned char *at = item->body;
    size_t left = item->size;
    const char *key = key_of(item);
    char name[128] = "";
    atom a;
    while (next_atom(&at, &left, &a)) {
        if (is_type(&a, "name") && is_type(item, "----") && a.size > 4 && a.size - 4 < sizeof name) {
            memcpy(name, a.body + 4, a.size - 4);
            name[a.size - 4] = 0;
            key = strncmp(name, "iTun", 4) == 0 ? NULL : ap_tag_key_of_name(name); /* of the encoder's */
        } else if (is_type(&a, "data")) {
            add_data(tags, item, key, &a);
        }
    }
}

/* Finds an atom among those from the position up to end; the position is its body then. */
static bool find_atom(ap_input *in, uint64_t *end, const char *type)
{
    unsigned char h[ATOM_HEADER + 8];
    for (int i = 0; i < MAX_ATOMS; i++) {
        uint64_t start = ap_input_tell(in), size, header = ATOM_HEADER;
        if (start + ATOM_HEADER > *end || ap_input_read(in, h, ATOM_HEADER, NULL) != ATOM_HEADER)
            return false;
        size = ap_get_big(h, 4);
        if (size == 1) { /* 64 bits */
            if (ap_input_read(in, h + ATOM_HEADER, 8, NULL) != 8)
                return false;
            size = ap_get_big(h + ATOM_HEADER, 8);
            header += 8;
        }
        if (size == 0 || size > *end - start)
            size = *end - start;
        if (size < header)
            return false;
        if (memcmp(h + 4, type, 4) == 0) {
            *end = start + size;
            return true;
        }
        if (!ap_input_seek(in, start + size, NULL))
            return false;
    }
    return false;
}

void ap_mp4_tags(ap_input *in, uint64_t start, ap_tags *tags)
{
    uint64_t end = ap_input_size(in);
    if (!ap_input_seek(in, start, NULL) || !find_atom(in, &end, "moov") || !find_atom(in, &end, "udta") ||
        !find_atom(in, &end, "meta") || !ap_input_seek(in, ap_input_tell(in) + META_HEADER, NULL) ||
        !find_atom(in, &end, "ilst"))
        return;
    uint64_t size = end - ap_input_tell(in);
    unsigned char *bytes = size <= MAX_LIST ? ap_input_load(in, (size_t)size, NULL) : NULL;
    const unsigned char *at = bytes;
    size_t left = bytes ? (size_t)size : 0;
    atom item;
    while (next_atom(&at, &left, &item))
        parse_item(&item, tags);
    free(bytes);
}
