/* SPDX-License-Identifier: GPL-3.0-or-later
 * flac.c - tags in FLAC (RFC 9639, 8): the comment block and the cover change, the frames and all other
 * blocks stay. An ID3v2 tag before it, which FLAC does not define, goes; its content becomes comments. */
#include "base/error.h"
#include "formats/mp3/id3.h"
#include "formats/retag/retag.h"
#include "formats/vorbiscomment.h"

#include <stdlib.h>

enum { PADDING = 1, COMMENTS = 4, PICTURE = 6, LAST = 0x80 };
#define MAX_BLOCK 0xffffffu
#define ROOM 4096 /* padding, for other taggers */

static bool add_block(const ap_retag *r, ap_bytes *to, int type, const void *data, size_t size, ap_error *err)
{
    if (size > MAX_BLOCK)
        return ap_fail(err, AP_FAILED, "the tags are too large for '%s': FLAC has 16 MB for them",
                       ap_input_name(r->in));
    ap_bytes_big(to, (uint64_t)type << 24 | size, 4);
    ap_bytes_add(to, data, size);
    return true;
}

static bool add_comments(const ap_retag *r, ap_bytes *to, const unsigned char *old, size_t size,
                         ap_error *err)
{
    ap_bytes body = {0};
    size_t used;
    bool ok = ap_retag_comments(r, old, size, false, &body, &used) ? !body.failed || ap_fail_memory(err)
                                                                   : ap_retag_damaged(r, err);
    ok = ok && add_block(r, to, COMMENTS, body.data, body.size, err);
    free(body.data);
    return ok;
}

static bool is_old_cover(const ap_retag *r, const unsigned char *p, size_t size)
{
    ap_tags *found = ap_tags_new();
    bool is = found && ap_flac_picture_parse(p, size, found) && ap_retag_is_old_cover(r, found);
    ap_tags_free(&found);
    return is;
}

static bool add_cover(const ap_retag *r, ap_bytes *to, ap_error *err)
{
    ap_picture picture = ap_tags_picture(r->tags);
    size_t size;
    if (!r->picture || !picture.size)
        return true;
    unsigned char *block = ap_flac_picture_make(&picture, &size);
    bool ok = (block || ap_fail_memory(err)) && add_block(r, to, PICTURE, block, size, err);
    free(block);
    return ok;
}

/* One old block, changed or not. */
static bool pass_block(const ap_retag *r, ap_bytes *to, int type, const unsigned char *p, size_t size,
                       bool *comments, ap_error *err)
{
    if (type == PADDING || (type == PICTURE && r->picture && is_old_cover(r, p, size)))
        return true;
    if (type != COMMENTS)
        return add_block(r, to, type, p, size, err);
    bool first = !*comments;
    *comments = true;
    return !first || add_comments(r, to, p, size, err);
}

/* The blocks from *at on, which is then moved past them. */
static bool pass_blocks(ap_retag *r, ap_bytes *to, uint64_t *at, ap_error *err)
{
    bool comments = false, ok = true;
    for (int last = 0; ok && !last;) {
        unsigned char *head = ap_retag_load(r, *at, 4, err);
        if (!head)
            return false;
        last = head[0] & LAST;
        int type = head[0] & ~LAST;
        size_t size = (size_t)ap_get_big(head + 1, 3);
        free(head);
        unsigned char *body = ap_retag_load(r, *at + 4, size, err);
        ok = body && pass_block(r, to, type, body, size, &comments, err);
        free(body);
        *at += 4 + size;
    }
    return ok && (comments || add_comments(r, to, NULL, 0, err));
}

bool ap_retag_flac(ap_retag *r, ap_error *err)
{
    static const unsigned char room[ROOM];
    ap_bytes head = {0};
    const unsigned char *p;
    uint64_t at = 0;
    ptrdiff_t n;
    while ((n = ap_input_peek(r->in, &p, 10, err)) > 0 && ap_id3_size(p, (size_t)n)) {
        r->all = true;
        if (!ap_input_skip(r->in, ap_id3_size(p, (size_t)n), err))
            return false;
    }
    at = ap_input_tell(r->in) + 4;
    ap_bytes_text(&head, "fLaC");
    bool ok = n > 0 && pass_blocks(r, &head, &at, err) && add_cover(r, &head, err) &&
              add_block(r, &head, LAST | PADDING, room, sizeof room, err) &&
              (!head.failed || ap_fail_memory(err)) && ap_output_write(r->out, head.data, head.size, err) &&
              ap_retag_copy(r, at, AP_UNKNOWN, err);
    free(head.data);
    return ok;
}
