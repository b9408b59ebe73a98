/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * progress.h - how far a command has come, on stderr: a bar for people, JSON lines for programs. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <audiopipe.h>
#include <time.h>

typedef enum progress_style { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_JSON, PROGRESS_NONE } progress_style;

typedef struct progress {
    const char *name;
    progress_style style; /* never PROGRESS_AUTO */
    uint64_t total, done; /* frames; total may be AP_UNKNOWN */
    uint32_t rate;
    struct timespec started, shown;
} progress;

/* AUTO is JSON if the environment has AUDIOPIPE_PROGRESS=json, and a bar if stderr is a terminal and standard
 * output is not a pipe: in a pipeline the last command shows it. */
void progress_start(progress *p, const char *name, const ap_format *format, int style);
void progress_add(progress *p, uint64_t frames);
/* Removes the bar, or prints the last JSON line. */
void progress_end(progress *p, bool ok);

#endif
