/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files: what is read, WAV, and the end of the program where one fails. */
#include "song.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("song: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void *grab(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory)
        die("out of memory");
    return memory;
}

FILE *open_file(const char *folder, const char *name, const char *ending, const char *mode)
{
    char path[4096];

    if (snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending) >= (int)sizeof path)
        die("path too long: '%s'", folder);
    FILE *file = fopen(path, mode);
    if (!file)
        die("cannot open '%s': %s", path, strerror(errno));
    return file;
}

void close_file(FILE *file, const char *name)
{
    int bad = ferror(file);

    if (fclose(file) || bad)
        die("cannot write '%s'", name);
}

void put(FILE *file, uint32_t value, int bytes, int big_endian)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(value >> 8 * (big_endian ? bytes - 1 - i : i) & 0xff), file);
}

float *read_raw(const char *folder, const char *name, size_t frames)
{
    FILE *file = open_file(folder, name, "raw", "rb");
    float *stereo = grab(2 * frames, sizeof *stereo);
    size_t count = fread(stereo, 2 * sizeof *stereo, frames, file);

    if (ferror(file) || count < frames / 2)
        die("'%s/%s.raw' is too short: %zu frames", folder, name, count);
    fclose(file);
    return stereo;
}

static uint32_t even(const char *text)
{
    return (uint32_t)(strlen(text) + 2) & ~1u;
}

static void put_text(FILE *file, const char *id, const char *text)
{
    fwrite(id, 1, 4, file);
    put(file, (uint32_t)strlen(text) + 1, 4, 0);
    fwrite(text, 1, strlen(text) + 1, file);
    if ((strlen(text) + 1) % 2)
        fputc(0, file);
}

/* RIFF WAVE of 32-bit floats: "fmt " (format tag 3), "fact", "LIST" with the tags where there are any,
 * "data". */
static void put_header(FILE *file, uint32_t frames, const char *const tags[][2], size_t tag_count)
{
    uint32_t list = tag_count ? 4 : 0;

    for (size_t i = 0; i < tag_count; i++)
        list += 8 + even(tags[i][1]);
    fwrite("RIFF", 1, 4, file);
    put(file, 4 + 26 + 12 + (list ? 8 + list : 0) + 8 + frames * 8, 4, 0);
    fwrite("WAVEfmt ", 1, 8, file);
    put(file, 18, 4, 0);
    put(file, 3, 2, 0);
    put(file, 2, 2, 0);
    put(file, RATE, 4, 0);
    put(file, RATE * 8, 4, 0);
    put(file, 8, 2, 0);
    put(file, 32, 2, 0);
    put(file, 0, 2, 0);
    fwrite("fact", 1, 4, file);
    put(file, 4, 4, 0);
    put(file, frames, 4, 0);
    if (list) {
        fwrite("LIST", 1, 4, file);
        put(file, list, 4, 0);
        fwrite("INFO", 1, 4, file);
    }
    for (size_t i = 0; i < tag_count; i++)
        put_text(file, tags[i][0], tags[i][1]);
    fwrite("data", 1, 4, file);
    put(file, frames * 8, 4, 0);
}

void write_wav(const char *folder, const char *name, const float *stereo, size_t frames,
               const char *const tags[][2], size_t tag_count)
{
    FILE *file = open_file(folder, name, "wav", "wb");

    put_header(file, (uint32_t)frames, tags, tag_count);
    for (size_t i = 0; i < 2 * frames; i++) {
        uint32_t bits;
        memcpy(&bits, &stereo[i], sizeof bits);
        put(file, bits, 4, 0);
    }
    close_file(file, name);
}
