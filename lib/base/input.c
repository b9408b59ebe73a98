/* SPDX-License-Identifier: GPL-3.0-or-later
 * input.c - bytes from a file, a pipe or a server, with a peek at what comes and, for a pipe, a way to make
 * it seekable. */
#include "base/input.h"
#include "base/error.h"
#include "base/net.h"
#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE 65536

struct ap_input {
    int fd;                   /* -1: net is read */
    const ap_net_plugin *net; /* NULL: fd is read */
    ap_net_reader *reader;
    bool owned, seekable;
    char *name;
    uint64_t size;
    uint64_t position; /* of the next byte that the caller gets */
    size_t at, have;   /* unread part of the buffer */
    unsigned char buffer[BUFFER_SIZE];
};

/* Of that name, without anything to read. */
static ap_input *input_alloc(const char *name, ap_error *err)
{
    ap_input *in = malloc(sizeof *in);
    char *copy = strdup(name);
    if (!in || !copy) {
        ap_fail_memory(err);
        free(in);
        free(copy);
        return NULL;
    }
    in->fd = -1;
    in->net = NULL;
    in->reader = NULL;
    in->owned = in->seekable = false;
    in->name = copy;
    in->size = AP_UNKNOWN;
    in->position = 0;
    in->at = in->have = 0;
    return in;
}

static bool check_readable(int fd, const char *name, struct stat *st, ap_error *err)
{
    if (fstat(fd, st) != 0)
        return ap_fail_errno(err, errno, "cannot read '%s'", name);
    return !S_ISDIR(st->st_mode) || ap_fail_errno(err, EISDIR, "cannot read '%s'", name);
}

ap_input *ap_input_new(int fd, bool owned, const char *name, ap_error *err)
{
    struct stat st;
    ap_input *in = check_readable(fd, name, &st, err) ? input_alloc(name, err) : NULL;
    if (!in) {
        if (owned)
            close(fd);
        return NULL;
    }
    off_t at = lseek(fd, 0, SEEK_CUR);
    in->fd = fd;
    in->owned = owned;
    in->seekable = S_ISREG(st.st_mode) && at >= 0;
    if (in->seekable) {
        in->size = (uint64_t)st.st_size;
        in->position = (uint64_t)at;
    }
    return in;
}

/* An object on a server; what is secret in its URL is not in its name. */
static ap_input *open_url(const char *url, ap_error *err)
{
    const ap_net_plugin *net = ap_net_load(err);
    char *name = strndup(url, ap_net_shown(url));
    ap_input *in = net && name ? input_alloc(name, err) : NULL;
    if (net && !name)
        ap_fail_memory(err);
    free(name);
    if (in && (in->reader = net->open(url, &in->size, &in->seekable, err))) {
        in->net = net;
        return in;
    }
    ap_input_close(in);
    return NULL;
}

ap_input *ap_input_open(const char *path, ap_error *err)
{
    if (ap_net_is_url(path))
        return open_url(path, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        ap_fail_errno(err, errno, "cannot open '%s'", path);
        return NULL;
    }
    return ap_input_new(fd, true, path, err);
}

static void close_source(ap_input *in)
{
    if (in->net)
        in->net->close(in->reader);
    else if (in->owned)
        close(in->fd);
    in->net = NULL;
}

void ap_input_close(ap_input *in)
{
    if (!in)
        return;
    close_source(in);
    free(in->name);
    free(in);
}

const char *ap_input_name(const ap_input *in)
{
    return in->name;
}

bool ap_input_seekable(const ap_input *in)
{
    return in->seekable;
}

uint64_t ap_input_size(const ap_input *in)
{
    return in->size;
}

uint64_t ap_input_tell(const ap_input *in)
{
    return in->position;
}

uint64_t ap_input_left(const ap_input *in)
{
    if (!in->seekable)
        return AP_UNKNOWN;
    return in->position < in->size ? in->size - in->position : 0;
}

/* As read(2). */
static ptrdiff_t read_source(ap_input *in, void *to, size_t size, ap_error *err)
{
    if (in->net)
        return in->net->read(in->reader, to, size, err);
    ssize_t n = read(in->fd, to, size);
    if (n < 0)
        ap_fail_errno(err, errno, "cannot read '%s'", in->name);
    return n;
}

static size_t from_buffer(ap_input *in, void *to, size_t size)
{
    size_t n = in->have < size ? in->have : size;
    memcpy(to, in->buffer + in->at, n);
    in->at += n;
    in->have -= n;
    in->position += n;
    return n;
}

ptrdiff_t ap_input_read_some(ap_input *in, void *buffer, size_t size, ap_error *err)
{
    if (size == 0)
        return 0;
    if (in->have == 0 && size < BUFFER_SIZE) {
        ptrdiff_t n = read_source(in, in->buffer, BUFFER_SIZE, err);
        if (n <= 0)
            return n;
        in->at = 0;
        in->have = (size_t)n;
    }
    if (in->have)
        return (ptrdiff_t)from_buffer(in, buffer, size);
    ptrdiff_t n = read_source(in, buffer, size, err);
    if (n > 0)
        in->position += (uint64_t)n;
    return n;
}

ptrdiff_t ap_input_read(ap_input *in, void *buffer, size_t size, ap_error *err)
{
    size_t have = 0;
    while (have < size) {
        ptrdiff_t n = ap_input_read_some(in, (char *)buffer + have, size - have, err);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ptrdiff_t)have;
}

ptrdiff_t ap_input_peek_some(ap_input *in, const unsigned char **bytes, size_t least, ap_error *err)
{
    if (in->at + least > BUFFER_SIZE) {
        memmove(in->buffer, in->buffer + in->at, in->have);
        in->at = 0;
    }
    while (in->have < least) {
        size_t end = in->at + in->have;
        ptrdiff_t n = read_source(in, in->buffer + end, BUFFER_SIZE - end, err);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        in->have += (size_t)n;
    }
    *bytes = in->buffer + in->at;
    return (ptrdiff_t)in->have;
}

ptrdiff_t ap_input_peek(ap_input *in, const unsigned char **bytes, size_t size, ap_error *err)
{
    ptrdiff_t n = ap_input_peek_some(in, bytes, size, err);
    return n < (ptrdiff_t)size ? n : (ptrdiff_t)size;
}

bool ap_input_seek(ap_input *in, uint64_t position, ap_error *err)
{
    if (!in->seekable || position > INT64_MAX)
        return ap_fail(err, AP_FAILED, "cannot seek in '%s'", in->name);
    if (position >= in->position && position - in->position <= in->have) {
        in->at += (size_t)(position - in->position);
        in->have -= (size_t)(position - in->position);
        in->position = position;
        return true;
    }
    if (in->net && !in->net->seek(in->reader, position, err))
        return false;
    if (!in->net && lseek(in->fd, (off_t)position, SEEK_SET) < 0)
        return ap_fail_errno(err, errno, "cannot seek in '%s'", in->name);
    in->have = 0;
    in->position = position;
    return true;
}

bool ap_input_skip(ap_input *in, uint64_t bytes, ap_error *err)
{
    if (in->seekable) {
        if (bytes > in->size - (in->position < in->size ? in->position : in->size))
            return ap_fail(err, AP_FAILED, "'%s' is truncated", in->name);
        return ap_input_seek(in, in->position + bytes, err);
    }
    unsigned char scratch[4096];
    while (bytes) {
        ptrdiff_t n =
            ap_input_read_some(in, scratch, bytes < sizeof scratch ? (size_t)bytes : sizeof scratch, err);
        if (n < 0)
            return false;
        if (n == 0)
            return ap_fail(err, AP_FAILED, "'%s' is truncated", in->name);
        bytes -= (uint64_t)n;
    }
    return true;
}

unsigned char *ap_input_load(ap_input *in, size_t size, ap_error *err)
{
    unsigned char *bytes = NULL;
    size_t have = 0;
    while (have < size || !bytes) { /* in steps: the size may be a lie */
        size_t step = size - have < 65536 + have ? size - have : 65536 + have;
        unsigned char *more = realloc(bytes, have + step + 1);
        if (!more) {
            ap_fail_memory(err);
            break;
        }
        bytes = more;
        ptrdiff_t n = ap_input_read(in, bytes + have, step, err);
        if (n < 0)
            break;
        have += (size_t)n;
        if ((size_t)n < step) {
            ap_fail(err, AP_FAILED, "'%s' is truncated", ap_input_name(in));
            break;
        }
    }
    if (bytes && have == size)
        return bytes;
    free(bytes);
    return NULL;
}

bool ap_input_make_seekable(ap_input *in, ap_error *err)
{
    if (in->seekable)
        return true;
    int fd = ap_temporary_file(err);
    if (fd < 0)
        return false;
    uint64_t size = 0;
    do {
        if (!ap_temporary_write(fd, in->buffer + in->at, in->have, err))
            goto fail;
        size += in->have;
        in->at = 0;
        ptrdiff_t n = read_source(in, in->buffer, BUFFER_SIZE, err);
        if (n < 0)
            goto fail;
        in->have = (size_t)n;
    } while (in->have);
    if (lseek(fd, 0, SEEK_SET) < 0) {
        ap_fail_errno(err, errno, "cannot read a temporary file");
        goto fail;
    }
    close_source(in);
    in->fd = fd;
    in->owned = in->seekable = true;
    in->size = size;
    in->position = 0;
    return true;
fail:
    close(fd);
    return false;
}
