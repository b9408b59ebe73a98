/* SPDX-License-Identifier: GPL-3.0-or-later
 * sides.c - ap-job doctor --two-sides: whether a spool can be shared by two hosts.
 *
 * Two doctors, one on each host, meet in the spool's .doctor/. The first one there is the host: it locks a
 * file in a folder, as the runner of a job does. The guest tries to take it, renames the folder, and tries
 * again; then it waits until the host has let go. Each step is a file that the other waits for; no file is
 * written twice, as file systems on the net may show old contents for a while, but ask for new names. */
#include "base/error.h"
#include "base/output.h"
#include "base/text.h"
#include "job/job.h"
#include "jobs/record/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_S 0.1
#define COMPANY_S 120.0 /* the host waits so long for a guest */
#define ANSWER_S 90.0   /* each for the other's next step: leases of servers last so long */
#define CLOCK_S 5.0     /* clocks may differ so much */
#define STALE_S 600.0   /* a meeting that is older was left by one who died */

typedef struct meeting {
    const job_config *c;
    char *folder;
    bool host;
    unsigned problems;
} meeting;

static void say(meeting *m, const char *text)
{
    complain(&job_command, "%s", text);
    m->problems++;
}

static void nap(void)
{
    const struct timespec pause = {0, (long)(LOOK_S * 1e9)};
    nanosleep(&pause, NULL);
}

/* ---- steps */

/* Opening the folder has a file system on the net look for new names. */
static void look_again(const char *folder)
{
    DIR *d = opendir(folder);
    while (d && readdir(d))
        ;
    if (d)
        closedir(d);
}

static bool put_step(const meeting *m, const char *name, const char *text, ap_error *err)
{
    char *path = ap_print("%s/%s", m->folder, name);
    bool ok = path ? ap_output_save(path, text, strlen(text), false, err) : ap_fail_memory(err);
    free(path);
    return ok;
}

/* The text of the other's step, malloc'ed; NULL with err filled when it does not come. */
static char *wait_for_step(const meeting *m, const char *name, double patience_s, ap_error *err)
{
    const double end = ap_monotonic_s() + patience_s;
    char *path = ap_print("%s/%s", m->folder, name), *text = NULL;
    while (path && !text && ap_monotonic_s() < end) {
        look_again(m->folder);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && (text = calloc(1, 1024)))
            (void)!read(fd, text, 1023);
        if (fd >= 0)
            close(fd);
        else
            nap();
    }
    if (!text)
        ap_fail(err, AP_TRY_AGAIN, "the other side did not go on in '%s'", m->folder);
    free(path);
    return text;
}

static bool expect_step(const meeting *m, const char *name, ap_error *err)
{
    char *text = wait_for_step(m, name, ANSWER_S, err);
    bool ok = text != NULL;
    free(text);
    return ok;
}

/* ---- who is who */

static void own_name(char name[256])
{
    memset(name, 0, 256);
    if (gethostname(name, 255) != 0)
        strcpy(name, "?");
}

static bool is_stale(const char *folder)
{
    struct stat st;
    return stat(folder, &st) == 0 && ap_wall_s() - (double)st.st_mtim.tv_sec > STALE_S;
}

/* Who makes the folder is the host; the guest is the one who makes guest/ in it. */
static bool meet(meeting *m, ap_error *err)
{
    m->folder = ap_print("%s/.doctor", m->c->spool);
    if (!m->folder)
        return ap_fail_memory(err);
    if (is_stale(m->folder))
        ap_remove_tree(m->folder);
    if (mkdir(m->folder, 0700) == 0) {
        m->host = true;
        return true;
    }
    if (errno != EEXIST)
        return ap_fail_errno(err, errno, "cannot create '%s'", m->folder);
    char *guest = ap_print("%s/guest", m->folder);
    bool ok = guest && mkdir(guest, 0700) == 0;
    if (!ok)
        ap_fail(err, AP_TRY_AGAIN, "two others meet in '%s'; if none do, remove it", m->folder);
    free(guest);
    return ok;
}

static void check_names(meeting *m, const char *other)
{
    char own[256];
    own_name(own);
    if (strcmp(own, other) != 0)
        return;
    say(m,
        "both hosts have the same name: a file server may take them for one, and each would lose the other's "
        "locks");
}

static void check_clock(meeting *m, double theirs, double sent, double received)
{
    const double off = theirs - (sent + received) / 2, doubt = (received - sent) / 2;
    if (fabs(off) - doubt <= CLOCK_S)
        return;
    char *text = ap_print("the clocks of the hosts differ by %.0f s", fabs(off));
    if (text)
        say(m, text);
    free(text);
}

/* ---- the lock */

/* 1: taken, and given back; 0: someone else has it; -1: no such file. */
static int try_lock(const meeting *m, const char *leaf)
{
    char *path = ap_print("%s/%s/lock", m->folder, leaf);
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    int got = fd < 0 ? -1 : flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (fd >= 0)
        close(fd);
    free(path);
    return got;
}

static int make_lock(const meeting *m, ap_error *err)
{
    char *folder = ap_print("%s/job", m->folder), *path = ap_print("%s/job/lock", m->folder);
    int fd = -1;
    if (!folder || !path)
        ap_fail_memory(err);
    else if (mkdir(folder, 0700) != 0 || (fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
        ap_fail_errno(err, errno, "cannot create '%s'", path);
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ap_fail_errno(err, errno, "cannot lock '%s'", path);
        close(fd);
        fd = -1;
    }
    free(folder);
    free(path);
    return fd;
}

/* A folder does not replace a full one, and moves with its lock. */
static void check_rename(meeting *m)
{
    char *job = ap_print("%s/job", m->folder), *full = ap_print("%s/guest", m->folder),
         *file = ap_print("%s/guest/file", m->folder), *moved = ap_print("%s/moved", m->folder);
    int fd = file ? open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0)
        close(fd);
    if (job && full && rename(job, full) == 0)
        say(m, "a folder can be renamed over a full one: jobs could be lost");
    else if (job && moved && rename(job, moved) != 0)
        say(m, "a folder cannot be renamed: jobs could not move");
    free(job);
    free(full);
    free(file);
    free(moved);
}

/* ---- the two sides */

static bool be_host(meeting *m, ap_error *err)
{
    char own[256], *answer = NULL, *text;
    int lock = make_lock(m, err);
    own_name(own);
    fprintf(stderr, "waiting for 'ap-job doctor --two-sides' on the other host...\n");
    bool ok = lock >= 0 && put_step(m, "host-is-here", own, err) &&
              (answer = wait_for_step(m, "guest-is-here", COMPANY_S, err));
    if (ok)
        check_names(m, answer);
    free(answer);
    const double sent = ap_wall_s();
    ok = ok && put_step(m, "host-asks-time", "", err) &&
         (answer = wait_for_step(m, "guest-says-time", ANSWER_S, err));
    if (ok)
        check_clock(m, strtod(answer, NULL), sent, ap_wall_s());
    if (ok)
        free(answer);
    ok = ok && (text = wait_for_step(m, "guest-tried", ANSWER_S, err));
    if (ok && strcmp(text, "held") != 0)
        say(m, text);
    if (ok)
        free(text);
    if (lock >= 0)
        close(lock);
    return ok && put_step(m, "host-let-go", "", err) && expect_step(m, "guest-is-done", err);
}

/* Held by the host, before and after the rename; free when it has let go. */
static const char *try_before(meeting *m)
{
    if (try_lock(m, "job") != 0)
        return "locks do not work between these hosts: a job could run twice";
    check_rename(m);
    return try_lock(m, "moved") == 0 ? "held"
                                     : "a lock is lost when its folder is renamed: a job could run twice";
}

static bool be_guest(meeting *m, ap_error *err)
{
    char own[256], now[32], *host = wait_for_step(m, "host-is-here", ANSWER_S, err);
    own_name(own);
    bool ok = host != NULL;
    if (ok)
        check_names(m, host);
    free(host);
    ok = ok && put_step(m, "guest-is-here", own, err) && expect_step(m, "host-asks-time", err);
    snprintf(now, sizeof now, "%.3f", ap_wall_s());
    ok = ok && put_step(m, "guest-says-time", now, err);
    const char *tried = ok ? try_before(m) : "";
    if (ok && strcmp(tried, "held") != 0)
        say(m, tried);
    ok = ok && put_step(m, "guest-tried", tried, err) && expect_step(m, "host-let-go", err);
    const double end = ap_monotonic_s() + ANSWER_S;
    while (ok && try_lock(m, "moved") == 0 && ap_monotonic_s() < end)
        nap();
    if (ok && strcmp(tried, "held") == 0 && try_lock(m, "moved") != 1)
        say(m, "a lock stays when its holder has let go: jobs would hang");
    return ok && put_step(m, "guest-is-done", "", err);
}

bool job_check_sides(const job_config *c, unsigned *problems, ap_error *err)
{
    meeting m = {.c = c};
    bool met = ap_spool_prepare(c->spool, err) && meet(&m, err), ok = met;
    if (ok)
        ok = m.host ? be_host(&m, err) : be_guest(&m, err);
    if (m.host)
        ap_remove_tree(m.folder);
    free(m.folder);
    *problems += m.problems;
    return ok;
}
