/* SPDX-License-Identifier: GPL-3.0-or-later
 * clock.c - the time, as a number and as text. */
#include "jobs/record/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double ap_monotonic_s(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double ap_wall_s(void)
{
    return read_clock(CLOCK_REALTIME);
}

void ap_time_text(char text[32])
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + n, 32 - n, ".%03ldZ", now.tv_nsec / 1000000 % 1000);
}

void ap_time_print(double seconds, char text[32])
{
    time_t whole = (time_t)floor(seconds);
    struct tm utc;
    gmtime_r(&whole, &utc);
    size_t n = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + n, 32 - n, ".%03dZ", (int)(1000 * (seconds - (double)whole)) % 1000);
}

double ap_time_of(const char *text)
{
    struct tm utc = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    if (!rest)
        return NAN;
    return (double)timegm(&utc) + (*rest == '.' ? strtod(rest, NULL) : 0);
}
