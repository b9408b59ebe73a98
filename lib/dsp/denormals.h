/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * denormals.h - denormal numbers. */
#ifndef AP_DSP_DENORMALS_H
#define AP_DSP_DENORMALS_H

/* Lets this thread compute with denormal numbers taken as zero, and ends that: they are 160 dB below the
 * quietest 16-bit sample, and a decaying filter that computes with them is ten times slower. */
unsigned ap_ignore_denormals(void);
void ap_restore_denormals(unsigned saved);

#endif
