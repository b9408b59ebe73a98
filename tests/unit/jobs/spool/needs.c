/* SPDX-License-Identifier: GPL-3.0-or-later
 * What jobs need of a machine, and which of them a runner takes. */
#include "jobs/spool/needs.h"
#include "../scratch.h"
#include "jobs/spool/claim.h"

static void reads_words(void)
{
    static const char *const wrong[] = {
        "mem=",        "mem=G",     "mem=-1G", "mem=2Q", "mem=2GG", "gpu=",    "gpu=-1",   "gpu=1.5",
        "gpu=9999999", "threads=x", "cpu=1",   "=",      "mem=0",   "mem=inf", "mem=0x10", "mem=nan"};
    ap_needs n;
    ap_error err;
    CHECK(ap_needs_parse("ap-8d mem=2G gpu=1 bash threads=4", &n, &err));
    CHECK(n.mem_mib == 2048 && n.gpus == 1 && n.threads == 4);
    CHECK(ap_needs_parse("mem=1.5T,threads=2", &n, &err) && n.mem_mib == 1.5 * 1048576 && n.threads == 2);
    CHECK(ap_needs_parse("mem=300", &n, &err) && n.mem_mib == 300 && n.gpus == 0);
    CHECK(ap_needs_parse("", &n, &err) && n.mem_mib == 0 && n.gpus == 0 && n.threads == 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (!CHECK(!ap_needs_parse(wrong[i], &n, &err) && err.code == AP_USAGE))
            fprintf(stderr, "%s\n", wrong[i]);
    char *text = ap_needs_text("ap-8d mem=2G  bash gpu=1");
    CHECK(strcmp(text, "mem=2G gpu=1") == 0);
    free(text);
}

static bool chosen(const char *recipes, const char *can, const char *document)
{
    ap_needs machine;
    cJSON *d = cJSON_Parse(document);
    CHECK(!can || ap_needs_parse(can, &machine, NULL));
    const ap_job_choice choice = {recipes, can ? &machine : NULL};
    bool yes = ap_job_is_chosen(&choice, d);
    cJSON_Delete(d);
    return yes;
}

static void chooses(void)
{
    static const char small[] = "{\"recipe\":\"8d\"}",
                      heavy[] = "{\"recipe\":\"stems\",\"needs\":\"mem=2G gpu=1\"}";
    CHECK(chosen(NULL, NULL, heavy) && ap_job_is_chosen(NULL, NULL));
    CHECK(chosen("8d", NULL, small) && chosen("stems,8d", NULL, small) && !chosen("8", NULL, small));
    CHECK(!chosen("8d2,8dx", NULL, small) && !chosen("stems", NULL, small));
    CHECK(chosen(NULL, "mem=1G", small) && !chosen(NULL, "mem=1G gpu=1", heavy));
    CHECK(chosen(NULL, "mem=2G gpu=1", heavy) && !chosen(NULL, "mem=4G", heavy) &&
          chosen(NULL, "gpu=2", heavy));
    CHECK(!chosen(NULL, "threads=1", "{\"needs\":\"threads=2\"}"));
}

/* A runner that may not have a job leaves it where it is, for others. */
static void leaves_the_rest(void)
{
    static const ap_retry retry = {.attempts = 3, .backoff_s = 100};
    const ap_job_choice others = {.recipes = "8d"}, ours = {.recipes = "copy"};
    ap_candidates list = {0};
    ap_error trouble = {AP_OK, ""};
    char id[AP_ID_BYTES], got[AP_ID_BYTES];
    scratch_open();
    scratch_job("x", id);
    CHECK(ap_job_count_waiting(scratch_spool, &retry, &others) == 0);
    CHECK(ap_job_count_waiting(scratch_spool, &retry, &ours) == 1);
    CHECK(ap_job_claim(scratch_spool, &retry, &others, &list, got, &trouble) < 0);
    CHECK(scratch_at(AP_QUEUE, id));
    int lock = ap_job_claim(scratch_spool, &retry, &ours, &list, got, &trouble);
    CHECK(lock >= 0 && strcmp(id, got) == 0 && trouble.code == AP_OK);
    CHECK(ap_job_count_waiting(scratch_spool, &retry, NULL) == 0); /* someone works on it */
    close(lock);
    CHECK(ap_job_count_waiting(scratch_spool, &retry, NULL) == 1); /* he died */
    ap_candidates_free(&list);
    scratch_close();
}

/* However many there are, the first comes first. */
static void takes_the_oldest(void)
{
    static const ap_retry retry = {.attempts = 3, .backoff_s = 100};
    char ids[23][AP_ID_BYTES], content[16], got[AP_ID_BYTES];
    ap_candidates list = {0};
    ap_error trouble = {AP_OK, ""};
    const char *last = "";
    int locks[23];
    scratch_open();
    for (int i = 0; i < 23; i++) {
        snprintf(content, sizeof content, "%d", i);
        scratch_job(content, ids[i]);
    }
    for (int i = 0; i < 23; i++) {
        locks[i] = ap_job_claim(scratch_spool, &retry, NULL, &list, got, &trouble);
        CHECK(locks[i] >= 0 && strcmp(last, got) < 0);
        last = strcpy(ids[i], got);
    }
    CHECK(ap_job_claim(scratch_spool, &retry, NULL, &list, got, &trouble) < 0 && trouble.code == AP_OK);
    for (int i = 0; i < 23; i++)
        close(locks[i]);
    ap_candidates_free(&list);
    scratch_close();
}

TEST_MAIN(CASE(reads_words), CASE(chooses), CASE(leaves_the_rest), CASE(takes_the_oldest))
