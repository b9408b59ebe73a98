/* SPDX-License-Identifier: GPL-3.0-or-later
 * routes.c - which request does what. openapi.json describes the same; a test compares them. */
#include "serve/api/catalog.h"
#include "serve/api/compat.h"
#include "serve/api/events.h"
#include "serve/api/files.h"
#include "serve/api/form.h"
#include "serve/api/hints.h"
#include "serve/api/jobs.h"
#include "serve/api/page.h"
#include "serve/api/session.h"
#include "serve/api/signed.h"
#include "serve/api/store.h"
#include "serve/api/submit.h"
#include "serve/api/tus.h"
#include "serve/http/metrics.h"

const ap_route ap_routes[] = {
    {"GET", "/", ap_get_page, AP_OPEN},
    {"GET", "/page.css", ap_get_page_css, AP_OPEN},
    {"GET", "/page.js", ap_get_page_js, AP_OPEN},
    {"GET", "/player.js", ap_get_player_js, AP_OPEN},
    {"GET", "/upload.js", ap_get_upload_js, AP_OPEN},
    {"GET", "/icon.svg", ap_get_icon, AP_OPEN},
    {"GET", "/healthz", ap_get_healthz, AP_OPEN},
    {"GET", "/readyz", ap_get_readyz, AP_OPEN},
    {"GET", "/metrics", ap_get_metrics, AP_OPEN},
    {"GET", "/openapi.json", ap_get_openapi, AP_OPEN},
    {"POST", "/v1/session", ap_sign_in, AP_OPEN | AP_JSON | AP_SLOW},
    {"DELETE", "/v1/session", ap_sign_out, AP_OPEN | AP_SLOW},
    {"GET", "/v1/config", ap_get_config, 0},
    {"GET", "/v1/recipes", ap_get_recipes, AP_SLOW},
    {"POST", "/v1/files", ap_files_finish, AP_TUS | AP_SLOW, ap_files_begin, ap_files_take, ap_files_drop},
    {"HEAD", "/v1/files/{id}", ap_tus_head, AP_TUS},
    {"PATCH", "/v1/files/{id}", ap_tus_finish, AP_TUS | AP_SLOW, ap_tus_begin_patch, ap_tus_take,
     ap_tus_drop},
    {"DELETE", "/v1/files/{id}", ap_tus_delete, AP_TUS},
    {"POST", "/v1/uploads", ap_signed_new, AP_JSON | AP_SLOW},
    {"PUT", "/v1/uploads/{id}", ap_signed_finish, AP_OPEN | AP_SLOW, ap_signed_begin, ap_signed_take,
     ap_signed_drop},
    {"POST", "/v1/uploads/{id}/complete", ap_signed_complete, AP_SLOW},
    {"GET", "/v1/jobs", ap_list_jobs, AP_SLOW},
    {"POST", "/v1/jobs", ap_submit_job, AP_JSON | AP_SLOW},
    {"GET", "/v1/jobs/{id}", ap_get_job, 0},
    {"DELETE", "/v1/jobs/{id}", ap_delete_job, AP_SLOW},
    {"POST", "/v1/jobs/{id}/retry", ap_retry_job, AP_SLOW},
    {"POST", "/v1/jobs/{id}/cancel", ap_cancel_job, AP_SLOW},
    {"GET", "/v1/jobs/{id}/outputs", ap_get_outputs, 0},
    {"GET", "/v1/jobs/{id}/outputs/{name*}", ap_get_output, AP_SIGNED},
    {"GET", "/v1/jobs/{id}/link/{name*}", ap_get_link, AP_SLOW},
    {"GET", "/v1/jobs/{id}/inputs/{name*}", ap_get_input, 0},
    {"GET", "/v1/jobs/{id}/outputs.zip", ap_get_zip, AP_SLOW},
    {"GET", "/v1/jobs/{id}/log", ap_get_log, 0},
    {"GET", "/v1/jobs/{id}/report", ap_get_report, AP_SLOW},
    {"GET", "/v1/jobs/{id}/peaks/{name*}", ap_get_peaks, AP_SLOW},
    {"GET", "/v1/jobs/{id}/picture/{name*}", ap_get_picture, AP_SLOW},
    {"GET", "/v1/jobs/{id}/events", ap_get_job_events, 0},
    {"GET", "/v1/events", ap_get_events, 0},
    {"POST", "/v1/events/s3", ap_take_hints, AP_OPEN | AP_JSON | AP_SLOW},

    {"POST", "/presigned-url", ap_compat_presigned, AP_COMPAT | AP_JSON | AP_SLOW},
    {"POST", "/upload", ap_compat_upload, AP_COMPAT | AP_JSON | AP_SLOW},
    {"GET", "/status", ap_compat_status, AP_COMPAT | AP_SLOW},
    {"POST", "/status", ap_compat_status, AP_COMPAT | AP_JSON | AP_SLOW},
    {"POST", "/cleanup", ap_compat_cleanup, AP_COMPAT | AP_JSON | AP_SLOW},
    {"POST", "/process", ap_compat_process, AP_COMPAT | AP_JSON | AP_SLOW, ap_compat_process_begin,
     ap_files_take, ap_files_drop},
    {"POST", "/media/upload/init", ap_compat_init, AP_COMPAT | AP_JSON | AP_SLOW},
    {"POST", "/media/upload/complete", ap_compat_complete, AP_COMPAT | AP_JSON | AP_SLOW},
    {"GET", "/jobs/{id}", ap_get_job, AP_COMPAT},
    {"GET", "/health", ap_compat_health, AP_COMPAT | AP_OPEN},
    {"GET", "/config", ap_get_config, AP_COMPAT},
    {"GET", "/job/{id}", ap_get_job, AP_COMPAT},
    {"GET", "/job/{id}/outputs", ap_get_outputs, AP_COMPAT},
    {"GET", "/download/{id}/all", ap_get_zip, AP_COMPAT | AP_SLOW},
    {"GET", "/download/{id}/{name*}", ap_compat_track, AP_COMPAT},
    {0},
};

_Static_assert(sizeof ap_routes / sizeof *ap_routes < AP_METRIC_ROUTES, "each route is counted");

size_t ap_route_count(void)
{
    return sizeof ap_routes / sizeof *ap_routes - 1;
}
