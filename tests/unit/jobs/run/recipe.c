/* SPDX-License-Identifier: GPL-3.0-or-later
 * What recipes declare, and who is to blame when one fails. */
#include "jobs/run/recipe.h"
#include "../scratch.h"
#include "jobs/run/cause.h"

static const char text[] =
    "#!/bin/bash\n# loud: louder, as FLAC\n# input: many audio image\n# option: gain=6 [0-9]+ in dB\n"
    "# needs: bash mem=2G no-such-command gpu=1\n# stage of no command\n"
    "stage one true | stage two true\n(stage three true)\necho upstage x\n";

static void reads_headers(void)
{
    ap_recipe r;
    ap_error err;
    scratch_open();
    char *path = scratch_file("loud.sh", text);
    CHECK(ap_recipe_find(&r, scratch_spool, "loud", &err));
    CHECK(strcmp(r.summary, "louder, as FLAC") == 0 && strcmp(r.accept, "audio image") == 0 && r.together);
    CHECK(r.count == 1 && strcmp(r.options[0].key, "gain") == 0 && strcmp(r.options[0].value, "6") == 0);
    CHECK(ap_recipe_set(&r, "gain", "12", &err) && strcmp(r.options[0].value, "12") == 0);
    CHECK(!ap_recipe_set(&r, "gain", "12; rm", &err) && err.code == AP_USAGE);
    CHECK(!ap_recipe_set(&r, "none", "1", &err) && err.code == AP_USAGE);
    char *missing = ap_recipe_missing(&r);
    CHECK(strcmp(missing, "no-such-command") == 0);
    CHECK(ap_recipe_stages(path) == 3);
    free(missing);
    free(path);
    ap_recipe_free(&r);
    CHECK(!ap_recipe_find(&r, scratch_spool, "../loud", &err) &&
          !ap_recipe_find(&r, scratch_spool, "none", &err));
    CHECK(!ap_recipe_find(&r, "", "loud", &err) && !ap_recipe_find(&r, NULL, "loud", &err));
    scratch_close();
}

static void finds_the_first_that_failed(void)
{
    static const char stages[] =
        "{\"stages\":[{\"name\":\"recipe\",\"state\":\"running\",\"started\":\"2026-01-01T00:00:00.000Z\"},"
        "{\"name\":\"tolerated\",\"state\":\"failed\",\"exit_code\":1,\"started\":\"2026-01-01T00:00:01."
        "000Z\","
        "\"seconds\":1,\"stderr\":[\"early\"]},"
        "{\"name\":\"b\",\"state\":\"failed\",\"exit_code\":1,\"started\":\"2026-01-01T00:00:05.000Z\","
        "\"seconds\":2,\"stderr\":[\"b: input ends too early\"]},"
        "{\"name\":\"a\",\"state\":\"failed\",\"exit_code\":75,\"started\":\"2026-01-01T00:00:05.001Z\","
        "\"seconds\":1,\"stderr\":[\"a: no room\",\"Try 'a --help' for more information.\"]},"
        "{\"name\":\"c\",\"state\":\"failed\",\"exit_code\":141,\"started\":\"2026-01-01T00:00:05.000Z\","
        "\"seconds\":0.1,\"stderr\":[\"c: broken pipe\"]}]}";
    cJSON *d = cJSON_Parse(stages);
    const cJSON *cause = ap_find_cause(d, "b: input ends too early");
    CHECK(cause && strcmp(ap_last_line(cause), "a: no room") == 0);
    CHECK(ap_find_cause(d, "the recipe's own words") == NULL);
    cause = ap_find_cause(d, "early");
    CHECK(cause && strcmp(ap_json_string(cause, "name"), "tolerated") == 0);
    CHECK(ap_find_cause(NULL, "x") == NULL);
    CHECK(ap_is_hint("Try 'cp --help' for more information.") && !ap_is_hint("Try again"));
    cJSON_Delete(d);
}

TEST_MAIN(CASE(reads_headers), CASE(finds_the_first_that_failed))
