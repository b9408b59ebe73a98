/* SPDX-License-Identifier: GPL-3.0-or-later
 * What stands in the headers of requests, and in their paths. */
#include "serve/who/parse.h"
#include "base/text.h"
#include "test.h"

static void numbers_are_digits(void)
{
    uint64_t n;
    CHECK(ap_parse_number("0", &n) && n == 0);
    CHECK(ap_parse_number("18446744073709551600", &n) && n == 18446744073709551600u);
    static const char *const bad[] = {
        "", "+4", "-1", "0x4", " 4", "4 ", "4,5", "18446744073709551620", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!ap_parse_number(bad[i], &n));
}

static void ids_and_names_are_plain(void)
{
    CHECK(ap_is_file_id("0123456789abcdef0123456789abcdef"));
    CHECK(!ap_is_file_id("0123456789abcdef0123456789abcde"));
    CHECK(!ap_is_file_id("0123456789abcdef0123456789abcdef0"));
    CHECK(!ap_is_file_id("../../../../../../../etc/passwd/."));
    CHECK(ap_is_owner_name("alice") && ap_is_owner_name("a.b_c-d@e"));
    CHECK(!ap_is_owner_name("") && !ap_is_owner_name(".a") && !ap_is_owner_name("a:b") &&
          !ap_is_owner_name("a/b"));
}

/* RFC 9110, section 14.1.2: of 1000 bytes. */
static void ranges_are_those_of_the_rfc(void)
{
    static const struct {
        const char *text;
        ap_range_kind kind;
        uint64_t first, length;
    } cases[] = {
        {NULL, AP_RANGE_WHOLE, 0, 1000},         {"bytes=0-499", AP_RANGE_PART, 0, 500},
        {"bytes=500-", AP_RANGE_PART, 500, 500}, {"bytes=-1", AP_RANGE_PART, 999, 1},
        {"bytes=-5000", AP_RANGE_PART, 0, 1000}, {"bytes=999-5000", AP_RANGE_PART, 999, 1},
        {"bytes=1000-", AP_RANGE_BEYOND, 0, 0},  {"bytes=-0", AP_RANGE_BEYOND, 0, 0},
        {"bytes=5-4", AP_RANGE_WHOLE, 0, 1000},  {"bytes=0-1,5-6", AP_RANGE_WHOLE, 0, 1000},
        {"lines=0-1", AP_RANGE_WHOLE, 0, 1000},  {"bytes=", AP_RANGE_WHOLE, 0, 1000},
        {"bytes=-", AP_RANGE_WHOLE, 0, 1000},    {"bytes=99999999999999999999-", AP_RANGE_WHOLE, 0, 1000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t first, length;
        CHECK(ap_parse_range(cases[i].text, 1000, &first, &length) == cases[i].kind);
        if (cases[i].kind != AP_RANGE_BEYOND)
            CHECK(first == cases[i].first && length == cases[i].length);
    }
}

static void empty_files_have_no_range(void)
{
    uint64_t first, length;
    CHECK(ap_parse_range("bytes=0-", 0, &first, &length) == AP_RANGE_BEYOND);
    CHECK(ap_parse_range("bytes=-1", 0, &first, &length) == AP_RANGE_BEYOND);
    CHECK(ap_parse_range(NULL, 0, &first, &length) == AP_RANGE_WHOLE && length == 0);
}

static void etags_are_found_in_lists(void)
{
    CHECK(ap_lists_etag("\"a\"", "\"a\""));
    CHECK(ap_lists_etag("\"b\", W/\"a\"", "\"a\""));
    CHECK(ap_lists_etag("*", "\"a\""));
    CHECK(!ap_lists_etag("\"ab\"", "\"a\""));
    CHECK(!ap_lists_etag("", "\"a\"") && !ap_lists_etag("a", "\"a\""));
}

static void gzip_is_only_sent_to_who_takes_it(void)
{
    CHECK(ap_takes_gzip("gzip") && ap_takes_gzip("br, GZIP;q=0.5") && ap_takes_gzip("deflate,gzip , br"));
    CHECK(ap_takes_gzip("gzip; q=0.1"));
    CHECK(!ap_takes_gzip(NULL) && !ap_takes_gzip("") && !ap_takes_gzip("br") &&
          !ap_takes_gzip("gzipped, identity"));
    CHECK(!ap_takes_gzip("gzip;q=0") && !ap_takes_gzip("br, gzip; q=0.000"));
}

static void tus_metadata_is_read(void)
{
    const char *text = "filename c8O2bmcud2F2,filetype YXVkaW8vd2F2,empty";
    CHECK(ap_is_tus_metadata(text) && ap_is_tus_metadata(""));
    char *name = ap_tus_metadata(text, "filename"), *type = ap_tus_metadata(text, "filetype");
    CHECK(name && strcmp(name, "s\xc3\xb6ng.wav") == 0);
    CHECK(type && strcmp(type, "audio/wav") == 0);
    CHECK(!ap_tus_metadata(text, "file"));
    free(name);
    free(type);
    CHECK(!ap_is_tus_metadata("filename !!!") && !ap_is_tus_metadata("a b c") &&
          !ap_is_tus_metadata("a ===="));
    char *line = ap_tus_metadata("n YQpi", "n"); /* a, line feed, b */
    CHECK(line && strcmp(line, "a?b") == 0);
    free(line);
}

static void names_are_encoded(void)
{
    char *text = ap_percent_encode("a b/\xc3\xb6?\"%");
    CHECK(text && strcmp(text, "a%20b/%C3%B6%3F%22%25") == 0);
    free(text);
    text = ap_disposition("s\xc3\xb6\"ng.mp3");
    CHECK(text &&
          strcmp(text, "attachment; filename=\"s___ng.mp3\"; filename*=UTF-8''s%C3%B6%22ng.mp3") == 0);
    free(text);
}

static void paths_match_patterns(void)
{
    char a[16], b[16];
    CHECK(ap_match_path("/v1/jobs/{id}", "/v1/jobs/x", a, b, 16) && strcmp(a, "x") == 0);
    CHECK(!ap_match_path("/v1/jobs/{id}", "/v1/jobs/", a, b, 16));
    CHECK(!ap_match_path("/v1/jobs/{id}", "/v1/jobs/x/y", a, b, 16));
    CHECK(ap_match_path("/v1/jobs/{id}/outputs/{name*}", "/v1/jobs/x/outputs/c/d", a, b, 16));
    CHECK(strcmp(a, "x") == 0 && strcmp(b, "c/d") == 0);
    CHECK(!ap_match_path("/v1/jobs/{id}/outputs/{name*}", "/v1/jobs/x/outputs/", a, b, 16));
    CHECK(!ap_match_path("/v1/jobs/{id}", "/v1/jobs/0123456789abcdef", a, b,
                         16)); /* longer than there is room */
    CHECK(ap_match_path("/", "/", a, b, 16) && !ap_match_path("/", "", a, b, 16));
}

static void this_host_has_few_names(void)
{
    static const char *const here[] = {"localhost", "LocalHost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"},
                             *const elsewhere[] = {"",         "127.0.0.1.example.org",
                                                   "127.evil", "127.0.0.1:80",
                                                   "0.0.0.0",  "128.0.0.1",
                                                   "::",       "[::1",
                                                   "localhos", "localhost.example.org",
                                                   "10.0.0.1", "::1]"};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        CHECK(ap_is_local_host(here[i]));
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        CHECK(!ap_is_local_host(elsewhere[i]));
}

TEST_MAIN(CASE(this_host_has_few_names), CASE(numbers_are_digits), CASE(ids_and_names_are_plain),
          CASE(ranges_are_those_of_the_rfc), CASE(empty_files_have_no_range), CASE(etags_are_found_in_lists),
          CASE(gzip_is_only_sent_to_who_takes_it), CASE(tus_metadata_is_read), CASE(names_are_encoded),
          CASE(paths_match_patterns))
