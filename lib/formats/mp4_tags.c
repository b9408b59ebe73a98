/* SPDX-License-Identifier: GPL-3.0-or-later
 * mp4_tags.c - the tags of MP4 (moov/udta/meta/ilst; Apple, "QuickTime File Format", Metadata), of which
 * libav gives one value each. */
#include "formats/mp4_tags.h"
#include "base/picture_type.h"
#include "formats/mp3/id3.h"
#include "formats/tag_names.h"
#include "formats/vorbiscomment.h"
#include "stream/chapters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATOM_HEADER 8
#define DATA_HEADER 8 /* type and locale, before the value in a data atom */
#define META_HEADER 4 /* version and flags, before the atoms in meta */
#define MAX_ATOMS 10000
#define MAX_LIST ((uint64_t)80 << 20) /* room for the largest picture */
enum { TYPE_IMPLICIT = 0, TYPE_UTF_8 = 1, TYPE_JPEG = 13, TYPE_PNG = 14, TYPE_INTEGER = 21 };

/* The first row of a key is the one that is written. */
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

void ap_mp4_item_parse(const unsigned char *bytes, size_t size, ap_tags *tags)
{
    atom item;
    if (next_atom(&bytes, &size, &item))
        parse_item(&item, tags);
}

/* ---- writing */

size_t ap_mp4_open(ap_bytes *to, const char *type)
{
    size_t at = to->size;
    ap_bytes_zeros(to, 4);
    ap_bytes_add(to, type, 4);
    return at;
}

void ap_mp4_close(ap_bytes *to, size_t at)
{
    if (!to->failed)
        ap_put_big(to->data + at, to->size - at, 4);
}

static void add_data_atom(ap_bytes *to, uint32_t type, const void *bytes, size_t size)
{
    size_t at = ap_mp4_open(to, "data");
    ap_bytes_big(to, type, 4);
    ap_bytes_zeros(to, 4); /* locale */
    ap_bytes_add(to, bytes, size);
    ap_mp4_close(to, at);
}

static const char *type_of(const char *key)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i][1], key) == 0)
            return keys[i][0];
    return NULL;
}

/* All values of the key, a data atom each. */
static void add_all_values(ap_bytes *to, const ap_tags *tags, const char *key)
{
    static const char *const integers[] = {"BPM", "COMPILATION", "MOVEMENT"};
    const char *k, *value;
    bool number = false;
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        number = number || strcmp(integers[i], key) == 0;
    for (size_t i = 0; ap_tags_at(tags, i, &k, &value); i++) {
        unsigned char bytes[2];
        if (strcmp(k, key) != 0)
            continue;
        ap_put_big(bytes, (uint64_t)strtoul(value, NULL, 10) & 0xffff, 2);
        if (number)
            add_data_atom(to, TYPE_INTEGER, bytes + (strcmp(key, "COMPILATION") == 0),
                          strcmp(key, "COMPILATION") ? 2 : 1);
        else
            add_data_atom(to, TYPE_UTF_8, value, strlen(value));
    }
}

static void add_free_form(ap_bytes *to, const ap_tags *tags, const char *key)
{
    static const char mean[] = "com.apple.iTunes";
    const char *name = ap_tag_name_of_key(key);
    size_t item = ap_mp4_open(to, "----"), at = ap_mp4_open(to, "mean");
    ap_bytes_zeros(to, 4);
    ap_bytes_text(to, mean);
    ap_mp4_close(to, at);
    at = ap_mp4_open(to, "name");
    ap_bytes_zeros(to, 4);
    ap_bytes_text(to, name);
    ap_mp4_close(to, at);
    add_all_values(to, tags, key);
    ap_mp4_close(to, item);
}

static uint64_t number_of(const ap_tags *tags, const char *key)
{
    const char *value = ap_tags_get(tags, key);
    return value ? (uint64_t)strtoul(value, NULL, 10) & 0xffff : 0;
}

/* Of "3/12", as ID3 has it: 12; 0: there is none. */
static uint64_t total_in(const ap_tags *tags, const char *key)
{
    const char *value = ap_tags_get(tags, key), *slash = value ? strchr(value, '/') : NULL;
    return slash ? (uint64_t)strtoul(slash + 1, NULL, 10) & 0xffff : 0;
}

/* trkn or disk of a number and its total. */
static void add_pair(ap_bytes *to, const ap_tags *tags, const char *type, const ap_tag_total *t)
{
    unsigned char bytes[8] = {0};
    uint64_t total = number_of(tags, t->total);
    total = total ? total : number_of(tags, t->alias);
    ap_put_big(bytes + 2, number_of(tags, t->number), 2);
    ap_put_big(bytes + 4, total ? total : total_in(tags, t->number), 2);
    size_t item = ap_mp4_open(to, type);
    add_data_atom(to, TYPE_IMPLICIT, bytes, type[0] == 't' ? 8 : 6);
    ap_mp4_close(to, item);
}

/* The atom of a number and its total that a key goes into: "trkn", "disk" or NULL. */
static const char *pair_of(const char *key, const ap_tag_total **t)
{
    static const char *const pairs[][2] = {{"TRACKNUMBER", "trkn"}, {"DISCNUMBER", "disk"}};
    for (size_t i = 0; i < 2; i++) {
        *t = ap_tag_total_of(pairs[i][0]);
        if (strcmp(key, (*t)->number) == 0 || strcmp(key, (*t)->total) == 0 || strcmp(key, (*t)->alias) == 0)
            return pairs[i][1];
    }
    return NULL;
}

static void add_cover(ap_bytes *to, const ap_picture *picture)
{
    ap_picture_type kind = ap_picture_type_of(picture->data, picture->size);
    size_t item = ap_mp4_open(to, "covr");
    add_data_atom(to,
                  kind == AP_PICTURE_JPEG  ? TYPE_JPEG
                  : kind == AP_PICTURE_PNG ? TYPE_PNG
                                           : TYPE_IMPLICIT,
                  picture->data, picture->size);
    ap_mp4_close(to, item);
}

/* One of the keys, with its first value. */
static void add_item(ap_bytes *to, const ap_tags *tags, const char *key)
{
    const char *type = type_of(key);
    if (!type) {
        add_free_form(to, tags, key);
        return;
    }
    size_t item = ap_mp4_open(to, type);
    add_all_values(to, tags, key);
    ap_mp4_close(to, item);
}

void ap_mp4_items_make(ap_bytes *to, const ap_tags *tags, bool (*wanted)(const void *user, const char *key),
                       const void *user, bool picture)
{
    const char *key, *value;
    const ap_tag_total *t;
    bool pairs[2] = {false, false}; /* written: trkn, disk */
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++) {
        if (ap_is_chapter_key(key) || (wanted && !wanted(user, key)))
            continue;
        const char *pair = pair_of(key, &t);
        bool *done = pair ? &pairs[pair[0] == 'd'] : NULL;
        if (pair && !*done)
            add_pair(to, tags, pair, t);
        else if (!pair && ap_tags_get(tags, key) == value)
            add_item(to, tags, key);
        if (done)
            *done = true;
    }
    ap_picture cover = ap_tags_picture(tags);
    if (picture && cover.size)
        add_cover(to, &cover);
}
