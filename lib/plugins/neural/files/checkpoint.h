/* SPDX-License-Identifier: GPL-3.0-or-later
 * checkpoint.h - a model file: its class, the arguments of its constructor, its tensors. */
#ifndef NN_CHECKPOINT_H
#define NN_CHECKPOINT_H

#include "audiopipe.h"

#include <cjson/cJSON.h>

typedef enum nn_type { NN_F16, NN_BF16, NN_F32, NN_F64 } nn_type;

#define NN_MAX_DIMS 4
/* dims of something that has a name among the tensors and that no supported model has: integers, complex
 * numbers, more dimensions, no elements, no tensor at all. */
#define NN_STRANGE (-1)

/* A tensor in the file. Every element that size and stride reach lies inside the file. */
typedef struct nn_stored {
    char *name;
    nn_type type;
    int dims;
    int64_t size[NN_MAX_DIMS], stride[NN_MAX_DIMS]; /* elements */
    const unsigned char *data;
} nn_stored;

typedef struct nn_checkpoint {
    char *path;
    const unsigned char *bytes; /* mapped */
    size_t size;
    bool trusted;  /* the data were found intact before: they are not looked at again */
    char *klass;   /* "HTDemucs", "HDemucs"...; "": the file does not say */
    cJSON *config; /* the YAML file that came with it; NULL: none */
    cJSON *kwargs; /* an object; a fraction is a string "39/5" */
    nn_stored *tensors;
    size_t count;
} nn_checkpoint;

/* Opens a .th, .ckpt or .safetensors file, which is told by its content. NULL on failure. */
nn_checkpoint *nn_checkpoint_open(const char *path, ap_error *err);
/* The same without a look at the data. */
nn_checkpoint *nn_checkpoint_open_trusted(const char *path, ap_error *err);
/* Whether its file was found intact before, and is the same since; and notes that it is. Small files are not
 * worth it. */
bool nn_checkpoint_was_intact(const char *path);
void nn_checkpoint_is_intact(const nn_checkpoint *c);
void nn_checkpoint_close(nn_checkpoint *c);

/* The two formats: fill klass, kwargs and tensors. */
bool nn_th_read(nn_checkpoint *c, ap_error *err);
bool nn_safetensors_read(nn_checkpoint *c, ap_error *err);
/* Appends a tensor to c->tensors, which has room for it: copies the name, checks sizes and that every
 * element lies in the available bytes. */
bool nn_checkpoint_add(nn_checkpoint *c, const nn_stored *tensor, uint64_t available, ap_error *err);
/* Appends something strange, so that it can be refused by its name. */
bool nn_checkpoint_add_strange(nn_checkpoint *c, const char *name, ap_error *err);

/* NULL when there is none. */
const nn_stored *nn_checkpoint_find(const nn_checkpoint *c, const char *name);
int64_t nn_stored_count(const nn_stored *tensor);
size_t nn_type_size(nn_type type);
bool nn_stored_finite(const nn_stored *tensor);
/* Copies the elements in order to out; false if one is not finite. */
bool nn_stored_floats(const nn_stored *tensor, float *out);
/* Gives the memory of the file's pages back that only this tensor lies in: it has been copied. It can be read
 * again, from the file. */
void nn_stored_forget(const nn_stored *tensor);

/* A number, also from "39/5" or "7.8"; fallback if the key is missing or null, NaN if it is no number. */
double nn_json_number(const cJSON *object, const char *key, double fallback);
/* An integer in lo..hi. An error that names the key otherwise. */
bool nn_json_integer(const cJSON *object, const char *key, int lo, int hi, int *value, const char *name,
                     ap_error *err);
/* true, false, 0, 1; fallback if the key is missing or null. */
bool nn_json_bool(const cJSON *object, const char *key, bool fallback);

#endif
