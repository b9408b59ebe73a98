/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * film.h - films whose sound is normalized, each of their audio tracks by a gain of its own. */
#ifndef FILM_H
#define FILM_H

#include "front/filter_parts.h"

typedef struct film_work {
    const command *command;
    const ap_normalize_options *normalize;
    const output_config *out; /* its path is where the film goes */
} film_work;

/* Whether there can be such an output. */
bool film_check(const film_work *w, const char *output, ap_error *err);
/* Reads the film three times: for how many tracks there are, to measure them, and to write. */
bool film_normalize(const film_work *w, const char *input, ap_error *err);

#endif
