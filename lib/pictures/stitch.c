/* SPDX-License-Identifier: GPL-3.0-or-later
 * stitch.c - images and sound to video: checks the options; the libav plugin does the work. */
#include "pictures/stitch.h"
#include "base/error.h"
#include "base/output.h"
#include "base/path.h"
#include "formats/av.h"
#include "pictures/plot.h"
#include "stream/stream.h"

#include <string.h>
#include <strings.h>

#define MIN_SIDE 16
#define MAX_SIDE 8192
#define MAX_FPS 240
#define MAX_IMAGE_S 1e6

void ap_stitch_defaults(ap_stitch_options *options)
{
    *options = (ap_stitch_options){.fps = 30, .width = 1280, .height = 720, .crf = -1};
}

static bool check_options(const ap_stitch_options *o, size_t count, ap_error *err)
{
    if (o->width % 2 || o->height % 2)
        return ap_fail(err, AP_USAGE, "a video of %ux%u pixels is not possible: both have to be even",
                       o->width, o->height);
    if (o->visual == AP_VISUAL_NONE && count == 0)
        return ap_fail(err, AP_USAGE, "no images");
    if (o->visual != AP_VISUAL_NONE && o->silent)
        return ap_fail(err, AP_USAGE, "a visualization is of sound");
    if (o->visual != AP_VISUAL_NONE && count > 1)
        return ap_fail(err, AP_USAGE, "a visualization has one image behind it, not %zu", count);
    return ap_check_range("frame rate", o->fps, 1, MAX_FPS, err) &&
           ap_check_range("width", o->width, MIN_SIDE, MAX_SIDE, err) &&
           ap_check_range("height", o->height, MIN_SIDE, MAX_SIDE, err) &&
           ap_check_range("time of an image", o->image_s, 0, MAX_IMAGE_S, err) &&
           ap_check_range("time of a transition", o->transition_s, 0, MAX_IMAGE_S, err);
}

static bool check_slides(const ap_stitch_options *o, size_t count, ap_error *err)
{
    for (size_t i = 0; o->slides && i < count; i++) {
        if (!ap_check_range("time of an image", o->slides[i].seconds, 0, MAX_IMAGE_S, err))
            return false;
        if (o->visual != AP_VISUAL_NONE && o->slides[i].caption)
            return ap_fail(err, AP_USAGE, "a visualization has a title, but no caption");
    }
    return true;
}

static bool has_words(const ap_stitch_options *o, size_t count)
{
    bool any = o->title;
    for (size_t i = 0; o->slides && i < count; i++)
        any = any || o->slides[i].caption;
    return any;
}

/* The plugins that the work needs. */
static const ap_av_plugin *load_plugins(const ap_stitch_options *o, size_t count, ap_letter_fn **letter,
                                        ap_error *err)
{
    const ap_cairo_plugin *cairo = has_words(o, count) ? ap_cairo_load(err) : NULL;
    *letter = cairo ? cairo->letter : NULL;
    return cairo || !has_words(o, count) ? ap_av_load(err) : NULL;
}

/* Of x264, and what stands for it in VP9. */
static bool check_quality(const ap_stitch_options *o, ap_error *err)
{
    static const char *const presets[] = {"ultrafast", "superfast", "veryfast", "faster",   "fast",
                                          "medium",    "slow",      "slower",   "veryslow", NULL};
    size_t i = 0;
    while (o->preset && presets[i] && strcmp(presets[i], o->preset) != 0)
        i++;
    if (o->preset && !presets[i])
        return ap_fail(err, AP_USAGE, "'%s' is no preset from ultrafast to veryslow", o->preset);
    const double worst = strcmp(o->format, "webm") == 0 ? 63 : 51;
    return o->crf < 0 || ap_check_range("crf", o->crf, 0, worst, err);
}

static bool choose_format(const char *path, ap_stitch_options *o, ap_error *err)
{
    static const char *const formats[] = {"mp4", "mkv", "webm"};
    const char *format = o->format ? o->format : ap_extension(path);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcasecmp(format, formats[i]) == 0) {
            o->format = formats[i];
            return true;
        }
    return ap_fail_format(o->format, path, "mp4 mkv webm", err);
}

/* path NULL: to fd. */
static bool stitch_to(ap_stream *audio, const char *const *images, size_t count, const char *path, int fd,
                      const char *name, const ap_stitch_options *options, ap_error *err)
{
    ap_stitch_options o;
    ap_stitch_defaults(&o);
    if (options)
        o = *options;
    if (!audio && !o.silent)
        return false;
    const ap_av_plugin *av = NULL;
    ap_letter_fn *letter = NULL;
    ap_output *out = NULL;
    if (check_options(&o, count, err) && check_slides(&o, count, err) && choose_format(path, &o, err) &&
        check_quality(&o, err) && (av = load_plugins(&o, count, &letter, err)))
        out = path ? ap_output_create(path, true, err) : ap_output_fd(fd, name, true, err);
    if (out && o.keep_existing)
        ap_output_keep_existing(out);
    if (!out) {
        ap_close(&audio);
        return false;
    }
    const ap_stitch_job job = {
        .audio = audio, .images = images, .count = count, .letter = letter, .options = &o};
    if (av->stitch(&job, out, err))
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}

bool ap_stitch(ap_stream *audio, const char *const *images, size_t count, const char *path,
               const ap_stitch_options *options, ap_error *err)
{
    return stitch_to(audio, images, count, path, -1, NULL, options, err);
}

bool ap_stitch_fd(ap_stream *audio, const char *const *images, size_t count, int fd, const char *name,
                  const ap_stitch_options *options, ap_error *err)
{
    return stitch_to(audio, images, count, NULL, fd, name, options, err);
}
