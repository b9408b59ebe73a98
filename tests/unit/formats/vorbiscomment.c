/* SPDX-License-Identifier: GPL-3.0-or-later
 * Vorbis comments, FLAC pictures, base64. */
#include "formats/vorbiscomment.h"
#include "base/base64.h"
#include "test.h"

static const unsigned char png[] = "\x89PNG\r\n\x1a\n....";

/* Appends a little-endian length and the bytes. */
static size_t put(unsigned char *to, const void *bytes, uint32_t size)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(size >> 8 * i);
    memcpy(to + 4, bytes, size);
    return 4 + size;
}

/* A comment block with the given strings. */
static size_t make_block(unsigned char *to, size_t count, const char *const *strings)
{
    size_t n = put(to, "vendor", 6);
    n += put(to + n, "", 0);
    to[n - 4] = (unsigned char)count;
    for (size_t i = 0; i < count; i++)
        n += put(to + n, strings[i], (uint32_t)strlen(strings[i]));
    return n;
}

static void base64_is_that_of_rfc4648(void)
{
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}}; /* RFC 4648, section 10 */
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char *text = ap_base64_encode((const unsigned char *)vectors[i][0], strlen(vectors[i][0]));
        CHECK(strcmp(text, vectors[i][1]) == 0);
        free(text);
    }
}

static void comments_are_read(void)
{
    static const char *const strings[] = {"title=Caf\xc3\xa9", "ARTIST=a", "Artist=b", "EMPTY=", "X=a=b"};
    unsigned char block[256];
    size_t size = make_block(block, 5, strings);
    ap_tags *tags = ap_tags_new();
    const char *key, *value;
    CHECK(ap_vorbiscomment_parse(block, size, tags));
    CHECK(strcmp(ap_tags_get(tags, "TITLE"), "Caf\xc3\xa9") == 0);
    CHECK(ap_tags_at(tags, 2, &key, &value) && strcmp(key, "ARTIST") == 0 && strcmp(value, "b") == 0);
    CHECK(strcmp(ap_tags_get(tags, "X"), "a=b") == 0);
    CHECK(!ap_tags_at(tags, 4, &key, &value));
    ap_tags_free(&tags);
}

static void positions_are_split(void)
{
    static const char *const strings[] = {"tracknumber=3/12", "DISCNUMBER=1/2", "TOTALDISCS=4",
                                          "MOVEMENT=x/2"};
    unsigned char block[256];
    size_t size = make_block(block, 4, strings);
    ap_tags *tags = ap_tags_new();
    CHECK(ap_vorbiscomment_parse(block, size, tags));
    CHECK(strcmp(ap_tags_get(tags, "TRACKNUMBER"), "3") == 0);
    CHECK(strcmp(ap_tags_get(tags, "TRACKTOTAL"), "12") == 0);
    CHECK(strcmp(ap_tags_get(tags, "DISCNUMBER"), "1") == 0);
    CHECK(strcmp(ap_tags_get(tags, "MOVEMENT"), "x/2") == 0);
    ap_tags_free(&tags);
}

static void older_covers_are_found(void)
{
    static const char *const strings[] = {"COVERARTMIME=image/png", "CoverArt=iVBORw0KGgouLi4u",
                                          "COVERARTX=x"};
    unsigned char block[256];
    size_t size = make_block(block, 3, strings);
    ap_tags *tags = ap_tags_new();
    CHECK(ap_vorbiscomment_parse(block, size, tags));
    CHECK(ap_tags_picture(tags).size == 12 && strcmp(ap_tags_picture(tags).mime, "image/png") == 0);
    CHECK(!ap_tags_get(tags, "COVERART") && !ap_tags_get(tags, "COVERARTMIME") &&
          ap_tags_get(tags, "COVERARTX"));
    ap_tags_free(&tags);
}

static void a_bad_entry_does_not_hide_the_good_ones(void)
{
    static const char *const strings[] = {"no equals sign", "=no key", "TITLE=t"};
    unsigned char block[256];
    size_t size = make_block(block, 3, strings);
    ap_tags *tags = ap_tags_new();
    CHECK(!ap_vorbiscomment_parse(block, size, tags));
    CHECK(ap_tags_get(tags, "TITLE") && strcmp(ap_tags_get(tags, "TITLE"), "t") == 0);
    ap_tags_free(&tags);
}

/* Every shorter block is malformed, keeps what it has, and is not read past its end (the sanitizer looks). */
static void truncated_blocks_are_malformed(void)
{
    static const char *const strings[] = {"TITLE=t", "ARTIST=a"};
    unsigned char block[256];
    size_t size = make_block(block, 2, strings);
    for (size_t n = 0; n < size; n++) {
        unsigned char *copy = malloc(n + !n);
        memcpy(copy, block, n);
        ap_tags *tags = ap_tags_new();
        CHECK(!ap_vorbiscomment_parse(copy, n, tags));
        CHECK(!ap_tags_get(tags, "ARTIST"));
        ap_tags_free(&tags);
        free(copy);
    }
}

static void a_picture_survives_the_round_trip(void)
{
    ap_picture picture = {"image/png", png, sizeof png}, back;
    size_t size;
    unsigned char *block = ap_flac_picture_make(&picture, &size);
    ap_tags *tags = ap_tags_new();
    CHECK(ap_flac_picture_parse(block, size, tags));
    back = ap_tags_picture(tags);
    CHECK(back.size == sizeof png && memcmp(back.data, png, back.size) == 0);
    CHECK(strcmp(back.mime, "image/png") == 0);
    for (size_t n = 0; n < size; n++)
        CHECK(!ap_flac_picture_parse(block, n, tags));
    ap_tags_free(&tags);
    free(block);
}

static void a_picture_in_a_comment_is_found(void)
{
    ap_picture picture = {"image/png", png, sizeof png};
    size_t size;
    unsigned char *block = ap_flac_picture_make(&picture, &size), comments[1024];
    char *text = ap_base64_encode(block, size), entry[512];
    snprintf(entry, sizeof entry, "metadata_block_picture=%s", text);
    const char *strings[] = {entry};
    ap_tags *tags = ap_tags_new();
    CHECK(ap_vorbiscomment_parse(comments, make_block(comments, 1, strings), tags));
    CHECK(ap_tags_picture(tags).size == sizeof png);
    CHECK(!ap_tags_get(tags, "METADATA_BLOCK_PICTURE"));
    ap_tags_free(&tags);
    free(text);
    free(block);
}

static void the_front_cover_is_preferred(void)
{
    static const unsigned char back[] = "\xff\xd8\xff back", front[] = "\x89PNG\r\n\x1a\n front";
    for (int front_first = 0; front_first < 2; front_first++) {
        ap_tags *tags = ap_tags_new();
        for (int i = 0; i < 2; i++) {
            bool is_front = (i == 0) == front_first;
            CHECK(ap_picture_add(tags, is_front ? 3 : 4, "", is_front ? front : back,
                                 is_front ? sizeof front : sizeof back));
        }
        CHECK(strcmp(ap_tags_picture(tags).mime, "image/png") == 0);
        ap_tags_free(&tags);
    }
}

static void what_is_not_an_image_is_refused(void)
{
    ap_tags *tags = ap_tags_new();
    CHECK(!ap_picture_add(tags, 3, "-->", (const unsigned char *)"http://x", 8));
    CHECK(ap_tags_picture(tags).size == 0);
    ap_tags_free(&tags);
}

static void a_value_can_be_set_to_itself(void)
{
    ap_tags *tags = ap_tags_new();
    CHECK(ap_tags_add(tags, "ARTIST", "First") && ap_tags_add(tags, "ARTIST", "Second"));
    CHECK(ap_tags_set(tags, "artist", ap_tags_get(tags, "ARTIST")));
    CHECK(strcmp(ap_tags_get(tags, "ARTIST"), "First") == 0);
    CHECK(ap_tags_set(tags, "ARTIST", "") && !ap_tags_get(tags, "ARTIST"));
    ap_tags_free(&tags);
}

TEST_MAIN(CASE(a_value_can_be_set_to_itself), CASE(base64_is_that_of_rfc4648), CASE(comments_are_read),
          CASE(positions_are_split), CASE(older_covers_are_found),
          CASE(a_bad_entry_does_not_hide_the_good_ones), CASE(truncated_blocks_are_malformed),
          CASE(a_picture_survives_the_round_trip), CASE(a_picture_in_a_comment_is_found),
          CASE(the_front_cover_is_preferred), CASE(what_is_not_an_image_is_refused))
