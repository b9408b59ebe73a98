/* SPDX-License-Identifier: GPL-3.0-or-later
 * The bext chunk by the layout of EBU Tech 3285, and there and back. */
#include "formats/bext.h"
#include "test.h"

enum {
    ORIGINATOR_AT = 256,
    DATE_AT = 320,
    TIME_REFERENCE_AT = 338,
    VERSION_AT = 346,
    UMID_AT = 348,
    FIXED = 602
};

static bool is(const ap_tags *tags, const char *key, const char *wanted)
{
    const char *value = ap_tags_get(tags, key);
    return wanted ? value && strcmp(value, wanted) == 0 : !value;
}

static void a_chunk_is_read(void)
{
    unsigned char body[FIXED + 8] = "a description";
    ap_tags *tags = ap_tags_new();
    memset(body + ORIGINATOR_AT, 'o', 32); /* full: no NUL ends it */
    memcpy(body + DATE_AT, "2026-11-30", 10);
    ap_put_little(body + TIME_REFERENCE_AT, 0x100000000, 8);
    body[VERSION_AT] = 1;
    body[UMID_AT] = 0xab;
    memcpy(body + FIXED, "A=PCM\r\n", 7);
    ap_bext_parse(body, sizeof body, 48000, tags);
    CHECK(is(tags, "BEXT_DESCRIPTION", "a description"));
    CHECK(is(tags, "BEXT_ORIGINATOR", "oooooooooooooooooooooooooooooooo"));
    CHECK(is(tags, "BEXT_ORIGINATION_DATE", "2026-11-30") && is(tags, "BEXT_ORIGINATION_TIME", NULL));
    CHECK(is(tags, "BEXT_TIME_REFERENCE", "4294967296/48000") &&
          is(tags, "BEXT_CODING_HISTORY", "A=PCM\r\n"));
    CHECK(ap_tags_get(tags, "BEXT_UMID") && strncmp(ap_tags_get(tags, "BEXT_UMID"), "AB00", 4) == 0);
    ap_bytes made = {0};
    ap_bext_make(&made, tags, 48000);
    CHECK(made.size == FIXED + 8 && memcmp(made.data, body, sizeof body) == 0);
    ap_tags_free(&tags);
    free(made.data);
}

/* Version 0 has zeros in the place of the UMID, and a cut chunk says nothing. */
static void what_is_not_there_is_not_read(void)
{
    unsigned char body[FIXED] = "x";
    ap_tags *tags = ap_tags_new();
    body[UMID_AT] = 1;
    ap_bext_parse(body, sizeof body - 1, 48000, tags);
    CHECK(is(tags, "BEXT_DESCRIPTION", NULL));
    ap_bext_parse(body, sizeof body, 48000, tags);
    CHECK(is(tags, "BEXT_DESCRIPTION", "x") && is(tags, "BEXT_UMID", NULL) &&
          is(tags, "BEXT_TIME_REFERENCE", NULL));
    ap_tags_free(&tags);
}

static void what_does_not_fit_is_cut_or_left_out(void)
{
    char umid[129], text[300];
    ap_bytes made = {0};
    ap_tags *tags = ap_tags_new();
    ap_bext_make(&made, tags, 48000);
    CHECK(made.size == 0); /* no tag is for it */
    memset(umid, '1', 128), umid[128] = 0, umid[100] = 'x';
    memset(text, 'd', sizeof text), text[299] = 0;
    memcpy(text + 255, "\xc3\xa9", 2);
    CHECK(ap_tags_set(tags, "BEXT_DESCRIPTION", text) && ap_tags_set(tags, "BEXT_UMID", umid));
    ap_bext_make(&made, tags, 48000);
    CHECK(made.size == FIXED && made.data[254] == 'd' && made.data[255] == 0); /* no half character */
    for (size_t i = VERSION_AT; i < FIXED; i++)
        CHECK(made.data[i] == 0); /* that was no UMID */
    ap_tags_free(&tags);
    free(made.data);
}

TEST_MAIN(CASE(a_chunk_is_read), CASE(what_is_not_there_is_not_read),
          CASE(what_does_not_fit_is_cut_or_left_out))
