/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tokens: only their hashes are kept, and they expire. */
#include "serve/who/keys.h"
#include "test.h"

#include <unistd.h>

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

TEST_MAIN(CASE(tokens_are_hashed), CASE(tokens_expire))
