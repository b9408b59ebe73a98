/* SPDX-License-Identifier: GPL-3.0-or-later
 * Names of files: their folders as dirname(1) has them, their last part as basename(1). */
#include "base/path.h"
#include "test.h"

#include <libgen.h>

static void parts_are_those_of_posix(void)
{
    static const char *const paths[] = {"song.mp3", "a/song.mp3", "/song.mp3", "/a/b/song", "./x",
                                        "../x",     "a//b",       "a b/c d",   "."};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char for_dirname[64], for_basename[64];
        strcpy(for_dirname, paths[i]);
        strcpy(for_basename, paths[i]);
        char *folder = ap_folder_of(paths[i]);
        CHECK(folder && strcmp(folder, dirname(for_dirname)) == 0);
        CHECK(strcmp(ap_leaf(paths[i]), basename(for_basename)) == 0);
        CHECK(strcmp(paths[i] + ap_folder_length(paths[i]), ap_leaf(paths[i])) == 0);
        free(folder);
    }
}

static void extensions(void)
{
    static const struct {
        const char *path, *extension;
        int stem;
    } rows[] = {
        {"song.mp3", "mp3", 4}, {"a.b/song", "", 8}, {"a.b/song.tar.gz", "gz", 12},
        {".flac", "", 5},       {"a/.flac", "", 7},  {"a/.x.flac", "flac", 4},
        {"song.", "", 5},       {"", "", 0},         {"out.d/x", "", 7},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(strcmp(ap_extension(rows[i].path), rows[i].extension) == 0);
        CHECK(ap_stem_length(rows[i].path) == rows[i].stem);
    }
    CHECK(strcmp(ap_extension(NULL), "") == 0);
}

static void unknown_formats_are_told(void)
{
    ap_error err;
    CHECK(!ap_fail_format("xyz", "a.wav", "wav and flac", &err) && err.code == AP_USAGE);
    CHECK(strstr(err.message, "'xyz'") && strstr(err.message, "wav and flac"));
    CHECK(!ap_fail_format(NULL, "d.svg/x", "png", &err) && err.code == AP_USAGE);
    CHECK(strstr(err.message, "'d.svg/x'"));
}

TEST_MAIN(CASE(parts_are_those_of_posix), CASE(extensions), CASE(unknown_formats_are_told))
