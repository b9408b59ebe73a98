/* SPDX-License-Identifier: GPL-3.0-or-later
 * sns.c - messages of Amazon's SNS are signed: "Verifying the signatures of Amazon SNS messages" in its
 * guide. The host of certificates, and of the URL that confirms, follows from the topic, which the
 * administrator has named: only the certificate of an issuer may be fetched from elsewhere. */
#include "serve/who/sns.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "serve/who/certificate.h"

#include <gnutls/abstract.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES 65536 /* of a file of certificates, and of the answer to a confirmation */
#define KEPT_S 86400.0   /* a key; then its certificate is looked at again */
#define KNOWN 8          /* keys that are kept */

typedef struct known {
    char *url; /* NULL: none */
    gnutls_pubkey_t key;
    double until_s;
} known;

struct ap_sns {
    ap_sns_options options;
    pthread_mutex_t lock; /* of what is known */
    known known[KNOWN];
    unsigned next;
};

/* ---- topics */

/* "eu-west-1.amazonaws.com", of arn:aws:sns:eu-west-1:123456789012:NAME. */
static bool domain_of(const char *topic, char domain[96])
{
    char partition[12], region[33];
    int end = 0;
    if (sscanf(topic, "arn:%11[a-z-]:sns:%32[a-z0-9-]:%*12[0-9]:%n", partition, region, &end) != 2 || !end ||
        !topic[end] ||
        topic[end +
              (int)strspn(topic + end, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")])
        return false;
    bool china = strcmp(partition, "aws-cn") == 0;
    if (!china && strcmp(partition, "aws") != 0 && strcmp(partition, "aws-us-gov") != 0)
        return false;
    snprintf(domain, 96, "%s.amazonaws.com%s", region, china ? ".cn" : "");
    return true;
}

/* Whether a URL is one of the SNS of that topic, and of nobody else. */
static bool is_at(const char *url, const char *topic)
{
    static const char start[] = "https://sns.";
    char domain[96];
    if (!domain_of(topic, domain) || strncmp(url, start, sizeof start - 1) != 0)
        return false;
    url += sizeof start - 1;
    return strncmp(url, domain, strlen(domain)) == 0 && url[strlen(domain)] == '/';
}

ap_sns *ap_sns_open(const ap_sns_options *options, ap_error *err)
{
    char domain[96], *list = strdup(options->topics ? options->topics : ""), *rest = list, *topic;
    ap_sns *s = list ? calloc(1, sizeof *s) : NULL;
    bool ok = s || ap_fail_memory(err);
    while (ok && (topic = strsep(&rest, ", ")))
        ok = !*topic || domain_of(topic, domain) ||
             ap_fail(err, AP_USAGE, "'%s' is not a topic: arn:aws:sns:REGION:ACCOUNT:NAME", topic);
    free(list);
    if (!ok) {
        free(s);
        return NULL;
    }
    s->options = *options;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void ap_sns_close(ap_sns *s)
{
    for (size_t i = 0; s && i < KNOWN; i++)
        if (s->known[i].url) {
            gnutls_pubkey_deinit(s->known[i].key);
            free(s->known[i].url);
        }
    free(s);
}

/* ---- messages */

/* What is signed: names and values, each on a line of its own. malloc'ed. */
static char *signed_text(const cJSON *message)
{
    static const char *const notification[] = {"Message",   "MessageId", "Subject",
                                               "Timestamp", "TopicArn",  "Type"},
                             *const other[] = {"Message", "MessageId", "SubscribeURL", "Timestamp",
                                               "Token",   "TopicArn",  "Type"};
    bool notified = strcmp(ap_json_string(message, "Type"), "Notification") == 0;
    const char *const *names = notified ? notification : other;
    ap_bytes text = {0};
    for (size_t i = 0; i < (notified ? 6 : 7); i++) {
        const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, names[i]));
        if (!value) /* Subject may be missing */
            continue;
        ap_bytes_add(&text, names[i], strlen(names[i]));
        ap_bytes_add(&text, "\n", 1);
        ap_bytes_add(&text, value, strlen(value));
        ap_bytes_add(&text, "\n", 1);
    }
    ap_bytes_add(&text, "", 1);
    if (!text.failed)
        return (char *)text.data;
    free(text.data);
    return NULL;
}

static bool is_signed_by(gnutls_pubkey_t key, const cJSON *message)
{
    const bool first = strcmp(ap_json_string(message, "SignatureVersion"), "1") == 0;
    const char *base64 = ap_json_string(message, "Signature");
    const gnutls_datum_t coded = {(unsigned char *)base64, (unsigned)strlen(base64)};
    char *text = signed_text(message);
    const gnutls_datum_t data = {(unsigned char *)text, text ? (unsigned)strlen(text) : 0};
    gnutls_datum_t signature = {NULL, 0};
    bool ok =
        text && gnutls_base64_decode2(&coded, &signature) == 0 &&
        gnutls_pubkey_verify_data2(key, first ? GNUTLS_SIGN_RSA_SHA1 : GNUTLS_SIGN_RSA_SHA256,
                                   first ? GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1 : 0, &data, &signature) >= 0;
    gnutls_free(signature.data);
    free(text);
    return ok;
}

/* Whether the key of that URL is kept; then *right: it has signed the message. */
static bool know(ap_sns *s, const char *url, const cJSON *message, bool *right)
{
    bool found = false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; !found && i < KNOWN; i++) {
        const known *k = &s->known[i];
        found = k->url && strcmp(k->url, url) == 0 && k->until_s > ap_monotonic_s();
        *right = found && is_signed_by(k->key, message);
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

static void keep(ap_sns *s, const char *url, gnutls_pubkey_t key)
{
    pthread_mutex_lock(&s->lock);
    known *k = &s->known[s->next++ % KNOWN];
    if (k->url)
        gnutls_pubkey_deinit(k->key);
    free(k->url);
    *k = (known){strdup(url), key, ap_monotonic_s() + KEPT_S};
    if (!k->url)
        gnutls_pubkey_deinit(key);
    pthread_mutex_unlock(&s->lock);
}

bool ap_is_sns(const cJSON *message)
{
    return *ap_json_string(message, "Type") && *ap_json_string(message, "TopicArn");
}

bool ap_sns_check(ap_sns *s, const cJSON *message, ap_error *err)
{
    const char *topic = ap_json_string(message, "TopicArn"), *url = ap_json_string(message, "SigningCertURL");
    const char *version = ap_json_string(message, "SignatureVersion");
    const size_t n = strlen(url);
    ap_bytes file = {0};
    char domain[96];
    gnutls_pubkey_t key;
    bool right;
    if (!s->options.topics || !ap_lists_word(s->options.topics, topic))
        return ap_fail(err, AP_FAILED, "'%.300s' is not among the topics that are wanted here", topic);
    if (strcmp(version, "1") != 0 && strcmp(version, "2") != 0)
        return ap_fail(err, AP_FAILED, "it is signed in a way that is not known here");
    if (!is_at(url, topic) || url[strcspn(url, "?#@")] || strcmp(url + n - 4, ".pem") != 0)
        return ap_fail(err, AP_FAILED, "its certificate is not where those of SNS are");
    if (!know(s, url, message, &right)) {
        bool ok = s->options.fetch(url, MOST_BYTES, &file, err) && domain_of(topic, domain) &&
                  ap_sns_key(&file, domain, s->options.trust, s->options.fetch, &key, err);
        free(file.data);
        if (!ok)
            return false;
        right = is_signed_by(key, message);
        keep(s, url, key);
    }
    return right || ap_fail(err, AP_FAILED, "its signature is wrong");
}

bool ap_sns_confirm(ap_sns *s, const cJSON *message, ap_error *err)
{
    const char *url = ap_json_string(message, "SubscribeURL");
    ap_bytes answer = {0};
    bool ok = is_at(url, ap_json_string(message, "TopicArn"))
                  ? s->options.fetch(url, MOST_BYTES, &answer, err)
                  : ap_fail(err, AP_FAILED, "the subscription is not to be confirmed at SNS");
    free(answer.data);
    return ok;
}
