/* SPDX-License-Identifier: GPL-3.0-or-later
 * text.c - file names, which may hold anything, in messages and in reports for programs. */
#include "front/text.h"
#include "base/net.h"
#include "base/path.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static void print_tsv_bytes(FILE *out, const char *text, size_t size)
{
    static const char special[] = "\t\n\r\\", letters[] = "tnr\\";
    for (const char *end = text + size; text < end; text++) {
        const char *found = strchr(special, *text);
        if (found)
            fprintf(out, "\\%c", letters[found - special]);
        else
            fputc(*text, out);
    }
}

void print_tsv(FILE *out, const char *text)
{
    print_tsv_bytes(out, text, strlen(text));
}

void print_name(FILE *out, const char *name)
{
    print_tsv_bytes(out, name, ap_net_shown(name));
}

bool names_file(const char *message, const char *path)
{
    char *shown = strndup(path, ap_net_shown(path));
    const char *leaf = shown ? ap_leaf(shown) : "";
    const size_t n = strlen(leaf);
    bool found = false;
    for (const char *p = message; n && !found && (p = strstr(p, leaf)); p++)
        found = p > message && (p[-1] == '\'' || p[-1] == '/') && p[n] == '\'';
    free(shown);
    return found;
}

static void print_json_bytes(FILE *out, const char *text, size_t size)
{
    const char *end = text + size;
    fputc('"', out);
    while (text < end) {
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

void print_json(FILE *out, const char *text)
{
    print_json_bytes(out, text, strlen(text));
}

void print_json_name(FILE *out, const char *name)
{
    print_json_bytes(out, name, ap_net_shown(name));
}
