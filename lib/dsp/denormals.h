/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * denormals.h - denormal numbers. */
#ifndef AP_DSP_DENORMALS_H
#define AP_DSP_DENORMALS_H

/* Switches flush-to-zero on and off for this thread. Denormal numbers are 160 dB below the quietest 16-bit
 * sample, and a decaying filter is ten times slower with them. */
unsigned ap_ignore_denormals(void);
void ap_restore_denormals(unsigned saved);

#endif
