/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * walk.h - the files that a command line stands for: operands, folders and what is in them, lists of names.
 */
#ifndef WALK_H
#define WALK_H

#include <audiopipe.h>
#include <sys/types.h>

typedef struct walk {
    char *const *operands;
    size_t count;
    const char *list; /* more names: a file, "-" is standard input; NULL: none */
    bool zero;        /* its names end with zero bytes, whatever is in it */
    bool recursive;   /* into folders */
    bool raw;         /* the audio of folders has no header: its files are called .raw or .pcm */
    bool films;       /* what is wanted from folders are films: .mp4, .m4v, .mov, .mkv or .webm */
    const char *skip; /* a folder that is not gone into: that of the outputs; NULL: none */
    /* A file, and the folder below the one that was named, "" or "a/b"; of a listed name its own folder. */
    bool (*visit)(void *user, const char *path, const char *folder, ap_error *err);
    /* A folder that cannot be read. */
    bool (*failed)(void *user, const char *path, const ap_error *why, ap_error *err);
    void *user;
} walk;

/* Visits all files, those of a folder in the order of their names. A file that is named is visited whatever
 * it is; in folders those that are audio, by their extension, or by their content if they have none. Links to
 * files are followed, links to folders only when they are named; hidden files are left out. Of several
 * folders each keeps its name in the paths below; a single one does not. Memory: the names of one folder, and
 * of those above it. A folder without recursive is AP_USAGE. */
bool walk_files(const walk *w, ap_error *err);

#endif
