/* SPDX-License-Identifier: GPL-3.0-or-later
 * names.c - lists of images. */
#include "front/names.h"
#include "base/error.h"
#include "front/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool names_add(name_list *list, const char *name, ap_error *err)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        const char **names = realloc(list->names, room * sizeof *names);
        if (!names)
            return ap_fail_memory(err);
        list->names = names;
        ap_slide *slides = realloc(list->slides, room * sizeof *slides);
        if (!slides)
            return ap_fail_memory(err);
        list->slides = slides;
        list->room = room;
    }
    list->slides[list->count] = (ap_slide){0};
    list->names[list->count++] = name;
    return true;
}

/* All of a file, and a zero byte after it. */
static char *read_all(FILE *file, size_t *size)
{
    char *text = NULL;
    size_t room = 0, n;
    *size = 0;
    do {
        if (*size + 1 >= room) {
            char *larger = realloc(text, room = room ? 2 * room : 65536);
            if (!larger) {
                free(text);
                return NULL;
            }
            text = larger;
        }
        n = fread(text + *size, 1, room - 1 - *size, file);
        *size += n;
    } while (n);
    text[*size] = 0;
    return text;
}

/* NAME, or NAME, SECONDS and CAPTION with tabs between them. */
static bool add_line(name_list *list, char *line, ap_error *err)
{
    char *rest = line, *fields[3] = {line, NULL, NULL};
    double seconds = 0;
    if (strchr(line, '\t') && access(line, F_OK) != 0)
        for (int i = 0; i < 3 && rest; i++)
            fields[i] = i < 2 ? strsep(&rest, "\t") : rest;
    if (fields[1] && *fields[1] && !(parse_time(fields[1], &seconds) && seconds > 0))
        return ap_fail(err, AP_FAILED, "'%s' is no time for the image '%s'", fields[1], fields[0]);
    if (!names_add(list, fields[0], err))
        return false;
    list->slides[list->count - 1] =
        (ap_slide){.seconds = seconds, .caption = fields[2] && *fields[2] ? fields[2] : NULL};
    return true;
}

static bool split(name_list *list, size_t size, ap_error *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* Windows: a byte order mark, and CR before LF */
    char end = memchr(list->text, 0, size) ? 0 : '\n', *first = list->text;
    if (end && size >= 3 && memcmp(first, mark, 3) == 0)
        first += 3;
    for (char *name = first, *last = list->text + size; name < last;) {
        char *next = memchr(name, end, (size_t)(last - name));
        next = next ? next : last;
        *next = 0;
        if (end && next > name && next[-1] == '\r')
            next[-1] = 0;
        if (*name && !(end ? add_line(list, name, err) : names_add(list, name, err)))
            return false;
        name = next + 1;
    }
    return true;
}

bool names_read(name_list *list, const char *path, ap_error *err)
{
    errno = 0;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    size_t size = 0;
    list->text = file ? read_all(file, &size) : NULL;
    bool failed = !file || ferror(file);
    if (failed)
        ap_fail_errno(err, errno ? errno : EIO, "cannot read the list '%s'", path);
    if (file && file != stdin)
        fclose(file);
    if (failed)
        return false;
    return list->text ? split(list, size, err) : ap_fail_memory(err);
}

void names_free(name_list *list)
{
    free(list->names);
    free(list->slides);
    free(list->text);
}
