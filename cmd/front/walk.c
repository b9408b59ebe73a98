/* SPDX-License-Identifier: GPL-3.0-or-later
 * walk.c - the files that a command line stands for. */
#include "front/walk.h"
#include "base/error.h"
#include "base/net.h"
#include "base/path.h"
#include "base/text.h"
#include "formats/file_type.h"
#include "front/naming.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is audio */

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcasecmp(word, *words) != 0)
        words++;
    return *words;
}

/* By its extension. Sound without a header shows by nothing else; with --raw only its extensions count. */
static bool has_audio_name(const walk *w, const char *name)
{
    const char *extension = ap_extension(name);
    static const char *const raw[] = {"raw", "pcm", NULL};
    ap_film_options film;
    ap_film_defaults(&film);
    if (name[0] == '.')
        return false;
    return w->raw     ? is_one_of(extension, raw)
           : w->films ? ap_film_check(name, &film, NULL)
                      : ap_is_sound_name(name);
}

/* A file without an extension: by its first bytes. */
static bool has_audio_content(int folder, const char *name)
{
    unsigned char bytes[64];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    if (fd >= 0)
        close(fd);
    return n > 0 && ap_is_sound(bytes, (size_t)n);
}

/* ---- one folder */

typedef enum entry_kind { AN_OTHER, A_FILE, A_FOLDER } entry_kind;

/* The names in a folder, one after the other, each with its kind in front. */
typedef struct listing {
    char *text;
    size_t used, room;
    size_t *at; /* of the names, in order */
    size_t count, places;
} listing;

static void listing_free(listing *l)
{
    free(l->text);
    free(l->at);
}

/* Room for one more item of size bytes after count of them. */
static void *grown(void *things, size_t needed, size_t *room, size_t size)
{
    if (needed <= *room)
        return things;
    size_t more = *room ? 2 * *room : 256;
    while (more < needed)
        more *= 2;
    void *larger = realloc(things, more * size);
    if (larger)
        *room = more;
    return larger;
}

static bool listing_add(listing *l, entry_kind kind, const char *name, ap_error *err)
{
    const size_t size = strlen(name) + 2;
    char *text = grown(l->text, l->used + size, &l->room, 1);
    if (text)
        l->text = text;
    size_t *at = grown(l->at, l->count + 1, &l->places, sizeof *l->at);
    if (at)
        l->at = at;
    if (!text || !at)
        return ap_fail_memory(err);
    l->at[l->count++] = l->used + 1;
    l->text[l->used] = (char)kind;
    memcpy(l->text + l->used + 1, name, size - 1);
    l->used += size;
    return true;
}

static int by_name(const void *a, const void *b, void *text)
{
    return strcmp((const char *)text + *(const size_t *)a, (const char *)text + *(const size_t *)b);
}

/* A link counts as its target, unless that is a folder: so no walk goes in circles. */
static entry_kind kind_of(int folder, const struct dirent *e)
{
    struct stat st;
    bool link = e->d_type == DT_LNK;
    if (e->d_type == DT_DIR)
        return A_FOLDER;
    if (e->d_type == DT_REG)
        return A_FILE;
    if (e->d_type == DT_UNKNOWN && fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISDIR(st.st_mode))
            return A_FOLDER;
        link = S_ISLNK(st.st_mode);
        if (!link)
            return S_ISREG(st.st_mode) ? A_FILE : AN_OTHER;
    }
    return link && fstatat(folder, e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) ? A_FILE : AN_OTHER;
}

/* A broken link of an audio name is an entry, too: that it cannot be read has to be said. */
static bool is_wanted(const walk *w, int folder, const struct dirent *e, entry_kind kind)
{
    struct stat st;
    if (e->d_name[0] == '.')
        return false;
    if (kind == A_FOLDER)
        return true;
    if (kind == AN_OTHER)
        return e->d_type == DT_LNK && has_audio_name(w, e->d_name) && fstatat(folder, e->d_name, &st, 0) != 0;
    return has_audio_name(w, e->d_name) ||
           (!w->raw && !w->films && !*ap_extension(e->d_name) && has_audio_content(folder, e->d_name));
}

static bool list_folder(const walk *w, listing *l, DIR *dir, ap_error *err)
{
    const struct dirent *e;
    while ((errno = 0, e = readdir(dir))) {
        entry_kind kind = kind_of(dirfd(dir), e);
        if (is_wanted(w, dirfd(dir), e, kind) &&
            !listing_add(l, kind == A_FOLDER ? A_FOLDER : A_FILE, e->d_name, err))
            return false;
    }
    if (errno)
        return ap_fail_errno(err, errno, "cannot read the folder");
    if (l->count)
        qsort_r(l->at, l->count, sizeof *l->at, by_name, l->text);
    return true;
}

/* ---- the walk */

static bool is_same(const char *a, const char *b)
{
    struct stat x, y;
    return a && *a && stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool walk_folder(const walk *w, const char *path, const char *folder, ap_error *err);

static bool visit_entry(const walk *w, const char *path, const char *folder, const char *name, ap_error *err)
{
    char *whole = naming_below(path, name);
    char *below = ap_print("%s%s%s", folder, *folder ? "/" : "", name);
    bool ok = (whole && below) || ap_fail_memory(err);
    if (ok && name[-1] == (char)A_FILE)
        ok = w->visit(w->user, whole, folder, err);
    else if (ok && !is_same(w->skip, whole))
        ok = walk_folder(w, whole, below, err);
    free(whole);
    free(below);
    return ok;
}

static bool walk_folder(const walk *w, const char *path, const char *folder, ap_error *err)
{
    ap_error why;
    listing l = {0};
    DIR *dir = opendir(path);
    if (!dir) {
        ap_fail_errno(&why, errno, "cannot open the folder '%s'", path);
        return w->failed(w->user, path, &why, err);
    }
    bool listed = list_folder(w, &l, dir, &why), ok = true;
    closedir(dir);
    if (!listed)
        ok = w->failed(w->user, path, &why, err);
    for (size_t i = 0; ok && i < l.count; i++)
        ok = visit_entry(w, path, folder, l.text + l.at[i], err);
    listing_free(&l);
    return ok;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return !ap_net_is_url(path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The last part of a folder's name; "" if it has none, as ".." or "/". */
static char *own_name(const char *path)
{
    size_t n = strlen(path);
    while (n && path[n - 1] == '/')
        n--;
    size_t from = n;
    while (from && path[from - 1] != '/')
        from--;
    char *name = strndup(path + from, n - from);
    if (name && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
        *name = 0;
    return name;
}

/* A file, or a folder that keeps its own name if it is one of several. */
static bool walk_name(const walk *w, const char *path, const char *folder, bool apart, ap_error *err)
{
    if (!is_folder(path))
        return w->visit(w->user, path, folder, err);
    if (!w->recursive)
        return ap_fail(err, AP_USAGE, "'%s' is a folder: --recursive goes into it", path);
    char *name = apart ? own_name(path) : strdup("");
    char *below = name ? ap_print("%s%s%s", folder, *folder && *name ? "/" : "", name) : NULL;
    bool ok = below ? walk_folder(w, path, below, err) : ap_fail_memory(err);
    free(name);
    free(below);
    return ok;
}

/* ---- lists */

/* The folder of a listed name without what leads out of one: "/", "." and "..". */
static char *listed_folder(const char *name)
{
    char *copy = strndup(name, (size_t)(ap_leaf(name) - name)), *to = copy, *rest = copy;
    if (!copy || ap_net_is_url(name)) {
        if (copy)
            *copy = 0;
        return copy;
    }
    for (char *part; (part = strsep(&rest, "/"));) {
        const size_t n = strlen(part);
        if (n == 0 || strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
            continue;
        if (to != copy)
            *to++ = '/';
        memmove(to, part, n);
        to += n;
    }
    *to = 0;
    return copy;
}

/* One line, of n bytes with its end, without what Windows adds: CR before LF, a byte order mark in front. */
static char *clean_line(char *line, size_t n, int end, bool first)
{
    if (line[n - 1] == end)
        line[--n] = 0;
    if (end && n && line[n - 1] == '\r')
        line[--n] = 0;
    return first && end && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? line + 3 : line;
}

static bool walk_listed(const walk *w, const char *name, ap_error *err)
{
    char *folder = listed_folder(name);
    bool ok = folder ? !*name || walk_name(w, name, folder, true, err) : ap_fail_memory(err);
    free(folder);
    return ok;
}

static bool walk_list(const walk *w, FILE *file, ap_error *err)
{
    const int end = w->zero ? 0 : '\n';
    char *line = NULL;
    size_t room = 0;
    bool ok = true, first = true;
    for (ssize_t n; ok && (n = getdelim(&line, &room, end, file)) > 0; first = false) {
        if (end && memchr(line, 0, (size_t)n))
            ok = ap_fail(err, AP_USAGE, "the names in '%s' end with zero bytes: --null says so", w->list);
        ok = ok && walk_listed(w, clean_line(line, (size_t)n, end, first), err);
    }
    if (ok && ferror(file))
        ok = ap_fail_errno(err, errno, "cannot read the list '%s'", w->list);
    free(line);
    return ok;
}

static bool walk_list_file(const walk *w, ap_error *err)
{
    FILE *file = strcmp(w->list, "-") == 0 ? stdin : fopen(w->list, "re");
    if (!file)
        return ap_fail_errno(err, errno, "cannot open '%s'", w->list);
    bool ok = walk_list(w, file, err);
    if (file != stdin)
        fclose(file);
    return ok;
}

bool walk_files(const walk *w, ap_error *err)
{
    size_t folders = 0;
    bool ok = true;
    for (size_t i = 0; i < w->count; i++)
        folders += is_folder(w->operands[i]);
    for (size_t i = 0; ok && i < w->count; i++)
        ok = walk_name(w, w->operands[i], "", folders > 1, err);
    return ok && w->list ? walk_list_file(w, err) : ok;
}
