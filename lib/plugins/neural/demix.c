/* SPDX-License-Identifier: GPL-3.0-or-later
 * demix.c - a network applied to a stream of any length, as the function demix of
 * Music-Source-Separation-Training does it: the track with reflected ends, in overlapping chunks that are
 * faded in and out. Positions are frames of the track with its ends. */
#include "plugins/neural/demix.h"
#include "base/error.h"
#include "plugins/neural/kept.h"
#include "plugins/neural/track.h"
#include "stream/stream.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FADE 10 /* a fade is that part of a chunk */

typedef struct demixer {
    nn_network *network;
    nn_track track;
    nn_kept *kept; /* NULL: nothing is kept */
    bool wanted[NN_MAX_SOURCES];
    size_t outputs;            /* channels of all stems wanted */
    int64_t chunk, step, fade; /* lengths */
    int64_t border, total;     /* a reflected end; the track with both */
    int64_t next, position;    /* where the next chunk starts; what is read next */
    float mean, deviation;     /* taken from the mix, put back into the stems */
    float *frames, *planar;    /* [chunk][channels], [channels][chunk] */
    float *result, *sum;       /* [stem][channel][chunk]; sum: from next - step */
    float *weights;            /* [chunk] */
    float *mix;                /* [AP_BLOCK][channels] */
} demixer;

static size_t lines_of(const demixer *d)
{
    return (size_t)(d->network->outputs * d->network->channels);
}

/* ---- a chunk */

/* The frame of the track that a position shows. */
static int64_t reflect(const demixer *d, int64_t position)
{
    int64_t at = position - d->border;
    at = at < 0 ? -at : at;
    return at < d->track.frames ? at : 2 * (d->track.frames - 1) - at;
}

/* Frames of the track for count positions from start: the ends of the track one by one, what is between at
 * once. */
static bool load(demixer *d, int64_t start, int64_t count, ap_error *err)
{
    const int channels = d->network->channels;
    const int64_t inner_end = d->border + d->track.frames;
    for (int64_t i = 0; i < count;) {
        const int64_t position = start + i;
        int64_t n = 1;
        if (position >= d->border && position < inner_end)
            n = inner_end - position < count - i ? inner_end - position : count - i;
        if (!nn_track_load(&d->track, reflect(d, position), n, d->frames + i * channels, err))
            return false;
        i += n;
    }
    return true;
}

/* A chunk that lacks frames at its end gets them by reflection if it has more than half, otherwise silence.
 */
static void complete(demixer *d, int64_t count)
{
    const int channels = d->network->channels;
    for (int64_t i = count; i < d->chunk; i++)
        for (int c = 0; c < channels; c++)
            d->frames[i * channels + c] =
                count > d->chunk / 2 ? d->frames[(2 * (count - 1) - i) * channels + c] : d->mean;
}

static void to_planar(demixer *d)
{
    const int channels = d->network->channels;
    for (int c = 0; c < channels; c++)
        for (int64_t i = 0; i < d->chunk; i++)
            d->planar[c * d->chunk + i] = (d->frames[i * channels + c] - d->mean) / d->deviation;
}

static bool run(demixer *d, ap_error *err)
{
    nn_network *n = d->network;
    const size_t count = lines_of(d) * (size_t)d->chunk;
    if (nn_kept_take(d->kept, (uint64_t)d->next, d->result, count))
        return true;
    nn_tensor *x = nn_tensor_new(n->engine, 1, n->channels, d->chunk, d->planar);
    const bool ok = nn_tensor_read(n->run(n, x), d->result);
    return nn_engine_check(n->engine, err) && (ok || ap_fail_memory(err)) &&
           nn_kept_put(d->kept, (uint64_t)d->next, d->result, count, err);
}

/* The weight of frame i of the chunk at start. The first is not faded in; of the others the last is not faded
 * out. */
static float weight_of(const demixer *d, int64_t start, int64_t i)
{
    const bool first = start == 0, last = !first && start + d->step >= d->total;
    const float unit = d->fade > 1 ? 1 / (float)(d->fade - 1) : 0;
    if (i < d->fade && !first)
        return (float)i * unit;
    if (i >= d->chunk - d->fade && !last)
        return (float)(d->chunk - 1 - i) * unit;
    return 1;
}

/* Drops what was given out already. */
static void slide(demixer *d)
{
    const size_t rest = (size_t)(d->chunk - d->step);
    for (size_t i = 0; i <= lines_of(d); i++) {
        float *line = i < lines_of(d) ? d->sum + i * (size_t)d->chunk : d->weights;
        memmove(line, line + d->step, rest * sizeof *line);
        memset(line + rest, 0, (size_t)d->step * sizeof *line);
    }
}

static bool advance(demixer *d, ap_error *err)
{
    const int64_t start = d->next, left = d->total - start, count = left < d->chunk ? left : d->chunk;
    if (start > 0)
        slide(d);
    if (!load(d, start, count, err))
        return false;
    complete(d, count);
    to_planar(d);
    if (!run(d, err))
        return false;
    for (int64_t i = 0; i < count; i++) {
        const float weight = weight_of(d, start, i);
        for (size_t line = 0; line < lines_of(d); line++)
            d->sum[(int64_t)line * d->chunk + i] += weight * d->result[(int64_t)line * d->chunk + i];
        d->weights[i] += weight;
    }
    d->next += d->step;
    return true;
}

/* ---- the stream */

/* Sample of a stem at place at of the sums. */
static float sample_of(const demixer *d, int stem, int channel, int64_t at)
{
    const float *sum = d->sum + (stem * d->network->channels + channel) * d->chunk;
    return (d->weights[at] != 0 ? sum[at] / d->weights[at] : 0) * d->deviation + d->mean;
}

/* The stem after the last output is what the others leave of the mix. */
static float value_of(const demixer *d, int stem, int channel, int64_t at, const float *mix)
{
    if (stem < d->network->outputs)
        return sample_of(d, stem, channel, at);
    float rest = mix[channel];
    for (int i = 0; i < d->network->outputs; i++)
        rest -= sample_of(d, i, channel, at);
    return rest;
}

static ptrdiff_t demix_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    demixer *d = s->state;
    const nn_network *n = d->network;
    int64_t count = d->track.frames - d->position < AP_BLOCK ? d->track.frames - d->position : AP_BLOCK;
    count = count < (int64_t)max ? count : (int64_t)max;
    if (count == 0)
        return 0;
    while (d->next <= d->position + d->border)
        if (!advance(d, err))
            return -1;
    const int64_t ready = d->next - (d->position + d->border), at = d->step - ready;
    count = count < ready ? count : ready;
    if (!nn_track_load(&d->track, d->position, count, d->mix, err))
        return -1;
    for (int64_t i = 0; i < count; i++)
        for (int stem = 0; stem < n->stem_count; stem++)
            for (int c = 0; d->wanted[stem] && c < n->channels; c++)
                *frames++ = value_of(d, stem, c, at + i, d->mix + i * n->channels);
    d->position += count;
    return (ptrdiff_t)count;
}

static void demix_close(void *state)
{
    demixer *d = state;
    nn_track_close(&d->track);
    nn_kept_close(d->kept);
    free(d->frames);
    free(d->planar);
    free(d->result);
    free(d->sum);
    free(d->weights);
    free(d->mix);
    free(d);
}

/* ---- setting up */

/* The chunk in frames as asked for; in seconds, the next shorter one that the network takes. */
static bool set_lengths(demixer *d, const ap_separate_options *o, ap_error *err)
{
    const nn_network *n = d->network;
    d->chunk = n->segment_frames;
    if (o->segment_s > 0)
        d->chunk =
            ((int64_t)(o->segment_s * n->rate) - n->chunk_extra) / n->chunk_multiple * n->chunk_multiple +
            n->chunk_extra;
    if (o->chunk_frames)
        d->chunk = (int64_t)o->chunk_frames;
    if (d->chunk < 1 || (d->chunk - n->chunk_extra) % n->chunk_multiple)
        return ap_fail(err, AP_USAGE, "this model takes chunks of a multiple of %d frames%s%.0d, not of %lld",
                       n->chunk_multiple, n->chunk_extra ? " less " : "", -n->chunk_extra,
                       (long long)d->chunk);
    if (d->chunk < n->chunk_least)
        return ap_fail(err, AP_USAGE, "chunks of %lld frames are too short, this model takes %d or more",
                       (long long)d->chunk, n->chunk_least);
    d->step = d->chunk / n->chunk_overlap;
    if (o->overlap >= 1)
        d->step = d->chunk / (int64_t)o->overlap;
    else if (o->overlap >= 0)
        d->step = (int64_t)((1 - o->overlap) * (double)d->chunk);
    d->fade = d->chunk / FADE;
    return d->step > 0 || ap_fail(err, AP_USAGE, "chunks of %lld frames are too short", (long long)d->chunk);
}

static bool allocate(demixer *d, ap_error *err)
{
    const size_t channels = (size_t)d->network->channels, chunk = (size_t)d->chunk;
    d->frames = malloc(channels * chunk * sizeof *d->frames);
    d->planar = malloc(channels * chunk * sizeof *d->planar);
    d->result = malloc(lines_of(d) * chunk * sizeof *d->result);
    d->sum = calloc(lines_of(d) * chunk, sizeof *d->sum);
    d->weights = calloc(chunk, sizeof *d->weights);
    d->mix = malloc(AP_BLOCK * channels * sizeof *d->mix);
    return (d->frames && d->planar && d->result && d->sum && d->weights && d->mix) || ap_fail_memory(err);
}

/* What is known when the track has been read. */
static void settle(demixer *d)
{
    const double frames = (double)d->track.frames, mean = frames > 0 ? d->track.sum / frames : 0;
    const double variance = frames > 0 ? d->track.squares / frames - mean * mean : 0;
    const int64_t border = d->chunk - d->step;
    d->border = d->track.frames > 2 * border ? border : 0;
    d->total = d->track.frames + 2 * d->border;
    d->deviation = 1;
    if (d->network->normalize && variance > 0) {
        d->mean = (float)mean;
        d->deviation = (float)sqrt(variance);
    }
}

/* The file that keeps results, for this track, network and way of taking the track apart. */
static bool open_kept(demixer *d, const char *path, ap_error *err)
{
    char input[64], text[NN_KEPT_TEXT];
    if (!path)
        return true;
    if (!nn_kept_describe(&d->track, input, sizeof input, err))
        return false;
    snprintf(text, sizeof text, "audiopipe %s separation\nmodel %s\n%schunks %" PRId64 " %" PRId64 "\n",
             AP_VERSION, d->network->identity, input, d->chunk, d->step);
    d->kept = nn_kept_open(path, text, err);
    return d->kept != NULL;
}

static demixer *demixer_new(nn_network *n, const ap_separate_options *o, const bool wanted[AP_MAX_STEMS],
                            ap_error *err)
{
    demixer *d = calloc(1, sizeof *d);
    if (!d) {
        ap_fail_memory(err);
        return NULL;
    }
    d->network = n;
    d->track.fd = -1;
    memcpy(d->wanted, wanted, sizeof d->wanted);
    for (int i = 0; i < n->stem_count; i++)
        d->outputs += d->wanted[i] ? (size_t)n->channels : 0;
    if (set_lengths(d, o, err) && allocate(d, err) && nn_track_open(&d->track, n->channels, err))
        return d;
    demix_close(d);
    return NULL;
}

ap_stream *nn_demix(ap_stream *s, nn_network *network, const ap_separate_options *options,
                    const bool wanted[AP_MAX_STEMS], ap_error *err)
{
    static const ap_stream_ops ops = {.read = demix_read, .close = demix_close};
    if (!s)
        return NULL;
    demixer *d = demixer_new(network, options, wanted, err);
    bool ok = d != NULL;
    if (ok &&
        (s->format.rate != (uint32_t)network->rate || s->format.channels != (uint32_t)network->channels))
        ok =
            ap_fail(err, AP_USAGE, "this model takes %d channels at %d Hz", network->channels, network->rate);
    ok = ok && nn_track_store(&d->track, s, err) && open_kept(d, options->state, err);
    if (!ok && d) {
        demix_close(d);
        d = NULL;
    }
    ap_format format = s->format;
    if (d) {
        settle(d);
        format = (ap_format){s->format.rate, (uint32_t)d->outputs, 0, (uint64_t)d->track.frames};
    }
    return ap_stream_wrap(s, &ops, d, &format, err);
}
