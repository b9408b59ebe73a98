/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * crew.h - work on many files, some at a time, each in a process of its own that goes on with the next one:
 * what was loaded before is loaded once, and what kills one of them costs that file only. */
#ifndef CREW_H
#define CREW_H

#include "front/plan.h"

typedef enum work_result { WORK_DONE, WORK_SKIPPED, WORK_FAILED } work_result;

typedef struct crew {
    const command *command;
    unsigned workers;
    /* In a worker: makes the output of one item, or prints into report, which is NULL if reports are not
     * wanted. WORK_FAILED fills err. */
    work_result (*work)(void *user, const plan_item *item, FILE *report, ap_error *err);
    bool reports;
    /* In a worker before its first item; a failure ends all. May be NULL. */
    bool (*start)(void *user, ap_error *err);
    /* In the parent, for each item, in order if there are reports: how it went, and the report. false, with
     * err filled, ends the run. */
    bool (*done)(void *user, const plan_item *item, work_result result, const ap_error *why,
                 const char *report, size_t size, ap_error *err);
    /* Before an item is given away; may be NULL. A failure is that of the item. */
    bool (*before)(void *user, const plan_item *item, ap_error *err);
    /* Called now and then, and when a worker says a line. said: that line without its end, else NULL. by: the
     * item that this worker, or the first busy one, works on; NULL: none is busy. seconds of sound and bytes
     * of the inputs: what all of them have done. */
    void (*tell)(void *user, const char *said, const plan_item *by, double seconds, double bytes);
    void *user;
} crew;

/* Does all that is planned. false: a signal came, done returned false, or no process could be started. */
bool crew_run(const crew *c, plan *p, ap_error *err);

#endif
