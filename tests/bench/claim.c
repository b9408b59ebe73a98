/* SPDX-License-Identifier: GPL-3.0-or-later
 * claim SPOOL COUNT - claims so many of the jobs that wait, as runners do, and puts them among the done ones.
 * Prints a line of names and values: milliseconds of a claim by the clock and by the processor, medians, and
 * the longest. "look" is a claim that looks at the folders first, "next" one that has the list of the last.
 */
#include "jobs/spool/claim.h"
#include "jobs/record/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MOST 1000

typedef struct times {
    double wall_ms[MOST], cpu_ms[MOST];
    size_t count;
} times;

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool claim(const char *spool, ap_candidates *list, times *t)
{
    const ap_retry retry = {.attempts = 3, .backoff_s = 1};
    char id[AP_ID_BYTES];
    ap_error err = {AP_OK, ""};
    const double wall = ap_monotonic_s(), cpu = cpu_s();
    const int lock = ap_job_claim(spool, &retry, NULL, list, id, &err);
    t->wall_ms[t->count] = 1e3 * (ap_monotonic_s() - wall);
    t->cpu_ms[t->count++] = 1e3 * (cpu_s() - cpu);
    const bool ok = lock >= 0 && ap_job_move(spool, AP_RUNNING, AP_DONE, id, &err);
    if (lock >= 0)
        close(lock);
    if (!ok)
        fprintf(stderr, "claim: %s\n", err.code != AP_OK ? err.message : "no job waits");
    return ok;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *name, times *t)
{
    qsort(t->wall_ms, t->count, sizeof *t->wall_ms, compare);
    qsort(t->cpu_ms, t->count, sizeof *t->cpu_ms, compare);
    printf("%s %.3f %s_cpu %.3f %s_most %.3f ", name, t->wall_ms[t->count / 2], name, t->cpu_ms[t->count / 2],
           name, t->wall_ms[t->count - 1]);
}

int main(int argc, char **argv)
{
    static times look, next;
    ap_candidates list = {0};
    const size_t count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (count < 2 || count > MOST) {
        fputs("Usage: claim SPOOL COUNT\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        if (i % 2 == 0)
            ap_candidates_free(&list);
        if (!claim(argv[1], &list, i % 2 == 0 ? &look : &next))
            return 1;
    }
    report("look", &look);
    report("next", &next);
    puts("");
    ap_candidates_free(&list);
    return 0;
}
