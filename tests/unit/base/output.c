/* SPDX-License-Identifier: GPL-3.0-or-later
 * Files appear when they are whole, or not at all; descriptors that cannot seek get all at the end. */
#include "base/output.h"
#include "folder.h"

#include <dirent.h>
#include <fcntl.h>

static bool holds(const char *path, const char *text)
{
    size_t size;
    unsigned char *bytes = load(path, &size);
    bool same = bytes && size == strlen(text) && memcmp(bytes, text, size) == 0;
    free(bytes);
    return same;
}

/* Names in the folder that do not begin with a dot, and those that do. */
static int names_here(void)
{
    DIR *d = opendir(".");
    int n = -2;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void files_appear_whole(void)
{
    ap_error err;
    char text[2];
    enter_folder();
    const int before = names_here();
    ap_output *out = ap_output_create("a", true, &err);
    CHECK(out && ap_output_write(out, "xello", 5, &err) && access("a", F_OK) != 0);
    CHECK(ap_output_seekable(out) && ap_output_seek(out, 0, &err) && ap_output_write(out, "h", 1, &err));
    CHECK(ap_output_tell(out) == 1 && ap_output_size(out) == 5);
    CHECK(ap_output_read_at(out, 3, text, 2, &err) && memcmp(text, "lo", 2) == 0);
    CHECK(!ap_output_read_at(out, 4, text, 2, NULL));
    CHECK(ap_output_commit(out, &err) && holds("a", "hello"));
    out = ap_output_create("a", true, &err);
    CHECK(out && ap_output_write(out, "other", 5, &err));
    ap_output_abort(out);
    CHECK(holds("a", "hello") && names_here() == before + 1);
    ap_output_abort(NULL);
}

static void what_is_there_may_be_kept(void)
{
    ap_error err;
    save("b", "old", 3);
    const int before = names_here();
    CHECK(!ap_output_save("b", "new", 3, true, &err) && strstr(err.message, "'b'") && err.code == AP_FAILED);
    CHECK(holds("b", "old") && names_here() == before);
    CHECK(ap_output_save("b", "new", 3, false, &err) && holds("b", "new"));
    /* also where it comes while we write */
    ap_output *out = ap_output_create("c", true, &err);
    ap_output_keep_existing(out);
    CHECK(ap_output_write(out, "ours", 4, &err));
    save("c", "theirs", 6);
    CHECK(!ap_output_commit(out, &err) && holds("c", "theirs") && names_here() == before + 1);
}

static void links_and_modes_stay(void)
{
    struct stat st;
    save("real", "old", 3);
    CHECK(chmod("real", 0640) == 0 && symlink("real", "link") == 0);
    CHECK(ap_output_save("link", "new", 3, false, NULL) && holds("real", "new"));
    CHECK(lstat("link", &st) == 0 && S_ISLNK(st.st_mode));
    CHECK(stat("real", &st) == 0 && (st.st_mode & 0777) == 0640);
}

static void pipes_get_all_at_the_end(void)
{
    ap_error err;
    char text[8];
    int ends[2];
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    ap_output *out = ap_output_fd(ends[1], "the pipe", true, &err);
    CHECK(out && ap_output_write(out, "xello", 5, &err) && read(ends[0], text, sizeof text) < 0);
    CHECK(ap_output_seek(out, 0, &err) && ap_output_write(out, "h", 1, &err) && ap_output_commit(out, &err));
    CHECK(read(ends[0], text, sizeof text) == 5 && memcmp(text, "hello", 5) == 0);
    out = ap_output_fd(ends[1], "the pipe", false, &err);
    CHECK(out && !ap_output_seekable(out) && ap_output_write(out, "now", 3, &err));
    CHECK(read(ends[0], text, sizeof text) == 3 && ap_output_commit(out, &err));
    close(ends[0]);
    close(ends[1]);
}

/* What a shell opens with >, where something may stand already, and with >>. */
static void files_on_descriptors_are_sought_in(void)
{
    ap_error err;
    enter_folder();
    int fd = open("it", O_WRONLY | O_CREAT, 0600);
    CHECK(write(fd, "head ", 5) == 5);
    ap_output *out = ap_output_fd(fd, "it", false, &err);
    CHECK(out && ap_output_seekable(out) && ap_output_tell(out) == 0 &&
          ap_output_write(out, "xello", 5, &err));
    CHECK(ap_output_seek(out, 0, &err) && ap_output_write(out, "h", 1, &err));
    CHECK(ap_output_seek(out, 5, &err) && ap_output_commit(out, &err) && write(fd, ".", 1) == 1);
    CHECK(holds("it", "head hello."));
    close(fd);
    fd = open("it", O_WRONLY | O_APPEND);
    out = ap_output_fd(fd, "it", false, &err);
    CHECK(out && !ap_output_seekable(out) && ap_output_commit(out, &err));
    close(fd);
}

static void failures_name_the_file(void)
{
    ap_error err;
    enter_folder();
    CHECK(!ap_output_create("no/such/folder", true, &err) && strstr(err.message, "'no/such/folder'"));
    CHECK(!ap_output_create("", true, &err) && !ap_output_create(".", true, &err));
    int full = open("/dev/full", O_WRONLY);
    ap_output *out = ap_output_fd(full, "it", false, &err);
    CHECK(!ap_output_write(out, "x", 1, &err) && err.code == AP_TRY_AGAIN);
    CHECK(strcmp(err.message, "cannot write 'it': No space left on device") == 0);
    ap_output_abort(out);
    close(full);
}

TEST_MAIN(CASE(files_appear_whole), CASE(what_is_there_may_be_kept), CASE(links_and_modes_stay),
          CASE(pipes_get_all_at_the_end), CASE(files_on_descriptors_are_sought_in),
          CASE(failures_name_the_file))
