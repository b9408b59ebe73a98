/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * g711.h - the logarithmic laws of telephones, ITU-T G.711: 16-bit samples as 8 bits. */
#ifndef AP_FORMATS_G711_H
#define AP_FORMATS_G711_H

#include <stdint.h>

int16_t ap_mulaw_decode(unsigned char code);
int16_t ap_alaw_decode(unsigned char code);
/* The code of the decision table that a sample falls under. */
unsigned char ap_mulaw_encode(int16_t sample);
unsigned char ap_alaw_encode(int16_t sample);

#endif
