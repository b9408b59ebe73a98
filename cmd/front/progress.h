/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * progress.h - how far a command has come, on stderr: a bar for people, JSON lines for programs. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "front/choice.h"
#include <audiopipe.h>

#include <time.h>

typedef enum progress_style {
    PROGRESS_AUTO,
    PROGRESS_BAR,
    PROGRESS_JSON,
    PROGRESS_NONE,
    PROGRESS_TOLD /* to whoever wants to be told: progress_to */
} progress_style;

/* The words for them. */
extern const choice progress_styles[];

typedef struct progress {
    char title[128]; /* the command and what it works on */
    const char *name;
    progress_style style; /* never PROGRESS_AUTO */
    uint64_t total, done; /* frames; total may be AP_UNKNOWN */
    uint32_t rate;
    uint64_t of, files,
        failed;               /* of many files: how many there are (0: it is one), are behind, have failed */
    double seconds, fraction; /* and how far all of them are */
    struct timespec started, shown;
    bool ended;
} progress;

/* AUTO is JSON if the environment has AUDIOPIPE_PROGRESS=json, and a bar if stderr is a terminal that can go
 * back in a line and standard output is not a pipe: in a pipeline the last command shows it. name is the
 * command's; doing, which may be NULL, says what it does with the file. */
void progress_start(progress *p, const char *name, const char *doing, const char *file,
                    const ap_format *format, progress_style style);
void progress_add(progress *p, uint64_t frames);
/* The same for the work on many files. file: one that is at work now, or NULL; fraction is of the whole, from
 * 0 to 1. */
void progress_start_many(progress *p, const char *name, uint64_t files, progress_style style);
void progress_set_many(progress *p, uint64_t files, uint64_t failed, const char *file, double seconds,
                       double fraction);
/* From now on progress is told there (seconds of sound, and the fraction, < 0 if it is not known), in a
 * process that works for another one. */
void progress_to(void (*listen)(double seconds, double fraction));
/* Removes the bar, or prints the last JSON line. Once, or more than once. */
void progress_end(progress *p, bool ok);
/* Clears the line of the bar that is on the terminal, if there is one. */
void progress_hide(void);

/* Columns of a line of the terminal: the last one stays free, for a terminal may go on to the next line after
 * it. */
size_t progress_width(void);
/* Cuts text between its characters so that it fills at most that many columns; returns how many it fills. A
 * character that may be two columns wide counts as two: a short line is better than two lines. Control
 * characters become '?'. */
size_t progress_cut(char *text, size_t columns);

#endif
