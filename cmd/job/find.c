/* SPDX-License-Identifier: GPL-3.0-or-later
 * find.c - jobs by their IDs. */
#include "base/error.h"
#include "job/job.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ap_place job_places[JOB_PLACES] = {AP_QUEUE, AP_RUNNING, AP_DONE, AP_FAILED_JOBS};

int job_result(bool ok, const ap_error *err)
{
    return ok ? AP_OK : (int)err->code;
}

bool job_find(const job_config *c, const char *id, ap_place *place, char **folder, ap_error *err)
{
    *folder = NULL;
    if (!*id || id[strspn(id, "0123456789abcdef-")])
        return ap_fail(err, AP_USAGE, "'%s' is not the ID of a job", id);
    if (!ap_job_find(c->spool, id, place))
        return ap_fail(err, AP_FAILED, "there is no job '%s'", id);
    *folder = ap_spool_path(c->spool, *place, id, NULL);
    return *folder || ap_fail_memory(err);
}

char *job_error_of(const char *folder)
{
    char path[4096];
    ap_error err;
    snprintf(path, sizeof path, "%s/" AP_MANIFEST_NAME, folder);
    cJSON *document = ap_manifest_load(path, &err);
    char *text = strdup(document ? ap_json_string(document, "error") : err.message);
    cJSON_Delete(document);
    return text;
}

bool job_find_done(const job_config *c, const char *id, char **folder, ap_error *err)
{
    ap_place place;
    if (!job_find(c, id, &place, folder, err))
        return false;
    if (place == AP_DONE)
        return true;
    if (place == AP_FAILED_JOBS) {
        char *why = job_error_of(*folder);
        ap_fail(err, AP_FAILED, "%s failed: %s", id, why ? why : "");
        free(why);
    } else
        ap_fail(err, AP_TRY_AGAIN, "%s is not done, but in %s/", id, ap_place_name(place));
    free(*folder);
    *folder = NULL;
    return false;
}
