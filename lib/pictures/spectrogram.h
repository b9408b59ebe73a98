/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spectrogram.h - power over time and the logarithm of frequency, of a fixed size, whatever the length of
 * the stream: when it is full, neighbours are merged and what comes next is twice as coarse. */
#ifndef AP_PICTURES_SPECTROGRAM_H
#define AP_PICTURES_SPECTROGRAM_H

#include "audiopipe.h"

typedef struct ap_spectrogram ap_spectrogram;

/* One column after the other, the lowest frequency first; power 1 = a sine of full scale. */
typedef struct ap_spectrogram_view {
    size_t rows, columns;
    double column_frames; /* column i is about the time i * column_frames */
    double low_hz, high_hz;
    const float *power;
} ap_spectrogram_view;

/* columns: at most, a power of two. frames: the length, AP_UNKNOWN if it is not known: the result is the
 * same, unless the stream is shorter than some windows. NULL when out of memory. */
ap_spectrogram *ap_spectrogram_new(const ap_format *format, double low_hz, double high_hz, size_t rows,
                                   size_t columns);
void ap_spectrogram_add(ap_spectrogram *s, const float *frames, size_t count);
/* To be called once, after all was added. */
ap_spectrogram_view ap_spectrogram_finish(ap_spectrogram *s);
void ap_spectrogram_free(ap_spectrogram *s);

#endif
