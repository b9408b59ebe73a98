/* SPDX-License-Identifier: GPL-3.0-or-later
 * What object stores tell of new objects. The bodies are those of the stores: AWS's documentation, a gateway
 * of Ceph 16, MinIO's source. */
#include "serve/kept/notices.h"
#include "test.h"

#define RECORD(source, name, key)                                                                            \
    "{\"eventVersion\":\"2.2\",\"eventSource\":\"" source "\",\"eventName\":\"" name                         \
    "\",\"s3\":{\"bucket\":{\"name\":\"songs\"},\"object\":{\"key\":\"" key                                  \
    "\",\"size\":5,\"eTag\":\"e1\",\"sequencer\":\"005F\"}}}"

static char told[512];

static bool tell(const ap_notice *n, void *user, ap_error *err)
{
    (void)user;
    (void)err;
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s %s %s;", n->bucket, n->key, n->version);
    return true;
}

static bool read_body(const char *body)
{
    ap_error err;
    cJSON *document = cJSON_Parse(body);
    told[0] = 0;
    bool ok = ap_notices_read(document, tell, NULL, &err);
    cJSON_Delete(document);
    return ok;
}

static bool tells(const char *body, const char *expected)
{
    bool ok = read_body(body) && strcmp(told, expected) == 0;
    if (!ok)
        fprintf(stderr, "%s\nnot %s\n", told, expected);
    return ok;
}

static void reads_records(void)
{
    CHECK(tells("{\"Records\":[" RECORD("aws:s3", "ObjectCreated:Put", "u1/a+b%2Bc%3D%C3%A9.mp3") "]}",
                "songs u1/a b+c=\xc3\xa9.mp3 005F;"));
    CHECK(tells(
        "{\"Records\":[" RECORD("ceph:s3", "ObjectCreated:CompleteMultipartUpload", "u1/a b+c=%20.mp3") "]}",
        "songs u1/a b+c=%20.mp3 005F;"));
    CHECK(tells("{\"EventName\":\"s3:ObjectCreated:Put\",\"Key\":\"songs/u1/a b.mp3\",\"Records\":[" RECORD(
                    "minio:s3", "s3:ObjectCreated:Put", "u1%2Fa+b.mp3") "]}",
                "songs u1/a b.mp3 005F;"));
    /* what is removed is no new object, and one body may tell of several */
    CHECK(tells("{\"Records\":[" RECORD("aws:s3", "ObjectRemoved:Delete", "x") "," RECORD(
                    "aws:s3", "ObjectCreated:Copy", "y") "," RECORD("aws:s3", "ObjectCreated:Post", "z") "]}",
                "songs y 005F;songs z 005F;"));
    CHECK(tells("{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Bucket\":\"songs\"}", ""));
    CHECK(tells("{\"Records\":[]}", ""));
}

static void reads_eventbridge(void)
{
    static const char event[] =
        "{\"version\":\"0\",\"detail-type\":\"Object %s\",\"source\":\"aws.s3\",\"detail\":{"
        "\"bucket\":{\"name\":\"songs\"},\"object\":{\"key\":\"a+b c.mp3\",\"etag\":\"e2\"},"
        "\"reason\":\"PutObject\"}}";
    char body[512];
    snprintf(body, sizeof body, event, "Created");
    CHECK(tells(body, "songs a+b c.mp3 e2;"));
    snprintf(body, sizeof body, event, "Deleted");
    CHECK(tells(body, ""));
}

static void reads_sns(void)
{
    CHECK(
        tells("{\"Type\":\"Notification\",\"TopicArn\":\"arn:aws:sns:x\",\"Message\":\"{\\\"Records\\\":[{"
              "\\\"eventSource\\\":\\\"aws:s3\\\",\\\"eventName\\\":\\\"ObjectCreated:Put\\\",\\\"s3\\\":{"
              "\\\"bucket\\\":{\\\"name\\\":\\\"songs\\\"},\\\"object\\\":{\\\"key\\\":\\\"a%2Fb\\\"}}}]}\"}",
              "songs a/b ;"));
    CHECK(
        tells("{\"Type\":\"SubscriptionConfirmation\",\"TopicArn\":\"arn:aws:sns:x\",\"Token\":\"t\"}", ""));
    CHECK(tells("{\"Type\":\"UnsubscribeConfirmation\",\"TopicArn\":\"arn:aws:sns:x\",\"Token\":\"t\"}", ""));
    /* who may publish may not say what SNS says itself */
    CHECK(!read_body("{\"Type\":\"Notification\",\"TopicArn\":\"x\",\"Message\":"
                     "\"{\\\"Type\\\":\\\"SubscriptionConfirmation\\\",\\\"TopicArn\\\":\\\"x\\\"}\"}"));
    CHECK(!read_body("{\"Type\":\"Notification\",\"TopicArn\":\"x\",\"Message\":\"hello\"}"));
    CHECK(!read_body("{\"Type\":\"Other\",\"TopicArn\":\"x\"}"));
}

static void refuses_the_rest(void)
{
    static const char *const bodies[] = {
        "",
        "x",
        "[]",
        "{}",
        "null",
        "{\"Records\":[{}]}",
        "{\"Records\":[1]}",
        "{\"Records\":{}}",
        "{\"Records\":[" RECORD("aws:s3", "ObjectCreated:Put", "a%00b") "]}",
        "{\"Records\":[" RECORD("aws:s3", "ObjectCreated:Put", "") "]}",
        "{\"Records\":[{\"eventName\":\"ObjectCreated:Put\",\"s3\":{\"object\":{\"key\":\"k\"}}}]}",
        "{\"detail\":{},\"source\":\"aws.s3\",\"detail-type\":\"Object Created\"}",
        "{\"detail\":{},\"source\":\"aws.ec2\"}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (!CHECK(!read_body(bodies[i]) && !*told))
            fprintf(stderr, "%s\n", bodies[i]);
}

TEST_MAIN(CASE(reads_records), CASE(reads_eventbridge), CASE(reads_sns), CASE(refuses_the_rest))
