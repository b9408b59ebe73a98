/* SPDX-License-Identifier: GPL-3.0-or-later
 * target.c - files that a command is about to write. */
#include "front/target.h"
#include "base/error.h"
#include "base/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_standard(const char *path)
{
    return !path || strcmp(path, "-") == 0;
}

/* Files only: devices and pipes may be read and written at once. */
static bool file_of(const char *path, int standard, struct stat *st)
{
    return (is_standard(path) ? fstat(standard, st) : stat(path, st)) == 0 && S_ISREG(st->st_mode);
}

static bool is_read(const struct stat *out, const char *path)
{
    struct stat in;
    return file_of(path, STDIN_FILENO, &in) && in.st_dev == out->st_dev && in.st_ino == out->st_ino;
}

/* The name of the source that is this file, NULL if none is. */
static const char *find_source(const struct stat *out, const sources *in)
{
    for (size_t i = 0; i < in->count; i++)
        if (is_read(out, in->names[i]))
            return is_standard(in->names[i]) ? "standard input" : in->names[i];
    for (int g = 0; in->groups && g < OPTION_GROUPS && in->groups[g].rows; g++)
        for (const option_row *o = in->groups[g].rows; o->type != OPTION_END; o++) {
            const char *path = NULL;
            if (o->type == OPTION_FILE)
                path = *(const char *const *)((const char *)in->groups[g].config + o->offset);
            if (path && is_read(out, path))
                return path;
        }
    return NULL;
}

/* Objects on servers, as far as their names tell. */
static bool check_object(const char *url, const sources *in, target_rule rule, ap_error *err)
{
    ap_net_object object;
    const ap_net_plugin *net = rule == TARGET_NEW ? ap_net_load(err) : NULL;
    if (rule == TARGET_NEW && !net)
        return false;
    if (net && net->head_of(url, &object, err))
        return ap_fail(err, AP_FAILED, "'%s' exists: --no-clobber", url);
    for (size_t i = 0; i < in->count; i++)
        if (rule != TARGET_ANY && strcmp(in->names[i], url) == 0)
            return ap_fail(err, AP_USAGE, "'%s' would replace the input", url);
    return true;
}

bool target_check(const char *path, const sources *in, target_rule rule, ap_error *err)
{
    struct stat out;
    if (path && ap_net_is_url(path))
        return check_object(path, in, rule, err);
    if (!file_of(path, STDOUT_FILENO, &out))
        return true;
    const char *source = find_source(&out, in);
    if (source && is_standard(path))
        return ap_fail(err, AP_USAGE, "'%s' is input and standard output at once", source);
    if (rule == TARGET_NEW && !is_standard(path))
        return ap_fail(err, AP_FAILED, "'%s' exists: --no-clobber", path);
    if (source && rule != TARGET_ANY)
        return ap_fail(err, AP_USAGE, "'%s' would replace the input '%s'%s", path, source,
                       rule == TARGET_NOT_FORCED ? " (--force allows it)" : "");
    return true;
}

bool target_make_folders(made_folders *made, const char *path, ap_error *err)
{
    char *folder = strdup(is_standard(path) || ap_net_is_url(path) ? "" : path);
    bool ok = folder || ap_fail_memory(err);
    for (char *slash = ok && *folder ? strchr(folder + 1, '/') : NULL; ok && slash;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        bool is_new = mkdir(folder, 0777) == 0;
        if (!is_new && errno != EEXIST && errno != EISDIR)
            ok = ap_fail_errno(err, errno, "cannot create folder '%s'", folder);
        if (is_new && made->count < MAX_MADE_FOLDERS)
            made->paths[made->count++] = strdup(folder);
        *slash = '/';
    }
    free(folder);
    return ok;
}

void target_end(made_folders *made, bool ok)
{
    while (made->count--) {
        if (!ok && made->paths[made->count])
            (void)rmdir(made->paths[made->count]);
        free(made->paths[made->count]);
    }
    made->count = 0;
}
