/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * measure.h - what other stages and commands need of a meter beyond its public functions. */
#ifndef AP_STAGES_MEASURE_H
#define AP_STAGES_MEASURE_H

#include "audiopipe.h"

/* Integrated loudness of all streams, if they were louder by this: more blocks may pass the gate at -70. */
double ap_meter_loudness_at(const ap_meter *meter, double gain_db);

/* What the stream that ended last adds to the total, as bytes for another process on this machine, malloc'ed.
 * NULL when out of memory. */
unsigned char *ap_meter_pack(const ap_meter *meter, size_t *size);
/* Adds it to the total of another meter, as if the stream had ended there. false if these are no such bytes.
 */
bool ap_meter_unpack(ap_meter *meter, const unsigned char *bytes, size_t size);

#endif
