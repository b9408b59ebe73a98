/* SPDX-License-Identifier: GPL-3.0-or-later
 * FNV-1a against the vectors of draft-eastlake-fnv, appendix C. */
#include "base/hash.h"
#include "test.h"

static uint64_t hash(const char *text)
{
    return ap_hash(AP_HASH_START, text, strlen(text));
}

static void published_vectors(void)
{
    CHECK(hash("") == 0xcbf29ce484222325u);
    CHECK(hash("a") == 0xaf63dc4c8601ec8cu);
    CHECK(hash("foobar") == 0x85944171f73967e8u);
}

static void parts_hash_as_the_whole(void)
{
    CHECK(ap_hash(hash("foo"), "bar", 3) == hash("foobar"));
}

TEST_MAIN(CASE(published_vectors), CASE(parts_hash_as_the_whole))
