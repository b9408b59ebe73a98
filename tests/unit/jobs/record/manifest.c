/* SPDX-License-Identifier: GPL-3.0-or-later
 * One document in a file. */
#include "../scratch.h"

static bool set_member(cJSON *document, void *user, ap_error *err)
{
    (void)err;
    return ap_json_put_text(document, "member", user);
}

static bool refuse(cJSON *document, void *user, ap_error *err)
{
    (void)user;
    (void)ap_json_put_text(document, "member", "half");
    err->code = AP_FAILED;
    return false;
}

static char *new_manifest(void)
{
    char *path = ap_print("%s/m.json", scratch_spool);
    cJSON *document = ap_manifest_document("1-a");
    CHECK(ap_manifest_create(path, document, NULL));
    cJSON_Delete(document);
    return path;
}

static void changes(void)
{
    scratch_open();
    char *path = new_manifest();
    ap_error err;
    CHECK(ap_manifest_change(path, set_member, "value", true, &err));
    CHECK(!ap_manifest_change(path, refuse, NULL, true, &err) && err.code == AP_FAILED);
    cJSON *document = ap_manifest_load(path, &err);
    CHECK(strcmp(ap_json_string(document, "member"), "value") == 0);
    CHECK(strcmp(ap_json_string(document, "state"), "queued") == 0 &&
          strcmp(ap_json_string(document, "id"), "1-a") == 0);
    CHECK(!ap_manifest_create(path, document, &err)); /* never over another one */
    cJSON_Delete(document);
    free(path);
    scratch_close();
}

/* A number that the next change would spoil is an error instead. */
static void keeps_foreign_numbers(void)
{
    scratch_open();
    ap_error err;
    const char text[] = "{\"version\":1,\"snowflake\":403263854001401856}";
    char *path = scratch_file("m.json", text);
    CHECK(!ap_manifest_change(path, set_member, "x", false, &err) && err.code == AP_FAILED);
    cJSON *document = ap_manifest_load(path, &err); /* to be read it is good enough */
    CHECK(document != NULL);
    cJSON_Delete(document);
    FILE *file = fopen(path, "r");
    char now[sizeof text] = "";
    CHECK(fread(now, 1, sizeof text, file) == sizeof text - 1 && strcmp(now, text) == 0);
    fclose(file);
    free(path);
    scratch_close();
}

TEST_MAIN(CASE(changes), CASE(keeps_foreign_numbers))
