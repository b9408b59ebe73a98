/* SPDX-License-Identifier: GPL-3.0-or-later
 * many.c - commands that take many inputs. */
#include "front/many.h"
#include "base/cores.h"
#include "base/error.h"
#include "base/net.h"
#include "base/temporary.h"
#include "front/filter_parts.h"
#include "front/naming.h"
#include "front/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT(field) offsetof(many_config, field)

#define NAME_ROWS(folders)                                                                                   \
    ROW_ON('r', "recursive", AT(recursive), folders),                                                        \
        ROW_FILE(0, "list", "FILE", AT(list), "more inputs: one name on each line; - = standard input"),     \
        ROW_ON('0', "null", AT(null), "the names of --list end with zero bytes")

const option_row name_rows[] = {NAME_ROWS("go through folders and all below them"), {0}};

const option_row many_rows[] = {
    ROW_ON(0, "skip-existing", AT(skip_existing),
           "leave out what is made already: a whole output, not older than its input"),
    ROW_ON(0, "dry-run", AT(dry_run), "say what would be made, and make nothing"),
    NAME_ROWS("go through folders and all below them; outputs keep their structure"),
    ROW_COUNT('j', "threads", "N", AT(threads), 0, 1024, "files at a time; 0 = as many as there are cores"),
    ROW_ON(0, "fail-fast", AT(fail_fast), "stop at the first file that fails"),
    {0},
};

bool many_wanted(const many_config *config, const char *output, int operands)
{
    return operands > 1 || config->recursive || config->list || config->skip_existing || config->dry_run ||
           naming_is_for_many(output);
}

/* ---- what is there already */

static bool is_audio(const char *output)
{
    ap_error err;
    ap_stream *s = ap_decode(output, NULL, &err);
    bool ok = s && ap_stream_format(s)->frames > 0;
    ap_close(&s);
    return ok;
}

static bool is_older(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

bool many_is_made(const char *input, const char *output, bool (*is_whole)(const char *output))
{
    struct stat in, out;
    if (ap_net_is_url(input) || ap_net_is_url(output) || stat(input, &in) != 0 || stat(output, &out) != 0)
        return false;
    return S_ISREG(out.st_mode) && out.st_size > 0 && !is_older(&out.st_mtim, &in.st_mtim) &&
           (is_whole ? is_whole : is_audio)(output);
}

/* ---- the run */

typedef struct many_run_state {
    const many *m;
    unsigned threads; /* for each item */
    FILE *errors;     /* a message a line */
    uint64_t behind, failed, skipped;
    bool later;     /* what failed did so for a reason that may pass */
    char **folders; /* that were made */
    size_t folder_count, folder_room;
    progress progress;
    uint64_t bytes;
} state;

static bool note_failure(state *s, const ap_error *why, ap_error *err)
{
    s->later = why->code == AP_TRY_AGAIN && (s->later || !s->failed);
    s->failed++;
    if (fprintf(s->errors, "%s\n", why->message) < 0)
        return ap_fail(err, AP_TRY_AGAIN, "cannot write a temporary file");
    return !s->m->config->fail_fast || ap_fail(err, AP_FAILED, "stopped at the first failure: --fail-fast");
}

static bool folder_failed(void *user, const ap_error *why, ap_error *err)
{
    return note_failure(user, why, err);
}

static bool is_made(const many *m, const plan_item *item)
{
    if (m->is_made)
        return m->is_made(m->user, item);
    return *item->output && many_is_made(item->input, item->output, m->is_whole);
}

static work_result work(void *user, const plan_item *item, FILE *report, ap_error *err)
{
    const state *s = user;
    const many *m = s->m;
    if (m->config->skip_existing && is_made(m, item)) {
        if (m->skip)
            m->skip(m->user, item);
        return WORK_SKIPPED;
    }
    return m->work(m->user, item, s->threads, report, err);
}

static bool start(void *user, ap_error *err)
{
    const many *m = ((state *)user)->m;
    return m->start(m->user, err);
}

/* The message about an item names its file. */
static bool done(void *user, const plan_item *item, work_result result, const ap_error *why,
                 const char *report, size_t size, ap_error *err)
{
    state *s = user;
    ap_error named = *why;
    s->behind++;
    s->skipped += result == WORK_SKIPPED;
    if (result == WORK_FAILED && !names_file(why->message, item->input))
        ap_fail(&named, why->code, "'%.*s': %s", (int)ap_net_shown(item->input), item->input, why->message);
    if (s->m->report) {
        progress_hide();
        if (!s->m->report(s->m->user, item->input, result == WORK_FAILED ? &named : NULL, report, size, err))
            return false;
    }
    return result != WORK_FAILED || note_failure(s, &named, err);
}

static bool remember_folders(state *s, made_folders *made, ap_error *err)
{
    for (size_t i = 0; i < made->count; i++) {
        if (s->folder_count == s->folder_room) {
            const size_t room = s->folder_room ? 2 * s->folder_room : 64;
            char **larger = realloc(s->folders, room * sizeof *larger);
            if (!larger)
                return ap_fail_memory(err);
            s->folders = larger;
            s->folder_room = room;
        }
        s->folders[s->folder_count++] = made->paths[i];
    }
    made->count = 0;
    return true;
}

/* The worker makes those below {stem}, because it knows which stems there are. */
static bool make_folders(void *user, const plan_item *item, ap_error *err)
{
    made_folders made = {0};
    char *path = strdup(item->output), *stem = path ? strstr(path, "{stem}") : NULL;
    if (stem)
        *stem = 0;
    bool ok = path ? target_make_folders(&made, path, err) : ap_fail_memory(err);
    ok = ok && remember_folders(user, &made, err);
    target_end(&made, true);
    free(path);
    return ok;
}

/* Removes those that stayed empty. */
static void end_folders(state *s)
{
    while (s->folder_count--) {
        if (s->folders[s->folder_count])
            (void)rmdir(s->folders[s->folder_count]);
        free(s->folders[s->folder_count]);
    }
    free(s->folders);
}

/* The progress of the whole: by bytes, or by files if their sizes are not known, as those of objects on
 * servers. */
static void show_progress(state *s, const char *file, double seconds, double bytes)
{
    const double share = s->bytes ? bytes / (double)s->bytes : (double)s->behind / (double)s->progress.of;
    progress_set_many(&s->progress, s->behind, s->failed, file, seconds, share);
}

static void tell(void *user, const char *said, const plan_item *by, double seconds, double bytes)
{
    state *s = user;
    if (said && !s->m->common->quiet) {
        const bool named = names_file(said, by->input);
        complain(s->m->command, "%s%s%s", named ? "" : by->input, named ? "" : ": ", said);
    }
    show_progress(s, by ? by->input : NULL, seconds, bytes);
}

static void print_errors(const state *s)
{
    char *line = NULL;
    size_t room = 0;
    rewind(s->errors);
    for (ssize_t n; (n = getline(&line, &room, s->errors)) > 0;)
        complain(s->m->command, "%.*s", (int)n - 1, line);
    free(line);
}

static bool run_crew(state *s, plan *p, ap_error *err)
{
    const many *m = s->m;
    const unsigned threads = m->threads ? m->threads : ap_cores();
    crew c = {.command = m->command,
              .workers = m->at_a_time ? m->at_a_time : threads,
              .work = work,
              .reports = m->report,
              .start = m->start ? start : NULL,
              .done = done,
              .before = make_folders,
              .tell = tell,
              .user = s};
    if (c.workers > p->count)
        c.workers = (unsigned)p->count;
    s->threads = threads > c.workers ? threads / c.workers : 1;
    s->bytes = p->bytes;
    progress_start_many(&s->progress, m->command->name, p->count,
                        m->common->quiet ? PROGRESS_NONE : m->common->progress);
    bool ok = crew_run(&c, p, err);
    progress_end(&s->progress, ok);
    return ok;
}

/* ---- without doing anything */

static bool print_plan(const state *s, plan *p, ap_error *err)
{
    const many *m = s->m;
    plan_item item;
    plan_rewind(p);
    while (plan_next(p, &item)) {
        const bool exists = *item.output && access(item.output, F_OK) == 0;
        const bool made = m->config->skip_existing && is_made(m, &item);
        fputs(made                                    ? "skip\t"
              : exists && m->rules.rule == TARGET_NEW ? "refuse\t"
              : exists                                ? "replace\t"
                                                      : "make\t",
              stdout);
        print_name(stdout, item.input);
        fputc('\t', stdout);
        print_name(stdout, item.output);
        fputc('\n', stdout);
        if (!filter_go_on(err))
            return false;
    }
    return finish_stdout(err);
}

/* ---- */

static void check_usage(const many *m)
{
    const bool several = m->count > 1 || m->config->recursive || m->config->list;
    if (m->count == 0 && !m->config->list)
        usage_error(m->command, "no input: name files or folders");
    if (m->config->null && !m->config->list)
        usage_error(m->command, "--null is about the names of --list");
    if (m->output && strcmp(m->output, "-") == 0)
        usage_error(m->command, "%s: name a folder, -o DIR/, or a pattern, -o 'DIR/{name}.{ext}'",
                    several ? "several inputs" : "nowhere to write to");
    if (m->output && several && !naming_is_for_many(m->output))
        usage_error(m->command,
                    "several inputs, and '%s' is no folder: write '%s/', or a pattern such as '{name}.{ext}'",
                    m->output, m->output);
}

static int status_of(const state *s)
{
    return !s->failed ? AP_OK : s->later ? AP_TRY_AGAIN : AP_FAILED;
}

static bool run(state *s, plan *p, const char *root, const plan_rules *rules, ap_error *err)
{
    const many *m = s->m;
    walk w = {.operands = m->operands,
              .count = m->count,
              .list = m->config->list,
              .zero = m->config->null,
              .recursive = m->config->recursive,
              .raw = m->common->raw,
              .films = m->films,
              .skip = root};
    int fd = ap_temporary_file(err);
    s->errors = fd < 0 ? NULL : fdopen(fd, "w+");
    if (!s->errors)
        return fd >= 0 && ap_fail_memory(err);
    if (!plan_make(p, rules, &w, err))
        return false;
    return m->config->dry_run && !m->report ? print_plan(s, p, err) : run_crew(s, p, err);
}

int many_run(const many *m)
{
    state s = {.m = m};
    plan p = {0};
    ap_error err;
    plan_rules rules = m->rules;
    check_usage(m);
    char *pattern = m->output ? naming_pattern(m->output, m->leaf ? m->leaf : "{name}.{ext}") : NULL;
    char *root = pattern ? naming_root(pattern) : NULL;
    rules.pattern = pattern;
    rules.failed = folder_failed;
    rules.failed_user = &s;
    bool ok = m->output && !root ? ap_fail_memory(&err) : run(&s, &p, root, &rules, &err);
    if (s.errors) {
        if (!filter_go_on(NULL))
            ok = false;
        else
            print_errors(&s);
        fclose(s.errors);
    }
    end_folders(&s);
    plan_free(&p);
    free(pattern);
    free(root);
    if (!ok)
        return filter_fail(m->command, &err);
    if (s.failed && !m->common->quiet && p.count > 1)
        complain(m->command, "%llu of %llu files failed", (unsigned long long)s.failed,
                 (unsigned long long)p.count);
    return status_of(&s);
}
