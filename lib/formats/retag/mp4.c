/* SPDX-License-Identifier: GPL-3.0-or-later
 * mp4.c - tags in M4A (ISO/IEC 14496-12; Apple, "QuickTime File Format", Metadata): the items of
 * moov/udta/meta/ilst that change. When moov gets longer or shorter, what follows it moves, and the tables
 * of chunk offsets follow. */
#include "base/error.h"
#include "formats/mp4_tags.h"
#include "formats/retag/retag.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 8
#define MAX_BOXES 100000
#define MAX_MOOV ((uint64_t)256 << 20)

/* A box in memory. */
typedef struct box {
    unsigned char *at, *body;
    size_t size, left; /* of all; of the body */
} box;

static bool is(const unsigned char *p, const char *type)
{
    return memcmp(p, type, 4) == 0;
}

/* The next box of a part of memory, which is shortened by it. */
static bool next_box(unsigned char **at, size_t *left, box *b)
{
    uint64_t size = *left >= HEADER ? ap_get_big(*at, 4) : 0;
    if (size < HEADER || size > *left)
        return false;
    *b = (box){*at, *at + HEADER, (size_t)size, (size_t)size - HEADER};
    *at += size;
    *left -= (size_t)size;
    return true;
}

/* ---- the list of items */

static bool changes(const void *user, const char *key)
{
    return ap_retag_changes(user, key);
}

/* Whether an old item goes: one of its keys changes, or it is the cover that does. */
static bool goes(const ap_retag *r, const box *item)
{
    const char *key, *value;
    ap_tags *alone = ap_tags_new();
    bool gone = false;
    if (alone)
        ap_mp4_item_parse(item->at, item->size, alone);
    for (size_t i = 0; ap_tags_at(alone, i, &key, &value); i++)
        gone = gone || ap_retag_changes(r, key);
    gone = gone || (r->picture && ap_tags_picture(alone).size);
    ap_tags_free(&alone);
    return gone;
}

static void add_items(const ap_retag *r, ap_bytes *to, unsigned char *p, size_t left)
{
    size_t ilst = ap_mp4_open(to, "ilst");
    for (box b; next_box(&p, &left, &b);)
        if (!goes(r, &b))
            ap_bytes_add(to, b.at, b.size);
    ap_mp4_items_make(to, r->tags, changes, r, r->picture);
    ap_mp4_close(to, ilst);
}

/* meta, from an old one or from nothing. */
static void add_meta(const ap_retag *r, ap_bytes *to, const box *old)
{
    static const unsigned char handler[25] = "\0\0\0\0\0\0\0\0mdirappl"; /* version, type, manufacturer... */
    size_t meta = ap_mp4_open(to, "meta");
    bool plain = old && old->left >= HEADER && is(old->body + 4, "hdlr"); /* QuickTime has no version there */
    unsigned char *p = old ? old->body + (plain ? 0 : 4) : NULL;
    size_t left = !old ? 0 : plain ? old->left : old->left >= 4 ? old->left - 4 : 0;
    bool done = false;
    ap_bytes_zeros(to, plain ? 0 : 4);
    if (!old) {
        size_t hdlr = ap_mp4_open(to, "hdlr");
        ap_bytes_add(to, handler, sizeof handler);
        ap_mp4_close(to, hdlr);
    }
    for (box b; next_box(&p, &left, &b);) {
        if (is(b.at + 4, "ilst") && !done)
            add_items(r, to, b.body, b.left);
        else if (!is(b.at + 4, "free"))
            ap_bytes_add(to, b.at, b.size);
        done = done || is(b.at + 4, "ilst");
    }
    if (!done)
        add_items(r, to, NULL, 0);
    ap_mp4_close(to, meta);
}

static void add_udta(const ap_retag *r, ap_bytes *to, const box *old)
{
    size_t udta = ap_mp4_open(to, "udta"), left = old ? old->left : 0;
    unsigned char *p = old ? old->body : NULL;
    bool done = false;
    for (box b; next_box(&p, &left, &b);) {
        if (is(b.at + 4, "meta") && !done)
            add_meta(r, to, &b);
        else
            ap_bytes_add(to, b.at, b.size);
        done = done || is(b.at + 4, "meta");
    }
    if (!done)
        add_meta(r, to, NULL);
    ap_mp4_close(to, udta);
}

/* All of moov with other items. */
static void add_moov(const ap_retag *r, ap_bytes *to, unsigned char *p, size_t left)
{
    size_t moov = ap_mp4_open(to, "moov");
    bool done = false;
    for (box b; next_box(&p, &left, &b);) {
        if (is(b.at + 4, "udta") && !done)
            add_udta(r, to, &b);
        else
            ap_bytes_add(to, b.at, b.size);
        done = done || is(b.at + 4, "udta");
    }
    if (!done)
        add_udta(r, to, NULL);
    ap_mp4_close(to, moov);
}

/* ---- offsets */

/* Moves the offsets of a table that lie after a place. false when one does not fit any more. */
static bool move_table(const box *b, int bytes, uint64_t place, int64_t by)
{
    size_t count = b->left >= 8 ? (size_t)ap_get_big(b->body + 4, 4) : 0;
    unsigned char *p = b->body + 8;
    if (count > (b->left - (b->left >= 8 ? 8 : b->left)) / (size_t)bytes)
        return false;
    for (; count--; p += bytes) {
        uint64_t offset = ap_get_big(p, (size_t)bytes);
        if (offset <= place)
            continue;
        offset += (uint64_t)by;
        if (bytes == 4 && offset > UINT32_MAX)
            return false;
        ap_put_big(p, offset, bytes);
    }
    return true;
}

static bool move_offsets(unsigned char *p, size_t left, uint64_t place, int64_t by)
{
    static const char *const outer[] = {"moov", "trak", "mdia", "minf", "stbl"};
    bool ok = true;
    for (box b; ok && next_box(&p, &left, &b);) {
        for (size_t i = 0; ok && i < sizeof outer / sizeof *outer; i++)
            if (is(b.at + 4, outer[i]))
                ok = move_offsets(b.body, b.left, place, by);
        if (ok && (is(b.at + 4, "stco") || is(b.at + 4, "co64")))
            ok = move_table(&b, is(b.at + 4, "stco") ? 4 : 8, place, by);
    }
    return ok;
}

/* ---- the file */

typedef struct place {
    uint64_t at, size; /* of moov */
    bool fragments;
} place;

/* Finds moov among the outermost boxes. */
static bool find_moov(ap_retag *r, place *moov, ap_error *err)
{
    uint64_t whole = ap_input_size(r->in), at = 0;
    for (int i = 0; i < MAX_BOXES && whole - at >= HEADER; i++) {
        unsigned char *h = ap_retag_load(r, at, HEADER, err);
        uint64_t size = h ? ap_get_big(h, 4) : 0;
        if (h && size == 1) {
            unsigned char *large = ap_retag_load(r, at + HEADER, 8, err);
            size = large ? ap_get_big(large, 8) : 0;
            free(large);
        } else if (h && size == 0) {
            size = whole - at; /* up to the end */
        }
        if (h && is(h + 4, "moov") && !moov->size)
            *moov = (place){at, size, moov->fragments};
        moov->fragments = moov->fragments || (h && is(h + 4, "moof"));
        free(h);
        if (size < HEADER || size > whole - at)
            return ap_retag_damaged(r, err);
        at += size;
    }
    return (moov->size && moov->size <= MAX_MOOV) || ap_retag_damaged(r, err);
}

static bool refuse(const ap_retag *r, const place *moov, ap_error *err)
{
    if (r->chapters)
        return ap_fail(err, AP_FAILED, "the chapters of '%s' cannot be changed: M4A has them in a track",
                       ap_input_name(r->in));
    return !moov->fragments || ap_fail(err, AP_FAILED, "'%s' is a fragmented MP4: its tags cannot be changed",
                                       ap_input_name(r->in));
}

bool ap_retag_mp4(ap_retag *r, ap_error *err)
{
    place moov = {0};
    ap_bytes made = {0};
    if (!find_moov(r, &moov, err) || !refuse(r, &moov, err))
        return false;
    unsigned char *old = ap_retag_load(r, moov.at, moov.size, err);
    if (!old || ap_get_big(old, 4) != moov.size) {
        bool ok = old && ap_retag_damaged(r, err);
        free(old);
        return ok;
    }
    add_moov(r, &made, old + HEADER, (size_t)moov.size - HEADER);
    bool ok = !made.failed || ap_fail_memory(err);
    int64_t by = (int64_t)made.size - (int64_t)moov.size;
    if (ok && by && !move_offsets(made.data, made.size, moov.at, by))
        ok = ap_fail(err, AP_FAILED, "the tags do not fit into '%s'", ap_input_name(r->in));
    ok = ok && ap_retag_copy(r, 0, moov.at, err) && ap_output_write(r->out, made.data, made.size, err) &&
         ap_retag_copy(r, moov.at + moov.size, AP_UNKNOWN, err);
    free(made.data);
    free(old);
    return ok;
}
