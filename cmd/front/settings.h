/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.h - the file with what a user always wants: sections of commands, as in git's. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <audiopipe.h>

typedef struct setting {
    const char *file;
    unsigned line;
    const char *section; /* as it is written: "common", "ap-8d", "ap-job submit" */
    char *key;           /* the long name of an option */
    char *value;         /* NULL: there is none */
} setting;

/* The name of the file that is read when none is asked for, malloc'ed: $AUDIOPIPE_CONFIG, or audiopipe/config
 * in $XDG_CONFIG_HOME or ~/.config, if it is there. NULL when there is none, and err is left alone; or when
 * out of memory. */
char *settings_usual_file(void);
/* Calls take for each setting. The strings live until the program ends. A file that cannot be read, and a
 * line that cannot be understood, are errors. */
bool settings_read(const char *path, void (*take)(void *user, const setting *s), void *user, ap_error *err);

#endif
