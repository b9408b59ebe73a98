/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stage.h - a command under a manifest. */
#ifndef AP_JOBS_RUN_STAGE_H
#define AP_JOBS_RUN_STAGE_H

#include "audiopipe.h"

typedef struct ap_stage_options {
    const char *manifest, *name;
    bool group;     /* a process group of its own, which ends with it */
    double grace_s; /* with group: from SIGTERM to SIGKILL */
    int said;       /* descriptor for what the command says on standard error, its progress left out */
    unsigned parts; /* the number of stages that this one, a recipe, is expected to have; 0 = not known */
} ap_stage_options;

#define AP_LAST_WORDS 1024

typedef struct ap_stage_result {
    int exit_code;                  /* the command's, 128 + n after signal n */
    bool told_to_end;               /* a signal came that was passed on: SIGTERM, SIGINT or SIGHUP */
    char last_words[AP_LAST_WORDS]; /* the last line of standard error that is no hint, or "" */
} ap_stage_result;

/* Runs argv; standard input and output are the caller's and are given up by it. Returns false if it could not
 * be run or recorded. */
bool ap_stage_run(const ap_stage_options *options, char **argv, ap_stage_result *result, ap_error *err);

#endif
