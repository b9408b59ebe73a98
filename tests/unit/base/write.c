/* SPDX-License-Identifier: GPL-3.0-or-later
 * All bytes through a descriptor that takes few at a time, and the reason when it takes none. */
#include "base/write.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

enum { BYTES = 1 << 18 }; /* more than a pipe holds */

static void *drain(void *fd)
{
    static char all[BYTES];
    size_t n = 0;
    for (ssize_t got; (got = read(*(int *)fd, all + n, sizeof all - n < 1000 ? sizeof all - n : 1000)) > 0;)
        n += (size_t)got;
    close(*(int *)fd);
    return n == BYTES && all[0] == 'a' && all[BYTES - 1] == 'z' ? all : NULL;
}

static void all_of_it_arrives(void)
{
    static char bytes[BYTES];
    int ends[2];
    pthread_t reader;
    void *right;
    bytes[0] = 'a';
    bytes[BYTES - 1] = 'z';
    CHECK(pipe(ends) == 0);
    CHECK(pthread_create(&reader, NULL, drain, &ends[0]) == 0);
    CHECK(ap_write_all(ends[1], bytes, sizeof bytes));
    close(ends[1]);
    pthread_join(reader, &right);
    CHECK(right != NULL);
}

static void the_reason_stays_in_errno(void)
{
    int full = open("/dev/full", O_WRONLY);
    CHECK(!ap_write_all(full, "x", 1) && errno == ENOSPC);
    CHECK(ap_write_all(full, "x", 0));
    close(full);
    CHECK(!ap_write_all(-1, "x", 1) && errno == EBADF);
}

TEST_MAIN(CASE(all_of_it_arrives), CASE(the_reason_stays_in_errno))
