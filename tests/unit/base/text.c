/* SPDX-License-Identifier: GPL-3.0-or-later
 * UTF-8 as RFC 3629 and table 3-7 of Unicode 15 have it, and control characters. */
#include "base/text.h"
#include "test.h"

static void what_is_a_character(void)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {"", 1},
        {"a", 1},
        {"\x7f", 1},
        {"\x80", 0},
        {"\xbf", 0},
        {"\xc0\x80", 0}, /* overlong */
        {"\xc1\xbf", 0},
        {"\xc2\x80", 2},
        {"\xc3", 0}, /* cut */
        {"\xdf\xbf", 2},
        {"\xe0\x9f\xbf", 0},
        {"\xe0\xa0\x80", 3},
        {"\xe2\x82", 0},
        {"\xe2\x82\xac", 3},
        {"\xed\x9f\xbf", 3},
        {"\xed\xa0\x80", 0}, /* a surrogate */
        {"\xee\x80\x80", 3},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf0\x90\x80\x80", 4},
        {"\xf0\x9f\x8e\xb5", 4},
        {"\xf0\x9f\x8e", 0},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 0}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_NEAR(ap_utf8_length(rows[i].text), rows[i].length, 0);
}

static void all_of_a_text_counts(void)
{
    CHECK(ap_is_utf8("") && ap_is_utf8("Mot\xc3\xb6rhead \xe2\x82\xac"));
    CHECK(!ap_is_utf8("Mot\xf6rhead") && !ap_is_utf8("Mot\xc3"));
}

static void other_bytes_are_latin_1(void)
{
    static const char *const rows[][2] = {{"Mot\xf6rhead", "Mot\xc3\xb6rhead"},
                                          {"Mot\xc3\xb6r", "Mot\xc3\xb6r"},
                                          {"\xa0\xff", "\xc2\xa0\xc3\xbf"},
                                          {"", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = ap_to_utf8(rows[i][0]);
        CHECK(text && strcmp(text, rows[i][1]) == 0);
        free(text);
    }
}

static void control_characters_do_not_reach_a_line(void)
{
    char text[] = "a\nb\x1b[2J\x7f\t\xc3\xb6";
    ap_text_one_line(text);
    CHECK(strcmp(text, "a?b?[2J??\xc3\xb6") == 0);
    CHECK(ap_is_control('\0') && ap_is_control('\x1f') && !ap_is_control(' ') && !ap_is_control('\xc3'));
}

static void all_characters_are_written(void)
{
    static const uint32_t ends[] = {1, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    static const size_t lengths[] = {1, 1, 2, 2, 3, 3, 3, 3, 4, 4};
    char text[5];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        memset(text, 0, sizeof text);
        CHECK(ap_utf8_put(text, ends[i]) == lengths[i] && ap_utf8_length(text) == lengths[i]);
    }
    CHECK(ap_utf8_put(text, 0x20ac) == 3 && memcmp(text, "\xe2\x82\xac", 3) == 0);
}

static void no_character_is_cut(void)
{
    static const char text[] = "a\xc3\xb6\xe2\x82\xac\xf0\x9f\x8e\xb5";
    static const size_t fits[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t most = 0; most < sizeof fits / sizeof *fits; most++)
        CHECK_NEAR(ap_utf8_fit(text, most), fits[most], 0);
    CHECK(ap_utf8_fit("\x80\x80\x80\x80\x80\x80", 5) >= 2); /* no text: most of it stays all the same */
}

static void words_are_whole(void)
{
    CHECK(ap_lists_word("https://a.example, https://b.example", "https://b.example"));
    CHECK(!ap_lists_word("https://a.example", "https://a.exampl"));
    CHECK(!ap_lists_word("https://a.example", "https://a.example.evil"));
    CHECK(!ap_lists_word("https://a.example", "") && !ap_lists_word(NULL, "a") && !ap_lists_word("", "a"));
    CHECK(ap_lists_word("audio video", "video") && !ap_lists_word("audio video", "audio video"));
}

TEST_MAIN(CASE(words_are_whole), CASE(all_characters_are_written), CASE(no_character_is_cut),
          CASE(what_is_a_character), CASE(all_of_a_text_counts), CASE(other_bytes_are_latin_1),
          CASE(control_characters_do_not_reach_a_line))
