/* SPDX-License-Identifier: GPL-3.0-or-later
 * keys.c - tokens and sessions, hashed at rest. A token has 256 random bits, so that a plain hash is enough:
 * there is nothing to guess. */
#include "serve/who/keys.h"
#include "base/error.h"
#include "base/output.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "serve/who/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base16.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#define LINE_BYTES 256

/* ---- random */

static bool fill(unsigned char *bytes, size_t size)
{
    return getrandom(bytes, size, 0) == (ssize_t)size;
}

bool ap_random_token(char token[AP_KEY_BYTES], ap_error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[43]; /* 6 bits of each count */
    if (!fill(bytes, sizeof bytes))
        return ap_fail_errno(err, errno, "no random numbers");
    strcpy(token, "ap_");
    for (size_t i = 0; i < sizeof bytes; i++)
        token[3 + i] = digits[bytes[i] & 63];
    token[3 + sizeof bytes] = 0;
    return true;
}

bool ap_random_hex(char hex[33])
{
    unsigned char bytes[16];
    bool ok = fill(bytes, sizeof bytes);
    base16_encode_update(hex, sizeof bytes, bytes);
    hex[BASE16_ENCODE_LENGTH(sizeof bytes)] = 0;
    return ok;
}

static void hash_of(const char *token, unsigned char hash[32])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, strlen(token), (const unsigned char *)token);
    sha256_digest(&context, 32, hash);
}

/* ---- the file */

const char *ap_role_name(const ap_person *person)
{
    return person->admin ? "admin" : person->machine ? "machine" : "user";
}

/* OWNER:ROLE:SHA256:EXPIRY */
static bool parse_key(const char *line, ap_key *key)
{
    char role[8], hex[65];
    unsigned long long expires;
    if (sscanf(line, "%63[^:]:%7[^:]:%64[0-9a-f]:%llu", key->person.owner, role, hex, &expires) != 4 ||
        strlen(hex) != 64 || !ap_is_owner_name(key->person.owner))
        return false;
    for (size_t i = 0; i < 32; i++)
        if (sscanf(hex + 2 * i, "%2hhx", &key->hash[i]) != 1)
            return false;
    key->person.admin = strcmp(role, "admin") == 0;
    key->person.machine = strcmp(role, "machine") == 0;
    key->person.expires_s = (double)expires;
    return true;
}

static bool append(ap_keys *keys, const ap_key *key)
{
    ap_key *more = reallocarray(keys->items, keys->count + 1, sizeof *more);
    if (!more)
        return false;
    more[keys->count++] = *key;
    keys->items = more;
    return true;
}

/* Reads the file if it is another one than last time. */
static void refresh(ap_keys *keys)
{
    char line[LINE_BYTES];
    if (!ap_stamp_changes(keys->path, &keys->stamp))
        return;
    keys->count = 0;
    FILE *in = fopen(keys->path, "re");
    for (ap_key key; in && fgets(line, sizeof line, in);)
        if (parse_key(line, &key) && !append(keys, &key))
            break;
    if (in)
        fclose(in);
}

static bool write_key(ap_output *out, const ap_key *key, ap_error *err)
{
    char line[LINE_BYTES], hex[65];
    base16_encode_update(hex, sizeof key->hash, key->hash);
    hex[BASE16_ENCODE_LENGTH(sizeof key->hash)] = 0;
    int n = snprintf(line, sizeof line, "%s:%s:%s:%.0f\n", key->person.owner, ap_role_name(&key->person), hex,
                     key->person.expires_s);
    return ap_output_write(out, line, (size_t)n, err);
}

static bool write_all(const ap_keys *keys, ap_error *err)
{
    ap_output *out = ap_output_create(keys->path, false, err);
    bool ok = out;
    for (size_t i = 0; ok && i < keys->count; i++)
        ok = write_key(out, &keys->items[i], err);
    if (ok)
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}

/* Others write it, too. Returns what to close, -1 on failure. */
static int lock_file(ap_keys *keys, ap_error *err)
{
    char *path = ap_print("%s.lock", keys->path);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (fd < 0)
        ap_fail_errno(err, path ? errno : ENOMEM, "cannot lock '%s'", keys->path);
    while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR)
        ;
    free(path);
    if (fd >= 0) {
        pthread_mutex_lock(&keys->lock);
        refresh(keys);
    }
    return fd;
}

static void unlock_file(ap_keys *keys, int fd)
{
    ap_stamp_take(keys->path, &keys->stamp);
    pthread_mutex_unlock(&keys->lock);
    close(fd);
}

/* ---- what can be done with it */

bool ap_keys_open(ap_keys *keys, const char *path, ap_error *err)
{
    *keys = (ap_keys){.lock = PTHREAD_MUTEX_INITIALIZER, .path = strdup(path)};
    return keys->path || ap_fail_memory(err);
}

void ap_keys_close(ap_keys *keys)
{
    free(keys->path);
    free(keys->items);
    keys->path = NULL;
    keys->items = NULL;
}

bool ap_keys_add(ap_keys *keys, const ap_person *person, char token[AP_KEY_BYTES], ap_error *err)
{
    ap_key key = {.person = *person};
    if (!ap_random_token(token, err))
        return false;
    hash_of(token, key.hash);
    int fd = lock_file(keys, err);
    if (fd < 0)
        return false;
    bool ok = append(keys, &key) ? write_all(keys, err) : ap_fail_memory(err);
    unlock_file(keys, fd);
    return ok;
}

bool ap_keys_find(ap_keys *keys, const char *token, ap_person *person)
{
    unsigned char hash[32];
    bool found = false;
    double now = ap_wall_s();
    hash_of(token, hash);
    pthread_mutex_lock(&keys->lock);
    refresh(keys);
    for (size_t i = 0; i < keys->count; i++) {
        const ap_key *key = &keys->items[i];
        bool same = memeql_sec(key->hash, hash, sizeof hash);
        if (same && (key->person.expires_s == 0 || key->person.expires_s > now)) {
            *person = key->person;
            found = true;
        }
    }
    pthread_mutex_unlock(&keys->lock);
    return found;
}

bool ap_keys_remove(ap_keys *keys, const char *token, const char *owner, size_t *count, ap_error *err)
{
    unsigned char hash[32] = {0};
    size_t kept = 0, removed = 0;
    double now = ap_wall_s();
    if (token)
        hash_of(token, hash);
    int fd = lock_file(keys, err);
    if (fd < 0)
        return false;
    for (size_t i = 0; i < keys->count; i++) {
        const ap_key *key = &keys->items[i];
        bool meant = (token && memeql_sec(key->hash, hash, sizeof hash)) ||
                     (owner && strcmp(owner, key->person.owner) == 0);
        removed += meant;
        if (!meant && (key->person.expires_s == 0 || key->person.expires_s > now))
            keys->items[kept++] = *key;
    }
    bool ok = kept == keys->count;
    if (!ok) {
        keys->count = kept;
        ok = write_all(keys, err);
    }
    unlock_file(keys, fd);
    if (count)
        *count = removed;
    return ok;
}

void ap_keys_each(ap_keys *keys, ap_key_fn *see, void *user)
{
    pthread_mutex_lock(&keys->lock);
    refresh(keys);
    for (size_t i = 0; i < keys->count; i++)
        see(&keys->items[i], user);
    pthread_mutex_unlock(&keys->lock);
}
