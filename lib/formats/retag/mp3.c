/* SPDX-License-Identifier: GPL-3.0-or-later
 * mp3.c - tags in MP3, and the ID3v2 tags of WAV and AIFF: a new tag of version 2.4 that has all frames which
 * are not understood, further pictures, and chapters as they were. An ID3v1 tag at the end says what it has
 * room for. An APEv2 tag there keeps what does not change, and alone, for mp3gain rewrites no other: the rest
 * goes into ID3v2. */
#include "base/error.h"
#include "base/text.h"
#include "formats/ape_tags.h"
#include "formats/mp3/id3.h"
#include "formats/retag/retag.h"
#include "stream/chapters.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 10
#define V1_SIZE 128

/* ---- ID3v2 */

static bool stays(void *user, const ap_tags *alone, bool chapter)
{
    const ap_retag *r = user;
    const char *key, *value;
    if (chapter)
        return !r->chapters;
    if (ap_tags_picture(alone).size)
        return !(r->picture && ap_retag_is_old_cover(r, alone));
    return !ap_tags_at(alone, 0, &key, &value);
}

/* Tags that are written again: all but the cover and the chapters that stay. */
static ap_tags *new_part(const ap_retag *r)
{
    const char *key, *value;
    ap_picture picture = ap_tags_picture(r->tags);
    ap_tags *tags = ap_tags_new();
    bool ok = tags;
    for (size_t i = 0; ok && ap_tags_at(r->tags, i, &key, &value); i++)
        if ((r->chapters || r->all || !ap_is_chapter_key(key)) && !(r->behind && ap_tags_get(r->behind, key)))
            ok = ap_tags_add(tags, key, value);
    if (ok && picture.size && (r->picture || r->all))
        ok = ap_tags_set_picture(tags, picture.mime, picture.data, picture.size);
    if (!ok)
        ap_tags_free(&tags);
    return tags;
}

/* The tag that ap_id3_make made, without its padding, then the frames, then padding: of even size. */
static bool join(const unsigned char *made, size_t size, const ap_bytes *frames, ap_bytes *to, ap_error *err)
{
    if (made)
        ap_bytes_add(to, made, size);
    else
        ap_bytes_add(to, "ID3\4\0\0\0\0\0", HEADER);
    size_t end = HEADER; /* of the frames */
    while (made && end + HEADER <= to->size && to->data[end])
        end += HEADER + ap_id3_get_size(to->data + end + 4);
    to->size = made ? (end < to->size ? end : to->size) : HEADER;
    ap_bytes_add(to, frames->data, frames->size);
    ap_bytes_zeros(to, AP_ID3_PADDING + (to->size & 1));
    if (to->failed)
        return ap_fail_memory(err);
    if (to->size > AP_ID3_MAX)
        return ap_fail(err, AP_FAILED, "the tags are too large");
    ap_id3_put_size(to->data + 6, to->size - HEADER);
    return true;
}

bool ap_retag_id3(const ap_retag *r, unsigned char *old, size_t old_size, unsigned char **bytes, size_t *size,
                  ap_error *err)
{
    ap_bytes frames = {0}, whole = {0};
    ap_tags *tags = new_part(r);
    unsigned char *made = NULL;
    bool kept = !old || ap_id3_keep(old, old_size, stays, (void *)(uintptr_t)r, &frames);
    bool ok = tags && !frames.failed ? kept : ap_fail_memory(err);
    if (tags && !frames.failed && !kept)
        ap_fail(err, AP_FAILED, "'%s' has a compressed or encrypted ID3 frame: its tags stay as they are",
                ap_input_name(r->in));
    *bytes = NULL;
    *size = 0;
    ok = ok && ap_id3_make(tags, &r->format, &made, size, err);
    if (ok && (made || frames.size))
        ok = join(made, *size, &frames, &whole, err);
    if (ok) {
        *bytes = whole.data;
        *size = whole.size;
    } else {
        free(whole.data);
    }
    free(made);
    free(frames.data);
    ap_tags_free(&tags);
    return ok;
}

/* ---- ID3v1 */

/* In ISO 8859-1; what that lacks becomes '?'. */
static void put_field(unsigned char *to, size_t room, const char *text)
{
    memset(to, 0, room);
    for (size_t i = 0; text && *text && i < room; i++) {
        size_t n = ap_utf8_length(text);
        unsigned char a = (unsigned char)text[0], b = n == 2 ? (unsigned char)text[1] : 0;
        to[i] = (unsigned char)(n == 1 ? a : n == 2 && a <= 0xc3 ? a << 6 | (b & 0x3f) : '?');
        text += n ? n : 1;
    }
}

static unsigned char genre_number(const char *genre, unsigned char old)
{
    if (!genre)
        return 255; /* none */
    for (unsigned i = 0; ap_genre_name(i); i++)
        if (strcmp(ap_genre_name(i), genre) == 0)
            return (unsigned char)i;
    return old < 255 ? 12 : 255; /* "Other" */
}

static void change_v1(const ap_retag *r, unsigned char *p)
{
    const char *track = ap_tags_get(r->tags, "TRACKNUMBER");
    long number = track ? strtol(track, NULL, 10) : 0;
    put_field(p + 3, 30, ap_tags_get(r->tags, "TITLE"));
    put_field(p + 33, 30, ap_tags_get(r->tags, "ARTIST"));
    put_field(p + 63, 30, ap_tags_get(r->tags, "ALBUM"));
    put_field(p + 93, 4, ap_tags_get(r->tags, "DATE"));
    put_field(p + 97, 28, ap_tags_get(r->tags, "COMMENT"));
    p[125] = 0; /* ID3v1.1 */
    p[126] = number > 0 && number < 256 ? (unsigned char)number : 0;
    p[127] = genre_number(ap_tags_get(r->tags, "GENRE"), p[127]);
}

/* ---- APEv2 */

/* The tag, and what of it stays. */
typedef struct ape {
    uint64_t begin, end; /* place; equal if there is none */
    ap_bytes bytes;
    ap_tags *tags; /* that ID3v2 does not have */
} ape;

static bool stays_behind(void *user, const ap_tags *alone)
{
    const ap_retag *r = user;
    const char *key, *value;
    if (ap_tags_picture(alone).size)
        return !(r->picture && ap_retag_is_old_cover(r, alone));
    return !ap_tags_at(alone, 0, &key, &value) || !ap_retag_changes(r, key);
}

/* old: the ID3v2 tag, which stays as it is. */
static bool find_unshared(ape *a, const ap_retag *r, const unsigned char *old, size_t old_size)
{
    const char *key, *value;
    unsigned char *copy = old ? malloc(old_size) : NULL;
    ap_tags *before = ap_tags_new(), *all = ap_tags_new();
    a->tags = ap_tags_new();
    bool ok = before && all && a->tags && (copy || !old);
    if (ok && old)
        (void)ap_id3_parse(memcpy(copy, old, old_size), old_size, before);
    if (ok)
        ap_ape_tags(r->in, 0, all);
    for (size_t i = 0; ok && ap_tags_at(all, i, &key, &value); i++)
        if (!ap_retag_changes(r, key) && !ap_tags_get(before, key))
            ok = ap_tags_add(a->tags, key, value);
    free(copy);
    ap_tags_free(&before);
    ap_tags_free(&all);
    return ok;
}

/* The position of the input stays. One that makes no sense stays as it is. */
static bool read_ape(ape *a, ap_retag *r, const unsigned char *old, size_t old_size, ap_error *err)
{
    uint64_t at = ap_input_tell(r->in);
    bool ok = true;
    if (ap_ape_find(r->in, at, &a->begin, &a->end)) {
        size_t size = (size_t)(a->end - a->begin);
        unsigned char *bytes = ap_retag_load(r, a->begin, size, err);
        ok = bytes && (find_unshared(a, r, old, old_size) || ap_fail_memory(err));
        if (ok && !ap_ape_keep(bytes, size, stays_behind, r, &a->bytes))
            a->begin = a->end;
        free(bytes);
    } else {
        a->begin = a->end = 0;
    }
    r->behind = a->tags;
    return ok && ap_input_seek(r->in, at, err);
}

static bool copy_sound(ap_retag *r, uint64_t start, const ape *a, ap_error *err)
{
    uint64_t size = ap_input_size(r->in);
    unsigned char *v1 = size - start >= V1_SIZE ? ap_retag_load(r, size - V1_SIZE, V1_SIZE, err) : NULL;
    bool has_v1 = v1 && memcmp(v1, "TAG", 3) == 0, ok = v1 || size - start < V1_SIZE;
    uint64_t end = has_v1 ? size - V1_SIZE : size;
    if (has_v1)
        change_v1(r, v1);
    if (a->begin < a->end)
        ok = ok && ap_retag_copy(r, start, a->begin, err) &&
             ap_output_write(r->out, a->bytes.data, a->bytes.size, err);
    ok = ok && ap_retag_copy(r, a->begin < a->end ? a->end : start, end, err) &&
         (!has_v1 || ap_output_write(r->out, v1, V1_SIZE, err));
    free(v1);
    return ok;
}

/* Passes the ID3v2 tags at the start. The first one is loaded, if it can be. */
static bool pass_id3(ap_retag *r, unsigned char **old, size_t *old_size, ap_error *err)
{
    const unsigned char *p;
    size_t size = 0;
    ptrdiff_t n;
    while ((n = ap_input_peek(r->in, &p, HEADER, err)) > 0 && (size = ap_id3_size(p, (size_t)n)) > 0) {
        bool load = !*old && size <= AP_ID3_MAX;
        if (load)
            *old = ap_input_load(r->in, *old_size = size, err);
        if (load ? !*old : !ap_input_skip(r->in, size, err))
            return false;
    }
    return n >= 0;
}

bool ap_retag_mp3(ap_retag *r, ap_error *err)
{
    unsigned char *old = NULL, *tag = NULL;
    size_t old_size = 0, size = 0;
    ape a = {0};
    bool ok = pass_id3(r, &old, &old_size, err);
    uint64_t start = ap_input_tell(r->in);
    ok = ok && read_ape(&a, r, old, old_size, err) && ap_retag_id3(r, old, old_size, &tag, &size, err) &&
         ap_output_write(r->out, tag, size, err) && copy_sound(r, start, &a, err);
    r->behind = NULL;
    free(a.bytes.data);
    ap_tags_free(&a.tags);
    free(old);
    free(tag);
    return ok;
}
