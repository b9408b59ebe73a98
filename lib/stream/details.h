/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * details.h - what a decoder knows of its file that the samples do not show: for people who ask, no stage
 * needs it. */
#ifndef AP_STREAM_DETAILS_H
#define AP_STREAM_DETAILS_H

#include "audiopipe.h"

#define AP_MAX_TRACKS 1024

/* One track of a container. Texts are cut where they do not fit. */
typedef struct ap_track_details {
    const char *kind; /* "audio", "video", "subtitle", "data" */
    char codec[24];   /* as ffprobe names it */
    char language[16], title[128];
    uint32_t rate, channels; /* of sound, else 0 */
    uint32_t width, height;  /* of pictures, else 0 */
    bool chosen;             /* the one that is decoded */
} ap_track_details;

typedef struct ap_details {
    char format[24]; /* of the container: "wav", "mp3", "ogg", "mp4"... */
    char codec[24];  /* as ffprobe names it: "pcm_s16le", "mp3", "vorbis"... */
    unsigned bits;   /* of a sample as it is stored; 0: of lossy sound there is no such thing */
    /* Frames that the encoder put before the music, and after it; AP_UNKNOWN: the file does not say. Of MP3
     * as the LAME tag has it: the 529 of every decoder come on top. */
    uint64_t delay, padding;
    uint64_t frames; /* as headers tell it where the stream does not promise it; AP_UNKNOWN */
    ap_track_details *tracks;
    size_t track_count; /* 0: there is one, which is all of the file */
} ap_details;

/* Room for that many tracks, all zero. false when out of memory. */
bool ap_details_tracks(ap_details *details, size_t count);
void ap_details_free(ap_details *details); /* takes NULL */

#endif
