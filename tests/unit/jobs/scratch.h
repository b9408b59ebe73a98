/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * scratch.h - a spool for a test, in a temporary folder, and jobs in it. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/spool/intake.h"
#include "jobs/spool/spool.h"
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

static char scratch_spool[64];

/* A new, empty spool. */
static void scratch_open(void)
{
    strcpy(scratch_spool, "/tmp/spool.XXXXXX");
    CHECK(mkdtemp(scratch_spool) && ap_spool_prepare(scratch_spool, NULL));
}

static void scratch_close(void)
{
    ap_remove_tree(scratch_spool);
    CHECK(access(scratch_spool, F_OK) != 0);
}

/* A text file in the spool's folder; the caller frees its path. */
static char *scratch_file(const char *name, const char *text)
{
    char *path = ap_print("%s/%s", scratch_spool, name);
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
    return path;
}

/* A job of a file with this content, in the queue. */
static void scratch_job(const char *content, char id[AP_ID_BYTES])
{
    const ap_intake_options o = {
        .spool = scratch_spool, .recipe = "copy", .accept = "", .max_bytes = 1e9, .max_seconds = 1e9};
    char *file = scratch_file("input.txt", content);
    bool duplicate;
    ap_error err;
    if (!CHECK(ap_job_submit(&o, &file, 1, id, &duplicate, &err)))
        fprintf(stderr, "%s\n", err.message);
    free(file);
}

/* The manifest of a job; the caller deletes it. */
static cJSON *scratch_load(ap_place place, const char *id)
{
    char *path = ap_spool_path(scratch_spool, place, id, AP_MANIFEST_NAME);
    cJSON *document = ap_manifest_load(path, NULL);
    free(path);
    return document;
}

static bool scratch_at(ap_place place, const char *id)
{
    ap_place found;
    return ap_job_find(scratch_spool, id, &found) && found == place;
}

#endif
