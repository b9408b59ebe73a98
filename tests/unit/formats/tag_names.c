/* SPDX-License-Identifier: GPL-3.0-or-later
 * The names of keys in other formats, against id3v2.4.0-frames, id3v2-00 (2.2) and MusicBrainz Picard's "Tag
 * Mapping". */
#include "formats/tag_names.h"
#include "test.h"

static bool is(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

static void text_frames(void)
{
    static const char *const rows[][3] = {{"TITLE", "TIT2", "TT2"},      {"ARTIST", "TPE1", "TP1"},
                                          {"ALBUM", "TALB", "TAL"},      {"ALBUMARTIST", "TPE2", "TP2"},
                                          {"COMPOSER", "TCOM", "TCM"},   {"TRACKNUMBER", "TRCK", "TRK"},
                                          {"DISCNUMBER", "TPOS", "TPA"}, {"ISRC", "TSRC", "TRC"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(is(ap_tag_id3_of_key(rows[i][0]), rows[i][1]));
        CHECK(is(ap_tag_key_of_id3(rows[i][1]), rows[i][0]) && is(ap_tag_key_of_id3(rows[i][2]), rows[i][0]));
    }
    CHECK(is(ap_tag_id3_of_key("MY_OWN"), "TXXX") && !ap_tag_key_of_id3("XYZ1") && !ap_tag_key_of_id3(""));
}

static void free_names(void)
{
    CHECK(is(ap_tag_name_of_key("MUSICBRAINZ_ALBUMID"), "MusicBrainz Album Id"));
    CHECK(is(ap_tag_key_of_name("MusicBrainz Album Id"), "MUSICBRAINZ_ALBUMID"));
    CHECK(is(ap_tag_key_of_name("musicbrainz/album id"), "MUSICBRAINZ_ALBUMID")); /* ASF */
    CHECK(is(ap_tag_key_of_name("MusicBrainz Album"), "MusicBrainz Album"));      /* not all of a name */
    CHECK(is(ap_tag_key_of_name("MusicBrainz Album Ids"), "MusicBrainz Album Ids"));
    CHECK(is(ap_tag_name_of_key("MY_OWN"), "MY_OWN") && is(ap_tag_key_of_name(""), ""));
}

static void people_and_totals(void)
{
    CHECK(is(ap_tag_key_of_role("Producer"), "PRODUCER") && is(ap_tag_key_of_role("mixer"), "MIXER"));
    CHECK(is(ap_tag_role_of_key("MIXER"), "mix") && is(ap_tag_role_of_key("DJMIXER"), "DJ-mix"));
    CHECK(!ap_tag_key_of_role("oboe") && !ap_tag_role_of_key("TITLE"));
    const ap_tag_total *track = ap_tag_total_of("TRACKNUMBER");
    CHECK(track && is(track->total, "TRACKTOTAL") && is(track->alias, "TOTALTRACKS"));
    CHECK(!ap_tag_total_of("TRACKTOTAL") && !ap_tag_total_of("TITLE"));
}

TEST_MAIN(CASE(text_frames), CASE(free_names), CASE(people_and_totals))
