/* SPDX-License-Identifier: GPL-3.0-or-later
 * tree.c - the files of a folder and of those in it. */
#include "jobs/record/tree.h"
#include "base/error.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_file(const FTSENT *entry)
{
    struct stat st;
    return entry->fts_info == FTS_F ||
           (entry->fts_info == FTS_SL && stat(entry->fts_path, &st) == 0 && S_ISREG(st.st_mode));
}

/* What is not there any more is not missed. */
static bool cannot_be_read(const FTSENT *entry)
{
    return entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
           (entry->fts_info == FTS_NS && entry->fts_errno != ENOENT);
}

bool ap_each_file(const char *folder, ap_file_fn *see, void *user, ap_error *err)
{
    char *roots[] = {(char *)folder, NULL};
    size_t n = strlen(folder);
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    bool ok = tree || ap_fail_errno(err, errno, "cannot read '%s'", folder);
    for (FTSENT *entry; ok && (entry = fts_read(tree));)
        if (entry->fts_level > 0 && entry->fts_name[0] == '.')
            fts_set(tree, entry, FTS_SKIP);
        else if (cannot_be_read(entry))
            ok = ap_fail_errno(err, entry->fts_errno, "cannot read '%s'", entry->fts_path);
        else if (entry->fts_level > 0 && is_file(entry))
            ok = see(entry->fts_path, entry->fts_path + n + 1, user, err);
    if (tree)
        fts_close(tree);
    return ok;
}
