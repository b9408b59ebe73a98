/* SPDX-License-Identifier: GPL-3.0-or-later
 * xml.c - elements and entities. */
#include "plugins/net/xml.h"
#include "base/bytes.h"
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where text begins in a stretch; NULL if it is not there. */
static const char *find(ap_xml in, const char *text)
{
    return in.size ? memmem(in.text, in.size, text, strlen(text)) : NULL;
}

static ap_xml from(ap_xml in, const char *p)
{
    return (ap_xml){p, in.size - (size_t)(p - in.text)};
}

/* Behind the opening tag, which may have attributes; NULL if there is none. *empty: <name/>. */
static const char *find_open(ap_xml in, const char *name, bool *empty)
{
    char tag[64];
    size_t n = (size_t)snprintf(tag, sizeof tag, "<%s", name);
    for (const char *p; (p = find(in, tag)); in = from(in, p + n)) {
        const char *end = in.text + in.size, *close = memchr(p, '>', (size_t)(end - p));
        if (!close)
            return NULL;
        if (p[n] == '>' || p[n] == ' ' || p[n] == '/') {
            *empty = close[-1] == '/';
            return close + 1;
        }
    }
    return NULL;
}

bool ap_xml_next(ap_xml *rest, const char *name, ap_xml *content)
{
    char tag[64];
    bool empty;
    const char *start = find_open(*rest, name, &empty);
    if (!start)
        return false;
    *rest = from(*rest, start);
    *content = (ap_xml){start, 0};
    if (empty)
        return true;
    snprintf(tag, sizeof tag, "</%s>", name);
    const char *end = find(*rest, tag);
    if (!end)
        return false;
    content->size = (size_t)(end - start);
    *rest = from(*rest, end + strlen(tag));
    return true;
}

/* Adds what an entity that begins at p stands for; returns its length, 0 if it is none. */
static size_t add_entity(ap_bytes *out, const char *p, size_t left)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        size_t n = strlen(entities[i].name);
        if (left >= n && memcmp(p, entities[i].name, n) == 0) {
            ap_bytes_add(out, &entities[i].c, 1);
            return n;
        }
    }
    char number[12] = {0}, *end;
    const char *semicolon = left > 3 && p[1] == '#' ? memchr(p, ';', left < 11 ? left : 11) : NULL;
    if (!semicolon)
        return 0;
    memcpy(number, p + 2, (size_t)(semicolon - p - 2));
    unsigned long c = *number == 'x' ? strtoul(number + 1, &end, 16) : strtoul(number, &end, 10);
    if (*end || c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    char utf8[4];
    ap_bytes_add(out, utf8, ap_utf8_put(utf8, (uint32_t)c));
    return (size_t)(semicolon + 1 - p);
}

char *ap_xml_text(ap_xml in, const char *name)
{
    ap_xml content;
    ap_bytes out = {0};
    if (!ap_xml_next(&in, name, &content))
        return NULL;
    for (size_t i = 0, n; i < content.size; i += n) {
        n = content.text[i] == '&' ? add_entity(&out, content.text + i, content.size - i) : 0;
        if (n == 0) {
            ap_bytes_add(&out, content.text + i, 1);
            n = 1;
        }
    }
    ap_bytes_zeros(&out, 1);
    if (!out.failed)
        return (char *)out.data;
    free(out.data);
    return NULL;
}

char *ap_xml_escape(const char *text)
{
    ap_bytes out = {0};
    for (; *text; text++)
        switch (*text) {
        case '&':
            ap_bytes_text(&out, "&amp;");
            break;
        case '<':
            ap_bytes_text(&out, "&lt;");
            break;
        case '>':
            ap_bytes_text(&out, "&gt;");
            break;
        case '"':
            ap_bytes_text(&out, "&quot;");
            break;
        case '\'':
            ap_bytes_text(&out, "&#39;");
            break;
        default:
            ap_bytes_add(&out, text, 1);
        }
    ap_bytes_zeros(&out, 1);
    if (!out.failed)
        return (char *)out.data;
    free(out.data);
    return NULL;
}
