/* SPDX-License-Identifier: GPL-3.0-or-later
 * checkpoint.h - a model file: its class, the arguments of its constructor, its tensors. */
#ifndef DM_CHECKPOINT_H
#define DM_CHECKPOINT_H

#include "internal.h"

#include <cjson/cJSON.h>

typedef enum dm_type { DM_F16, DM_BF16, DM_F32, DM_F64 } dm_type;

#define DM_MAX_DIMS 4

/* A tensor in the file. Every element that size and stride reach lies inside the file. */
typedef struct dm_stored {
    char *name;
    dm_type type;
    int dims;
    int64_t size[DM_MAX_DIMS], stride[DM_MAX_DIMS]; /* elements */
    const unsigned char *data;
} dm_stored;

typedef struct dm_checkpoint {
    char *path;
    const unsigned char *bytes; /* mapped */
    size_t size;
    char *klass;   /* "HTDemucs", "HDemucs" */
    cJSON *kwargs; /* an object; a fraction is a string "39/5" */
    dm_stored *tensors;
    size_t count;
} dm_checkpoint;

/* Opens a .th or .safetensors file, which is told by its content. Other classes than HTDemucs and HDemucs are
 * refused by name. NULL on failure. */
dm_checkpoint *dm_checkpoint_open(const char *path, ap_error *err);
void dm_checkpoint_close(dm_checkpoint *c);

/* The two formats: fill klass, kwargs and tensors. */
bool dm_th_read(dm_checkpoint *c, ap_error *err);
bool dm_safetensors_read(dm_checkpoint *c, ap_error *err);
/* Appends a tensor to c->tensors, whose array has room for it: copies the name, checks sizes and that every
 * element lies in the available bytes. */
bool dm_checkpoint_add(dm_checkpoint *c, const dm_stored *tensor, uint64_t available, ap_error *err);

/* NULL when there is none. */
const dm_stored *dm_checkpoint_find(const dm_checkpoint *c, const char *name);
int64_t dm_stored_count(const dm_stored *tensor);
size_t dm_type_size(dm_type type);
/* Copies the elements in order to out; false if one is not finite. */
bool dm_stored_floats(const dm_stored *tensor, float *out);

/* A number, also from "39/5" or "7.8"; fallback if the key is missing or null, NaN if it is no number. */
double dm_json_number(const cJSON *object, const char *key, double fallback);
/* An integer in lo..hi. An error that names the key otherwise. */
bool dm_json_integer(const cJSON *object, const char *key, int lo, int hi, int *value, const char *name,
                     ap_error *err);
/* true, false, 0, 1; fallback if the key is missing or null. */
bool dm_json_bool(const cJSON *object, const char *key, bool fallback);

#endif
