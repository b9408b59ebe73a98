/* SPDX-License-Identifier: GPL-3.0-or-later
 * tag_names.c - one table of names for all formats: id3v2.4.0-frames, and "Appendix B: Tag Mapping" of
 * MusicBrainz Picard's documentation, which other taggers follow. */
#include "formats/tag_names.h"

#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Keys with a text frame of their own. The first row of an id is its key when it is read. */
static const struct {
    const char *key, *id, *old; /* old: in version 2.2 */
} frames[] = {
    {"TITLE", "TIT2", "TT2"},
    {"ARTIST", "TPE1", "TP1"},
    {"ALBUM", "TALB", "TAL"},
    {"ALBUMARTIST", "TPE2", "TP2"},
    {"ALBUM ARTIST", "TPE2", ""},
    {"TRACKNUMBER", "TRCK", "TRK"},
    {"DISCNUMBER", "TPOS", "TPA"},
    {"DATE", "TDRC", "TYE"},
    {"DATE", "TYER", ""},
    {"YEAR", "TDRC", ""},
    {"GENRE", "TCON", "TCO"},
    {"COMMENT", "COMM", "COM"},
    {"DESCRIPTION", "COMM", ""},
    {"COMPOSER", "TCOM", "TCM"},
    {"LYRICS", "USLT", "ULT"},
    {"UNSYNCEDLYRICS", "USLT", ""},
    {"LYRICIST", "TEXT", "TXT"},
    {"CONDUCTOR", "TPE3", "TP3"},
    {"REMIXER", "TPE4", "TP4"},
    {"LABEL", "TPUB", "TPB"},
    {"ORGANIZATION", "TPUB", ""},
    {"PUBLISHER", "TPUB", ""},
    {"COPYRIGHT", "TCOP", "TCR"},
    {"BPM", "TBPM", "TBP"},
    {"ISRC", "TSRC", "TRC"},
    {"LANGUAGE", "TLAN", "TLA"},
    {"GROUPING", "TIT1", "TT1"},
    {"SUBTITLE", "TIT3", "TT3"},
    {"COMPILATION", "TCMP", "TCP"},
    {"ORIGINALDATE", "TDOR", "TOR"},
    {"ORIGINALDATE", "TORY", ""},
    {"ORIGINALFILENAME", "TOFN", "TOF"},
    {"INITIALKEY", "TKEY", "TKE"},
    {"MOOD", "TMOO", ""},
    {"MEDIA", "TMED", "TMT"},
    {"DISCSUBTITLE", "TSST", ""},
    {"ENCODER", "TSSE", ""},
    {"ENCODEDBY", "TENC", "TEN"},
    {"ENCODED-BY", "TENC", ""},
    {"TITLESORT", "TSOT", "TST"},
    {"ARTISTSORT", "TSOP", "TSP"},
    {"ALBUMSORT", "TSOA", "TSA"},
    {"ALBUMARTISTSORT", "TSO2", "TS2"},
    {"COMPOSERSORT", "TSOC", "TSC"},
    {"MOVEMENTNAME", "MVNM", ""},
    {"MOVEMENT", "MVIN", ""},
};

static const char *const names[][2] = {
    {"ACOUSTID_FINGERPRINT", "Acoustid Fingerprint"},
    {"ACOUSTID_ID", "Acoustid Id"},
    {"MUSICBRAINZ_ALBUMARTISTID", "MusicBrainz Album Artist Id"},
    {"MUSICBRAINZ_ALBUMID", "MusicBrainz Album Id"},
    {"MUSICBRAINZ_ARTISTID", "MusicBrainz Artist Id"},
    {"MUSICBRAINZ_DISCID", "MusicBrainz Disc Id"},
    {"MUSICBRAINZ_ORIGINALALBUMID", "MusicBrainz Original Album Id"},
    {"MUSICBRAINZ_ORIGINALARTISTID", "MusicBrainz Original Artist Id"},
    {"MUSICBRAINZ_RELEASEGROUPID", "MusicBrainz Release Group Id"},
    {"MUSICBRAINZ_RELEASETRACKID", "MusicBrainz Release Track Id"},
    {"MUSICBRAINZ_TRACKID", "MusicBrainz Track Id"}, /* of MP4; ID3v2 has UFID for it */
    {"MUSICBRAINZ_TRMID", "MusicBrainz TRM Id"},
    {"MUSICBRAINZ_WORKID", "MusicBrainz Work Id"},
    {"MUSICIP_PUID", "MusicIP PUID"},
    {"RELEASECOUNTRY", "MusicBrainz Album Release Country"},
    {"RELEASESTATUS", "MusicBrainz Album Status"},
    {"RELEASETYPE", "MusicBrainz Album Type"},
};

static const char *const roles[][2] = {
    {"ARRANGER", "arranger"}, {"ENGINEER", "engineer"}, {"PRODUCER", "producer"},
    {"MIXER", "mix"},         {"DJMIXER", "DJ-mix"},    {"MIXER", "mixer"},
};

static const ap_tag_total totals[] = {
    {"TRACKNUMBER", "TRACKTOTAL", "TOTALTRACKS"},
    {"DISCNUMBER", "DISCTOTAL", "TOTALDISCS"},
    {"MOVEMENT", "MOVEMENTTOTAL", "MOVEMENTTOTAL"},
};

/* ASF has a slash where the others have a space: "MusicBrainz/Album Id". */
static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        char pair[2] = {*a == '/' ? ' ' : *a, *b};
        if (strncasecmp(pair, pair + 1, 1) != 0)
            return false;
    }
    return *a == *b;
}

const char *ap_tag_key_of_name(const char *name)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (same_name(name, names[i][1]))
            return names[i][0];
    return name;
}

const char *ap_tag_name_of_key(const char *key)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(key, names[i][0]) == 0)
            return names[i][1];
    return key;
}

const char *ap_tag_key_of_id3(const char *id)
{
    for (size_t i = 0; i < COUNT(frames); i++)
        if (strcmp(id, frames[i].id) == 0 || (strlen(id) == 3 && strcmp(id, frames[i].old) == 0))
            return frames[i].key;
    return NULL;
}

const char *ap_tag_id3_of_key(const char *key)
{
    for (size_t i = 0; i < COUNT(frames); i++)
        if (strcmp(key, frames[i].key) == 0)
            return frames[i].id;
    return "TXXX";
}

const char *ap_tag_key_of_role(const char *role)
{
    for (size_t i = 0; i < COUNT(roles); i++)
        if (strcasecmp(role, roles[i][1]) == 0)
            return roles[i][0];
    return NULL;
}

const char *ap_tag_role_of_key(const char *key)
{
    for (size_t i = 0; i < COUNT(roles); i++)
        if (strcmp(key, roles[i][0]) == 0)
            return roles[i][1];
    return NULL;
}

const ap_tag_total *ap_tag_total_of(const char *key)
{
    for (size_t i = 0; i < COUNT(totals); i++)
        if (strcmp(key, totals[i].number) == 0)
            return &totals[i];
    return NULL;
}
