/* SPDX-License-Identifier: GPL-3.0-or-later
 * recipe.c - recipes: files of shell commands that declare in a header of comments what they take.
 *
 *     # NAME: SUMMARY
 *     # input: [many] TYPE...
 *     # option: KEY=DEFAULT PATTERN HELP
 *     # needs: COMMAND... [mem=2G] [gpu=1] [threads=2]
 */
#include "jobs/run/recipe.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/spool/needs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES 65536

/* ---- the header */

/* Cuts the first word off *rest. */
static char *take_word(char **rest)
{
    *rest += strspn(*rest, " ");
    char *word = strsep(rest, " ");
    if (!*rest)
        *rest = word + strlen(word);
    return word;
}

static bool is_name(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return n > 0 && !text[n] && isalnum((unsigned char)*text);
}

/* What the shell takes as a variable. */
static bool is_variable(const char *text)
{
    return is_name(text) && !isdigit((unsigned char)*text) && !strchr(text, '-');
}

/* KEY=DEFAULT PATTERN HELP */
static bool parse_option(ap_recipe *recipe, char *text)
{
    ap_recipe_option *o = &recipe->options[recipe->count];
    char *first = take_word(&text);
    o->key = strsep(&first, "=");
    o->value = first;
    o->pattern = take_word(&text);
    o->help = text;
    if (!is_variable(o->key) || !o->value || !*o->pattern || recipe->count == AP_RECIPE_OPTIONS)
        return false;
    recipe->count++;
    return true;
}

/* If line begins with prefix, what follows. */
static char *after(char *line, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(line, prefix, n) == 0 ? line + n : NULL;
}

static bool parse_line(ap_recipe *recipe, char *line, ap_error *err)
{
    char *rest;
    if (after(line, "#!") || after(line, "# SPDX") || after(line, "# shellcheck"))
        return true;
    if ((rest = after(line, "# input: "))) {
        char *types = after(rest, "many ");
        recipe->together = types != NULL;
        recipe->accept = types ? types : rest;
    } else if ((rest = after(line, "# needs: "))) {
        ap_needs needs;
        recipe->needs = rest;
        return ap_needs_parse(rest, &needs, err);
    } else if ((rest = after(line, "# option: ")))
        return parse_option(recipe, rest) ||
               ap_fail(err, AP_FAILED, "not an option as KEY=DEFAULT PATTERN HELP");
    else if (!*recipe->summary && (rest = strstr(line, ": ")))
        recipe->summary = rest + 2;
    return true;
}

/* The first bytes of the file, malloc'ed. */
static char *read_header(const char *path, ap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = malloc(HEADER_BYTES);
    ssize_t n = fd >= 0 && text ? read(fd, text, HEADER_BYTES - 1) : -1;
    if (n < 0)
        ap_fail_errno(err, text ? errno : ENOMEM, "cannot read '%s'", path);
    else
        text[n] = 0;
    if (fd >= 0)
        close(fd);
    if (n < 0)
        free(text), text = NULL;
    return text;
}

bool ap_recipe_parse(ap_recipe *recipe, char *text, ap_error *err)
{
    static char nothing[] = "";
    ap_error why;
    recipe->text = text;
    recipe->summary = recipe->accept = recipe->needs = nothing;
    for (unsigned number = 1; text && *text == '#'; number++)
        if (!parse_line(recipe, strsep(&text, "\n"), &why))
            return ap_fail(err, AP_FAILED, "recipe '%s', line %u: %s", recipe->file ? recipe->file : "",
                           number, why.message);
    return true;
}

static bool read_recipe(ap_recipe *recipe, const char *path, ap_error *err)
{
    *recipe = (ap_recipe){.file = strdup(path)};
    char *text = recipe->file ? read_header(path, err) : (ap_fail_memory(err), NULL);
    bool ok = text && ap_recipe_parse(recipe, text, err);
    if (!ok)
        ap_recipe_free(recipe);
    return ok;
}

void ap_recipe_free(ap_recipe *recipe)
{
    free(recipe->file);
    free(recipe->text);
    *recipe = (ap_recipe){0};
}

/* ---- settings */

static bool matches(const char *value, const char *pattern)
{
    regex_t regex;
    char *whole = ap_print("^(%s)$", pattern);
    bool ok = whole && regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB) == 0;
    free(whole);
    if (!ok)
        return false;
    ok = regexec(&regex, value, 0, NULL, 0) == 0;
    regfree(&regex);
    return ok;
}

static bool fail_unknown(const ap_recipe *recipe, const char *key, ap_error *err)
{
    char keys[160] = "none";
    for (size_t i = 0, n = 0; i < recipe->count && n < sizeof keys; i++)
        n += (size_t)snprintf(keys + n, sizeof keys - n, "%s%s", i ? " " : "", recipe->options[i].key);
    return ap_fail(err, AP_USAGE, "the recipe has no option '%s', but: %s", key, keys);
}

bool ap_recipe_set(ap_recipe *recipe, const char *key, const char *value, ap_error *err)
{
    for (size_t i = 0; i < recipe->count; i++) {
        ap_recipe_option *o = &recipe->options[i];
        if (strcmp(o->key, key) != 0)
            continue;
        o->value = value;
        return matches(value, o->pattern) ||
               ap_fail(err, AP_USAGE, "%s '%s' is not %s (%s)", key, value, o->help, o->pattern);
    }
    return fail_unknown(recipe, key, err);
}

/* ---- where recipes are */

/* The next folder of a list, malloc'ed; NULL at the end. */
static char *next_folder(const char **list)
{
    while (*list && **list) {
        size_t n = strcspn(*list, ":");
        const char *folder = *list;
        *list += n + (folder[n] == ':');
        if (n)
            return strndup(folder, n);
    }
    return NULL;
}

bool ap_recipe_find(ap_recipe *recipe, const char *folders, const char *name, ap_error *err)
{
    const char *list = folders;
    *recipe = (ap_recipe){0};
    for (char *folder; is_name(name) && (folder = next_folder(&list));) {
        char *path = ap_print("%s/%s.sh", folder, name);
        bool found = path && access(path, R_OK) == 0;
        bool ok = found && read_recipe(recipe, path, err);
        free(folder);
        free(path);
        if (found)
            return ok;
    }
    return ap_fail(err, AP_USAGE, "there is no recipe '%s'", name);
}

bool ap_hooks_there(const char *folders, const char *hooks, ap_error *err)
{
    char *names = strdup(hooks ? hooks : ""), *rest = names;
    bool ok = names || ap_fail_memory(err);
    for (char *name; ok && (name = strsep(&rest, ", "));) {
        ap_recipe hook;
        if (!*name)
            continue;
        ok = ap_recipe_find(&hook, folders, name, NULL) ||
             ap_fail(err, AP_USAGE, "there is no hook '%s'", name);
        ap_recipe_free(&hook);
    }
    free(names);
    return ok;
}

char *ap_command_path(const char *name)
{
    const char *path = getenv("PATH");
    if (strchr(name, '/'))
        return strdup(name);
    for (char *folder; (folder = next_folder(&path));) {
        char *file = ap_print("%s/%s", folder, name);
        free(folder);
        if (file && access(file, X_OK) == 0)
            return file;
        free(file);
    }
    return NULL;
}

unsigned ap_recipe_stages(const char *path)
{
    static const char word[] = "stage ";
    char *text = read_header(path, NULL), *rest = text;
    unsigned count = 0;
    for (char *line; (line = strsep(&rest, "\n"));)
        for (const char *p = line; line[strspn(line, " \t")] != '#' && (p = strstr(p, word));
             p += sizeof word - 1)
            count += p == line || strchr(" \t(|&;{", p[-1]) != NULL;
    free(text);
    return count;
}

char *ap_recipe_missing(const ap_recipe *recipe)
{
    char *text = NULL, *needs = strdup(recipe->needs), *rest = needs;
    size_t size;
    FILE *out = needs ? open_memstream(&text, &size) : NULL;
    const char *gap = "";
    for (const char *word; out && *(word = take_word(&rest));) {
        char *command = strchr(word, '=') ? strdup("") : ap_command_path(word); /* mem=2G is no command */
        if (!command)
            fprintf(out, "%s%s", gap, word), gap = " ";
        free(command);
    }
    free(needs);
    if (out && fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static int is_recipe(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return n > 3 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 3, ".sh") == 0;
}

/* A recipe hides those of the same name in later folders. */
static bool list_recipe(const char *folders, const char *folder, char *file, ap_recipe_fn *show, void *user,
                        ap_error *err)
{
    char *path = ap_print("%s/%s", folder, file);
    ap_recipe recipe;
    ap_error problem;
    file[strlen(file) - 3] = 0;
    bool ok = path || ap_fail_memory(err);
    if (ok && ap_recipe_find(&recipe, folders, file, &problem)) {
        if (strcmp(recipe.file, path) == 0)
            show(file, &recipe, NULL, user);
        ap_recipe_free(&recipe);
    } else if (ok)
        show(file, NULL, &problem, user);
    free(path);
    return ok;
}

bool ap_recipe_list(const char *folders, ap_recipe_fn *show, void *user, ap_error *err)
{
    const char *list = folders;
    bool ok = true;
    for (char *folder; (folder = next_folder(&list)); free(folder)) {
        struct dirent **names;
        int count = scandir(folder, &names, is_recipe, alphasort);
        for (int i = 0; i < count; i++) {
            ok = ok && list_recipe(folders, folder, names[i]->d_name, show, user, err);
            free(names[i]);
        }
        if (count >= 0)
            free(names);
    }
    return ok;
}
