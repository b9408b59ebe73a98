/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bytes from files and pipes: looked at before they are taken, skipped, and made seekable. */
#include "base/input.h"
#include "folder.h"

#include <pthread.h>

enum { BYTES = 300000 };

static unsigned char content[BYTES];

static void *feed(void *fd)
{
    for (size_t at = 0; at < BYTES;) {
        ssize_t n = write(*(int *)fd, content + at, BYTES - at < 777 ? BYTES - at : 777);
        at += n > 0 ? (size_t)n : 0;
    }
    close(*(int *)fd);
    return NULL;
}

/* Reads from all of it in the same ways, be it a file or a pipe. */
static void check_reading(ap_input *in, bool seekable)
{
    const unsigned char *p;
    unsigned char some[1000];
    ap_error err;
    CHECK(ap_input_seekable(in) == seekable && ap_input_size(in) == (seekable ? BYTES : AP_UNKNOWN));
    CHECK(ap_input_peek(in, &p, 65536, &err) == 65536 && memcmp(p, content, 65536) == 0);
    CHECK(ap_input_tell(in) == 0);
    CHECK(ap_input_read(in, some, 1000, &err) == 1000 && memcmp(some, content, 1000) == 0);
    CHECK(ap_input_skip(in, 100000, &err) && ap_input_tell(in) == 101000);
    CHECK(ap_input_peek(in, &p, 10, &err) >= 10 && memcmp(p, content + 101000, 10) == 0);
    CHECK(ap_input_make_seekable(in, &err) && ap_input_seekable(in));
    unsigned char *all = ap_input_load(in, 190000, &err);
    CHECK(all && memcmp(all, content + 101000, 190000) == 0);
    free(all);
    const uint64_t here = ap_input_tell(in);
    CHECK(ap_input_left(in) == 9000);
    CHECK(ap_input_read(in, some, 500, &err) == 500 && ap_input_seek(in, here, &err));
    CHECK(ap_input_read(in, some, 1, &err) == 1 && some[0] == content[291000]);
    CHECK(!ap_input_load(in, 9000, &err) && strstr(err.message, "'it'")); /* there is one byte less */
    CHECK(!ap_input_skip(in, BYTES, &err));
    CHECK(ap_input_peek(in, &p, 10, &err) == 0 && ap_input_read(in, some, 10, &err) == 0);
    ap_input_close(in);
}

static void files_and_pipes_read_the_same(void)
{
    int ends[2];
    pthread_t feeder;
    for (size_t i = 0; i < BYTES; i++)
        content[i] = (unsigned char)(i * i >> 7);
    save("it", content, BYTES);
    check_reading(ap_input_open("it", NULL), true);
    CHECK(pipe(ends) == 0 && pthread_create(&feeder, NULL, feed, &ends[1]) == 0);
    check_reading(ap_input_new(ends[0], true, "it", NULL), false);
    pthread_join(feeder, NULL);
}

static void failures_name_the_file(void)
{
    ap_error err;
    enter_folder();
    CHECK(!ap_input_open("is not there", &err) && strstr(err.message, "'is not there'"));
    save("empty", "", 0);
    ap_input *in = ap_input_open("empty", &err);
    char c;
    CHECK(in && ap_input_read(in, &c, 1, &err) == 0 && ap_input_size(in) == 0);
    ap_input_close(in);
}

TEST_MAIN(CASE(files_and_pipes_read_the_same), CASE(failures_name_the_file))
