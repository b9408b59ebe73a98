/* SPDX-License-Identifier: GPL-3.0-or-later
 * apstream.c - audio between processes: Sun AU, 32-bit big-endian float, with an annotation that carries the
 * length, the channel mask and the tags. apstream(5) is the specification. */
#include "formats/apstream.h"
#include "base/bytes.h"
#include "base/error.h"
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
/* More annotation than this is refused by the reader and not made by the writer. */
#define MAX_ANNOTATION ((size_t)4 << 20)

/* ---- reading */

/* Undoes the writer's escapes in place. */
static void unescape(char *value)
{
    char *to = value;
    for (const char *p = value; *p; p++) {
        if (p[0] == '\\' && p[1]) {
            p++;
            *to++ = *p == 'n' ? '\n' : *p;
        } else {
            *to++ = *p;
        }
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

static bool parse_line(char *line, ap_format *format, ap_tags *tags)
{
    char *value = strchr(line, '=');
    uint64_t mask;
    if (!value)
        return true; /* from a later version */
    *value++ = 0;
    if (strcmp(line, "frames") == 0)
        return parse_number(value, &format->frames);
    if (strcmp(line, "mask") == 0) {
        if (!parse_number(value, &mask) || mask > UINT32_MAX)
            return false;
        format->mask = mask ? (uint32_t)mask : AP_DISCRETE;
        return true;
    }
    unescape(value);
    if (*line >= 'A' && *line <= 'Z')
        (void)ap_tags_add(tags, line, value); /* a tag that cannot be kept is no reason to stop */
    return true;
}

/* Takes the annotation apart, if it is ours. */
static bool parse_annotation(char *text, ap_format *format, ap_tags *tags)
{
    if (strncmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0)
        return true;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        if (!parse_line(line, format, tags))
            return false;
    return true;
}

static bool pcm_of_encoding(uint32_t encoding, ap_pcm *type)
{
    static const ap_pcm types[] = {AP_PCM_S8, AP_PCM_S16, AP_PCM_S24, AP_PCM_S32, AP_PCM_F32, AP_PCM_F64};
    if (encoding < 2 || encoding > 7)
        return false;
    *type = types[encoding - 2];
    return true;
}

/* Reads the annotation that follows the header and ends at offset. Returns a string, NULL on failure. */
static char *read_annotation(ap_input *in, uint32_t offset, ap_error *err)
{
    const char *name = ap_input_name(in);
    if (offset < HEADER_SIZE || offset - HEADER_SIZE > MAX_ANNOTATION) {
        ap_fail(err, AP_FAILED, "'%s' is not valid AU: its header says that it has %u bytes", name, offset);
        return NULL;
    }
    size_t size = offset - HEADER_SIZE;
    char *text = malloc(size + 1);
    if (!text) {
        ap_fail_memory(err);
        return NULL;
    }
    ptrdiff_t n = ap_input_read(in, text, size, err);
    if (n != (ptrdiff_t)size) {
        if (n >= 0)
            ap_fail(err, AP_FAILED, "'%s' is truncated inside its header", name);
        free(text);
        return NULL;
    }
    text[size] = 0;
    return text;
}

/* Reads the whole header into format and tags; the input then stands at the first frame. */
static bool read_header(ap_input *in, ap_format *format, ap_pcm *type, ap_tags *tags, ap_error *err)
{
    const char *name = ap_input_name(in);
    unsigned char h[HEADER_SIZE];
    ptrdiff_t n = ap_input_read(in, h, sizeof h, err);
    if (n < 0)
        return false;
    if (n == 0)
        return ap_fail(err, AP_FAILED, "'%s' is empty", name);
    if (memcmp(h, MAGIC, n < 4 ? (size_t)n : 4) != 0)
        return ap_fail(err, AP_FAILED, "'%s' is not an apstream", name);
    if (n < HEADER_SIZE)
        return ap_fail(err, AP_FAILED, "'%s' is truncated inside its header", name);
    uint32_t bytes = (uint32_t)ap_get_big(h + 8, 4), encoding = (uint32_t)ap_get_big(h + 12, 4);
    *format = (ap_format){(uint32_t)ap_get_big(h + 16, 4), (uint32_t)ap_get_big(h + 20, 4), 0, AP_UNKNOWN};
    if (!pcm_of_encoding(encoding, type))
        return ap_fail(err, AP_FAILED, "'%s' is AU with encoding %u, which is not linear PCM", name,
                       encoding);
    char *text = read_annotation(in, (uint32_t)ap_get_big(h + 4, 4), err);
    if (!text)
        return false;
    bool ok = parse_annotation(text, format, tags);
    free(text);
    if (!ok)
        return ap_fail(err, AP_FAILED, "'%s' has an apstream header that makes no sense", name);
    if (format->frames == AP_UNKNOWN && bytes != AU_SIZE_UNKNOWN && bytes != 0 && format->channels != 0)
        format->frames = bytes / (ap_pcm_size(*type) * (uint64_t)format->channels);
    return true;
}

ap_stream *ap_apstream_open(ap_input *in, ap_error *err)
{
    ap_format format = {0};
    ap_pcm type = AP_PCM_F32;
    ap_tags *tags = ap_tags_new();
    if (!tags)
        ap_fail_memory(err);
    if (!tags || !read_header(in, &format, &type, tags, err)) {
        ap_tags_free(&tags);
        ap_input_close(in);
        return NULL;
    }
    return ap_pcm_stream(in, type, true, &format, tags, err);
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

static void add_annotation(ap_bytes *b, const ap_format *format, const ap_tags *tags)
{
    const char *key, *value;
    char line[64];
    ap_bytes_text(b, FIRST_LINE);
    if (format->frames != AP_UNKNOWN) {
        snprintf(line, sizeof line, "frames=%" PRIu64 "\n", format->frames);
        ap_bytes_text(b, line);
    }
    snprintf(line, sizeof line, "mask=0x%" PRIx32 "\n", ap_has_places(format) ? format->mask : 0);
    ap_bytes_text(b, line);
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++)
        if (b->size + strlen(key) + 2 * strlen(value) + 64 <= MAX_ANNOTATION)
            add_tag(b, key, value);
    ap_bytes_zeros(b, 8 - b->size % 8); /* at least one NUL: readers take the annotation as a string */
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
    add_annotation(&header, format, ap_stream_tags(s));
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
