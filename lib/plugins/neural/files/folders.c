/* SPDX-License-Identifier: GPL-3.0-or-later
 * folders.c - the folders that models are looked for in. */
#include "plugins/neural/files/folders.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const nn_suffixes[NN_SUFFIXES] = {".th", ".safetensors", ".pt", ".ckpt"};

/* ---- nn_folders */

static void add_folder(nn_folders *f, const char *base, const char *rest)
{
    if (!base || !*base || f->count == NN_MAX_FOLDERS)
        return;
    char *to = f->paths[f->count];
    if (snprintf(to, sizeof f->paths[0], "%s%s", base, rest) < (int)sizeof f->paths[0])
        f->count++;
}

/* $AUDIOPIPE_MODELS may be a list like $PATH. */
static void add_environment(nn_folders *f)
{
    const char *list = getenv("AUDIOPIPE_MODELS");
    while (list && *list) {
        char folder[1024];
        size_t n = strcspn(list, ":");
        if (n < sizeof folder) {
            memcpy(folder, list, n);
            folder[n] = 0;
            add_folder(f, folder, "");
        }
        list += n + (list[n] == ':');
    }
}

/* Where the Python package's downloads are (torch.hub.get_dir). */
static void add_torch_hub(nn_folders *f)
{
    const char *torch = getenv("TORCH_HOME"), *cache = getenv("XDG_CACHE_HOME");
    if (torch && *torch)
        add_folder(f, torch, "/hub/checkpoints");
    else if (cache && *cache)
        add_folder(f, cache, "/torch/hub/checkpoints");
    else
        add_folder(f, getenv("HOME"), "/.cache/torch/hub/checkpoints");
}

void nn_folders_find(nn_folders *f, const char *first)
{
    const char *data = getenv("XDG_DATA_HOME");
    f->count = 0;
    add_folder(f, first, "");
    add_environment(f);
    if (data && *data)
        add_folder(f, data, "/audiopipe/models");
    else
        add_folder(f, getenv("HOME"), "/.local/share/audiopipe/models");
    add_folder(f, "/usr/share/audiopipe/models", "");
    add_torch_hub(f);
}

/* ---- files */

bool nn_ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n > m && strcmp(name + n - m, suffix) == 0;
}

/* name.th or name-8726e21a.th, and the like. */
static bool is_file_of(const char *file, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(file, name, n) != 0)
        return false;
    if (file[n] == '-' && strspn(file + n + 1, "0123456789abcdef") == 8)
        n += 9;
    for (size_t i = 0; i < NN_SUFFIXES; i++)
        if (strcmp(file + n, nn_suffixes[i]) == 0)
            return true;
    return false;
}

char *nn_join(const char *folder, const char *file)
{
    char *path = malloc(strlen(folder) + strlen(file) + 2);
    if (path)
        sprintf(path, "%s/%s", folder, file);
    return path;
}

static char *find_in(const char *folder, const char *name)
{
    char *path = NULL;
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && !path && (entry = readdir(dir)))
        if (is_file_of(entry->d_name, name))
            path = nn_join(folder, entry->d_name);
    if (dir)
        closedir(dir);
    return path;
}

char *nn_folders_file(const nn_folders *f, const char *name)
{
    char *path = NULL;
    for (size_t i = 0; i < f->count && !path; i++)
        path = find_in(f->paths[i], name);
    return path;
}
