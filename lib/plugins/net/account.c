/* SPDX-License-Identifier: GPL-3.0-or-later
 * account.c - keys and endpoints, where the AWS tools keep them. */
#include "plugins/net/account.h"
#include "base/error.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE (1 << 20) /* bytes */
#define MAX_KEY 200        /* characters */

/* ---- INI */

typedef struct ini_line {
    const char *key, *value;
    size_t key_length, value_length;
    bool indented;
} ini_line;

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

static size_t without_blanks(const char *p, const char *end)
{
    while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    return (size_t)(end - p);
}

/* key = value; false for anything else. */
static bool split_line(const char *p, const char *end, ini_line *line)
{
    const char *equals = memchr(p, '=', (size_t)(end - p)), *start = skip_blanks(p, end);
    if (!equals || *start == '#' || *start == ';')
        return false;
    line->indented = start > p;
    line->key = start;
    line->key_length = without_blanks(start, equals);
    line->value = skip_blanks(equals + 1, end);
    line->value_length = without_blanks(line->value, end);
    return true;
}

static bool is_text(const char *p, size_t length, const char *text)
{
    return strlen(text) == length && memcmp(p, text, length) == 0;
}

/* [name] or [profile name]. */
static bool is_section(const char *p, const char *end, const char *section)
{
    size_t length = without_blanks(p, end);
    if (length < 2 || p[0] != '[' || p[length - 1] != ']')
        return false;
    p = skip_blanks(p + 1, end);
    end = p + without_blanks(p, strchr(p, ']'));
    if (end - p > 8 && strncmp(p, "profile ", 8) == 0)
        p = skip_blanks(p + 8, end);
    return is_text(p, (size_t)(end - p), section);
}

char *ap_ini_value(const char *text, const char *section, const char *key)
{
    const char *dot = strchr(key, '.');
    const size_t group_length = dot ? (size_t)(dot - key) : 0;
    bool inside = false, group = false;
    for (const char *p = text, *end; *p; p = *end ? end + 1 : end) {
        ini_line line;
        end = strchrnul(p, '\n');
        if (*p == '[')
            inside = is_section(p, end, section);
        else if (inside && split_line(p, end, &line)) {
            if (!line.indented)
                group = dot && is_text(key, group_length, strndupa(line.key, line.key_length));
            if (line.indented == (dot != NULL) && (!dot || group) &&
                is_text(line.key, line.key_length, dot ? dot + 1 : key))
                return strndup(line.value, line.value_length);
        }
    }
    return NULL;
}

/* ---- files */

/* $VARIABLE, else ~/.aws/NAME; malloc'ed, NULL if it cannot be read. */
static char *read_file(const char *variable, const char *name)
{
    const char *path = getenv(variable), *home = getenv("HOME");
    char *own = !path && home ? ap_print("%s/.aws/%s", home, name) : NULL;
    FILE *file = path || own ? fopen(path ? path : own, "rbe") : NULL;
    char *text = file ? malloc(MAX_FILE + 1) : NULL;
    if (text)
        text[fread(text, 1, MAX_FILE, file)] = 0;
    if (file)
        fclose(file);
    free(own);
    return text;
}

typedef struct source {
    char *credentials, *config; /* texts, NULL: no such file */
    const char *profile;
} source;

/* The first of: the variables in the environment, the two files. malloc'ed or NULL. */
static char *look_up(const source *s, const char *variable, const char *other, const char *key)
{
    const char *found = getenv(variable);
    if ((!found || !*found) && other)
        found = getenv(other);
    if (found && *found)
        return strdup(found);
    char *value = s->credentials && key ? ap_ini_value(s->credentials, s->profile, key) : NULL;
    return value || !s->config || !key ? value : ap_ini_value(s->config, s->profile, key);
}

/* Keys come together from one place. */
static void find_keys(const source *s, ap_account *a)
{
    const char *access = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");
    const char *token = getenv("AWS_SESSION_TOKEN"), *texts[] = {s->credentials, s->config};
    if (access && *access && secret && *secret) {
        a->access_key = strdup(access);
        a->secret_key = strdup(secret);
        a->token = token && *token ? strdup(token) : NULL;
        return;
    }
    for (size_t i = 0; i < 2 && !a->access_key; i++)
        if (texts[i]) {
            a->access_key = ap_ini_value(texts[i], s->profile, "aws_access_key_id");
            a->secret_key = ap_ini_value(texts[i], s->profile, "aws_secret_access_key");
            a->token = ap_ini_value(texts[i], s->profile, "aws_session_token");
        }
}

static bool has_profile(const char *text, const char *profile)
{
    for (const char *p = text; p && *p; p = strchrnul(p, '\n'), p += *p == '\n')
        if (*p == '[' && is_section(p, strchrnul(p, '\n'), profile))
            return true;
    return false;
}

static bool check(const ap_account *a, const source *s, ap_error *err)
{
    const char *asked = getenv("AWS_PROFILE");
    if (asked && *asked && !has_profile(s->credentials, asked) && !has_profile(s->config, asked))
        return ap_fail(err, AP_FAILED, "there is no profile '%s' in the files of AWS credentials", asked);
    if (a->access_key &&
        (!a->secret_key || strlen(a->access_key) > MAX_KEY || strlen(a->secret_key) > MAX_KEY))
        return ap_fail(err, AP_FAILED, "the credentials for object storage are not complete");
    if (a->endpoint && strncmp(a->endpoint, "http://", 7) != 0 && strncmp(a->endpoint, "https://", 8) != 0)
        return ap_fail(err, AP_USAGE, "the endpoint '%s' does not begin with http:// or https://",
                       a->endpoint);
    return a->region || ap_fail_memory(err);
}

bool ap_account_find(ap_account *a, ap_error *err)
{
    const char *profile = getenv("AWS_PROFILE");
    source s = {read_file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
                read_file("AWS_CONFIG_FILE", "config"), profile && *profile ? profile : "default"};
    *a = (ap_account){0};
    find_keys(&s, a);
    a->region = look_up(&s, "AWS_REGION", "AWS_DEFAULT_REGION", "region");
    if (!a->region)
        a->region = strdup("us-east-1");
    a->endpoint = look_up(&s, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "endpoint_url");
    for (size_t n = a->endpoint ? strlen(a->endpoint) : 0; n && a->endpoint[n - 1] == '/'; n--)
        a->endpoint[n - 1] = 0;
    char *style = look_up(&s, "AUDIOPIPE_S3_STYLE", NULL, "s3.addressing_style");
    a->path_style = style ? strcmp(style, "path") == 0 : a->endpoint != NULL;
    free(style);
    bool ok = check(a, &s, err);
    free(s.credentials);
    free(s.config);
    if (!ok)
        ap_account_free(a);
    return ok;
}

void ap_account_free(ap_account *a)
{
    free(a->access_key);
    free(a->secret_key);
    free(a->token);
    free(a->region);
    free(a->endpoint);
    *a = (ap_account){0};
}
