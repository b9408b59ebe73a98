/* SPDX-License-Identifier: GPL-3.0-or-later
 * crew.c - work on many files, some at a time, in processes. */
#include "front/crew.h"
#include "base/error.h"
#include "front/filter_parts.h"
#include "front/progress.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_WORKERS 256
#define WINDOW 1024     /* items that may be done before an older one whose report has to come first */
#define TICK_MS 200     /* how often somebody who watches is told */
#define PART 16384      /* bytes of a report in one message */
#define MOST_TEXT 20000 /* of a message: a report's part, or three names */

/* ---- what the processes tell each other, in packets */

typedef enum message_kind { ITEM, PROGRESS, SAID, REPORT, RESULT, BROKEN } message_kind;

typedef struct message {
    message_kind kind;
    int code;                 /* RESULT: a work_result */
    ap_status status;         /* RESULT, BROKEN: of a failure */
    uint64_t number, bytes;   /* ITEM */
    double seconds, fraction; /* PROGRESS */
    size_t size;              /* of the text */
    char text[MOST_TEXT];
} message;

static bool send_message(int fd, const message *m)
{
    const size_t size = offsetof(message, text) + m->size;
    ssize_t n;
    do
        n = send(fd, m, size, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size;
}

/* false at the end, and with EINTR when a signal came. */
static bool receive_message(int fd, message *m)
{
    ssize_t n;
    errno = 0; /* the end sets none */
    do
        n = recv(fd, m, sizeof *m, 0);
    while (n < 0 && errno == ECONNRESET); /* it died with unread messages; its own still follow */
    return n >= (ssize_t)offsetof(message, text) && m->size == (size_t)n - offsetof(message, text);
}

static void set_text(message *m, const char *text, size_t size)
{
    m->size = size < MOST_TEXT ? size : MOST_TEXT;
    memcpy(m->text, text, m->size);
}

/* ---- a worker */

static int to_master; /* of this process, if it is a worker */

static void pass_on(const char *text)
{
    message m = {.kind = SAID};
    set_text(&m, text, strlen(text) + 1);
    (void)send_message(to_master, &m);
}

static void pass_progress(double seconds, double fraction)
{
    const message m = {.kind = PROGRESS, .seconds = seconds, .fraction = fraction};
    (void)send_message(to_master, &m);
}

static bool pack_item(message *m, const plan_item *item)
{
    const char *const texts[] = {item->input, item->folder, item->output};
    *m = (message){.kind = ITEM, .number = item->number, .bytes = item->bytes};
    for (int i = 0; i < 3; i++) {
        const size_t size = strlen(texts[i]) + 1;
        if (size > MOST_TEXT - m->size)
            return false;
        memcpy(m->text + m->size, texts[i], size);
        m->size += size;
    }
    return true;
}

static plan_item unpack_item(message *m)
{
    plan_item item = {.number = m->number, .bytes = m->bytes, .input = m->text};
    item.folder = item.input + strlen(item.input) + 1;
    item.output = item.folder + strlen(item.folder) + 1;
    return item;
}

static bool send_report(const char *report, size_t size)
{
    message m = {.kind = REPORT};
    for (size_t at = 0; at < size; at += m.size) {
        set_text(&m, report + at, size - at < PART ? size - at : PART);
        if (!send_message(to_master, &m))
            return false;
    }
    return true;
}

/* Does one item. false if its result cannot be sent. */
static bool work_on(const crew *c, const plan_item *item)
{
    ap_error err = {.code = AP_FAILED};
    char *report = NULL;
    size_t size = 0;
    FILE *out = c->reports ? open_memstream(&report, &size) : NULL;
    work_result result = WORK_FAILED;
    if (c->reports && !out)
        ap_fail_memory(&err);
    else
        result = c->work(c->user, item, out, &err);
    if (out && fclose(out) != 0 && result != WORK_FAILED) {
        ap_fail_memory(&err);
        result = WORK_FAILED;
    }
    message m = {.kind = RESULT, .code = (int)result, .status = err.code};
    set_text(&m, err.message, result == WORK_FAILED ? strlen(err.message) + 1 : 0);
    bool ok = (!report || send_report(report, size)) && send_message(to_master, &m);
    free(report);
    return ok;
}

/* The loop of a worker: ends when the parent closes its socket, or by a signal. */
static void serve(const crew *c)
{
    ap_error err;
    message m;
    complain_to(pass_on);
    progress_to(pass_progress);
    if (c->start && !c->start(c->user, &err)) {
        m = (message){.kind = BROKEN, .status = err.code};
        set_text(&m, err.message, strlen(err.message) + 1);
        (void)send_message(to_master, &m);
        return;
    }
    while (filter_go_on(&err) && receive_message(to_master, &m)) {
        const plan_item item = unpack_item(&m);
        if (!work_on(c, &item))
            break;
    }
}

/* ---- the workers, as seen from outside */

typedef struct worker {
    pid_t pid; /* 0: there is none */
    int fd;
    bool busy;
    message item; /* what it works on */
    double seconds, fraction;
    char *report;
    size_t size, room;
} worker;

/* The result of an item that has to wait for those before it. */
typedef struct finished {
    work_result result;
    ap_error why;
    char *report;
    size_t size;
    message *item;
} finished;

typedef struct run {
    const crew *crew;
    plan *plan;
    worker workers[MOST_WORKERS];
    unsigned count, busy;
    double seconds, bytes; /* of what is done */
    finished **waiting;    /* WINDOW of them, by number; NULL without reports */
    uint64_t first;        /* the oldest that is not told yet */
    bool more;             /* there are items that no worker has yet */
} run;

static bool start_worker(run *r, worker *w, ap_error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return ap_fail_errno(err, errno, "cannot start a process");
    fflush(NULL);
    const pid_t master = getpid(), pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        for (unsigned i = 0; i < r->count; i++)
            if (r->workers[i].pid)
                close(r->workers[i].fd);
        close(ends[0]);
        close(fileno(r->plan->items)); /* else the exit of this process would move the position in the file */
        to_master = ends[1];
        if (getppid() == master)
            serve(r->crew);
        close(to_master);
        exit(AP_OK);
    }
    const int failure = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return ap_fail_errno(err, failure, "cannot start a process");
    }
    *w = (worker){.pid = pid, .fd = ends[0], .report = w->report, .room = w->room};
    return true;
}

static void tell(run *r, const char *said, const plan_item *by)
{
    double seconds = r->seconds, bytes = r->bytes;
    plan_item first;
    for (unsigned i = 0; i < r->count; i++) {
        worker *w = &r->workers[i];
        if (!w->busy)
            continue;
        seconds += w->seconds;
        bytes += w->fraction * (double)w->item.bytes;
        if (!by) {
            first = unpack_item(&w->item);
            by = &first;
        }
    }
    r->crew->tell(r->crew->user, said, by, seconds, bytes);
}

static bool tell_result(run *r, message *m, work_result result, const ap_error *why, const char *report,
                        size_t size, ap_error *err)
{
    const plan_item item = unpack_item(m);
    return r->crew->done(r->crew->user, &item, result, why, report, size, err);
}

static void finished_free(finished *f)
{
    if (f) {
        free(f->report);
        free(f->item);
        free(f);
    }
}

/* Tells the results that are next in order, as far as they are there. */
static bool tell_waiting(run *r, ap_error *err)
{
    bool ok = true;
    for (finished *f; ok && (f = r->waiting[r->first % WINDOW]); r->first++) {
        ok = tell_result(r, f->item, f->result, &f->why, f->report, f->size, err);
        r->waiting[r->first % WINDOW] = NULL;
        finished_free(f);
    }
    return ok;
}

/* Keeps a result until those before it are told. */
static bool keep_result(run *r, worker *w, work_result result, const ap_error *why, ap_error *err)
{
    const size_t size = offsetof(message, text) + w->item.size;
    finished *f = calloc(1, sizeof *f);
    if (f)
        f->item = malloc(size);
    if (!f || !f->item) {
        finished_free(f);
        return ap_fail_memory(err);
    }
    memcpy(f->item, &w->item, size);
    f->result = result;
    f->why = *why;
    f->report = w->report;
    f->size = w->size;
    w->report = NULL;
    w->room = 0;
    r->waiting[w->item.number % WINDOW] = f;
    return tell_waiting(r, err);
}

/* An item is done, or has failed. */
static bool settle(run *r, worker *w, work_result result, const ap_error *why, ap_error *err)
{
    w->busy = false;
    r->busy--;
    r->seconds += w->seconds;
    r->bytes += (double)w->item.bytes;
    bool ok = r->waiting ? keep_result(r, w, result, why, err)
                         : tell_result(r, &w->item, result, why, w->report, w->size, err);
    w->size = 0;
    w->seconds = w->fraction = 0;
    tell(r, NULL, NULL);
    return ok;
}

/* A worker has died. Its item is lost, and a new worker takes its place. */
static bool bury(run *r, worker *w, ap_error *err)
{
    int status = 0;
    ap_error why;
    close(w->fd);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        ;
    w->pid = 0;
    if (!w->busy)
        return true;
    if (WIFSIGNALED(status))
        ap_fail(&why, AP_FAILED, "'%s' has killed its process: %s", w->item.text,
                strsignal(WTERMSIG(status)));
    else
        ap_fail(&why, AP_FAILED, "'%s' has ended its process with %d", w->item.text, WEXITSTATUS(status));
    w->size = 0; /* half a report */
    return settle(r, w, WORK_FAILED, &why, err);
}

static bool add_report(worker *w, const message *m, ap_error *err)
{
    if (w->size + m->size > w->room) {
        const size_t room = 2 * (w->size + m->size);
        char *larger = realloc(w->report, room);
        if (!larger)
            return ap_fail_memory(err);
        w->report = larger;
        w->room = room;
    }
    memcpy(w->report + w->size, m->text, m->size);
    w->size += m->size;
    return true;
}

/* Hears one message of a worker. */
static bool hear(run *r, worker *w, ap_error *err)
{
    static message m;
    ap_error why = {.code = AP_FAILED};
    if (!receive_message(w->fd, &m))
        return errno == EINTR || bury(r, w, err);
    const plan_item item = unpack_item(&w->item);
    switch (m.kind) {
    case PROGRESS:
        w->seconds = m.seconds;
        w->fraction = m.fraction;
        tell(r, NULL, NULL);
        break;
    case SAID:
        tell(r, m.text, &item);
        break;
    case REPORT:
        return add_report(w, &m, err);
    case RESULT:
        why.code = m.status;
        snprintf(why.message, sizeof why.message, "%.*s", (int)m.size, m.text);
        return settle(r, w, (work_result)m.code, &why, err);
    case BROKEN:
        return ap_fail(err, m.status, "%.*s", (int)m.size, m.text);
    case ITEM:
        break;
    }
    return true;
}

/* ---- giving work away */

/* Whether the next item may start: not if it is so far ahead of the oldest one that too many reports would
 * wait. */
static bool may_go_on(const run *r)
{
    return !r->waiting || r->plan->next - r->first < WINDOW;
}

/* Gives the next item to an idle worker. */
static bool give(run *r, worker *w, ap_error *err)
{
    plan_item item;
    ap_error why = {.code = AP_FAILED};
    r->more = plan_next(r->plan, &item);
    if (!r->more)
        return true;
    w->busy = true;
    r->busy++;
    if (!pack_item(&w->item, &item)) {
        set_text(&w->item, "\0\0", 3);
        ap_fail(&why, AP_FAILED, "the name '%.60s...' is too long", item.input);
        return settle(r, w, WORK_FAILED, &why, err);
    }
    if (r->crew->before && !r->crew->before(r->crew->user, &item, &why))
        return settle(r, w, WORK_FAILED, &why, err);
    if (!w->pid && !start_worker(r, w, err)) {
        w->busy = false;
        r->busy--;
        return false;
    }
    w->busy = true;
    pack_item(&w->item, &item);
    (void)send_message(w->fd, &w->item); /* if it has died, its last messages wait */
    return true;
}

static bool give_all(run *r, ap_error *err)
{
    for (unsigned i = 0; i < r->count; i++)
        while (!r->workers[i].busy && r->more && may_go_on(r))
            if (!give(r, &r->workers[i], err))
                return false;
    return true;
}

/* Waits until a worker says something, or for a moment. */
static bool wait_for_news(run *r, ap_error *err)
{
    struct pollfd fds[MOST_WORKERS];
    for (unsigned i = 0; i < r->count; i++)
        fds[i] = (struct pollfd){.fd = r->workers[i].pid ? r->workers[i].fd : -1, .events = POLLIN};
    int n = poll(fds, r->count, TICK_MS);
    if (n == 0)
        tell(r, NULL, NULL);
    if (n < 0 && errno != EINTR)
        return ap_fail_errno(err, errno, "cannot wait for a process");
    for (unsigned i = 0; n > 0 && i < r->count; i++)
        if (fds[i].revents && !hear(r, &r->workers[i], err))
            return false;
    return true;
}

/* Ends all workers: those that still work are told to stop, and leave nothing half-written. */
static void dismiss(run *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        worker *w = &r->workers[i];
        if (w->pid && w->busy)
            kill(w->pid, SIGTERM);
        if (w->pid)
            close(w->fd);
    }
    for (unsigned i = 0; i < r->count; i++) {
        worker *w = &r->workers[i];
        while (w->pid && waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        free(w->report);
    }
    for (size_t i = 0; r->waiting && i < WINDOW; i++)
        finished_free(r->waiting[i]);
    free(r->waiting);
}

bool crew_run(const crew *c, plan *p, ap_error *err)
{
    run *r = calloc(1, sizeof *r);
    if (!r)
        return ap_fail_memory(err);
    *r = (run){.crew = c, .plan = p, .more = true};
    r->count = c->workers < MOST_WORKERS ? c->workers : MOST_WORKERS;
    r->count = p->count < r->count ? (unsigned)p->count : r->count;
    r->waiting = c->reports ? calloc(WINDOW, sizeof *r->waiting) : NULL;
    bool ok = !c->reports || r->waiting || ap_fail_memory(err);
    plan_rewind(p);
    while (ok && (r->more || r->busy))
        ok = filter_go_on(err) && give_all(r, err) && (!r->busy || wait_for_news(r, err));
    dismiss(r);
    free(r);
    return ok;
}
