/* SPDX-License-Identifier: GPL-3.0-or-later
 * text.c - file names, which may hold anything, in messages and in reports for programs. */
#include "front/text.h"
#include "base/path.h"
#include "base/text.h"

#include <string.h>

void print_tsv(FILE *out, const char *text)
{
    static const char special[] = "\t\n\r\\", letters[] = "tnr\\";
    for (; *text; text++) {
        const char *found = strchr(special, *text);
        if (found)
            fprintf(out, "\\%c", letters[found - special]);
        else
            fputc(*text, out);
    }
}

bool names_file(const char *message, const char *path)
{
    const char *leaf = ap_leaf(path);
    const size_t n = strlen(leaf);
    for (const char *p = message; n && (p = strstr(p, leaf)); p++)
        if (p > message && (p[-1] == '\'' || p[-1] == '/') && p[n] == '\'')
            return true;
    return false;
}

void print_json(FILE *out, const char *text)
{
    fputc('"', out);
    while (*text) {
        size_t n = ap_utf8_length(text);
        if (n == 0)
            fputs("\\ufffd", out);
        else if (ap_is_control(*text))
            fprintf(out, "\\u%04x", (unsigned)*text);
        else if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else
            fwrite(text, 1, n, out);
        text += n ? n : 1;
    }
    fputc('"', out);
}
