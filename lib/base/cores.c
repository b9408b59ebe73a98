/* SPDX-License-Identifier: GPL-3.0-or-later
 * cores.c - how many threads a process can use. */
#include "base/cores.h"

#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

unsigned ap_cores_of_quota(const char *text, unsigned cores)
{
    double quota, period;
    if (sscanf(text, "%lf %lf", &quota, &period) != 2 || !(quota > 0 && period > 0))
        return cores;
    const double most = ceil(quota / period);
    return most < cores ? (unsigned)most : cores;
}

/* The first line of a file, without its end; false: there is none. */
static bool read_line(const char *path, const char *begin, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file && !found && fgets(line, (int)size, file))
        found = strncmp(line, begin, strlen(begin)) == 0;
    if (file)
        (void)fclose(file);
    line[found ? strcspn(line, "\n") : 0] = 0;
    return found;
}

/* The quotas of the process' control group and of those that it is in. */
static unsigned within_quotas(unsigned cores)
{
    char group[PATH_MAX], path[PATH_MAX + 64], quota[64];
    if (!read_line("/proc/self/cgroup", "0::/", group, sizeof group))
        return cores;
    char *const name = group + 3;
    for (char *slash = name; slash;) {
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", name);
        if (read_line(path, "", quota, sizeof quota))
            cores = ap_cores_of_quota(quota, cores);
        slash = strrchr(name, '/');
        if (slash)
            *slash = 0;
    }
    return cores;
}

unsigned ap_cores(void)
{
    cpu_set_t set;
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    long cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : online;
    return cores > 0 ? within_quotas((unsigned)cores) : 1;
}
