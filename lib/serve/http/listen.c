/* SPDX-License-Identifier: GPL-3.0-or-later
 * listen.c - the socket that a server listens on. */
#include "serve/http/listen.h"
#include "base/error.h"
#include "base/text.h"
#include "serve/who/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 512
#define PASSED_FD 3 /* SD_LISTEN_FDS_START */

/* "[::1]:8080" in its parts. */
static bool split(const char *where, char host[256], char port[16])
{
    const char *colon = strrchr(where, ':');
    size_t n = colon ? (size_t)(colon - where) : 0;
    if (!colon || !colon[1] || strlen(colon + 1) >= 16 || colon[1 + strspn(colon + 1, "0123456789")] ||
        n > 255)
        return false;
    if (n > 1 && where[0] == '[' && where[n - 1] == ']')
        where++, n -= 2;
    memcpy(host, where, n);
    host[n] = 0;
    strcpy(port, colon + 1);
    return atoi(port) <= 65535;
}

bool ap_is_loopback(const char *where)
{
    char host[256], port[16];
    if (strncmp(where, "unix:", 5) == 0)
        return true;
    return split(where, host, port) && ap_is_local_host(host);
}

/* A socket that a dead server has left is in the way; a living one answers. */
static int listen_unix(const char *path, ap_error *err)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(path) >= sizeof name.sun_path)
        return ap_fail(err, AP_USAGE, "'%s' is too long for a socket", path), -1;
    strcpy(name.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return ap_fail_errno(err, errno, "cannot open a socket"), -1;
    bool there = lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
    if (there && connect(fd, (const void *)&name, sizeof name) != 0 && errno == ECONNREFUSED)
        unlink(path);
    if (bind(fd, (const void *)&name, sizeof name) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    ap_fail_errno(err, errno, "cannot listen on '%s'", path);
    close(fd);
    return -1;
}

static int listen_at(const char *where, ap_error *err)
{
    char host[256], port[16];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    const int one = 1;
    if (!split(where, host, port))
        return ap_fail(err, AP_USAGE, "'%s' is not ADDRESS:PORT or unix:PATH", where), -1;
    int problem = getaddrinfo(*host ? host : NULL, port, &hints, &list);
    if (problem)
        return ap_fail(err, AP_FAILED, "cannot listen on '%s': %s", where, gai_strerror(problem)), -1;
    int fd = socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, list->ai_protocol);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
              bind(fd, list->ai_addr, list->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    if (!ok)
        ap_fail_errno(err, errno, "cannot listen on '%s'", where);
    freeaddrinfo(list);
    if (!ok && fd >= 0)
        close(fd);
    return ok ? fd : -1;
}

/* What systemd passes: one socket. */
static int passed(void)
{
    const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
    if (!count || strcmp(count, "1") != 0 || !pid || atol(pid) != (long)getpid())
        return -1;
    unsetenv("LISTEN_FDS"); /* for us alone */
    unsetenv("LISTEN_PID");
    fcntl(PASSED_FD, F_SETFD, FD_CLOEXEC);
    fcntl(PASSED_FD, F_SETFL, fcntl(PASSED_FD, F_GETFL) | O_NONBLOCK);
    return PASSED_FD;
}

/* Port 0 is known now. */
static char *describe(int fd, bool secure)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof name;
    char host[256], port[16];
    if (getsockname(fd, (void *)&name, &size) != 0)
        return NULL;
    if (name.ss_family == AF_UNIX)
        return ap_print("unix:%s", ((const struct sockaddr_un *)&name)->sun_path);
    if (getnameinfo((const void *)&name, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return NULL;
    bool v6 = strchr(host, ':');
    return ap_print("http%s://%s%s%s:%s", secure ? "s" : "", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

int ap_listen(const char *where, bool secure, char **address, ap_error *err)
{
    int fd = passed();
    if (fd < 0)
        fd = strncmp(where, "unix:", 5) == 0 ? listen_unix(where + 5, err) : listen_at(where, err);
    if (fd < 0)
        return -1;
    *address = describe(fd, secure);
    if (*address)
        return fd;
    ap_fail_memory(err);
    close(fd);
    return -1;
}
