/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * words.h - words that are drawn once, and put on any number of pictures. */
#ifndef AP_WORDS_H
#define AP_WORDS_H

#include "pictures/lettering.h"
#include "plugins/av/video.h"

typedef struct ap_words ap_words;

/* Sets *words to NULL if there are none to draw. */
bool ap_words_new(ap_words **words, ap_letter_fn *letter, const ap_lettering *lettering, ap_error *err);
/* Puts them on a picture of that size; takes NULL. */
void ap_words_put(const ap_words *w, AVFrame *picture);
void ap_words_free(ap_words **words);

#endif
