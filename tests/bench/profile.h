/* SPDX-License-Identifier: GPL-3.0-or-later
 * profile.h - where the engine's time goes, kernel by kernel, of engines with one thread. */
#ifndef BENCH_PROFILE_H
#define BENCH_PROFILE_H

/* Counts what the kernels of engines do that are opened from now on. */
void profile_start(void);
/* Forgets what was counted so far. */
void profile_clear(void);
/* A table of a run of so many processor seconds on a processor with that peak in GFLOP/s. */
void profile_print(double seconds, double peak);

#endif
