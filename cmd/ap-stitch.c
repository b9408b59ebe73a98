/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-stitch - images to video, with sound. */
#include "front/filter.h"
#include "front/names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRESS_RATE 1000 /* the bar counts milliseconds of video */

static const command stitch = {
    "ap-stitch", "IMAGE...",
    "Makes a video of images, or of the sound itself, with the sound that is piped "
    "in or named."};

typedef struct config {
    ap_stitch_options stitch;
    const char *output, *audio, *list;
    bool no_audio, skip_broken;
    int fit, transition, visualize;
    double transition_s;
    int progress;
    bool quiet;
} config;

#define AT(field) offsetof(config, field)

/* --size WIDTHxHEIGHT */
static bool set_size(void *cfg, const char *argument, ap_error *err)
{
    ap_stitch_options *o = &((config *)cfg)->stitch;
    char rest;
    if (*argument >= '0' && *argument <= '9' &&
        sscanf(argument, "%5ux%5u%c", &o->width, &o->height, &rest) == 2)
        return true;
    *err = (ap_error){.code = AP_USAGE};
    snprintf(err->message, sizeof err->message, "'%s' is not WIDTHxHEIGHT in pixels", argument);
    return false;
}

static const option_row rows[] = {
    {'o', "output", OPTION_TEXT, "FILE", AT(output), "write to FILE; its extension names the format"},
    {'t', "type", OPTION_TEXT, "FORMAT", AT(stitch.format), "mp4, mkv or webm"},
    {'a', "audio", OPTION_TEXT, "FILE", AT(audio), "the sound; - = standard input, as when it is a pipe"},
    {0, "no-audio", OPTION_ON, NULL, AT(no_audio), "no sound, whatever standard input is"},
    {'d', "duration", OPTION_TIME, "SECONDS", AT(stitch.image_s),
     "of each image; without it they share the sound's, or have 3 s", 0.01, 1e9, NULL, NULL, true},
    {'l', "list", OPTION_TEXT, "FILE", AT(list), "more images: a name a line, or between zero bytes"},
    {'r', "fps", OPTION_NUMBER, "RATE", AT(stitch.fps), "frames a second", 1, 240},
    {'s', "size", OPTION_CALL, "WIDTHxHEIGHT", 0, "of the video, in pixels (default 1280x720)", 0, 0, NULL,
     set_size},
    {0, "fit", OPTION_CHOICE, NULL, AT(fit), "images of another shape: bars, cut off, blurred bars", 0, 0,
     "contain|cover|blur"},
    {0, "transition", OPTION_CHOICE, NULL, AT(transition), "from image to image", 0, 0, "cut|fade"},
    {0, "transition-seconds", OPTION_TIME, "SECONDS", AT(transition_s), "of a fade", 0, 3600},
    {0, "ken-burns", OPTION_ON, NULL, AT(stitch.ken_burns), "move slowly into the images, and out of them"},
    {0, "visualize", OPTION_CHOICE, NULL, AT(visualize), "show the sound, instead of images", 0, 0,
     "none|waveform|spectrum"},
    {0, "skip-broken", OPTION_ON, NULL, AT(skip_broken), "leave out images that cannot be read"},
    {'j', "threads", OPTION_COUNT, "N", AT(stitch.threads), "threads for encoding; 0 = all cores", 0, 64},
    {0, "progress", OPTION_CHOICE, NULL, AT(progress), "how to show progress on stderr", 0, 0,
     "auto|bar|json|none"},
    {'q', "quiet", OPTION_ON, NULL, AT(quiet), "no progress, no warnings"},
    {0},
};

/* ---- what is asked for */

/* Without --audio a pipe, a socket or a file on standard input is the sound; /dev/null and a terminal are
 * none. */
static bool stdin_is_sound(void)
{
    struct stat st;
    return fstat(STDIN_FILENO, &st) == 0 &&
           (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode));
}

static bool is_stdin(const char *name)
{
    return name && strcmp(name, "-") == 0;
}

/* Makes the options of the library from those of the command line. */
static void settle(config *c)
{
    c->stitch.fit = (ap_fit)c->fit;
    c->stitch.visual = (ap_visual)c->visualize;
    c->stitch.transition_s = c->transition ? c->transition_s : 0;
    if (c->no_audio && c->audio)
        usage_error(&stitch, "--audio or --no-audio, not both");
    if (c->list && is_stdin(c->list) && is_stdin(c->audio))
        usage_error(&stitch, "standard input is either the list or the sound");
    if (!c->no_audio && !c->audio && !is_stdin(c->list) && stdin_is_sound())
        c->audio = "-";
    c->stitch.silent = !c->audio;
    if (c->visualize && !c->audio)
        usage_error(&stitch, "no sound to visualize: name a file with --audio, or pipe audio in");
    if ((!c->output || is_stdin(c->output)) && !c->stitch.format)
        usage_error(&stitch, "name a file with -o, or a format for standard output with -t");
}

static bool find_images(name_list *list, const config *c, char **arguments, ap_error *err)
{
    for (; *arguments; arguments++)
        if (!names_add(list, *arguments, err))
            return false;
    if (c->list && !names_read(list, c->list, err))
        return false;
    if (c->visualize && list->count)
        usage_error(&stitch, "--visualize takes no images");
    if (!c->visualize && !list->count)
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
        progress_start(&m->progress, stitch.name, &format, c->quiet ? PROGRESS_NONE : c->progress);
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
    if (!m->config->quiet)
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

static bool run(config *c, const name_list *images, ap_error *err)
{
    monitor m = {.config = c};
    ap_stitch_report report = {0};
    ap_stitch_options *o = &c->stitch;
    o->user = &m;
    o->progress = go_on;
    o->skipped = c->skip_broken ? report_skipped : NULL;
    o->report = &report;
    watcher w; /* for the sound's warnings; what is shown is the progress of the video */
    ap_stream *audio = NULL;
    if (c->audio) {
        audio = filter_watch(&w, &stitch, filter_open(c->audio, NULL, err), PROGRESS_NONE, c->quiet, err);
        if (!audio)
            return false;
    }
    bool ok =
        !c->output || is_stdin(c->output)
            ? ap_stitch_fd(audio, images->names, images->count, STDOUT_FILENO, "standard output", o, err)
            : ap_stitch(audio, images->names, images->count, c->output, o, err);
    if (m.started)
        progress_end(&m.progress, ok);
    if (ok && !c->quiet)
        report_sound(&report);
    return ok;
}

int main(int argc, char **argv)
{
    config c = {.transition_s = 1};
    ap_stitch_defaults(&c.stitch);
    const option_group groups[OPTION_GROUPS] = {{rows, &c}};
    int operand = parse_options(&stitch, groups, argc, argv);
    filter_start();
    settle(&c);
    name_list images = {0};
    ap_error err;
    bool ok = find_images(&images, &c, argv + operand, &err);
    if (ok && c.stitch.format && (!c.output || is_stdin(c.output)) && isatty(STDOUT_FILENO))
        usage_error(&stitch, "standard output is a terminal: name a file with -o, or use a pipe");
    ok = ok && run(&c, &images, &err);
    names_free(&images);
    return ok ? AP_OK : filter_fail(&stitch, &err);
}
