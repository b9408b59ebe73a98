/* SPDX-License-Identifier: GPL-3.0-or-later
 * names.c - names of jobs and of the files in them. */
#include "jobs/spool/names.h"
#include "base/net.h"
#include "base/path.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#define NAME_BYTES 200     /* of the 255 that a file system takes: recipes add ".karaoke.flac" and such */
#define EXTENSION_BYTES 16 /* what follows the last dot is no extension if it is longer */

void ap_new_id(char id[AP_ID_BYTES])
{
    uint32_t number = 0;
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    (void)!getrandom(&number, sizeof number, 0); /* a number in use already is noticed */
    size_t n = strftime(id, AP_ID_BYTES, "%Y%m%d-%H%M%S-", &utc);
    snprintf(id + n, AP_ID_BYTES - n, "%08x", number);
}

char *ap_cut_name(const char *name, size_t most)
{
    size_t whole = strlen(name);
    if (whole <= most)
        return strdup(name);
    size_t end = whole - (size_t)ap_stem_length(name);
    if (end >= EXTENSION_BYTES || end >= most)
        end = 0;
    return ap_print("%.*s%s", (int)ap_utf8_fit(name, most - end), name, name + whole - end);
}

/* Control characters, what separates folders here or elsewhere, and what shells expand even between double
 * quotes. */
static bool is_unsafe(unsigned char c)
{
    return ap_is_control((char)c) || strchr("/\\:*?\"<>|`$", c);
}

char *ap_safe_name(const char *path, unsigned number)
{
    const char *base = ap_leaf(path);
    char *name = ap_cut_name(*base ? base : "input", NAME_BYTES);
    for (char *p = name; p && *p; p++)
        if (is_unsafe((unsigned char)*p) || (p == name && strchr("-. ~", *p)))
            *p = '_';
    if (!name || !number)
        return name;
    char *numbered = ap_print("%04u-%s", number, name);
    free(name);
    return numbered;
}

char *ap_url_name(const char *url)
{
    char *name = ap_net_leaf(url);
    if (name && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
        *name = '_';
    char *cut = name ? ap_cut_name(*name ? name : "download", NAME_BYTES) : NULL;
    free(name);
    return cut;
}
