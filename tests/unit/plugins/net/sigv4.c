/* SPDX-License-Identifier: GPL-3.0-or-later
 * Signatures against the examples that Amazon publishes (Amazon S3 API reference, "Authenticating Requests").
 */
#include "plugins/net/sigv4.h"
#include "test.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static ap_sigv4_request example(const char *method, const char *path)
{
    return (ap_sigv4_request){.method = method,
                              .host = "examplebucket.s3.amazonaws.com",
                              .path = path,
                              .payload = EMPTY,
                              .region = "us-east-1",
                              .access_key = "AKIAIOSFODNN7EXAMPLE",
                              .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                              .time = "20130524T000000Z"};
}

static void add(ap_sigv4_request *r, const char *name, const char *value)
{
    r->headers[r->header_count++] = (ap_sigv4_pair){name, value};
}

static void check_signature(const ap_sigv4_request *r, const char *signature)
{
    char *value = ap_sigv4_authorization(r);
    CHECK(value && strstr(value, "Signature=") && strcmp(strstr(value, "Signature=") + 10, signature) == 0);
    free(value);
}

static void get_object(void)
{
    ap_sigv4_request r = example("GET", "/test.txt");
    add(&r, "range", "bytes=0-9");
    add(&r, "x-amz-content-sha256", EMPTY);
    add(&r, "x-amz-date", r.time);
    check_signature(&r, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void put_object(void)
{
    ap_sigv4_request r = example("PUT", "/test%24file.text");
    r.payload = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    add(&r, "date", "Fri, 24 May 2013 00:00:00 GMT");
    add(&r, "x-amz-content-sha256", r.payload);
    add(&r, "x-amz-date", r.time);
    add(&r, "x-amz-storage-class", "REDUCED_REDUNDANCY");
    check_signature(&r, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void bucket_setting(void)
{
    ap_sigv4_request r = example("GET", "/");
    r.query[r.query_count++] = (ap_sigv4_pair){"lifecycle", ""};
    add(&r, "x-amz-content-sha256", EMPTY);
    add(&r, "x-amz-date", r.time);
    check_signature(&r, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

static void listing(void)
{
    ap_sigv4_request r = example("GET", "/");
    r.query[r.query_count++] = (ap_sigv4_pair){"prefix", "J"};
    r.query[r.query_count++] = (ap_sigv4_pair){"max-keys", "2"};
    add(&r, "x-amz-content-sha256", EMPTY);
    add(&r, "x-amz-date", r.time);
    check_signature(&r, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void presigned(void)
{
    ap_sigv4_request r = example("GET", "/test.txt");
    r.payload = "UNSIGNED-PAYLOAD";
    char *query = ap_sigv4_presign(&r, 86400);
    CHECK(query &&
          strcmp(query, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
                        "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
                        "X-Amz-SignedHeaders=host&X-Amz-Signature="
                        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404") == 0);
    free(query);
}

static void names_are_sorted_as_names(void)
{
    ap_sigv4_request r = example("GET", "/");
    r.query[r.query_count++] = (ap_sigv4_pair){"a-b", "1"};
    r.query[r.query_count++] = (ap_sigv4_pair){"a", "2"};
    r.query[r.query_count++] = (ap_sigv4_pair){"a", "1 /+~"};
    char *query = ap_sigv4_query(&r);
    CHECK(query && strcmp(query, "a=1%20%2F%2B~&a=2&a-b=1") == 0);
    free(query);
}

static void every_byte_is_encoded(void)
{
    char *text = ap_sigv4_encode("a b+c=\xc3\xa9&%//[]~", true);
    CHECK(text && strcmp(text, "a%20b%2Bc%3D%C3%A9%26%25//%5B%5D~") == 0);
    free(text);
}

TEST_MAIN(CASE(get_object), CASE(put_object), CASE(bucket_setting), CASE(listing), CASE(presigned),
          CASE(names_are_sorted_as_names), CASE(every_byte_is_encoded))
