/* SPDX-License-Identifier: GPL-3.0-or-later
 * vorbiscomment.c - Vorbis comments and FLAC pictures, which libsndfile mostly loses. Vorbis I, section 5;
 * RFC 9639, sections 8.6 and 8.8; RFC 4648 for base64. */
#include "formats/vorbiscomment.h"
#include "base/base64.h"
#include "base/bytes.h"
#include "base/picture_type.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OTHER_PICTURE 0
#define PICTURE_NUMBERS 32 /* bytes of a picture block besides its three strings */
#define MAX_MIME 255

/* Bytes that are still to be parsed. */
typedef struct cursor {
    const unsigned char *at;
    size_t left;
} cursor;

static const unsigned char *take(cursor *c, size_t size)
{
    if (size > c->left)
        return NULL;
    const unsigned char *p = c->at;
    c->at += size;
    c->left -= size;
    return p;
}

static bool take32le(cursor *c, uint32_t *v)
{
    const unsigned char *p = take(c, 4);
    if (p)
        *v = (uint32_t)ap_get_little(p, 4);
    return p;
}

static bool take32be(cursor *c, uint32_t *v)
{
    const unsigned char *p = take(c, 4);
    if (p)
        *v = (uint32_t)ap_get_big(p, 4);
    return p;
}

/* ---- pictures */

bool ap_picture_add(ap_tags *tags, unsigned type, const char *mime, const unsigned char *data, size_t size)
{
    const char *found = ap_picture_mime(ap_picture_type_of(data, size));
    if (size == 0 || (!found && strncmp(mime, "image/", 6) != 0))
        return false; /* "-->": only the address of a picture */
    if (type != AP_FRONT_COVER && ap_tags_picture(tags).size)
        return true;
    return ap_tags_set_picture(tags, found ? found : mime, data, size);
}

bool ap_flac_picture_parse(const unsigned char *bytes, size_t size, ap_tags *tags)
{
    cursor c = {bytes, size};
    uint32_t type, mime_size, text_size, data_size;
    char mime[MAX_MIME + 1] = "";
    if (!take32be(&c, &type) || !take32be(&c, &mime_size))
        return false;
    const unsigned char *p = take(&c, mime_size);
    if (!p || mime_size > MAX_MIME)
        return false;
    memcpy(mime, p, mime_size);
    if (!take32be(&c, &text_size) || !take(&c, text_size) || !take(&c, 16) || !take32be(&c, &data_size))
        return false;
    p = take(&c, data_size);
    return p && ap_picture_add(tags, type, mime, p, data_size);
}

static unsigned char *put32be(unsigned char *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        *p++ = (unsigned char)(v >> (24 - 8 * i));
    return p;
}

unsigned char *ap_flac_picture_make(const ap_picture *picture, size_t *size)
{
    size_t mime_size = strlen(picture->mime);
    *size = PICTURE_NUMBERS + mime_size + picture->size;
    unsigned char *block = calloc(1, *size);
    if (!block)
        return NULL;
    unsigned char *p = put32be(put32be(block, AP_FRONT_COVER), mime_size);
    memcpy(p, picture->mime, mime_size);
    p += mime_size + 20; /* no description; the four numbers about the image may be zero */
    memcpy(put32be(p, picture->size), picture->data, picture->size);
    return block;
}

/* ---- comments */

static bool parse_picture_comment(const unsigned char *text, size_t length, ap_tags *tags)
{
    size_t size;
    unsigned char *block = ap_base64_decode(text, length, &size);
    bool ok = block && ap_flac_picture_parse(block, size, tags);
    free(block);
    return ok;
}

/* COVERART, older than the picture block: the image alone. Its type, in COVERARTMIME, is seen from it. */
static bool parse_cover_comment(const unsigned char *text, size_t length, ap_tags *tags)
{
    size_t size;
    unsigned char *image = ap_base64_decode(text, length, &size);
    bool ok = image && (ap_tags_picture(tags).size || ap_picture_add(tags, OTHER_PICTURE, "", image, size));
    free(image);
    return ok;
}

/* Whether the comment has this key; *skip gets the length of key and '='. */
static bool has_key(const unsigned char *bytes, size_t size, const char *key, size_t *skip)
{
    *skip = strlen(key) + 1;
    return size >= *skip && strncasecmp((const char *)bytes, key, *skip - 1) == 0 && bytes[*skip - 1] == '=';
}

void ap_tags_add_position(ap_tags *tags, const ap_tag_total *names, const char *value)
{
    const char *slash = strchr(value, '/');
    char *number = strndup(value, slash ? (size_t)(slash - value) : strlen(value));
    if (number && (!ap_tags_get(tags, names->number) || !slash))
        (void)ap_tags_add(tags, names->number, number); /* one that cannot be kept is no reason to stop */
    if (number && slash && !ap_tags_get(tags, names->total) && !ap_tags_get(tags, names->alias))
        (void)ap_tags_add(tags, names->total, slash + 1);
    free(number);
}

/* Digits, a slash and digits. */
static bool is_position(const char *value)
{
    size_t n = strspn(value, "0123456789"), m = value[n] == '/' ? strspn(value + n + 1, "0123456789") : 0;
    return n && m && value[n + 1 + m] == 0;
}

static bool add_pair(const unsigned char *bytes, size_t size, ap_tags *tags)
{
    char *key = strndup((const char *)bytes, size);
    char *value = key ? strchr(key, '=') : NULL;
    if (value)
        *value++ = 0;
    for (char *p = key; value && *p; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    const ap_tag_total *position = value && is_position(value) ? ap_tag_total_of(key) : NULL;
    if (position)
        ap_tags_add_position(tags, position, value);
    bool ok = value && (position || ap_tags_add(tags, key, value));
    free(key);
    return ok;
}

bool ap_vorbiscomment_add(const unsigned char *bytes, size_t size, ap_tags *tags)
{
    size_t skip;
    if (size == 0) /* bytes may be NULL then */
        return false;
    if (has_key(bytes, size, "METADATA_BLOCK_PICTURE", &skip))
        return parse_picture_comment(bytes + skip, size - skip, tags);
    if (has_key(bytes, size, "COVERARTMIME", &skip))
        return true;
    if (has_key(bytes, size, "COVERART", &skip) && parse_cover_comment(bytes + skip, size - skip, tags))
        return true;
    return add_pair(bytes, size, tags);
}

bool ap_vorbiscomment_parse(const unsigned char *bytes, size_t size, ap_tags *tags)
{
    cursor c = {bytes, size};
    uint32_t length, count;
    bool ok = true;
    if (!take32le(&c, &length) || !take(&c, length) || !take32le(&c, &count))
        return false;
    while (count--) {
        const unsigned char *p = take32le(&c, &length) ? take(&c, length) : NULL;
        if (!p)
            return false;
        ok = ap_vorbiscomment_add(p, length, tags) && ok;
    }
    return ok;
}

uint32_t ap_vorbiscomment_take_mask(ap_tags *tags)
{
    static const char key[] = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK";
    const char *value = ap_tags_get(tags, key);
    unsigned long mask = value ? strtoul(value, NULL, 0) : 0;
    bool none = value && mask == 0; /* RFC 9639, 8.6.2: no speakers */
    (void)ap_tags_set(tags, key, "");
    return none ? AP_DISCRETE : mask > UINT32_MAX ? 0 : (uint32_t)mask;
}
