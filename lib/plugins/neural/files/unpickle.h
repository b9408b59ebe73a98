/* SPDX-License-Identifier: GPL-3.0-or-later
 * unpickle.h - Python's pickle as plain data. Nothing is executed: a name of a class or function becomes a
 * symbol, a call of it a value that says what would have been called with what. */
#ifndef NN_UNPICKLE_H
#define NN_UNPICKLE_H

#include "audiopipe.h"

typedef enum nn_kind {
    NN_NONE,
    NN_OTHER,   /* what no model needs: bytes, text with a NUL in it, integers of more than 64 bits */
    NN_BOOL,    /* integer */
    NN_INTEGER, /* integer */
    NN_REAL,    /* real */
    NN_STRING,  /* text */
    NN_SYMBOL,  /* text: "module name" */
    NN_LIST,    /* items; lists, tuples and sets */
    NN_DICT,    /* items: key, value, key, value... */
    NN_CALL,    /* items: callable, list of arguments; then key, value... that were put into the result */
    NN_STORAGE, /* items: the persistent id, which PyTorch uses for the raw data of a tensor */
} nn_kind;

typedef struct nn_value nn_value;
struct nn_value {
    nn_kind kind;
    union {
        int64_t integer;
        double real;
        const char *text; /* terminated, without a NUL inside */
        struct {
            nn_value **items;
            size_t count, capacity;
        };
    };
};

typedef struct nn_pickle nn_pickle;

/* Reads a pickle of protocol 2 to 5 in memory, which may go away afterwards. name is the subject of messages.
 * NULL on failure. */
nn_pickle *nn_unpickle(const unsigned char *bytes, size_t size, const char *name, ap_error *err);
void nn_pickle_free(nn_pickle *pickle);
const nn_value *nn_pickle_root(const nn_pickle *pickle);

/* The value of a string key of a dict; NULL if there is none, or value is no dict. */
const nn_value *nn_value_get(const nn_value *dict, const char *key);
/* Item number index of a list, call or storage; NULL past its end, or if value is something else or NULL. */
const nn_value *nn_value_at(const nn_value *list, size_t index);
/* True for that symbol, "module name". */
bool nn_value_is_symbol(const nn_value *value, const char *symbol);

#endif
