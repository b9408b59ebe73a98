/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * keys.h - tokens and sessions: a file of lines OWNER:ROLE:SHA256:EXPIRY, from which no token can be read. */
#ifndef AP_SERVE_WHO_KEYS_H
#define AP_SERVE_WHO_KEYS_H

#include "serve/who/stamp.h"

#include <pthread.h>

#define AP_KEY_BYTES 48 /* a token and its NUL */
#define AP_OWNER_BYTES 64

/* Who asks. */
typedef struct ap_person {
    char owner[AP_OWNER_BYTES];
    bool admin;
    bool machine; /* may only read figures and tell of events: its token lies in other services' settings */
    double expires_s; /* since 1970; 0 = never */
} ap_person;

typedef struct ap_key {
    ap_person person;
    unsigned char hash[32];
} ap_key;

typedef struct ap_keys {
    pthread_mutex_t lock;
    char *path;
    ap_key *items; /* as they were in the file when it was read last */
    size_t count;
    ap_stamp stamp; /* of the file then */
} ap_keys;

/* "admin", "machine" or "user". */
const char *ap_role_name(const ap_person *person);

/* path is copied. */
bool ap_keys_open(ap_keys *keys, const char *path, ap_error *err);
void ap_keys_close(ap_keys *keys);
/* A new token. Only its hash is kept: token is the one copy. */
bool ap_keys_add(ap_keys *keys, const ap_person *person, char token[AP_KEY_BYTES], ap_error *err);
/* Whose token that is. Other programs' changes of the file are seen. */
bool ap_keys_find(ap_keys *keys, const char *token, ap_person *person);
/* Removes a token, or all of an owner; NULL = any. Those that have expired go, too. count: how many of those
 * that were asked for; may be NULL. */
bool ap_keys_remove(ap_keys *keys, const char *token, const char *owner, size_t *count, ap_error *err);
typedef void ap_key_fn(const ap_key *key, void *user);
void ap_keys_each(ap_keys *keys, ap_key_fn *see, void *user);

/* 32 random bytes as 43 characters of A-Z a-z 0-9 _ -, after "ap_". */
bool ap_random_token(char token[AP_KEY_BYTES], ap_error *err);
/* 16 random bytes in hexadecimal. */
bool ap_random_hex(char hex[33]);

#endif
