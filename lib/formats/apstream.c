/* SPDX-License-Identifier: GPL-3.0-or-later
 * apstream.c - audio between processes: Sun AU, 32-bit big-endian float, with an annotation that carries the
 * length, the channel mask and the tags. apstream(5) is the specification. */
#include "formats/apstream.h"
#include "base/bytes.h"
#include "base/error.h"
#include "formats/chunks.h"
#include "formats/file_type.h"
#include "formats/pcm.h"
#include "stream/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The AU header: six big-endian 32-bit words, then the annotation (the format of NeXT and Sun, audio(5)). */
#define MAGIC "\x2esnd"
#define HEADER_SIZE 24
/* Encodings: 3, 4, 5 are integers of 16, 24, 32 bits. */
#define AU_INTEGER(bits) ((uint32_t)(bits) / 8 + 1)
#define AU_FLOAT 6
#define AU_SIZE_UNKNOWN 0xffffffffu
#define FIRST_LINE "AP1\n"
/* The tag that FLAC has for the mask (RFC 9639, 8.6.2). */
#define MASK_TAG "WAVEFORMATEXTENSIBLE_CHANNEL_MASK"
/* More annotation than this is refused by the reader and not made by the writer. */
#define MAX_ANNOTATION ((size_t)4 << 20)

/* ---- reading */

/* Undoes the writer's escapes in place; other backslashes, of other programs, stay. */
static void unescape(char *value)
{
    char *to = value;
    for (const char *p = value; *p; p++) {
        bool escape = p[0] == '\\' && (p[1] == 'n' || p[1] == '\\');
        *to++ = !escape ? *p : p[1] == 'n' ? '\n' : '\\';
        p += escape;
    }
    *to = 0;
}

static bool parse_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 0);
    *number = v;
    return text[0] >= '0' && text[0] <= '9' && *end == 0 && errno == 0 && v < AP_UNKNOWN;
}

static bool parse_mask(const char *text, ap_format *format)
{
    uint64_t mask;
    if (!parse_number(text, &mask) || mask > UINT32_MAX)
        return false;
    format->mask = mask ? (uint32_t)mask : AP_DISCRETE;
    return true;
}

/* ours: the lines after the tags, or an annotation of an earlier version, which has both in one. */
static bool parse_line(char *line, bool ours, ap_format *format, ap_tags *tags)
{
    char *value = strchr(line, '=');
    if (!value)
        return true; /* from a later version, or a comment */
    *value++ = 0;
    bool frames = strcmp(line, "frames") == 0, mask = strcmp(line, "mask") == 0;
    if (frames || mask)
        return !ours || (frames ? parse_number(value, &format->frames) : parse_mask(value, format));
    if (strcmp(line, MASK_TAG) == 0)
        return parse_mask(value, format) || !ours;
    unescape(value);
    if ((*line >= 'A' && *line <= 'Z') || !ours)
        (void)ap_tags_add(tags, line, value); /* a tag that cannot be kept is no reason to stop */
    return true;
}

static bool parse_lines(char *text, ap_format *format, ap_tags *tags)
{
    bool ours = strncmp(text, FIRST_LINE, strlen(FIRST_LINE)) == 0;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        if (!parse_line(line, ours, format, tags))
            return false;
    return true;
}

/* Takes the annotation apart: size bytes and a NUL. */
static bool parse_annotation(char *text, size_t size, ap_format *format, ap_tags *tags)
{
    size_t first = strlen(text) + 1; /* before the lines are taken apart */
    return parse_lines(text, format, tags) &&
           (first > size || strncmp(text + first, FIRST_LINE, strlen(FIRST_LINE)) != 0 ||
            parse_lines(text + first, format, tags));
}

/* sox makes comments of an annotation's lines. */
static bool is_copied_note(const ap_tags *tags)
{
    const char *key, *value;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++)
        if (strcmp(key, "COMMENT") == 0 && strcmp(value, "AP1") == 0)
            return true;
    return false;
}

bool ap_apstream_drop_notes(ap_tags **tags)
{
    const char *key, *value;
    if (!is_copied_note(*tags))
        return true;
    ap_tags *kept = ap_tags_new();
    bool ok = kept;
    for (size_t i = 0; ok && ap_tags_at(*tags, i, &key, &value); i++)
        if (strcmp(key, "FRAMES") != 0 && strcmp(key, "MASK") != 0 &&
            (strcmp(key, "COMMENT") != 0 || strcmp(value, "AP1") != 0))
            ok = ap_tags_add(kept, key, value);
    ap_picture p = ap_tags_picture(*tags);
    ok = ok && ap_tags_set_picture(kept, p.mime, p.data, p.size);
    ap_tags_free(ok ? tags : &kept);
    if (ok)
        *tags = kept;
    return ok;
}

static bool pcm_of_encoding(uint32_t encoding, ap_pcm *type)
{
    static const ap_pcm types[] = {AP_PCM_S8, AP_PCM_S16, AP_PCM_S24, AP_PCM_S32, AP_PCM_F32, AP_PCM_F64};
    if (encoding < 2 || encoding > 7)
        return false;
    *type = types[encoding - 2];
    return true;
}

/* Reads the annotation that follows the header and ends at offset. */
static bool read_annotation(ap_input *in, uint32_t offset, ap_format *format, ap_tags *tags, ap_error *err)
{
    const char *name = ap_input_name(in);
    if (offset < HEADER_SIZE || offset - HEADER_SIZE > MAX_ANNOTATION)
        return ap_fail(err, AP_FAILED, "'%s' is not valid AU: its header says that it has %u bytes", name,
                       offset);
    size_t size = offset - HEADER_SIZE;
    char *text = malloc(size + 1);
    if (!text)
        return ap_fail_memory(err);
    ptrdiff_t n = ap_input_read(in, text, size, err);
    bool ok = n == (ptrdiff_t)size;
    if (!ok && n >= 0)
        ap_fail(err, AP_FAILED, "'%s' is truncated inside its header", name);
    text[size] = 0;
    if (ok && !parse_annotation(text, size, format, tags))
        ok = ap_fail(err, AP_FAILED, "'%s' has an apstream header that makes no sense", name);
    free(text);
    return ok;
}

typedef struct au {
    ap_input *in;
    ap_tags *tags;
    ap_format format;
    ap_pcm type;
    uint32_t size; /* of the samples, as the header has it */
    bool big_endian;
    bool ours;   /* the annotation and the header agree */
    bool longer; /* than the header says */
} au;

static uint32_t word(const au *a, const unsigned char *p)
{
    return (uint32_t)(a->big_endian ? ap_get_big(p, 4) : ap_get_little(p, 4));
}

/* Reads the whole header; the input then stands at the first frame. */
static bool read_header(au *a, ap_error *err)
{
    const char *name = ap_input_name(a->in);
    unsigned char h[HEADER_SIZE];
    ptrdiff_t n = ap_input_read(a->in, h, sizeof h, err);
    if (n < 0)
        return false;
    if (n == 0)
        return ap_fail(err, AP_FAILED, "'%s' is empty", name);
    if (!ap_is_au(h, (size_t)n, &a->big_endian))
        return ap_fail(err, AP_FAILED, "'%s' is not an apstream", name);
    if (n < HEADER_SIZE)
        return ap_fail(err, AP_FAILED, "'%s' is truncated inside its header", name);
    uint32_t encoding = word(a, h + 12);
    a->size = word(a, h + 8);
    a->format = (ap_format){word(a, h + 16), word(a, h + 20), 0, AP_UNKNOWN};
    if (!pcm_of_encoding(encoding, &a->type))
        return ap_fail(err, AP_FAILED, "'%s' is AU with encoding %u, which is not linear PCM", name,
                       encoding);
    return read_annotation(a->in, word(a, h + 4), &a->format, a->tags, err);
}

/* The length that counts. Other programs copy our annotation to a stream that they changed, so frames= counts
 * only if the size in the header says the same, or has no room for it. sox rounds the size that it predicts,
 * and is not always right. */
static void set_length(au *a)
{
    uint64_t frame_size = ap_pcm_size(a->type) * (uint64_t)a->format.channels, told = a->format.frames;
    uint64_t left = ap_input_left(a->in);
    bool fits = told < AU_SIZE_UNKNOWN / frame_size;
    a->ours = told != AP_UNKNOWN && a->size == (fits ? told * frame_size : AU_SIZE_UNKNOWN);
    if (a->ours)
        return;
    bool unknown = a->size == 0 || ap_chunk_size_unknown(a->size);
    a->format.frames = unknown || a->size % frame_size != 0 ? AP_UNKNOWN : a->size / frame_size;
    if (left == AP_UNKNOWN || unknown)
        return;
    uint64_t true_size = ap_chunks_true_size(a->in, NULL, a->size, true);
    a->longer = true_size / frame_size > a->size / frame_size;
    a->format.frames = true_size / frame_size;
}

static bool refuse_more(ap_stream *s, ap_input *in, ap_error *err)
{
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(in, &p, 1, err);
    return n == 0 || (n > 0 && ap_fail(err, AP_FAILED, "'%s' goes on after the %llu frames that it announced",
                                       ap_stream_name(s), (unsigned long long)s->format.frames));
}

static bool warn_of_more(ap_stream *s, ap_input *in, ap_error *err)
{
    (void)err;
    if (ap_chunks_behind(in, NULL, 0) != AP_BEHIND_NOTHING)
        ap_warn_left_out(s);
    return true;
}

ap_stream *ap_apstream_open(ap_input *in, ap_error *err)
{
    au a = {.in = in, .tags = ap_tags_new()};
    if (!a.tags)
        ap_fail_memory(err);
    if (!a.tags || !read_header(&a, err) || !ap_check_format(ap_input_name(in), &a.format, err)) {
        ap_tags_free(&a.tags);
        ap_input_close(in);
        return NULL;
    }
    set_length(&a);
    ap_stream *s =
        ap_pcm_stream(in, a.type, a.big_endian, &a.format, a.tags, a.ours ? refuse_more : warn_of_more, err);
    (void)ap_stream_note(s, "au", ap_pcm_name(a.type, a.big_endian), 8 * (unsigned)ap_pcm_size(a.type));
    if (s && a.longer)
        ap_warn(s, "'%s' is longer than its header tells: all of it is read", ap_stream_name(s));
    return s;
}

ap_stream *ap_apstream_read(int fd, const char *name, ap_error *err)
{
    ap_input *in = ap_input_new(fd, false, name, err);
    return in ? ap_apstream_open(in, err) : NULL;
}

/* ---- writing */

/* KEY=value and a newline, with newlines and backslashes inside the value escaped. */
static void add_tag(ap_bytes *b, const char *key, const char *value)
{
    ap_bytes_text(b, key);
    ap_bytes_text(b, "=");
    for (size_t n; *value; value += n) {
        n = strcspn(value, "\n\\");
        ap_bytes_add(b, value, n);
        if (value[n])
            ap_bytes_text(b, value[n] == '\n' ? "\\n" : "\\\\");
        n += value[n] != 0;
    }
    ap_bytes_text(b, "\n");
}

/* The tags, a NUL, and what must not outlive this stream: programs that copy an annotation take it for a
 * string. */
void ap_apstream_annotation(ap_bytes *b, const ap_format *format, const ap_tags *tags)
{
    const char *key, *value;
    char line[64];
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++)
        if (b->size + strlen(key) + 2 * strlen(value) + 256 <= MAX_ANNOTATION && strcmp(key, MASK_TAG) != 0)
            add_tag(b, key, value);
    if (format->mask != ap_default_mask(format->channels)) {
        snprintf(line, sizeof line, MASK_TAG "=0x%04" PRIX32 "\n", ap_has_places(format) ? format->mask : 0);
        ap_bytes_text(b, line);
    }
    ap_bytes_zeros(b, 1);
    ap_bytes_text(b, FIRST_LINE);
    if (format->frames != AP_UNKNOWN) {
        snprintf(line, sizeof line, "frames=%" PRIu64 "\n", format->frames);
        ap_bytes_text(b, line);
    }
    snprintf(line, sizeof line, "mask=0x%" PRIx32 "\n", ap_has_places(format) ? format->mask : 0);
    ap_bytes_text(b, line);
    ap_bytes_zeros(b, 8 - b->size % 8);
}

bool ap_apstream_header(const ap_stream *s, ap_bits bits, ap_output *out, ap_error *err)
{
    const ap_format *format = &s->format;
    bool floats = bits == AP_BITS_FLOAT;
    uint64_t frame_size = (floats ? 4 : (uint64_t)bits / 8) * format->channels;
    bool small = format->frames < AU_SIZE_UNKNOWN / frame_size;
    ap_bytes header = {0};
    ap_bytes_text(&header, MAGIC);
    ap_bytes_zeros(&header, 4);
    ap_bytes_big(&header, small ? format->frames * frame_size : AU_SIZE_UNKNOWN, 4);
    ap_bytes_big(&header, floats ? AU_FLOAT : AU_INTEGER(bits), 4);
    ap_bytes_big(&header, format->rate, 4);
    ap_bytes_big(&header, format->channels, 4);
    ap_apstream_annotation(&header, format, ap_stream_tags(s));
    bool ok = !header.failed || ap_fail_memory(err);
    if (ok)
        ap_put_big(header.data + 4, header.size, 4);
    ok = ok && ap_output_write(out, header.data, header.size, err);
    free(header.data);
    return ok;
}

bool ap_apstream_write(ap_stream *s, int fd, const char *name, ap_error *err)
{
    ap_encode_options options;
    ap_encode_defaults(&options);
    options.format = "au";
    return ap_encode_fd(s, fd, name, &options, err);
}
