/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cores.h - how many threads a process can use. */
#ifndef AP_BASE_CORES_H
#define AP_BASE_CORES_H

/* Processors that this process may run on, and no more than its control groups' quota (cpu.max of Linux'
 * cgroup v2) pays for, rounded up. At least 1. */
unsigned ap_cores(void);

/* The same of the text of a cpu.max, "max PERIOD" or "QUOTA PERIOD", and a number of processors; one that is
 * malformed limits nothing. */
unsigned ap_cores_of_quota(const char *text, unsigned cores);

#endif
