/* SPDX-License-Identifier: GPL-3.0-or-later
 * models.c - where models are. The names, files and bags are those of the original's remote/ folder. */
#include "plugins/neural/files/models.h"
#include "base/error.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASE_URL "https://dl.fbaipublicfiles.com/demucs/"
#define MAX_FOLDERS 16
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

static const char *const suffixes[] = {".th", ".safetensors", ".pt", ".ckpt"};
#define SUFFIXES (sizeof suffixes / sizeof *suffixes)

typedef struct folders {
    char paths[MAX_FOLDERS][1024];
    size_t count;
} folders;

/* ---- folders */

static void add_folder(folders *f, const char *base, const char *rest)
{
    if (!base || !*base || f->count == MAX_FOLDERS)
        return;
    char *to = f->paths[f->count];
    if (snprintf(to, sizeof f->paths[0], "%s%s", base, rest) < (int)sizeof f->paths[0])
        f->count++;
}

/* $AUDIOPIPE_MODELS may be a list like $PATH. */
static void add_environment(folders *f)
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
static void add_torch_hub(folders *f)
{
    const char *torch = getenv("TORCH_HOME"), *cache = getenv("XDG_CACHE_HOME");
    if (torch && *torch)
        add_folder(f, torch, "/hub/checkpoints");
    else if (cache && *cache)
        add_folder(f, cache, "/torch/hub/checkpoints");
    else
        add_folder(f, getenv("HOME"), "/.cache/torch/hub/checkpoints");
}

/* first: where to look before everything else, NULL: nowhere. */
static void find_folders(folders *f, const char *first)
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

static bool ends_with(const char *name, const char *suffix)
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
    for (size_t i = 0; i < SUFFIXES; i++)
        if (strcmp(file + n, suffixes[i]) == 0)
            return true;
    return false;
}

static char *join(const char *folder, const char *file)
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
            path = join(folder, entry->d_name);
    if (dir)
        closedir(dir);
    return path;
}

/* The file of a signature, NULL if it is not there. */
static char *find_file(const folders *f, const char *name)
{
    char *path = NULL;
    for (size_t i = 0; i < f->count && !path; i++)
        path = find_in(f->paths[i], name);
    return path;
}

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

/* name: what was asked for. A bag of somebody's own is no name that could be downloaded, its files are. */
static bool missing(const folders *f, const char *name, const char *signature, ap_error *err)
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

static bool locate_all(nn_model_files *files, const folders *f, const char *name, ap_error *err)
{
    for (size_t i = 0; i < files->bag.count; i++)
        if (!(files->paths[i] = find_file(f, files->bag.models[i])))
            return missing(f, name, files->bag.models[i], err);
    return true;
}

static bool read_bag(nn_model_files *files, const char *path, ap_error *err)
{
    char *text = malloc(MAX_BAG), *slash;
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
    char folder[1024];
    folders f;
    snprintf(folder, sizeof folder, "%s", path);
    if ((slash = strrchr(folder, '/')))
        *slash = 0;
    find_folders(&f, slash ? folder : ".");
    return locate_all(files, &f, path, err);
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
    return ends_with(path, ".yaml") ? read_bag(files, path, err) : take_file(files, strdup(path), err);
}

static bool find_by_name(const char *name, nn_model_files *files, ap_error *err)
{
    folders f;
    find_folders(&f, NULL);
    for (size_t i = 0; i < f.count; i++) {
        char path[2048];
        snprintf(path, sizeof path, "%s/%.900s.ckpt", f.paths[i], name);
        if (access(path, R_OK) == 0)
            return take_file(files, strdup(path), err);
        snprintf(path, sizeof path, "%s/%.900s.yaml", f.paths[i], name);
        if (access(path, R_OK) == 0)
            return read_bag(files, path, err);
    }
    char *path = find_file(&f, name);
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
    if (!ends_with(path, ".ckpt"))
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

static bool find_config(const char *given, nn_model_files *files, ap_error *err)
{
    if (given && files->bag.count > 1)
        return ap_fail(err, AP_USAGE, "a bag of models takes no --config");
    if (!files->config)
        files->config = given ? strdup(given) : config_beside(files->paths[0]);
    return files->config || !given || ap_fail_memory(err);
}

bool nn_models_find(const char *name, const char *config, nn_model_files *files, ap_error *err)
{
    *files = (nn_model_files){0};
    bool is_path = strchr(name, '/') || ends_with(name, ".yaml");
    for (size_t i = 0; i < SUFFIXES; i++)
        is_path = is_path || ends_with(name, suffixes[i]);
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
static bool missing_files(const folders *f, const known_model *m, char *files, size_t size)
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
        char *path = find_file(f, bag.models[i]);
        size_t n = strlen(files);
        if (!path)
            snprintf(files + n, size - n, "%s%s", n ? " " : "", strchr(known_file(bag.models[i]), '/') + 1);
        free(path);
    }
    return true;
}

const char *nn_models_best(void)
{
    folders f;
    char files[512];
    find_folders(&f, NULL);
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
static bool is_description(const char *folder, const char *name)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/%.900s.ckpt", folder, name);
    return access(path, R_OK) == 0;
}

static void list_checkpoint(const char *folder, const char *file, const char *name,
                            nn_model_describe *describe, ap_model_visit *visit, void *user)
{
    char text[1024], *path = join(folder, file), *config = path ? config_beside(path) : NULL;
    if (path)
        describe(path, config, text, sizeof text);
    if (path)
        visit(user, name, *text ? text : folder, "");
    free(config);
    free(path);
}

static void list_folder(const char *folder, nn_model_describe *describe, ap_model_visit *visit, void *user)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        bool is_bag = ends_with(entry->d_name, ".yaml"), is_model = is_bag;
        for (size_t i = 0; i < SUFFIXES; i++)
            is_model = is_model || ends_with(entry->d_name, suffixes[i]);
        if (!is_model)
            continue;
        char name[256];
        snprintf(name, sizeof name, "%.*s", ap_stem_length(entry->d_name), entry->d_name);
        if (ends_with(entry->d_name, ".ckpt"))
            list_checkpoint(folder, entry->d_name, name, describe, visit, user);
        else if (!is_published(entry->d_name, name) && !(is_bag && is_description(folder, name)))
            visit(user, name, is_bag ? "a bag of models" : folder, "");
    }
    if (dir)
        closedir(dir);
}

void nn_models_list(nn_model_describe *describe, ap_model_visit *visit, void *user)
{
    folders f;
    find_folders(&f, NULL);
    char files[512];
    for (size_t i = 0; i < sizeof known_models / sizeof *known_models; i++)
        if (missing_files(&f, &known_models[i], files, sizeof files))
            visit(user, known_models[i].name, known_models[i].description, files);
    for (size_t i = 0; i < f.count; i++)
        list_folder(f.paths[i], describe, visit, user);
}
