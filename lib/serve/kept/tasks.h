/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tasks.h - a few threads for what takes time: disks, decoding. */
#ifndef AP_SERVE_KEPT_TASKS_H
#define AP_SERVE_KEPT_TASKS_H

#include "audiopipe.h"

typedef struct ap_tasks ap_tasks;
typedef void ap_task_fn(void *user);

ap_tasks *ap_tasks_start(unsigned threads, ap_error *err);
/* Runs do_it(user) soon. false when out of memory. */
bool ap_tasks_add(ap_tasks *tasks, ap_task_fn *do_it, void *user);
/* After all that was added is done. Takes NULL. */
void ap_tasks_end(ap_tasks *tasks);

#endif
