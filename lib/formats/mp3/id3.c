/* SPDX-License-Identifier: GPL-3.0-or-later
 * id3.c - ID3v2 tags (2.2, 2.3, 2.4), which stand before MP3 and inside WAV and AIFF. The section numbers
 * are those of id3v2.4.0-structure unless another document is named. */
#include "formats/mp3/id3.h"
#include "base/text.h"
#include "formats/tag_names.h"
#include "formats/vorbiscomment.h"
#include "stream/chapters.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 10
/* Bounds that keep a hostile tag from costing minutes. */
#define MAX_FRAMES 10000
#define MAX_VALUES 64
enum { TAG_UNSYNC = 0x80, TAG_EXTENDED = 0x40, TAG_FOOTER = 0x10 }; /* flags of the tag, 3.1 */

/* What is left of a tag or of one of its frames. */
typedef struct span {
    unsigned char *at;
    size_t left;
} span;

static void advance(span *s, size_t n)
{
    n = n < s->left ? n : s->left;
    s->at += n;
    s->left -= n;
}

static uint32_t number(const unsigned char *p, int bytes, int bits)
{
    uint32_t v = 0;
    while (bytes--)
        v = v << bits | *p++;
    return v;
}

static bool is_synchsafe(const unsigned char *p)
{
    return ((p[0] | p[1] | p[2] | p[3]) & 0x80) == 0;
}

size_t ap_id3_get_size(const unsigned char *p)
{
    return number(p, 4, 7);
}

void ap_id3_put_size(unsigned char *p, size_t size)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(size >> (21 - 7 * i) & 0x7f);
}

size_t ap_id3_size(const unsigned char *bytes, size_t size)
{
    if (size < HEADER || memcmp(bytes, "ID3", 3) != 0 || bytes[3] == 0xff || bytes[4] == 0xff ||
        !is_synchsafe(bytes + 6))
        return 0;
    size_t footer = bytes[3] >= 4 && bytes[5] & TAG_FOOTER ? HEADER : 0;
    return HEADER + ap_id3_get_size(bytes + 6) + footer;
}

/* ---- text */

/* One character of UTF-16, with U+FFFD for a surrogate that stands alone. */
static uint32_t take_utf16(span *s, bool big)
{
    uint32_t c = big ? number(s->at, 2, 8) : (uint32_t)s->at[1] << 8 | s->at[0];
    advance(s, 2);
    if (c < 0xd800 || c > 0xdfff)
        return c;
    uint32_t d = s->left < 2 ? 0 : big ? number(s->at, 2, 8) : (uint32_t)s->at[1] << 8 | s->at[0];
    if (c >= 0xdc00 || d < 0xdc00 || d > 0xdfff)
        return 0xfffd;
    advance(s, 2);
    return 0x10000 + ((c & 0x3ff) << 10 | (d & 0x3ff));
}

static char *take_utf16_string(span *s, bool big)
{
    if (s->left >= 2 && (memcmp(s->at, "\xff\xfe", 2) == 0 || memcmp(s->at, "\xfe\xff", 2) == 0)) {
        big = s->at[0] == 0xfe;
        advance(s, 2);
    }
    size_t n = 0;
    while (2 * n + 2 <= s->left && (s->at[2 * n] || s->at[2 * n + 1]))
        n++;
    char *text = malloc(3 * n + 1), *to = text;
    span string = {s->at, 2 * n};
    while (text && string.left)
        to += ap_utf8_put(to, take_utf16(&string, big));
    if (text)
        *to = 0;
    advance(s, 2 * n + 2);
    return text;
}

/* Takes one string, up to its terminator or the end (4.2: encoding 0 = ISO 8859-1, 1 = UTF-16 with BOM, 2 =
 * UTF-16BE, 3 = UTF-8). Encoding 0 is passed on as it is: many files have UTF-8 there, and ap_tags_add tells
 * the two apart. malloc'ed, NULL when out of memory. */
static char *take_string(span *s, int encoding)
{
    if (encoding == 1 || encoding == 2)
        return take_utf16_string(s, encoding == 2);
    char *text = strndup((const char *)s->at, s->left);
    if (text)
        advance(s, strlen(text) + 1);
    return text;
}

/* ---- frames */

static bool has_value(const ap_tags *tags, const char *key, const char *value)
{
    const char *k, *v;
    for (size_t i = 0; ap_tags_at(tags, i, &k, &v); i++)
        if (strcmp(k, key) == 0 && strcmp(v, value) == 0)
            return true;
    return false;
}

/* A tag that cannot be kept is no reason to stop, so nothing here returns whether it was. */
static void add(ap_tags *tags, const char *key, const char *value)
{
    if (*value && !has_value(tags, key, value))
        (void)ap_tags_add(tags, key, value);
}

/* "(17)", "(17)Refinement", "17", "(4)(RX)" (id3v2.3.0, 4.2.1, TCON), or a name. */
static void add_genre(ap_tags *tags, const char *text)
{
    unsigned n;
    int length = 0;
    while (sscanf(text, "(%3u)%n", &n, &length) == 1 && length) {
        text += length;
        length = 0;
        if (ap_genre_name(n) && !*text)
            add(tags, "GENRE", ap_genre_name(n));
        else if (ap_genre_name(n) && *text == '(')
            add(tags, "GENRE", ap_genre_name(n));
    }
    if (strcmp(text, "(RX)") == 0 || strcmp(text, "RX") == 0)
        text = "Remix";
    if (strcmp(text, "(CR)") == 0 || strcmp(text, "CR") == 0)
        text = "Cover";
    if (sscanf(text, "%3u%n", &n, &length) == 1 && !text[length] && ap_genre_name(n))
        text = ap_genre_name(n);
    add(tags, "GENRE", text[0] == '(' && text[1] == '(' ? text + 1 : text);
}

static void add_text(ap_tags *tags, const char *key, char *text)
{
    if (strcmp(key, "GENRE") == 0)
        add_genre(tags, text);
    else if (ap_tag_total_of(key))
        ap_tags_add_position(tags, ap_tag_total_of(key), text);
    else if (!strstr(key, "DATE") || !ap_tags_get(tags, key)) /* TYER beside TDRC, TORY beside TDOR */
        add(tags, key, text);
}

static void parse_text(span s, const char *key, ap_tags *tags)
{
    int encoding = s.at[0];
    advance(&s, 1);
    for (int i = 0; s.left && i < MAX_VALUES; i++) { /* several values, 4.2 */
        char *text = take_string(&s, encoding);
        if (!text)
            return;
        add_text(tags, key, text);
        free(text);
    }
}

/* TXXX: a description, which names the key, and values. */
static void parse_user_text(span s, ap_tags *tags)
{
    int encoding = s.at[0];
    advance(&s, 1);
    char *name = take_string(&s, encoding);
    for (int i = 0; name && s.left && i < MAX_VALUES; i++) {
        char *value = take_string(&s, encoding);
        if (value)
            add(tags, ap_tag_key_of_name(name), value);
        free(value);
    }
    free(name);
}

/* TIPL, TMCL, and IPLS of version 2.3: parts and who has them. What is no known part is an instrument. */
static void parse_people(span s, ap_tags *tags)
{
    int encoding = s.at[0];
    advance(&s, 1);
    for (int i = 0; s.left && i < MAX_VALUES; i++) {
        char *role = take_string(&s, encoding), *name = take_string(&s, encoding), performer[512];
        const char *key = role ? ap_tag_key_of_role(role) : NULL;
        if (key && name) {
            add(tags, key, name);
        } else if (role && name && *name) {
            snprintf(performer, sizeof performer, *role ? "%s (%s)" : "%s", name, role);
            add(tags, "PERFORMER", performer);
        }
        free(role);
        free(name);
    }
}

/* UFID: who gave the identifier, and the identifier. */
static void parse_identifier(span s, ap_tags *tags)
{
    char *owner = take_string(&s, 0), *id = take_string(&s, 0);
    if (owner && id && strcmp(owner, AP_ID3_MUSICBRAINZ) == 0)
        add(tags, "MUSICBRAINZ_TRACKID", id);
    free(owner);
    free(id);
}

/* COMM and USLT: a language, a description and the text. */
static void parse_comment(span s, const char *key, ap_tags *tags)
{
    int encoding = s.at[0];
    advance(&s, 4);
    char *description = take_string(&s, encoding), *text = take_string(&s, encoding);
    if (description && text && strncmp(description, "iTun", 4) != 0) /* iTunes keeps numbers there */
        add(tags, key, text);
    free(description);
    free(text);
}

/* APIC, and PIC of version 2.2, which has three letters instead of a MIME type. */
static void parse_picture(span s, bool old, ap_tags *tags)
{
    int encoding = s.at[0];
    advance(&s, 1);
    char *mime = old ? strdup("image/") : take_string(&s, 0);
    if (old)
        advance(&s, 3);
    unsigned type = s.left ? s.at[0] : 0;
    advance(&s, 1);
    char *description = take_string(&s, encoding);
    if (mime && description)
        (void)ap_picture_add(tags, type, mime, s.at, s.left);
    free(mime);
    free(description);
}

static bool is_id(const char *id, const char *now, const char *old)
{
    return strcmp(id, now) == 0 || strcmp(id, old) == 0;
}

static void parse_frames(span s, int version, bool in_chapter, ap_tags *tags);

/* CHAP ("ID3v2 Chapter Frame Addendum" 1.0): a name of its own, start and end in ms, two offsets in bytes,
 * and frames, of which the title is wanted. */
static void parse_chapter(span s, int version, ap_tags *tags)
{
    char *id = take_string(&s, 0);
    ap_tags *inner = ap_tags_new();
    if (id && inner && s.left >= 16) {
        uint32_t start_ms = number(s.at, 4, 8);
        advance(&s, 16);
        parse_frames(s, version, true, inner);
        (void)ap_chapters_add(tags, start_ms, ap_tags_get(inner, "TITLE"));
    }
    ap_tags_free(&inner);
    free(id);
}

static void parse_frame(const char *id, span s, ap_tags *tags)
{
    const char *key = ap_tag_key_of_id3(id);
    if (s.left < 2)
        return;
    if (is_id(id, "COMM", "COM") || is_id(id, "USLT", "ULT"))
        parse_comment(s, key, tags);
    else if (is_id(id, "TXXX", "TXX"))
        parse_user_text(s, tags);
    else if (is_id(id, "TIPL", "TMCL") || is_id(id, "IPLS", "IPL"))
        parse_people(s, tags);
    else if (is_id(id, "UFID", "UFI"))
        parse_identifier(s, tags);
    else if (is_id(id, "APIC", "PIC"))
        parse_picture(s, id[3] == 0, tags);
    else if (key && strcmp(key, "ENCODER") != 0) /* of the MP3, not of what is made of it */
        parse_text(s, key, tags);
}

/* ---- the tag */

/* Undoes the unsynchronisation (6.1): a zero after each 0xff is dropped. */
static size_t resynchronise(unsigned char *bytes, size_t size)
{
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        bytes[kept++] = bytes[i];
        if (bytes[i] == 0xff && i + 1 < size && bytes[i + 1] == 0)
            i++;
    }
    return kept;
}

/* Applies the flags of a frame: drops what stands before its content. false if it is compressed or encrypted.
 */
static bool unwrap_frame(span *s, int version, unsigned flags)
{
    if (version == 3) {                   /* id3v2.3.0, 3.3.1 */
        advance(s, flags & 0x20 ? 1 : 0); /* group */
        return (flags & 0xc0) == 0;
    }
    if (version == 4) {                   /* 4.1.2 */
        advance(s, flags & 0x40 ? 1 : 0); /* group */
        advance(s, flags & 0x01 ? 4 : 0); /* length */
        if (flags & 0x02)
            s->left = resynchronise(s->at, s->left);
        return (flags & 0x0c) == 0;
    }
    return true;
}

/* A frame, padding or the end may stand here. */
static bool is_boundary(const span *s, size_t at)
{
    if (at >= s->left)
        return at == s->left;
    return s->at[at] == 0 || isupper(s->at[at]);
}

/* The size of a frame of version 2.4 is synchsafe; iTunes wrote plain numbers. */
static uint32_t frame_size(const span *s, int version)
{
    if (version == 2)
        return number(s->at + 3, 3, 8);
    uint32_t plain = number(s->at + 4, 4, 8), safe = (uint32_t)ap_id3_get_size(s->at + 4);
    if (version == 3 || !is_synchsafe(s->at + 4))
        return plain;
    return !is_boundary(s, HEADER + (size_t)safe) && is_boundary(s, HEADER + (size_t)plain) ? plain : safe;
}

static void parse_frames(span s, int version, bool in_chapter, ap_tags *tags)
{
    size_t letters = version == 2 ? 3 : 4, header = version == 2 ? 6 : HEADER;
    for (int i = 0; s.left > header && s.at[0] && i < MAX_FRAMES; i++) {
        char id[5] = "";
        memcpy(id, s.at, letters);
        uint32_t size = frame_size(&s, version);
        unsigned flags = version == 2 ? 0 : s.at[9];
        advance(&s, header);
        span frame = {s.at, size < s.left ? size : s.left};
        advance(&s, size);
        if (!unwrap_frame(&frame, version, flags))
            continue;
        if (strcmp(id, "CHAP") != 0)
            parse_frame(id, frame, tags);
        else if (!in_chapter)
            parse_chapter(frame, version, tags);
    }
}

/* Finds the frames of a tag, whose version is returned; 0 if it is none. */
static int open_tag(unsigned char *bytes, size_t size, span *s)
{
    size_t whole = ap_id3_size(bytes, size);
    int version = whole ? bytes[3] : 0;
    if (version < 2 || version > 4 || (version == 2 && bytes[5] & TAG_EXTENDED)) /* 2.2: compressed */
        return 0;
    *s = (span){bytes + HEADER, (whole < size ? whole : size) - HEADER};
    if (version < 4 && bytes[5] & TAG_UNSYNC)
        s->left = resynchronise(s->at, s->left);
    if (version == 3 && bytes[5] & TAG_EXTENDED && s->left >= 4)
        advance(s, 4 + (size_t)number(s->at, 4, 8));
    if (version == 4 && bytes[5] & TAG_EXTENDED && s->left >= 4)
        advance(s, ap_id3_get_size(s->at));
    return version;
}

bool ap_id3_parse(unsigned char *bytes, size_t size, ap_tags *tags)
{
    span s;
    int version = open_tag(bytes, size, &s);
    if (!version)
        return false;
    parse_frames(s, version, false, tags);
    return ap_id3_size(bytes, size) <= size;
}

/* ---- frames that stay */

/* What a frame says by itself; NULL when out of memory. */
static ap_tags *parse_alone(span frame, int version)
{
    ap_tags *alone = ap_tags_new();
    unsigned char *copy = malloc(frame.left);
    if (alone && copy) {
        memcpy(copy, frame.at, frame.left); /* it is scribbled over */
        parse_frames((span){copy, frame.left}, version, false, alone);
    } else {
        ap_tags_free(&alone);
    }
    free(copy);
    return alone;
}

/* The flags of version 2.3 (3.3.1) in the places that they have in 2.4 (4.1); -1: of those that change the
 * bytes. */
static int flags_of(const unsigned char *head, int version)
{
    unsigned flags = number(head + 8, 2, 8);
    if (version == 4)
        return (int)flags;
    return flags & 0xe0 ? -1 : (int)(flags >> 1 & 0x7000);
}

/* Appends a frame of a version with ids of four letters. */
static bool keep_frame(span frame, int version, ap_bytes *frames)
{
    int flags = flags_of(frame.at, version);
    size_t body = frame.left - HEADER;
    if (flags < 0)
        return false;
    ap_bytes_add(frames, frame.at, 4);
    unsigned char size[4];
    ap_id3_put_size(size, body);
    ap_bytes_add(frames, size, sizeof size);
    ap_bytes_big(frames, (uint64_t)flags, 2);
    ap_bytes_add(frames, frame.at + HEADER, body);
    return true;
}

bool ap_id3_keep(unsigned char *bytes, size_t size, ap_id3_stays *stays, void *user, ap_bytes *frames)
{
    span s;
    int version = open_tag(bytes, size, &s);
    for (int i = 0; version > 2 && s.left > HEADER && s.at[0] && i < MAX_FRAMES; i++) {
        size_t body = frame_size(&s, version);
        span frame = {s.at, body < s.left - HEADER ? body + HEADER : s.left};
        bool chapter = memcmp(s.at, "CHAP", 4) == 0 || memcmp(s.at, "CTOC", 4) == 0;
        ap_tags *alone = parse_alone(frame, version);
        frames->failed |= !alone;
        bool kept = !alone || !stays(user, alone, chapter) || keep_frame(frame, version, frames);
        ap_tags_free(&alone);
        if (!kept)
            return false;
        advance(&s, frame.left);
    }
    return true;
}
