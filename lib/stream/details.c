/* SPDX-License-Identifier: GPL-3.0-or-later
 * details.c - what a decoder knows of its file. */
#include "stream/details.h"

#include <stdio.h>
#include <stdlib.h>

ap_details *ap_stream_note(ap_stream *s, const char *format, const char *codec, unsigned bits)
{
    if (s && !s->details)
        s->details = calloc(1, sizeof *s->details);
    if (!s || !s->details)
        return NULL;
    ap_details *d = s->details;
    snprintf(d->format, sizeof d->format, "%s", format);
    snprintf(d->codec, sizeof d->codec, "%s", codec);
    d->bits = bits;
    d->delay = d->padding = d->frames = AP_UNKNOWN;
    return d;
}

bool ap_details_tracks(ap_details *d, size_t count)
{
    d->tracks = count <= AP_MAX_TRACKS ? calloc(count, sizeof *d->tracks) : NULL;
    d->track_count = d->tracks ? count : 0;
    return d->tracks;
}

const ap_details *ap_stream_details(const ap_stream *s)
{
    while (s && s->source)
        s = s->source;
    return s ? s->details : NULL;
}

void ap_details_free(ap_details *d)
{
    if (d)
        free(d->tracks);
    free(d);
}
