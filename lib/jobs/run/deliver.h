/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * deliver.h - what a job made, put into an object store. */
#ifndef AP_JOBS_RUN_DELIVER_H
#define AP_JOBS_RUN_DELIVER_H

#include "jobs/spool/settle.h"

/* If the job's manifest has a member "to", s3://BUCKET/PREFIX/: copies the outputs that were found to
 * PREFIX/ID/NAME, and last the manifest as it will be, to PREFIX/ID/manifest.json, unless there is one: then
 * another attempt has delivered, which is as good. If another has begun and not ended, the outputs go to
 * PREFIX/ID/attempt-NUMBER/NAME. Where they are is noted in the job's manifest, "delivered". For the job in
 * the working folder; ends early, with *told, when SIGTERM, SIGINT or SIGHUP comes. */
bool ap_job_deliver(const ap_outputs *found, bool *told, ap_error *err);

#endif
