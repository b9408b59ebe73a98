/* SPDX-License-Identifier: GPL-3.0-or-later
 * progress.c - how far a command has come, on stderr. */
#include "front/progress.h"
#include "base/net.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BAR_WIDTH 24
#define INTERVAL_S 0.2

static double seconds_between(const struct timespec *a, const struct timespec *b)
{
    return (double)(b->tv_sec - a->tv_sec) + 1e-9 * (double)(b->tv_nsec - a->tv_nsec);
}

const choice progress_styles[] = {
    {"auto", PROGRESS_AUTO}, {"bar", PROGRESS_BAR}, {"json", PROGRESS_JSON}, {"none", PROGRESS_NONE}, {0}};

/* Columns of the terminal that have something on them. */
static size_t columns_used;

static void (*listener)(double seconds, double fraction);

void progress_to(void (*listen)(double seconds, double fraction))
{
    listener = listen;
}

static bool is_terminal(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDERR_FILENO) && !(kind && strcmp(kind, "dumb") == 0);
}

static progress_style choose_style(progress_style style)
{
    struct stat st;
    if (listener)
        return PROGRESS_TOLD;
    if (style != PROGRESS_AUTO)
        return style;
    const char *wanted = getenv("AUDIOPIPE_PROGRESS"); /* set by ap-manifest exec */
    if (wanted && strcmp(wanted, "json") == 0)
        return PROGRESS_JSON;
    bool piped = fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
    return is_terminal() && !piped ? PROGRESS_BAR : PROGRESS_NONE;
}

void progress_start(progress *p, const char *name, const char *doing, const char *file,
                    const ap_format *format, progress_style style)
{
    *p =
        (progress){.name = name, .style = choose_style(style), .total = format->frames, .rate = format->rate};
    snprintf(p->title, sizeof p->title, "%s: %s%s%s", name, doing ? doing : "", doing ? " " : "", file);
    clock_gettime(CLOCK_MONOTONIC, &p->started);
    p->shown = p->started;
}

/* ---- the bar: plain characters, no escape sequences */

size_t progress_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        return size.ws_col - 1u;
    const char *columns = getenv("COLUMNS");
    const long number = columns ? strtol(columns, NULL, 10) : 0;
    return number > 1 && number <= 1000 ? (size_t)number - 1 : 79;
}

/* Replaces the line by text: what was there and is not covered becomes blanks. */
static void put_line(const char *text, size_t columns)
{
    const size_t blanks = columns_used > columns ? columns_used - columns : 0;
    fprintf(stderr, "\r%s%*s", text, (int)blanks, "");
    if (blanks || !columns)
        fprintf(stderr, "\r%s", text);
    fflush(stderr);
    columns_used = columns;
}

void progress_hide(void)
{
    if (columns_used)
        put_line("", 0);
}

size_t progress_cut(char *text, size_t columns)
{
    size_t used = 0;
    for (char *p = text; *p;) {
        const size_t bytes = ap_utf8_length(p);
        const size_t wide =
            (unsigned char)*p >= 0xe1 ? 2 : 1; /* from U+1000 on, which has the wide ones (UAX 11) */
        if (used + wide > columns) {
            *p = 0;
            break;
        }
        used += wide;
        *p = ap_is_control(*p) ? '?' : *p;
        p += bytes ? bytes : 1;
    }
    return used;
}

/* What is shown. */
typedef struct state {
    double fraction; /* of the whole; < 0: not known */
    double audio_s, elapsed_s, speed;
} state;

static state state_of(const progress *p, const struct timespec *now)
{
    state s = {.audio_s = p->of ? p->seconds : (double)p->done / p->rate};
    s.elapsed_s = seconds_between(&p->started, now);
    s.speed = s.elapsed_s > 0 ? s.audio_s / s.elapsed_s : 0;
    if (p->of)
        s.fraction = p->fraction;
    else if (p->total == AP_UNKNOWN)
        s.fraction = -1;
    else
        s.fraction = p->total ? (double)p->done / (double)p->total : 1;
    return s;
}

/* On a narrow terminal the bar goes first, then the speed, then the end of the name. */
static void show_bar(const progress *p, const state *s)
{
    static const char full[] = "########################";
    const size_t width = progress_width();
    const int filled = (int)(fmin(s->fraction, 1) * BAR_WIDTH);
    char title[sizeof p->title], bar[48] = "", rate[48] = "", rest[48], line[400];
    memcpy(title, p->title, sizeof title);
    snprintf(rate, sizeof rate, "  %.0fx realtime", s->speed);
    if (s->fraction < 0) {
        snprintf(rest, sizeof rest, " %d:%02d", (int)s->audio_s / 60, (int)s->audio_s % 60);
    } else {
        const double left = s->fraction > 0 ? s->elapsed_s * (1 / s->fraction - 1) : 0;
        const int left_s = (int)fmin(fmax(left, 0), 359999);
        snprintf(bar, sizeof bar, " [%.*s%*s]", filled, full, BAR_WIDTH - filled, "");
        snprintf(rest, sizeof rest, " %3.0f%%  ETA %d:%02d", 100 * s->fraction, left_s / 60, left_s % 60);
    }
    const size_t most = width > strlen(rest) + 1 ? width - strlen(rest) - 1 : 0;
    size_t columns = progress_cut(title, most > 40 ? 40 : most) + 1 + strlen(rest);
    if (columns + strlen(rate) > width)
        *rate = 0;
    columns += strlen(rate);
    if (columns + strlen(bar) > width)
        *bar = 0;
    columns += strlen(bar);
    snprintf(line, sizeof line, "%s:%s%s%s", title, bar, rest, rate);
    if (columns > width)
        columns = progress_cut(line, width);
    put_line(line, columns);
}

static void show_json(const progress *p, const state *s)
{
    fprintf(stderr, "{\"command\":\"%s\",\"seconds\":%.3f,\"speed\":%.2f", p->name, s->audio_s, s->speed);
    if (p->of)
        fprintf(stderr, ",\"files\":%llu,\"of\":%llu,\"failed\":%llu", (unsigned long long)p->files,
                (unsigned long long)p->of, (unsigned long long)p->failed);
    if (s->fraction >= 0)
        fprintf(stderr, ",\"progress\":%.4f", s->fraction);
    fprintf(stderr, "}\n");
}

static void show(const progress *p, const struct timespec *now)
{
    const state s = state_of(p, now);
    if (p->style == PROGRESS_BAR)
        show_bar(p, &s);
    else if (p->style == PROGRESS_JSON)
        show_json(p, &s);
    else if (listener)
        listener(s.audio_s, s.fraction);
}

/* Not more often than anyone can read. */
static void show_sometimes(progress *p)
{
    struct timespec now;
    if (p->style == PROGRESS_NONE)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (seconds_between(&p->shown, &now) < INTERVAL_S)
        return;
    p->shown = now;
    show(p, &now);
}

void progress_add(progress *p, uint64_t frames)
{
    p->done += frames;
    show_sometimes(p);
}

void progress_start_many(progress *p, const char *name, uint64_t files, progress_style style)
{
    const ap_format none = {.rate = 1};
    progress_start(p, name, NULL, "", &none, style);
    p->of = files;
}

void progress_set_many(progress *p, uint64_t files, uint64_t failed, const char *file, double seconds,
                       double fraction)
{
    p->files = files;
    p->failed = failed;
    p->seconds = seconds;
    p->fraction = fraction;
    int n = snprintf(p->title, sizeof p->title, "%s: %llu of %llu files", p->name, (unsigned long long)files,
                     (unsigned long long)p->of);
    if (failed)
        n += snprintf(p->title + n, sizeof p->title - (size_t)n, ", %llu failed", (unsigned long long)failed);
    const size_t shown = file ? ap_net_shown(file) : 0;
    const char *slash = file ? memrchr(file, '/', shown) : NULL, *leaf = slash ? slash + 1 : file;
    if (file)
        snprintf(p->title + n, sizeof p->title - (size_t)n, ", %.*s", (int)(file + shown - leaf), leaf);
    show_sometimes(p);
}

void progress_end(progress *p, bool ok)
{
    struct timespec now;
    if (p->style == PROGRESS_BAR)
        progress_hide();
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((p->style == PROGRESS_JSON || p->style == PROGRESS_TOLD) && ok && !p->ended)
        show(p, &now);
    p->ended = true;
}
