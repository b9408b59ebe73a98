/* SPDX-License-Identifier: GPL-3.0-or-later
 * sources.c - objects in stores that jobs come from, and where what jobs make goes. */
#include "jobs/spool/sources.h"
#include "base/error.h"
#include "base/output.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/sha256.h"
#include "jobs/spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEME "s3://"
#define MAX_EVENT 8192 /* bytes of a URL */
#define OLD_EVENT_S 86400.0
#define SEEN_S 86400.0    /* what is still listed is noted as often as that */
#define UNSEEN_S 172800.0 /* what was not listed for so long is forgotten */

/* ---- names */

char *ap_destination(const char *url, ap_error *err)
{
    const size_t n = strlen(url), scheme = strlen(SCHEME);
    if (strncasecmp(url, SCHEME, scheme) != 0 || !url[scheme] || url[scheme] == '/' ||
        strstr(url + scheme, "//")) {
        ap_fail(err, AP_USAGE, "'%s' is not where outputs can go: s3://BUCKET/PREFIX/", url);
        return NULL;
    }
    char *made = ap_print(SCHEME "%s%s", url + scheme, url[n - 1] == '/' ? "" : "/");
    if (!made)
        ap_fail_memory(err);
    return made;
}

/* The scheme may be in capitals; a bucket alone is all that is in it. */
static const char *bucket_and_key(const char *url)
{
    return strncasecmp(url, SCHEME, strlen(SCHEME)) == 0 ? url + strlen(SCHEME) : NULL;
}

bool ap_stores_overlap(const char *a, const char *b)
{
    a = bucket_and_key(a);
    b = bucket_and_key(b);
    if (!a || !b)
        return false;
    const size_t bucket = strcspn(a, "/"), n = strlen(a), m = strlen(b);
    if (strcspn(b, "/") != bucket)
        return false;
    return strncmp(a, b, n < m ? n : m) == 0;
}

/* ---- what is known */

/* SPOOL/FOLDER/KEY, the key a hash of two texts; malloc'ed. */
static char *hashed_path(const char *spool, const char *folder, const char *a, const char *b)
{
    char hex[AP_SHA256_HEX], *text = ap_print("%s\n%s", a, b), *path = NULL;
    if (text) {
        ap_sha256_text(text, hex);
        path = ap_print("%s/%s/%s", spool, folder, hex);
    }
    free(text);
    return path;
}

static bool make_folder(const char *spool, const char *name, ap_error *err)
{
    char *path = ap_print("%s/%s", spool, name);
    bool ok = path ? ap_spool_prepare(spool, err) && ap_make_folder(path, err) : ap_fail_memory(err);
    free(path);
    return ok;
}

static double age_of(const struct stat *st)
{
    return ap_wall_s() - (double)st->st_mtim.tv_sec;
}

bool ap_source_known(const char *spool, const char *url, const char *etag)
{
    char *path = hashed_path(spool, ".sources", url, etag);
    struct stat st;
    bool known = path && stat(path, &st) == 0;
    if (known && age_of(&st) > SEEN_S)
        (void)utimensat(AT_FDCWD, path, NULL, 0);
    free(path);
    return known;
}

/* Writes text and a line feed to path. *known: it was there, and stays. */
static bool write_new(const char *path, const char *text, bool *known, ap_error *err)
{
    char *line = ap_print("%s\n", text);
    ap_error why = {AP_OK, ""};
    bool ok = line ? ap_output_save(path, line, strlen(line), true, &why) : ap_fail_memory(&why);
    *known = !ok && line && access(path, F_OK) == 0;
    if (!ok && !*known && err)
        *err = why;
    free(line);
    return ok || *known;
}

bool ap_source_note(const char *spool, const char *url, const char *etag, const char *outcome, ap_error *err)
{
    bool known;
    char *path = hashed_path(spool, ".sources", url, etag), *text = ap_print("%s\n%s", outcome, url);
    bool ok = path && text ? make_folder(spool, ".sources", err) && write_new(path, text, &known, err)
                           : ap_fail_memory(err);
    free(path);
    free(text);
    return ok;
}

int ap_source_lock(const char *spool, const char *url, ap_error *err)
{
    char *path = hashed_path(spool, ".sources", url, "watched");
    int fd = -1;
    if (!path)
        ap_fail_memory(err);
    else if (make_folder(spool, ".sources", err) &&
             (fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
        ap_fail_errno(err, errno, "cannot create '%s'", path);
    free(path);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    ap_fail(err, AP_TRY_AGAIN, "'%s' is being watched already", url);
    return -1;
}

/* The first line is what became of it, the second its name. A file of a watch is empty. */
static bool is_below(int folder, const char *name, const char *prefix)
{
    char text[MAX_EVENT + 1];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd >= 0 ? read(fd, text, MAX_EVENT) : -1;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    const char *url = strchr(text, '\n');
    return url && strncmp(url + 1, prefix, strlen(prefix)) == 0;
}

void ap_source_clean(const char *spool, const char *url, int lock)
{
    struct stat st;
    char *path = ap_print("%s/.sources", spool);
    if (!path || fstat(lock, &st) != 0 || (st.st_size > 0 && age_of(&st) < SEEN_S)) {
        free(path);
        return;
    }
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        if (fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            age_of(&st) > UNSEEN_S && is_below(dirfd(folder), entry->d_name, url))
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    (void)!pwrite(lock, ".", 1, 0); /* when this was */
    free(path);
}

/* ---- events */

char *ap_event_folder(const char *spool, ap_error *err)
{
    char *path = make_folder(spool, ".events", err) ? ap_print("%s/.events", spool) : NULL;
    if (!path && err && err->code == AP_OK)
        ap_fail_memory(err);
    return path;
}

bool ap_event_note(const char *spool, const char *url, const char *key, bool *known, ap_error *err)
{
    char *path = hashed_path(spool, ".events", url, key);
    *known = false;
    if (strlen(url) >= MAX_EVENT)
        ap_fail(err, AP_FAILED, "the name of an object is too long");
    bool ok = path && strlen(url) < MAX_EVENT && make_folder(spool, ".events", err) &&
              write_new(path, url, known, err);
    free(path);
    return ok;
}

/* The URL in an event, malloc'ed. */
static char *read_event(int folder, const char *name)
{
    char *text = malloc(MAX_EVENT + 1);
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd >= 0 && text ? read(fd, text, MAX_EVENT) : -1;
    if (fd >= 0)
        close(fd);
    if (n <= 0) {
        free(text);
        return NULL;
    }
    text[n] = 0;
    text[strcspn(text, "\n")] = 0;
    return text;
}

void ap_event_clean(const char *spool)
{
    char *path = ap_print("%s/.events", spool);
    DIR *folder = path ? opendir(path) : NULL;
    struct stat st;
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        if (*entry->d_name != '.' && fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            age_of(&st) > OLD_EVENT_S)
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    free(path);
}

void ap_event_each(const char *spool, const char *prefix, ap_event_fn *see, void *user)
{
    char *path = ap_print("%s/.events", spool);
    DIR *folder = path ? opendir(path) : NULL;
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        char *url = *entry->d_name == '.' ? NULL : read_event(dirfd(folder), entry->d_name);
        if (url && strncmp(url, prefix, strlen(prefix)) == 0 && see(url, user))
            unlinkat(dirfd(folder), entry->d_name, 0);
        free(url);
    }
    if (folder)
        closedir(folder);
    free(path);
}
