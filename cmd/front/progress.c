/* SPDX-License-Identifier: GPL-3.0-or-later
 * progress.c - how far a command has come, on stderr. */
#include "front/progress.h"
#include "base/text.h"

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

static bool is_terminal(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDERR_FILENO) && !(kind && strcmp(kind, "dumb") == 0);
}

static progress_style choose_style(progress_style style)
{
    struct stat st;
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

/* What fits into a line: the last column stays free, for a terminal may go on to the next line after it. */
static size_t width_of_terminal(void)
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

/* Cuts text between its characters so that it fills at most so many columns; returns how many it does. A
 * character is taken for two columns when it may be: better short than on two lines. */
static size_t cut(char *text, size_t columns)
{
    size_t used = 0;
    for (unsigned char *p = (unsigned char *)text; *p;) {
        const size_t wide = *p >= 0xe1 ? 2 : 1; /* from U+1000 on, which has the wide ones (UAX 11) */
        if (used + wide > columns) {
            *p = 0;
            break;
        }
        used += wide;
        *p = ap_is_control((char)*p) ? '?' : *p;
        for (p++; (*p & 0xc0) == 0x80; p++)
            ;
    }
    return used;
}

/* On a narrow terminal the bar goes first, then the speed, then the end of the name. */
static void show_bar(const progress *p, double fraction, double audio_s, double speed)
{
    static const char full[] = "########################";
    const size_t width = width_of_terminal();
    const int filled = (int)(fraction * BAR_WIDTH);
    char title[sizeof p->title], bar[48] = "", rate[48] = "", rest[48], line[400];
    memcpy(title, p->title, sizeof title);
    snprintf(rate, sizeof rate, "  %.0fx realtime", speed);
    if (p->total == AP_UNKNOWN) {
        snprintf(rest, sizeof rest, " %d:%02d", (int)audio_s / 60, (int)audio_s % 60);
    } else {
        const double left = speed > 0 ? ((double)p->total / p->rate - audio_s) / speed : 0;
        snprintf(bar, sizeof bar, " [%.*s%*s]", filled, full, BAR_WIDTH - filled, "");
        snprintf(rest, sizeof rest, " %3.0f%%  ETA %d:%02d", 100 * fraction, (int)left / 60, (int)left % 60);
    }
    const size_t most = width > strlen(rest) + 1 ? width - strlen(rest) - 1 : 0;
    size_t columns = cut(title, most > 40 ? 40 : most) + 1 + strlen(rest);
    if (columns + strlen(rate) > width)
        *rate = 0;
    columns += strlen(rate);
    if (columns + strlen(bar) > width)
        *bar = 0;
    columns += strlen(bar);
    snprintf(line, sizeof line, "%s:%s%s%s", title, bar, rest, rate);
    if (columns > width)
        columns = cut(line, width);
    put_line(line, columns);
}

static void show_json(const progress *p, double fraction, double audio_s, double speed)
{
    fprintf(stderr, "{\"command\":\"%s\",\"seconds\":%.3f,\"speed\":%.2f", p->name, audio_s, speed);
    if (p->total != AP_UNKNOWN)
        fprintf(stderr, ",\"progress\":%.4f", fraction);
    fprintf(stderr, "}\n");
}

static void show(const progress *p, const struct timespec *now)
{
    double elapsed = seconds_between(&p->started, now);
    double audio_s = (double)p->done / p->rate;
    double fraction = p->total && p->total != AP_UNKNOWN ? (double)p->done / (double)p->total : 1;
    double speed = elapsed > 0 ? audio_s / elapsed : 0;
    if (p->style == PROGRESS_BAR)
        show_bar(p, fraction, audio_s, speed);
    else
        show_json(p, fraction, audio_s, speed);
}

void progress_add(progress *p, uint64_t frames)
{
    p->done += frames;
    if (p->style == PROGRESS_NONE)
        return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (seconds_between(&p->shown, &now) < INTERVAL_S)
        return;
    p->shown = now;
    show(p, &now);
}

void progress_end(progress *p, bool ok)
{
    if (p->style == PROGRESS_BAR)
        progress_hide();
    if (p->style == PROGRESS_JSON && ok && !p->ended) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        show(p, &now);
    }
    p->ended = true;
}
