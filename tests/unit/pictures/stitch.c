/* SPDX-License-Identifier: GPL-3.0-or-later
 * What ap_stitch tells its caller; the videos themselves are looked at by tests/cli/stitch.sh. */
#include "base/error.h"
#include "fixture.h"

#include <unistd.h>

static const char *const images[] = {"a.png", "b.png"};

static ap_stitch_options small(void)
{
    sh("[ -e b.png ] || { ffmpeg -v error -f lavfi -i color=red:s=64x64 -frames:v 1 a.png && cp a.png b.png; "
       "}");
    ap_stitch_options o;
    ap_stitch_defaults(&o);
    o.width = o.height = 64;
    o.fps = 10;
    o.threads = 1;
    o.silent = true;
    return o;
}

static ap_stream *sound(uint64_t frames)
{
    static float zeros[2 * 44100];
    return ap_source_memory(&(ap_format){44100, 2, 0, frames}, zeros, NULL);
}

/* What is wrong with the options, with the number of images, or with the path. */
typedef struct mistake {
    ap_stitch_options o;
    size_t count;
    const char *path;
} mistake;

static mistake mistake_number(int i)
{
    mistake m = {small(), i == 9 ? 0 : 2, i == 10 ? "bad.avi" : "bad.mp4"};
    m.o.width = i == 0 ? 65 : i == 1 ? 10000 : m.o.width;
    m.o.height = i == 2 ? 8 : m.o.height;
    m.o.fps = i == 3 ? 0 : i == 4 ? NAN : m.o.fps;
    m.o.image_s = i == 5 ? -1 : i == 6 ? INFINITY : m.o.image_s;
    m.o.transition_s = i == 7 ? -1 : m.o.transition_s;
    m.o.visual = i == 8 ? AP_VISUAL_WAVEFORM : m.o.visual;
    m.o.format = i == 11 ? "png" : m.o.format;
    return m;
}

static void bad_options_are_refused(void)
{
    for (int i = 0; i < 12; i++) {
        const mistake m = mistake_number(i);
        ap_error err = {0};
        CHECK(!ap_stitch(NULL, images, m.count, m.path, &m.o, &err) && err.code == AP_USAGE &&
              err.message[0]);
        CHECK(access(m.path, F_OK) != 0);
    }
}

static void no_sound_has_to_be_meant(void)
{
    ap_stitch_options o = small();
    o.silent = false;
    ap_error err = {AP_OK, "untouched"};
    CHECK(!ap_stitch(NULL, images, 2, "none.mp4", &o, &err) && strcmp(err.message, "untouched") == 0);
}

static void the_report_is_true(void)
{
    ap_stitch_options o = small();
    ap_stitch_report r;
    ap_error err;
    o.report = &r;
    o.silent = false;
    CHECK(ap_stitch(sound(44100), images, 2, "r.mp4", &o, &err));
    CHECK(r.frames == 10 && r.images == 2 && r.cut_s == 0 && r.pad_s == 0 && r.clipped == 0);
    CHECK_NEAR(r.duration_s, 1, 1e-9);
    o.image_s = 0.25;
    CHECK(ap_stitch(sound(44100), images, 2, "r.mp4", &o, &err));
    CHECK(r.frames == 5);
    CHECK_NEAR(r.cut_s, 0.5, 1e-4);
    o.image_s = 1;
    CHECK(ap_stitch(sound(44100), images, 2, "r.webm", &o, &err));
    CHECK(r.frames == 20 && r.cut_s == 0);
    CHECK_NEAR(r.pad_s, 1, 1e-4);
}

/* Stops after `stop` frames. */
typedef struct meter {
    uint64_t frames, total, stop, calls;
    int skipped;
    char why[512];
} meter;

static bool see(void *user, uint64_t frames, uint64_t total, ap_error *err)
{
    meter *m = user;
    CHECK(frames >= m->frames);
    m->frames = frames;
    m->total = total;
    m->calls++;
    return frames < m->stop || ap_fail(err, AP_TRY_AGAIN, "enough");
}

static void note(void *user, const ap_error *why)
{
    meter *m = user;
    m->skipped++;
    strcpy(m->why, why->message);
}

static void progress_is_told_and_obeyed(void)
{
    meter m = {.stop = 1000};
    ap_error err;
    ap_stitch_options o = small();
    o.progress = see;
    o.user = &m;
    CHECK(ap_stitch(NULL, images, 2, "p.mp4", &o, &err));
    CHECK(m.frames == 60 && m.total == 60 && m.calls >= 60);
    m = (meter){.stop = 7};
    CHECK(!ap_stitch(NULL, images, 2, "q.mp4", &o, &err));
    CHECK(m.frames == 7 && err.code == AP_TRY_AGAIN && strcmp(err.message, "enough") == 0);
    CHECK(access("q.mp4", F_OK) != 0);
}

static void what_is_left_out_is_told(void)
{
    const char *const some[] = {"none.png", "a.png", "none.jpg"};
    meter m = {0};
    ap_stitch_report r;
    ap_error err;
    ap_stitch_options o = small();
    o.user = &m;
    o.report = &r;
    CHECK(!ap_stitch(NULL, some, 3, "s.mp4", &o, &err) && strstr(err.message, "none.png"));
    o.skipped = note;
    CHECK(ap_stitch(NULL, some, 3, "s.mp4", &o, &err));
    CHECK(m.skipped == 2 && strstr(m.why, "none.jpg") && r.images == 1 && r.frames == 30);
}

static void the_bytes_are_the_same_every_time(void)
{
    ap_error err;
    ap_stitch_options o = small();
    o.silent = false;
    for (int i = 0; i < 3; i++) {
        static const char *const formats[] = {"mp4", "mkv", "webm"};
        o.format = formats[i];
        CHECK(ap_stitch(sound(44100), images, 2, "one", &o, &err) &&
              ap_stitch(sound(44100), images, 2, "two", &o, &err));
        sh("cmp one two");
    }
}

TEST_MAIN(CASE(bad_options_are_refused), CASE(no_sound_has_to_be_meant), CASE(the_report_is_true),
          CASE(progress_is_told_and_obeyed), CASE(what_is_left_out_is_told),
          CASE(the_bytes_are_the_same_every_time))
