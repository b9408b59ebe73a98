/* SPDX-License-Identifier: GPL-3.0-or-later
 * path.c - names of files. */
#include "base/path.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

const char *ap_leaf(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

size_t ap_folder_length(const char *path)
{
    return (size_t)(ap_leaf(path) - path);
}

char *ap_folder_of(const char *path)
{
    size_t n = ap_folder_length(path);
    if (n == 0)
        return strdup(".");
    while (n > 1 && path[n - 1] == '/')
        n--;
    return strndup(path, n);
}

const char *ap_extension(const char *path)
{
    const char *name = path ? ap_leaf(path) : "", *dot = strrchr(name, '.');
    return dot && dot != name ? dot + 1 : "";
}

int ap_stem_length(const char *path)
{
    const char *extension = ap_extension(path);
    return *extension ? (int)(extension - path) - 1 : (int)strlen(path);
}

bool ap_fail_format(const char *format, const char *path, const char *known, ap_error *err)
{
    if (format)
        return ap_fail(err, AP_USAGE, "format '%s' is unknown; known are %s", format, known);
    return ap_fail(err, AP_USAGE, "the name '%s' does not tell a format; known are %s", path, known);
}
