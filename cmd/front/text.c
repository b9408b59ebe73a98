/* SPDX-License-Identifier: GPL-3.0-or-later
 * text.c - file names, which may hold anything, in reports for programs. */
#include "front/text.h"

#include <stdint.h>
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

/* Bytes of the UTF-8 character that begins here, 0 if it is none (Unicode 15, table 3-7). */
static size_t utf8_length(const unsigned char *p)
{
    static const struct {
        unsigned char first, last, second_lo, second_hi, length;
    } rows[] = {{0x00, 0x7f, 0, 0xff, 1},    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
                {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        if (*p < rows[r].first || *p > rows[r].last)
            continue;
        size_t length = rows[r].length, i = 1;
        if (length > 1 && (p[1] < rows[r].second_lo || p[1] > rows[r].second_hi))
            return 0;
        while (i < length && (i == 1 || (p[i] & 0xc0) == 0x80))
            i++;
        return i == length ? length : 0;
    }
    return 0;
}

void print_json(FILE *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    fputc('"', out);
    while (*p) {
        size_t n = utf8_length(p);
        if (n == 0)
            fputs("\\ufffd", out);
        else if (*p < 0x20 || *p == 0x7f)
            fprintf(out, "\\u%04x", (unsigned)*p);
        else if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else
            fwrite(p, 1, n, out);
        p += n ? n : 1;
    }
    fputc('"', out);
}
