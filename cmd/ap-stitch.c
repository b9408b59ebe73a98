/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-stitch - images to video, with sound. */
#include "base/error.h"
#include "base/path.h"
#include "front/filter.h"
#include "front/names.h"
#include "front/peek.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROGRESS_RATE 1000 /* the bar counts milliseconds of video */

static const command stitch = {
    "ap-stitch", "[IMAGE]...",
    "Makes a video of images, or of the sound itself, with the sound that is piped "
    "in or named."};

typedef struct config {
    ap_stitch_options stitch;
    const char *output, *audio, *list, *caption;
    bool no_audio, skip_broken;
    enum { CUT, FADE } transition;
    int preset;
    double transition_s;
    common_config common;
} config;

#define AT(field) offsetof(config, field)

static const struct {
    const char *name;
    unsigned width, height;
} sizes[] = {{"480p", 854, 480},    {"720p", 1280, 720}, {"1080p", 1920, 1080},  {"1440p", 2560, 1440},
             {"2160p", 3840, 2160}, {"4k", 3840, 2160},  {"square", 1080, 1080}, {"vertical", 1080, 1920}};

/* --size WIDTHxHEIGHT, or a name */
static bool set_size(void *cfg, const char *argument, ap_error *err)
{
    ap_stitch_options *o = &((config *)cfg)->stitch;
    char rest;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (strcasecmp(argument, sizes[i].name) == 0) {
            o->width = sizes[i].width;
            o->height = sizes[i].height;
            return true;
        }
    if (*argument >= '0' && *argument <= '9' &&
        sscanf(argument, "%5ux%5u%c", &o->width, &o->height, &rest) == 2)
        return true;
    return ap_fail(err, AP_USAGE,
                   "'%s' is not WIDTHxHEIGHT in pixels, 480p, 720p, 1080p, 1440p, 4k, square or vertical",
                   argument);
}

static const choice fits[] = {
    {"contain", AP_FIT_CONTAIN}, {"cover", AP_FIT_COVER}, {"blur", AP_FIT_BLUR}, {0}};
static const choice transitions[] = {{"cut", CUT}, {"fade", FADE}, {0}};
static const choice visuals[] = {
    {"none", AP_VISUAL_NONE}, {"waveform", AP_VISUAL_WAVEFORM}, {"spectrum", AP_VISUAL_SPECTRUM}, {0}};

static const choice presets[] = {
    {"ultrafast", 0}, {"superfast", 1}, {"veryfast", 2}, {"faster", 3},   {"fast", 4},
    {"medium", 5},    {"slow", 6},      {"slower", 7},   {"veryslow", 8}, {0}};

static const option_row rows[] = {
    ROW_TEXT('o', "output", "FILE", AT(output), "write to FILE; its extension names the format"),
    ROW_TEXT('t', "type", "FORMAT", AT(stitch.format), "mp4, mkv or webm"),
    ROW_FILE('a', "audio", "FILE", AT(audio), "the sound; - = standard input, as when it is a pipe"),
    ROW_ON(0, "no-audio", AT(no_audio), "no sound, whatever standard input is"),
    ROW_TIME('d', "duration", "SECONDS", AT(stitch.image_s), 0.01, 1e9,
             "of each image; without it they share the sound's, or have 3 s", .no_default = true),
    ROW_FILE('l', "list", "FILE", AT(list), "more images: NAME, a tab, SECONDS, a tab, CAPTION a line"),
    ROW_TEXT(0, "title", "TEXT", AT(stitch.title), "words at the top, all the time"),
    ROW_TEXT(0, "caption", "TEXT", AT(caption), "words at the bottom of images without any in the list"),
    ROW_NUMBER('r', "fps", "RATE", AT(stitch.fps), 1, 240, "frames a second"),
    ROW_CALL('s', "size", "WIDTHxHEIGHT", set_size,
             "of the video: pixels, or 720p, 1080p, 4k, square, vertical... (default 720p)"),
    ROW_CHOICE(0, "fit", fits, AT(stitch.fit), "images of another shape: bars, cut off, blurred bars"),
    ROW_CHOICE(0, "transition", transitions, AT(transition), "from image to image"),
    ROW_TIME(0, "transition-seconds", "SECONDS", AT(transition_s), 0, 3600, "of a fade"),
    ROW_ON(0, "ken-burns", AT(stitch.ken_burns), "move slowly into the images, and out of them"),
    ROW_CHOICE(0, "visualize", visuals, AT(stitch.visual), "show the sound, before an image if there is one"),
    ROW_ON(0, "skip-broken", AT(skip_broken), "leave out images that cannot be read"),
    ROW_NUMBER(0, "crf", "N", AT(stitch.crf), 0, 63,
               "quality: 0 best; 18 in mp4 and mkv, 24 in webm if not given", .no_default = true),
    ROW_CHOICE(0, "preset", presets, AT(preset), "how much time the encoder takes to make the file small"),
    ROW_COUNT('j', "threads", "N", AT(stitch.threads), 0, 64, "threads for encoding; 0 = all cores"),
    {0},
};

/* ---- what is asked for */

/* Without --audio, a pipe, a socket or a file on standard input is the sound. /dev/null and a terminal are
 * not; nor are lines that a loop of the shell reads from there: they are left for the loop. */
static bool stdin_is_sound(const config *c)
{
    ap_error err;
    const peeked there = peek_stdin();
    if (there == PEEKED_SIGNAL && !filter_go_on(&err))
        exit(filter_fail(&stitch, &err));
    if (there == PEEKED_TEXT && !c->common.quiet)
        complain(&stitch, "note: no sound: what is on standard input is text (--no-audio says so)");
    return there == PEEKED_DATA;
}

static bool is_stdin(const char *name)
{
    return name && strcmp(name, "-") == 0;
}

/* Makes the options of the library from those of the command line. */
static void settle(config *c)
{
    c->stitch.preset = presets[c->preset].name;
    c->stitch.transition_s = c->transition == FADE ? c->transition_s : 0;
    if (c->no_audio && c->audio)
        usage_error(&stitch, "--audio or --no-audio, not both");
    if (c->list && is_stdin(c->list) && is_stdin(c->audio))
        usage_error(&stitch, "standard input is either the list or the sound");
    if (!c->no_audio && !c->audio && !is_stdin(c->list) && stdin_is_sound(c))
        c->audio = "-";
    c->stitch.silent = !c->audio;
    if (c->stitch.visual && !c->audio)
        usage_error(&stitch, "no sound to visualize: name a file with --audio, or pipe audio in");
    if (is_standard(c->output) && !c->stitch.format)
        usage_error(&stitch, "name a file with -o, or a format for standard output with -t");
}

static bool find_images(name_list *list, const config *c, char **arguments, ap_error *err)
{
    for (; *arguments; arguments++)
        if (!names_add(list, *arguments, err))
            return false;
    if (c->list && !names_read(list, c->list, err))
        return false;
    if (c->stitch.visual && list->count > 1)
        usage_error(&stitch, "--visualize takes one image, to show behind the sound");
    if (c->stitch.visual && c->caption)
        usage_error(&stitch, "captions are of images; a visualization has a --title");
    if (!c->stitch.visual && !list->count && !c->audio)
        usage_error(&stitch, "no images");
    return true;
}

/* ---- the video */

/* What the library's callbacks know. */
typedef struct monitor {
    const config *config;
    progress progress;
    bool started;
    uint64_t done; /* milliseconds of video */
} monitor;

static bool go_on(void *user, uint64_t frames, uint64_t total, ap_error *err)
{
    monitor *m = user;
    const config *c = m->config;
    if (frames && !m->started) {
        ap_format format = {.rate = PROGRESS_RATE, .frames = total};
        if (total != AP_UNKNOWN)
            format.frames = (uint64_t)llround((double)total * PROGRESS_RATE / c->stitch.fps);
        progress_start(&m->progress, stitch.name, NULL, is_standard(c->output) ? "" : ap_leaf(c->output),
                       &format, c->common.quiet ? PROGRESS_NONE : c->common.progress);
        m->started = true;
    }
    uint64_t done = (uint64_t)llround((double)frames * PROGRESS_RATE / c->stitch.fps);
    if (m->started)
        progress_add(&m->progress, done - m->done);
    m->done = done;
    return filter_go_on(err);
}

static void report_skipped(void *user, const ap_error *why)
{
    const monitor *m = user;
    if (!m->config->common.quiet)
        complain(&stitch, "warning: left out: %s", why->message);
}

static void report_sound(const ap_stitch_report *r)
{
    if (r->cut_s > 0.001)
        complain(&stitch, "warning: the last %.3f seconds of the sound are cut off: the images end before it",
                 r->cut_s);
    if (r->pad_s > 0.001)
        complain(&stitch, "warning: the last %.3f seconds are silent: the sound ends before the images",
                 r->pad_s);
    if (r->clipped)
        complain(&stitch, "warning: %llu samples clipped, peak %+.2f dBFS", (unsigned long long)r->clipped,
                 20 * log10(r->peak));
}

/* Without images the cover of the sound is one, in memory that has a name. */
static bool take_cover(const config *c, ap_stream *audio, name_list *images, char name[64], ap_error *err)
{
    if (c->stitch.visual || images->count)
        return true;
    ap_picture cover = ap_tags_picture(ap_stream_tags(audio));
    if (!cover.size)
        return ap_fail(err, AP_USAGE, "no images, and the sound has no cover");
    int fd = memfd_create("cover", MFD_CLOEXEC);
    if (fd < 0 || write(fd, cover.data, cover.size) != (ssize_t)cover.size)
        return ap_fail_errno(err, errno, "cannot keep the cover");
    snprintf(name, 64, "/proc/self/fd/%d", fd); /* open until the end */
    return names_add(images, name, err);
}

static bool run(config *c, name_list *images, ap_error *err)
{
    char cover[64];
    monitor m = {.config = c};
    ap_stitch_report report = {0};
    ap_stitch_options *o = &c->stitch;
    o->user = &m;
    o->progress = go_on;
    o->skipped = c->skip_broken ? report_skipped : NULL;
    o->report = &report;
    o->keep_existing = c->common.no_clobber;
    /* For the sound's warnings; what is shown is the progress of the video. */
    watcher w = {.command = &stitch, .style = PROGRESS_NONE, .quiet = c->common.quiet};
    ap_stream *audio = NULL;
    if (c->audio) {
        audio = filter_watch(&w, filter_open(&c->common, c->audio, NULL, err), err);
        if (audio && !take_cover(c, audio, images, cover, err))
            ap_close(&audio);
        if (!audio)
            return false;
    }
    for (size_t i = 0; i < images->count; i++)
        if (!images->slides[i].caption)
            images->slides[i].caption = c->caption;
    o->slides = images->slides;
    bool ok = is_standard(c->output) ? ap_stitch_fd(audio, images->names, images->count, STDOUT_FILENO,
                                                    "standard output", o, err)
                                     : ap_stitch(audio, images->names, images->count, c->output, o, err);
    if (m.started)
        progress_end(&m.progress, ok);
    if (ok)
        remark("'%s': %llu pictures, %.3f s, peak %.2f dBFS, %llu clipped", c->output,
               (unsigned long long)report.frames, report.duration_s, 20 * log10(report.peak),
               (unsigned long long)report.clipped);
    if (ok && !c->common.quiet)
        report_sound(&report);
    return ok;
}

int main(int argc, char **argv)
{
    config c = {.transition_s = 1, .preset = 2};
    ap_stitch_defaults(&c.stitch);
    const option_group groups[OPTION_GROUPS] = {
        {rows, &c}, {common_rows, &c.common}, {input_rows, &c.common}};
    int operand = parse_options(&stitch, groups, argc, argv);
    filter_start();
    settle(&c);
    name_list images = {0};
    ap_error err;
    made_folders made = {0};
    bool ok = find_images(&images, &c, argv + operand, &err);
    if (ok)
        output_check_terminal(&stitch, c.output);
    /* names_add keeps what it is given */
    const sources in = {(char *const *)(uintptr_t)images.names, images.count, groups};
    ok = ok && target_check(c.output, &in, report_rule(&c.common), &err) &&
         target_make_folders(&made, c.output, &err) && run(&c, &images, &err);
    target_end(&made, ok);
    names_free(&images);
    return ok ? AP_OK : filter_fail(&stitch, &err);
}
