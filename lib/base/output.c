/* SPDX-License-Identifier: GPL-3.0-or-later
 * output.c - bytes to a file, written atomically, or to a descriptor. */
#include "base/output.h"
#include "base/error.h"
#include "base/net.h"
#include "base/path.h"
#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum output_kind { TO_FILE, TO_FD, TO_FD_AT_END, TO_NET, TO_NET_AT_END } output_kind;

struct ap_output {
    output_kind kind;
    int fd;                   /* written to */
    int target_fd;            /* TO_FD_AT_END: gets a copy at the end */
    const ap_net_plugin *net; /* TO_NET, TO_NET_AT_END */
    ap_net_writer *writer;
    bool keep_existing;
    bool owned;   /* TO_FD, TO_FD_AT_END: the target is closed at the end */
    bool is_file; /* TO_FD: one that can be sought in; position 0 is there: */
    off_t start;
    char *name;      /* for messages */
    char *path;      /* TO_FILE: the final name, symbolic links resolved */
    char *temporary; /* TO_FILE: the name meanwhile, NULL when the file has none */
    uint64_t position, size;
};

const char *ap_output_name(const ap_output *out)
{
    return out->name;
}

uint64_t ap_output_tell(const ap_output *out)
{
    return out->position;
}

uint64_t ap_output_size(const ap_output *out)
{
    return out->size;
}

static void output_free(ap_output *out)
{
    if (out->fd >= 0 && out->kind != TO_FD)
        close(out->fd);
    if (out->net)
        out->net->abort(out->writer);
    if (out->owned)
        close(out->target_fd);
    free(out->name);
    free(out->path);
    free(out->temporary);
    free(out);
}

static ap_output *output_new(output_kind kind, int fd, const char *name, ap_error *err)
{
    ap_output *out = calloc(1, sizeof *out);
    if (!out || !(out->name = strdup(name))) {
        ap_fail_memory(err);
        free(out);
        return NULL;
    }
    out->kind = kind;
    out->fd = out->target_fd = fd;
    return out;
}

/* "folder/leaf" for the folder of path. The leaf is shorter than any limit that path itself passed. */
static char *beside(const char *path, const char *leaf)
{
    size_t folder = ap_folder_length(path);
    char *result = malloc(folder + strlen(leaf) + 1);
    if (result) {
        memcpy(result, path, folder);
        strcpy(result + folder, leaf);
    }
    return result;
}

static mode_t mode_for_new_file(void)
{
    return S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH; /* less umask */
}

/* A file without a name: nothing is left of it however the process ends. It gets its name by way of /proc,
 * which a bare root may lack. */
static int open_nameless(const char *path)
{
    if (access("/proc/self/fd", F_OK) != 0)
        return -1;
    char *folder = beside(path, ".");
    int fd = folder ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode_for_new_file()) : -1;
    free(folder);
    return fd;
}

/* Temporary name number i. false: out of memory. */
static bool name_temporary(ap_output *out, int i)
{
    char leaf[64];
    snprintf(leaf, sizeof leaf, ".audiopipe-%ld-%d", (long)getpid(), i);
    free(out->temporary);
    out->temporary = beside(out->path, leaf);
    return out->temporary;
}

static int open_temporary(ap_output *out)
{
    for (int i = 0; i < 100 && name_temporary(out, i); i++) {
        int fd = open(out->temporary, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode_for_new_file());
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

/* Follows symbolic links, so that the file they name is replaced, as an ordinary open would do. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);
    return real ? real : strdup(path);
}

/* Whether a file can get this name, or be replaced: what would otherwise show after all the work. A file that
 * may not be written to is not replaced either, although its folder would allow that. */
static bool check_path(const char *path, bool exists, ap_error *err)
{
    int failure = exists || errno == ENOENT ? 0 : errno; /* of stat */
    if (!*path)
        failure = ENOENT;
    else if (exists && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
        failure = errno;
    return !failure || ap_fail_errno(err, failure, "cannot create '%s'", path);
}

/* The number of a descriptor that has a name, -1 for any other path. */
static int descriptor_of(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    if (strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *number = path + strlen(folders[i]);
        size_t digits = strncmp(path, folders[i], strlen(folders[i])) == 0 ? strspn(number, "0123456789") : 0;
        if (digits > 0 && digits < 9 && number[digits] == 0)
            return atoi(number);
    }
    return -1;
}

/* A descriptor, a device or a FIFO: there is nothing to rename. A descriptor is not opened again, which
 * would truncate a file, fail on a socket, and turn a closed one into /dev/null. */
static ap_output *open_special(const char *path, bool seekable, ap_error *err)
{
    int number = descriptor_of(path);
    int fd = number >= 0 ? fcntl(number, F_DUPFD_CLOEXEC, 0) : open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        ap_fail_errno(err, errno, "cannot write '%s'", path);
        return NULL;
    }
    ap_output *out = ap_output_fd(fd, path, seekable, err);
    if (out)
        out->owned = true;
    else
        close(fd);
    return out;
}

/* An object on a server. What is written in order goes there at once; what is sought in waits in a file. */
static ap_output *open_url(const char *url, bool seekable, ap_error *err)
{
    const ap_net_plugin *net = ap_net_load(err);
    ap_output *out = net ? output_new(seekable ? TO_NET_AT_END : TO_NET, -1, url, err) : NULL;
    if (!out)
        return NULL;
    out->net = net;
    if ((out->writer = net->create(url, err)) && (!seekable || (out->fd = ap_temporary_file(err)) >= 0))
        return out;
    output_free(out);
    return NULL;
}

ap_output *ap_output_create(const char *path, bool seekable, ap_error *err)
{
    struct stat st;
    if (ap_net_is_url(path))
        return open_url(path, seekable, err);
    bool exists = stat(path, &st) == 0;
    if (descriptor_of(path) >= 0 || (exists && !S_ISREG(st.st_mode)))
        return open_special(path, seekable, err);
    ap_output *out = check_path(path, exists, err) ? output_new(TO_FILE, -1, path, err) : NULL;
    if (!out)
        return NULL;
    out->path = resolve(path);
    if (out->path) {
        out->fd = open_nameless(out->path);
        if (out->fd < 0)
            out->fd = open_temporary(out);
    }
    if (out->fd < 0) {
        ap_fail_errno(err, errno, "cannot create '%s'", path);
        output_free(out);
        return NULL;
    }
    if (exists) { /* the owner first: a change of it takes bits of the mode away */
        (void)!fchown(out->fd, st.st_uid, st.st_gid);
        (void)!fchmod(out->fd, st.st_mode & 07777);
    }
    return out;
}

void ap_output_keep_existing(ap_output *out)
{
    out->keep_existing = true;
}

/* A descriptor is a file that a shell opened with > or 1<>, not with >>. */
static ap_output *open_fd(int fd, const char *name, ap_error *err)
{
    struct stat st;
    ap_output *out = output_new(TO_FD, fd, name, err);
    if (!out || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (fcntl(fd, F_GETFL) & O_APPEND))
        return out;
    out->start = lseek(fd, 0, SEEK_CUR);
    out->is_file = out->start >= 0;
    return out;
}

ap_output *ap_output_fd(int fd, const char *name, bool seekable, ap_error *err)
{
    if (!seekable)
        return open_fd(fd, name, err);
    int file = ap_temporary_file(err);
    if (file < 0)
        return NULL;
    ap_output *out = output_new(TO_FD_AT_END, file, name, err);
    if (!out) {
        close(file);
        return NULL;
    }
    out->target_fd = fd;
    return out;
}

static bool write_fd(const ap_output *out, int fd, const void *bytes, size_t size, ap_error *err)
{
    const char *p = bytes;
    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0)
            return ap_fail_errno(err, errno, "cannot write '%s'", out->name);
        p += n;
        size -= (size_t)n;
    }
    return true;
}

bool ap_output_write(ap_output *out, const void *bytes, size_t size, ap_error *err)
{
    if (out->kind == TO_NET ? !out->net->write(out->writer, bytes, size, err)
                            : !write_fd(out, out->fd, bytes, size, err))
        return false;
    out->position += size;
    if (out->size < out->position)
        out->size = out->position;
    return true;
}

bool ap_output_seekable(const ap_output *out)
{
    return out->kind == TO_FD ? out->is_file : out->kind != TO_NET;
}

bool ap_output_seek(ap_output *out, uint64_t position, ap_error *err)
{
    if (!ap_output_seekable(out) || position > (uint64_t)(INT64_MAX - out->start) ||
        lseek(out->fd, out->start + (off_t)position, SEEK_SET) < 0)
        return ap_fail(err, AP_FAILED, "cannot seek in '%s'", out->name);
    out->position = position;
    return true;
}

bool ap_output_read_at(ap_output *out, uint64_t position, void *bytes, size_t size, ap_error *err)
{
    char *p = bytes;
    while (size) {
        ssize_t n = !ap_output_seekable(out) ? -1 : pread(out->fd, p, size, out->start + (off_t)position);
        if (n <= 0)
            return ap_fail(err, AP_FAILED, "cannot read back '%s'", out->name);
        p += n;
        size -= (size_t)n;
        position += (uint64_t)n;
    }
    return true;
}

static bool copy_file(ap_output *out, ap_error *err)
{
    char buffer[65536];
    for (uint64_t at = 0; at < out->size;) {
        size_t n = out->size - at < sizeof buffer ? (size_t)(out->size - at) : sizeof buffer;
        if (!ap_output_read_at(out, at, buffer, n, err))
            return false;
        if (out->net ? !out->net->write(out->writer, buffer, n, err)
                     : !write_fd(out, out->target_fd, buffer, n, err))
            return false;
        at += n;
    }
    return true;
}

/* Gives the nameless file a name: the final one if that is free, else a temporary one. */
static bool link_nameless(ap_output *out)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", out->fd);
    if (linkat(AT_FDCWD, self, AT_FDCWD, out->path, AT_SYMLINK_FOLLOW) == 0)
        return true;
    for (int i = 0; errno == EEXIST && !out->keep_existing && i < 100; i++)
        if (!name_temporary(out, i))
            return false;
        else if (linkat(AT_FDCWD, self, AT_FDCWD, out->temporary, AT_SYMLINK_FOLLOW) == 0)
            return true;
    return false;
}

/* Not every file system knows RENAME_NOREPLACE; one without hard links either is asked first. */
static bool rename_new(const char *from, const char *to)
{
    struct stat st;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (link(from, to) == 0) {
        (void)unlink(from);
        return true;
    }
    if (errno == EEXIST)
        return false;
    if (lstat(to, &st) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(from, to) == 0;
}

static bool put_in_place(const ap_output *out)
{
    return out->keep_existing ? rename_new(out->temporary, out->path)
                              : rename(out->temporary, out->path) == 0;
}

static bool commit_file(ap_output *out)
{
    if (fsync(out->fd) != 0)
        return false;
    if (!out->temporary && !link_nameless(out))
        return false;
    if (!out->temporary)
        return true;
    if (put_in_place(out)) {
        free(out->temporary);
        out->temporary = NULL;
        return true;
    }
    return false;
}

bool ap_output_commit(ap_output *out, ap_error *err)
{
    bool ok = true;
    if (out->kind == TO_FILE && !commit_file(out))
        ok = ap_fail_errno(err, errno, "cannot write '%s'", out->name);
    if (out->kind == TO_FD_AT_END || out->kind == TO_NET_AT_END)
        ok = copy_file(out, err);
    if (ok && out->net) {
        ok = out->net->commit(out->writer, err);
        out->writer = NULL;
    }
    ap_output_abort(out); /* what was committed has no temporary name any more */
    return ok;
}

void ap_output_abort(ap_output *out)
{
    if (!out)
        return;
    if (out->temporary)
        unlink(out->temporary);
    output_free(out);
}

bool ap_output_save(const char *path, const void *bytes, size_t size, bool keep_existing, ap_error *err)
{
    ap_output *out = ap_output_create(path, false, err);
    if (!out)
        return false;
    out->keep_existing = keep_existing;
    if (ap_output_write(out, bytes, size, err))
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}

bool ap_save(const char *path, const void *bytes, size_t size, ap_error *err)
{
    return ap_output_save(path, bytes, size, false, err);
}
