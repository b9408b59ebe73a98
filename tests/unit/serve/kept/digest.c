/* SPDX-License-Identifier: GPL-3.0-or-later
 * Checksums of tus, in pieces; what is none. The sums are those of "abc" in FIPS 180-4 and RFC 1321. */
#include "serve/kept/digest.h"
#include "test.h"

static bool is_right(const char *header, const char *first, const char *rest)
{
    ap_digest d = {0};
    if (!CHECK(ap_digest_start(&d, header)))
        return false;
    ap_digest_add(&d, first, strlen(first));
    ap_digest_add(&d, rest, strlen(rest));
    return ap_digest_is_right(&d);
}

static void sums_are_those_of_the_standards(void)
{
    static const char *const headers[] = {
        "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "sha256 ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        "md5 kAFQmDzST7DWlj99KOF/cg=="};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        CHECK(is_right(headers[i], "abc", ""));
        CHECK(is_right(headers[i], "a", "bc"));
        CHECK(!is_right(headers[i], "ab", "d"));
        CHECK(!is_right(headers[i], "", ""));
    }
}

static void others_are_refused(void)
{
    static const char *const headers[] = {
        "", "sha1", "sha1 ", "sha1 qZk+", "crc32 AAAAAA==", "sha256 qZk+NkcGgWq6PiVxeFDCbJzQ2J0="};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        ap_digest d = {0};
        if (!CHECK(!ap_digest_start(&d, headers[i])))
            fprintf(stderr, "'%s'\n", headers[i]);
    }
}

TEST_MAIN(CASE(sums_are_those_of_the_standards), CASE(others_are_refused))
