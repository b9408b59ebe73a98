/* SPDX-License-Identifier: GPL-3.0-or-later
 * notify.c - telling of the end of jobs. */
#include "jobs/spool/notify.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/spool/intake.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_BYTES 16777216 /* of a manifest */

/* The ID of the job that tells of this end: always the same. */
static bool id_of(const cJSON *document, const char *hook, char id[AP_ID_BYTES])
{
    const char *finished = ap_json_string(document, "finished");
    double when = ap_time_of(finished);
    char *text = ap_print("%s %s %s", ap_json_string(document, "id"), hook, finished);
    struct tm utc;
    time_t whole = isnan(when) ? 0 : (time_t)when;
    gmtime_r(&whole, &utc);
    size_t n = strftime(id, AP_ID_BYTES, "%Y%m%d-%H%M%S-", &utc);
    if (!text)
        return false;
    snprintf(id + n, AP_ID_BYTES - n, "%08x", (unsigned)ap_hash(AP_HASH_START, text, strlen(text)));
    free(text);
    return true;
}

/* What a killed process left of the same. */
static void clear_draft(const char *spool, const char *id)
{
    int lock;
    char *draft = ap_spool_path(spool, AP_TMP, id, NULL);
    if (draft && ap_job_lock(draft, &lock, NULL) == AP_LOCKED) {
        ap_remove_tree(draft);
        close(lock);
    }
    free(draft);
}

static bool tell(const char *spool, const cJSON *document, const char *manifest, const char *hook,
                 ap_error *err)
{
    char id[AP_ID_BYTES], made[AP_ID_BYTES], *files[] = {(char *)manifest};
    ap_place place;
    bool duplicate;
    if (!id_of(document, hook, id))
        return ap_fail_memory(err);
    if (ap_job_find(spool, id, &place))
        return true;
    clear_draft(spool, id);
    const ap_intake_options options = {.spool = spool,
                                       .recipe = hook,
                                       .accept = "",
                                       .owner = ap_json_string(document, "owner"),
                                       .about = ap_json_string(document, "id"),
                                       .max_bytes = MOST_BYTES,
                                       .max_seconds = INFINITY,
                                       .force = true,
                                       .id = id};
    return ap_job_submit(&options, files, 1, made, &duplicate, err);
}

bool ap_notify(const char *spool, const char *folder, ap_error *err)
{
    char *manifest = ap_print("%s/" AP_MANIFEST_NAME, folder);
    cJSON *document = manifest ? ap_manifest_load(manifest, err) : (ap_fail_memory(err), NULL);
    bool ok = document;
    const cJSON *hook;
    cJSON_ArrayForEach(hook, cJSON_GetObjectItemCaseSensitive(document, "notify"))
    {
        if (cJSON_IsString(hook) && !tell(spool, document, manifest, hook->valuestring, err))
            ok = false;
    }
    cJSON_Delete(document);
    free(manifest);
    return ok;
}
