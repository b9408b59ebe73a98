/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sudden.h - how short a time the sound of a band takes within the window of its spectrum. */
#ifndef AP_SUDDEN_H
#define AP_SUDDEN_H

#include <stddef.h>

/* How alike a spectrum and itself moved by so many bins are, in the bins from the first to before the end of
 * them: 1 for an instant within the window, about 0 for what lasts, as the moved spectrum is that of an
 * envelope that turns around lag times in the window. Of both channels together; they are pairs of (re, im),
 * with lag of them behind the end. Up to 7 bins before the end are left out, so that their number is a
 * multiple of 8. 0 where there is no power. */
float ap_sudden(const float *left, const float *right, size_t first, size_t end, size_t lag);

#endif
