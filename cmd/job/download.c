/* SPDX-License-Identifier: GPL-3.0-or-later
 * download.c - URLs, fetched by curl(1), and objects of stores. */
#include "base/error.h"
#include "base/net.h"
#include "base/text.h"
#include "base/transfer.h"
#include "job/job.h"
#include "jobs/spool/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_URL 16384 /* bytes, quoted; a pipe holds it */

char *job_download_folder(const job_config *c, ap_error *err)
{
    if (!ap_spool_prepare(c->spool, err))
        return NULL;
    char *path = ap_spool_path(c->spool, AP_TMP, ".download.XXXXXX", NULL);
    if (!path) {
        ap_fail_memory(err);
        return NULL;
    }
    if (mkdtemp(path))
        return path;
    ap_fail_errno(err, errno, "cannot create '%s'", path);
    free(path);
    return NULL;
}

/* A URL as a line of curl's settings, to be read from there: arguments are for all to see, and it may be all
 * that it takes to have the file. -1, with err filled, on failure. */
static int settings_of(const char *url, ap_error *err)
{
    char line[MOST_URL] = "url = \"";
    size_t used = strlen(line);
    for (const char *p = url; *p; p++) {
        if (ap_is_control(*p) || used + 5 > sizeof line)
            return ap_fail(err, AP_USAGE, "the URL is too long, or has control characters"), -1;
        if (*p == '"' || *p == '\\')
            line[used++] = '\\';
        line[used++] = *p;
    }
    line[used++] = '"';
    line[used++] = '\n';
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ap_fail_errno(err, errno, "cannot start curl"), -1;
    const bool whole = write(ends[1], line, used) == (ssize_t)used;
    close(ends[1]);
    if (whole)
        return ends[0];
    close(ends[0]);
    return ap_fail(err, AP_TRY_AGAIN, "cannot start curl"), -1;
}

static _Noreturn void become_curl(char *const *argv, int settings, int errors)
{
    if (dup2(settings, STDIN_FILENO) == STDIN_FILENO && dup2(errors, STDOUT_FILENO) >= 0 &&
        dup2(errors, STDERR_FILENO) >= 0)
        execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "cannot run '%s': %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Its exit code, and what it said, up to size bytes. -1 if it could not be run. */
static int run_curl(char *const *argv, int settings, char *said, size_t size)
{
    int ends[2], status = -1;
    size_t used = 0;
    char block[512];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        become_curl(argv, settings, ends[1]);
    close(ends[1]);
    for (ssize_t n; pid > 0 && ((n = read(ends[0], block, sizeof block)) > 0 || (n < 0 && errno == EINTR));)
        for (ssize_t i = 0; i < n && used + 1 < size; i++)
            said[used++] = block[i];
    while (used && said[used - 1] == '\n')
        used--;
    said[used] = 0;
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The codes of curl(1) that mean the net or the host, which may be back later: cannot resolve, cannot
 * connect, cut, timed out, no answer, cannot send or receive. */
static bool may_work_later(int code)
{
    static const int codes[] = {-1, 5, 6, 7, 18, 28, 35, 52, 55, 56};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code)
            return true;
    return false;
}

static bool fetch(const job_config *c, const char *url, const char *path, ap_error *err)
{
    char most[32], said[200] = "";
    snprintf(most, sizeof most, "%.0f", c->intake.max_bytes);
    const char *const argv[] = {
        "curl",        "--fail",   "--silent", "--show-error",      "--location", "--proto",
        "=http,https", "--retry",  "3",        "--connect-timeout", "30",         "--max-filesize",
        most,          "--output", path,       "--config",          "-",          NULL};
    const int settings = settings_of(url, err);
    if (settings < 0)
        return false;
    int code = run_curl((char *const *)argv, settings, said, sizeof said);
    close(settings);
    return code == 0 || ap_fail(err, may_work_later(code) ? AP_TRY_AGAIN : AP_FAILED,
                                "cannot fetch '%.*s': %s", (int)ap_net_shown(url), url, said);
}

static bool fetch_any(const job_config *c, const char *url, const char *path, ap_error *err)
{
    if (strncasecmp(url, "s3://", 5) == 0)
        return ap_transfer_file(url, path, (uint64_t)c->intake.max_bytes, NULL, err);
    return fetch(c, url, path, err);
}

char *job_download(const job_config *c, const char *url, const char *folder, int number, ap_error *err)
{
    char *name = ap_url_name(url), *own = ap_print("%s/%d", folder, number);
    char *path = name && own ? ap_print("%s/%s", own, name) : NULL;
    bool ok = path ? ap_make_folder(own, err) && fetch_any(c, url, path, err) : ap_fail_memory(err);
    free(name);
    free(own);
    if (ok)
        return path;
    free(path);
    return NULL;
}
