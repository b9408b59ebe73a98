/* SPDX-License-Identifier: GPL-3.0-or-later
 * apstream.c - audio between processes: Sun AU, 32-bit big-endian float, with an annotation that carries the
 * length, the channel mask and the tags. apstream(5) is the specification. */
#include "internal.h"

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

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

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
        format->mask = (uint32_t)mask;
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
    uint32_t bytes = get32(h + 8), encoding = get32(h + 12);
    *format = (ap_format){get32(h + 16), get32(h + 20), 0, AP_UNKNOWN};
    if (!pcm_of_encoding(encoding, type))
        return ap_fail(err, AP_FAILED, "'%s' is AU with encoding %u, which is not linear PCM", name,
                       encoding);
    char *text = read_annotation(in, get32(h + 4), err);
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

/* A header under construction. */
typedef struct text {
    char *data;
    size_t size, capacity;
} text;

static bool text_reserve(text *t, size_t more)
{
    if (t->size + more <= t->capacity)
        return true;
    size_t capacity = 2 * (t->size + more);
    char *data = realloc(t->data, capacity);
    if (!data)
        return false;
    t->data = data;
    t->capacity = capacity;
    return true;
}

static bool text_add(text *t, const char *string)
{
    size_t n = strlen(string);
    if (!text_reserve(t, n))
        return false;
    memcpy(t->data + t->size, string, n);
    t->size += n;
    return true;
}

/* KEY=value and a newline, with newlines and backslashes inside the value escaped. */
static bool text_add_tag(text *t, const char *key, const char *value)
{
    if (!text_add(t, key) || !text_add(t, "=") || !text_reserve(t, 2 * strlen(value) + 1))
        return false;
    for (const char *p = value; *p; p++) {
        if (*p == '\n' || *p == '\\')
            t->data[t->size++] = '\\';
        t->data[t->size++] = *p == '\n' ? 'n' : *p;
    }
    t->data[t->size++] = '\n';
    return true;
}

static bool add_tags(text *t, const ap_tags *tags)
{
    const char *key, *value;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++) {
        if (t->size + strlen(key) + 2 * strlen(value) + 64 > MAX_ANNOTATION)
            continue;
        if (!text_add_tag(t, key, value))
            return false;
    }
    return true;
}

static bool make_header(text *t, const ap_format *format, ap_bits bits, const ap_tags *tags)
{
    static const char zeros[16];
    char line[64];
    if (!text_reserve(t, HEADER_SIZE))
        return false;
    t->size = HEADER_SIZE;
    if (!text_add(t, FIRST_LINE))
        return false;
    if (format->frames != AP_UNKNOWN) {
        snprintf(line, sizeof line, "frames=%" PRIu64 "\n", format->frames);
        if (!text_add(t, line))
            return false;
    }
    snprintf(line, sizeof line, "mask=0x%" PRIx32 "\n", format->mask);
    if (!text_add(t, line) || !add_tags(t, tags) || !text_reserve(t, sizeof zeros))
        return false;
    size_t pad = 8 - t->size % 8; /* at least one NUL: readers take the annotation as a string */
    memcpy(t->data + t->size, zeros, pad);
    t->size += pad;

    bool floats = bits == AP_BITS_FLOAT;
    uint64_t frame_size = (floats ? 4 : (uint64_t)bits / 8) * format->channels;
    bool small = format->frames < AU_SIZE_UNKNOWN / frame_size;
    unsigned char *h = (unsigned char *)t->data;
    memcpy(h, MAGIC, 4);
    put32(h + 4, (uint32_t)t->size);
    put32(h + 8, small ? (uint32_t)(format->frames * frame_size) : AU_SIZE_UNKNOWN);
    put32(h + 12, floats ? AU_FLOAT : AU_INTEGER(bits));
    put32(h + 16, format->rate);
    put32(h + 20, format->channels);
    return true;
}

static void to_big_endian(float *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t v;
        memcpy(&v, samples + i, 4);
        v = __builtin_bswap32(v);
        memcpy(samples + i, &v, 4);
    }
}

static bool write_body(ap_stream *s, ap_output *out, ap_error *err)
{
    uint32_t channels = s->format.channels;
    float *block = malloc(AP_BLOCK * channels * sizeof *block);
    if (!block)
        return ap_fail_memory(err);
    ptrdiff_t n;
    while ((n = ap_read(s, block, AP_BLOCK, err)) > 0) {
        size_t count = (size_t)n * channels;
        ap_sanitize(block, count);
        to_big_endian(block, count);
        if (!ap_output_write(out, block, count * sizeof *block, err)) {
            n = -1;
            break;
        }
    }
    free(block);
    return n == 0;
}

bool ap_apstream_header(const ap_stream *s, ap_bits bits, ap_output *out, ap_error *err)
{
    text header = {0};
    bool ok = make_header(&header, &s->format, bits, ap_stream_tags(s)) || ap_fail_memory(err);
    ok = ok && ap_output_write(out, header.data, header.size, err);
    free(header.data);
    return ok;
}

bool ap_apstream_write(ap_stream *s, int fd, const char *name, ap_error *err)
{
    if (!s)
        return false;
    ap_output *out = ap_output_fd(fd, name, false, err);
    bool ok = out && ap_apstream_header(s, AP_BITS_FLOAT, out, err) && write_body(s, out, err);
    ap_close(&s);
    if (!out)
        return false;
    return ap_output_commit(out, ok ? err : NULL) && ok;
}
