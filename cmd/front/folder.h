/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * folder.h - the audio files of a folder. */
#ifndef FOLDER_H
#define FOLDER_H

#include "front/filter.h"

typedef struct audio_folder {
    ap_stream **streams; /* in the order of their names */
    char **names;        /* of the files, without extensions */
    watcher *watchers;
    size_t count;
    char *name; /* its own */
} audio_folder;

/* Opens all files of a folder whose extensions are those of audio. Fails if there are none. To be closed also
 * when it fails. */
bool folder_open(audio_folder *list, const command *c, const char *path, const common_config *common,
                 ap_error *err);
void folder_close(audio_folder *list);

#endif
