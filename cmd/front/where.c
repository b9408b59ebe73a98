/* SPDX-License-Identifier: GPL-3.0-or-later
 * where.c - where jobs and recipes are. */
#include "front/where.h"
#include "base/error.h"
#include "base/path.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the environment */

double number_of(const command *c, const char *name, double fallback, double lo, double hi)
{
    const char *text = getenv(name);
    char *end;
    if (!text || !*text)
        return fallback;
    double number = strtod(text, &end);
    if (*end || end == text || !(number >= lo && number <= hi))
        usage_error(c, "%s '%s' is not a number from %g to %g", name, text, lo, hi);
    return number;
}

double time_of(const command *c, const char *name, double fallback)
{
    const char *text = getenv(name);
    double seconds = fallback;
    if (text && *text && !parse_time(text, &seconds))
        usage_error(c, "%s '%s' is not a time (seconds or h:m:s)", name, text);
    return seconds;
}

/* ---- folders */

/* The folder of this program, malloc'ed: the other commands are in it, and come first. */
static char *own_folder(void)
{
    char *self = realpath("/proc/self/exe", NULL), *folder = self ? ap_folder_of(self) : NULL;
    free(self);
    return folder;
}

static char *find_spool(const char *home)
{
    const char *spool = getenv("AUDIOPIPE_SPOOL"), *data = getenv("XDG_DATA_HOME");
    char here[PATH_MAX];
    if (!spool || !*spool)
        return data && *data ? ap_print("%s/audiopipe/spool", data)
                             : ap_print("%s/.local/share/audiopipe/spool", home);
    if (*spool == '/' || !getcwd(here, sizeof here))
        return strdup(spool);
    return ap_print("%s/%s", here, spool);
}

/* Folders of recipes or hooks: the variable's, the user's, and those that are installed. */
static char *find_folders(const char *variable, const char *name, const char *home, const char *beside)
{
    const char *own = getenv(variable), *config_home = getenv("XDG_CONFIG_HOME");
    own = own ? own : "";
    bool xdg = config_home && *config_home;
    return ap_print("%s%s%s%s/audiopipe/%s:%s/%s:%s/../share/audiopipe/%s", own, *own ? ":" : "",
                    xdg ? config_home : home, xdg ? "" : "/.config", name, beside, name, beside, name);
}

static char *find_shell(const char *beside)
{
    char *near = ap_print("%s/recipe-shell", beside);
    if (near && access(near, R_OK) == 0)
        return near;
    free(near);
    return ap_print("%s/../share/audiopipe/recipe-shell", beside);
}

/* What recipes run finds this program's own commands first, and the same spool. */
static bool tell_children(const char *spool, const char *beside)
{
    const char *path = getenv("PATH");
    char *longer = ap_print("%s%s%s", beside, path ? ":" : "", path ? path : "");
    bool ok = longer && setenv("PATH", longer, 1) == 0 && setenv("AUDIOPIPE_SPOOL", spool, 1) == 0;
    free(longer);
    return ok;
}

bool find_places(places *p, ap_error *err)
{
    const char *home = getenv("HOME");
    char *beside = own_folder();
    if (!beside)
        return ap_fail_errno(err, errno, "cannot find '/proc/self/exe'");
    home = home ? home : "/nonexistent";
    p->spool = find_spool(home);
    p->recipes = find_folders("AUDIOPIPE_RECIPES", "recipes", home, beside);
    p->hooks = find_folders("AUDIOPIPE_HOOKS", "hooks", home, beside);
    p->shell = find_shell(beside);
    bool ok = (p->spool && p->recipes && p->hooks && p->shell && tell_children(p->spool, beside)) ||
              ap_fail_memory(err);
    free(beside);
    return ok;
}

void free_places(places *p)
{
    free(p->spool);
    free(p->recipes);
    free(p->hooks);
    free(p->shell);
    *p = (places){0};
}
