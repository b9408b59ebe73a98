/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clock.h - times. */
#ifndef AP_JOBS_RECORD_CLOCK_H
#define AP_JOBS_RECORD_CLOCK_H

double ap_monotonic_s(void);
double ap_wall_s(void); /* since 1970 */
/* A time since 1970, as RFC 3339 in UTC with milliseconds. */
void ap_time_print(double seconds, char text[32]);
/* Now, as RFC 3339 in UTC with milliseconds. */
void ap_time_text(char text[32]);
/* Seconds since 1970 of such a text, NAN if it is none. */
double ap_time_of(const char *text);

#endif
