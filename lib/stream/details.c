/* SPDX-License-Identifier: GPL-3.0-or-later
 * details.c - what a decoder knows of its file. */
#include "stream/details.h"

#include <stdlib.h>

bool ap_details_tracks(ap_details *d, size_t count)
{
    d->tracks = count <= AP_MAX_TRACKS ? calloc(count, sizeof *d->tracks) : NULL;
    d->track_count = d->tracks ? count : 0;
    return d->tracks;
}

void ap_details_free(ap_details *d)
{
    if (d)
        free(d->tracks);
    free(d);
}
