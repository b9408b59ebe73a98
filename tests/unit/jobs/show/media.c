/* SPDX-License-Identifier: GPL-3.0-or-later
 * Where a page takes files from: out of itself while there is room, beside it, or nowhere. */
#include "jobs/show/media.h"
#include "folder.h"

static char taken[256];

static bool take(const char *path, const char *name, void *user, ap_error *err)
{
    (void)path;
    (void)user;
    (void)err;
    strcpy(taken, name);
    return true;
}

/* The kind, and whether the URL is that one; NULL: there is none. */
static bool finds(ap_media *m, const char *relative, const char *mime, ap_media_kind kind, const char *url)
{
    char *got;
    ap_media_kind what;
    bool ok = ap_media_find(m, "file", relative, mime, &got, &what, NULL) && what == kind &&
              (url && got ? strcmp(url, got) == 0 : url == got);
    if (!ok)
        fprintf(stderr, "kind %d, %s\n", what, got ? got : "no URL");
    free(got);
    return ok;
}

static void small_files_are_in_the_page(void)
{
    ap_media m = {.folder = "/job", .budget = 8};
    save("file", "hello", 5);
    CHECK(finds(&m, "out/file", "text/plain", AP_MEDIA_WHOLE, "data:text/plain;base64,aGVsbG8="));
    CHECK(m.budget == 3 && m.count == 1);
    CHECK(finds(&m, "out/file", "text/plain", AP_MEDIA_NONE, NULL)); /* there is no more room */
    CHECK(m.budget == 3 && m.count == 2);
}

static void files_beside_the_page_are_linked(void)
{
    ap_media m = {.folder = "/job", .beside = "/job"}, other = {.folder = "/job", .beside = "/www"};
    save("file", "hello", 5);
    CHECK(finds(&m, "out/a b%\xc3\xbc#.txt", "text/plain", AP_MEDIA_WHOLE, "out/a%20b%25%C3%BC%23.txt"));
    CHECK(finds(&m, "/elsewhere/x", "text/plain", AP_MEDIA_NONE, NULL));
    CHECK(finds(&other, "out/x", "text/plain", AP_MEDIA_NONE, NULL));
}

static void files_go_with_the_page(void)
{
    ap_media m = {.take = take, .folder = "/job", .budget = 100};
    save("file", "hello", 5);
    CHECK(finds(&m, "out/file", "text/plain", AP_MEDIA_WHOLE, "media/1-file"));
    CHECK(strcmp(taken, "media/1-file") == 0 && m.budget == 100);
}

static void sound_has_a_preview(void)
{
    ap_media m = {.folder = "/job"};
    ap_media_kind kind;
    char *url;
    sh("sox -n -r 8000 -c 1 file.wav synth 0.2 sine 440 && mv file.wav file");
    CHECK(ap_media_find(&m, "file", "out/file", "audio/wav", &url, &kind, NULL) && kind == AP_MEDIA_PREVIEW);
    CHECK(url && strncmp(url, "data:audio/mpeg;base64,", 23) == 0);
    free(url);
}

TEST_MAIN(CASE(small_files_are_in_the_page), CASE(files_beside_the_page_are_linked),
          CASE(files_go_with_the_page), CASE(sound_has_a_preview))
