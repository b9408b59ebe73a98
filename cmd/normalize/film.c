/* SPDX-License-Identifier: GPL-3.0-or-later
 * film.c - films whose sound is normalized. */
#include "normalize/film.h"
#include "base/error.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct film {
    const film_work *work;
    const char *input;
    unsigned track;    /* that is read now, from 1 */
    watcher measured;  /* the bar of the pass that measures */
    watcher *watchers; /* of each track, of the pass that writes */
    ap_stream **sounds;
    unsigned count;
} film;

static ap_film_options options_of(const film_work *w)
{
    ap_film_options o;
    ap_film_defaults(&o);
    o.format = w->out->format;
    o.bitrate_kbps = w->out->bitrate_kbps;
    o.keep_existing = w->out->common.no_clobber;
    return o;
}

bool film_check(const film_work *w, const char *output, ap_error *err)
{
    ap_film_options o = options_of(w);
    return ap_film_check(output, &o, err);
}

static ap_stream *open_track(const film *f, ap_error *err)
{
    ap_decode_options decode;
    ap_decode_defaults(&decode);
    decode.track = f->track;
    return filter_open(NULL, f->input, &decode, err);
}

/* How many audio tracks the film has. */
static bool count_tracks(film *f, ap_error *err)
{
    ap_stream *s = open_track(f, err);
    const ap_details *d = s ? ap_stream_details(s) : NULL;
    f->count = s ? 1 : 0;
    if (d && d->track_count) {
        f->count = 0;
        for (size_t i = 0; i < d->track_count; i++)
            f->count += strcmp(d->tracks[i].kind, "audio") == 0;
    }
    ap_close(&s);
    return f->count;
}

static ap_stream *open_measured(void *user, size_t index, ap_error *err)
{
    film *f = user;
    const common_config *common = &f->work->out->common;
    (void)index;
    f->measured = (watcher){.command = f->work->command,
                            .doing = "measuring",
                            .style = common->progress,
                            .mute = true,
                            .quiet = common->quiet};
    return filter_watch(&f->measured, open_track(f, err), err);
}

/* The normalized sound of a track. The bar is that of the first, as all are read side by side. */
static bool make_sound(film *f, ap_error *err)
{
    const common_config *common = &f->work->out->common;
    ap_normalization planned;
    watcher *w = &f->watchers[f->track - 1];
    bool ok = ap_normalize_plan(open_measured, f, 1, f->work->normalize, &planned, err);
    progress_hide();
    if (!ok)
        return false;
    *w = (watcher){.command = f->work->command,
                   .style = f->track == 1 ? common->progress : PROGRESS_NONE,
                   .quiet = common->quiet};
    ap_stream *s = ap_normalize_apply(open_track(f, err), &planned, err);
    f->sounds[f->track - 1] = filter_watch(w, s, err);
    return f->sounds[f->track - 1];
}

static bool write_film(film *f, ap_error *err)
{
    const film_work *w = f->work;
    ap_film_report report = {0};
    ap_film_options o = options_of(w);
    o.report = &report;
    bool ok = ap_film(f->input, f->sounds, f->count, w->out->path, &o, err);
    for (unsigned i = 0; i < f->count; i++)
        progress_end(&f->watchers[i].progress, ok);
    if (ok)
        remark("'%s': %u audio tracks, peak %.2f dBFS, %llu clipped", w->out->path, f->count,
               20 * log10(report.peak), (unsigned long long)report.clipped);
    if (ok && report.clipped && !w->out->common.quiet)
        complain(w->command, "warning: %llu samples clipped, peak %+.2f dBFS",
                 (unsigned long long)report.clipped, 20 * log10(report.peak));
    if (ok && report.left_out[0] && !w->out->common.quiet)
        complain(w->command, "warning: '%s' has no place for all of '%s', left out: %s", w->out->path,
                 f->input, report.left_out);
    return ok;
}

bool film_normalize(const film_work *w, const char *input, ap_error *err)
{
    film f = {.work = w, .input = input};
    if (!film_check(w, w->out->path, err) || !count_tracks(&f, err))
        return false;
    f.sounds = calloc(f.count, sizeof(*f.sounds));
    f.watchers = calloc(f.count, sizeof *f.watchers);
    bool ok = (f.sounds && f.watchers) || ap_fail_memory(err);
    for (f.track = 1; ok && f.track <= f.count; f.track++)
        ok = make_sound(&f, err);
    ok = ok && write_film(&f, err);
    for (unsigned i = 0; f.sounds && i < f.count; i++)
        ap_close(&f.sounds[i]);
    free(f.sounds);
    free(f.watchers);
    return ok;
}
