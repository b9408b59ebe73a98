/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gain_tags.h - the tags that tell players how to change the loudness. */
#ifndef AP_STREAM_GAIN_TAGS_H
#define AP_STREAM_GAIN_TAGS_H

#include "audiopipe.h"

/* The two ways to say by how many dB a player changes the loudness. */
typedef enum ap_gain_tags {
    AP_GAIN_AS_IT_IS,
    AP_GAIN_REPLAYGAIN, /* REPLAYGAIN_*, to -18 LUFS: everything but Opus */
    AP_GAIN_R128,       /* R128_*_GAIN, to -23 LUFS: Opus, without peaks */
} ap_gain_tags;

/* Turns the gain tags of one kind into the other. A gain that is there in both kinds keeps the value of the
 * wanted one. REPLAYGAIN_REFERENCE_LOUDNESS goes, into the gains if it is not the usual one. false when out
 * of memory. */
bool ap_gain_tags_convert(ap_tags *tags, ap_gain_tags to);

/* Removes what mp3gain wrote down to undo its changes of the MPEG frames, which no other file has. */
void ap_tags_drop_undo(ap_tags *tags);

/* Gives s tags of its own, without any of these, if its source has some: the end of a stage that changes the
 * loudness. Closes s and returns NULL when out of memory. */
ap_stream *ap_without_gain_tags(ap_stream *s, ap_error *err);

#endif
