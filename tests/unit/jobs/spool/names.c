/* SPDX-License-Identifier: GPL-3.0-or-later
 * Names of files in jobs. */
#include "jobs/spool/names.h"
#include "base/text.h"
#include "test.h"

static bool becomes(char *got, const char *want)
{
    bool same = strcmp(got, want) == 0;
    if (!same)
        fprintf(stderr, "'%s', not '%s'\n", got, want);
    free(got);
    return same;
}

static void keeps_good_names(void)
{
    static const char *const names[] = {"Guns N' Roses - Don't Cry.mp3", "R&B [live] #1 100% (2).flac",
                                        "ünïcode ♫.wav", "latin\xe9.wav", "a;b=c@d!e{f}g^h,i+j.wav"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK(becomes(ap_safe_name(names[i], 0), names[i]));
}

static void replaces_what_hurts(void)
{
    CHECK(becomes(ap_safe_name("/a/b/../x.wav", 0), "x.wav"));
    CHECK(becomes(ap_safe_name("a\nb\tc\x7f\x1b[31m.wav", 0), "a_b_c__[31m.wav"));
    CHECK(becomes(ap_safe_name("$(x) `y` \"z\" *?<>|\\:.wav", 0), "_(x) _y_ _z_ _______.wav"));
    CHECK(becomes(ap_safe_name("-o x.wav", 0), "_o x.wav"));
    CHECK(becomes(ap_safe_name(".hidden", 0), "_hidden"));
    CHECK(becomes(ap_safe_name("..", 0), "_."));
    CHECK(becomes(ap_safe_name("folder/", 0), "input"));
    CHECK(becomes(ap_safe_name("x.wav", 7), "0007-x.wav"));
}

/* Whatever the limit, what is left is UTF-8, and the extension is there. */
static void cuts_between_characters(void)
{
    char name[400] = "";
    for (int i = 0; i < 60; i++)
        strcat(name, i % 3 ? "ぬ" : i % 2 ? "♫" : "\xf0\x9f\x8e\xb5");
    strcat(name, ".wav");
    for (size_t most = 8; most < strlen(name); most++) {
        char *cut = ap_cut_name(name, most);
        CHECK(strlen(cut) <= most && strlen(cut) + 4 > most && ap_is_utf8(cut));
        CHECK(strcmp(cut + strlen(cut) - 4, ".wav") == 0);
        free(cut);
    }
    CHECK(becomes(ap_cut_name("short.wav", 255), "short.wav"));
    CHECK(becomes(ap_cut_name("no extension at all", 5), "no ex"));
    CHECK(becomes(ap_cut_name("a.very long extension that is none", 5), "a.ver"));
    CHECK(becomes(ap_cut_name("\x80\x80\x80\x80\x80\x80", 4), "\x80")); /* no text; short is good enough */
}

static void urls_have_names(void)
{
    CHECK(becomes(ap_url_name("http://host/a%20b.wav?x=1#y"), "a b.wav"));
    CHECK(becomes(ap_url_name("http://host/%C3%BC.mp3"), "ü.mp3"));
    CHECK(becomes(ap_url_name("http://host/x%2Fy%00z%zz%4"), "x%2Fy%00z%zz%4"));
    CHECK(becomes(ap_url_name("http://host/"), "download"));
    CHECK(becomes(ap_url_name("http://host/.."), "_."));
    CHECK(becomes(ap_url_name("http://host/%2e%2e"), "_."));
}

static void ids_are_in_order(void)
{
    char a[AP_ID_BYTES], b[AP_ID_BYTES];
    ap_new_id(a);
    ap_new_id(b);
    CHECK(strlen(a) == 24 && strspn(a, "0123456789abcdef-") == 24 && strncmp(a, b, 15) <= 0 &&
          strcmp(a, b) != 0);
}

TEST_MAIN(CASE(keeps_good_names), CASE(replaces_what_hurts), CASE(cuts_between_characters),
          CASE(urls_have_names), CASE(ids_are_in_order))
