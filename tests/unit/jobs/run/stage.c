/* SPDX-License-Identifier: GPL-3.0-or-later
 * Commands under a manifest: what they say goes on, their progress does not, and both are in the record. */
#include "jobs/run/stage.h"
#include "../scratch.h"

#include <sys/wait.h>

static char said[4096];
static ap_stage_result result;
static cJSON *record; /* of the stage */

/* In a child, for it gives up its standard streams. */
static void run(char **argv)
{
    int words[2], ends[2];
    char *path = ap_print("%s/" AP_MANIFEST_NAME, scratch_spool);
    cJSON *document = ap_manifest_document("x");
    CHECK(ap_manifest_create(path, document, NULL) && pipe(words) == 0 && pipe(ends) == 0);
    cJSON_Delete(document);
    pid_t pid = fork();
    if (pid == 0) {
        const ap_stage_options options = {.manifest = path, .name = "first", .said = words[1]};
        ap_stage_result r = {0};
        bool ok = ap_stage_run(&options, argv, &r, NULL);
        _exit(ok && write(ends[1], &r, sizeof r) == (ssize_t)sizeof r ? 0 : 1);
    }
    int status;
    close(words[1]);
    size_t used = 0;
    for (ssize_t n; (n = read(words[0], said + used, sizeof said - 1 - used)) > 0;)
        used += (size_t)n;
    said[used] = 0;
    CHECK(read(ends[0], &result, sizeof result) == (ssize_t)sizeof result);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    close(words[0]);
    close(ends[0]);
    close(ends[1]);
    document = ap_manifest_load(path, NULL);
    record = cJSON_DetachItemFromArray(cJSON_GetObjectItem(document, "stages"), 0);
    CHECK(record && strcmp(ap_json_string(record, "name"), "first") == 0);
    cJSON_Delete(document);
    free(path);
}

static void words_go_on_and_progress_does_not(void)
{
    char *argv[] = {
        "sh", "-c",
        "echo one >&2; echo '{\"command\":\"x\",\"seconds\":1,\"progress\":0.5}' >&2; printf two >&2; exit 3",
        NULL};
    scratch_open();
    run(argv);
    CHECK(strcmp(said, "one\ntwo\n") == 0);
    CHECK(result.exit_code == 3 && !result.told_to_end && strcmp(result.last_words, "two") == 0);
    CHECK(ap_json_number(record, "exit_code", 0) == 3 &&
          strcmp(ap_json_string(record, "state"), "failed") == 0);
    CHECK(cJSON_GetArraySize(cJSON_GetObjectItem(record, "stderr")) == 2);
    CHECK_NEAR(ap_json_number(record, "progress", 0), 0.5, 0);
    cJSON_Delete(record);
    scratch_close();
}

static void what_cannot_be_run_says_so(void)
{
    char *argv[] = {"ap-no-such-command", NULL};
    scratch_open();
    run(argv);
    CHECK(strcmp(said, "cannot run 'ap-no-such-command': No such file or directory\n") == 0);
    CHECK(result.exit_code == 127 && strstr(result.last_words, "cannot run") == result.last_words);
    cJSON_Delete(record);
    scratch_close();
}

static void the_good_end_is_done(void)
{
    char *argv[] = {"true", NULL};
    scratch_open();
    run(argv);
    CHECK(!*said && result.exit_code == 0 && !*result.last_words);
    CHECK(strcmp(ap_json_string(record, "state"), "done") == 0);
    cJSON_Delete(record);
    scratch_close();
}

TEST_MAIN(CASE(words_go_on_and_progress_does_not), CASE(what_cannot_be_run_says_so),
          CASE(the_good_end_is_done))
