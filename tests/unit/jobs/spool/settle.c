/* SPDX-License-Identifier: GPL-3.0-or-later
 * Claims and the ends of attempts. */
#include "../scratch.h"
#include "jobs/record/clock.h"
#include "jobs/spool/claim.h"

static const ap_retry retry = {.attempts = 3, .backoff_s = 100};

/* Claims a job; "" if there is none. The lock is given back at once. */
static const char *claim(void)
{
    static char id[AP_ID_BYTES];
    ap_candidates list = {0};
    ap_error trouble = {AP_OK, ""};
    int lock = ap_job_claim(scratch_spool, &retry, NULL, &list, id, &trouble);
    CHECK(trouble.code == AP_OK);
    ap_candidates_free(&list);
    if (lock < 0)
        return "";
    close(lock);
    return id;
}

static bool settle(const char *id, ap_outcome outcome, const char *reason)
{
    return ap_job_settle(scratch_spool, AP_RUNNING, id, &(ap_ending){outcome, reason, &retry, NULL}, NULL);
}

static bool set_due(cJSON *document, void *user, ap_error *err)
{
    (void)err;
    return ap_json_put_number(document, "not_before", *(double *)user);
}

static void make_due(const char *id, double when)
{
    char *path = ap_spool_path(scratch_spool, AP_QUEUE, id, AP_MANIFEST_NAME);
    CHECK(ap_manifest_change(path, set_due, &when, false, NULL));
    free(path);
}

static void claims_the_first(void)
{
    char a[AP_ID_BYTES], b[AP_ID_BYTES];
    scratch_open();
    CHECK(!*claim());
    scratch_job("a", a);
    scratch_job("b", b);
    CHECK(strcmp(claim(), strcmp(a, b) < 0 ? a : b) == 0); /* within one second the numbers decide */
    cJSON *document = scratch_load(AP_RUNNING, strcmp(a, b) < 0 ? a : b);
    CHECK(ap_json_number(document, "attempts", 0) == 1);
    CHECK(strcmp(ap_json_string(document, "state"), "running") == 0);
    CHECK(ap_json_number(cJSON_GetObjectItem(document, "runner"), "process", 0) == getpid());
    cJSON_Delete(document);
    scratch_close();
}

static void takes_up_what_died(void)
{
    char id[AP_ID_BYTES];
    scratch_open();
    scratch_job("a", id);
    for (int i = 1; i <= 3; i++)
        CHECK(strcmp(claim(), id) == 0); /* the lock is free, as if the runner had died */
    CHECK(!*claim() && scratch_at(AP_FAILED_JOBS, id));
    cJSON *document = scratch_load(AP_FAILED_JOBS, id);
    CHECK(strcmp(ap_json_string(document, "error"), "gave up after 3 attempts: the runner died") == 0);
    cJSON_Delete(document);
    scratch_close();
}

static void waits_longer_each_time(void)
{
    char id[AP_ID_BYTES];
    scratch_open();
    scratch_job("a", id);
    for (int i = 1; i <= 2; i++) {
        CHECK(strcmp(claim(), id) == 0 && settle(id, AP_OUTCOME_RETRY, "busy") && scratch_at(AP_QUEUE, id));
        cJSON *document = scratch_load(AP_QUEUE, id);
        CHECK_NEAR(ap_json_number(document, "not_before", 0) - ap_wall_s(), i == 1 ? 100 : 200, 20);
        CHECK(strcmp(ap_json_string(document, "error"), "busy") == 0);
        cJSON_Delete(document);
        CHECK(!*claim());                              /* not yet */
        make_due(id, i == 1 ? 0 : ap_wall_s() + 4000); /* past, or so far ahead that the clock was set back */
    }
    CHECK(strcmp(claim(), id) == 0 && settle(id, AP_OUTCOME_RETRY, "busy") && scratch_at(AP_FAILED_JOBS, id));
    scratch_close();
}

static void ends_once(void)
{
    char id[AP_ID_BYTES];
    ap_error err;
    scratch_open();
    scratch_job("a", id);
    CHECK(strcmp(claim(), id) == 0 && settle(id, AP_OUTCOME_DONE, NULL) && scratch_at(AP_DONE, id));
    CHECK(
        !ap_job_end(scratch_spool, id, &(ap_ending){AP_OUTCOME_RESTART}, &err)); /* what is done stays done */
    CHECK(!ap_job_cancel(scratch_spool, id, &err));
    /* killed between the record and the move: the record counts */
    CHECK(ap_job_move(scratch_spool, AP_DONE, AP_RUNNING, id, NULL));
    CHECK(!*claim() && scratch_at(AP_DONE, id));
    scratch_close();
}

static void cancels_and_restarts(void)
{
    char id[AP_ID_BYTES];
    scratch_open();
    scratch_job("a", id);
    CHECK(ap_job_cancel(scratch_spool, id, NULL) && scratch_at(AP_FAILED_JOBS, id));
    CHECK(ap_job_end(scratch_spool, id, &(ap_ending){AP_OUTCOME_RESTART}, NULL) && scratch_at(AP_QUEUE, id));
    CHECK(strcmp(claim(), id) == 0);
    CHECK(ap_job_cancel(scratch_spool, id, NULL) && scratch_at(AP_RUNNING, id)); /* its runner is asked */
    char *path = ap_spool_path(scratch_spool, AP_RUNNING, id, AP_CANCEL_NAME);
    CHECK(access(path, F_OK) == 0);
    free(path);
    CHECK(!*claim() && scratch_at(AP_FAILED_JOBS, id)); /* who takes it up finds the wish */
    cJSON *document = scratch_load(AP_FAILED_JOBS, id);
    CHECK(strcmp(ap_json_string(document, "error"), "cancelled") == 0);
    cJSON_Delete(document);
    scratch_close();
}

TEST_MAIN(CASE(claims_the_first), CASE(takes_up_what_died), CASE(waits_longer_each_time), CASE(ends_once),
          CASE(cancels_and_restarts))
