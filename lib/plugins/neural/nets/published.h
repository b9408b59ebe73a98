/* SPDX-License-Identifier: GPL-3.0-or-later
 * published.h - what the YAML files beside the checkpoints of Music-Source-Separation-Training say of every
 * network. */
#ifndef NN_PUBLISHED_H
#define NN_PUBLISHED_H

#include "plugins/neural/nets/network.h"

/* Reads stems, rate, channels, the length of chunks and their overlap. */
bool nn_published_read(nn_network *n, const nn_checkpoint *c, ap_error *err);
/* A section of the file; NULL: none. */
const cJSON *nn_published_section(const nn_checkpoint *c, const char *name);
/* Every key of the section 'model' is in known (which ends with NULL), ignored by name, or off. */
bool nn_published_check(const nn_checkpoint *c, const char *const *known, ap_error *err);
/* Fails: the value of that option is not supported. */
bool nn_published_refuse(const nn_checkpoint *c, const char *key, ap_error *err);
/* They leave *value alone where the file says nothing or null; an integer then has to be in range, too. */
bool nn_published_flag(const nn_checkpoint *c, const char *section, const char *key, bool *value,
                       ap_error *err);
bool nn_published_integer(const nn_checkpoint *c, const char *section, const char *key, int lo, int hi,
                          int *value, ap_error *err);

#endif
