/* SPDX-License-Identifier: GPL-3.0-or-later
 * The texts that the network plugin reads: names of objects, the files of the AWS tools, answers of stores.
 */
#include "plugins/net/account.h"
#include "plugins/net/target.h"
#include "plugins/net/xml.h"
#include "test.h"

#include <unistd.h>

static void clear_environment(void)
{
    static const char *const names[] = {
        "AWS_ACCESS_KEY_ID",  "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",       "AWS_REGION",
        "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3",   "AWS_ENDPOINT_URL",  "AUDIOPIPE_S3_STYLE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
    setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
}

static bool is(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

static void targets(void)
{
    ap_target t;
    clear_environment();
    CHECK(ap_target_parse(&t, "s3://songs/a b/c.mp3", true, NULL));
    CHECK(is(t.base, "https://songs.s3.us-east-1.amazonaws.com") && is(t.path, "/a%20b/c.mp3"));
    ap_target_free(&t);
    CHECK(ap_target_parse(&t, "s3://my.songs/x", true, NULL)); /* no certificate is for two names */
    CHECK(is(t.base, "https://s3.us-east-1.amazonaws.com") && is(t.path, "/my.songs/x"));
    ap_target_free(&t);
    setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:7480//", 1);
    CHECK(ap_target_parse(&t, "s3://songs/x//y", true, NULL));
    CHECK(is(t.base, "http://127.0.0.1:7480") && is(t.host, "127.0.0.1:7480") && is(t.path, "/songs/x//y"));
    ap_target_free(&t);
    setenv("AWS_ENDPOINT_URL", "https://example.org:443/storage/v1/s3/", 1);
    CHECK(ap_target_parse(&t, "s3://songs/x y", true, NULL));
    CHECK(is(t.base, "https://example.org") && is(t.host, "example.org") &&
          is(t.path, "/storage/v1/s3/songs/x%20y"));
    ap_target_free(&t);
    setenv("AWS_ENDPOINT_URL", "http://example.org:443", 1);
    CHECK(ap_target_parse(&t, "s3://songs/x", true, NULL));
    CHECK(is(t.base, "http://example.org:443") && is(t.host, "example.org:443"));
    ap_target_free(&t);
    CHECK(ap_target_parse(&t, "https://example.org/a.mp3?token=secret#end", true, NULL));
    CHECK(is(t.name, "https://example.org/a.mp3") && is(t.query, "token=secret") && is(t.path, "/a.mp3"));
    ap_target_free(&t);
}

static void bad_targets(void)
{
    static const char *const bad[] = {"s3://",
                                      "s3://a/b",
                                      "s3://songs",
                                      "s3://so ngs/x",
                                      "s3://songs\r\n/x",
                                      "http:///x",
                                      "https://?x",
                                      "http://user:pass@host/x",
                                      "s3://s@ngs/x",
                                      "s3:/songs/x",
                                      "songs",
                                      ""};
    clear_environment();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ap_target t;
        ap_error err = {0};
        CHECK(!ap_target_parse(&t, bad[i], true, &err) && err.code == AP_USAGE);
        CHECK(!strstr(err.message, "pass@"));
    }
}

static const char ini[] = "# a comment\n"
                          "[default]\n"
                          "aws_access_key_id = AKID\r\n"
                          "aws_secret_access_key=a/b=c\n"
                          "s3 =\n"
                          "    addressing_style = virtual\n"
                          "    endpoint = no\n"
                          "region=eu-west-1\n"
                          "[profile other]\n"
                          "aws_access_key_id = OTHER\n";

static void check_value(const char *section, const char *key, const char *wanted)
{
    char *value = ap_ini_value(ini, section, key);
    CHECK(wanted ? is(value, wanted) : !value);
    free(value);
}

static void ini_values(void)
{
    check_value("default", "aws_access_key_id", "AKID");
    check_value("default", "aws_secret_access_key", "a/b=c");
    check_value("default", "s3.addressing_style", "virtual");
    check_value("default", "addressing_style", NULL);
    check_value("default", "region", "eu-west-1");
    check_value("other", "aws_access_key_id", "OTHER");
    check_value("other", "region", NULL);
    check_value("none", "region", NULL);
}

static void profiles(void)
{
    char path[] = "/tmp/audiopipe-ini-XXXXXX";
    int fd = mkstemp(path);
    ap_account a;
    ap_error err;
    CHECK(fd >= 0 && write(fd, ini, sizeof ini - 1) == (ssize_t)sizeof ini - 1);
    clear_environment();
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    CHECK(ap_account_find(&a, &err) && is(a.access_key, "AKID") && is(a.region, "eu-west-1") &&
          !a.path_style);
    ap_account_free(&a);
    setenv("AWS_ACCESS_KEY_ID", "MINE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    CHECK(ap_account_find(&a, &err) && is(a.access_key, "MINE") && is(a.secret_key, "secret"));
    ap_account_free(&a);
    setenv("AWS_PROFILE", "missing", 1);
    CHECK(!ap_account_find(&a, &err) && strstr(err.message, "missing"));
    setenv("AWS_PROFILE", "other", 1);
    unsetenv("AWS_ACCESS_KEY_ID");
    CHECK(!ap_account_find(&a, &err) && strstr(err.message, "not complete"));
    close(fd);
    unlink(path);
}

static void xml(void)
{
    static const char text[] =
        "<?xml version=\"1.0\"?><R xmlns=\"x\"><Keys>no</Keys><Key>a&amp;b&#34;&#xe9;&bad;</Key>"
        "<Key/><Key>two</Key><Open>";
    ap_xml rest = {text, sizeof text - 1}, content;
    char *first = ap_xml_text(rest, "Key");
    CHECK(is(first, "a&b\"\xc3\xa9&bad;"));
    free(first);
    int n = 0;
    while (ap_xml_next(&rest, "Key", &content))
        n++;
    CHECK(n == 3);
    CHECK(!ap_xml_text((ap_xml){text, sizeof text - 1}, "Open"));
    CHECK(!ap_xml_text((ap_xml){text, 3}, "Key") && !ap_xml_text((ap_xml){NULL, 0}, "Key"));
    char *escaped = ap_xml_escape("<\"&'>");
    CHECK(is(escaped, "&lt;&quot;&amp;&#39;&gt;"));
    free(escaped);
}

TEST_MAIN(CASE(targets), CASE(bad_targets), CASE(ini_values), CASE(profiles), CASE(xml))
