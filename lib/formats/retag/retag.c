/* SPDX-License-Identifier: GPL-3.0-or-later
 * retag.c - other tags for a file: what changes, which format it is, and how the file is replaced. */
#include "formats/retag/retag.h"
#include "base/error.h"
#include "base/net.h"
#include "formats/file_type.h"
#include "formats/mp3/id3.h"
#include "formats/mp3/mpeg.h"
#include "formats/tag_names.h"
#include "stream/chapters.h"
#include "stream/gain_tags.h"
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK 65536

bool ap_retag_damaged(const ap_retag *r, ap_error *err)
{
    return ap_fail(err, AP_FAILED, "'%s' is damaged: its tags stay as they are", ap_input_name(r->in));
}

bool ap_retag_copy(ap_retag *r, uint64_t from, uint64_t to, ap_error *err)
{
    unsigned char *block = malloc(BLOCK);
    bool ok = (block || ap_fail_memory(err)) && ap_input_seek(r->in, from, err);
    for (uint64_t left = to == AP_UNKNOWN ? ap_input_left(r->in) : to - from; ok && left;) {
        ptrdiff_t n = ap_input_read(r->in, block, left < BLOCK ? (size_t)left : BLOCK, err);
        ok = n > 0   ? ap_output_write(r->out, block, (size_t)n, err)
             : n < 0 ? false
                     : ap_retag_damaged(r, err);
        left -= ok ? (uint64_t)n : 0;
    }
    free(block);
    return ok;
}

unsigned char *ap_retag_load(ap_retag *r, uint64_t at, uint64_t size, ap_error *err)
{
    uint64_t whole = ap_input_size(r->in);
    if (at > whole || size > whole - at) {
        ap_retag_damaged(r, err);
        return NULL;
    }
    return ap_input_seek(r->in, at, err) ? ap_input_load(r->in, (size_t)size, err) : NULL;
}

/* ---- what changes */

/* The next value of a key from *at on; NULL: there is none. */
static const char *next_value(const ap_tags *tags, const char *key, size_t *at)
{
    const char *k, *value;
    while (ap_tags_at(tags, (*at)++, &k, &value))
        if (strcmp(k, key) == 0)
            return value;
    return NULL;
}

static bool same_values(const ap_tags *a, const ap_tags *b, const char *key)
{
    size_t i = 0, k = 0;
    for (;;) {
        const char *x = next_value(a, key, &i), *y = next_value(b, key, &k);
        if (!x || !y)
            return x == y;
        if (strcmp(x, y) != 0)
            return false;
    }
}

/* The number that a key belongs to: its own, or that of the total. */
static const ap_tag_total *group_of(const char *key)
{
    static const char *const numbers[] = {"TRACKNUMBER", "DISCNUMBER", "MOVEMENT"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const ap_tag_total *t = ap_tag_total_of(numbers[i]);
        if (t && (strcmp(key, t->number) == 0 || strcmp(key, t->total) == 0 || strcmp(key, t->alias) == 0))
            return t;
    }
    return NULL;
}

bool ap_retag_changes(const ap_retag *r, const char *key)
{
    const ap_tag_total *t = group_of(key);
    if (r->all || !same_values(r->old, r->tags, key))
        return true;
    return t && !(same_values(r->old, r->tags, t->number) && same_values(r->old, r->tags, t->total) &&
                  same_values(r->old, r->tags, t->alias));
}

static bool same_picture(const ap_tags *a, const ap_tags *b)
{
    ap_picture x = ap_tags_picture(a), y = ap_tags_picture(b);
    return x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
}

bool ap_retag_is_old_cover(const ap_retag *r, const ap_tags *found)
{
    return ap_tags_picture(found).size && same_picture(r->old, found);
}

/* Whether any key of a has other values in b. */
static bool differs(const ap_tags *a, const ap_tags *b, bool chapters)
{
    const char *key, *value;
    for (size_t i = 0; ap_tags_at(a, i, &key, &value); i++)
        if ((!chapters || ap_is_chapter_key(key)) && !same_values(a, b, key))
            return true;
    return false;
}

/* Sets what changes. false: nothing does. */
static bool compare(ap_retag *r)
{
    r->picture = !same_picture(r->old, r->tags);
    r->chapters = differs(r->old, r->tags, true) || differs(r->tags, r->old, true);
    return r->picture || differs(r->old, r->tags, false) || differs(r->tags, r->old, false);
}

/* ---- the formats */

/* NULL: there is none for it. p: the first bytes after ID3v2 tags. */
static ap_retag_fn *choose(const unsigned char *p, size_t size)
{
    static const struct {
        const char *type;
        ap_retag_fn *function;
    } formats[] = {{"flac", ap_retag_flac}, {"ogg", ap_retag_ogg},   {"opus", ap_retag_ogg},
                   {"wav", ap_retag_wav},   {"aiff", ap_retag_aiff}, {"au", ap_retag_au},
                   {"m4a", ap_retag_mp4},   {"mp4", ap_retag_mp4}};
    ap_mpeg header;
    const char *type = ap_is_rifx(p, size) ? NULL : ap_file_type_of(p, size);
    for (size_t i = 0; type && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(type, formats[i].type) == 0)
            return formats[i].function;
    return ap_mpeg_parse(p, &header) ? ap_retag_mp3 : NULL;
}

/* The start of the file after its ID3v2 tags. */
static bool skip_id3(ap_input *in, ap_error *err)
{
    const unsigned char *p;
    for (size_t size = 1; size;) {
        ptrdiff_t n = ap_input_peek(in, &p, 10, err);
        size = n < 0 ? 0 : ap_id3_size(p, (size_t)n);
        if (n < 0 || (size && !ap_input_skip(in, size, err)))
            return false;
    }
    return true;
}

static ap_retag_fn *find_format(ap_retag *r, ap_error *err)
{
    const unsigned char *p;
    ptrdiff_t n = skip_id3(r->in, err) ? ap_input_peek(r->in, &p, 4096, err) : -1;
    ap_retag_fn *found = n >= 12 ? choose(p, (size_t)n) : NULL;
    if (n >= 0 && !found)
        ap_fail(err, AP_FAILED, "cannot write tags into '%s': not mp3, flac, ogg, opus, wav, aiff, m4a or au",
                ap_input_name(r->in));
    return found && ap_input_seek(r->in, 0, err) ? found : NULL;
}

static ap_gain_tags gain_kind(ap_retag_fn *format, ap_input *in)
{
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(in, &p, 64, NULL);
    const char *type = n > 0 ? ap_file_type_of(p, (size_t)n) : NULL;
    return format == ap_retag_ogg && type && strcmp(type, "opus") == 0 ? AP_GAIN_R128 : AP_GAIN_REPLAYGAIN;
}

/* ---- the file */

static bool write_file(ap_retag *r, ap_retag_fn *format, const char *path, ap_error *err)
{
    r->out = ap_output_create(path, false, err);
    if (!r->out)
        return false;
    if (format(r, err))
        return ap_output_commit(r->out, err);
    ap_output_abort(r->out);
    return false;
}

static bool copy_tags(ap_tags **to, const ap_tags *from, ap_error *err)
{
    *to = ap_tags_new();
    return (*to && ap_tags_merge(*to, from)) || ap_fail_memory(err);
}

static bool only_files(const char *path, struct stat *st, ap_error *err)
{
    if (ap_net_is_url(path))
        return ap_fail(err, AP_USAGE, "'%s' is not a file: tags are written into files", path);
    if (stat(path, st) != 0)
        return ap_fail_errno(err, errno, "cannot open '%s'", path);
    return S_ISREG(st->st_mode) || ap_fail(err, AP_FAILED, "'%s' is not a file", path);
}

static bool keep_time(const char *path, const struct stat *st, ap_error *err)
{
    struct timespec times[2] = {st->st_atim, st->st_mtim};
    return utimensat(AT_FDCWD, path, times, 0) == 0 ||
           ap_fail_errno(err, errno, "cannot set the time of '%s'", path);
}

bool ap_tags_write(const char *path, const ap_tags *tags, bool same_time, ap_error *err)
{
    struct stat st;
    ap_stream *s = only_files(path, &st, err) ? ap_decode(path, NULL, err) : NULL;
    if (!s)
        return false;
    ap_tags *mine = NULL;
    ap_retag r = {.in = ap_input_open(path, err), .old = ap_stream_tags(s), .format = *ap_stream_format(s)};
    ap_retag_fn *format = r.in && copy_tags(&mine, tags, err) ? find_format(&r, err) : NULL;
    bool ok = format;
    r.tags = mine;
    bool changes = ok && compare(&r);
    if (changes)
        ok = ap_gain_tags_convert(mine, gain_kind(format, r.in)) || ap_fail_memory(err);
    if (ok && changes && compare(&r))
        ok = write_file(&r, format, path, err) && (!same_time || keep_time(path, &st, err));
    ap_tags_free(&mine);
    ap_input_close(r.in);
    ap_close(&s);
    return ok;
}
