/* SPDX-License-Identifier: GPL-3.0-or-later
 * Lists of jobs, for people and for programs, and what they are counted to. */
#include "jobs/show/list.h"
#include "../scratch.h"
#include "jobs/record/clock.h"
#include "jobs/show/stats.h"

/* A job that never was, in done/ or failed/. */
static void put_job(ap_place place, const char *id, const char *recipe, double attempts, double seconds_ago)
{
    cJSON *d = ap_manifest_document(id), *input = cJSON_CreateObject();
    const double end = floor(ap_wall_s() - seconds_ago);
    char *folder = ap_spool_path(scratch_spool, place, id, NULL),
         *path = ap_spool_path(scratch_spool, place, id, AP_MANIFEST_NAME), when[32];
    CHECK(mkdir(folder, 0700) == 0 && ap_json_put_text(d, "recipe", recipe));
    CHECK(ap_json_put(d, "input", input) &&
          ap_json_put_text(d, "state", place == AP_DONE ? "done" : "failed"));
    CHECK(ap_json_put_number(d, "attempts", attempts) && ap_json_put_text(input, "name", "a\tb\nc.wav"));
    ap_time_print(end, when);
    CHECK(ap_json_put_text(d, "finished", when));
    ap_time_print(end - 10, when);
    CHECK(ap_json_put_text(d, "started", when));
    CHECK(ap_manifest_create(path, d, NULL));
    cJSON_Delete(d);
    free(folder);
    free(path);
}

static void fill(char *folders[2])
{
    scratch_open();
    put_job(AP_DONE, "j1", "stems", 1, 60);
    put_job(AP_DONE, "j2", "8d", 3, 90000); /* more than a day */
    put_job(AP_DONE, "j3", "stems", 2, 60);
    put_job(AP_FAILED_JOBS, "j4", "stems", 5, 60);
    folders[0] = ap_spool_path(scratch_spool, AP_DONE, NULL, NULL);
    folders[1] = ap_spool_path(scratch_spool, AP_FAILED_JOBS, NULL, NULL);
}

static void empty(char *folders[2])
{
    free(folders[0]);
    free(folders[1]);
    scratch_close();
}

/* The caller frees it. */
static char *list(char **folders, ap_list_style style)
{
    char *text = NULL;
    size_t size;
    ap_error err;
    FILE *out = open_memstream(&text, &size);
    CHECK(ap_list(out, folders, 2, style, false, &err));
    fclose(out);
    return text;
}

static size_t count(const char *text, char c)
{
    size_t n = 0;
    while (*text)
        n += *text++ == c;
    return n;
}

static void tables_for_programs(void)
{
    char *folders[2];
    fill(folders);
    char *text = list(folders, AP_LIST_TSV);
    CHECK(count(text, '\n') == 5 && count(text, '\t') == 5 * 11); /* a tab in a name is none of the table's */
    CHECK(strstr(text, "\nj1\tdone\tstems\t"));
    CHECK(strstr(text, "\ta?b?c.wav\t") && strstr(text, "\t10.000\t"));
    free(text);
    empty(folders);
}

static void objects_for_programs(void)
{
    char *folders[2], *rest;
    size_t lines = 0;
    fill(folders);
    char *text = list(folders, AP_LIST_JSON);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), lines++) {
        cJSON *d = cJSON_Parse(line);
        CHECK(d && strcmp(ap_json_string(cJSON_GetObjectItem(d, "input"), "name"), "a\tb\nc.wav") == 0);
        CHECK_NEAR(ap_job_seconds(d), 10, 1e-3);
        CHECK(isnan(ap_job_next_try(d)));
        cJSON_Delete(d);
    }
    CHECK(lines == 4);
    free(text);
    empty(folders);
}

static void rows_for_people(void)
{
    char *folders[2];
    fill(folders);
    char *text = list(folders, AP_LIST_TABLE);
    CHECK(strncmp(text, "ID ", 3) == 0 && count(text, '\n') == 5 && strstr(text, "100%"));
    free(text);
    empty(folders);
}

static void what_cannot_be_read_is_told(void)
{
    char *folders[2];
    ap_error err;
    fill(folders);
    char *path = ap_spool_path(scratch_spool, AP_DONE, "j2", AP_MANIFEST_NAME);
    CHECK(truncate(path, 10) == 0);
    FILE *out = fopen("/dev/null", "w");
    CHECK(!ap_list(out, folders, 2, AP_LIST_TSV, false, &err) && strstr(err.message, "j2"));
    fclose(out);
    free(path);
    empty(folders);
}

static void recipes_are_counted(void)
{
    char *folders[2];
    ap_stats stats = {0};
    fill(folders);
    CHECK(ap_stats_count(&stats, folders, 2, NULL) && stats.count == 2 && stats.done_lately == 2);
    const ap_recipe_stats *eight = &stats.recipes[0], *stems = &stats.recipes[1];
    CHECK(strcmp(eight->recipe, "8d") == 0 && strcmp(stems->recipe, "stems") == 0);
    CHECK(eight->jobs == 1 && eight->done == 1 && eight->failed == 0 && eight->tries == 3);
    CHECK(stems->jobs == 3 && stems->done == 2 && stems->failed == 1 && stems->tries == 3);
    CHECK_NEAR(stems->seconds, 20, 1e-3);
    ap_stats_free(&stats);
    empty(folders);
}

TEST_MAIN(CASE(tables_for_programs), CASE(objects_for_programs), CASE(rows_for_people),
          CASE(what_cannot_be_read_is_told), CASE(recipes_are_counted))
