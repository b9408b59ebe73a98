/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode_help.h - what the tests of the encoders share: a folder, other programs, music. */
#ifndef ENCODE_HELP_H
#define ENCODE_HELP_H

#include "folder.h"

#include <dirent.h>

/* libvorbisenc 1.3.7 forgets 2848 bytes for each file of 6 channels at 48 kHz. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:vorbis_encode_setup_init\n";
}

static const char *const all[] __attribute__((unused)) = {"mp3", "flac", "wav", "aiff", "ogg", "opus", "au"};
enum { ALL = sizeof all / sizeof *all };

/* Runs a shell command and returns what it prints, without the last newline; stderr belongs to that as well.
 * Valid until the next call. */
static char *output_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *output_of(const char *format, ...)
{
    static char result[65536];
    char command[4096];
    va_list args;
    va_start(args, format);
    int n = snprintf(command, sizeof command, "exec 2>&1; ");
    vsnprintf(command + n, sizeof command - (size_t)n, format, args);
    va_end(args);
    FILE *pipe = popen(command, "r");
    size_t size = fread(result, 1, sizeof result - 1, pipe);
    pclose(pipe);
    while (size && result[size - 1] == '\n')
        size--;
    result[size] = 0;
    return result;
}

/* Fails the running case unless the command prints exactly this. */
#define CHECK_PRINTS(expected, ...)                                                                          \
    (strcmp(output_of(__VA_ARGS__), expected) == 0 ? true                                                    \
                                                   : (test_failures++,                                       \
                                                      fprintf(stderr, "%s:%d: '%s', not '%s'\n", __FILE__,   \
                                                              __LINE__, output_of(__VA_ARGS__), expected),   \
                                                      false))

static bool same_files(const char *a, const char *b)
{
    size_t na, nb;
    unsigned char *x = load(a, &na), *y = load(b, &nb);
    bool same = x && y && na == nb && memcmp(x, y, na) == 0;
    free(x);
    free(y);
    return same;
}

static size_t files_here(void)
{
    DIR *folder = opendir(".");
    size_t n = 0;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n - 2;
}

/* Something that keeps an encoder as busy as music does: changing chords with vibrato, bass, hits of noise
 * and clicks, quiet and loud passages. The caller frees it. */
static float *make_music(uint32_t rate, uint32_t channels, size_t frames)
{
    float *x = calloc(frames * channels + 1, sizeof *x);
    uint64_t seed = 7;
    double phase[16] = {0}, hit = 0;
    for (size_t i = 0; i < frames; i++) {
        double t = (double)i / rate, v = 0;
        int chord = (int)(t / 0.9);
        if (i % (rate / 4) == 0)
            hit = test_random(&seed) % 3 == 0 ? 0.5 : 0.1;
        hit *= exp(-18.0 / rate);
        double level = 0.15 + 0.1 * sin(t * 0.7);
        for (uint32_t c = 0; c < channels; c++) {
            v = 0;
            for (int k = 0; k < 6; k++) {
                double f = 110 * pow(2, ((chord * 5 + k * 7) % 24) / 12.0) * (1 + 0.002 * sin(30 * t + k));
                if (c == 0)
                    phase[k] += 2 * M_PI * f / rate;
                v += sin(phase[k] * (k % 3 + 1) + c) / (k + 1) * (1 + sin(t * 3 + k + c));
            }
            double noise = test_random(&seed) * 0x1p-31 - 1;
            x[i * channels + c] = (float)(level * v * 0.4 + hit * noise);
        }
    }
    return x;
}

static ap_stream *over(const float *x, uint32_t rate, uint32_t channels, uint64_t frames)
{
    ap_format format = {rate, channels, 0, frames};
    return ap_source_memory(&format, x, NULL);
}

/* A stream of unknown length, or one that declares a length and fails before it. */
typedef struct odd_source {
    const float *x;
    uint32_t channels;
    size_t left, at;
    bool fails;
} odd_source;

static ptrdiff_t odd_pull(void *user, float *frames, size_t max, ap_error *err)
{
    odd_source *o = user;
    size_t n = o->left < max ? o->left : max;
    n = n > 1000 ? 1000 : n;
    if (n == 0 && o->fails) {
        *err = (ap_error){AP_FAILED, "the source broke"};
        return -1;
    }
    memcpy(frames, o->x + o->at * o->channels, n * o->channels * sizeof *frames);
    o->at += n;
    o->left -= n;
    return (ptrdiff_t)n;
}

static bool encode_file(ap_stream *s, const char *path, const ap_encode_options *options)
{
    ap_error err = {0};
    bool ok = ap_encode(s, path, options, &err);
    if (!ok)
        fprintf(stderr, "%s: %s\n", path, err.message);
    return ok;
}

static ap_encode_options options_for(const char *format)
{
    ap_encode_options o;
    ap_encode_defaults(&o);
    o.format = format;
    return o;
}

#endif
