/* SPDX-License-Identifier: GPL-3.0-or-later
 * Several files, looked at at once: each answer is with its file. */
#include "jobs/record/inspect.h"
#include "../scratch.h"

#define FILES 40

static void answers_belong_to_files(void)
{
    scratch_open();
    ap_inspection files[FILES] = {0};
    char *paths[FILES];
    for (int i = 0; i < FILES; i++) {
        char name[16], text[16];
        snprintf(name, sizeof name, "%d.txt", i);
        snprintf(text, sizeof text, "%*d", 1 + i % 9, i);
        paths[i] = i % 7 == 3 ? ap_print("%s/missing-%d", scratch_spool, i) : scratch_file(name, text);
        files[i] = (ap_inspection){.path = paths[i], .depth = AP_PROBE_LOUDNESS, .hash = i % 2 == 0};
    }
    ap_inspect(files, FILES);
    for (int i = 0; i < FILES; i++) {
        char text[16], hex[AP_SHA256_HEX];
        bool there = i % 7 != 3, hashed = i % 2 == 0;
        snprintf(text, sizeof text, "%*d", 1 + i % 9, i);
        ap_sha256_text(text, hex);
        CHECK((files[i].probed.code == AP_OK) == there);
        CHECK((files[i].hashed.code == AP_OK) == (there || !hashed));
        CHECK(there || strstr(files[i].probed.message, paths[i]));
        CHECK(!there || (strcmp(files[i].probe.class_, "text") == 0 && files[i].probe.bytes == strlen(text)));
        CHECK(strcmp(files[i].hex, there && hashed ? hex : "") == 0);
        CHECK(files[i].bytes == (there && hashed ? strlen(text) : 0));
        free(paths[i]);
    }
    scratch_close();
}

TEST_MAIN(CASE(answers_belong_to_files))
