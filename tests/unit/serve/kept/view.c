/* SPDX-License-Identifier: GPL-3.0-or-later
 * A job as the API shows it: nothing of this machine, sums of bytes, files by their names. */
#include "serve/kept/view.h"
#include "jobs/record/json.h"
#include "test.h"

static const char manifest[] =
    "{\"version\":1,\"id\":\"20260101-000000-0a0b0c0d\",\"state\":\"failed\",\"recipe\":\"stems\",\"owner\":"
    "\"alice\","
    "\"error\":\"cancelled\",\"input\":{\"path\":\"input/song.wav\",\"name\":\"song.wav\",\"bytes\":100},"
    "\"more_inputs\":[{\"path\":\"input/b.wav\",\"name\":\"b.wav\",\"bytes\":20}],"
    "\"outputs\":[{\"path\":\"out/stems/vocals.flac\",\"bytes\":3},{\"path\":\"out/x.svg\",\"bytes\":4}]}";

static void states_are_those_of_the_place(void)
{
    cJSON *d = cJSON_Parse(manifest);
    CHECK(strcmp(ap_view_state(d, AP_QUEUE), "queued") == 0 &&
          strcmp(ap_view_state(d, AP_RUNNING), "running") == 0);
    CHECK(strcmp(ap_view_state(d, AP_DONE), "done") == 0);
    CHECK(strcmp(ap_view_state(d, AP_FAILED_JOBS), "cancelled") == 0);
    CHECK(ap_json_put_text(d, "error", "out of memory"));
    CHECK(strcmp(ap_view_state(d, AP_FAILED_JOBS), "failed") == 0);
    cJSON_Delete(d);
}

static void files_are_found_by_their_names(void)
{
    cJSON *d = cJSON_Parse(manifest);
    const cJSON *vocals = ap_view_find(d, false, "stems/vocals.flac");
    CHECK(vocals && strcmp(ap_view_type(vocals), "audio/flac") == 0);
    CHECK(ap_view_find(d, true, "b.wav") && ap_view_find(d, true, "song.wav"));
    CHECK(!ap_view_find(d, false, "vocals.flac") && !ap_view_find(d, false, "out/x.svg"));
    CHECK(!ap_view_find(d, true, "x.svg") && !ap_view_find(d, false, "") && !ap_view_find(d, false, "../x"));
    CHECK_NEAR(ap_view_bytes(d), 127, 0);
    cJSON_Delete(d);
}

static void jobs_are_shown(void)
{
    cJSON *d = cJSON_Parse(manifest), *job = ap_view_job(d, AP_FAILED_JOBS), *outputs = ap_view_outputs(d);
    CHECK(strcmp(ap_json_string(job, "id"), "20260101-000000-0a0b0c0d") == 0);
    CHECK(strcmp(ap_json_string(job, "state"), "cancelled") == 0);
    CHECK(cJSON_GetArraySize(cJSON_GetObjectItem(outputs, "outputs")) == 2);
    cJSON_Delete(job);
    cJSON_Delete(outputs);
    cJSON_Delete(d);
    d = cJSON_Parse("{}"); /* by hand, or of another version */
    job = ap_view_job(d, AP_QUEUE);
    CHECK(job && strcmp(ap_json_string(job, "state"), "queued") == 0);
    cJSON_Delete(job);
    cJSON_Delete(d);
}

TEST_MAIN(CASE(states_are_those_of_the_place), CASE(files_are_found_by_their_names), CASE(jobs_are_shown))
