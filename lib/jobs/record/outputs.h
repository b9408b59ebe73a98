/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * outputs.h - the outputs of a job, hashed. */
#ifndef AP_JOBS_RECORD_OUTPUTS_H
#define AP_JOBS_RECORD_OUTPUTS_H

#include "audiopipe.h"
#include <cjson/cJSON.h>

/* What was found out about files, and about the inputs to compare them with; {0} at first. */
typedef struct ap_outputs {
    cJSON *outputs, *input, *more_inputs; /* input, more_inputs: NULL = as they are */
} ap_outputs;

/* Hashes files, probes them, and brings them and their names to the disk, up to the folder of the manifest,
 * which the code that changes the manifest brings there. name: NULL = the file's name without extension. An
 * empty file is an error. */
bool ap_outputs_look(ap_outputs *found, const char *manifest, char **files, int count, const char *name,
                     bool measure, ap_error *err);
/* Adds them to the outputs of a document, or replaces those of the same path. user: an ap_outputs, empty
 * then. */
bool ap_outputs_put(cJSON *document, void *user, ap_error *err);
void ap_outputs_free(ap_outputs *found);
/* Hashes all outputs again. */
bool ap_outputs_verify(const char *manifest, ap_error *err);

#endif
