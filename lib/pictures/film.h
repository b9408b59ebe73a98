/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * film.h - what film.c asks of the libav plugin. */
#ifndef AP_FILM_H
#define AP_FILM_H

#include "audiopipe.h"

typedef struct ap_film_job {
    const char *film;   /* the name of a file */
    ap_stream **sounds; /* of its audio tracks; NULL: the track as it is. The plugin takes them over. */
    size_t count;
    const ap_film_options *options; /* checked; the format is one of those there are */
} ap_film_job;

#endif
