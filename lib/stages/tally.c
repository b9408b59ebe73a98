/* SPDX-License-Identifier: GPL-3.0-or-later
 * tally.c - what measurements of several streams add up to. */
#include "stages/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

ap_measurement ap_tally_complete(const ap_tally *t)
{
    ap_measurement r = t->result;
    r.integrated_lufs = ap_histogram_integrated(&t->blocks, 0);
    r.range_lu = ap_histogram_range(&t->windows);
    r.rms_dbfs = t->samples ? 10 * log10(t->square_sum / (double)t->samples) : -INFINITY;
    return r;
}

/* b was played after a. */
static void join(ap_measurement *a, const ap_measurement *b)
{
    if (a->silence_start_s >= a->duration_s)
        a->silence_start_s += b->silence_start_s;
    a->silence_end_s = b->silence_end_s + (b->silence_end_s >= b->duration_s ? a->silence_end_s : 0);
    a->duration_s += b->duration_s;
    a->shortterm_max_lufs = fmax(a->shortterm_max_lufs, b->shortterm_max_lufs);
    a->momentary_max_lufs = fmax(a->momentary_max_lufs, b->momentary_max_lufs);
    a->true_peak_dbtp = fmax(a->true_peak_dbtp, b->true_peak_dbtp);
    a->sample_peak_dbfs = fmax(a->sample_peak_dbfs, b->sample_peak_dbfs);
    if (fabs(b->dc_offset) > fabs(a->dc_offset))
        a->dc_offset = b->dc_offset;
    a->clipped += b->clipped;
}

void ap_tally_join(ap_tally *t, const ap_tally *more)
{
    ap_histogram_join(&t->blocks, &more->blocks);
    ap_histogram_join(&t->windows, &more->windows);
    t->square_sum += more->square_sum;
    t->samples += more->samples;
    if (t->result.rate)
        join(&t->result, &more->result);
    else
        t->result = more->result;
}

/* ---- from one process to another */

/* A class of a histogram that is not empty. */
typedef struct packed_class {
    uint64_t number, count;
    double energy;
} packed_class;

/* What stands before the classes of both histograms. */
typedef struct packed_tally {
    ap_measurement result;
    double square_sum;
    uint64_t samples, blocks, windows; /* how many classes */
} packed_tally;

static uint64_t pack_histogram(const ap_histogram *h, packed_class *to)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < AP_CLASSES; i++)
        if (h->counts[i]) {
            if (to)
                to[n] = (packed_class){i, h->counts[i], h->energies[i]};
            n++;
        }
    return n;
}

unsigned char *ap_tally_pack(const ap_tally *t, size_t *size)
{
    const packed_tally head = {t->result, t->square_sum, t->samples, pack_histogram(&t->blocks, NULL),
                               pack_histogram(&t->windows, NULL)};
    *size = sizeof head + (head.blocks + head.windows) * sizeof(packed_class);
    packed_tally *bytes = malloc(*size);
    if (!bytes)
        return NULL;
    *bytes = head;
    packed_class *classes = (packed_class *)(bytes + 1);
    pack_histogram(&t->blocks, classes);
    pack_histogram(&t->windows, classes + head.blocks);
    return (unsigned char *)bytes;
}

static bool unpack_histogram(ap_histogram *h, const unsigned char *bytes, uint64_t count)
{
    packed_class c;
    for (uint64_t i = 0; i < count; i++) {
        memcpy(&c, bytes + i * sizeof c, sizeof c);
        if (c.number >= AP_CLASSES)
            return false;
        h->counts[c.number] += c.count;
        h->energies[c.number] += c.energy;
    }
    return true;
}

bool ap_tally_unpack(ap_tally *t, const unsigned char *bytes, size_t size)
{
    packed_tally head;
    if (size < sizeof head)
        return false;
    memcpy(&head, bytes, sizeof head);
    const size_t count = (size - sizeof head) / sizeof(packed_class);
    if (head.blocks > count || head.windows != count - head.blocks)
        return false;
    memset(t, 0, sizeof *t);
    t->result = head.result;
    t->square_sum = head.square_sum;
    t->samples = head.samples;
    bytes += sizeof head;
    return unpack_histogram(&t->blocks, bytes, head.blocks) &&
           unpack_histogram(&t->windows, bytes + head.blocks * sizeof(packed_class), head.windows);
}
