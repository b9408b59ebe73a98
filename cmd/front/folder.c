/* SPDX-License-Identifier: GPL-3.0-or-later
 * folder.c - the audio files of a folder. */
#include "front/folder.h"
#include "base/error.h"
#include "base/path.h"
#include "formats/file_type.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int is_audio(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && ap_is_sound_name(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* the same in every locale */
}

static bool add_stem(audio_folder *list, const command *c, const char *path, const char *file,
                     const common_config *common, ap_error *err)
{
    char whole[PATH_MAX];
    if (snprintf(whole, sizeof whole, "%s/%s", path, file) >= (int)sizeof whole)
        return ap_fail_errno(err, ENAMETOOLONG, "cannot open '%s/%s'", path, file);
    size_t i = list->count;
    list->names[i] = strndup(file, (size_t)ap_stem_length(file));
    if (!list->names[i])
        return ap_fail_memory(err);
    list->count++;
    list->watchers[i] = (watcher){.command = c, .style = common->progress, .quiet = common->quiet};
    list->streams[i] = filter_watch(&list->watchers[i], filter_open(common, whole, NULL, err), err);
    return list->streams[i];
}

/* The last part of the folder's absolute path. */
static char *own_name(const char *path)
{
    char *absolute = realpath(path, NULL);
    const char *leaf = absolute ? ap_leaf(absolute) : "";
    char *name = strdup(*leaf ? leaf : path);
    free(absolute);
    return name;
}

bool folder_open(audio_folder *list, const command *c, const char *path, const common_config *common,
                 ap_error *err)
{
    struct dirent **entries = NULL;
    *list = (audio_folder){.count = 0};
    int n = scandir(path, &entries, is_audio, by_name);
    if (n < 0)
        return ap_fail_errno(err, errno, "cannot open '%s'", path);
    list->streams = calloc((size_t)n + 1, sizeof *list->streams);
    list->names = calloc((size_t)n + 1, sizeof *list->names);
    list->watchers = calloc((size_t)n + 1, sizeof *list->watchers);
    list->name = own_name(path);
    bool ok = (list->streams && list->names && list->watchers && list->name) || ap_fail_memory(err);
    if (ok && n == 0)
        ok = ap_fail(err, AP_FAILED, "there are no audio files in '%s'", path);
    for (int i = 0; i < n; i++) {
        ok = ok && add_stem(list, c, path, entries[i]->d_name, common, err);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

void folder_close(audio_folder *list)
{
    for (size_t i = 0; i < list->count; i++) {
        ap_close(&list->streams[i]);
        free(list->names[i]);
    }
    free(list->streams);
    free(list->names);
    free(list->watchers);
    free(list->name);
}
