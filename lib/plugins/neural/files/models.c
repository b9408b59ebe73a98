/* SPDX-License-Identifier: GPL-3.0-or-later
 * models.c - where models are. The names, files and bags are those of the original's remote/ folder. */
#include "plugins/neural/files/models.h"
#include "base/error.h"
#include "base/path.h"
#include "plugins/neural/files/folders.h"
#include "plugins/neural/files/index.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASE_URL "https://dl.fbaipublicfiles.com/demucs/"
#define MAX_BAG 65536

typedef struct known_model {
    const char *name, *description;
    const char *bag;    /* NULL: not supported */
    const char *reason; /* why not */
} known_model;

#define QUANTISED "its weights are quantised with diffq"
#define WAVEFORM "it contains Demucs v2 waveform models"

static const known_model known_models[] = {
    {"htdemucs", "hybrid transformer, 4 stems", "models: ['955717e8']", NULL},
    {"htdemucs_ft", "htdemucs fine-tuned for each stem, slower and a little better",
     "models: ['f7e0c4bc', 'd12395a8', '92cfc3b6', '04573f0d']\n"
     "weights: [[1., 0., 0., 0.], [0., 1., 0., 0.], [0., 0., 1., 0.], [0., 0., 0., 1.]]",
     NULL},
    {"htdemucs_6s", "hybrid transformer, 6 stems: also guitar and piano", "models: ['5c90dfd2']", NULL},
    {"hdemucs_mmi", "hybrid (v3), 4 stems", "models: ['75fc33f5']\nsegment: 44", NULL},
    {"mdx_extra", "bag of 4 hybrids (v3), 4 stems",
     "models: ['e51eebcc', 'a1d90b5c', '5d2d6c55', 'cfa93e08']\nsegment: 44", NULL},
    {"mdx", "", NULL, WAVEFORM "; use mdx_extra"},
    {"mdx_q", "", NULL, QUANTISED "; use mdx_extra"},
    {"mdx_extra_q", "", NULL, QUANTISED "; use mdx_extra"},
    {"repro_mdx_a", "", NULL, WAVEFORM "; use mdx_extra"},
};

/* Files by signature, with their folder on the server. */
static const char *const known_files[] = {
    "hybrid_transformer/955717e8-8726e21a.th", "hybrid_transformer/f7e0c4bc-ba3fe64a.th",
    "hybrid_transformer/d12395a8-e57c48e6.th", "hybrid_transformer/92cfc3b6-ef3bcb9c.th",
    "hybrid_transformer/04573f0d-f3cf25b2.th", "hybrid_transformer/5c90dfd2-34c22ccb.th",
    "hybrid_transformer/75fc33f5-1941ce65.th", "mdx_final/e51eebcc-c1b80bdd.th",
    "mdx_final/a1d90b5c-ae9d2452.th",          "mdx_final/5d2d6c55-db83574e.th",
    "mdx_final/cfa93e08-61801ae1.th",
};

static const known_model *find_known(const char *name)
{
    for (size_t i = 0; i < sizeof known_models / sizeof *known_models; i++)
        if (strcmp(known_models[i].name, name) == 0)
            return &known_models[i];
    return NULL;
}

/* "folder/955717e8-8726e21a.th", NULL for one that was not published. */
static const char *known_file(const char *signature)
{
    for (size_t i = 0; i < sizeof known_files / sizeof *known_files; i++) {
        const char *file = strchr(known_files[i], '/') + 1;
        if (strncmp(file, signature, strlen(signature)) == 0 && file[strlen(signature)] == '-')
            return known_files[i];
    }
    return NULL;
}

/* name: what was asked for. A user's own bag cannot be downloaded, but its files can. */
static bool missing(const nn_folders *f, const char *name, const char *signature, ap_error *err)
{
    const char *file = known_file(signature);
    const char *folder = f->count ? f->paths[0] : "~/.local/share/audiopipe/models";
    if (!file)
        return ap_fail(err, AP_FAILED, "model '%s' needs '%s.th', which is not in '%s' nor the other folders",
                       name, signature, folder);
    return ap_fail(err, AP_FAILED, "model '%s' needs %s: run 'ap-fetch-model %s', or put %s%s into '%s'",
                   name, strchr(file, '/') + 1, find_known(name) ? name : signature, BASE_URL, file, folder);
}

/* ---- names */

static bool locate_all(nn_model_files *files, const nn_folders *f, const char *name, ap_error *err)
{
    for (size_t i = 0; i < files->bag.count; i++)
        if (!(files->paths[i] = nn_folders_file(f, files->bag.models[i])))
            return missing(f, name, files->bag.models[i], err);
    return true;
}

static bool read_bag(nn_model_files *files, const char *path, ap_error *err)
{
    char *text = malloc(MAX_BAG);
    FILE *file = text ? fopen(path, "rbe") : NULL;
    size_t n = file ? fread(text, 1, MAX_BAG - 1, file) : 0;
    bool ok = false;
    if (!file) {
        ap_fail_errno(err, errno, "cannot open '%s'", path);
    } else {
        text[n] = 0;
        ok = nn_bag_parse(&files->bag, text, path, err);
        fclose(file);
    }
    free(text);
    if (!ok)
        return false;
    nn_folders f;
    char *folder = ap_folder_of(path);
    if (!folder)
        return ap_fail_memory(err);
    nn_folders_find(&f, folder);
    ok = locate_all(files, &f, path, err);
    free(folder);
    return ok;
}

static bool take_file(nn_model_files *files, char *path, ap_error *err)
{
    files->bag = (nn_bag){.count = 1};
    files->paths[0] = path;
    return path || ap_fail_memory(err);
}

static bool find_path(const char *path, nn_model_files *files, ap_error *err)
{
    if (access(path, R_OK) != 0)
        return ap_fail_errno(err, errno, "cannot open '%s'", path);
    return nn_ends_with(path, ".yaml") ? read_bag(files, path, err) : take_file(files, strdup(path), err);
}

/* A file that an index names. */
static char *indexed_file(const char *folder, const char *file)
{
    return *file == '/' ? strdup(file) : nn_join(folder, file);
}

/* In the index files of the folders. false: one of them is broken; files->paths[0] stays NULL if it is in
 * none. */
static bool find_in_indexes(const nn_folders *f, const char *name, nn_model_files *files, ap_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && !files->paths[0] && i < f->count; i++) {
        nn_index index;
        ok = nn_index_read(&index, f->paths[i], err);
        const nn_index_line *line = ok ? nn_index_find(&index, name) : NULL;
        if (line)
            ok = take_file(files, indexed_file(f->paths[i], line->checkpoint), err);
        if (line && ok && line->config)
            ok = (files->config = indexed_file(f->paths[i], line->config)) || ap_fail_memory(err);
        nn_index_free(&index);
    }
    return ok;
}

static bool find_by_name(const char *name, nn_model_files *files, ap_error *err)
{
    nn_folders f;
    nn_folders_find(&f, NULL);
    if (!find_in_indexes(&f, name, files, err) || files->paths[0])
        return files->paths[0] != NULL;
    for (size_t i = 0; i < f.count; i++) {
        char path[2048];
        snprintf(path, sizeof path, "%s/%.900s.ckpt", f.paths[i], name);
        if (access(path, R_OK) == 0)
            return take_file(files, strdup(path), err);
        snprintf(path, sizeof path, "%s/%.900s.yaml", f.paths[i], name);
        if (access(path, R_OK) == 0)
            return read_bag(files, path, err);
    }
    char *path = nn_folders_file(&f, name);
    if (path)
        return take_file(files, path, err);
    const known_model *known = find_known(name);
    if (known && !known->bag)
        return ap_fail(err, AP_FAILED, "model '%s' is not supported: %s", name, known->reason);
    if (known)
        return nn_bag_parse(&files->bag, known->bag, name, err) && locate_all(files, &f, name, err);
    if (known_file(name))
        return missing(&f, name, name, err);
    return ap_fail(err, AP_FAILED, "there is no model '%s'; --list-models shows those that there are", name);
}

/* The description beside a .ckpt, under the same name: NULL if there is none. */
static char *config_beside(const char *path)
{
    static const char *const endings[] = {".yaml", ".yml"};
    const size_t n = strlen(path);
    if (!nn_ends_with(path, ".ckpt"))
        return NULL;
    for (size_t i = 0; i < 2; i++) {
        char *config = malloc(n + 1);
        if (config && snprintf(config, n + 1, "%.*s%s", (int)n - 5, path, endings[i]) &&
            access(config, R_OK) == 0)
            return config;
        free(config);
    }
    return NULL;
}

/* The description that the index of its folder has for a checkpoint. */
static bool config_in_index(const char *path, char **config, ap_error *err)
{
    char folder[1024];
    nn_index index;
    const char *leaf = ap_leaf(path);
    snprintf(folder, sizeof folder, "%.*s", (int)(leaf - path), path);
    *config = NULL;
    bool ok = !nn_ends_with(path, ".ckpt") || nn_index_read(&index, *folder ? folder : ".", err);
    if (!ok || !nn_ends_with(path, ".ckpt"))
        return ok;
    const nn_index_line *line = nn_index_of(&index, leaf);
    if (line && line->config)
        ok = (*config = indexed_file(*folder ? folder : ".", line->config)) || ap_fail_memory(err);
    nn_index_free(&index);
    return ok;
}

static bool find_config(const char *given, nn_model_files *files, ap_error *err)
{
    if (given && files->bag.count > 1)
        return ap_fail(err, AP_USAGE, "a bag of models takes no --config");
    if (given) {
        free(files->config);
        files->config = strdup(given);
        return files->config || ap_fail_memory(err);
    }
    if (!files->config)
        files->config = config_beside(files->paths[0]);
    return files->config || config_in_index(files->paths[0], &files->config, err);
}

bool nn_models_find(const char *name, const char *config, nn_model_files *files, ap_error *err)
{
    *files = (nn_model_files){0};
    bool is_path = strchr(name, '/') || nn_ends_with(name, ".yaml");
    for (size_t i = 0; i < NN_SUFFIXES; i++)
        is_path = is_path || nn_ends_with(name, nn_suffixes[i]);
    bool ok = is_path ? find_path(name, files, err) : find_by_name(name, files, err);
    ok = ok && find_config(config, files, err);
    if (!ok)
        nn_models_free(files);
    return ok;
}

void nn_models_free(nn_model_files *files)
{
    for (size_t i = 0; i < NN_MAX_MODELS; i++)
        free(files->paths[i]);
    free(files->config);
    *files = (nn_model_files){0};
}

/* ---- the list */

/* The files that a published model still needs, "" if none. false: the model is not supported. */
static bool missing_files(const nn_folders *f, const known_model *m, char *files, size_t size)
{
    nn_bag bag;
    nn_model_files found;
    *files = 0;
    if (!m->bag || !nn_bag_parse(&bag, m->bag, m->name, NULL))
        return false;
    if (nn_models_find(m->name, NULL, &found, NULL)) { /* perhaps in a file of that name */
        nn_models_free(&found);
        return true;
    }
    for (size_t i = 0; i < bag.count; i++) {
        char *path = nn_folders_file(f, bag.models[i]);
        size_t n = strlen(files);
        if (!path)
            snprintf(files + n, size - n, "%s%s", n ? " " : "", strchr(known_file(bag.models[i]), '/') + 1);
        free(path);
    }
    return true;
}

const char *nn_models_best(void)
{
    nn_folders f;
    char files[512];
    nn_folders_find(&f, NULL);
    for (size_t i = 0; i < sizeof known_models / sizeof *known_models; i++)
        if (missing_files(&f, &known_models[i], files, sizeof files) && !*files)
            return known_models[i].name;
    return NULL;
}

/* Named already: a published file, or one that bears the name of a published model. */
static bool is_published(const char *file, const char *name)
{
    const known_model *known = find_known(name);
    if (known && known->bag)
        return true;
    for (size_t i = 0; i < sizeof known_files / sizeof *known_files; i++)
        if (strcmp(strchr(known_files[i], '/') + 1, file) == 0)
            return true;
    return false;
}

/* The description of a .ckpt is no bag. */
static bool is_description(const char *folder, const char *name, const nn_index *index, const char *file)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/%.900s.ckpt", folder, name);
    bool is = access(path, R_OK) == 0;
    for (size_t i = 0; i < index->count; i++)
        is = is || (index->lines[i].config && strcmp(index->lines[i].config, file) == 0);
    return is;
}

static void list_checkpoint(char *path, char *config, const char *name, const char *folder,
                            nn_model_describe *describe, ap_model_visit *visit, void *user)
{
    char text[1024];
    const nn_model_files files = {.bag = {.count = 1}, .paths = {path}, .config = config};
    describe(&files, text, sizeof text);
    visit(user, name, *text ? text : folder, "");
}

static void list_bag(const char *folder, const char *file, const char *name, nn_model_describe *describe,
                     ap_model_visit *visit, void *user)
{
    char text[1024] = "";
    ap_error err;
    nn_model_files files = {0};
    char *path = nn_join(folder, file);
    if (path && read_bag(&files, path, &err))
        describe(&files, text, sizeof text);
    else if (path)
        snprintf(text, sizeof text, "%s", err.message);
    visit(user, name, *text ? text : "a bag of models", "");
    nn_models_free(&files);
    free(path);
}

/* One of known_models, with what its files say where they are all there. */
static void list_known(const nn_folders *f, const known_model *m, nn_model_describe *describe,
                       ap_model_visit *visit, void *user)
{
    char missing[512], text[1024] = "", line[1280];
    nn_model_files files;
    if (!missing_files(f, m, missing, sizeof missing))
        return;
    if (!*missing && nn_models_find(m->name, NULL, &files, NULL)) {
        describe(&files, text, sizeof text);
        nn_models_free(&files);
    }
    snprintf(line, sizeof line, "%s%s%s", m->description, *text ? "; " : "", text);
    visit(user, m->name, line, missing);
}

/* A checkpoint that its folder's index does not name. */
static void list_own(const nn_index *index, const char *folder, const char *file, const char *name,
                     nn_model_describe *describe, ap_model_visit *visit, void *user)
{
    char *path = nn_join(folder, file), *config = path ? config_beside(path) : NULL;
    if (path && !nn_index_of(index, file))
        list_checkpoint(path, config, name, folder, describe, visit, user);
    free(config);
    free(path);
}

/* What an index names and is there; why it cannot be read, under its own name. */
static void list_index(nn_index *index, const char *folder, nn_model_describe *describe,
                       ap_model_visit *visit, void *user)
{
    ap_error err;
    if (!nn_index_read(index, folder, &err)) {
        nn_index_free(index);
        visit(user, NN_INDEX_FILE, err.message, "");
    }
    for (size_t i = 0; i < index->count; i++) {
        const nn_index_line *line = &index->lines[i];
        char *path = indexed_file(folder, line->checkpoint);
        char *config = line->config ? indexed_file(folder, line->config) : NULL;
        if (path && access(path, R_OK) == 0)
            list_checkpoint(path, config, line->name, folder, describe, visit, user);
        free(path);
        free(config);
    }
}

static void list_folder(const char *folder, nn_model_describe *describe, ap_model_visit *visit, void *user)
{
    nn_index index;
    list_index(&index, folder, describe, visit, user);
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        bool is_bag = nn_ends_with(entry->d_name, ".yaml"), is_model = is_bag;
        for (size_t i = 0; i < NN_SUFFIXES; i++)
            is_model = is_model || nn_ends_with(entry->d_name, nn_suffixes[i]);
        if (!is_model)
            continue;
        char name[256];
        snprintf(name, sizeof name, "%.*s", ap_stem_length(entry->d_name), entry->d_name);
        const bool published = is_published(entry->d_name, name);
        if (nn_ends_with(entry->d_name, ".ckpt") || (!is_bag && !published))
            list_own(&index, folder, entry->d_name, name, describe, visit, user);
        else if (is_bag && !published && !is_description(folder, name, &index, entry->d_name))
            list_bag(folder, entry->d_name, name, describe, visit, user);
    }
    nn_index_free(&index);
    if (dir)
        closedir(dir);
}

void nn_models_list(nn_model_describe *describe, ap_model_visit *visit, void *user)
{
    nn_folders f;
    nn_folders_find(&f, NULL);
    for (size_t i = 0; i < sizeof known_models / sizeof *known_models; i++)
        list_known(&f, &known_models[i], describe, visit, user);
    for (size_t i = 0; i < f.count; i++)
        list_folder(f.paths[i], describe, visit, user);
}
