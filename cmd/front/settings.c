/* SPDX-License-Identifier: GPL-3.0-or-later
 * settings.c - the file with what a user always wants:
 *
 *     [common]           # every command that has the option
 *     quiet
 *     [ap-8d]
 *     period = 12
 *     mode = pan         ; "quotes" keep what is in them
 */
#include "front/settings.h"
#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLANKS " \t\r\n"
#define MAX_BYTES (1 << 20)

char *settings_usual_file(void)
{
    const char *named = getenv("AUDIOPIPE_CONFIG"), *folder = getenv("XDG_CONFIG_HOME"),
               *home = getenv("HOME");
    if (named)
        return *named ? strdup(named) : NULL;
    char *path = folder && *folder == '/' ? ap_print("%s/audiopipe/config", folder)
                 : home && *home          ? ap_print("%s/.config/audiopipe/config", home)
                                          : NULL;
    if (path && access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static char *without_blanks(char *text)
{
    text += strspn(text, BLANKS);
    size_t n = strlen(text);
    while (n && strchr(BLANKS, text[n - 1]))
        n--;
    text[n] = 0;
    return text;
}

static bool fail(const setting *s, const char *what, ap_error *err)
{
    return ap_fail(err, AP_USAGE, "'%s', line %u: %s", s->file, s->line, what);
}

/* Takes a comment off, and the quotes off a value, in place. A backslash before a quote or a backslash keeps
 * it. */
static bool clean(char *text, const setting *s, ap_error *err)
{
    bool quoted = false;
    char *to = text, *end = text; /* end: of what blanks may not be taken off */
    for (const char *p = text; *p; p++) {
        if (*p == '"') {
            quoted = !quoted;
            end = to;
            continue;
        }
        const bool first = p == text || strchr(BLANKS, p[-1]);
        if (!quoted && first && (*p == '#' || *p == ';'))
            break;
        if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
            p++;
        *to++ = *p;
        if (quoted || !strchr(BLANKS, *p))
            end = to;
    }
    *end = 0;
    return !quoted || fail(s, "a quote is not closed", err);
}

/* [SECTION] */
static bool read_section(char *line, setting *s, ap_error *err)
{
    char *end = strchr(line, ']');
    const char *rest = end ? end + 1 + strspn(end + 1, BLANKS) : "";
    if (!end || (*rest && *rest != '#' && *rest != ';'))
        return fail(s, "a section is [NAME]", err);
    *end = 0;
    s->section = without_blanks(line + 1);
    return true;
}

/* KEY, or KEY = VALUE */
static bool read_setting(char *line, setting *s, ap_error *err)
{
    char *equals = strchr(line, '=');
    s->value = NULL;
    if (equals) {
        *equals = 0;
        s->value = equals + 1 + strspn(equals + 1, BLANKS);
        if (!clean(s->value, s, err))
            return false;
    } else if (!clean(line, s, err)) {
        return false;
    }
    s->key = without_blanks(line);
    if (!s->section)
        return fail(s, "a setting belongs below a section, such as [common]", err);
    return (*s->key && !strpbrk(s->key, BLANKS "\"")) || fail(s, "a setting is NAME = VALUE", err);
}

static char *read_all(const char *path, ap_error *err)
{
    FILE *file = fopen(path, "re");
    char *text = file ? calloc(1, MAX_BYTES + 1) : NULL;
    size_t n = text ? fread(text, 1, MAX_BYTES + 1, file) : 0;
    bool ok = text && !ferror(file);
    if (!ok)
        ap_fail_errno(err, errno, "cannot read '%s'", path);
    else if (n > MAX_BYTES || memchr(text, 0, n))
        ok = ap_fail(err, AP_USAGE, "'%s' is no file of settings", path);
    if (file)
        fclose(file);
    if (ok)
        return text;
    free(text);
    return NULL;
}

bool settings_read(const char *path, void (*take)(void *user, const setting *s), void *user, ap_error *err)
{
    static char *kept; /* options point into it */
    setting s = {.file = path};
    char *rest = kept = read_all(path, err);
    if (rest && strncmp(rest, "\xef\xbb\xbf", 3) == 0)
        rest += 3;
    for (char *line; rest && (line = strsep(&rest, "\n"));) {
        s.line++;
        line += strspn(line, BLANKS);
        if (!*line || *line == '#' || *line == ';')
            continue;
        if (!(*line == '[' ? read_section(line, &s, err) : read_setting(line, &s, err)))
            return false;
        if (s.key)
            take(user, &s);
        s.key = NULL;
    }
    return kept;
}
