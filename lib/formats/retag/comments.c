/* SPDX-License-Identifier: GPL-3.0-or-later
 * comments.c - changes in a comment block of Vorbis, Opus or FLAC. Comments that stay are copied as they are,
 * also those that make no sense. */
#include "formats/ogg_write.h"
#include "formats/retag/retag.h"
#include "formats/vorbiscomment.h"

#include <stdlib.h>
#include <string.h>

#define MAX_KEY 256

/* The key in upper case; false if there is none of a sane length. */
static bool key_of(const unsigned char *p, size_t size, char key[MAX_KEY + 1])
{
    const unsigned char *equals = memchr(p, '=', size < MAX_KEY ? size : MAX_KEY);
    if (!equals)
        return false;
    size_t n = (size_t)(equals - p);
    for (size_t i = 0; i < n; i++)
        key[i] = (char)(p[i] >= 'a' && p[i] <= 'z' ? p[i] - 32 : p[i]);
    key[n] = 0;
    return true;
}

/* Whether a comment is the cover that goes. */
static bool is_old_cover(const ap_retag *r, const char *key, const unsigned char *p, size_t size)
{
    bool old_way = strcmp(key, "COVERART") == 0;
    ap_tags *found = old_way || strcmp(key, AP_PICTURE_KEY) == 0 ? ap_tags_new() : NULL;
    bool is = found && ap_vorbiscomment_add(p, size, found) && ap_retag_is_old_cover(r, found);
    ap_tags_free(&found);
    return is || strcmp(key, "COVERARTMIME") == 0;
}

static bool stays(const ap_retag *r, const unsigned char *p, size_t size)
{
    char key[MAX_KEY + 1];
    if (!key_of(p, size, key))
        return true;
    if (strcmp(key, "WAVEFORMATEXTENSIBLE_CHANNEL_MASK") == 0) /* of the sound, not of the music */
        return true;
    return !ap_retag_changes(r, key) && !(r->picture && is_old_cover(r, key, p, size));
}

static void add(ap_bytes *to, const void *bytes, size_t size)
{
    ap_bytes_little(to, size, 4);
    ap_bytes_add(to, bytes, size);
}

static void add_pair(ap_bytes *to, const char *key, const char *value)
{
    ap_bytes_little(to, strlen(key) + 1 + strlen(value), 4);
    ap_bytes_text(to, key);
    ap_bytes_text(to, "=");
    ap_bytes_text(to, value);
}

/* Those that change; returns how many. */
static uint32_t add_new(const ap_retag *r, bool pictures, ap_bytes *to)
{
    const char *key, *value;
    uint32_t count = 0;
    for (size_t i = 0; ap_tags_at(r->tags, i, &key, &value); i++)
        if (ap_retag_changes(r, key)) {
            add_pair(to, key, value);
            count++;
        }
    bool wanted = pictures && r->picture && ap_tags_picture(r->tags).size;
    char *picture = wanted ? ap_picture_comment(r->tags) : NULL;
    to->failed |= wanted && !picture;
    if (picture)
        add_pair(to, AP_PICTURE_KEY, picture);
    free(picture);
    return count + wanted;
}

/* Takes a length and that many bytes. NULL: they are not there. */
static const unsigned char *take(const unsigned char *p, size_t size, size_t *at, size_t *length)
{
    if (size - *at < 4)
        return NULL;
    *length = (size_t)ap_get_little(p + *at, 4);
    *at += 4;
    if (*length > size - *at)
        return NULL;
    *at += *length;
    return p + *at - *length;
}

bool ap_retag_comments(const ap_retag *r, const unsigned char *old, size_t size, bool pictures, ap_bytes *to,
                       size_t *used)
{
    size_t at = 0, length = 0;
    const unsigned char *vendor = old ? take(old, size, &at, &length) : (const unsigned char *)"";
    if (!vendor || (old && size - at < 4))
        return false;
    uint64_t left = old ? ap_get_little(old + at, 4) : 0;
    uint32_t count = 0;
    add(to, vendor, length);
    at += old ? 4 : 0;
    size_t count_at = to->size;
    ap_bytes_zeros(to, 4);
    while (left--) {
        const unsigned char *p = take(old, size, &at, &length);
        if (!p)
            return false;
        if (stays(r, p, length)) {
            add(to, p, length);
            count++;
        }
    }
    count += add_new(r, pictures, to);
    if (!to->failed)
        ap_put_little(to->data + count_at, count, 4);
    *used = at;
    return true;
}
