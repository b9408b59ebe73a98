/* SPDX-License-Identifier: GPL-3.0-or-later
 * chunks.c - tags in WAV, RF64 and AIFF: the chunks that hold them go, and new ones come after all others,
 * which stay where they are, and the audio with them. */
#include "base/error.h"
#include "formats/bext.h"
#include "formats/info.h"
#include "formats/mp3/id3.h"
#include "formats/retag/retag.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 8
#define MAX_CHUNKS 4096
#define MAX_LIST ((uint64_t)1 << 20)
#define UNKNOWN_32 0xffffffffu

/* A chunk that stays. */
typedef struct chunk {
    uint64_t at, end; /* with header; without the pad byte */
} chunk;

typedef struct file {
    ap_retag *r;
    bool big; /* AIFF */
    bool rf64;
    uint64_t data_size; /* of RF64, from ds64 */
    chunk *kept;
    size_t count;
    unsigned char *id3; /* the old tag */
    size_t id3_size;
    ap_bytes others; /* items of INFO that are not understood */
    ap_bytes tail;   /* the new chunks */
} file;

static bool is(const unsigned char *p, const char *id)
{
    return memcmp(p, id, 4) == 0;
}

static void put(const file *f, unsigned char *p, uint64_t value)
{
    if (f->big)
        ap_put_big(p, value, 4);
    else
        ap_put_little(p, value, 4);
}

static void add_chunk(file *f, const char *id, const void *data, size_t size)
{
    unsigned char length[4];
    put(f, length, size);
    ap_bytes_text(&f->tail, id);
    ap_bytes_add(&f->tail, length, 4);
    ap_bytes_add(&f->tail, data, size);
    ap_bytes_zeros(&f->tail, size & 1);
}

/* ---- old tags */

/* The items of a LIST of type INFO that are not ours. */
static void keep_items(file *f, const unsigned char *p, size_t size)
{
    for (size_t at = 4; at <= size && size - at >= HEADER;) {
        size_t length = (size_t)ap_get_little(p + at + 4, 4), padded = length + (length & 1);
        size_t left = size - at - HEADER;
        if (length > left)
            return;
        if (!ap_wav_info_knows(p + at)) {
            ap_bytes_add(&f->others, p + at, HEADER + length);
            ap_bytes_zeros(&f->others, length & 1);
        }
        at += HEADER + (padded < left ? padded : left);
    }
}

static bool is_id3(const unsigned char *id)
{
    return is(id, "id3 ") || is(id, "ID3 ");
}

static bool changes_bext(const ap_retag *r)
{
    const char *key, *value;
    for (int which = 0; which < 2; which++)
        for (size_t i = 0; ap_tags_at(which ? r->tags : r->old, i, &key, &value); i++)
            if (ap_is_bext_key(key) && ap_retag_changes(r, key))
                return true;
    return false;
}

/* Whether a chunk holds tags, which are taken out of it. 1, 0 if it stays, -1 on error. */
static int take_tags(file *f, const unsigned char *id, uint64_t at, uint64_t size, ap_error *err)
{
    bool list = !f->big && is(id, "LIST") && size >= 4 && size <= MAX_LIST;
    if (is_id3(id) && size <= AP_ID3_MAX && !f->id3) {
        f->id3 = ap_retag_load(f->r, at, size, err);
        f->id3_size = (size_t)size;
        return f->id3 ? 1 : -1;
    }
    if (list) {
        unsigned char *p = ap_retag_load(f->r, at, size, err);
        bool info = p && is(p, "INFO");
        if (info)
            keep_items(f, p, (size_t)size);
        free(p);
        return !p ? -1 : info;
    }
    if (!f->big && is(id, "bext"))
        return changes_bext(f->r);
    return is_id3(id) || (f->big && ap_aiff_is_text(id));
}

/* ---- the chunks */

static bool keep(file *f, uint64_t at, uint64_t end)
{
    if (f->count % 64 == 0) {
        chunk *larger = realloc(f->kept, (f->count + 64) * sizeof *larger);
        if (!larger)
            return false;
        f->kept = larger;
    }
    f->kept[f->count++] = (chunk){at, end};
    return true;
}

static uint64_t size_of(const file *f, const unsigned char *head)
{
    uint64_t size = f->big ? ap_get_big(head + 4, 4) : ap_get_little(head + 4, 4);
    return f->rf64 && is(head, "data") && size == UNKNOWN_32 ? f->data_size : size;
}

/* One chunk at *at, which is then moved past it. */
static bool pass_chunk(file *f, uint64_t *at, uint64_t whole, ap_error *err)
{
    unsigned char *head = ap_retag_load(f->r, *at, HEADER, err);
    if (!head)
        return false;
    uint64_t size = size_of(f, head), left = whole - *at - HEADER;
    int taken = size <= left ? take_tags(f, head, *at + HEADER, size, err) : -1;
    if (size > left)
        ap_retag_damaged(f->r, err);
    if (taken == 0 && is(head, "ds64") && f->rf64 && size >= 16) {
        unsigned char *p = ap_retag_load(f->r, *at + HEADER, 16, err);
        f->data_size = p ? ap_get_little(p + 8, 8) : 0;
        taken = p ? 0 : -1;
        free(p);
    }
    free(head);
    if (taken < 0)
        return false;
    if (taken == 0 && (f->count >= MAX_CHUNKS || !keep(f, *at, *at + HEADER + size)))
        return ap_fail_memory(err);
    *at += HEADER + size + (size & 1 && size < left);
    return true;
}

static bool find_chunks(file *f, ap_error *err)
{
    uint64_t whole = ap_input_size(f->r->in), at = 12;
    while (whole - at >= HEADER)
        if (!pass_chunk(f, &at, whole, err))
            return false;
    return true;
}

/* ---- the new tags */

static bool add_id3(file *f, ap_error *err)
{
    unsigned char *id3;
    size_t size;
    if (!ap_retag_id3(f->r, f->id3, f->id3_size, &id3, &size, err))
        return false;
    if (id3)
        add_chunk(f, f->big ? "ID3 " : "id3 ", id3, size);
    free(id3);
    return true;
}

static void add_bext(file *f)
{
    ap_bytes body = {0};
    ap_bext_make(&body, f->r->tags, f->r->format.rate);
    if (body.size)
        add_chunk(f, "bext", body.data, body.size);
    f->tail.failed |= body.failed;
    free(body.data);
}

static bool make_tail(file *f, ap_error *err)
{
    bool enough = f->big ? ap_aiff_texts_make(&f->tail, f->r->tags) : ap_wav_info_suffices(f->r->tags);
    if (!f->big)
        ap_wav_info_make(&f->tail, f->r->tags, &f->others);
    if (!f->big && changes_bext(f->r))
        add_bext(f);
    if ((!enough || f->id3) && !add_id3(f, err))
        return false;
    return !f->tail.failed || ap_fail_memory(err);
}

/* ---- writing */

static bool write_chunk(file *f, const chunk *c, uint64_t riff, ap_error *err)
{
    uint64_t size = c->end - c->at;
    unsigned char *head = ap_retag_load(f->r, c->at, HEADER, err);
    bool ds64 = head && f->rf64 && is(head, "ds64"), ok = head;
    free(head);
    if (ds64) { /* its first 8 bytes are the size of all */
        unsigned char length[8];
        ap_put_little(length, riff, 8);
        ok = ok && ap_retag_copy(f->r, c->at, c->at + HEADER, err) &&
             ap_output_write(f->r->out, length, 8, err) &&
             ap_retag_copy(f->r, c->at + HEADER + 8, c->end, err);
    } else {
        ok = ok && ap_retag_copy(f->r, c->at, c->end, err);
    }
    return ok && (!(size & 1) || ap_output_write(f->r->out, "", 1, err));
}

static bool write_all(file *f, ap_error *err)
{
    unsigned char *head = ap_retag_load(f->r, 0, 12, err);
    uint64_t riff = 4 + f->tail.size;
    for (size_t i = 0; i < f->count; i++)
        riff += f->kept[i].end - f->kept[i].at + ((f->kept[i].end - f->kept[i].at) & 1);
    bool ok = head;
    if (ok && !f->rf64 && riff >= UNKNOWN_32)
        ok = ap_fail(err, AP_FAILED, "the tags do not fit into '%s': it is as long as it may be",
                     ap_input_name(f->r->in));
    if (ok && !f->rf64)
        put(f, head + 4, riff);
    ok = ok && ap_output_write(f->r->out, head, 12, err);
    for (size_t i = 0; ok && i < f->count; i++)
        ok = write_chunk(f, &f->kept[i], riff, err);
    free(head);
    return ok && ap_output_write(f->r->out, f->tail.data, f->tail.size, err);
}

static bool retag(file *f, ap_error *err)
{
    bool ok = find_chunks(f, err) && make_tail(f, err) && write_all(f, err);
    free(f->kept);
    free(f->id3);
    free(f->others.data);
    free(f->tail.data);
    return ok;
}

bool ap_retag_wav(ap_retag *r, ap_error *err)
{
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(r->in, &p, 4, err);
    file f = {.r = r, .rf64 = n == 4 && is(p, "RF64")};
    return n >= 0 && retag(&f, err);
}

bool ap_retag_aiff(ap_retag *r, ap_error *err)
{
    file f = {.r = r, .big = true};
    return retag(&f, err);
}
