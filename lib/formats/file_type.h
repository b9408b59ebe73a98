/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * file_type.h - what kind of file starts with some bytes, pictures aside (base/picture_type.h). */
#ifndef AP_FORMATS_FILE_TYPE_H
#define AP_FORMATS_FILE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The usual extension, "flac" or "zip", or NULL: MP3 shows only deeper inside. 64 bytes are enough. Ogg is
 * "opus" if that is its first stream, else "ogg". */
const char *ap_file_type_of(const unsigned char *bytes, size_t size);
/* Whether it is there for its sound, and how the names of such files end. 64 bytes are enough. */
bool ap_is_sound(const unsigned char *bytes, size_t size);
bool ap_is_sound_name(const char *name);
/* Whether it is a file that libsndfile is to read. 12 bytes are enough. */
bool ap_is_sndfile(const unsigned char *bytes, size_t size);
/* Whether it is AU, as far as the bytes tell; 4 are enough. */
bool ap_is_au(const unsigned char *bytes, size_t size, bool *big_endian);
/* Whether it is WAV, RF64 or RIFX, and whether its numbers are big-endian: RIFX. 12 bytes are enough. */
bool ap_is_wave(const unsigned char *bytes, size_t size);
bool ap_is_rifx(const unsigned char *bytes, size_t size);
/* Whether it is a whole file of sound, which may be appended to another one. 12 bytes are enough. */
bool ap_is_next_file(const unsigned char *bytes, size_t size);
/* Whether it is a tag such as programs append to sound of any kind: ID3v1, ID3v2, APEv2, Lyrics3. As far as
 * the bytes tell; 11 are enough. */
#define AP_TAGS_MAX 4 /* one behind the other, as they are looked for */
/* Bytes of the tag that begins here: ID3v2, ID3v1, APEv2 with a header. 0: there is none of these. At least
 * 32 bytes are wanted. */
uint64_t ap_tag_size(const unsigned char *bytes, size_t size);
bool ap_is_tag(const unsigned char *bytes, size_t size);
/* Whether it is FLAC, or Ogg of any kind. */
bool ap_is_flac(const unsigned char *bytes, size_t size);
bool ap_is_ogg(const unsigned char *bytes, size_t size);
/* A container whose content could look like an MP3 that starts after some junk. 189 bytes are enough. */
bool ap_is_container(const unsigned char *bytes, size_t size);

#endif
