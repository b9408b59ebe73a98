/* SPDX-License-Identifier: GPL-3.0-or-later
 * file_type.c - the signatures of files. */
#include "formats/file_type.h"
#include "base/bytes.h"
#include "base/path.h"
#include "formats/mp3/id3.h"

#include <string.h>
#include <strings.h>

#define FLAC "fLaC"
#define OGG "OggS"
#define EBML "\x1a\x45\xdf\xa3"
#define AU ".snd"
#define AU_LITTLE "dns."
#define AU_DEC "\0ds."          /* little-endian as well: what sox -L writes */
#define WEBM "\x42\x82\x84webm" /* DocType: RFC 8794, section 11.2.7. Not always at one place */
#define LOOK 64                 /* bytes from the start that are looked at */
#define OPUS_AT 28              /* the first packet of the first page: RFC 7845, section 3 */

/* What is known of a kind of file. */
enum {
    CONTAINER = 1, /* its content could look like an MP3 that starts after some junk */
    SNDFILE = 2,   /* libsndfile is to read it */
    BEHIND = 4,    /* one may stand behind the sound of another file */
    SOUND = 8,     /* it is there for its sound */
};

typedef struct signature {
    unsigned at, size;
    const char *bytes, *type; /* type NULL: none that is known here */
    unsigned kind;
    const char *outer; /* the file begins with one of these IDs, too; NULL: with any */
} signature;

#define IFF "FORM"
#define RIFX "RIFX"
#define RIFF "RIFFRF64" RIFX

/* The more exact ones first. */
static const signature signatures[] = {
    {0, 4, FLAC, "flac", BEHIND | SOUND, NULL},
    {0, 4, OGG, "ogg", CONTAINER | BEHIND | SOUND, NULL},
    {8, 4, "WAVE", "wav", SNDFILE | BEHIND | SOUND, RIFF},
    {8, 3, "AIF", "aiff", SNDFILE | BEHIND | SOUND, IFF}, /* AIFF, AIFC */
    {8, 4, "8SVX", NULL, SNDFILE | BEHIND, IFF},
    {0, 4, AU, "au", SNDFILE | BEHIND | SOUND, NULL},
    {0, 4, AU_LITTLE, NULL, SNDFILE, NULL},
    {0, 4, AU_DEC, NULL, SNDFILE, NULL},
    {0, 4, "caff", "caf", SNDFILE | BEHIND | SOUND, NULL},
    {0, 8, "riff\x2e\x91\xcf\x11", "w64", SNDFILE | BEHIND | SOUND, NULL},
    {0, 7, "NIST_1A", NULL, SNDFILE | BEHIND, NULL},
    {0, 4, "Crea", NULL, SNDFILE | BEHIND, NULL}, /* Creative Voice File */
    {0, 3, "ID3", "mp3", SOUND, NULL},
    {4, 8, "ftypM4A ", "m4a", CONTAINER | BEHIND | SOUND, NULL},
    {4, 4, "ftyp", "mp4", CONTAINER | BEHIND, NULL},
    {0, 4, EBML, "mkv", CONTAINER | BEHIND, NULL},
    {8, 4, "AVI ", "avi", 0, "RIFF"},
    {0, 4, "PK\3\4", "zip", CONTAINER, NULL},
    {4, 4, "moov", NULL, CONTAINER, NULL},
    {4, 4, "mdat", NULL, CONTAINER, NULL},
    {4, 4, "wide", NULL, CONTAINER, NULL},
    {4, 4, "free", NULL, CONTAINER, NULL},
    {4, 4, "skip", NULL, CONTAINER, NULL},
    {0, 4, "\x30\x26\xb2\x75", NULL, CONTAINER | BEHIND, NULL}, /* ASF */
    {0, 4, "wvpk", NULL, BEHIND, NULL},
    {0, 4, "TTA1", NULL, BEHIND, NULL},
    {0, 4, "RIFF", NULL, CONTAINER, NULL},
    {0, 4, "FORM", NULL, CONTAINER, NULL},
    {0, 4, "FLV\x01", NULL, CONTAINER | BEHIND, NULL},
    {0, 4, ".RMF", NULL, CONTAINER, NULL},
    {0, 4, "%PDF", NULL, CONTAINER, NULL},
    {0, 4, "\0\0\1\xba", NULL, CONTAINER, NULL}, /* MPEG program stream */
};

static bool has(const unsigned char *p, size_t size, size_t at, const char *bytes, size_t count)
{
    return at + count <= size && memcmp(p + at, bytes, count) == 0;
}

/* Whether the first four bytes are one of ids, a list of four bytes each. */
static bool is_any(const unsigned char *p, size_t size, const char *ids)
{
    for (; *ids; ids += 4)
        if (has(p, size, 0, ids, 4))
            return true;
    return false;
}

static bool is(const signature *s, const unsigned char *p, size_t size)
{
    return has(p, size, s->at, s->bytes, s->size) && (!s->outer || is_any(p, size, s->outer));
}

/* Whether it is any file of the kind. */
static bool is_kind(unsigned kind, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (signatures[i].kind & kind && is(&signatures[i], bytes, size))
            return true;
    return false;
}

const char *ap_file_type_of(const unsigned char *bytes, size_t size)
{
    if (ap_is_ogg(bytes, size) && has(bytes, size, OPUS_AT, "OpusHead", 8))
        return "opus";
    if (has(bytes, size, 0, EBML, 4) && memmem(bytes, size < LOOK ? size : LOOK, WEBM, 7))
        return "webm";
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (signatures[i].type && is(&signatures[i], bytes, size))
            return signatures[i].type;
    return NULL;
}

bool ap_is_sound(const unsigned char *bytes, size_t size)
{
    return is_kind(SOUND, bytes, size);
}

bool ap_is_sound_name(const char *name)
{
    static const char *const known[] = {"wav", "wave", "w64", "rf64", "aif",  "aiff", "aifc", "au",   "snd",
                                        "caf", "flac", "mp3", "mp2",  "mpga", "ogg",  "oga",  "opus", "m4a",
                                        "m4b", "aac",  "ac3", "eac3", "dts",  "wma",  "ape",  "wv",   "tta",
                                        "mpc", "mka",  "spx", "amr",  "dsf",  "dff"};
    const char *extension = ap_extension(name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(extension, known[i]) == 0)
            return true;
    return false;
}

bool ap_is_au(const unsigned char *bytes, size_t size, bool *big_endian)
{
    size_t n = size < 4 ? size : 4;
    *big_endian = memcmp(bytes, AU, n) == 0;
    return *big_endian || memcmp(bytes, AU_LITTLE, n) == 0 || memcmp(bytes, AU_DEC, n) == 0;
}

bool ap_is_sndfile(const unsigned char *bytes, size_t size)
{
    return size >= 12 && is_kind(SNDFILE, bytes, size);
}

bool ap_is_wave(const unsigned char *bytes, size_t size)
{
    return has(bytes, size, 8, "WAVE", 4) && is_any(bytes, size, RIFF);
}

bool ap_is_rifx(const unsigned char *bytes, size_t size)
{
    return ap_is_wave(bytes, size) && has(bytes, size, 0, RIFX, 4);
}

bool ap_is_next_file(const unsigned char *bytes, size_t size)
{
    return size >= 12 && is_kind(BEHIND, bytes, size);
}

bool ap_is_tag(const unsigned char *bytes, size_t size)
{
    static const char *const ids[] = {"TAG", "ID3", "APETAGEX", "LYRICSBEGIN"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        size_t n = strlen(ids[i]);
        if (memcmp(bytes, ids[i], n < size ? n : size) == 0)
            return true;
    }
    return false;
}

uint64_t ap_tag_size(const unsigned char *bytes, size_t size)
{
    if (size >= 10 && ap_id3_size(bytes, size))
        return ap_id3_size(bytes, size);
    if (has(bytes, size, 0, "TAG", 3))
        return 128;
    return size >= 32 && has(bytes, size, 0, "APETAGEX", 8) ? 32 + ap_get_little(bytes + 12, 4) : 0;
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
    return is_kind(CONTAINER, bytes, size) ||
           (size > 188 && bytes[0] == 0x47 && bytes[188] == 0x47); /* MPEG-TS */
}
