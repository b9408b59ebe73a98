/* SPDX-License-Identifier: GPL-3.0-or-later
 * manifest.c - one JSON document in a file that is never half written.
 *
 * The lock is on the file itself. A change replaces the file, so the new holder of the lock checks that it
 * is still the file of that name, and starts again if not. The temporary file has a fixed name, because only
 * the holder of the lock writes it: one that a killed process left is overwritten by the next. */
#include "jobs/record/manifest.h"
#include "base/error.h"
#include "base/path.h"
#include "base/text.h"
#include "base/write.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES (64 << 20)

/* ---- documents */

static bool put_owner(cJSON *document)
{
    const struct passwd *user = getpwuid(geteuid());
    char number[32];
    snprintf(number, sizeof number, "%lu", (unsigned long)geteuid());
    return ap_json_put_text(document, "owner", user ? user->pw_name : number);
}

cJSON *ap_manifest_document(const char *id)
{
    static const char *const empty[] = {"recipe", "started", "finished", "error", "input"};
    char now[32];
    ap_time_text(now);
    cJSON *document = cJSON_CreateObject();
    bool ok = document && ap_json_put_number(document, "version", AP_MANIFEST_VERSION) &&
              ap_json_put_text(document, "id", id) && put_owner(document) &&
              ap_json_put_text(document, "state", "queued") && ap_json_put_number(document, "attempts", 0) &&
              ap_json_put_text(document, "created", now);
    for (size_t i = 0; ok && i < sizeof empty / sizeof *empty; i++)
        ok = ap_json_put_text(document, empty[i], NULL);
    ok = ok && ap_json_put(document, "options", cJSON_CreateObject()) &&
         ap_json_put(document, "stages", cJSON_CreateArray()) &&
         ap_json_put(document, "outputs", cJSON_CreateArray()) &&
         ap_json_put(document, "tools", cJSON_CreateObject());
    if (!ok) {
        cJSON_Delete(document);
        return NULL;
    }
    return document;
}

static cJSON *parse(const char *path, const char *text, size_t size, ap_error *err)
{
    cJSON *document = cJSON_ParseWithLength(text, size);
    double version = ap_json_number(document, "version", 0);
    if (cJSON_IsObject(document) && version == AP_MANIFEST_VERSION)
        return document;
    if (version > AP_MANIFEST_VERSION)
        ap_fail(err, AP_FAILED, "'%s' has version %g, this program knows %d", path, version,
                AP_MANIFEST_VERSION);
    else
        ap_fail(err, AP_FAILED, "'%s' is not a manifest", path);
    cJSON_Delete(document);
    return NULL;
}

/* to_change: numbers that would not survive that are an error. */
static cJSON *read_document(int fd, const char *path, bool to_change, ap_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_BYTES) {
        ap_fail(err, AP_FAILED, "'%s' is not a manifest", path);
        return NULL;
    }
    size_t size = (size_t)st.st_size, got = 0;
    char *text = malloc(size + 1);
    if (!text) {
        ap_fail_memory(err);
        return NULL;
    }
    for (ssize_t n; got < size && (n = pread(fd, text + got, size - got, (off_t)got)) > 0;)
        got += (size_t)n;
    ap_error number;
    cJSON *document = NULL;
    if (to_change && !ap_json_check_numbers(text, got, &number))
        ap_fail(err, AP_FAILED, "cannot change '%s': %s", path, number.message);
    else
        document = parse(path, text, got, err);
    free(text);
    return document;
}

cJSON *ap_manifest_load(const char *path, ap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        ap_fail_errno(err, errno, "cannot open '%s'", path);
        return NULL;
    }
    cJSON *document = read_document(fd, path, false, err);
    close(fd);
    return document;
}

/* ---- writing */

/* Closes fd. */
static bool write_document(int fd, const cJSON *document, const char *path, ap_error *err)
{
    char *text = ap_json_print(document, true);
    size_t size = text ? strlen(text) : 0;
    if (text)
        text[size] = '\n'; /* over the NUL: the size is known */
    bool ok = text ? ap_write_all(fd, text, size + 1) && fsync(fd) == 0 : (errno = ENOMEM, false);
    if (!ok)
        ap_fail_errno(err, errno, "cannot write '%s'", path);
    if (close(fd) != 0 && ok)
        ok = ap_fail_errno(err, errno, "cannot write '%s'", path);
    free(text);
    return ok;
}

/* malloc'ed "folder/.name.suffix" for "folder/name". */
static char *beside(const char *path, const char *suffix)
{
    const char *name = ap_leaf(path);
    return ap_print("%.*s.%s.%s", (int)(name - path), path, name, suffix);
}

bool ap_sync_file(const char *path, ap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        ap_fail_errno(err, errno, "cannot sync '%s'", path);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool ap_sync_folder(const char *path, ap_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* EINVAL: a file system that cannot, and need not */
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (!ok)
        ap_fail_errno(err, errno, "cannot sync '%s'", path);
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool sync_parent(const char *path, ap_error *err)
{
    char *copy = strdup(path);
    bool ok = copy ? ap_sync_folder(dirname(copy), err) : ap_fail_memory(err);
    free(copy);
    return ok;
}

bool ap_manifest_create(const char *path, const cJSON *document, ap_error *err)
{
    char suffix[32];
    snprintf(suffix, sizeof suffix, "%ld.new", (long)getpid());
    char *temporary = beside(path, suffix);
    if (!temporary)
        return ap_fail_memory(err);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    bool ok = fd >= 0 ? write_document(fd, document, path, err)
                      : ap_fail_errno(err, errno, "cannot create '%s'", path);
    if (ok && link(temporary, path) != 0)
        ok = ap_fail_errno(err, errno, "cannot create '%s'", path);
    if (fd >= 0)
        unlink(temporary);
    free(temporary);
    return ok && sync_parent(path, err);
}

bool ap_same_file(int fd, const char *path)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The file of that name, locked. -1 on failure. */
static int open_locked(const char *path, ap_error *err)
{
    while (true) {
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) {
            ap_fail_errno(err, errno, "cannot open '%s'", path);
            return -1;
        }
        while (flock(fd, LOCK_EX) != 0)
            if (errno != EINTR) {
                ap_fail_errno(err, errno, "cannot lock '%s'", path);
                close(fd);
                return -1;
            }
        if (ap_same_file(fd, path))
            return fd;
        close(fd);
    }
}

static bool replace(int locked, const char *path, const cJSON *document, ap_error *err)
{
    struct stat st;
    char *temporary = beside(path, "new");
    if (!temporary)
        return ap_fail_memory(err);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && fstat(locked, &st) == 0)
        (void)!fchmod(fd, st.st_mode & 07777);
    bool ok = fd >= 0 ? write_document(fd, document, path, err)
                      : ap_fail_errno(err, errno, "cannot write '%s'", path);
    if (ok && rename(temporary, path) != 0)
        ok = ap_fail_errno(err, errno, "cannot write '%s'", path);
    if (!ok && fd >= 0)
        unlink(temporary);
    free(temporary);
    return ok;
}

static bool change_locked(int fd, const char *path, ap_change_fn *change, void *user, ap_error *err)
{
    cJSON *document = read_document(fd, path, true, err);
    bool ok = document && change(document, user, err) && replace(fd, path, document, err);
    cJSON_Delete(document);
    return ok;
}

bool ap_manifest_change(const char *path, ap_change_fn *change, void *user, bool durable, ap_error *err)
{
    char *real = realpath(path, NULL); /* a symbolic link stays one */
    if (!real)
        return ap_fail_errno(err, errno, "cannot open '%s'", path);
    int fd = open_locked(real, err);
    bool ok = fd >= 0 && change_locked(fd, real, change, user, err) && (!durable || sync_parent(real, err));
    if (fd >= 0)
        close(fd);
    free(real);
    return ok;
}
