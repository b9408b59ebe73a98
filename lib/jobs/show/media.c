/* SPDX-License-Identifier: GPL-3.0-or-later
 * media.c - where a page about a job takes the job's files from.
 *
 * Nothing in a page points to this machine: a file is in the page, or lies beside it, or goes with it, or
 * there is only a preview of its sound. */
#include "jobs/show/media.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/path.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREVIEW_S 30
#define PREVIEW_KBPS 64 /* mono: 240 kB in all */

static char *escape_url(const char *path)
{
    char *text = malloc(3 * strlen(path) + 1), *to = text;
    for (; text && *path; path++)
        if (strchr("-._~/", *path) || (*path >= '0' && *path <= '9') ||
            ((*path | 32) >= 'a' && (*path | 32) <= 'z'))
            *to++ = *path;
        else
            to += sprintf(to, "%%%02X", (unsigned char)*path);
    if (text)
        *to = 0;
    return text;
}

/* All that fd has, as a data URL, malloc'ed. NULL if it cannot be read. */
static char *data_url(int fd, size_t size, const char *mime)
{
    unsigned char *bytes = malloc(size + 1);
    size_t got = 0;
    for (ssize_t n; bytes && got < size && (n = pread(fd, bytes + got, size - got, (off_t)got)) > 0;)
        got += (size_t)n;
    char *text = bytes && got == size ? ap_base64_encode(bytes, size) : NULL;
    char *url = text ? ap_print("data:%s;base64,%s", mime, text) : NULL;
    free(bytes);
    free(text);
    return url;
}

/* NULL if the file does not fit, or cannot be read. */
static char *embed(ap_media *m, const char *path, const char *mime)
{
    struct stat st;
    char *url = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (double)st.st_size <= m->budget &&
        (url = data_url(fd, (size_t)st.st_size, mime)))
        m->budget -= (double)st.st_size;
    if (fd >= 0)
        close(fd);
    return url;
}

/* The start of a sound, as a data URL; NULL if there is none. */
static char *preview(const char *path)
{
    ap_decode_options decode;
    ap_encode_options encode;
    struct stat st;
    char *url = NULL;
    int fd = memfd_create("preview", MFD_CLOEXEC);
    ap_decode_defaults(&decode);
    decode.duration_s = PREVIEW_S;
    decode.channels = 1;
    ap_encode_defaults(&encode);
    encode.format = "mp3";
    encode.bitrate_kbps = PREVIEW_KBPS;
    encode.threads = 1;
    ap_stream *s = fd >= 0 ? ap_decode(path, &decode, NULL) : NULL;
    if (s && ap_encode_fd(s, fd, path, &encode, NULL) && fstat(fd, &st) == 0)
        url = data_url(fd, (size_t)st.st_size, "audio/mpeg");
    if (fd >= 0)
        close(fd);
    return url;
}

/* Gives a copy to the caller, with a number in its name, because names may be equal. */
static bool hand_over(ap_media *m, const char *path, char **url, ap_error *err)
{
    char *name = ap_print("media/%u-%s", m->count, ap_leaf(path));
    bool ok = name ? m->take(path, name, m->user, err) : ap_fail_memory(err);
    if (ok && !(*url = escape_url(name)))
        ok = ap_fail_memory(err);
    free(name);
    return ok;
}

bool ap_media_find(ap_media *m, const char *path, const char *relative, const char *mime, char **url,
                   ap_media_kind *kind, ap_error *err)
{
    m->count++;
    *url = NULL;
    *kind = AP_MEDIA_WHOLE;
    if (m->take && access(path, R_OK) == 0)
        return hand_over(m, path, url, err);
    if ((*url = embed(m, path, mime)))
        return true;
    if (m->beside && strcmp(m->beside, m->folder) == 0 && *relative != '/')
        return (*url = escape_url(relative)) || ap_fail_memory(err);
    bool sound = strncmp(mime, "audio/", 6) == 0 || strncmp(mime, "video/", 6) == 0;
    *url = sound ? preview(path) : NULL;
    *kind = *url ? AP_MEDIA_PREVIEW : AP_MEDIA_NONE;
    return true;
}
