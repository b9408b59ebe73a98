/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * compat.h - the paths that other services have, for programs that know only these (--compat). Each is a few
 * lines on what /v1 does; ap-serve(1) says which.
 *
 * They hand out one name before a file is there, and know file and job by it: it is the ID that the job will
 * have, and ends in the ID of the upload. */
#ifndef AP_SERVE_API_COMPAT_H
#define AP_SERVE_API_COMPAT_H

#include "serve/http/request.h"

/* POST /presigned-url {"action":"getUploadUrl","fileName"}, {"action":"getDownloadUrl","key"} */
ap_handler ap_compat_presigned;
/* POST /upload {"filename"}, GET or POST /status, POST /cleanup {"session_id"} */
ap_handler ap_compat_upload, ap_compat_status, ap_compat_cleanup;
/* POST /media/upload/init {"fileName"}, POST /media/upload/complete {"sessionId"} */
ap_handler ap_compat_init, ap_compat_complete;
/* GET /health */
ap_handler ap_compat_health;
/* POST /process: {"session_id"}, or a form */
ap_handler ap_compat_process_begin, ap_compat_process;
/* GET /download/{id}/{track} */
ap_handler ap_compat_track;

#endif
