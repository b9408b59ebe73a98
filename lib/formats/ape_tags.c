/* SPDX-License-Identifier: GPL-3.0-or-later
 * ape_tags.c - APEv2 tags at the end of MP3, WavPack, Monkey's Audio, Musepack... (hydrogenaud.io, "APEv2
 * specification"). libav gives one value of each, libmpg123 none. */
#include "formats/ape_tags.h"
#include "formats/tag_names.h"
#include "formats/vorbiscomment.h"

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

/* Visits the items. false if it is told to stop, or at what makes no sense. */
typedef bool visit(void *user, const char *name, const unsigned char *item, size_t size,
                   const unsigned char *value);

static bool walk(const unsigned char *p, size_t left, uint64_t count, visit *see, void *user)
{
    for (; count > 0; count--) {
        const unsigned char *end = left > 9 ? memchr(p + 8, 0, left - 8) : NULL;
        size_t size = left > 9 ? (size_t)ap_get_little(p, 4) : 0;
        if (!end || size > left - (size_t)(end + 1 - p))
            return false;
        size += (size_t)(end + 1 - p);
        if (!see(user, (const char *)p + 8, p, size, end + 1))
            return false;
        p += size;
        left -= size;
    }
    return true;
}

static bool add_item(void *user, const char *name, const unsigned char *item, size_t size,
                     const unsigned char *value)
{
    ap_tags *tags = user;
    unsigned kind = item[4] >> 1 & 3;
    const unsigned char *end = item + size, *image = memchr(value, 0, (size_t)(end - value));
    if (kind == ITEM_TEXT)
        add_text(tags, key_of(name), value, (size_t)(end - value));
    else if (kind == ITEM_BINARY && strncasecmp(name, "Cover Art", 9) == 0 && image) /* behind a file name */
        (void)ap_picture_add(tags, strcasecmp(name, "Cover Art (Front)") == 0 ? AP_FRONT_COVER : 0, "",
                             image + 1, (size_t)(end - image - 1));
    return true;
}

/* ---- the whole tag */

static bool has_header(const unsigned char *footer)
{
    return footer[23] & 0x80;
}

/* The tag whose footer ends there. */
static bool find_before(ap_input *in, uint64_t start, uint64_t end, uint64_t *begin)
{
    unsigned char f[FOOTER];
    if (end < start + FOOTER || !ap_input_seek(in, end - FOOTER, NULL) ||
        ap_input_read(in, f, sizeof f, NULL) != sizeof f || memcmp(f, "APETAGEX", 8) != 0)
        return false;
    uint64_t size = ap_get_little(f + 12, 4); /* with the footer */
    if (size < FOOTER || size > MAX_TAG)
        return false;
    size += has_header(f) ? FOOTER : 0;
    *begin = end - size;
    return size <= end - start;
}

bool ap_ape_find(ap_input *in, uint64_t start, uint64_t *begin, uint64_t *end)
{
    *end = ap_input_size(in);
    if (find_before(in, start, *end, begin))
        return true;
    *end -= *end > ID3V1 ? ID3V1 : 0;
    return find_before(in, start, *end, begin);
}

void ap_ape_tags(ap_input *in, uint64_t start, ap_tags *tags)
{
    uint64_t begin, end;
    if (!ap_ape_find(in, start, &begin, &end) || !ap_input_seek(in, begin, NULL))
        return;
    size_t size = (size_t)(end - begin);
    unsigned char *bytes = ap_input_load(in, size, NULL);
    if (!bytes)
        return;
    const unsigned char *footer = bytes + size - FOOTER;
    size_t head = has_header(footer) ? FOOTER : 0;
    (void)walk(bytes + head, size - head - FOOTER, ap_get_little(footer + 16, 4), add_item, tags);
    free(bytes);
}

/* ---- a tag with fewer items */

typedef struct keeper {
    ap_ape_stays *stays;
    void *user;
    ap_bytes items;
    uint64_t count;
} keeper;

static bool keep_item(void *user, const char *name, const unsigned char *item, size_t size,
                      const unsigned char *value)
{
    keeper *k = user;
    ap_tags *alone = ap_tags_new();
    if (!alone)
        return false;
    (void)add_item(alone, name, item, size, value);
    if (k->stays(k->user, alone)) {
        ap_bytes_add(&k->items, item, size);
        k->count++;
    }
    ap_tags_free(&alone);
    return true;
}

/* A header or a footer, from the old footer. */
static void put_ends(ap_bytes *to, const unsigned char *footer, const keeper *k, bool header)
{
    unsigned char bytes[FOOTER];
    memcpy(bytes, footer, sizeof bytes);
    ap_put_little(bytes + 12, k->items.size + FOOTER, 4);
    ap_put_little(bytes + 16, k->count, 4);
    bytes[23] = (unsigned char)((bytes[23] & ~0x20) | (header ? 0x20 : 0)); /* the bit: this is the header */
    ap_bytes_add(to, bytes, sizeof bytes);
}

bool ap_ape_keep(const unsigned char *bytes, size_t size, ap_ape_stays *stays, void *user, ap_bytes *to)
{
    const unsigned char *footer = bytes + size - FOOTER;
    size_t head = has_header(footer) ? FOOTER : 0;
    keeper k = {.stays = stays, .user = user};
    bool ok = walk(bytes + head, size - head - FOOTER, ap_get_little(footer + 16, 4), keep_item, &k);
    if (ok && k.count) {
        if (head)
            put_ends(to, footer, &k, true);
        ap_bytes_add(to, k.items.data, k.items.size);
        put_ends(to, footer, &k, false);
    }
    ok = ok && !k.items.failed && !to->failed;
    free(k.items.data);
    return ok;
}
