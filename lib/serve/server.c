/* SPDX-License-Identifier: GPL-3.0-or-later
 * server.c - a server from start to end: it opens what it needs, serves, and ends without dropping a
 * connection. */
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "serve/api/events.h"
#include "serve/http/answer.h"
#include "serve/http/listen.h"
#include "serve/http/log.h"
#include "serve/http/state.h"
#include "serve/kept/peer.h"
#include "serve/runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4 /* for what takes time */
#define LOOPS 2   /* of the HTTP library */
#define IDLE_S 60 /* without a byte in either direction */
#define CONNECTION_BYTES 16384
#define CLEAN_S 60  /* between looks for what has expired */
#define STOP_S 3600 /* for what is being sent and received at the end */

/* ---- what is kept */

/* Made once, and kept: signed URLs stay valid over a restart. */
static bool load_secret(ap_server *s, ap_error *err)
{
    char *path = ap_print("%s/secret", s->home);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    bool ok = fd >= 0 && read(fd, s->secret, sizeof s->secret) == sizeof s->secret;
    if (fd >= 0 && !ok)
        ok = getrandom(s->secret, sizeof s->secret, 0) == sizeof s->secret &&
             pwrite(fd, s->secret, sizeof s->secret, 0) == sizeof s->secret && fsync(fd) == 0;
    if (!ok)
        ap_fail_errno(err, path ? errno : ENOMEM, "cannot keep a secret in '%s'", s->home);
    if (fd >= 0)
        close(fd);
    free(path);
    return ok;
}

static bool make_folders(const ap_server *s, ap_error *err)
{
    static const char *const names[] = {"keys", "stage", "crc", "peaks", "pictures"};
    bool ok = ap_make_folder(s->home, err);
    for (size_t i = 0; ok && i < sizeof names / sizeof *names; i++) {
        char *path = ap_print("%s/%s", s->home, names[i]);
        ok = ap_make_folder(path, err);
        free(path);
    }
    return ok;
}

static bool open_keys(ap_server *s, ap_error *err)
{
    char *tokens = ap_print("%s/tokens", s->home), *sessions = ap_print("%s/sessions", s->home);
    bool ok = (tokens && sessions) || ap_fail_memory(err);
    ok = ok && ap_keys_open(&s->tokens, tokens, err) && ap_keys_open(&s->sessions, sessions, err);
    free(tokens);
    free(sessions);
    if (ok && s->options->jwt.keys)
        ok = (s->jwt = ap_jwt_open(&s->options->jwt, err));
    return ok;
}

static bool fetch(const char *url, size_t most, ap_bytes *body, ap_error *err)
{
    const ap_net_plugin *net = ap_net_load(err);
    return net && net->fetch(url, most, body, err);
}

static bool open_sns(ap_server *s, ap_error *err)
{
    const ap_sns_options sns = {.topics = s->options->topics, .fetch = fetch};
    return (!sns.topics || ap_net_load(err)) && (s->sns = ap_sns_open(&sns, err));
}

static void find_user(ap_server *s)
{
    const struct passwd *user = getpwuid(geteuid());
    if (user && ap_is_owner_name(user->pw_name))
        strcpy(s->user, user->pw_name);
    else
        snprintf(s->user, sizeof s->user, "%lu", (unsigned long)geteuid());
}

static bool open_server(ap_server *s, ap_error *err)
{
    const ap_serve_options *o = s->options;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->shown.lock, NULL);
    find_user(s);
    ap_buckets_init(&s->buckets, o->rate);
    s->home = ap_print("%s/.serve", o->work.spool);
    return (s->home || ap_fail_memory(err)) && ap_spool_prepare(o->work.spool, err) && make_folders(s, err) &&
           load_secret(s, err) && open_keys(s, err) && open_sns(s, err) &&
           ap_metrics_init(&s->metrics, err) && ap_uploads_open(&s->uploads, s->home, o->keep_s, err) &&
           (o->open || ap_random_token(s->link, err));
}

static void close_server(ap_server *s)
{
    ap_tasks_end(s->tasks);
    ap_index_stop(s->index);
    ap_shown_free(&s->shown);
    ap_uploads_close(&s->uploads);
    ap_metrics_free(&s->metrics);
    ap_keys_close(&s->tokens);
    ap_keys_close(&s->sessions);
    ap_jwt_close(s->jwt);
    ap_sns_close(s->sns);
    free(s->home);
}

/* ---- the HTTP library */

/* malloc'ed. */
static char *read_text(const char *path, ap_error *err)
{
    char *text = NULL;
    size_t room = 0;
    FILE *in = path ? fopen(path, "re") : NULL;
    if (!in || getdelim(&text, &room, 0, in) < 0) {
        ap_fail_errno(err, errno, "cannot read '%s'", path ? path : "the private key");
        free(text);
        text = NULL;
    }
    if (in)
        fclose(in);
    return text;
}

/* The library's own messages are dropped: they are about mistakes of clients. */
static void be_quiet(void *cls, const char *format, va_list arguments)
{
    (void)cls;
    (void)format;
    (void)arguments;
}

static bool start_http(ap_server *s, int socket, ap_error *err)
{
    const ap_serve_options *o = s->options;
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {{MHD_OPTION_END, 0, NULL},
                                   {MHD_OPTION_END, 0, NULL},
                                   {MHD_OPTION_END, 0, NULL},
                                   {MHD_OPTION_END, 0, NULL}};
    char *certificate = NULL, *key = NULL;
    if (o->certificate) {
        certificate = read_text(o->certificate, err);
        key = certificate ? read_text(o->private_key, err) : NULL;
        if (!key) {
            free(certificate);
            return false;
        }
        flags |= MHD_USE_TLS;
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, certificate};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, key};
        tls[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
                                         (void *)"NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"};
    }
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, ap_answer, s, MHD_OPTION_EXTERNAL_LOGGER, be_quiet, NULL,
        MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)LOOPS,
        MHD_OPTION_CONNECTION_LIMIT, o->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->connections_each,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, ap_completed,
        s, MHD_OPTION_NOTIFY_CONNECTION, ap_peer_notify, NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    free(certificate);
    free(key);
    return s->daemon || ap_fail(err, AP_FAILED, "cannot start the HTTP server%s",
                                o->certificate ? ": are certificate and key right?" : "");
}

static unsigned connections(const ap_server *s)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info ? info->num_connections : 0;
}

/* ---- the loop */

static void greet(const ap_server *s, const char *address)
{
    const char *base = s->options->public_url ? s->options->public_url : address;
    size_t n = strlen(base);
    printf("%s\n", address);
    if (s->options->open)
        printf("Nobody has to sign in: everyone who can reach this address is %s.\n", s->user);
    else if (strncmp(base, "unix:", 5) != 0)
        printf("Sign in once with %.*s/#key=%s\n", (int)(n - (base[n - 1] == '/')), base, s->link);
    fflush(stdout);
}

/* Folders of files that can be made again, or that count for a day only. */
static void clean_folder(const ap_server *s, const char *name, double older_s)
{
    char *path = ap_print("%s/%s", s->home, name);
    DIR *folder = path ? opendir(path) : NULL;
    double now = ap_wall_s();
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        struct stat st;
        if (entry->d_name[0] == '.' || fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            (double)st.st_mtim.tv_sec + older_s > now)
            continue;
        char *old = ap_print("%s/%s", path, entry->d_name);
        if (old)
            ap_remove_tree(old);
        free(old);
    }
    if (folder)
        closedir(folder);
    free(path);
}

static void clean(ap_server *s)
{
    size_t uploads = ap_uploads_expire(&s->uploads, ap_wall_s());
    if (uploads)
        ap_log("info", NULL, "%zu uploads have expired", uploads);
    ap_keys_remove(&s->sessions, NULL, NULL, NULL, NULL);
    clean_folder(s, "keys", 86400);
    clean_folder(s, "stage", 86400);
    clean_folder(s, "crc", 30 * 86400);
    clean_folder(s, "peaks", 30 * 86400);
    clean_folder(s, "pictures", 30 * 86400);
}

/* Once a second, until a signal comes. */
static void serve(ap_server *s, const sigset_t *signals, pid_t *runner)
{
    const struct timespec second = {1, 0};
    double cleaned_s = 0;
    ap_error err;
    while (sigtimedwait(signals, NULL, &second) < 0) {
        ap_peers_check();
        ap_events_beat();
        if (ap_monotonic_s() - cleaned_s >= CLEAN_S) {
            clean(s);
            cleaned_s = ap_monotonic_s();
        }
        if (*runner > 0 && ap_runner_ended(*runner)) {
            ap_log("warning", NULL, "the runner has ended, and is started again");
            *runner = ap_runner_start(&s->options->work, &err);
        }
    }
}

/* Takes no new connection, and serves those that there are to their end. A second signal cuts that short. */
static void stop_http(ap_server *s, const sigset_t *signals)
{
    const struct timespec look = {0, 50000000};
    double until = ap_monotonic_s() + STOP_S;
    atomic_store(&s->stopping, true);
    MHD_socket socket = MHD_quiesce_daemon(s->daemon);
    if (socket != MHD_INVALID_SOCKET)
        close(socket);
    ap_events_stop();
    while (connections(s) > 0 && ap_monotonic_s() < until && sigtimedwait(signals, NULL, &look) < 0) {
        ap_peers_check();
        ap_peers_end_idle();
    }
    ap_tasks_end(s->tasks);
    s->tasks = NULL;
    MHD_stop_daemon(s->daemon);
}

static bool run(ap_server *s, int socket, const char *address, ap_error *err)
{
    sigset_t signals;
    pid_t runner = -1;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* the runner first: it is a fork of a process that has no threads yet */
    if (s->options->work.jobs > 0 && (runner = ap_runner_start(&s->options->work, err)) < 0)
        return false;
    s->index = ap_index_start(s->options->work.spool, ap_events_tell, s, err);
    s->tasks = s->index ? ap_tasks_start(THREADS, err) : NULL;
    bool ok = s->tasks && start_http(s, socket, err);
    if (ok) {
        greet(s, address);
        serve(s, &signals, &runner);
        ap_log("info", NULL, "told to end");
    }
    if (runner > 0)
        ap_runner_stop(runner);
    if (ok)
        stop_http(s, &signals);
    return ok;
}

bool ap_serve(const ap_serve_options *options, ap_error *err)
{
    ap_server s = {.options = options};
    char *address = NULL;
    if (options->open && !ap_is_loopback(options->listen))
        return ap_fail(err, AP_USAGE, "without signing in only this host may be served, not '%s'",
                       options->listen);
    int socket = open_server(&s, err) ? ap_listen(options->listen, options->certificate, &address, err) : -1;
    bool ok = socket >= 0 && run(&s, socket, address, err);
    if (socket >= 0 && !ok)
        close(socket);
    if (ok && strncmp(address, "unix:", 5) == 0)
        unlink(address + 5);
    close_server(&s);
    free(address);
    return ok;
}
