/* SPDX-License-Identifier: GPL-3.0-or-later
 * segment.c - networks applied to a stream of any length, as the original's apply.py does to a track in
 * memory: the track goes to a temporary file, from which each pass (a network at a shift) takes overlapping
 * segments, and adds the results with triangular weights. */
#include "plugins/neural/segment.h"
#include "base/error.h"
#include "dsp/random.h"
#include "plugins/neural/kept.h"
#include "plugins/neural/track.h"
#include "stream/stream.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SHIFT_S 0.5 /* the original's */
#define STD_EPS 1e-8    /* the original's */

/* One network over the whole track at one shift. Positions are frames of the track. */
typedef struct pass {
    nn_network *network;
    double gain[NN_MAX_SOURCES]; /* of each stem in the result; all 0: not needed */
    int64_t start;               /* <= 0 */
    int64_t length, stride;      /* of a segment */
    int64_t next;                /* where the next segment starts */
    float *sum;                  /* [wanted stem][channel][length], from next - stride */
    float *weights;              /* [length], their sum */
    float *result;               /* [stem][channel][length] */
} pass;

typedef struct separator {
    nn_engine *engine;
    nn_track track;
    nn_kept *kept; /* NULL: nothing is kept */
    int channels, stem_count;
    bool wanted[NN_MAX_SOURCES];
    size_t outputs; /* channels of all stems wanted: of the result */
    double mean, deviation;
    pass *passes;
    size_t count;
    float *segment, *planar; /* [length][channels] and back */
    int64_t position;
} separator;

/* ---- a segment */

/* Normalises and sorts by channel. Silence outside of the track stays silence. */
static void to_planar(const separator *p, int64_t from, int64_t count)
{
    const float mean = (float)p->mean, factor = (float)(1 / p->deviation);
    for (int c = 0; c < p->channels; c++)
        for (int64_t i = 0; i < count; i++) {
            const bool inside = from + i >= 0 && from + i < p->track.frames;
            p->planar[c * count + i] = inside ? (p->segment[i * p->channels + c] - mean) * factor : 0;
        }
}

/* Runs the network on count frames; one that wants whole segments gets what is around them too. Returns where
 * the first frame is in the result, where a row has *row frames; -1 on failure. */
static int64_t run(separator *p, pass *q, int64_t from, int64_t count, int64_t *row, ap_error *err)
{
    *row = q->network->whole ? q->length : count;
    const int64_t before = (*row - count) / 2;
    const uint64_t tag = (uint64_t)(q - p->passes) << 48 | (uint64_t)(from - q->start);
    const size_t floats = (size_t)(p->stem_count * p->channels * *row);
    if (nn_kept_take(p->kept, tag, q->result, floats))
        return before;
    if (!nn_track_load(&p->track, from - before, *row, p->segment, err))
        return -1;
    to_planar(p, from - before, *row);
    nn_tensor *x = nn_tensor_new(p->engine, 1, p->channels, *row, p->planar);
    bool ok = nn_tensor_read(q->network->run(q->network, x), q->result);
    if (!nn_engine_check(p->engine, err))
        return -1;
    if (!ok) {
        ap_fail_memory(err);
        return -1;
    }
    return nn_kept_put(p->kept, tag, q->result, floats, err) ? before : -1;
}

/* The triangle of the original: 1, 2... up to the middle and down again, over its largest value. */
static float triangle(int64_t i, int64_t length)
{
    const int64_t half = length / 2;
    return (float)(i < half ? i + 1 : length - i) / (float)(length - half);
}

/* Adds a result to the sums; i counts the wanted stems. */
static void add_result(const separator *p, pass *q, const float *result, int64_t row, int64_t count)
{
    float *sum = q->sum;
    for (int stem = 0; stem < p->stem_count; stem++) {
        if (!p->wanted[stem])
            continue;
        for (int c = 0; c < p->channels; c++, sum += q->length) {
            const float *in = result + (stem * p->channels + c) * row;
            for (int64_t t = 0; q->gain[stem] != 0 && t < count; t++)
                sum[t] += triangle(t, q->length) * in[t];
        }
    }
    for (int64_t t = 0; t < count; t++)
        q->weights[t] += triangle(t, q->length);
}

/* Drops what was given out already. */
static void slide(const separator *p, pass *q)
{
    const size_t rest = (size_t)(q->length - q->stride);
    for (size_t i = 0; i <= p->outputs; i++) {
        float *row = i < p->outputs ? q->sum + i * (size_t)q->length : q->weights;
        memmove(row, row + q->stride, rest * sizeof *row);
        memset(row + rest, 0, (size_t)q->stride * sizeof *row);
    }
}

static bool advance(separator *p, pass *q, ap_error *err)
{
    int64_t count = p->track.frames - q->next < q->length ? p->track.frames - q->next : q->length, row;
    if (q->next != q->start)
        slide(p, q);
    int64_t at = run(p, q, q->next, count, &row, err);
    if (at < 0)
        return false;
    add_result(p, q, q->result + at, row, count);
    q->next += q->stride;
    return true;
}

/* ---- the stream */

/* Mean and deviation of the mean of the channels. */
static void standardize(separator *p)
{
    const double count = (double)p->track.frames;
    p->mean = count > 0 ? p->track.sum / count : 0;
    const double variance = count > 1 ? (p->track.squares - count * p->mean * p->mean) / (count - 1) : 0;
    p->deviation = sqrt(variance > 0 ? variance : 0) + STD_EPS;
}

/* Adds frames of a pass to the result. */
static void mix(const separator *p, const pass *q, float *frames, int64_t count)
{
    const int64_t at = p->position - (q->next - q->stride);
    size_t output = 0;
    for (int stem = 0; stem < p->stem_count; stem++) {
        if (!p->wanted[stem])
            continue;
        const float gain = (float)(q->gain[stem] * p->deviation);
        for (int c = 0; c < p->channels; c++, output++) {
            const float *sum = q->sum + (int64_t)output * q->length + at;
            for (int64_t i = 0; gain != 0 && i < count; i++)
                frames[i * (int64_t)p->outputs + (int64_t)output] += gain * (sum[i] / q->weights[at + i]);
        }
    }
}

static ptrdiff_t separate_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    separator *p = s->state;
    int64_t count = p->track.frames - p->position < AP_BLOCK ? p->track.frames - p->position : AP_BLOCK;
    if (count > (int64_t)max)
        count = (int64_t)max;
    for (size_t i = 0; i < p->count; i++) {
        pass *q = &p->passes[i];
        while (q->next <= p->position)
            if (!advance(p, q, err))
                return -1;
        if (count > q->next - p->position)
            count = q->next - p->position;
    }
    for (size_t i = 0; i < (size_t)count * p->outputs; i++)
        frames[i] = (float)p->mean;
    for (size_t i = 0; i < p->count; i++)
        mix(p, &p->passes[i], frames, count);
    p->position += count;
    return (ptrdiff_t)count;
}

static void separate_close(void *state)
{
    separator *p = state;
    for (size_t i = 0; p->passes && i < p->count; i++) {
        free(p->passes[i].sum);
        free(p->passes[i].weights);
        free(p->passes[i].result);
    }
    free(p->passes);
    free(p->segment);
    free(p->planar);
    nn_track_close(&p->track);
    nn_kept_close(p->kept);
    free(p);
}

/* ---- setting up */

/* Of a segment that overlaps with the next; from 1 on it is how many cover each moment. */
static double share_of(double overlap)
{
    return overlap < 0 ? NN_DEFAULT_OVERLAP : overlap < 1 ? overlap : 1 - 1 / floor(overlap);
}

static bool set_length(pass *q, const ap_separate_options *o, ap_error *err)
{
    const nn_network *n = q->network;
    q->length = n->segment_frames;
    if (o->segment_s > 0)
        q->length = (int64_t)(o->segment_s * n->rate);
    if (o->chunk_frames)
        q->length = (int64_t)o->chunk_frames;
    if (n->whole && q->length > n->segment_frames)
        return ap_fail(err, AP_USAGE, "segment %g s is longer than the %g s that this model was trained for",
                       (double)q->length / n->rate, (double)n->segment_frames / n->rate);
    q->stride = (int64_t)((1 - share_of(o->overlap)) * (double)q->length);
    return q->stride > 0 || ap_fail(err, AP_USAGE, "segment %g s is too short", (double)q->length / n->rate);
}

/* Shares of each network in each wanted stem; how many passes that makes. */
static bool needed(const separator *p, const double *weights)
{
    for (int stem = 0; stem < p->stem_count; stem++)
        if (p->wanted[stem] && weights[stem] != 0)
            return true;
    return false;
}

static bool add_pass(separator *p, nn_network *n, const double weights[][NN_MAX_STEMS], size_t index,
                     size_t count, const ap_separate_options *o, uint64_t *random, ap_error *err)
{
    pass *q = &p->passes[p->count++];
    q->network = n;
    if (!set_length(q, o, err))
        return false;
    const int64_t limit = (int64_t)(MAX_SHIFT_S * n->rate);
    if (o->shifts)
        q->start = (int64_t)(ap_random(random) % (uint64_t)(limit + 1)) - limit;
    q->next = q->start;
    for (int stem = 0; stem < p->stem_count; stem++) {
        double total = 0;
        for (size_t i = 0; i < count; i++)
            total += weights[i][stem];
        q->gain[stem] = weights[index][stem] / total / (o->shifts ? o->shifts : 1);
    }
    const size_t length = (size_t)q->length;
    q->sum = calloc(p->outputs * length, sizeof *q->sum);
    q->weights = calloc(length, sizeof *q->weights);
    q->result = malloc((size_t)(p->stem_count * p->channels) * length * sizeof *q->result);
    return (q->sum && q->weights && q->result) || ap_fail_memory(err);
}

static bool add_passes(separator *p, nn_network *const *networks, size_t count,
                       const double weights[][NN_MAX_STEMS], const ap_separate_options *o, ap_error *err)
{
    const size_t shifts = o->shifts ? o->shifts : 1;
    uint64_t random = o->seed;
    int64_t longest = AP_BLOCK;
    p->passes = calloc(count * shifts, sizeof *p->passes);
    if (!p->passes)
        return ap_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        if (!needed(p, weights[i]))
            continue;
        for (size_t shift = 0; shift < shifts; shift++) {
            if (!add_pass(p, networks[i], weights, i, count, o, &random, err))
                return false;
            if (p->passes[p->count - 1].length > longest)
                longest = p->passes[p->count - 1].length;
        }
    }
    p->segment = malloc((size_t)(longest * p->channels) * sizeof *p->segment);
    p->planar = malloc((size_t)(longest * p->channels) * sizeof *p->planar);
    return (p->segment && p->planar) || ap_fail_memory(err);
}

static separator *new_separator(const nn_network *n, const bool wanted[AP_MAX_STEMS], ap_error *err)
{
    separator *p = calloc(1, sizeof *p);
    if (!p) {
        ap_fail_memory(err);
        return NULL;
    }
    p->channels = n->channels;
    p->stem_count = n->stem_count;
    p->engine = n->engine;
    memcpy(p->wanted, wanted, sizeof p->wanted);
    for (int i = 0; i < p->stem_count; i++)
        p->outputs += p->wanted[i] ? (size_t)p->channels : 0;
    if (nn_track_open(&p->track, p->channels, err))
        return p;
    separate_close(p);
    return NULL;
}

/* The file that keeps results, for this track, these networks and their passes. */
static bool open_kept(separator *p, const nn_network *n, const ap_separate_options *o, ap_error *err)
{
    char input[64], text[NN_KEPT_TEXT];
    uint64_t passes = 0;
    if (!o->state)
        return true;
    if (!nn_kept_describe(&p->track, input, sizeof input, err))
        return false;
    for (size_t i = 0; i < p->count; i++) /* which they are: where each starts, and its steps */
        passes = (passes + (uint64_t)-p->passes[i].start) * 1000003 + (uint64_t)p->passes[i].stride;
    snprintf(text, sizeof text,
             "audiopipe %s separation\nmodel %s\n%spasses %zu %" PRIx64 "\nlength %" PRId64 "\n", AP_VERSION,
             n->identity, input, p->count, passes, p->count ? p->passes[0].length : 0);
    for (int stem = 0; stem < p->stem_count; stem++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d", p->wanted[stem]);
    p->kept = nn_kept_open(o->state, text, err);
    return p->kept != NULL;
}

ap_stream *nn_separate(ap_stream *s, nn_network *const *networks, size_t count,
                       const double weights[][NN_MAX_STEMS], const ap_separate_options *options,
                       const bool wanted[AP_MAX_STEMS], ap_error *err)
{
    static const ap_stream_ops ops = {.read = separate_read, .close = separate_close};
    if (!s)
        return NULL;
    separator *p = new_separator(networks[0], wanted, err);
    bool ok = p != NULL;
    if (ok && (s->format.rate != (uint32_t)networks[0]->rate || s->format.channels != (uint32_t)p->channels))
        ok = ap_fail(err, AP_USAGE, "this model takes %d channels at %d Hz", p->channels, networks[0]->rate);
    ok = ok && add_passes(p, networks, count, weights, options, err) && nn_track_store(&p->track, s, err) &&
         open_kept(p, networks[0], options, err);
    if (!ok && p) {
        separate_close(p);
        p = NULL;
    }
    ap_format format = s->format;
    if (p) {
        standardize(p);
        format = (ap_format){s->format.rate, (uint32_t)p->outputs, 0, (uint64_t)p->track.frames};
    }
    return ap_stream_wrap(s, &ops, p, &format, err);
}
