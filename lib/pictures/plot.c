/* SPDX-License-Identifier: GPL-3.0-or-later
 * plot.c - pictures of streams: reads them and gathers what is to be drawn; the drawing is a plugin, because
 * cairo and pango bring thirty libraries that nothing else needs. */
#include "pictures/plot.h"
#include "base/error.h"
#include "base/net.h"
#include "base/path.h"
#include "stream/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK 65536 /* frames; a stream that is no longer than this has a known length */
#define MIN_COLUMNS 2048
#define MAX_COLUMNS 8192
#define FINE_ROWS 1024 /* of the spectrogram, in a picture higher than COARSE_HEIGHT pixels */
#define COARSE_ROWS 512
#define STEM_ROWS 256 /* when there are several */
#define COARSE_HEIGHT 700
#define USUAL_HEIGHT 400
#define ENVELOPE_DETAIL 4 /* buckets for each column */
#define MAX_PIXELS 32000  /* of a side; cairo's limit is 32767 */

void ap_plot_defaults(ap_plot_options *options)
{
    *options = (ap_plot_options){
        .panels = AP_PLOT_WAVEFORM, .width = 800, .scale = 1, .range_db = 100, .low_hz = 20};
}

static bool check_options(const ap_plot_options *o, ap_error *err)
{
    if (o->panels == 0 || o->panels > (AP_PLOT_WAVEFORM | AP_PLOT_SPECTROGRAM | AP_PLOT_LOUDNESS))
        return ap_fail(err, AP_USAGE, "no panels to plot");
    return ap_check_range("scale", o->scale, 0.5, 8, err) &&
           ap_check_range("width", o->width * fmax(o->scale, 1), 200, MAX_PIXELS, err) &&
           ap_check_range("height", o->height * fmax(o->scale, 1), 0, MAX_PIXELS, err) &&
           ap_check_range("range", o->range_db, 10, 200, err) &&
           ap_check_range("lowest frequency", o->low_hz, 1, AP_MAX_RATE, err) &&
           ap_check_range("highest frequency", o->high_hz, 0, AP_MAX_RATE, err);
}

/* ---- gathering */

static void track_free(ap_plot_track *t)
{
    ap_envelope_free(t->envelope);
    ap_spectrogram_free(t->spectrogram);
    ap_course_free(t->course);
}

static size_t columns_for(const ap_plot_options *o)
{
    size_t columns = MIN_COLUMNS;
    while (columns < 2 * o->width * o->scale && columns < MAX_COLUMNS)
        columns *= 2;
    return columns;
}

static bool make_spectrogram(ap_plot_track *t, const ap_plot_options *o, bool several, ap_error *err)
{
    double most = t->format.rate / 2.0, high = o->high_hz > 0 ? fmin(o->high_hz, most) : most;
    if (o->low_hz >= high)
        return ap_fail(err, AP_USAGE, "'%s' has nothing between %g and %g Hz to plot", t->name, o->low_hz,
                       high);
    bool high_picture = (o->height ? o->height : USUAL_HEIGHT) * o->scale > COARSE_HEIGHT;
    size_t rows = several ? STEM_ROWS : high_picture ? FINE_ROWS : COARSE_ROWS;
    t->spectrogram = ap_spectrogram_new(&t->format, o->low_hz, high, rows, columns_for(o));
    return t->spectrogram || ap_fail_memory(err);
}

static bool make_track(ap_plot_track *t, const ap_plot_options *o, bool several, ap_error *err)
{
    if (o->panels & AP_PLOT_WAVEFORM)
        t->envelope = ap_envelope_new(t->format.channels, ENVELOPE_DETAIL * columns_for(o));
    if (o->panels & AP_PLOT_LOUDNESS)
        t->course = ap_course_new(&t->format, columns_for(o));
    if ((o->panels & AP_PLOT_WAVEFORM && !t->envelope) || (o->panels & AP_PLOT_LOUDNESS && !t->course))
        return ap_fail_memory(err);
    return !(o->panels & AP_PLOT_SPECTROGRAM) || make_spectrogram(t, o, several, err);
}

static bool gather(ap_plot_track *t, const float *frames, size_t count, ap_error *err)
{
    if (t->envelope)
        ap_envelope_add(t->envelope, frames, count);
    if (t->spectrogram)
        ap_spectrogram_add(t->spectrogram, frames, count);
    return !t->course || ap_course_add(t->course, frames, count) || ap_fail_memory(err);
}

/* Reads the stream. The first block comes before anything is made: it may be all there is. */
static bool read_track(ap_plot_track *t, ap_stream *s, const ap_plot_options *o, bool several, ap_error *err)
{
    uint32_t channels = s->format.channels;
    float *block = malloc(FIRST_BLOCK * (size_t)channels * sizeof *block);
    if (!block)
        return ap_fail_memory(err);
    ptrdiff_t n = ap_read_full(s, block, FIRST_BLOCK, err);
    t->format = s->format;
    if (n >= 0 && n < FIRST_BLOCK)
        t->format.frames = (uint64_t)n;
    uint64_t frames = 0;
    bool ok = n >= 0 && make_track(t, o, several, err);
    while (ok && n > 0) {
        ap_sanitize(block, (size_t)n * channels);
        ok = gather(t, block, (size_t)n, err);
        frames += (uint64_t)n;
        n = ok ? ap_read(s, block, AP_BLOCK, err) : 0;
    }
    free(block);
    t->format.frames = frames;
    return ok && n == 0;
}

static void finish_track(ap_plot_track *t)
{
    if (t->spectrogram)
        t->spectrogram_view = ap_spectrogram_finish(t->spectrogram);
    if (t->course)
        t->course_view = ap_course_finish(t->course);
}

/* ---- the picture */

/* "ARTIST - TITLE", or what there is of it, or the name without its folder. The caller frees it. */
static char *make_title(const ap_stream *s)
{
    const ap_tags *tags = ap_stream_tags(s);
    const char *artist = tags ? ap_tags_get(tags, "ARTIST") : NULL;
    const char *title = tags ? ap_tags_get(tags, "TITLE") : NULL;
    char *text = NULL;
    if (artist && title)
        return asprintf(&text, "%s \342\200\223 %s", artist, title) < 0 ? NULL : text; /* en dash */
    return title ? strdup(title) : ap_net_leaf(ap_stream_name(s));
}

static bool read_all(ap_plot_picture *p, ap_plot_track *tracks, ap_stream **sources, const char *const *names,
                     ap_error *err)
{
    for (size_t i = 0; i < p->count; i++) {
        tracks[i].name = names ? names[i] : ap_stream_name(sources[i]);
        if (!read_track(&tracks[i], sources[i], p->options, p->count > 1, err))
            return false;
        finish_track(&tracks[i]);
    }
    p->tracks = tracks;
    return true;
}

/* png or svg, from the options or the name. */
static bool choose_format(const char *path, const ap_plot_options *o, bool *svg, ap_error *err)
{
    const char *format = o->format ? o->format : ap_extension(path);
    *svg = strcasecmp(format, "svg") == 0;
    return *svg || strcasecmp(format, "png") == 0 || ap_fail_format(o->format, path, "png svg", err);
}

static bool draw_to(ap_plot_picture *p, ap_stream **sources, const char *const *names, ap_output *out,
                    ap_error *err)
{
    const ap_cairo_plugin *cairo = ap_cairo_load(err);
    ap_plot_track *tracks = calloc(p->count, sizeof *tracks);
    char *title = p->options->title ? strdup(p->options->title) : make_title(sources[0]);
    bool ok = cairo && ((tracks && title) || ap_fail_memory(err));
    p->title = title;
    ok = ok && read_all(p, tracks, sources, names, err) && cairo->draw(p, out, err);
    for (size_t i = 0; tracks && i < p->count; i++)
        track_free(&tracks[i]);
    free(tracks);
    free(title);
    if (ok)
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}

static bool check_sources(ap_stream *const *sources, size_t count, ap_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!sources[i])
            return false;
    return count > 0 || ap_fail(err, AP_USAGE, "nothing to plot");
}

/* path NULL: to fd. */
static bool plot_to(ap_stream **sources, const char *const *names, size_t count, const char *path, int fd,
                    const char *name, const ap_plot_options *options, ap_error *err)
{
    ap_plot_options defaults;
    ap_plot_defaults(&defaults);
    ap_plot_picture p = {.options = options ? options : &defaults, .count = count};
    bool ok = check_sources(sources, count, err) && check_options(p.options, err) &&
              choose_format(path, p.options, &p.svg, err);
    if (ok) {
        ap_output *out = path ? ap_output_create(path, false, err) : ap_output_fd(fd, name, false, err);
        if (out && p.options->keep_existing)
            ap_output_keep_existing(out);
        ok = out && draw_to(&p, sources, names, out, err);
    }
    for (size_t i = 0; i < count; i++)
        ap_close(&sources[i]);
    return ok;
}

bool ap_plot(ap_stream **sources, const char *const *names, size_t count, const char *path,
             const ap_plot_options *options, ap_error *err)
{
    return plot_to(sources, names, count, path, -1, NULL, options, err);
}

bool ap_plot_fd(ap_stream **sources, const char *const *names, size_t count, int fd, const char *name,
                const ap_plot_options *options, ap_error *err)
{
    return plot_to(sources, names, count, NULL, fd, name, options, err);
}
