/* SPDX-License-Identifier: GPL-3.0-or-later
 * stamp.c - which files were found intact: a note for each in the user's cache, so that hundreds of
 * megabytes are not hashed at every start. A file that was written since, or is another one, has another
 * note. */
#include "plugins/neural/files/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Smaller files are hashed in some milliseconds. */
#define WORTH_IT ((off_t)8 << 20)

/* The note's name: what tells whether it is still the same file. false: not worth it, or no cache. */
static bool note_of(const char *path, char *note, size_t size, bool make)
{
    struct stat st;
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool given = cache && *cache == '/';
    if (stat(path, &st) != 0 || st.st_size < WORTH_IT || (!given && (!home || !*home)))
        return false;
    int n = snprintf(note, size, "%s%s", given ? cache : home, given ? "" : "/.cache");
    if (n < 0 || (size_t)n + 160 > size)
        return false;
    if (make)
        mkdir(note, 0777);
    n += snprintf(note + n, size - (size_t)n, "/audiopipe");
    if (make)
        mkdir(note, 0777);
    n += snprintf(note + n, size - (size_t)n, "/intact");
    if (make)
        mkdir(note, 0777);
    snprintf(note + n, size - (size_t)n, "/%jx-%jx-%jx-%jx.%09ld-%jx.%09ld", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino, (uintmax_t)st.st_size, (uintmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
             (uintmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
    return true;
}

bool nn_checkpoint_was_intact(const char *path)
{
    char note[4096];
    struct stat st;
    return note_of(path, note, sizeof note, false) && stat(note, &st) == 0 && S_ISREG(st.st_mode);
}

void nn_checkpoint_is_intact(const nn_checkpoint *c)
{
    char note[4096];
    FILE *file = note_of(c->path, note, sizeof note, true) ? fopen(note, "we") : NULL;
    if (file)
        fclose(file);
}
