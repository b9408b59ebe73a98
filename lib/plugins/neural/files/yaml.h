/* SPDX-License-Identifier: GPL-3.0-or-later
 * yaml.h - YAML as plain data. */
#ifndef NN_YAML_H
#define NN_YAML_H

#include "audiopipe.h"

#include <cjson/cJSON.h>

/* The one document of a text, as cJSON knows it; its root is a mapping. Tags other than of Python's tuples,
 * and aliases, are refused. name is the subject of messages. NULL on failure. */
cJSON *nn_yaml_parse(const char *text, size_t size, const char *name, ap_error *err);
/* The same of a file. */
cJSON *nn_yaml_read(const char *path, ap_error *err);

#endif
