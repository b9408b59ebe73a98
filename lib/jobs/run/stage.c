/* SPDX-License-Identifier: GPL-3.0-or-later
 * stage.c - runs a command and writes to the manifest how it went.
 *
 * The command has the caller's standard input and output; only its standard error passes through here: lines
 * of progress (a JSON object a line) become the stage's progress, everything else goes on, and its end is
 * kept. */
#include "jobs/run/stage.h"
#include "base/error.h"
#include "base/path.h"
#include "base/write.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/run/cause.h"
#include "jobs/run/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEPT_LINES 20
#define LINE_BYTES AP_LAST_WORDS
#define UPDATE_S 0.5 /* between changes of the manifest for progress */

typedef struct stage {
    const ap_stage_options *options;
    char **argv;
    int index; /* in the manifest's stages */
    pid_t pid;
    double started_s, updated_s, kill_s; /* monotonic; kill_s: when to, 0 = never */
    int errors, signals;                 /* descriptors: the command's standard error, our signals */
    sigset_t mask;                       /* as it was */
    char line[LINE_BYTES];
    size_t used;
    bool line_passed; /* its start was already passed on */
    bool told;        /* to end */
    char kept[KEPT_LINES][LINE_BYTES];
    unsigned lines;
    double progress, recorded; /* 0..1 */
    int status;
    double seconds, finished_s; /* finished_s: since 1970 */
    struct rusage usage;
} stage;

/* ---- the record */

static cJSON *command_line(char **argv)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; list && argv[i]; i++)
        if (!cJSON_AddItemToArray(list, ap_json_text(argv[i]))) {
            cJSON_Delete(list);
            return NULL;
        }
    return list;
}

/* The commands that are beside this one came with it, and have its version, which belongs to the record. */
static bool put_version(cJSON *document, const char *command)
{
    char *path = ap_command_path(command), *self = realpath("/proc/self/exe", NULL);
    char *folder = path ? ap_folder_of(path) : NULL, *real = folder ? realpath(folder, NULL) : NULL;
    char *here = self ? ap_folder_of(self) : NULL;
    cJSON *tools = cJSON_GetObjectItemCaseSensitive(document, "tools");
    bool ok = true;
    if (cJSON_IsObject(tools) && real && here && strcmp(real, here) == 0 &&
        strncmp(ap_leaf(path), "ap-", 3) == 0)
        ok = ap_json_put_text(tools, ap_leaf(path), AP_VERSION);
    free(path);
    free(self);
    free(folder);
    free(real);
    free(here);
    return ok;
}

/* How far the job is: the mean of what it is expected to consist of, and never less than before. */
static bool put_progress(cJSON *document)
{
    const cJSON *stages = cJSON_GetObjectItemCaseSensitive(document, "stages"), *part;
    double sum = 0, count = 0;
    cJSON_ArrayForEach(part, stages)
    {
        if (part == stages->child && part->next)
            continue; /* the recipe as a whole */
        sum += ap_json_number(part, "progress", 0);
        count++;
    }
    double now = sum / fmax(1, fmax(count, ap_json_number(document, "parts", 0)));
    return ap_json_put_number(document, "progress", fmax(now, ap_json_number(document, "progress", 0)));
}

static bool begin(cJSON *document, void *user, ap_error *err)
{
    stage *s = user;
    char now[32];
    ap_time_text(now);
    cJSON *stages = cJSON_GetObjectItemCaseSensitive(document, "stages"), *record = cJSON_CreateObject();
    s->index = cJSON_GetArraySize(stages);
    if (!cJSON_IsArray(stages) || !cJSON_AddItemToArray(stages, record)) {
        cJSON_Delete(record);
        return ap_fail(err, AP_FAILED, "the manifest has no list of stages");
    }
    bool ok = ap_json_put_text(record, "name", s->options->name) &&
              ap_json_put(record, "command", command_line(s->argv)) &&
              ap_json_put_text(record, "state", "running") && ap_json_put_text(record, "started", now) &&
              ap_json_put_number(record, "progress", 0) && put_version(document, s->argv[0]);
    if (ok && s->options->parts)
        ok = ap_json_put_number(document, "parts", s->options->parts);
    return ok || ap_fail_memory(err);
}

/* The record that begin() made. */
static cJSON *find_record(cJSON *document, const stage *s, ap_error *err)
{
    cJSON *stages = cJSON_GetObjectItemCaseSensitive(document, "stages"),
          *r = cJSON_GetArrayItem(stages, s->index);
    if (r && strcmp(ap_json_string(r, "name"), s->options->name) == 0)
        return r;
    ap_fail(err, AP_FAILED, "the manifest has lost stage '%s'", s->options->name);
    return NULL;
}

static bool update(cJSON *document, void *user, ap_error *err)
{
    const stage *s = user;
    cJSON *record = find_record(document, s, err);
    return record && ((ap_json_put_number(record, "progress", s->progress) && put_progress(document)) ||
                      ap_fail_memory(err));
}

static cJSON *last_lines(const stage *s)
{
    cJSON *list = cJSON_CreateArray();
    unsigned first = s->lines > KEPT_LINES ? s->lines - KEPT_LINES : 0;
    for (unsigned i = first; list && i < s->lines; i++)
        cJSON_AddItemToArray(list, ap_json_text(s->kept[i % KEPT_LINES]));
    return list;
}

static const char *last_words(const stage *s)
{
    for (unsigned i = s->lines; i > 0 && i + KEPT_LINES > s->lines; i--)
        if (*s->kept[(i - 1) % KEPT_LINES] && !ap_is_hint(s->kept[(i - 1) % KEPT_LINES]))
            return s->kept[(i - 1) % KEPT_LINES];
    return "";
}

static int exit_code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + 1e-6 * (double)t->tv_usec;
}

static bool end(cJSON *document, void *user, ap_error *err)
{
    const stage *s = user;
    cJSON *record = find_record(document, s, err);
    if (!record)
        return false;
    char finished[32];
    bool done = s->status == 0;
    ap_time_print(s->finished_s, finished);
    bool ok = ap_json_put_text(record, "state", done ? "done" : "failed") &&
              ap_json_put_text(record, "finished", finished) &&
              ap_json_put_number(record, "exit_code", exit_code_of(s->status)) &&
              (!WIFSIGNALED(s->status) || ap_json_put_number(record, "signal", WTERMSIG(s->status))) &&
              ap_json_put_number(record, "seconds", round(1e6 * s->seconds) / 1e6) &&
              ap_json_put_number(record, "cpu_user", seconds_of(&s->usage.ru_utime)) &&
              ap_json_put_number(record, "cpu_system", seconds_of(&s->usage.ru_stime)) &&
              ap_json_put_number(record, "peak_memory", 1024 * (double)s->usage.ru_maxrss) &&
              ap_json_put_number(record, "progress", done ? 1 : s->progress) &&
              ap_json_put(record, "stderr", last_lines(s)) && put_progress(document);
    return ok || ap_fail_memory(err);
}

/* ---- standard error */

/* Whether the line is one of progress; takes it in. */
static bool take_progress(stage *s, const char *line)
{
    if (*line != '{')
        return false;
    cJSON *object = cJSON_Parse(line);
    double progress = ap_json_number(object, "progress", -1);
    bool is_progress =
        progress >= 0 || (*ap_json_string(object, "command") && ap_json_number(object, "seconds", -1) >= 0);
    if (progress >= 0)
        s->progress = fmin(fmax(s->progress, progress), 1); /* a command may read its input twice */
    cJSON_Delete(object);
    return is_progress;
}

static void pass_on(const stage *s, const char *text, size_t size)
{
    (void)ap_write_all(s->options->said, text, size); /* else nobody is there to be told */
}

/* What is in s->line is a line, or as much of a long one as fits. */
static void take_line(stage *s, bool complete)
{
    s->line[s->used] = 0;
    if (s->line_passed || !complete || !take_progress(s, s->line)) {
        pass_on(s, s->line, s->used);
        if (complete)
            pass_on(s, "\n", 1);
        if (!s->line_passed)
            strcpy(s->kept[s->lines++ % KEPT_LINES], s->line);
    }
    s->line_passed = !complete;
    s->used = 0;
}

/* Reads what there is; false at the end. */
static bool read_errors(stage *s)
{
    char block[4096];
    ssize_t n = read(s->errors, block, sizeof block);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    for (ssize_t i = 0; i < n; i++) {
        if (block[i] == '\n')
            take_line(s, true);
        else
            s->line[s->used++] = block[i];
        if (s->used == LINE_BYTES - 1)
            take_line(s, false);
    }
    return n > 0;
}

/* ---- the command */

static _Noreturn void become_command(const stage *s, int errors, pid_t parent)
{
    char *manifest = realpath(s->options->manifest, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(AP_FAILED);
    if (s->options->group)
        setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &s->mask, NULL);
    if (dup2(errors, STDERR_FILENO) < 0 || !manifest || setenv("AUDIOPIPE_MANIFEST", manifest, 1) != 0 ||
        setenv("AUDIOPIPE_PROGRESS", "json", 1) != 0)
        _exit(AP_TRY_AGAIN);
    execvp(s->argv[0], s->argv);
    int code = errno == ENOENT ? 127 : 126; /* as the shell has it */
    ap_error why;
    ap_fail_errno(&why, errno, "cannot run '%s'", s->argv[0]);
    (void)ap_write_all(errors, why.message, strlen(why.message)); /* as if it had said so itself */
    _exit(code);
}

/* The command has standard input and output to itself: a pipe ends when it does. */
static void give_up_standard_streams(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        close(null);
    }
}

static bool start(stage *s, ap_error *err)
{
    static const int taken[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD};
    sigset_t signals;
    int ends[2];
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(&signals, taken[i]);
    sigprocmask(SIG_BLOCK, &signals, &s->mask);
    s->signals = signalfd(-1, &signals, SFD_CLOEXEC);
    if (s->signals < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return ap_fail_errno(err, errno, "cannot start '%s'", s->argv[0]);
    s->errors = ends[0];
    pid_t self = getpid();
    s->pid = fork();
    if (s->pid == 0)
        become_command(s, ends[1], self);
    close(ends[1]);
    if (s->pid < 0)
        return ap_fail_errno(err, errno, "cannot start '%s'", s->argv[0]);
    if (s->options->group)
        setpgid(s->pid, s->pid); /* the child does this, too: one of them comes first */
    give_up_standard_streams();
    signal(SIGPIPE, SIG_IGN); /* a reader of our standard error that goes away */
    fcntl(s->errors, F_SETFL, O_NONBLOCK);
    return true;
}

/* Passes the signal on. One from the terminal has reached the command already, unless it has a group of its
 * own. */
static void forward(stage *s, const struct signalfd_siginfo *info)
{
    bool group = s->options->group;
    if (group || info->ssi_code != SI_KERNEL)
        kill(group ? -s->pid : s->pid, (int)info->ssi_signo);
    if (info->ssi_signo != SIGTERM && info->ssi_signo != SIGINT && info->ssi_signo != SIGHUP)
        return;
    s->told = true;
    if (group && !s->kill_s)
        s->kill_s = ap_monotonic_s() + s->options->grace_s;
}

/* Whether the command has ended; then what is left of its group ends, too. */
static bool reap(stage *s)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return false;
    s->seconds = ap_monotonic_s() - s->started_s;
    s->finished_s = ap_wall_s();
    if (s->options->group)
        kill(-s->pid, SIGKILL); /* before the leader is reaped: the number is still this group's */
    wait4(s->pid, &s->status, 0, &s->usage);
    return true;
}

static void record_progress(stage *s)
{
    double now = ap_monotonic_s();
    if (s->progress == s->recorded || now - s->updated_s < UPDATE_S)
        return;
    ap_manifest_change(s->options->manifest, update, s, false, NULL); /* the next one may succeed */
    s->recorded = s->progress;
    s->updated_s = now;
}

/* Milliseconds until something has to be done. */
static int patience(const stage *s)
{
    double until = s->kill_s;
    if (s->progress != s->recorded && (until == 0 || s->updated_s + UPDATE_S < until))
        until = s->updated_s + UPDATE_S;
    return until == 0 ? -1 : (int)fmax(1, ceil(1000 * (until - ap_monotonic_s())));
}

static void attend(stage *s)
{
    struct signalfd_siginfo info;
    struct pollfd watched[2] = {{s->signals, POLLIN, 0}, {s->errors, POLLIN, 0}};
    while (true) {
        int n = poll(watched, 2, patience(s));
        if (s->kill_s && ap_monotonic_s() >= s->kill_s)
            kill(-s->pid, SIGKILL);
        if (n > 0 && watched[1].revents && !read_errors(s))
            watched[1].fd = -1;
        if (n > 0 && watched[0].revents && read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
            if (info.ssi_signo != SIGCHLD)
                forward(s, &info);
            else if (reap(s))
                return;
        }
        record_progress(s);
    }
}

/* What the command left in the pipe; not what its children may still write. */
static void read_rest(stage *s)
{
    struct pollfd more = {s->errors, POLLIN, 0};
    while (read_errors(s) && poll(&more, 1, 0) > 0)
        ;
    if (s->used)
        take_line(s, true);
}

static void stop(const stage *s)
{
    if (s->errors >= 0)
        close(s->errors);
    if (s->signals >= 0)
        close(s->signals);
    sigprocmask(SIG_SETMASK, &s->mask, NULL);
}

bool ap_stage_run(const ap_stage_options *options, char **argv, ap_stage_result *result, ap_error *err)
{
    stage s = {.options = options, .argv = argv, .errors = -1, .signals = -1};
    if (!ap_manifest_change(options->manifest, begin, &s, false, err))
        return false;
    s.started_s = s.updated_s = ap_monotonic_s();
    bool ok = start(&s, err);
    if (ok) {
        attend(&s);
        read_rest(&s);
        result->exit_code = exit_code_of(s.status);
        result->told_to_end = s.told;
        strcpy(result->last_words, last_words(&s));
        ok = ap_manifest_change(options->manifest, end, &s, false, err);
    }
    stop(&s);
    return ok;
}
