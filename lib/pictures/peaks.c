/* SPDX-License-Identifier: GPL-3.0-or-later
 * peaks.c - the smallest and the largest sample of every N frames, for web players: version 2 of the formats
 * of BBC's audiowaveform (its doc/DataFormat.md), with the integers that it computes. */
#include "base/bytes.h"
#include "base/error.h"
#include "base/output.h"
#include "base/path.h"
#include "stream/stream.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FULL_SCALE 32768
#define JSON_NUMBER 12 /* bytes of the longest ",-32768", rounded up */

typedef struct peaks {
    bool json;
    unsigned bits;
    uint32_t channels;  /* of the result */
    uint32_t sources;   /* of the stream */
    uint32_t per_pixel; /* frames */
    uint32_t filled;    /* frames in the pixel that is being made */
    uint64_t pixels;    /* written */
    int low[AP_MAX_CHANNELS], high[AP_MAX_CHANNELS];
    ap_output *out;
} peaks;

/* ---- kernel */

/* As libsndfile reads 16 and 24 bits as 16. */
static int to_short(float x)
{
    float y = floorf(x * FULL_SCALE);
    return y >= FULL_SCALE - 1 ? FULL_SCALE - 1 : y > -FULL_SCALE ? (int)y : -FULL_SCALE;
}

static void clear(peaks *p)
{
    for (uint32_t c = 0; c < p->channels; c++) {
        p->low[c] = SHRT_MAX;
        p->high[c] = SHRT_MIN;
    }
    p->filled = 0;
}

static void see(peaks *p, uint32_t channel, int value)
{
    if (value < p->low[channel])
        p->low[channel] = value;
    if (value > p->high[channel])
        p->high[channel] = value;
}

static void add_frame(peaks *p, const float *frame)
{
    if (p->channels == p->sources) {
        for (uint32_t c = 0; c < p->channels; c++)
            see(p, c, to_short(frame[c]));
        return;
    }
    int sum = 0;
    for (uint32_t c = 0; c < p->sources; c++)
        sum += to_short(frame[c]);
    see(p, 0, sum / (int)p->sources);
}

/* ---- writing */

static size_t format_dat(const peaks *p, unsigned char *to)
{
    int bytes = p->bits == 8 ? 1 : 2, divisor = p->bits == 8 ? 256 : 1;
    for (uint32_t c = 0; c < p->channels; c++) {
        ap_put_little(to + 2 * c * (uint32_t)bytes, (uint32_t)(p->low[c] / divisor), bytes);
        ap_put_little(to + (2 * c + 1) * (uint32_t)bytes, (uint32_t)(p->high[c] / divisor), bytes);
    }
    return 2 * p->channels * (size_t)bytes;
}

static size_t format_json(const peaks *p, char *to)
{
    int divisor = p->bits == 8 ? 256 : 1;
    size_t n = 0;
    for (uint32_t c = 0; c < p->channels; c++)
        n += (size_t)sprintf(to + n, "%s%d,%d", c || p->pixels ? "," : "", p->low[c] / divisor,
                             p->high[c] / divisor);
    return n;
}

static bool write_pixel(peaks *p, ap_error *err)
{
    char text[2 * AP_MAX_CHANNELS * JSON_NUMBER];
    size_t n = p->json ? format_json(p, text) : format_dat(p, (unsigned char *)text);
    if (++p->pixels > UINT32_MAX)
        return ap_fail(err, AP_FAILED, "'%s' is too long for the format of peaks", ap_output_name(p->out));
    clear(p);
    return ap_output_write(p->out, text, n, err);
}

/* The header of a known number of pixels, or with room for any. */
static bool write_header(const peaks *p, uint32_t rate, uint64_t pixels, bool padded, ap_error *err)
{
    char text[256];
    unsigned char head[24];
    if (p->json) {
        int digits = snprintf(text, sizeof text, "%llu", (unsigned long long)pixels);
        int n =
            snprintf(text, sizeof text,
                     "{\"version\":2,\"channels\":%u,\"sample_rate\":%u,\"samples_per_pixel\":%u,\"bits\":%u,"
                     "\"length\":%llu%*s,\"data\":[",
                     p->channels, rate, p->per_pixel, p->bits, (unsigned long long)pixels,
                     padded ? 10 - digits : 0, "");
        return ap_output_write(p->out, text, (size_t)n, err);
    }
    const uint32_t fields[] = {2, p->bits == 8, rate, p->per_pixel, (uint32_t)pixels, p->channels};
    for (int i = 0; i < 6; i++)
        ap_put_little(head + 4 * i, fields[i], 4);
    return ap_output_write(p->out, head, sizeof head, err);
}

/* Also closes the JSON. */
static bool write_pixels(peaks *p, ap_stream *s, ap_error *err)
{
    float *block = malloc(AP_BLOCK * (size_t)p->sources * sizeof *block);
    ptrdiff_t n = -1;
    bool ok = block || ap_fail_memory(err);
    while (ok && (n = ap_read(s, block, AP_BLOCK, err)) > 0)
        for (ptrdiff_t i = 0; ok && i < n; i++) {
            add_frame(p, block + i * p->sources);
            if (++p->filled == p->per_pixel)
                ok = write_pixel(p, err);
        }
    free(block);
    return ok && n == 0 && (p->filled == 0 || write_pixel(p, err)) &&
           (!p->json || ap_output_write(p->out, "]}\n", 3, err));
}

static bool write_all(peaks *p, ap_stream *s, ap_error *err)
{
    uint64_t frames = s->format.frames;
    bool known = frames != AP_UNKNOWN;
    uint64_t pixels = known ? frames / p->per_pixel + (frames % p->per_pixel != 0) : 0;
    clear(p);
    return write_header(p, s->format.rate, pixels, !known, err) && write_pixels(p, s, err) &&
           (known ||
            (ap_output_seek(p->out, 0, err) && write_header(p, s->format.rate, p->pixels, true, err)));
}

/* ---- the stage */

void ap_peaks_defaults(ap_peaks_options *options)
{
    *options = (ap_peaks_options){.bits = 16, .samples_per_pixel = 256}; /* audiowaveform's */
}

/* Fills p, except for its output. */
static bool prepare(peaks *p, const ap_stream *s, const char *path, const ap_peaks_options *o, ap_error *err)
{
    const char *format = o->format ? o->format : ap_extension(path);
    double per_pixel = o->pixels_per_second ? s->format.rate / o->pixels_per_second : o->samples_per_pixel;
    const bool json = strcasecmp(format, "json") == 0;
    if (!json && strcasecmp(format, "dat") != 0)
        return ap_fail_format(o->format, path, "json dat", err);
    if (o->bits != 8 && o->bits != 16)
        return ap_fail(err, AP_USAGE, "peaks of %u bits make no sense: it is 8 or 16", o->bits);
    if (!ap_check_range("samples per pixel", per_pixel, 2, INT32_MAX, err))
        return false;
    *p = (peaks){.json = json,
                 .bits = o->bits,
                 .channels = o->split_channels ? s->format.channels : 1,
                 .sources = s->format.channels,
                 .per_pixel = (uint32_t)per_pixel};
    return true;
}

/* path NULL: to fd. */
static bool peaks_to(ap_stream *s, const char *path, int fd, const char *name,
                     const ap_peaks_options *options, ap_error *err)
{
    ap_peaks_options defaults;
    ap_peaks_defaults(&defaults);
    peaks p = {.out = NULL};
    bool ok = s && prepare(&p, s, path, options ? options : &defaults, err);
    if (ok) {
        bool seekable = s->format.frames == AP_UNKNOWN;
        p.out = path ? ap_output_create(path, seekable, err) : ap_output_fd(fd, name, seekable, err);
        if (p.out && options && options->keep_existing)
            ap_output_keep_existing(p.out);
        ok = p.out && write_all(&p, s, err);
    }
    ap_close(&s);
    if (ok)
        return ap_output_commit(p.out, err);
    ap_output_abort(p.out);
    return false;
}

bool ap_peaks(ap_stream *s, const char *path, const ap_peaks_options *options, ap_error *err)
{
    return peaks_to(s, path, -1, NULL, options, err);
}

bool ap_peaks_fd(ap_stream *s, int fd, const char *name, const ap_peaks_options *options, ap_error *err)
{
    return peaks_to(s, NULL, fd, name, options, err);
}
