/* SPDX-License-Identifier: GPL-3.0-or-later
 * file_type.c - the signatures of files. */
#include "formats/file_type.h"

#include <string.h>

#define FLAC "fLaC"
#define OGG "OggS"
#define OPUS_AT 28 /* the first packet of the first page: RFC 7845, section 3 */

typedef struct signature {
    unsigned at, size;
    const char *bytes, *type; /* NULL: none that has a name here */
    bool container;
} signature;

/* The more exact ones first. */
static const signature signatures[] = {
    {0, 4, FLAC, "flac", false},
    {0, 4, OGG, "ogg", true},
    {8, 4, "WAVE", "wav", false},
    {8, 4, "AIFF", "aiff", false},
    {8, 4, "AIFC", "aiff", false},
    {0, 4, ".snd", "au", false},
    {0, 4, "caff", "caf", false},
    {0, 4, "riff", "w64", false},
    {0, 3, "ID3", "mp3", false},
    {4, 8, "ftypM4A ", "m4a", true},
    {4, 4, "ftyp", "mp4", true},
    {31, 4, "webm", "webm", false},
    {0, 4, "\x1a\x45\xdf\xa3", "mkv", true},
    {8, 4, "AVI ", "avi", false},
    {0, 4, "PK\3\4", "zip", true},
    {4, 4, "moov", NULL, true},
    {4, 4, "mdat", NULL, true},
    {4, 4, "wide", NULL, true},
    {4, 4, "free", NULL, true},
    {4, 4, "skip", NULL, true},
    {0, 4, "\x30\x26\xb2\x75", NULL, true}, /* ASF */
    {0, 4, "RIFF", NULL, true},
    {0, 4, "FORM", NULL, true},
    {0, 4, "FLV\x01", NULL, true},
    {0, 4, ".RMF", NULL, true},
    {0, 4, "%PDF", NULL, true},
    {0, 4, "\0\0\1\xba", NULL, true}, /* MPEG program stream */
};

static bool has(const unsigned char *p, size_t size, size_t at, const char *bytes, size_t count)
{
    return at + count <= size && memcmp(p + at, bytes, count) == 0;
}

const char *ap_file_type_of(const unsigned char *bytes, size_t size)
{
    if (ap_is_ogg(bytes, size) && has(bytes, size, OPUS_AT, "OpusHead", 8))
        return "opus";
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (s->type && has(bytes, size, s->at, s->bytes, s->size))
            return s->type;
    }
    return NULL;
}

bool ap_is_flac(const unsigned char *bytes, size_t size)
{
    return has(bytes, size, 0, FLAC, 4);
}

bool ap_is_ogg(const unsigned char *bytes, size_t size)
{
    return has(bytes, size, 0, OGG, 4);
}

bool ap_is_container(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (s->container && has(bytes, size, s->at, s->bytes, s->size))
            return true;
    }
    return size > 188 && bytes[0] == 0x47 && bytes[188] == 0x47; /* MPEG-TS */
}
