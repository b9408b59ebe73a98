/* SPDX-License-Identifier: GPL-3.0-or-later
 * Base64: the test vectors of RFC 4648, section 10. */
#include "base/base64.h"
#include "test.h"

static const struct {
    const char *bytes, *text;
} rows[] = {{"", ""},
            {"f", "Zg=="},
            {"fo", "Zm8="},
            {"foo", "Zm9v"},
            {"foob", "Zm9vYg=="},
            {"fooba", "Zm9vYmE="},
            {"foobar", "Zm9vYmFy"}};

static void as_the_standard_has_it(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size;
        char *text = ap_base64_encode((const unsigned char *)rows[i].bytes, strlen(rows[i].bytes));
        unsigned char *bytes =
            ap_base64_decode((const unsigned char *)rows[i].text, strlen(rows[i].text), &size);
        CHECK(text && strcmp(text, rows[i].text) == 0);
        CHECK(bytes && size == strlen(rows[i].bytes) && memcmp(bytes, rows[i].bytes, size) == 0);
        free(text);
        free(bytes);
    }
}

static void every_byte_comes_back(void)
{
    unsigned char all[256];
    size_t size;
    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    char *text = ap_base64_encode(all, 256);
    unsigned char *bytes = ap_base64_decode((const unsigned char *)text, strlen(text), &size);
    CHECK(size == 256 && memcmp(bytes, all, 256) == 0);
    free(text);
    free(bytes);
}

static void ends_at_what_is_none(void)
{
    size_t size;
    unsigned char *bytes = ap_base64_decode((const unsigned char *)"Zm9v\nZm9v", 9, &size);
    CHECK(bytes && size == 3 && memcmp(bytes, "foo", 3) == 0);
    free(bytes);
}

TEST_MAIN(CASE(as_the_standard_has_it), CASE(every_byte_comes_back), CASE(ends_at_what_is_none))
