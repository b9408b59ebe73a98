/* SPDX-License-Identifier: GPL-3.0-or-later
 * Error values: one line each, and whether it may work later. */
#include "base/error.h"
#include "test.h"

#include <errno.h>

static void what_may_pass_is_told_apart(void)
{
    static const int later[] = {ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE, EAGAIN},
                     never[] = {ENOENT, EACCES, EISDIR, EIO, EINVAL, ENOTDIR};
    ap_error err;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        CHECK(!ap_fail_errno(&err, later[i], "x") && err.code == AP_TRY_AGAIN && err.number == later[i]);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        CHECK(!ap_fail_errno(&err, never[i], "x") && err.code == AP_FAILED);
    CHECK(!ap_fail_memory(&err) && err.code == AP_TRY_AGAIN && err.number == 0);
}

static void messages_name_the_reason(void)
{
    ap_error err;
    ap_fail_errno(&err, ENOENT, "cannot open '%s'", "x.mp3");
    CHECK(strcmp(err.message, "cannot open 'x.mp3': No such file or directory") == 0);
}

static void messages_stay_one_line(void)
{
    ap_error err;
    char name[4 * sizeof err.message];
    ap_fail(&err, AP_FAILED, "cannot open '%s'", "a\nb\x1b[2J\x7f");
    CHECK(strcmp(err.message, "cannot open 'a?b?[2J?'") == 0);
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = 0;
    ap_fail(&err, AP_FAILED, "%s", name);
    CHECK(strlen(err.message) < sizeof err.message);
}

static void nobody_has_to_listen(void)
{
    CHECK(!ap_fail(NULL, AP_FAILED, "x") && !ap_fail_errno(NULL, ENOENT, "x") && !ap_fail_memory(NULL));
    CHECK(ap_check_range("gain", 1, 0, 2, NULL) && !ap_check_range("gain", 3, 0, 2, NULL));
}

static void ranges_have_their_ends(void)
{
    ap_error err;
    CHECK(ap_check_range("gain", 0, 0, 2, &err) && ap_check_range("gain", 2, 0, 2, &err));
    CHECK(!ap_check_range("gain", NAN, 0, 2, &err) && err.code == AP_USAGE && strstr(err.message, "gain"));
    CHECK(!ap_check_range("gain", -1e-9, 0, 2, &err) && err.code == AP_USAGE);
}

TEST_MAIN(CASE(what_may_pass_is_told_apart), CASE(messages_name_the_reason), CASE(messages_stay_one_line),
          CASE(nobody_has_to_listen), CASE(ranges_have_their_ends))
