/* SPDX-License-Identifier: GPL-3.0-or-later
 * text.c - text: printed into memory, UTF-8, control characters. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *ap_print(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? NULL : text;
}

/* The lowest and highest second byte narrow what the first one allows: no overlong forms, no surrogates. */
static bool second_fits(unsigned char first, unsigned char second)
{
    unsigned char lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= lowest && second <= highest;
}

size_t ap_utf8_length(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    if (n > 1 && !second_fits(p[0], p[1]))
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool ap_is_utf8(const char *text)
{
    for (size_t n; *text; text += n)
        if (!(n = ap_utf8_length(text)))
            return false;
    return true;
}

size_t ap_utf8_put(char *to, uint32_t c)
{
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    to[0] = (char)(lead[more] | c >> 6 * more);
    for (size_t i = 1; i <= more; i++)
        to[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3f));
    return more + 1;
}

size_t ap_utf8_fit(const char *text, size_t most)
{
    size_t n = strnlen(text, most + 1);
    if (n <= most)
        return n;
    for (n = most; n && most - n < 3 && ((unsigned char)text[n] & 0xc0) == 0x80;)
        n--; /* a character has at most three bytes that go on with it */
    return n;
}

char *ap_to_utf8(const char *text)
{
    if (ap_is_utf8(text))
        return strdup(text);
    char *utf8 = malloc(2 * strlen(text) + 1), *to = utf8;
    if (!utf8)
        return NULL;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        to += ap_utf8_put(to, *p);
    *to = 0;
    return utf8;
}

bool ap_is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

void ap_put_markup(FILE *out, const char *text, size_t most)
{
    for (; *text && most; text++, most--)
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(ap_is_control(*text) && *text != '\n' ? '?' : *text, out);
        }
}

bool ap_is_text(const unsigned char *bytes, size_t size, bool names)
{
    for (size_t i = 0; i < size; i++) {
        bool white = (bytes[i] >= '\t' && bytes[i] <= '\r') || (names && i > 0 && bytes[i] == 0);
        if (ap_is_control((char)bytes[i]) && !white)
            return false;
    }
    return size > 0;
}

void ap_text_one_line(char *text)
{
    for (; *text; text++)
        if (ap_is_control(*text))
            *text = '?';
}

bool ap_lists_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; n && p && *p; p += strcspn(p, " ,")) {
        p += strspn(p, " ,");
        if (strcspn(p, " ,") == n && strncmp(p, word, n) == 0)
            return true;
    }
    return false;
}
