/* SPDX-License-Identifier: GPL-3.0-or-later
 * unpickle.h - Python's pickle as plain data. Nothing is executed: a name of a class or function becomes a
 * symbol, a call of it a value that says what would have been called with what. */
#ifndef DM_UNPICKLE_H
#define DM_UNPICKLE_H

#include "internal.h"

typedef enum dm_kind {
    DM_NONE,
    DM_BOOL,    /* integer */
    DM_INTEGER, /* integer */
    DM_REAL,    /* real */
    DM_STRING,  /* text */
    DM_SYMBOL,  /* text: "module name" */
    DM_LIST,    /* items; lists, tuples and sets */
    DM_DICT,    /* items: key, value, key, value... */
    DM_CALL,    /* items: callable, list of arguments; then key, value... that were put into the result */
    DM_STORAGE, /* items: the persistent id, which PyTorch uses for the raw data of a tensor */
} dm_kind;

typedef struct dm_value dm_value;
struct dm_value {
    dm_kind kind;
    union {
        int64_t integer;
        double real;
        const char *text; /* terminated; a NUL inside is refused */
        struct {
            dm_value **items;
            size_t count, capacity;
        };
    };
};

typedef struct dm_pickle dm_pickle;

/* Reads a pickle of protocol 2 to 5 in memory, which may go away afterwards. name is the subject of messages.
 * NULL on failure. */
dm_pickle *dm_unpickle(const unsigned char *bytes, size_t size, const char *name, ap_error *err);
void dm_pickle_free(dm_pickle *pickle);
const dm_value *dm_pickle_root(const dm_pickle *pickle);

/* The value of a string key of a dict; NULL if there is none, or value is no dict. */
const dm_value *dm_value_get(const dm_value *dict, const char *key);
/* Item number index of a list, call or storage; NULL past its end, or if value is something else or NULL. */
const dm_value *dm_value_at(const dm_value *list, size_t index);
/* True for that symbol, "module name". */
bool dm_value_is_symbol(const dm_value *value, const char *symbol);

#endif
