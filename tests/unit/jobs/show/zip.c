/* SPDX-License-Identifier: GPL-3.0-or-later
 * Archives, as Python's zipfile reads them: names, bytes, and those whose bytes come later. */
#include "jobs/show/zip.h"
#include "folder.h"

#include <fcntl.h>
#include <zlib.h>

static const char later[] = "bytes that come later";

static uint64_t gap;

static bool fill(ap_zip *z, void *user, ap_error *err)
{
    const ap_zip_known known = {.size = sizeof later - 1,
                                .crc = (uint32_t)crc32(0, (const Bytef *)later, sizeof later - 1),
                                .mode = S_IFREG | 0644,
                                .when = 1000000000};
    (void)user;
    return ap_zip_add(z, "folder/f\xc3\xbcr.txt", "in.txt", err) &&
           ap_zip_add_bytes(z, "empty", "", 0, err) && ap_zip_add_known(z, "later", &known, &gap, err) &&
           ap_zip_add_bytes(z, "last", "end\n", 4, err);
}

static void others_read_it(void)
{
    ap_error err;
    save("in.txt", "hello\n", 6);
    CHECK(ap_zip_write("a.zip", fill, NULL, &err));
    int fd = open("a.zip", O_WRONLY);
    CHECK(fd >= 0 && pwrite(fd, later, sizeof later - 1, (off_t)gap) == (ssize_t)sizeof later - 1);
    close(fd);
    sh("/usr/bin/python3 -c '\n"
       "import zipfile\n"
       "z = zipfile.ZipFile(\"a.zip\")\n"
       "assert z.testzip() is None\n"
       "assert z.namelist() == [\"folder/f\\u00fcr.txt\", \"empty\", \"later\", \"last\"], z.namelist()\n"
       "assert z.read(\"folder/f\\u00fcr.txt\") == b\"hello\\n\" and z.read(\"empty\") == b\"\"\n"
       "assert z.read(\"later\") == b\"%s\" and z.read(\"last\") == b\"end\\n\"\n"
       "assert z.infolist()[2].external_attr >> 16 == 0o100644\n'",
       later);
}

static bool fail(ap_zip *z, void *user, ap_error *err)
{
    (void)user;
    return ap_zip_add_bytes(z, "one", "1", 1, err) && ap_zip_add(z, "two", "is not there", err);
}

static void a_failure_leaves_nothing(void)
{
    ap_error err;
    enter_folder();
    CHECK(!ap_zip_write("b.zip", fail, NULL, &err) && strstr(err.message, "'is not there'"));
    CHECK(access("b.zip", F_OK) != 0);
    ap_zip_free(NULL);
}

TEST_MAIN(CASE(others_read_it), CASE(a_failure_leaves_nothing))
