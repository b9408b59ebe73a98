/* SPDX-License-Identifier: GPL-3.0-or-later
 * mount.c - whether the file system of a spool can be shared between hosts, by how it is mounted. */
#include "jobs/spool/mount.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ID PARENT DEVICE ROOT POINT OPTIONS [TAG]... - TYPE SOURCE SUPER-OPTIONS */
typedef struct mount {
    char *point, *type, *options;
} mount;

/* Blanks in paths are written as \040, and so on. */
static void decode(char *text)
{
    char *to = text;
    for (const char *p = text; *p; to++)
        if (p[0] == '\\' && p[1] && p[2] && p[3]) {
            *to = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
            p += 4;
        } else
            *to = *p++;
    *to = 0;
}

/* Cuts a line up. */
static bool split(char *line, mount *m)
{
    char *rest = line, *word = NULL;
    for (int i = 0; i < 5; i++)
        word = strsep(&rest, " ");
    char *dash = rest ? strstr(rest, " - ") : NULL;
    if (!word || !dash)
        return false;
    m->point = word;
    decode(word);
    rest = dash + 3;
    m->type = strsep(&rest, " ");
    strsep(&rest, " "); /* the source */
    m->options = rest;
    return m->options != NULL;
}

static bool is_below(const char *path, const char *point)
{
    const size_t n = strlen(point);
    return strcmp(point, "/") == 0 || (strncmp(path, point, n) == 0 && (path[n] == '/' || path[n] == 0));
}

static bool has(const char *options, const char *option)
{
    const size_t n = strlen(option);
    for (const char *p = options; *p; p += strcspn(p, ","), p += *p == ',')
        if (strncmp(p, option, n) == 0 && (p[n] == ',' || p[n] == 0))
            return true;
    return false;
}

static const char *judge(const mount *m)
{
    static const struct {
        const char *option, *why;
    } bad[] = {{"vers=2", "NFS of version 2 knows no locks"},
               {"nolock", "it is mounted with nolock: locks do not reach other hosts"},
               {"local_lock=all", "it is mounted with local_lock: locks do not reach other hosts"},
               {"local_lock=flock", "it is mounted with local_lock: locks do not reach other hosts"},
               {"vers=3", "NFS of version 3 keeps the locks of a host that died; use vers=4.2"},
               {"nobrl", "it is mounted with nobrl: locks do not reach other hosts"}};
    if (strncmp(m->type, "nfs", 3) != 0 && strcmp(m->type, "cifs") != 0)
        return "";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (has(m->options, bad[i].option))
            return bad[i].why;
    return "";
}

/* The last of those that path is below is what it is on. */
char *ap_mount_trouble(const char *mountinfo, const char *path)
{
    char *text = strdup(mountinfo), *rest = text, *why = NULL;
    size_t longest = 0;
    const char *found = "";
    for (char *line; (line = strsep(&rest, "\n"));) {
        mount m;
        if (!split(line, &m) || !is_below(path, m.point) || strlen(m.point) < longest)
            continue;
        longest = strlen(m.point);
        found = judge(&m);
    }
    if (text)
        why = strdup(found);
    free(text);
    return why;
}
