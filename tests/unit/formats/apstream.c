/* SPDX-License-Identifier: GPL-3.0-or-later
 * apstream: what is written is read, what is cut is noticed, other AU files are understood. */
#include "stream/stream.h"
#include "test.h"

#include <sys/mman.h>
#include <unistd.h>

static int memory_file(const void *bytes, size_t size)
{
    int fd = memfd_create("test", 0);
    if (size && write(fd, bytes, size) != (ssize_t)size)
        abort();
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* An apstream in memory; size gets its bytes. */
static int write_stream(ap_stream *s, size_t *size)
{
    int fd = memfd_create("test", 0);
    CHECK(ap_apstream_write(s, fd, "test", NULL));
    *size = (size_t)lseek(fd, 0, SEEK_CUR);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void round_trip_is_exact(void)
{
    for (uint32_t channels = 1; channels <= 64; channels = channels * 2 + 1) {
        float *data;
        size_t n, size;
        int fd = write_stream(test_noise_stream(8000 * channels, channels, 5003, &data), &size);
        ap_stream *s = ap_apstream_read(fd, "test", NULL);
        CHECK(s && s->format.rate == 8000 * channels && s->format.channels == channels &&
              s->format.frames == 5003);
        float *out = test_drain(s, 1111, &n);
        CHECK(n == 5003 && memcmp(out, data, n * channels * sizeof *out) == 0);
        close(fd);
        free(data);
        free(out);
    }
}

static void tags_travel(void)
{
    float x[2] = {0};
    size_t size;
    ap_stream *s = ap_source_memory(&(ap_format){44100, 1, 0, 2}, x, NULL);
    s->tags = ap_tags_new();
    CHECK(ap_tags_add(s->tags, "title", "Ein \xc3\xbc\"ber\\'=\nzwei Zeilen\\n"));
    CHECK(ap_tags_add(s->tags, "ARTIST", "a") && ap_tags_add(s->tags, "ARTIST", "b"));
    CHECK(ap_tags_add(s->tags, "COMMENT", "latin1 \xe9"));
    CHECK(!ap_tags_add(s->tags, "BAD=KEY", "x"));
    int fd = write_stream(s, &size);
    s = ap_apstream_read(fd, "test", NULL);
    const char *key, *value;
    CHECK(strcmp(ap_tags_get(s->tags, "Title"), "Ein \xc3\xbc\"ber\\'=\nzwei Zeilen\\n") == 0);
    CHECK(ap_tags_at(s->tags, 2, &key, &value) && strcmp(key, "ARTIST") == 0 && strcmp(value, "b") == 0);
    CHECK(strcmp(ap_tags_get(s->tags, "COMMENT"), "latin1 \xc3\xa9") == 0);
    CHECK(!ap_tags_at(s->tags, 4, &key, &value));
    ap_close(&s);
    close(fd);
}

static void every_truncation_is_an_error(void)
{
    float *data;
    size_t size;
    int fd = write_stream(test_noise_stream(8000, 2, 20, &data), &size);
    char *bytes = malloc(size);
    CHECK(read(fd, bytes, size) == (ssize_t)size);
    close(fd);
    for (size_t cut = 0; cut < size; cut++) {
        float x[64];
        ap_error err = {0};
        fd = memory_file(bytes, cut);
        ap_stream *s = ap_apstream_read(fd, "test", &err);
        ptrdiff_t n = 1;
        while (s && (n = ap_read(s, x, 32, &err)) > 0)
            ;
        CHECK((!s || n < 0) && err.code == AP_FAILED && strstr(err.message, "'test'"));
        ap_close(&s);
        close(fd);
    }
    free(bytes);
    free(data);
}

static void unknown_length_is_allowed(void)
{
    float *data;
    size_t n, size;
    ap_stream *s = ap_trim(test_noise_stream(8000, 2, 100, &data), 0, AP_UNKNOWN, NULL);
    s->format.frames = AP_UNKNOWN;
    int fd = write_stream(s, &size);
    s = ap_apstream_read(fd, "test", NULL);
    CHECK(s->format.frames == AP_UNKNOWN);
    float *out = test_drain(s, 64, &n);
    CHECK(n == 100);
    free(out);
    free(data);
    close(fd);
}

static void not_a_number_is_never_written(void)
{
    float x[] = {NAN, 1, INFINITY, -INFINITY, 0.5f, 3e38f};
    size_t n, size;
    int fd = write_stream(ap_source_memory(&(ap_format){8000, 1, 0, 6}, x, NULL), &size);
    float *out = test_drain(ap_apstream_read(fd, "test", NULL), 64, &n);
    static const float want[] = {0, 1, 0, 0, 0.5f, 0};
    CHECK(n == 6 && memcmp(out, want, sizeof want) == 0);
    free(out);
    close(fd);
}

static void other_au_files_are_read(void)
{
    /* header of 24 bytes, 2 frames of 16 bits, size known and unknown */
    unsigned char au[] = {'.', 's', 'n', 'd', 0,    0,    0, 24, 0, 0, 0,    4, 0,    0,
                          0,   3,   0,   0,   0x1f, 0x40, 0, 0,  0, 1, 0x40, 0, 0xc0, 0};
    for (int unknown = 0; unknown < 2; unknown++) {
        size_t n;
        if (unknown)
            memset(au + 8, 0xff, 4);
        int fd = memory_file(au, sizeof au);
        float *out = test_drain(ap_apstream_read(fd, "test", NULL), 64, &n);
        CHECK(n == 2 && out[0] == 0.5f && out[1] == -0.5f);
        free(out);
        close(fd);
    }
}

static void hostile_headers_are_refused(void)
{
    static const unsigned char good[] = {'.', 's', 'n', 'd', 0, 0, 0,    24,   0, 0, 0, 4,
                                         0,   0,   0,   6,   0, 0, 0x1f, 0x40, 0, 0, 0, 1};
    static const struct {
        int at;
        unsigned char value;
    } bad[] = {{0, 'x'}, {7, 23},   {4, 255}, {15, 1},   {15, 27}, {15, 0},
               {18, 0},  {16, 255}, {23, 0},  {23, 129}, {20, 255}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unsigned char h[sizeof good + 4] = {0};
        memcpy(h, good, sizeof good);
        h[bad[i].at] = bad[i].value;
        int fd = memory_file(h, sizeof h);
        ap_error err = {0};
        ap_stream *s = ap_apstream_read(fd, "test", &err);
        CHECK(!s && err.code == AP_FAILED && err.message[0]);
        ap_close(&s);
        close(fd);
    }
}

static void nonsense_in_the_annotation_is_refused(void)
{
    static const char *const lines[] = {"frames=-1", "frames=1e3", "frames=99999999999999999999", "mask=x",
                                        "frames="};
    for (size_t i = 0; i < 5; i++) {
        unsigned char h[24 + 64] = {'.', 's', 'n', 'd', 0, 0, 0,    88,   255, 255, 255, 255,
                                    0,   0,   0,   6,   0, 0, 0x1f, 0x40, 0,   0,   0,   1};
        snprintf((char *)h + 24, 64, "AP1\n%s\n", lines[i]);
        int fd = memory_file(h, sizeof h);
        ap_error err = {0};
        CHECK(!ap_apstream_read(fd, "test", &err) && err.code == AP_FAILED);
        close(fd);
    }
}

/* Mono at 8 kHz: a size in the header, annotated frames, and as many real ones; returns how many are read, -1
 * on failure. */
static ptrdiff_t read_au(uint32_t size, const char *annotation, uint32_t frames, bool *warned)
{
    unsigned char au[24 + 64 + 4 * 64] = {'.', 's', 'n', 'd', 0, 0, 0,    88,   0, 0, 0, 0,
                                          0,   0,   0,   6,   0, 0, 0x1f, 0x40, 0, 0, 0, 1};
    float x[64];
    ptrdiff_t n, count = 0;
    for (int i = 0; i < 4; i++)
        au[8 + i] = (unsigned char)(size >> (24 - 8 * i));
    for (uint32_t i = 0; i < frames; i++)
        memcpy(au + 88 + 4 * i, "\x3f\0\0", 4);
    strcpy((char *)au + 24, annotation);
    int fd = memory_file(au, 88 + 4 * frames);
    ap_stream *s = ap_apstream_read(fd, "test", NULL);
    while ((n = ap_read(s, x, 7, NULL)) > 0)
        count += n;
    *warned = ap_stream_warning(s);
    ap_close(&s);
    close(fd);
    return n < 0 ? -1 : count;
}

/* sox copies the annotation to what it made of the sound, whose size it tells in the header, if it knows it.
 */
static void annotated_frames_count_if_the_header_agrees(void)
{
    bool warned;
    CHECK(read_au(40, "AP1\nframes=10\n", 10, &warned) == 10 && !warned);
    CHECK(read_au(40, "AP1\nframes=10\n", 9, &warned) == -1);
    CHECK(read_au(40, "AP1\nframes=10\n", 11, &warned) == -1); /* the rest must not be lost without a word */
    for (uint32_t frames = 5; frames <= 20; frames += 15) {
        CHECK(read_au(4 * frames, "AP1\nframes=10\n", frames, &warned) == (ptrdiff_t)frames && !warned);
        CHECK(read_au(UINT32_MAX, "AP1\nframes=10\n", frames, &warned) == (ptrdiff_t)frames && !warned);
        CHECK(read_au(0, "AP1\nframes=10\n", frames, &warned) == (ptrdiff_t)frames && !warned);
        CHECK(read_au(0xfffffffe, "", frames, &warned) == (ptrdiff_t)frames && !warned); /* arecord */
    }
    CHECK(read_au(UINT32_MAX, "AP1\nframes=4294967296\n", 5, &warned) == -1);
    CHECK(read_au(40, "", 9, &warned) == -1);
    CHECK(read_au(40, "", 20, &warned) == 20 && warned); /* its size was never filled in */
}

TEST_MAIN(CASE(round_trip_is_exact), CASE(tags_travel), CASE(every_truncation_is_an_error),
          CASE(unknown_length_is_allowed), CASE(not_a_number_is_never_written), CASE(other_au_files_are_read),
          CASE(hostile_headers_are_refused), CASE(nonsense_in_the_annotation_is_refused),
          CASE(annotated_frames_count_if_the_header_agrees))
