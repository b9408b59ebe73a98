/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fixture.h - for tests that compare with other programs: they make files in a folder of their own, and
 * decode them both ways.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "folder.h"

/* libsndfile 1.2.0 forgets to free this when it gives up on the headers of a Vorbis file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:vorbis_info_init\n";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}

/* What decoding gave. */
typedef struct decoded {
    ap_error err; /* code AP_OK: it succeeded */
    bool opened;
    ap_format format;
    float *frames;
    size_t count; /* frames */
    bool warned;
    char title[256], warning[512];
} decoded;

/* Reads the stream in blocks and closes it. */
static inline decoded drain(ap_stream *s, size_t block, ap_error err)
{
    decoded d = {.err = err, .opened = s};
    if (!s)
        return d;
    d.err = (ap_error){0};
    d.format = *ap_stream_format(s);
    size_t capacity = 1 << 16;
    d.frames = malloc(capacity * d.format.channels * sizeof *d.frames);
    ptrdiff_t n;
    while ((n = ap_read(s, d.frames + d.count * d.format.channels, block, &d.err)) > 0) {
        d.count += (size_t)n;
        if (d.count + block > capacity) {
            capacity = 2 * (capacity + block);
            d.frames = realloc(d.frames, capacity * d.format.channels * sizeof *d.frames);
        }
    }
    CHECK((n < 0) == (d.err.code != AP_OK));
    const char *title = ap_tags_get(ap_stream_tags(s), "TITLE"), *warning = ap_stream_warning(s);
    snprintf(d.title, sizeof d.title, "%s", title ? title : "");
    snprintf(d.warning, sizeof d.warning, "%s", warning ? warning : "");
    d.warned = warning;
    ap_close(&s);
    return d;
}

static inline decoded decode_file(const char *path, const ap_decode_options *options, size_t block)
{
    ap_error err = {0};
    ap_stream *s = ap_decode(path, options, &err);
    return drain(s, block, err);
}

/* What a command prints; name: what it is called in messages. */
static inline decoded decode_command(const char *command, const char *name, size_t block)
{
    ap_error err = {0};
    FILE *pipe = popen(command, "r");
    ap_stream *s = ap_decode_fd(fileno(pipe), name, NULL, &err);
    decoded d = drain(s, block, err);
    pclose(pipe);
    return d;
}

static inline decoded decode_pipe(const char *path, size_t block)
{
    char command[512];
    snprintf(command, sizeof command, "cat '%s' 2>/dev/null", path);
    return decode_command(command, path, block);
}

/* Fails the case unless both succeeded and gave the same. */
static inline bool same_decoded(const decoded *a, const decoded *b)
{
    if (!CHECK(a->err.code == AP_OK && b->err.code == AP_OK) || !CHECK(a->count == b->count) ||
        !CHECK(a->format.channels == b->format.channels && a->format.rate == b->format.rate))
        return false;
    return CHECK(memcmp(a->frames, b->frames, a->count * a->format.channels * sizeof *a->frames) == 0);
}

/* Decodes path as a file, as a pipe, and in odd blocks, and compares with raw 32-bit floats of another
 * program. length AP_UNKNOWN: theirs. A decoded that the caller frees by free(d.frames). */
static inline decoded check_decodes(const char *path, const char *reference, double tolerance,
                                    uint64_t length)
{
    decoded d = decode_file(path, NULL, 4096), p = decode_pipe(path, 4096),
            odd = decode_file(path, NULL, 331);
    if (d.err.code != AP_OK)
        fprintf(stderr, "%s: %s\n", path, d.err.message);
    same_decoded(&d, &p);
    same_decoded(&d, &odd);
    free(p.frames);
    free(odd.frames);
    if (d.err.code != AP_OK)
        return d;
    CHECK(d.format.frames == AP_UNKNOWN || d.format.frames == d.count);
    size_t size;
    float *theirs = (float *)(void *)load(reference, &size);
    size_t count = size / (d.format.channels * sizeof *theirs);
    if (!CHECK(theirs && d.count == (length == AP_UNKNOWN ? count : length)))
        fprintf(stderr, "%s: %zu frames, not %zu\n", path, d.count, count);
    size_t common = d.count < count ? d.count : count;
    CHECK(common > 0 || d.count == 0);
    if (!CHECK_NEAR(test_max_difference(d.frames, theirs, common * d.format.channels), 0, tolerance))
        fprintf(stderr, "%s\n", path);
    free(theirs);
    return d;
}

/* Fails the case unless decoding fails, by a file and by a pipe, with a message that has the word and the
 * name. */
static inline void check_fails(const char *path, const char *word)
{
    decoded d = decode_file(path, NULL, 4096), p = decode_pipe(path, 4096);
    bool failed = CHECK((d.err.code & 255) == AP_FAILED && p.err.code == d.err.code); /* as an exit code */
    if (!failed || !CHECK(strstr(d.err.message, word)) ||
        !CHECK(strstr(d.err.message, path) && strstr(p.err.message, path)))
        fprintf(stderr, "%s: '%s', by a pipe '%s'\n", path, d.err.message, p.err.message);
    free(d.frames);
    free(p.frames);
}

/* The first size bytes of a file as "cut." and its name. Returns the name, valid until the next call. */
static inline const char *cut(const char *path, size_t size)
{
    static char name[256];
    size_t all;
    unsigned char *bytes = load(path, &all);
    snprintf(name, sizeof name, "cut.%s", path);
    if (CHECK(bytes && size <= all))
        save(name, bytes, size);
    free(bytes);
    return name;
}

static inline size_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

/* Decodes variants of a file with flipped bits; only the sanitizers judge the result. */
static inline void flip_bits(const char *path, int variants)
{
    size_t size;
    unsigned char *bytes = load(path, &size);
    uint64_t seed = size;
    for (int i = 0; bytes && i < variants; i++) {
        unsigned char *copy = malloc(size);
        memcpy(copy, bytes, size);
        size_t range = i % 2 && size > 512 ? 512 : size; /* headers are the more interesting half */
        for (int k = 0; k < 1 + i % 8; k++)
            copy[test_random(&seed) % range] ^= (unsigned char)(1 << test_random(&seed) % 8);
        save("flipped", copy, size);
        decoded d = decode_file("flipped", NULL, 4096);
        CHECK(d.err.code == AP_OK || d.err.message[0]);
        free(d.frames);
        free(copy);
    }
    CHECK(bytes);
    free(bytes);
}

#endif
