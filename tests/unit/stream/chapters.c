/* SPDX-License-Identifier: GPL-3.0-or-later
 * chapters.c - chapters among the tags. */
#include "stream/chapters.h"
#include "test.h"

/* "start title;" of all chapters. */
static void check(const ap_tags *tags, const char *want)
{
    ap_chapter *list;
    size_t count, n = 0;
    char got[256] = "";
    CHECK(ap_chapters_list(tags, &list, &count));
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%llu %s;", (unsigned long long)list[i].start_ms,
                              list[i].title ? list[i].title : "-");
    if (!CHECK(strcmp(got, want) == 0))
        fprintf(stderr, "%s, not %s\n", got, want);
    free(list);
}

static void what_is_added_is_listed(void)
{
    ap_tags *tags = ap_tags_new();
    check(tags, "");
    CHECK(ap_tags_add(tags, "TITLE", "x"));
    CHECK(ap_chapters_add(tags, 0, "One") && ap_chapters_add(tags, 3723004, NULL));
    CHECK(strcmp(ap_tags_get(tags, "CHAPTER001"), "00:00:00.000") == 0);
    CHECK(strcmp(ap_tags_get(tags, "CHAPTER002"), "01:02:03.004") == 0);
    check(tags, "0 One;3723004 -;");
    ap_tags_free(&tags);
}

static void other_programs_write_them_otherwise(void)
{
    ap_tags *tags = ap_tags_new();
    ap_tags_add(tags, "CHAPTER002NAME", "Two");
    ap_tags_add(tags, "CHAPTER002", "100:00:01");
    ap_tags_add(tags, "CHAPTER000", "00:00:00.5");
    ap_tags_add(tags, "CHAPTER001", "00:00:02.123456");
    ap_tags_add(tags, "CHAPTER003", "nonsense");
    ap_tags_add(tags, "CHAPTER004", "00:60:00.000");
    ap_tags_add(tags, "CHAPTER05", "00:00:00.000");
    ap_tags_add(tags, "CHAPTERX", "00:00:00.000");
    check(tags, "500 -;2123 -;360001000 Two;");
    CHECK(ap_is_chapter_key("CHAPTER002NAME") && ap_is_chapter_key("CHAPTER999URL"));
    CHECK(!ap_is_chapter_key("CHAPTER02") && !ap_is_chapter_key("CHAPTER002X") &&
          !ap_is_chapter_key("TITLE"));
    ap_tags_free(&tags);
}

static void check_cut(uint64_t start, uint64_t length, const char *want)
{
    ap_tags *tags = ap_tags_new();
    CHECK(ap_tags_add(tags, "TITLE", "x"));
    CHECK(ap_chapters_add(tags, 1000, "One") && ap_chapters_add(tags, 2000, "Two") &&
          ap_chapters_add(tags, 3000, "Three"));
    CHECK(ap_tags_cut(tags, 8 * start, length == AP_UNKNOWN ? length : 8 * length, 8000));
    check(tags, want);
    CHECK(strcmp(ap_tags_get(tags, "TITLE"), "x") == 0);
    ap_tags_free(&tags);
}

static void parts_have_their_own(void)
{
    check_cut(0, AP_UNKNOWN, "1000 One;2000 Two;3000 Three;");
    check_cut(0, 1000, "");
    check_cut(0, 1001, "1000 One;");
    check_cut(1500, 1000, "0 One;500 Two;");
    check_cut(2000, 1000, "0 Two;");
    check_cut(9000, AP_UNKNOWN, "0 Three;");
}

static void check_reference(const char *value, uint64_t start, uint32_t rate, const char *want)
{
    ap_tags *tags = ap_tags_new();
    CHECK(ap_tags_add(tags, AP_TIME_REFERENCE, value) && ap_tags_cut(tags, start, AP_UNKNOWN, rate));
    if (!CHECK(strcmp(ap_tags_get(tags, AP_TIME_REFERENCE), want) == 0))
        fprintf(stderr, "%s, not %s\n", ap_tags_get(tags, AP_TIME_REFERENCE), want);
    ap_tags_free(&tags);
}

static void references_move(void)
{
    check_reference("48000/48000", 0, 44100, "48000/48000");
    check_reference("48000/48000", 100, 48000, "48100/48000");
    check_reference("48000/48000", 100, 44100, "44200/44100");
    check_reference("99999999999999999999/48000", 100, 44100, "99999999999999999999/48000");
    check_reference("5/0", 100, 44100, "5/0");
    check_reference("noon", 100, 44100, "noon");
}

static void a_delay_moves_all(void)
{
    ap_tags *tags = ap_tags_new();
    CHECK(ap_chapters_add(tags, 0, "One") && ap_chapters_add(tags, 1000, NULL));
    CHECK(ap_tags_set(tags, AP_TIME_REFERENCE, "96000/48000"));
    CHECK(ap_tags_delay(tags, 4000, 8000));
    check(tags, "500 One;1500 -;");
    CHECK(strcmp(ap_tags_get(tags, AP_TIME_REFERENCE), "12000/8000") == 0);
    CHECK(ap_tags_delay(tags, 80000, 8000)); /* before midnight */
    CHECK(strcmp(ap_tags_get(tags, AP_TIME_REFERENCE), "0/8000") == 0);
    CHECK(!ap_tags_delay(tags, UINT64_MAX / 2, 8000));
    ap_tags_free(&tags);
}

static void what_is_appended_has_chapters(void)
{
    ap_tags *tags = ap_tags_new(), *part = ap_tags_new(), *none = ap_tags_new();
    CHECK(ap_tags_append(tags, none, 8000, 8000));
    check(tags, ""); /* neither has any */
    CHECK(ap_chapters_add(part, 0, "A") && ap_chapters_add(part, 250, "B") &&
          ap_tags_set(none, "TITLE", "C"));
    CHECK(ap_tags_append(tags, part, 8000, 8000) && ap_tags_append(tags, none, 16000, 8000) &&
          ap_tags_append(tags, NULL, 24000, 8000));
    check(tags, "1000 A;1250 B;2000 C;3000 -;");
    ap_tags_free(&tags);
    ap_tags_free(&part);
    ap_tags_free(&none);
}

static void there_is_an_end(void)
{
    ap_tags *tags = ap_tags_new();
    for (unsigned i = 1; i < AP_MAX_CHAPTERS; i++)
        CHECK(ap_chapters_add(tags, i, NULL));
    CHECK(!ap_chapters_add(tags, 5, "more"));
    ap_tags_free(&tags);
}

TEST_MAIN(CASE(a_delay_moves_all), CASE(what_is_appended_has_chapters), CASE(what_is_added_is_listed),
          CASE(other_programs_write_them_otherwise), CASE(parts_have_their_own), CASE(references_move),
          CASE(there_is_an_end))
