/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tokens, limits, and that openapi.json describes the routes that there are. */
#include "serve/keys.h"
#include "serve/limits.h"
#include "serve/page.h"
#include "serve/request.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <unistd.h>

/* "{name*}" is "{name}" there. */
static void public_path(const char *path, char *to)
{
    for (; *path; path++)
        if (*path != '*')
            *to++ = *path;
    *to = 0;
}

static void lower(const char *from, char *to)
{
    while ((*to++ = (char)tolower((unsigned char)*from)))
        from++;
}

static void every_route_is_described(void)
{
    cJSON *document = cJSON_Parse(ap_openapi_json);
    const cJSON *paths = cJSON_GetObjectItemCaseSensitive(document, "paths"), *path, *method;
    size_t described = 0;
    char name[256], verb[16];
    CHECK(paths);
    size_t aliases = 0;
    for (const ap_route *r = ap_routes; r->method; r++) {
        aliases += (r->flags & AP_COMPAT) != 0;
        if (r->flags & AP_COMPAT)
            continue;
        public_path(r->path, name);
        lower(r->method, verb);
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(paths, name);
        if (!CHECK(cJSON_GetObjectItemCaseSensitive(item, verb)))
            fprintf(stderr, "%s %s is not described\n", r->method, r->path);
    }
    cJSON_ArrayForEach(path, paths)
    {
        cJSON_ArrayForEach(method, path)
        {
            described++;
        }
    }
    CHECK(described + aliases == ap_route_count());
    cJSON_Delete(document);
}

static void tokens_are_hashed(void)
{
    char path[] = "/tmp/ap-keys-XXXXXX", token[AP_KEY_BYTES], other[AP_KEY_BYTES], line[512];
    int fd = mkstemp(path);
    ap_keys keys;
    ap_person alice = {.owner = "alice"}, root = {.owner = "root", .admin = true}, found;
    CHECK(fd >= 0 && ap_keys_open(&keys, path, NULL));
    CHECK(ap_keys_add(&keys, &alice, token, NULL) && ap_keys_add(&keys, &root, other, NULL));
    CHECK(strlen(token) >= 40 && strcmp(token, other) != 0);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in))
        CHECK(!strstr(line, token) && !strstr(line, other));
    if (in)
        fclose(in);
    CHECK(ap_keys_find(&keys, token, &found) && strcmp(found.owner, "alice") == 0 && !found.admin);
    CHECK(ap_keys_find(&keys, other, &found) && strcmp(found.owner, "root") == 0 && found.admin);
    CHECK(!ap_keys_find(&keys, "", &found) && !ap_keys_find(&keys, "ap_x", &found));
    size_t count;
    CHECK(ap_keys_remove(&keys, NULL, "alice", &count, NULL) && count == 1);
    CHECK(!ap_keys_find(&keys, token, &found) && ap_keys_find(&keys, other, &found));
    ap_keys_close(&keys);
    close(fd);
    unlink(path);
    snprintf(line, sizeof line, "%s.lock", path);
    unlink(line);
}

static void tokens_expire(void)
{
    char path[] = "/tmp/ap-keys-XXXXXX", token[AP_KEY_BYTES], lock[64];
    int fd = mkstemp(path);
    ap_keys keys;
    ap_person old = {.owner = "old", .expires_s = 1000}, found;
    CHECK(fd >= 0 && ap_keys_open(&keys, path, NULL) && ap_keys_add(&keys, &old, token, NULL));
    CHECK(!ap_keys_find(&keys, token, &found));
    ap_keys_close(&keys);
    close(fd);
    unlink(path);
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock);
}

static void buckets_run_dry_and_fill(void)
{
    static ap_buckets b;
    double wait;
    ap_buckets_init(&b, 2); /* eight may be saved up */
    for (int i = 0; i < 8; i++)
        CHECK(ap_buckets_take(&b, "alice", 10, &wait));
    CHECK(!ap_buckets_take(&b, "alice", 10, &wait));
    CHECK_NEAR(wait, 0.5, 1e-9);
    CHECK(ap_buckets_take(&b, "bob", 10, &wait));
    CHECK(ap_buckets_take(&b, "alice", 10.5, &wait));
    CHECK(!ap_buckets_take(&b, "alice", 10.5, &wait));
    ap_buckets_init(&b, 0);
    for (int i = 0; i < 1000; i++)
        CHECK(ap_buckets_take(&b, "alice", 10, &wait));
}

TEST_MAIN(CASE(every_route_is_described), CASE(tokens_are_hashed), CASE(tokens_expire),
          CASE(buckets_run_dry_and_fill))
