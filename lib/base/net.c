/* SPDX-License-Identifier: GPL-3.0-or-later
 * net.c - names that stand for objects on servers. */
#include "base/net.h"
#include "base/path.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool ap_net_is_url(const char *name)
{
    static const char *const schemes[] = {"s3://", "http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(name, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

size_t ap_net_shown(const char *name)
{
    return ap_net_is_url(name) && strncasecmp(name, "s3:", 3) != 0 ? strcspn(name, "?#") : strlen(name);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* RFC 3986, section 2.1. What would be a NUL or a folder is left as it is. */
static void decode_percent(char *text)
{
    char *to = text;
    for (const char *p = text; *p; p++) {
        int high = *p == '%' ? hex_digit(p[1]) : -1, low = high >= 0 ? hex_digit(p[2]) : -1;
        int c = low >= 0 ? 16 * high + low : 0;
        if (c && c != '/')
            *to++ = (char)c, p += 2;
        else
            *to++ = *p;
    }
    *to = 0;
}

char *ap_net_leaf(const char *name)
{
    const bool key = strncasecmp(name, "s3://", 5) == 0; /* nothing in it stands for anything else */
    if (key || !ap_net_is_url(name))
        return strdup(ap_leaf(name));
    char *path = strndup(name, strcspn(name, "?#"));
    char *leaf = path ? strdup(ap_leaf(path)) : NULL;
    free(path);
    if (leaf)
        decode_percent(leaf);
    return leaf;
}

const ap_net_plugin *ap_net_load(ap_error *err)
{
    return (const ap_net_plugin *)ap_plugin_load("net.so", AP_NET_VERSION, sizeof(ap_net_plugin), err);
}
