/* SPDX-License-Identifier: GPL-3.0-or-later
 * Uploads on the disk: they are as long as their files, whole or not, and go when they expire. */
#include "serve/kept/uploads.h"
#include "folder.h"
#include "serve/kept/receive.h"

#include <errno.h>
#include <fcntl.h>

static void announce(ap_uploads *u, uint64_t length, char id[AP_FILE_ID_BYTES])
{
    ap_upload upload = {.owner = "alice", .name = strdup("a \xc3\xbc.wav"), .length = length};
    ap_error err;
    if (!CHECK(ap_upload_new(u, &upload, &err)))
        fprintf(stderr, "%s\n", err.message);
    strcpy(id, upload.id);
    ap_upload_free(&upload);
}

static void append(const ap_uploads *u, const char *id, const char *text)
{
    char *path = ap_upload_path(u, id, "");
    FILE *file = fopen(path, "a");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
    free(path);
}

static void the_file_tells_how_far_it_is(void)
{
    ap_uploads u;
    ap_upload found;
    char id[AP_FILE_ID_BYTES];
    enter_folder();
    CHECK(ap_uploads_open(&u, ".", 100, NULL));
    announce(&u, 6, id);
    CHECK(ap_uploads_of(&u, "alice", NULL) == 6 && ap_uploads_of(&u, "bob", NULL) == 0);
    append(&u, id, "hel");
    CHECK(ap_upload_load(&u, id, &found) && found.offset == 3 && !ap_upload_is_whole(&found));
    CHECK(strcmp(found.owner, "alice") == 0 && strcmp(found.name, "a \xc3\xbc.wav") == 0);
    ap_upload_free(&found);
    ap_uploads_close(&u); /* the server dies */
    CHECK(ap_uploads_open(&u, ".", 100, NULL) && ap_uploads_of(&u, "alice", NULL) == 6);
    append(&u, id, "lo\n");
    CHECK(ap_upload_load(&u, id, &found) && ap_upload_is_whole(&found));
    cJSON *said = ap_upload_describe(&u, &found);
    CHECK(said &&
          strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(said, "sha256")), /* sha256sum(1) of hello */
                 "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03") == 0);
    cJSON_Delete(said);
    ap_upload_free(&found);
    ap_upload_remove(&u, id);
    CHECK(!ap_upload_load(&u, id, &found) && ap_uploads_of(&u, "alice", NULL) == 0);
    ap_upload_free(&found);
    ap_uploads_close(&u);
}

static void what_is_old_goes(void)
{
    ap_uploads u;
    ap_upload found;
    char old[AP_FILE_ID_BYTES];
    enter_folder();
    CHECK(ap_uploads_open(&u, ".", 100, NULL));
    announce(&u, 6, old);
    CHECK(ap_upload_load(&u, old, &found));
    const double expires = found.expires_s;
    ap_upload_free(&found);
    CHECK(ap_uploads_expire(&u, expires - 1) == 0);
    CHECK(ap_upload_claim(&u, old, NULL) && ap_uploads_expire(&u, expires + 1) == 0); /* somebody writes */
    ap_upload_release(&u, old);
    CHECK(ap_uploads_expire(&u, expires + 1) == 1 && ap_uploads_of(&u, "alice", NULL) == 0);
    ap_uploads_close(&u);
}

static void one_go_appears_when_it_is_whole(void)
{
    ap_uploads u;
    ap_receiving in;
    ap_upload found;
    ap_error err;
    char id[AP_FILE_ID_BYTES];
    enter_folder();
    CHECK(ap_uploads_open(&u, ".", 100, NULL));
    announce(&u, 6, id);
    CHECK(ap_receive_start(&in, &u, id, 6, &err));
    ap_receive(&in, "hel", 3);
    CHECK(ap_upload_load(&u, id, &found) && found.offset == 0);
    ap_receive(&in, "lo\n", 3);
    CHECK(ap_receive_end(&in, &found, &err) && ap_upload_is_whole(&found) &&
          strncmp(found.sha256, "5891b5b5", 8) == 0);
    ap_upload_free(&found);
    CHECK(ap_receive_start(&in, &u, id, 6, &err));
    ap_receive(&in, "too long", 8);
    found = (ap_upload){0};
    CHECK(!ap_receive_end(&in, &found, &err) && strstr(err.message, "more than 6"));
    ap_receive_drop(&in);
    ap_upload_remove(&u, id);
    ap_uploads_close(&u);
}

/* The reason is that of the write, not of what came later. */
static void a_full_disk_is_told_as_that(void)
{
    ap_uploads u;
    ap_receiving in;
    ap_upload upload = {0};
    ap_error err;
    char id[AP_FILE_ID_BYTES];
    enter_folder();
    CHECK(ap_uploads_open(&u, ".", 100, NULL));
    announce(&u, 6, id);
    CHECK(ap_receive_start(&in, &u, id, 6, &err));
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    CHECK(full >= 0 && dup2(full, in.fd) == in.fd);
    close(full);
    ap_receive(&in, "hel", 3);
    errno = EIO;
    ap_receive(&in, "lo\n", 3);
    CHECK(!ap_receive_end(&in, &upload, &err) && err.number == ENOSPC && err.code == AP_TRY_AGAIN);
    ap_receive_drop(&in);
    ap_upload_remove(&u, id);
    ap_uploads_close(&u);
}

TEST_MAIN(CASE(the_file_tells_how_far_it_is), CASE(what_is_old_goes), CASE(one_go_appears_when_it_is_whole),
          CASE(a_full_disk_is_told_as_that))
