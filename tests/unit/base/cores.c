/* SPDX-License-Identifier: GPL-3.0-or-later
 * How many threads a process can use. */
#include "base/cores.h"
#include "test.h"

#include <sched.h>

static void affinity_counts(void)
{
    cpu_set_t before, one;
    CHECK(sched_getaffinity(0, sizeof before, &before) == 0);
    const unsigned all = ap_cores();
    CHECK(all >= 1 && all <= (unsigned)CPU_COUNT(&before));
    int first = 0;
    while (!CPU_ISSET(first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK(ap_cores() == 1);
    CHECK(sched_setaffinity(0, sizeof before, &before) == 0);
    CHECK(ap_cores() == all);
}

static void quotas_count(void)
{
    CHECK(ap_cores_of_quota("max 100000", 8) == 8);
    CHECK(ap_cores_of_quota("200000 100000", 8) == 2);
    CHECK(ap_cores_of_quota("250000 100000", 8) == 3);
    CHECK(ap_cores_of_quota("1000 100000", 8) == 1);
    CHECK(ap_cores_of_quota("1600000 100000", 8) == 8);
    CHECK(ap_cores_of_quota("", 8) == 8);
    CHECK(ap_cores_of_quota("0 0", 8) == 8 && ap_cores_of_quota("-1 100000", 8) == 8);
}

TEST_MAIN(CASE(affinity_counts), CASE(quotas_count))
