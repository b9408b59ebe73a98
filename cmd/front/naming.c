/* SPDX-License-Identifier: GPL-3.0-or-later
 * naming.c - the names of outputs, made of those of the inputs. */
#include "front/naming.h"
#include "base/error.h"
#include "base/net.h"
#include "base/path.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path)
{
    struct stat st;
    const size_t n = strlen(path);
    return (n && path[n - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

bool naming_is_pattern(const char *path)
{
    static const char *const words[] = {"{dir}", "{path}", "{name}", "{track}", "{ext}", "{trackext}"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(path, words[i]))
            return true;
    return false;
}

bool naming_is_for_many(const char *output)
{
    return output && (naming_is_pattern(output) || is_folder(output));
}

bool naming_has_extension(const char *output)
{
    return strstr(output, "{ext}") || (!naming_is_pattern(output) && is_folder(output));
}

char *naming_below(const char *folder, const char *name)
{
    const size_t n = strlen(folder);
    return ap_print("%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
}

char *naming_pattern(const char *output, const char *leaf)
{
    if (naming_is_pattern(output) || !is_folder(output))
        return strdup(output);
    char *below = ap_print("{dir}/%s", leaf), *pattern = below ? naming_below(output, below) : NULL;
    free(below);
    return pattern;
}

char *naming_root(const char *pattern)
{
    size_t n = strcspn(pattern, "{");
    while (n && pattern[n - 1] != '/')
        n--;
    while (n > 1 && pattern[n - 1] == '/')
        n--;
    return strndup(pattern, n);
}

/* What a word in braces, of this length, stands for; NULL for any other. leaf: the name of the input. */
static const char *value_of(const name_words *w, const char *leaf, const char *word, size_t length,
                            int *count)
{
    const char *last = ap_leaf(w->input), *path = last == w->input ? "." : w->input;
    const struct {
        const char *word, *value;
        int count;
    } words[] = {
        {"{dir}", w->folder, -1},
        {"{path}", path, path == w->input ? (int)(last - path) : 1},
        {"{stem}", w->stem, -1},
        {"{name}", leaf, ap_stem_length(leaf)},
        {"{ext}", w->extension, -1},
        {"{track}", leaf, ap_stem_length(leaf)},
        {"{trackext}", ap_extension(leaf), -1},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == length && strncmp(words[i].word, word, length) == 0) {
            *count = words[i].count < 0 && words[i].value ? (int)strlen(words[i].value) : words[i].count;
            return words[i].value;
        }
    return NULL;
}

/* One slash where an empty word leaves two, none where it leaves one at the start. */
static void squeeze(char *path, bool absolute)
{
    char *scheme = strstr(path, "://"), *first = scheme ? scheme + 3 : path, *to = first;
    for (const char *p = first; *p; p++)
        if (*p != '/' || (to == first ? absolute || scheme : to[-1] != '/'))
            *to++ = *p;
    *to = 0;
}

char *naming_expand(const char *pattern, const name_words *words, ap_error *err)
{
    char *path = NULL, *leaf = ap_net_leaf(words->input);
    size_t size = 0;
    FILE *out = leaf ? open_memstream(&path, &size) : NULL;
    for (const char *p = pattern; out && *p;) {
        const char *brace = *p == '{' ? strchr(p, '}') : NULL;
        const size_t length = brace ? (size_t)(brace - p) + 1 : 1;
        int count = 1;
        const char *value = brace ? value_of(words, leaf, p, length, &count) : p;
        if (!value) {
            ap_fail(err, AP_USAGE,
                    "'%s' has something else in braces than {dir}, {path}, {name}, {trackext}, {ext}%s",
                    pattern, words->stem ? ", {stem}" : "");
            fclose(out);
            free(path);
            free(leaf);
            return NULL;
        }
        fprintf(out, "%.*s", count, value);
        p += length;
    }
    free(leaf);
    if (!out || fclose(out) != 0) {
        ap_fail_memory(err);
        return NULL;
    }
    squeeze(path, *path == '/' && (*pattern == '/' || strncmp(pattern, "{path}", 6) == 0));
    return path;
}

char *naming_extension(const char *format, const char *input, const char *fallback)
{
    ap_encode_options options;
    ap_error err;
    ap_encode_defaults(&options);
    if (format)
        return strdup(format);
    char *leaf = ap_net_leaf(input);
    bool ours = leaf && (!fallback || ap_encode_check(leaf, &options, &err));
    char *extension = leaf ? strdup(ours ? ap_extension(leaf) : fallback) : NULL;
    free(leaf);
    return extension;
}
