/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * guess.h - the name that somebody may have meant. */
#ifndef GUESS_H
#define GUESS_H

#include <stddef.h>

/* The nearest of the names, NULL if none is near: a third of the letters may be wrong, missing, too many, or
 * two swapped.
 */
const char *guess_name(const char *word, const char *const *names, size_t count);

#endif
