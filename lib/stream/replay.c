/* SPDX-License-Identifier: GPL-3.0-or-later
 * replay.c - frames parked in an unlinked temporary file, for stages that must see everything first. */
#include "stream/replay.h"
#include "base/error.h"
#include "base/temporary.h"
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ptrdiff_t replay_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    FILE *file = s->state;
    size_t n = fread(frames, s->format.channels * sizeof *frames, max, file);
    if (n == 0 && ferror(file)) {
        ap_fail_errno(err, errno, "cannot read a temporary file");
        return -1;
    }
    return (ptrdiff_t)n;
}

static void replay_close(void *state)
{
    fclose(state);
}

static FILE *open_file(ap_error *err)
{
    int fd = ap_temporary_file(err);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w+b");
    if (fd >= 0 && !file) {
        ap_fail_memory(err);
        close(fd);
    }
    return file;
}

/* Copies the stream into the file. Returns the number of frames, AP_UNKNOWN on failure. */
static uint64_t fill(FILE *file, ap_stream *s, ap_visit_fn *visit, void *user, ap_error *err)
{
    uint32_t channels = s->format.channels;
    float *block = malloc(AP_BLOCK * channels * sizeof *block);
    uint64_t total = 0;
    ptrdiff_t n = -1;
    if (!block)
        ap_fail_memory(err);
    while (block && (n = ap_read(s, block, AP_BLOCK, err)) > 0) {
        if (visit)
            visit(user, block, (size_t)n);
        if (fwrite(block, channels * sizeof *block, (size_t)n, file) != (size_t)n) {
            ap_fail_errno(err, errno, "cannot write a temporary file");
            n = -1;
            break;
        }
        total += (uint64_t)n;
    }
    free(block);
    if (n == 0 && (fflush(file) != 0 || fseeko(file, 0, SEEK_SET) != 0)) {
        ap_fail_errno(err, errno, "cannot write a temporary file");
        n = -1;
    }
    return n == 0 ? total : AP_UNKNOWN;
}

ap_stream *ap_replay(ap_stream *s, ap_visit_fn *visit, void *user, ap_error *err)
{
    static const ap_stream_ops ops = {.read = replay_read, .close = replay_close};
    if (!s)
        return NULL;
    FILE *file = open_file(err);
    ap_format format = s->format;
    format.frames = file ? fill(file, s, visit, user, err) : AP_UNKNOWN;
    if (file && format.frames == AP_UNKNOWN) {
        fclose(file);
        file = NULL;
    }
    /* The ended source stays below for its name, tags and warnings. */
    return ap_stream_wrap(s, &ops, file, &format, err);
}

bool ap_replay_rewind(ap_stream *replay, ap_error *err)
{
    if (fseeko(replay->state, 0, SEEK_SET) != 0)
        return ap_fail_errno(err, errno, "cannot read a temporary file");
    replay->position = 0;
    replay->ended = replay->failed = false;
    return true;
}
