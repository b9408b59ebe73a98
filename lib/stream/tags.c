/* SPDX-License-Identifier: GPL-3.0-or-later
 * tags.c - what a file says about itself: KEY=value pairs and a picture. */
#include "stream/tags.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Limits that no honest file reaches; they keep hostile ones from filling the memory. */
#define MAX_TAGS 4096
#define MAX_KEY 256
#define MAX_VALUE ((size_t)1 << 20)
#define MAX_PICTURE ((size_t)64 << 20)

typedef struct pair {
    char *key, *value;
} pair;

struct ap_tags {
    pair *pairs;
    size_t count, capacity;
    char *mime;
    unsigned char *picture;
    size_t picture_size;
};

ap_tags *ap_tags_new(void)
{
    return calloc(1, sizeof(ap_tags));
}

static void drop_pair(pair *p)
{
    free(p->key);
    free(p->value);
}

void ap_tags_free(ap_tags **tags)
{
    if (!tags || !*tags)
        return;
    for (size_t i = 0; i < (*tags)->count; i++)
        drop_pair(&(*tags)->pairs[i]);
    free((*tags)->pairs);
    free((*tags)->mime);
    free((*tags)->picture);
    free(*tags);
    *tags = NULL;
}

static bool key_equal(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        char x = *a >= 'a' && *a <= 'z' ? (char)(*a - 32) : *a;
        char y = *b >= 'a' && *b <= 'z' ? (char)(*b - 32) : *b;
        if (x != y)
            return false;
    }
    return *a == *b;
}

static char *fold_key(const char *key)
{
    size_t n = strlen(key);
    if (n == 0 || n > MAX_KEY)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (key[i] < 0x20 || key[i] > 0x7d || key[i] == '=') /* Vorbis I, 5.2.2: 0x20..0x7D without '=' */
            return NULL;
    char *folded = strdup(key);
    for (char *p = folded; p && *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 32);
    return folded;
}

static bool reserve_pair(ap_tags *tags)
{
    if (tags->count < tags->capacity)
        return true;
    if (tags->count >= MAX_TAGS)
        return false;
    size_t capacity = tags->capacity ? 2 * tags->capacity : 16;
    pair *pairs = realloc(tags->pairs, capacity * sizeof *pairs);
    if (!pairs)
        return false;
    tags->pairs = pairs;
    tags->capacity = capacity;
    return true;
}

bool ap_tags_add(ap_tags *tags, const char *key, const char *value)
{
    if (!*value)
        return true;
    if (strlen(value) > MAX_VALUE || !reserve_pair(tags))
        return false;
    pair p = {fold_key(key), ap_to_utf8(value)};
    if (!p.key || !p.value) {
        drop_pair(&p);
        return false;
    }
    tags->pairs[tags->count++] = p;
    return true;
}

/* Only those among the first so many pairs. key may be the key of one of them. */
static void remove_key(ap_tags *tags, const char *key, size_t first)
{
    size_t kept = 0;
    char copy[MAX_KEY + 1];
    snprintf(copy, sizeof copy, "%s", key);
    for (size_t i = 0; i < tags->count; i++) {
        if (i < first && key_equal(tags->pairs[i].key, copy))
            drop_pair(&tags->pairs[i]);
        else
            tags->pairs[kept++] = tags->pairs[i];
    }
    tags->count = kept;
}

void ap_tags_remove_if(ap_tags *tags, bool (*picks)(const char *key))
{
    size_t kept = 0;
    for (size_t i = 0; i < tags->count; i++) {
        if (picks(tags->pairs[i].key))
            drop_pair(&tags->pairs[i]);
        else
            tags->pairs[kept++] = tags->pairs[i];
    }
    tags->count = kept;
}

bool ap_tags_set(ap_tags *tags, const char *key, const char *value)
{
    size_t before = tags->count;
    if (!ap_tags_add(tags, key, value)) /* first: the value may be one of those that go */
        return false;
    remove_key(tags, key, before);
    return true;
}

const char *ap_tags_get(const ap_tags *tags, const char *key)
{
    for (size_t i = 0; tags && i < tags->count; i++)
        if (key_equal(tags->pairs[i].key, key))
            return tags->pairs[i].value;
    return NULL;
}

bool ap_tags_at(const ap_tags *tags, size_t index, const char **key, const char **value)
{
    if (!tags || index >= tags->count)
        return false;
    *key = tags->pairs[index].key;
    *value = tags->pairs[index].value;
    return true;
}

bool ap_tags_set_picture(ap_tags *tags, const char *mime, const void *data, size_t size)
{
    if (size > MAX_PICTURE)
        return false;
    char *new_mime = size ? strdup(mime) : NULL;
    unsigned char *copy = size ? malloc(size) : NULL;
    if (size && (!new_mime || !copy)) {
        free(new_mime);
        free(copy);
        return false;
    }
    if (size)
        memcpy(copy, data, size);
    free(tags->mime);
    free(tags->picture);
    tags->mime = new_mime;
    tags->picture = copy;
    tags->picture_size = size;
    return true;
}

ap_picture ap_tags_picture(const ap_tags *tags)
{
    if (!tags)
        return (ap_picture){0};
    return (ap_picture){tags->mime, tags->picture, tags->picture_size};
}

bool ap_tags_merge(ap_tags *tags, const ap_tags *from)
{
    const char *key, *value;
    for (size_t i = 0; ap_tags_at(from, i, &key, &value); i++)
        if (!ap_tags_add(tags, key, value))
            return false;
    ap_picture picture = ap_tags_picture(from);
    return picture.size == 0 || ap_tags_set_picture(tags, picture.mime, picture.data, picture.size);
}

bool ap_tags_fill(ap_tags *tags, const ap_tags *from)
{
    const char *key, *value;
    size_t own = tags->count;
    for (size_t i = 0; ap_tags_at(from, i, &key, &value); i++) {
        bool known = false;
        for (size_t k = 0; k < own && !known; k++)
            known = strcmp(tags->pairs[k].key, key) == 0;
        if (!known && !ap_tags_add(tags, key, value))
            return false;
    }
    ap_picture picture = ap_tags_picture(from);
    return !picture.size || tags->picture_size ||
           ap_tags_set_picture(tags, picture.mime, picture.data, picture.size);
}
