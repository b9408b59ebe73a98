/* SPDX-License-Identifier: GPL-3.0-or-later
 * Messages of SNS, by an authority of our own: root, issuer, and what Amazon's certificates are like. */
#include "serve/who/sns.h"
#include "base/error.h"
#include "jobs/record/json.h"
#include "test.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <time.h>
#include <unistd.h>

#define TOPIC "arn:aws:sns:eu-west-1:123456789012:songs"
#define OTHER "arn:aws:sns:eu-west-1:123456789012:others"
#define CHINA "arn:aws-cn:sns:cn-north-1:123456789012:songs"
#define HOST "https://sns.eu-west-1.amazonaws.com/"
#define ISSUER "http://crt.example/issuer.cer"

/* ---- the authority */

typedef struct party {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
} party;

typedef struct wanted {
    const char *name;
    int days;           /* until it ends */
    const char *issuer; /* the URL of its issuer's certificate, NULL: not said */
} wanted;

static party root, issuer, stranger;
static char trust[64];

static party certify(const wanted *w, const party *by)
{
    party p;
    unsigned char serial[] = {1};
    gnutls_datum_t url = {(unsigned char *)w->issuer, w->issuer ? (unsigned)strlen(w->issuer) : 0};
    const time_t now = time(NULL);
    gnutls_x509_privkey_init(&p.key);
    gnutls_x509_privkey_generate(p.key, GNUTLS_PK_RSA, 2048, 0);
    gnutls_x509_crt_init(&p.certificate);
    gnutls_x509_crt_set_version(p.certificate, 3);
    gnutls_x509_crt_set_serial(p.certificate, serial, sizeof serial);
    gnutls_x509_crt_set_key(p.certificate, p.key);
    gnutls_x509_crt_set_dn_by_oid(p.certificate, GNUTLS_OID_X520_COMMON_NAME, 0, w->name,
                                  (unsigned)strlen(w->name));
    gnutls_x509_crt_set_activation_time(p.certificate, now - 9 * 86400);
    gnutls_x509_crt_set_expiration_time(p.certificate, now + w->days * 86400);
    if (strchr(w->name, '.'))
        gnutls_x509_crt_set_subject_alt_name(p.certificate, GNUTLS_SAN_DNSNAME, w->name,
                                             (unsigned)strlen(w->name), GNUTLS_FSAN_SET);
    else
        gnutls_x509_crt_set_basic_constraints(p.certificate, 1, -1);
    if (w->issuer)
        gnutls_x509_crt_set_authority_info_access(p.certificate, GNUTLS_IA_CAISSUERS_URI, &url);
    gnutls_x509_crt_sign2(p.certificate, by ? by->certificate : p.certificate, by ? by->key : p.key,
                          GNUTLS_DIG_SHA256, 0);
    return p;
}

static void forget(party *p)
{
    gnutls_x509_crt_deinit(p->certificate);
    gnutls_x509_privkey_deinit(p->key);
}

static void found_authority(void)
{
    gnutls_datum_t pem = {NULL, 0};
    root = certify(&(wanted){"root", 9, NULL}, NULL);
    stranger = certify(&(wanted){"root", 9, NULL}, NULL);
    issuer = certify(&(wanted){"issuer", 9, NULL}, &root);
    snprintf(trust, sizeof trust, "trust.%ld.pem", (long)getpid());
    FILE *out = fopen(trust, "w");
    gnutls_x509_crt_export2(root.certificate, GNUTLS_X509_FMT_PEM, &pem);
    fwrite(pem.data, 1, pem.size, out);
    fclose(out);
    gnutls_free(pem.data);
}

/* ---- what is fetched */

static const party *shown; /* the certificate at every https URL; NULL: the server is busy */
static bool with_issuer, issuer_away;
static unsigned fetched, asked_issuer;
static char last_url[512];

static bool give(const party *p, gnutls_x509_crt_fmt_t format, ap_bytes *body)
{
    gnutls_datum_t data = {NULL, 0};
    gnutls_x509_crt_export2(p->certificate, format, &data);
    ap_bytes_add(body, data.data, data.size);
    gnutls_free(data.data);
    return true;
}

static bool fetch(const char *url, size_t most, ap_bytes *body, ap_error *err)
{
    snprintf(last_url, sizeof last_url, "%s", url);
    if (!CHECK(most >= 8192))
        return false;
    if (strcmp(url, ISSUER) == 0) {
        asked_issuer++;
        return issuer_away ? ap_fail(err, AP_TRY_AGAIN, "it is away")
                           : give(&issuer, GNUTLS_X509_FMT_DER, body);
    }
    fetched++;
    if (!shown)
        return ap_fail(err, AP_TRY_AGAIN, "it is busy");
    give(shown, GNUTLS_X509_FMT_PEM, body);
    return !with_issuer || give(&issuer, GNUTLS_X509_FMT_PEM, body);
}

static ap_sns *open_with(const char *topics)
{
    ap_error err = {AP_OK, ""};
    ap_sns *s = ap_sns_open(&(ap_sns_options){topics, trust, fetch}, &err);
    if (!s)
        fprintf(stderr, "%s\n", err.message);
    return s;
}

/* ---- messages */

/* signed_text is said here as the guide of SNS says it. */
static void sign(cJSON *message, const party *by, const char *text)
{
    const bool first = strcmp(ap_json_string(message, "SignatureVersion"), "1") == 0;
    const gnutls_datum_t data = {(unsigned char *)text, (unsigned)strlen(text)};
    gnutls_datum_t signature = {NULL, 0}, base64 = {NULL, 0};
    gnutls_privkey_t key;
    gnutls_privkey_init(&key);
    gnutls_privkey_import_x509(key, by->key, 0);
    CHECK(gnutls_privkey_sign_data2(key, first ? GNUTLS_SIGN_RSA_SHA1 : GNUTLS_SIGN_RSA_SHA256, 0, &data,
                                    &signature) == 0);
    gnutls_base64_encode2(&signature, &base64);
    cJSON_DeleteItemFromObject(message, "Signature");
    cJSON_AddStringToObject(message, "Signature", (char *)base64.data);
    gnutls_privkey_deinit(key);
    gnutls_free(signature.data);
    gnutls_free(base64.data);
}

static cJSON *notification(const char *version, const char *topic, const char *url, const party *by)
{
    char text[512];
    cJSON *m =
        cJSON_Parse("{\"Type\":\"Notification\",\"MessageId\":\"22b8\",\"Message\":\"one\\ntwo \xc3\xa9\","
                    "\"Timestamp\":\"2026-11-30T04:37:04.321Z\",\"UnsubscribeURL\":\"https://x/\"}");
    cJSON_AddStringToObject(m, "TopicArn", topic);
    cJSON_AddStringToObject(m, "SignatureVersion", version);
    cJSON_AddStringToObject(m, "SigningCertURL", url);
    snprintf(
        text, sizeof text,
        "Message\none\ntwo \xc3\xa9\nMessageId\n22b8\nTimestamp\n2026-11-30T04:37:04.321Z\nTopicArn\n%s\n"
        "Type\nNotification\n",
        topic);
    sign(m, by, text);
    return m;
}

static void set(cJSON *message, const char *name, const char *value)
{
    cJSON_DeleteItemFromObject(message, name);
    cJSON_AddStringToObject(message, name, value);
}

/* Whether it is refused, for that reason; frees it. */
static bool refused(ap_sns *s, cJSON *message, const char *reason)
{
    ap_error err = {AP_OK, ""};
    bool ok = !ap_sns_check(s, message, &err) && strstr(err.message, reason);
    if (!ok)
        fprintf(stderr, "'%s' is not: %s\n", err.message, reason);
    cJSON_Delete(message);
    return ok;
}

static bool believed(ap_sns *s, cJSON *message)
{
    ap_error err = {AP_OK, ""};
    bool ok = ap_sns_check(s, message, &err);
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    cJSON_Delete(message);
    return ok;
}

static void setup(void)
{
    if (!*trust)
        found_authority();
    with_issuer = issuer_away = false;
    fetched = asked_issuer = 0;
}

/* ---- tests */

static void believes_what_is_signed(void)
{
    setup();
    party leaf = certify(&(wanted){"sns.amazonaws.com", 9, ISSUER}, &issuer);
    ap_sns *s = open_with(OTHER ", " TOPIC);
    shown = &leaf;
    CHECK(believed(s, notification("1", TOPIC, HOST "a.pem", &leaf)));
    CHECK(believed(s, notification("2", TOPIC, HOST "a.pem", &leaf)));
    CHECK(believed(s, notification("2", OTHER, HOST "a.pem", &leaf)));
    CHECK(fetched == 1 && asked_issuer == 1); /* it is kept */
    CHECK(believed(s, notification("2", TOPIC, HOST "b.pem", &leaf)));
    CHECK(fetched == 2);

    cJSON *m = notification("2", TOPIC, HOST "a.pem", &leaf);
    set(m, "Subject", "new");
    sign(m, &leaf,
         "Message\none\ntwo \xc3\xa9\nMessageId\n22b8\nSubject\nnew\nTimestamp\n2026-11-30T04:37:04.321Z\n"
         "TopicArn\n" TOPIC "\nType\nNotification\n");
    CHECK(believed(s, m));
    for (int i = 0; i < 20; i++) { /* more certificates than are kept */
        char url[64];
        snprintf(url, sizeof url, HOST "%d.pem", i);
        CHECK(believed(s, notification("2", TOPIC, url, &leaf)));
    }
    ap_sns_close(s);
    forget(&leaf);
}

static void confirms_at_sns_alone(void)
{
    static const char *const others[] = {"http://sns.eu-west-1.amazonaws.com/",
                                         "https://sns.us-east-1.amazonaws.com/", /* another region */
                                         "https://sns.evil.example/",
                                         "https://sns.eu-west-1.amazonaws.com.evil.example/",
                                         "https://sns.evil.example/.amazonaws.com/",
                                         "https://sns.eu-west-1.amazonaws.com@evil.example/",
                                         "https://sns.eu-west-1.amazonaws.com:8443/",
                                         "https://sns.eu-west-1.amazonaws.com",
                                         "https://sns.eu-west-1.amazonaws.com?x=/",
                                         "file:///etc/passwd",
                                         "s3://songs/x",
                                         "https://169.254.169.254/",
                                         ""};
    static const char text[] =
        "Message\nYou have chosen\nMessageId\n1\nSubscribeURL\n" HOST "?Action=ConfirmSubscription&Token=t\n"
        "Timestamp\n2026-11-30T04:37:04.321Z\nToken\nt\nTopicArn\n" TOPIC
        "\nType\nSubscriptionConfirmation\n";
    setup();
    party leaf = certify(&(wanted){"sns-signing.eu-west-1.amazonaws.com", 9, ISSUER}, &issuer);
    ap_sns *s = open_with(TOPIC);
    ap_error err;
    cJSON *m = notification("2", TOPIC, HOST "a.pem", &leaf);
    shown = &leaf;
    set(m, "Type", "SubscriptionConfirmation");
    set(m, "Message", "You have chosen");
    set(m, "MessageId", "1");
    set(m, "Token", "t");
    set(m, "SubscribeURL", HOST "?Action=ConfirmSubscription&Token=t");
    sign(m, &leaf, text);
    CHECK(ap_sns_check(s, m, &err));
    CHECK(ap_sns_confirm(s, m, &err) && strcmp(last_url, HOST "?Action=ConfirmSubscription&Token=t") == 0);
    *last_url = 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        set(m, "SubscribeURL", others[i]);
        if (!CHECK(!ap_sns_confirm(s, m, &err) && !*last_url))
            fprintf(stderr, "%s\n", others[i]);
    }
    set(m, "SubscribeURL", HOST "?Action=ConfirmSubscription&Token=u"); /* it is signed, too */
    CHECK(refused(s, m, "signature"));
    ap_sns_close(s);
    forget(&leaf);
}

static void refuses_what_was_changed(void)
{
    static const char *const names[] = {"Message", "MessageId", "Subject", "Timestamp", "Type", "Signature"};
    setup();
    party leaf = certify(&(wanted){"sns.amazonaws.com", 9, ISSUER}, &issuer);
    ap_sns *s = open_with(TOPIC "," OTHER);
    shown = &leaf;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cJSON *m = notification("2", TOPIC, HOST "a.pem", &leaf);
        set(m, names[i], "x");
        CHECK(refused(s, m, "signature"));
    }
    cJSON *m = notification("2", TOPIC, HOST "a.pem", &leaf);
    set(m, "TopicArn", OTHER);
    CHECK(refused(s, m, "signature"));
    m = notification("2", TOPIC, HOST "a.pem", &leaf);
    set(m, "SignatureVersion", "1"); /* the hash that was not used */
    CHECK(refused(s, m, "signature"));
    m = notification("1", TOPIC, HOST "a.pem", &leaf);
    set(m, "SignatureVersion", "3");
    CHECK(refused(s, m, "signed in a way"));
    m = notification("1", TOPIC, HOST "a.pem", &leaf);
    cJSON_DeleteItemFromObject(m, "Signature");
    CHECK(refused(s, m, "signature"));
    CHECK(refused(s, notification("2", TOPIC, HOST "a.pem", &root), "signature"));
    CHECK(
        refused(s, cJSON_Parse("{\"Type\":\"Notification\",\"TopicArn\":\"" TOPIC "\"}"), "signed in a way"));
    ap_sns_close(s);
    forget(&leaf);
}

static void refuses_other_topics(void)
{
    static const char *const topics[] = {"x",
                                         "arn:aws:sqs:eu-west-1:123456789012:songs",
                                         TOPIC ":sub",
                                         TOPIC "/",
                                         "arn:aws:sns:eu-west-1:123456789012:",
                                         "arn:aws:sns::123456789012:songs",
                                         "arn:aws:sns:eu.evil:123456789012:songs",
                                         "arn:aws-iso:sns:us-iso-east-1:123456789012:songs"};
    setup();
    party leaf = certify(&(wanted){"sns.amazonaws.com", 9, ISSUER}, &issuer);
    ap_error err;
    ap_sns *s = open_with(TOPIC), *none = open_with(NULL);
    shown = &leaf;
    CHECK(refused(s, notification("2", OTHER, HOST "a.pem", &leaf), "not among the topics"));
    CHECK(refused(s, notification("2", TOPIC "s", HOST "a.pem", &leaf), "not among the topics"));
    CHECK(refused(none, notification("2", TOPIC, HOST "a.pem", &leaf), "not among the topics"));
    CHECK(fetched == 0);
    ap_sns_close(s);
    ap_sns_close(none);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (!CHECK(!ap_sns_open(&(ap_sns_options){topics[i], trust, fetch}, &err) && err.code == AP_USAGE))
            fprintf(stderr, "%s\n", topics[i]);
    forget(&leaf);
}

static void looks_for_certificates_at_sns_alone(void)
{
    static const char *const urls[] = {"http://sns.eu-west-1.amazonaws.com/a.pem",
                                       "https://sns.us-east-1.amazonaws.com/a.pem",
                                       "https://sns.eu-west-1.amazonaws.com.cn/a.pem",
                                       "https://s3.amazonaws.com/a.pem",
                                       "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
                                       "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
                                       HOST "a.key",
                                       HOST "?Action=x&y=a.pem",
                                       HOST "#.pem",
                                       "https://sns.eu-west-1.amazonaws.com.pem",
                                       ""};
    setup();
    party leaf = certify(&(wanted){"sns.amazonaws.com", 9, ISSUER}, &issuer);
    party china = certify(&(wanted){"sns-cn-north-1.amazonaws.com.cn", 9, ISSUER}, &issuer);
    ap_sns *s = open_with(TOPIC "," CHINA);
    shown = &leaf;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        if (!CHECK(refused(s, notification("2", TOPIC, urls[i], &leaf), "certificate is not where")))
            fprintf(stderr, "%s\n", urls[i]);
    CHECK(fetched == 0);
    shown = &china;
    CHECK(believed(s, notification("2", CHINA, "https://sns.cn-north-1.amazonaws.com.cn/a.pem", &china)));
    CHECK(
        refused(s, notification("2", CHINA, "https://sns.cn-north-1.amazonaws.com/a.pem", &china), "where"));
    ap_sns_close(s);
    forget(&leaf);
    forget(&china);
}

/* Whether a message by a certificate like that, of that issuer, is refused. */
static bool mistrusts(const wanted *w, const party *by, const char *reason)
{
    party leaf = certify(w, by);
    ap_sns *s = open_with(TOPIC);
    shown = &leaf;
    bool ok = refused(s, notification("2", TOPIC, HOST "a.pem", &leaf), reason);
    ap_sns_close(s);
    forget(&leaf);
    return ok;
}

static void trusts_amazon_alone(void)
{
    static const char reason[] = "is not trusted", other[] = "is not one of SNS";
    setup();
    CHECK(mistrusts(&(wanted){"sns.amazonaws.com", 9, NULL}, NULL, reason)); /* by itself */
    CHECK(mistrusts(&(wanted){"sns.amazonaws.com", 9, NULL}, &stranger, reason));
    CHECK(mistrusts(&(wanted){"sns.amazonaws.com", 9, ISSUER}, &stranger, reason)); /* not its issuer */
    CHECK(mistrusts(&(wanted){"sns.amazonaws.com", -1, ISSUER}, &issuer, reason));  /* it has ended */
    CHECK(mistrusts(&(wanted){"sns.amazonaws.com", 9, NULL}, &issuer, reason)); /* nobody knows its issuer */
    CHECK(mistrusts(&(wanted){"evil.example", 9, ISSUER}, &issuer, other));
    CHECK(mistrusts(&(wanted){"sns-x.s3.amazonaws.com", 9, ISSUER}, &issuer, other));
    CHECK(mistrusts(&(wanted){"*.amazonaws.com", 9, ISSUER}, &issuer, other));
    issuer_away = true;
    CHECK(mistrusts(&(wanted){"sns.amazonaws.com", 9, ISSUER}, &issuer, "cannot be had"));
    issuer_away = false;

    asked_issuer = 0; /* the certificate of an issuer leads nowhere else */
    party first = issuer;
    issuer = certify(&(wanted){"second", 9, ISSUER}, &first);
    CHECK(mistrusts(&(wanted){"sns.amazonaws.com", 9, ISSUER}, &issuer, reason) && asked_issuer == 1);
    forget(&issuer);
    issuer = first;

    party leaf = certify(&(wanted){"sns.eu-west-1.amazonaws.com", 9, NULL}, &issuer);
    ap_sns *s = open_with(TOPIC);
    shown = NULL;
    cJSON *m = notification("2", TOPIC, HOST "a.pem", &leaf);
    ap_error err = {AP_OK, ""};
    CHECK(!ap_sns_check(s, m, &err) && err.code == AP_TRY_AGAIN);
    shown = &leaf;
    with_issuer = true; /* in the file itself */
    CHECK(believed(s, m));
    ap_sns_close(s);
    forget(&leaf);
    unlink(trust);
    forget(&root);
    forget(&stranger);
    forget(&issuer);
    *trust = 0;
}

TEST_MAIN(CASE(believes_what_is_signed), CASE(confirms_at_sns_alone), CASE(refuses_what_was_changed),
          CASE(refuses_other_topics), CASE(looks_for_certificates_at_sns_alone), CASE(trusts_amazon_alone))
