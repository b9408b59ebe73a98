/* SPDX-License-Identifier: GPL-3.0-or-later
 * uploads.c - files that were sent, or are being sent. */
#include "serve/kept/uploads.h"
#include "base/error.h"
#include "base/output.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_BYTES 65536

char *ap_upload_path(const ap_uploads *u, const char *id, const char *suffix)
{
    return ap_print("%s/%s%s", u->folder, id, suffix);
}

bool ap_upload_is_whole(const ap_upload *upload)
{
    return upload->offset == upload->length;
}

void ap_upload_free(ap_upload *upload)
{
    free(upload->name);
    free(upload->metadata);
    free(upload->parts);
    free(upload->recipe);
    upload->name = upload->metadata = upload->parts = upload->recipe = NULL;
}

/* ---- notes: what is needed often */

/* With the lock held. */
static ap_upload_note *find_note(const ap_uploads *u, const char *id)
{
    for (size_t i = 0; i < u->count; i++)
        if (strcmp(u->notes[i].id, id) == 0)
            return &u->notes[i];
    return NULL;
}

static bool add_note(ap_uploads *u, const ap_upload *upload)
{
    pthread_mutex_lock(&u->lock);
    ap_upload_note *note = find_note(u, upload->id);
    ap_upload_note *more = note ? u->notes : reallocarray(u->notes, u->count + 1, sizeof *more);
    if (more) {
        u->notes = more;
        if (!note) {
            note = &more[u->count++];
            *note = (ap_upload_note){.claimed = false};
        }
        strcpy(note->id, upload->id);
        strcpy(note->owner, upload->owner);
        note->length = upload->length;
    }
    pthread_mutex_unlock(&u->lock);
    return more;
}

uint64_t ap_uploads_of(ap_uploads *u, const char *owner, size_t *count)
{
    uint64_t total = 0;
    size_t number = 0;
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < u->count; i++)
        if (strcmp(u->notes[i].owner, owner) == 0) {
            total += u->notes[i].length;
            number++;
        }
    pthread_mutex_unlock(&u->lock);
    if (count)
        *count = number;
    return total;
}

bool ap_upload_claim(ap_uploads *u, const char *id, ap_peer *peer)
{
    pthread_mutex_lock(&u->lock);
    ap_upload_note *note = find_note(u, id);
    bool ok = note && !note->claimed;
    if (ok) {
        note->claimed = true;
        note->writer = peer;
    } else if (note)
        ap_peer_break(note->writer);
    pthread_mutex_unlock(&u->lock);
    return ok;
}

void ap_upload_release(ap_uploads *u, const char *id)
{
    pthread_mutex_lock(&u->lock);
    ap_upload_note *note = find_note(u, id);
    if (note) {
        note->claimed = false;
        note->writer = NULL;
    }
    pthread_mutex_unlock(&u->lock);
}

static bool is_noted(ap_uploads *u, const char *id)
{
    pthread_mutex_lock(&u->lock);
    bool noted = find_note(u, id);
    pthread_mutex_unlock(&u->lock);
    return noted;
}

/* ---- records */

bool ap_upload_save(ap_uploads *u, const ap_upload *upload, ap_error *err)
{
    cJSON *record = cJSON_CreateObject();
    char *path = ap_upload_path(u, upload->id, ".json");
    bool ok = record && path && ap_json_put_text(record, "owner", upload->owner) &&
              ap_json_put_text(record, "name", upload->name) &&
              ap_json_put_text(record, "metadata", upload->metadata) &&
              ap_json_put_text(record, "parts", upload->parts) &&
              ap_json_put_text(record, "recipe", upload->recipe) &&
              ap_json_put_text(record, "job", upload->job) &&
              ap_json_put_number(record, "length", (double)upload->length) &&
              ap_json_put(record, "partial", cJSON_CreateBool(upload->partial)) &&
              ap_json_put_text(record, "sha256", upload->sha256);
    char *text = ok ? ap_json_print(record, false) : NULL;
    ap_output *out = text ? ap_output_create(path, false, err) : (ap_fail_memory(err), NULL);
    ok = out && ap_output_write(out, text, strlen(text), err) && add_note(u, upload);
    if (ok)
        ok = ap_output_commit(out, err) && ap_sync_file(path, err) && ap_sync_folder(u->folder, err);
    else
        ap_output_abort(out);
    cJSON_Delete(record);
    free(text);
    free(path);
    return ok;
}

/* The JSON of a record; NULL if there is none. */
static cJSON *read_record(const char *path)
{
    char text[RECORD_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        close(fd);
    return n > 0 ? cJSON_ParseWithLength(text, (size_t)n) : NULL;
}

static char *text_of(const cJSON *record, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, key));
    return text ? strdup(text) : NULL;
}

bool ap_upload_load(ap_uploads *u, const char *id, ap_upload *upload)
{
    struct stat st;
    *upload = (ap_upload){.partial = false};
    if (!ap_is_file_id(id))
        return false;
    char *path = ap_upload_path(u, id, ""), *record_path = ap_upload_path(u, id, ".json");
    cJSON *record = record_path ? read_record(record_path) : NULL;
    bool ok = path && cJSON_IsObject(record) && stat(path, &st) == 0 &&
              ap_is_owner_name(ap_json_string(record, "owner"));
    if (ok) {
        strcpy(upload->id, id);
        strcpy(upload->owner, ap_json_string(record, "owner"));
        snprintf(upload->sha256, sizeof upload->sha256, "%s", ap_json_string(record, "sha256"));
        snprintf(upload->job, sizeof upload->job, "%s", ap_json_string(record, "job"));
        upload->name = text_of(record, "name");
        upload->metadata = text_of(record, "metadata");
        upload->parts = text_of(record, "parts");
        upload->recipe = text_of(record, "recipe");
        upload->partial = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(record, "partial"));
        upload->length = (uint64_t)ap_json_number(record, "length", 0);
        upload->offset = (uint64_t)st.st_size;
        upload->expires_s = (double)st.st_mtim.tv_sec + u->keep_s;
        ok = upload->name;
    }
    cJSON_Delete(record);
    free(path);
    free(record_path);
    return ok;
}

bool ap_upload_new(ap_uploads *u, ap_upload *upload, ap_error *err)
{
    if (!ap_random_hex(upload->id))
        return ap_fail(err, AP_TRY_AGAIN, "no random numbers");
    char *path = ap_upload_path(u, upload->id, "");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    bool ok = fd >= 0 || (path ? ap_fail_errno(err, errno, "cannot create '%s'", path) : ap_fail_memory(err));
    if (fd >= 0)
        close(fd);
    upload->expires_s = ap_wall_s() + u->keep_s;
    ok = ok && ap_upload_save(u, upload, err);
    free(path);
    return ok;
}

void ap_upload_remove(ap_uploads *u, const char *id)
{
    static const char *const suffixes[] = {".json", "", ".part"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char *path = ap_upload_path(u, id, suffixes[i]);
        if (path)
            unlink(path);
        free(path);
    }
    pthread_mutex_lock(&u->lock);
    ap_upload_note *note = find_note(u, id);
    if (note)
        *note = u->notes[--u->count];
    pthread_mutex_unlock(&u->lock);
}

cJSON *ap_upload_describe(ap_uploads *u, ap_upload *upload)
{
    cJSON *file = cJSON_CreateObject();
    uint64_t bytes;
    char *path = ap_upload_path(u, upload->id, "");
    if (path && !*upload->sha256 && ap_sha256_file(path, upload->sha256, &bytes, NULL))
        (void)ap_upload_save(u, upload, NULL); /* otherwise it is hashed again */
    free(path);
    if (file && ap_json_put_text(file, "id", upload->id) && ap_json_put_text(file, "name", upload->name) &&
        ap_json_put_number(file, "size", (double)upload->length) &&
        ap_json_put_text(file, "sha256", upload->sha256))
        return file;
    cJSON_Delete(file);
    return NULL;
}

/* ---- all of them */

/* The ID of a record's name; false: it is none. */
static bool id_of(const char *name, char id[AP_FILE_ID_BYTES])
{
    size_t n = AP_FILE_ID_BYTES - 1;
    if (strlen(name) < n || strcmp(name + n, ".json") != 0)
        return false;
    memcpy(id, name, n);
    id[n] = 0;
    return ap_is_file_id(id);
}

bool ap_uploads_open(ap_uploads *u, const char *home, double keep_s, ap_error *err)
{
    *u = (ap_uploads){
        .lock = PTHREAD_MUTEX_INITIALIZER, .folder = ap_print("%s/files", home), .keep_s = keep_s};
    if (!u->folder)
        return ap_fail_memory(err);
    if (!ap_make_folder(u->folder, err))
        return false;
    DIR *folder = opendir(u->folder);
    if (!folder)
        return ap_fail_errno(err, errno, "cannot read '%s'", u->folder);
    bool ok = true;
    for (const struct dirent *entry; ok && (entry = readdir(folder));) {
        char id[AP_FILE_ID_BYTES];
        ap_upload upload;
        if (id_of(entry->d_name, id) && ap_upload_load(u, id, &upload)) {
            ok = add_note(u, &upload) || ap_fail_memory(err);
            ap_upload_free(&upload);
        }
    }
    closedir(folder);
    return ok;
}

void ap_uploads_close(ap_uploads *u)
{
    free(u->folder);
    free(u->notes);
    u->folder = NULL;
    u->notes = NULL;
}

/* Also what has no record: a server that was killed between the two. */
size_t ap_uploads_expire(ap_uploads *u, double now_s)
{
    size_t removed = 0;
    DIR *folder = opendir(u->folder);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        const char *id = entry->d_name;
        struct stat st;
        if (!ap_is_file_id(id) || fstatat(dirfd(folder), id, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            (double)st.st_mtim.tv_sec + u->keep_s > now_s)
            continue;
        if (ap_upload_claim(u, id, NULL) || !is_noted(u, id)) {
            ap_upload_remove(u, id);
            removed++;
        }
    }
    if (folder)
        closedir(folder);
    return removed;
}
