/* SPDX-License-Identifier: GPL-3.0-or-later
 * progress.c - how far a command has come, on stderr. */
#include "front/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BAR_WIDTH 24
#define INTERVAL_S 0.2

static double seconds_between(const struct timespec *a, const struct timespec *b)
{
    return (double)(b->tv_sec - a->tv_sec) + 1e-9 * (double)(b->tv_nsec - a->tv_nsec);
}

static progress_style choose_style(int style)
{
    struct stat st;
    if (style != PROGRESS_AUTO)
        return (progress_style)style;
    const char *wanted = getenv("AUDIOPIPE_PROGRESS"); /* set by ap-manifest exec */
    if (wanted && strcmp(wanted, "json") == 0)
        return PROGRESS_JSON;
    bool piped = fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
    return isatty(STDERR_FILENO) && !piped ? PROGRESS_BAR : PROGRESS_NONE;
}

void progress_start(progress *p, const char *name, const ap_format *format, int style)
{
    *p =
        (progress){.name = name, .style = choose_style(style), .total = format->frames, .rate = format->rate};
    clock_gettime(CLOCK_MONOTONIC, &p->started);
    p->shown = p->started;
}

static void show_bar(const progress *p, double fraction, double audio_s, double speed)
{
    static const char full[] = "########################";
    int filled = (int)(fraction * BAR_WIDTH);
    if (p->total == AP_UNKNOWN) {
        fprintf(stderr, "\r%s: %d:%02d  %.0fx realtime\033[K", p->name, (int)audio_s / 60, (int)audio_s % 60,
                speed);
        return;
    }
    double left = speed > 0 ? ((double)p->total / p->rate - audio_s) / speed : 0;
    fprintf(stderr, "\r%s: [%.*s%*s] %3.0f%%  %.0fx realtime  ETA %d:%02d\033[K", p->name, filled, full,
            BAR_WIDTH - filled, "", 100 * fraction, speed, (int)left / 60, (int)left % 60);
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
        fprintf(stderr, "\r\033[K");
    if (p->style == PROGRESS_JSON && ok) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        show(p, &now);
    }
}
