/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mpeg.h - the header of an MPEG audio frame, and the tag that LAME, Xing and Fraunhofer put into the first
 * one. */
#ifndef AP_FORMATS_MP3_MPEG_H
#define AP_FORMATS_MP3_MPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ap_mpeg {
    uint32_t header; /* its 32 bits */
    uint32_t rate, channels;
    uint32_t samples; /* of each channel in an MPEG frame */
    uint32_t slot;    /* unit of the size */
    uint32_t size;    /* in bytes, 0 = free format */
} ap_mpeg;
typedef struct ap_mpeg_info {
    uint32_t frames, bytes; /* MPEG frames after this one, bytes with this one; 0 = does not say */
    int delay, padding;     /* of the encoder, in frames of sound; -1 = does not say */
    bool lame;              /* by LAME or libav, whose counts are right */
    bool vbri;              /* by Fraunhofer */
} ap_mpeg_info;
/* Parses 4 bytes. */
bool ap_mpeg_parse(const unsigned char *bytes, ap_mpeg *m);
/* Whether both may belong to one stream. */
bool ap_mpeg_same(const ap_mpeg *a, const ap_mpeg *b);
/* false if this MPEG frame carries no such tag. */
bool ap_mpeg_info_parse(const unsigned char *bytes, size_t size, ap_mpeg_info *info);
/* How many bytes of junk are before the first MP3 frame, SIZE_MAX if this is no MP3. complete:
 * the bytes are the whole file. */
size_t ap_mp3_find(const unsigned char *bytes, size_t size, bool complete);

#endif
