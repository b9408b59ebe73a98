/* SPDX-License-Identifier: GPL-3.0-or-later
 * How often someone may ask. */
#include "serve/who/limits.h"
#include "test.h"

static void buckets_run_dry_and_fill(void)
{
    static ap_buckets b;
    double wait;
    ap_buckets_init(&b, 2); /* eight may be saved up */
    for (int i = 0; i < 8; i++)
        CHECK(ap_buckets_take(&b, "alice", 10, &wait));
    CHECK(!ap_buckets_take(&b, "alice", 10, &wait));
    CHECK_NEAR(wait, 0.5, 1e-9);
    CHECK(ap_buckets_take(&b, "bob", 10, &wait));
    CHECK(ap_buckets_take(&b, "alice", 10.5, &wait));
    CHECK(!ap_buckets_take(&b, "alice", 10.5, &wait));
    ap_buckets_init(&b, 0);
    for (int i = 0; i < 1000; i++)
        CHECK(ap_buckets_take(&b, "alice", 10, &wait));
}

TEST_MAIN(CASE(buckets_run_dry_and_fill))
