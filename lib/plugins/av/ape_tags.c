/* SPDX-License-Identifier: GPL-3.0-or-later
 * ape_tags.c - APEv2 tags at the end of WavPack, Monkey's Audio, Musepack... (hydrogenaud.io, "APEv2
 * specification"), of which libav gives one value each. */
#include "base/bytes.h"
#include "base/input.h"
#include "formats/tag_names.h"
#include "formats/vorbiscomment.h"
#include "plugins/av/av_tags.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FOOTER 32
#define ID3V1 128
#define MAX_TAG ((uint64_t)80 << 20)
enum { ITEM_TEXT = 0, ITEM_BINARY = 1 };

/* Names that are not those of Vorbis comments: Picard's mapping. */
static const char *const keys[][2] = {
    {"Album Artist", "ALBUMARTIST"}, {"Track", "TRACKNUMBER"},      {"Disc", "DISCNUMBER"}, {"Year", "DATE"},
    {"MixArtist", "REMIXER"},        {"Publisher", "ORGANIZATION"},
};

static const char *key_of(const char *name)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcasecmp(name, keys[i][0]) == 0)
            return keys[i][1];
    return name;
}

/* Values are separated by NUL. */
static void add_text(ap_tags *tags, const char *key, const unsigned char *value, size_t size)
{
    for (size_t at = 0; at < size;) {
        char *text = strndup((const char *)value + at, size - at);
        if (!text)
            return;
        if (ap_tag_total_of(key))
            ap_tags_add_position(tags, ap_tag_total_of(key), text);
        else
            (void)ap_tags_add(tags, key, text); /* one that cannot be kept is no reason to stop */
        at += strlen(text) + 1;
        free(text);
    }
}

static void add_item(ap_tags *tags, const char *name, unsigned kind, const unsigned char *value, size_t size)
{
    const unsigned char *end = memchr(value, 0, size);
    if (kind == ITEM_TEXT)
        add_text(tags, key_of(name), value, size);
    else if (kind == ITEM_BINARY && strncasecmp(name, "Cover Art", 9) == 0 &&
             end) /* a file name, the image */
        (void)ap_picture_add(tags, strcasecmp(name, "Cover Art (Front)") == 0 ? AP_FRONT_COVER : 0, "",
                             end + 1, size - (size_t)(end + 1 - value));
}

static void parse(const unsigned char *p, size_t left, uint64_t count, ap_tags *tags)
{
    while (count-- > 0 && left > 9) {
        size_t size = (size_t)ap_get_little(p, 4);
        unsigned flags = p[4];
        const unsigned char *name = p + 8, *end = memchr(name, 0, left - 8);
        if (!end || size > left - (size_t)(end + 1 - p))
            return;
        add_item(tags, (const char *)name, flags >> 1 & 3, end + 1, size);
        left -= (size_t)(end + 1 - p) + size;
        p = end + 1 + size;
    }
}

/* Parses the tag whose footer ends there. */
static bool parse_before(ap_input *in, uint64_t start, uint64_t end, ap_tags *tags)
{
    unsigned char f[FOOTER];
    if (end < start + FOOTER || !ap_input_seek(in, end - FOOTER, NULL) ||
        ap_input_read(in, f, sizeof f, NULL) != sizeof f || memcmp(f, "APETAGEX", 8) != 0)
        return false;
    uint64_t size = ap_get_little(f + 12, 4), count = ap_get_little(f + 16, 4); /* size: with the footer */
    if (size < FOOTER || size > end - start || size > MAX_TAG || !ap_input_seek(in, end - size, NULL))
        return false;
    unsigned char *bytes = ap_input_load(in, (size_t)size, NULL);
    if (!bytes)
        return false;
    parse(bytes, (size_t)size - FOOTER, count, tags);
    free(bytes);
    return true;
}

void ap_ape_tags(ap_input *in, uint64_t start, ap_tags *tags)
{
    uint64_t end = ap_input_size(in);
    if (!parse_before(in, start, end, tags) && end > ID3V1)
        (void)parse_before(in, start, end - ID3V1, tags);
}
