/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-serve - the spool over HTTP: upload, watch, listen, download, from a browser or a program. */
#include "base/cores.h"
#include "base/error.h"
#include "base/text.h"
#include "front/guess.h"
#include "front/options.h"
#include "front/where.h"
#include "jobs/record/clock.h"
#include "jobs/run/recipe.h"
#include "jobs/spool/sources.h"
#include "jobs/spool/spool.h"
#include "serve/api/store.h"
#include "serve/serve.h"
#include "serve/who/keys.h"
#include "serve/who/parse.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const command serve_command = {"ap-serve", "[token COMMAND [NAME]]",
                                      "The spool over HTTP: upload, watch, listen and download."};

typedef struct config {
    ap_serve_options serve;
    unsigned run;
    double max_upload_mib, quota_mib, keep_h;
    const char *store; /* as it was given */
    int role;
    double expires_s;
} config;

static config cfg = {
    .serve = {.listen = "127.0.0.1:8080",
              .rate = 50,
              .connections = 1000,
              .connections_each = UINT_MAX,
              .uploads = 10000,
              .jwt = {.owner_claim = "sub", .role_claim = "role", .admin = "admin"}},
    .run = UINT_MAX,
    .keep_h = 24,
};

#define AT(field) offsetof(config, field)

enum { USER, ADMIN, MACHINE };
static const choice roles[] = {{"user", USER}, {"admin", ADMIN}, {"machine", MACHINE}, {0}};

static bool set_expiry(void *to, const char *argument, ap_error *err)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end;
    double number = strtod(argument, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (*argument >= '0' && *argument <= '9' && number > 0 && number < 1e6 && *end == units[i].unit &&
            !end[1]) {
            ((config *)to)->expires_s = number * units[i].seconds;
            return true;
        }
    return ap_fail(err, AP_USAGE, "'%s' is not a number and m, h, d or w", argument);
}

static const option_row rows[] = {
    ROW_TEXT('l', "listen", "ADDRESS", AT(serve.listen), "ADDRESS:PORT or unix:PATH"),
    ROW_COUNT('r', "run", "N", AT(run), 0, 1024, "jobs at a time, 0 = none; one for each core if not given",
              .no_default = true),
    ROW_TEXT(0, "public-url", "URL", AT(serve.public_url), "what clients see, behind a proxy"),
    ROW_ON(0, "trust-proxy", AT(serve.trust_proxy), "believe X-Forwarded-For and X-Forwarded-Proto"),
    ROW_ON(0, "compat", AT(serve.compat), "also the paths that other services have, as aliases"),
    ROW_TEXT(0, "origins", "LIST", AT(serve.origins),
             "other sites whose pages may call, separated by commas"),
    ROW_FILE(0, "jwks", "FILE", AT(serve.jwt.keys), "take JSON Web Tokens, signed with one of these keys"),
    ROW_TEXT(0, "issuer", "TEXT", AT(serve.jwt.issuer), "JSON Web Tokens: what iss has to be"),
    ROW_TEXT(0, "audience", "TEXT", AT(serve.jwt.audience), "JSON Web Tokens: what aud has to be"),
    ROW_TEXT(0, "owner-claim", "NAME", AT(serve.jwt.owner_claim), "JSON Web Tokens: who it is"),
    ROW_TEXT(0, "role-claim", "NAME", AT(serve.jwt.role_claim), "JSON Web Tokens: what they are"),
    ROW_TEXT(0, "admin-role", "TEXT", AT(serve.jwt.admin), "JSON Web Tokens: the role of administrators"),
    ROW_TEXT(0, "store", "URL", AT(store), "s3://BUCKET/PREFIX/: clients send there and fetch from there"),
    ROW_TEXT(0, "topics", "LIST", AT(serve.topics),
             "topics of SNS whose messages are believed: their ARNs, separated by commas"),
    ROW_ON(0, "open", AT(serve.open), "nobody has to sign in; only for this host"),
    ROW_FILE(0, "certificate", "FILE", AT(serve.certificate), "TLS: the certificates, in PEM"),
    ROW_FILE(0, "private-key", "FILE", AT(serve.private_key), "TLS: their key, in PEM"),
    ROW_TEXT(0, "notify", "HOOKS", AT(serve.notify), "what tells of the end of jobs: mail, webhook"),
    ROW_NUMBER(0, "quota", "MIB", AT(quota_mib), 0, 1e9, "what an owner may keep; 0 = no limit"),
    ROW_NUMBER(0, "keep", "HOURS", AT(keep_h), 0.001, 87600,
               "how long an upload is kept that nobody continues"),
    ROW_NUMBER(0, "rate", "N", AT(serve.rate), 0, 1e6,
               "requests a second of each owner or address; 0 = no limit"),
    ROW_COUNT(0, "connections", "N", AT(serve.connections), 1, 100000, "at a time"),
    ROW_COUNT(0, "connections-each", "N", AT(serve.connections_each), 0, 100000,
              "of each address at a time; 0 = no limit; 100, behind a proxy 0, if not given",
              .no_default = true),
    ROW_COUNT(0, "uploads", "N", AT(serve.uploads), 0, 1e6, "that an owner may have; 0 = no limit"),
    ROW_CHOICE(0, "role", roles, AT(role), "token add: what it is for"),
    ROW_CALL(0, "expires", "AGE", set_expiry, "token add: how long it is valid: 12h, 30d, 4w"),
    {0},
};

/* ---- tokens */

/* SPOOL/.serve/tokens, which is made if it is not there. */
static bool open_tokens(ap_keys *keys, const places *where, ap_error *err)
{
    char *home = ap_print("%s/.serve", where->spool), *path = home ? ap_print("%s/tokens", home) : NULL;
    bool ok = path || ap_fail_memory(err);
    ok = ok && ap_spool_prepare(where->spool, err) && ap_make_folder(home, err) &&
         ap_keys_open(keys, path, err);
    free(home);
    free(path);
    return ok;
}

static bool add_token(ap_keys *keys, const char *name, ap_error *err)
{
    char token[AP_KEY_BYTES];
    ap_person person = {.admin = cfg.role == ADMIN,
                        .machine = cfg.role == MACHINE,
                        .expires_s = cfg.expires_s > 0 ? ap_wall_s() + cfg.expires_s : 0};
    if (strlen(name) >= sizeof person.owner)
        return ap_fail(err, AP_USAGE, "'%s' is too long for a name", name);
    strcpy(person.owner, name);
    if (!ap_keys_add(keys, &person, token, err))
        return false;
    puts(token);
    return finish_stdout(err);
}

static void print_token(const ap_key *key, void *user)
{
    char when[32] = "never";
    (void)user;
    if (key->person.expires_s > 0)
        ap_time_print(key->person.expires_s, when);
    printf("%s\t%s\t%02x%02x%02x%02x\t%s\n", key->person.owner, ap_role_name(&key->person), key->hash[0],
           key->hash[1], key->hash[2], key->hash[3], when);
}

static bool remove_tokens(ap_keys *keys, const char *name, ap_error *err)
{
    size_t count;
    return ap_keys_remove(keys, NULL, name, &count, err) &&
           (count > 0 || ap_fail(err, AP_FAILED, "there is no token of '%s'", name));
}

static bool token(const places *where, int argc, char **argv, ap_error *err)
{
    ap_keys keys;
    const char *what = argc > 1 ? argv[1] : "", *name = argc > 2 ? argv[2] : "";
    bool list = strcmp(what, "list") == 0, add = strcmp(what, "add") == 0;
    if (argc > 3 || (!list && !add && strcmp(what, "remove") != 0) || (list && argc > 2))
        usage_error(&serve_command, "token add NAME, token list or token remove NAME");
    if (!list && !ap_is_owner_name(name))
        usage_error(&serve_command, "'%s' is not a name: letters, digits and . _ @ -", name);
    if (!open_tokens(&keys, where, err))
        return false;
    if (list)
        ap_keys_each(&keys, print_token, NULL);
    bool ok = list ? finish_stdout(err) : add ? add_token(&keys, name, err) : remove_tokens(&keys, name, err);
    ap_keys_close(&keys);
    return ok;
}

/* ---- serving */

static bool serve(const places *where, ap_error *err)
{
    ap_serve_options *o = &cfg.serve;
    const command *c = &serve_command;
    if (!o->certificate != !o->private_key)
        usage_error(c, "--certificate and --private-key go together");
    char *store = cfg.store ? ap_destination(cfg.store, err) : NULL;
    if (cfg.store && (!store || !(o->store_origin = ap_store_origin(store, err))))
        return false;
    o->store = store; /* to the end */
    if (!o->notify)
        o->notify = getenv("AUDIOPIPE_NOTIFY");
    if (!ap_hooks_there(where->hooks, o->notify, err))
        return false;
    if (o->jwt.keys && (!o->jwt.issuer || !o->jwt.audience))
        usage_error(c, "--jwks needs --issuer and --audience");
    if (!o->jwt.keys && (o->jwt.issuer || o->jwt.audience))
        usage_error(c, "--issuer and --audience need --jwks");
    if (o->public_url && strncmp(o->public_url, "http://", 7) != 0 &&
        strncmp(o->public_url, "https://", 8) != 0)
        usage_error(c, "'%s' does not begin with http:// or https://", o->public_url);
    o->max_bytes = number_of(c, "AUDIOPIPE_MAX_SIZE", 4096, 0, 1e9) * 0x1p20;
    o->max_seconds = time_of(c, "AUDIOPIPE_MAX_DURATION", 86400);
    o->min_free_bytes = number_of(c, "AUDIOPIPE_MIN_FREE", 64, 0, 1e9) * 0x1p20;
    o->quota_bytes = cfg.quota_mib * 0x1p20;
    o->keep_s = cfg.keep_h * 3600;
    if (o->connections_each == UINT_MAX)
        o->connections_each = o->trust_proxy ? 0 : 100;
    o->work = (ap_work_options){
        .spool = where->spool,
        .shell = where->shell,
        .recipes = where->recipes,
        .hooks = where->hooks,
        .jobs = cfg.run != UINT_MAX ? cfg.run : ap_cores(),
        .grace_s = number_of(c, "AUDIOPIPE_GRACE", 10, 0, 3600),
        .retry = {.attempts = (unsigned)number_of(c, "AUDIOPIPE_ATTEMPTS", 5, 1, 1000),
                  .backoff_s = number_of(c, "AUDIOPIPE_BACKOFF", 30, 0, 3600)},
    };
    return ap_serve(o, err);
}

int main(int argc, char **argv)
{
    const option_group groups[OPTION_GROUPS] = {{rows, &cfg}};
    places where = {0};
    ap_error err = {AP_OK, ""};
    int first = parse_options(&serve_command, groups, argc, argv);
    bool tokens = first < argc && strcmp(argv[first], "token") == 0;
    const char *const commands[] = {"token"};
    const char *guess = first < argc ? guess_name(argv[first], commands, 1) : NULL;
    if (first < argc && !tokens && guess)
        usage_error(&serve_command, "unknown command '%s': did you mean '%s'?", argv[first], guess);
    if (first < argc && !tokens)
        usage_error(&serve_command, "unknown command '%s'", argv[first]);
    umask(077);
    bool ok = find_places(&where, &err) &&
              (tokens ? token(&where, argc - first, argv + first, &err) : serve(&where, &err));
    free_places(&where);
    if (!ok)
        complain(&serve_command, "%s", err.message);
    return ok ? AP_OK : (int)err.code;
}
