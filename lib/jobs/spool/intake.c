/* SPDX-License-Identifier: GPL-3.0-or-later
 * intake.c - files become jobs: checked, copied, recorded, and then in the queue by one rename. */
#include "jobs/spool/intake.h"
#include "base/error.h"
#include "base/path.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/record/probe.h"
#include "jobs/record/sha256.h"
#include "jobs/spool/names.h"
#include "jobs/spool/needs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A job that is being made in tmp/. */
typedef struct draft {
    const ap_intake_options *options;
    char id[AP_ID_BYTES];
    char *folder;
    int lock;
    const char *url; /* of the file that is taken in */
    cJSON *document;
} draft;

/* ---- checks */

static bool check_size(const draft *d, const char *path, const struct stat *st, ap_error *err)
{
    const ap_intake_options *o = d->options;
    struct statvfs disk;
    if (!S_ISREG(st->st_mode))
        return ap_fail(err, AP_FAILED, "'%s' is not a file", path);
    if (st->st_size == 0)
        return ap_fail(err, AP_FAILED, "'%s' is empty", path);
    if ((double)st->st_size > o->max_bytes)
        return ap_fail(err, AP_FAILED, "'%s' has %lld bytes, more than %.0f", path, (long long)st->st_size,
                       o->max_bytes);
    if (statvfs(d->folder, &disk) != 0)
        return ap_fail_errno(err, errno, "cannot look at '%s'", d->folder);
    if ((double)disk.f_bavail * (double)disk.f_frsize < (double)st->st_size + o->min_free_bytes)
        return ap_fail_errno(err, ENOSPC, "no room in '%s' for '%s'", o->spool, path);
    return true;
}

static bool check_content(const draft *d, const char *path, ap_probe *probe, ap_error *err)
{
    const ap_intake_options *o = d->options;
    if (!ap_probe_file(path, AP_PROBE_DURATION, probe, err))
        return false;
    if (*o->accept && !ap_lists_word(o->accept, probe->class_))
        return ap_fail(err, AP_FAILED, "'%s' is %s, and recipe %s takes %s", path,
                       *probe->class_ ? probe->class_ : "neither audio nor an image", o->recipe, o->accept);
    if (probe->seconds > o->max_seconds)
        return ap_fail(err, AP_FAILED, "'%s' lasts %.0f s, longer than %.0f s", path, probe->seconds,
                       o->max_seconds);
    return true;
}

/* ---- taking in */

/* Copies fd to target, or shares its blocks or inode, and hashes it. */
static bool copy(int fd, const char *path, const char *target, bool hard_link, char hex[AP_SHA256_HEX],
                 ap_error *err)
{
    uint64_t bytes;
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (hard_link && linkat(AT_FDCWD, self, AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0)
        return ap_sha256_copy(fd, path, -1, NULL, hex, &bytes, err);
    int out = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0)
        return ap_fail_errno(err, errno, "cannot create '%s'", target);
    bool cloned = ioctl(out, FICLONE, fd) == 0;
    bool ok = ap_sha256_copy(fd, path, cloned ? -1 : out, target, hex, &bytes, err);
    if (ok && fsync(out) != 0)
        ok = ap_fail_errno(err, errno, "cannot write '%s'", target);
    close(out);
    return ok;
}

static bool unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Without a query, which may be a secret. */
static bool put_url(cJSON *input, const char *url)
{
    char *shown = url ? strndup(url, strncasecmp(url, "s3:", 3) ? strcspn(url, "?#") : strlen(url)) : NULL;
    bool ok = !url || (shown && ap_json_put_text(input, "url", shown));
    free(shown);
    return ok;
}

static bool describe(const draft *d, const char *path, const char *safe, const ap_probe *probe,
                     const char *hex, int number, ap_error *err)
{
    const char *name = ap_leaf(d->options->name ? d->options->name : path);
    cJSON *input = cJSON_CreateObject(), *more = cJSON_GetObjectItemCaseSensitive(d->document, "more_inputs");
    char *where = ap_print("input/%s", safe);
    bool ok = number > 1 ? cJSON_AddItemToArray(more, input) : ap_json_put(d->document, "input", input);
    ok = ok && where && ap_json_put_text(input, "name", name) && ap_json_put_path(input, "path", where) &&
         put_url(input, d->url) && ap_json_put_number(input, "bytes", (double)probe->bytes) &&
         ap_json_put_text(input, "sha256", hex) && ap_probe_put(probe, input);
    free(where);
    return ok || ap_fail_memory(err);
}

static bool take_open(const draft *d, int fd, const char *path, int number, ap_error *err)
{
    struct stat before, after;
    ap_probe probe;
    char hex[AP_SHA256_HEX];
    if (fstat(fd, &before) != 0)
        return ap_fail_errno(err, errno, "cannot read '%s'", path);
    if (!check_size(d, path, &before, err) || !check_content(d, path, &probe, err))
        return false;
    char *safe =
        ap_safe_name(d->options->name ? d->options->name : path, d->options->together ? (unsigned)number : 0);
    char *target = safe ? ap_print("%s/input/%s", d->folder, safe) : NULL;
    bool ok = target ? copy(fd, path, target, d->options->link, hex, err) : ap_fail_memory(err);
    if (ok && (fstat(fd, &after) != 0 || !unchanged(&before, &after)))
        ok = ap_fail(err, AP_TRY_AGAIN, "'%s' is still being written", path);
    ok = ok && describe(d, path, safe, &probe, hex, number, err);
    free(safe);
    free(target);
    return ok;
}

static bool take_in(const draft *d, const char *path, int number, ap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is refused, not waited for */
    if (fd < 0)
        return ap_fail_errno(err, errno, "cannot open '%s'", path);
    bool ok = take_open(d, fd, path, number, err);
    close(fd);
    return ok;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* What a recipe does not take is found in folders beside its inputs: Thumbs.db, desktop.ini, .xmp,
 * subfolders. */
static bool fits(const draft *d, const char *path, ap_error *why)
{
    const ap_intake_options *o = d->options;
    struct stat st;
    ap_probe probe;
    if (stat(path, &st) != 0)
        return ap_fail_errno(why, errno, "cannot open '%s'", path);
    if (!S_ISREG(st.st_mode))
        return ap_fail(why, AP_FAILED, S_ISDIR(st.st_mode) ? "'%s' is a folder" : "'%s' is not a file", path);
    if (!ap_probe_file(path, AP_PROBE_TYPE, &probe, why))
        return false;
    if (!*probe.class_ && !ap_probe_file(path, AP_PROBE_DURATION, &probe, why))
        return false;
    return !*o->accept || ap_lists_word(o->accept, probe.class_) ||
           ap_fail(why, AP_FAILED, "'%s' is none of what recipe %s takes: %s", path, o->recipe, o->accept);
}

static bool take_from_folder(const draft *d, const char *file, int *number, ap_error *err)
{
    ap_error why;
    if (fits(d, file, &why))
        return take_in(d, file, ++*number, err);
    if (d->options->left_out)
        d->options->left_out(file, why.message, d->options->user);
    return true;
}

/* A folder stands for the files in it, for recipes that take many; in natural order, 2 before 10. */
static bool take_folder(const draft *d, const char *path, int *number, ap_error *err)
{
    struct dirent **names;
    int count = scandir(path, &names, is_shown, versionsort), before = *number;
    bool ok = count >= 0 || ap_fail_errno(err, errno, "cannot read '%s'", path);
    for (int i = 0; i < count; i++) {
        char *file = ap_print("%s/%s", path, names[i]->d_name);
        ok = ok && (file ? take_from_folder(d, file, number, err) : ap_fail_memory(err));
        free(file);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    if (ok && *number == before)
        ok = *d->options->accept
                 ? ap_fail(err, AP_FAILED, "there is no file in '%s' that recipe %s takes: %s", path,
                           d->options->recipe, d->options->accept)
                 : ap_fail(err, AP_FAILED, "there is no file in '%s'", path);
    return ok;
}

static bool take_all(draft *d, char **files, int count, ap_error *err)
{
    bool ok = true;
    for (int i = 0, number = 0; ok && i < count; i++) {
        struct stat st;
        d->url = d->options->urls ? d->options->urls[i] : NULL;
        bool folder = d->options->together && stat(files[i], &st) == 0 && S_ISDIR(st.st_mode);
        ok = folder ? take_folder(d, files[i], &number, err) : take_in(d, files[i], ++number, err);
    }
    return ok;
}

static bool put_settings(const draft *d, ap_error *err)
{
    cJSON *options = cJSON_GetObjectItemCaseSensitive(d->document, "options");
    char key[256];
    for (char **s = d->options->settings; s && *s; s++) {
        size_t n = strcspn(*s, "=");
        if (n == 0 || n >= sizeof key || !(*s)[n])
            return ap_fail(err, AP_USAGE, "'%s' is not KEY=VALUE", *s);
        memcpy(key, *s, n);
        key[n] = 0;
        if (!ap_json_put_text(options, key, *s + n + 1))
            return ap_fail_memory(err);
    }
    return true;
}

static bool put_needs(cJSON *document, const char *words)
{
    char *text = ap_needs_text(words ? words : "");
    bool ok = text && (!*text || ap_json_put_text(document, "needs", text));
    free(text);
    return ok;
}

/* "mail, webhook" as a list; NULL: out of memory. */
static cJSON *list_hooks(const char *text)
{
    cJSON *list = cJSON_CreateArray();
    char *words = strdup(text), *rest = words;
    bool ok = list && words;
    for (char *word; ok && (word = strsep(&rest, ", "));)
        if (*word)
            ok = cJSON_AddItemToArray(list, cJSON_CreateString(word));
    free(words);
    if (ok)
        return list;
    cJSON_Delete(list);
    return NULL;
}

static bool write_draft(draft *d, char **files, int count, ap_error *err)
{
    char hex[AP_SHA256_HEX] = "";
    uint64_t bytes;
    const ap_intake_options *o = d->options;
    d->document = ap_manifest_document(d->id);
    if (!d->document || !ap_json_put_text(d->document, "recipe", o->recipe) ||
        (o->owner && !ap_json_put_text(d->document, "owner", o->owner)) ||
        !put_needs(d->document, o->needs) || (o->to && !ap_json_put_text(d->document, "to", o->to)) ||
        (o->notify && !ap_json_put(d->document, "notify", list_hooks(o->notify))) ||
        (o->about && !ap_json_put_text(d->document, "about", o->about)) ||
        !ap_json_put(d->document, "more_inputs", cJSON_CreateArray()))
        return ap_fail_memory(err);
    if (o->recipe_file && !ap_sha256_file(o->recipe_file, hex, &bytes, err))
        return false;
    if (!ap_json_put_text(d->document, "recipe_sha256", *hex ? hex : NULL))
        return ap_fail_memory(err);
    if (!put_settings(d, err))
        return false;
    if (!take_all(d, files, count, err))
        return false;
    char *manifest = ap_print("%s/" AP_MANIFEST_NAME, d->folder), *input = ap_print("%s/input", d->folder);
    bool ok = (manifest && input) || ap_fail_memory(err);
    ok = ok && ap_manifest_create(manifest, d->document, err) && ap_sync_folder(input, err);
    free(manifest);
    free(input);
    return ok;
}

/* ---- the same again */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What makes two jobs the same: user, owner, recipe, options, content of the inputs. malloc'ed. */
static char *describe_work(const draft *d)
{
    static const char *const keys[] = {"owner", "recipe", "recipe_sha256"};
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(d->document, "options"), *item;
    const char *lines[4096] = {0};
    size_t count = 0;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    fprintf(f, "%lu\n", (unsigned long)geteuid());
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        fprintf(f, "%s\n", ap_json_string(d->document, keys[i]));
    cJSON_ArrayForEach(item, options)
    {
        if (count < sizeof lines / sizeof *lines)
            lines[count++] = item->string;
    }
    qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++)
        fprintf(f, "%s=%s\n", lines[i], ap_json_string(options, lines[i]));
    if (d->options->to)
        fprintf(f, "%s\n", d->options->to);
    fprintf(f, "%s\n", ap_json_string(cJSON_GetObjectItemCaseSensitive(d->document, "input"), "sha256"));
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(d->document, "more_inputs"))
    {
        fprintf(f, "%s\n", ap_json_string(item, "sha256"));
    }
    return fclose(f) == 0 ? text : NULL;
}

/* Opens a file of the index and locks it, anew if clean.c removed it while we waited. */
static int lock_entry(const char *path, ap_error *err)
{
    struct stat st;
    for (int fd;; close(fd)) {
        if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
            return ap_fail_errno(err, errno, "cannot create '%s'", path), -1;
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
            ;
        if (fstat(fd, &st) != 0 || st.st_nlink > 0)
            return fd;
    }
}

/* .index/KEY holds the id of the latest job of that key. Locked while the job is put into the queue, so that
 * of two that come at once one sees the other. -1 on failure. */
static int open_index(const draft *d, ap_error *err)
{
    char key[AP_SHA256_HEX], *work = describe_work(d), *folder = ap_print("%s/.index", d->options->spool);
    if (work)
        ap_sha256_text(work, key);
    char *path = work && folder ? ap_print("%s/%s", folder, key) : NULL;
    int fd = -1;
    if (!path)
        ap_fail_memory(err);
    else if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        ap_fail_errno(err, errno, "cannot create '%s'", folder);
    else
        fd = lock_entry(path, err);
    free(work);
    free(folder);
    free(path);
    return fd;
}

/* Whether the job in the index is waiting, running or done. */
static bool find_duplicate(const draft *d, int index, char id[AP_ID_BYTES])
{
    ap_place place;
    ssize_t n = pread(index, id, AP_ID_BYTES - 1, 0);
    id[n > 0 ? n : 0] = 0;
    return ap_job_find(d->options->spool, id, &place) && place != AP_FAILED_JOBS;
}

/* ---- into the queue */

/* The lock goes first: a runner that hears of the job at once finds it free. */
static bool publish(draft *d, ap_error *err)
{
    char *target = ap_spool_path(d->options->spool, AP_QUEUE, d->id, NULL);
    char *queue = ap_spool_path(d->options->spool, AP_QUEUE, NULL, NULL);
    bool ok = (target && queue) || ap_fail_memory(err);
    ok = ok && ap_sync_folder(d->folder, err);
    close(d->lock);
    d->lock = -1;
    if (ok && rename(d->folder, target) != 0)
        ok = ap_fail_errno(err, errno, "cannot move '%s' to '%s'", d->folder, target);
    ok = ok && ap_sync_folder(queue, err);
    free(target);
    free(queue);
    return ok;
}

static bool publish_once(draft *d, char id[AP_ID_BYTES], bool *duplicate, ap_error *err)
{
    int index = open_index(d, err);
    if (index < 0)
        return false;
    *duplicate = !d->options->force && find_duplicate(d, index, id);
    bool ok = *duplicate || publish(d, err);
    if (ok && !*duplicate) {
        strcpy(id, d->id);
        (void)!ftruncate(index, 0); /* a job that is not in the index is only done twice */
        (void)!pwrite(index, id, strlen(id), 0);
    }
    close(index);
    return ok;
}

static bool start_draft(draft *d, ap_error *err)
{
    for (int i = 0; i < 100; i++) {
        if (d->options->id)
            strcpy(d->id, d->options->id);
        else
            ap_new_id(d->id);
        free(d->folder);
        if (!(d->folder = ap_spool_path(d->options->spool, AP_TMP, d->id, NULL)))
            return ap_fail_memory(err);
        if (mkdir(d->folder, 0700) == 0)
            break;
        if (errno != EEXIST || i == 99 || d->options->id)
            return ap_fail_errno(err, errno, "cannot create '%s'", d->folder);
    }
    if (ap_job_lock(d->folder, &d->lock, err) != AP_LOCKED)
        return false;
    char *input = ap_print("%s/input", d->folder);
    if (!input)
        return ap_fail_memory(err);
    bool ok = mkdir(input, 0700) == 0 || ap_fail_errno(err, errno, "cannot create '%s'", input);
    free(input);
    return ok;
}

bool ap_job_submit(const ap_intake_options *options, char **files, int count, char id[AP_ID_BYTES],
                   bool *duplicate, ap_error *err)
{
    draft d = {.options = options, .lock = -1};
    *duplicate = false;
    bool ok = ap_spool_prepare(options->spool, err) && start_draft(&d, err) &&
              write_draft(&d, files, count, err) && publish_once(&d, id, duplicate, err);
    if (d.folder && (!ok || *duplicate))
        ap_remove_tree(d.folder);
    cJSON_Delete(d.document);
    free(d.folder);
    if (d.lock >= 0)
        close(d.lock);
    return ok;
}
