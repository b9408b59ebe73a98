/* SPDX-License-Identifier: GPL-3.0-or-later
 * track.c - a whole track in a temporary file, for models that have to see all of it. */
#include "plugins/neural/track.h"
#include "base/error.h"
#include "base/temporary.h"
#include "stream/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool nn_track_open(nn_track *t, int channels, ap_error *err)
{
    *t = (nn_track){.channels = channels};
    t->fd = ap_temporary_file(err);
    return t->fd >= 0;
}

void nn_track_close(nn_track *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

static void measure(nn_track *t, const float *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (int c = 0; c < t->channels; c++)
            sum += (double)frames[i * (size_t)t->channels + (size_t)c];
        sum /= t->channels;
        t->sum += sum;
        t->squares += sum * sum;
    }
}

bool nn_track_store(nn_track *t, ap_stream *s, ap_error *err)
{
    const size_t channels = (size_t)t->channels;
    float *block = malloc(AP_BLOCK * channels * sizeof *block);
    ptrdiff_t n = -1;
    if (!block)
        return ap_fail_memory(err);
    while ((n = ap_read(s, block, AP_BLOCK, err)) > 0) {
        const size_t samples = (size_t)n * channels;
        ap_sanitize(block, samples);
        measure(t, block, (size_t)n);
        t->frames += n;
        if (!ap_temporary_write(t->fd, block, samples * sizeof *block, err)) {
            n = -1;
            break;
        }
    }
    free(block);
    return n == 0;
}

bool nn_track_load(const nn_track *t, int64_t from, int64_t count, float *frames, ap_error *err)
{
    const size_t frame = (size_t)t->channels * sizeof *frames;
    const int64_t end_frame = from + count < t->frames ? from + count : t->frames;
    int64_t start = from < 0 ? 0 : from;
    memset(frames, 0, (size_t)count * frame);
    start = start < end_frame ? start : end_frame;
    if (start < from)
        return true;
    char *to = (char *)(frames + (start - from) * t->channels);
    off_t at = (off_t)((size_t)start * frame), end = (off_t)((size_t)end_frame * frame);
    while (at < end) {
        const ssize_t n = pread(t->fd, to, (size_t)(end - at), at);
        if (n == 0 || (n < 0 && errno != EINTR))
            return ap_fail_errno(err, n ? errno : EIO, "cannot read a temporary file");
        if (n > 0) {
            at += n;
            to += n;
        }
    }
    return true;
}
