/* SPDX-License-Identifier: GPL-3.0-or-later
 * ID3 tags of every version and encoding. */
#include "formats/mp3/id3.h"
#include "test.h"

/* A tag under construction. */
typedef struct tag {
    unsigned char bytes[4096];
    size_t size;
} tag;

static void put(tag *t, const void *bytes, size_t size)
{
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
}

static void put_number(tag *t, size_t v, int bytes, int bits)
{
    while (bytes--)
        t->bytes[t->size++] = (unsigned char)(v >> bits * bytes & ((1u << bits) - 1));
}

static void begin(tag *t, int version, unsigned flags)
{
    unsigned char header[10] = {'I', 'D', '3', (unsigned char)version, 0, (unsigned char)flags};
    t->size = 0;
    put(t, header, sizeof header);
}

static void frame(tag *t, const char *id, const char *body, size_t size, unsigned flags)
{
    int version = t->bytes[3];
    put(t, id, strlen(id));
    put_number(t, size, version == 2 ? 3 : 4, version == 4 ? 7 : 8);
    if (version > 2)
        put_number(t, flags, 2, 8);
    put(t, body, size);
}

/* Writes the size, parses a copy of exactly that size, and returns the tags. */
static ap_tags *finish(tag *t)
{
    size_t end = t->size;
    t->size = 6;
    put_number(t, end - 10, 4, 7);
    t->size = end;
    CHECK(ap_id3_size(t->bytes, t->size) == t->size);
    unsigned char *copy = malloc(t->size);
    memcpy(copy, t->bytes, t->size);
    ap_tags *tags = ap_tags_new();
    CHECK(ap_id3_parse(copy, t->size, tags));
    free(copy);
    return tags;
}

static void check_value(const ap_tags *tags, const char *key, const char *want)
{
    const char *value = ap_tags_get(tags, key);
    if (!CHECK(value && strcmp(value, want) == 0))
        fprintf(stderr, "%s=%s, not %s\n", key, value ? value : "(none)", want);
}

#define FRAME(t, id, body) frame(t, id, body, sizeof(body) - 1, 0)

static void the_four_encodings(void)
{
    tag t;
    begin(&t, 4, 0);
    FRAME(&t, "TIT2", "\0Caf\xe9");
    FRAME(&t, "TPE1",
          "\1\xff\xfe"
          "C\0a\0f\0\xe9\0\x3d\xd8\x00\xde"); /* U+1F600 as a pair of surrogates */
    FRAME(&t, "TALB", "\2\0C\0a\0f\0\xe9");
    FRAME(&t, "TPE2", "\3Caf\xc3\xa9");
    FRAME(&t, "TCOM", "\1\xfe\xff\0X\xd8\0\0Y"); /* a surrogate alone */
    ap_tags *tags = finish(&t);
    check_value(tags, "TITLE", "Caf\xc3\xa9");
    check_value(tags, "ARTIST", "Caf\xc3\xa9\xf0\x9f\x98\x80");
    check_value(tags, "ALBUM", "Caf\xc3\xa9");
    check_value(tags, "ALBUMARTIST", "Caf\xc3\xa9");
    check_value(tags, "COMPOSER", "X\xef\xbf\xbdY");
    ap_tags_free(&tags);
}

static void the_frames_of_version_3(void)
{
    tag t;
    begin(&t, 3, 0);
    FRAME(&t, "TRCK",
          "\0"
          "3/12");
    FRAME(&t, "TPOS",
          "\0"
          "1/2");
    FRAME(&t, "TYER",
          "\0"
          "1999");
    FRAME(&t, "TCON", "\0(17)");
    FRAME(&t, "TXXX", "\0MOOD\0calm");
    FRAME(&t, "COMM", "\0eng\0nice");
    FRAME(&t, "COMM", "\0engiTunNORM\0 0000");
    FRAME(&t, "USLT", "\1eng\xff\xfe\0\0\xff\xfel\0a\0");
    FRAME(&t, "APIC", "\0image/jpg\0\4\0\xff\xd8\xff back");
    FRAME(&t, "APIC",
          "\1PNG\0\3\xff\xfe"
          "d\0\0\0\x89PNG\r\n\x1a\n front");
    FRAME(&t, "PRIV", "\0\0\0\0");
    ap_tags *tags = finish(&t);
    check_value(tags, "TRACKNUMBER", "3");
    check_value(tags, "TRACKTOTAL", "12");
    check_value(tags, "DISCNUMBER", "1");
    check_value(tags, "DISCTOTAL", "2");
    check_value(tags, "DATE", "1999");
    check_value(tags, "GENRE", "Rock");
    check_value(tags, "MOOD", "calm");
    check_value(tags, "COMMENT", "nice");
    check_value(tags, "LYRICS", "la");
    ap_picture p = ap_tags_picture(tags);
    CHECK(p.size == 14 && strcmp(p.mime, "image/png") == 0);
    ap_tags_free(&tags);
}

static void the_frames_of_version_2(void)
{
    tag t;
    begin(&t, 2, 0);
    FRAME(&t, "TT2", "\0Title");
    FRAME(&t, "TYE",
          "\0"
          "1999");
    FRAME(&t, "COM", "\0eng\0nice");
    FRAME(&t, "PIC", "\0JPG\3\0\xff\xd8\xff front");
    ap_tags *tags = finish(&t);
    check_value(tags, "TITLE", "Title");
    check_value(tags, "DATE", "1999");
    check_value(tags, "COMMENT", "nice");
    CHECK(ap_tags_picture(tags).size == 9);
    ap_tags_free(&tags);
}

static void what_version_4_adds(void)
{
    char body[300] = "\3";
    tag t;
    memset(body + 1, 'x', 298);
    begin(&t, 4, 0);
    FRAME(&t, "TDRC",
          "\0"
          "2001-02-03");
    FRAME(&t, "TYER",
          "\0"
          "1999");
    FRAME(&t, "TPE1", "\3One\0Two");
    frame(&t, "TIT2", "\0\0\0\5\3A\xff\0", 8, 0x03); /* a length, and unsynchronised */
    frame(&t, "TALB", body, sizeof body, 0);         /* a size that needs the synchsafe form */
    frame(&t, "TCOM", "\3secret", 7, 0x04);          /* encrypted */
    ap_tags *tags = finish(&t);
    const char *key, *value;
    check_value(tags, "DATE", "2001-02-03");
    check_value(tags, "ARTIST", "One");
    CHECK(ap_tags_at(tags, 2, &key, &value) && strcmp(value, "Two") == 0);
    check_value(tags, "TITLE", "A\xc3\xbf");
    CHECK(ap_tags_get(tags, "ALBUM") && strlen(ap_tags_get(tags, "ALBUM")) == 298);
    CHECK(!ap_tags_get(tags, "COMPOSER"));
    ap_tags_free(&tags);
}

/* iTunes wrote sizes that are not synchsafe into version 2.4. */
static void plain_sizes_in_version_4(void)
{
    char body[300] = "\3";
    tag t;
    memset(body + 1, 'x', 298);
    begin(&t, 4, 0);
    put(&t, "TALB", 4);
    put_number(&t, sizeof body, 4, 8);
    put_number(&t, 0, 2, 8);
    put(&t, body, sizeof body);
    FRAME(&t, "TIT2", "\3Title");
    ap_tags *tags = finish(&t);
    check_value(tags, "TITLE", "Title");
    ap_tags_free(&tags);
}

static void unsynchronised_tags_and_extended_headers(void)
{
    tag t;
    begin(&t, 3, 0x80);
    FRAME(&t, "TIT2",
          "\1\xff\0\xfe"
          "A\0"); /* stored size 6, means 5 */
    t.bytes[10 + 7] = 5;
    ap_tags *tags = finish(&t);
    check_value(tags, "TITLE", "A");
    ap_tags_free(&tags);
    begin(&t, 3, 0x40);
    put(&t, "\0\0\0\6\0\0\0\0\0\0", 10);
    FRAME(&t, "TIT2", "\0Title");
    tags = finish(&t);
    check_value(tags, "TITLE", "Title");
    ap_tags_free(&tags);
}

static void genres_in_all_their_forms(void)
{
    static const char *const forms[][2] = {
        {"17", "Rock"},    {"(17)", "Rock"},    {"(17)Loud Rock", "Loud Rock"},
        {"(RX)", "Remix"}, {"Own", "Own"},      {"((Odd)", "(Odd)"},
        {"999", "999"},    {"(4)(17)", "Disco"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char body[64];
        tag t;
        int n = snprintf(body, sizeof body, "%c%s", 3, forms[i][0]);
        begin(&t, 3, 0);
        frame(&t, "TCON", body, (size_t)n, 0);
        ap_tags *tags = finish(&t);
        check_value(tags, "GENRE", forms[i][1]);
        ap_tags_free(&tags);
    }
    CHECK(strcmp(ap_genre_name(191), "Psybient") == 0 && !ap_genre_name(192));
}

static void check_values(const ap_tags *tags, const char *key, const char *want)
{
    const char *k, *v;
    char got[256] = "";
    for (size_t i = 0; ap_tags_at(tags, i, &k, &v); i++)
        if (strcmp(k, key) == 0)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s;", v);
    if (!CHECK(strcmp(got, want) == 0))
        fprintf(stderr, "%s=%s, not %s\n", key, got, want);
}

/* Names as MusicBrainz Picard writes them; identifiers, people, several values. */
static void names_of_other_frames(void)
{
    tag t;
    begin(&t, 4, 0);
    FRAME(&t, "TXXX", "\3ARTISTS\0X1\0X2");
    FRAME(&t, "TXXX", "\3MusicBrainz Album Id\0a1");
    FRAME(&t, "TXXX", "\1\xff\xfeO\0w\0n\0\0\0\xff\xfeV\0\0\0\xff\xfeW\0");
    FRAME(&t, "UFID", "http://musicbrainz.org\0t1");
    FRAME(&t, "UFID", "http://elsewhere.org\0t2");
    FRAME(&t, "TIPL", "\3producer\0P\0mix\0M\0conjurer\0C");
    FRAME(&t, "TMCL", "\3drums\0D\0\0E");
    FRAME(&t, "TSSE", "\3LAME");
    FRAME(&t, "COMR", "\3xxxyyy");
    FRAME(&t, "OMM", "\3xxxyyy");
    ap_tags *tags = finish(&t);
    check_values(tags, "ARTISTS", "X1;X2;");
    check_values(tags, "MUSICBRAINZ_ALBUMID", "a1;");
    check_values(tags, "OWN", "V;W;");
    check_values(tags, "MUSICBRAINZ_TRACKID", "t1;");
    check_values(tags, "PRODUCER", "P;");
    check_values(tags, "MIXER", "M;");
    check_values(tags, "PERFORMER", "C (conjurer);D (drums);E;");
    CHECK(!ap_tags_get(tags, "ENCODER") && !ap_tags_get(tags, "COMMENT"));
    ap_tags_free(&tags);
}

static void what_is_made_is_read(void)
{
    static const char *const pairs[][2] = {{"TITLE", "a"},        {"ARTISTS", "X1"},
                                           {"ARTISTS", "X2"},     {"MUSICBRAINZ_ALBUMID", "m"},
                                           {"PRODUCER", "P"},     {"PERFORMER", "D (drums)"},
                                           {"PRODUCER", "Q"},     {"PERFORMER", "(E)"},
                                           {"TRACKNUMBER", "3"},  {"MUSICBRAINZ_TRACKID", "t"},
                                           {"COMPOSERSORT", "s"}, {"PERFORMER", "F"},
                                           {"TRACKTOTAL", "12"},  {"RELEASETYPE", "album"},
                                           {"MOOD", "calm"},      {"OWN", "\xc3\xa4"}};
    ap_tags *tags = ap_tags_new(), *back = ap_tags_new();
    unsigned char *bytes;
    size_t size;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        ap_tags_add(tags, pairs[i][0], pairs[i][1]);
    CHECK(ap_id3_make(tags, NULL, &bytes, &size, NULL) && size % 2 == 0);
    CHECK(ap_id3_parse(bytes, size, back));
    const char *key, *value;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++) {
        char want[256] = "";
        for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++)
            if (strcmp(pairs[k][0], key) == 0)
                snprintf(want + strlen(want), sizeof want - strlen(want), "%s;", pairs[k][1]);
        check_values(back, key, want);
    }
    free(bytes);
    ap_tags_free(&tags);
    ap_tags_free(&back);
}

static void version_1(void)
{
    unsigned char v1[128] = "TAGTitle   ";
    ap_tags *tags = ap_tags_new();
    memset(v1 + 33, 'a', 30);
    memcpy(v1 + 93, "1999", 4);
    v1[126] = 7;
    v1[127] = 17;
    CHECK(ap_id3v1_parse(v1, tags));
    check_value(tags, "TITLE", "Title");
    check_value(tags, "ARTIST", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    check_value(tags, "DATE", "1999");
    check_value(tags, "TRACKNUMBER", "7");
    check_value(tags, "GENRE", "Rock");
    CHECK(!ap_tags_get(tags, "COMMENT"));
    v1[0] = 'X';
    CHECK(!ap_id3v1_parse(v1, tags));
    ap_tags_free(&tags);
}

static void truncated_tags_keep_what_is_there(void)
{
    tag t;
    begin(&t, 3, 0);
    FRAME(&t, "TIT2", "\0Title");
    FRAME(&t, "APIC", "\0image/png\0\3\0\x89PNG\r\n\x1a\n front");
    ap_tags *tags = finish(&t);
    ap_tags_free(&tags);
    for (size_t n = 0; n < t.size; n++) {
        unsigned char *copy = malloc(n + !n);
        memcpy(copy, t.bytes, n);
        tags = ap_tags_new();
        CHECK(!ap_id3_parse(copy, n, tags));
        CHECK(n < 26 || ap_tags_get(tags, "TITLE"));
        ap_tags_free(&tags);
        free(copy);
    }
}

TEST_MAIN(CASE(the_four_encodings), CASE(the_frames_of_version_3), CASE(the_frames_of_version_2),
          CASE(what_version_4_adds), CASE(plain_sizes_in_version_4),
          CASE(unsynchronised_tags_and_extended_headers), CASE(genres_in_all_their_forms), CASE(version_1),
          CASE(names_of_other_frames), CASE(what_is_made_is_read), CASE(truncated_tags_keep_what_is_there))
