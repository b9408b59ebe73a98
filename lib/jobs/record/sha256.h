/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sha256.h - SHA-256 of files. */
#ifndef AP_JOBS_RECORD_SHA256_H
#define AP_JOBS_RECORD_SHA256_H

#include "audiopipe.h"

#define AP_SHA256_HEX 65
/* Of the whole file. */
bool ap_sha256_file(const char *path, char hex[AP_SHA256_HEX], uint64_t *bytes, ap_error *err);
/* Of what in delivers; out, if >= 0, gets a copy. name and copy are the subjects of messages. */
bool ap_sha256_copy(int in, const char *name, int out, const char *copy, char hex[AP_SHA256_HEX],
                    uint64_t *bytes, ap_error *err);
void ap_sha256_text(const char *text, char hex[AP_SHA256_HEX]);

#endif
