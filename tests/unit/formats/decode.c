/* SPDX-License-Identifier: GPL-3.0-or-later
 * The options of ap_decode, and inputs that are no audio. */
#include "fixture.h"

/* A ramp of 8000 frames at 8 kHz in stereo, as 24-bit WAV: sample n is n / 2^23. */
static void make_ramp(void)
{
    unsigned char raw[8000 * 2 * 3];
    for (unsigned i = 0; i < 16000; i++) {
        raw[3 * i] = (unsigned char)(i / 2);
        raw[3 * i + 1] = (unsigned char)(i / 2 >> 8);
        raw[3 * i + 2] = 0;
    }
    save("ramp.raw", raw, sizeof raw);
    sh("sox -t raw -r 8000 -e signed -b 24 -c 2 ramp.raw ramp.wav");
}

static decoded decode_part(const char *path, double start, double duration)
{
    ap_decode_options o;
    ap_decode_defaults(&o);
    o.start_s = start;
    o.duration_s = duration;
    return decode_file(path, &o, 100);
}

static void a_part_can_be_taken(void)
{
    make_ramp();
    decoded d = decode_part("ramp.wav", 0.25, 0.5);
    CHECK(d.count == 4000 && d.format.frames == 4000);
    CHECK(d.frames[0] == 2000 * 0x1p-23f && d.frames[2 * 3999 + 1] == 5999 * 0x1p-23f);
    free(d.frames);
    d = decode_part("ramp.wav", 0.25, -1);
    CHECK(d.count == 6000);
    free(d.frames);
    d = decode_part("ramp.wav", 0.5, 100);
    CHECK(d.count == 4000 && d.err.code == AP_OK);
    free(d.frames);
    d = decode_part("ramp.wav", 0, 0);
    CHECK(d.count == 0 && d.err.code == AP_OK);
    free(d.frames);
}

static void a_start_past_the_end_is_an_error(void)
{
    make_ramp();
    decoded d = decode_part("ramp.wav", 1.5, -1);
    CHECK(!d.opened && d.err.code == AP_FAILED && strstr(d.err.message, "ramp.wav"));
    free(d.frames);
    sh("ffmpeg -v error -y -i ramp.wav -f wav - | cat >pipe.wav");
    d = decode_part("pipe.wav", 1.5, -1);
    CHECK(d.err.code == AP_FAILED);
    free(d.frames);
}

static void options_out_of_range_are_usage_errors(void)
{
    static const ap_decode_options bad[] = {
        {.rate = 1, .duration_s = -1},          {.rate = 1000000, .duration_s = -1},
        {.channels = 9, .duration_s = -1},      {.start_s = -1, .duration_s = -1},
        {.start_s = NAN, .duration_s = -1},     {.duration_s = NAN},
        {.start_s = INFINITY, .duration_s = -1}};
    make_ramp();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        decoded d = decode_file("ramp.wav", &bad[i], 4096);
        CHECK(!d.opened && d.err.code == AP_USAGE);
        free(d.frames);
    }
}

static void rate_and_channels_are_changed(void)
{
    ap_decode_options o;
    make_ramp();
    ap_decode_defaults(&o);
    o.rate = 16000;
    o.channels = 1;
    decoded d = decode_file("ramp.wav", &o, 4096);
    CHECK(d.format.rate == 16000 && d.format.channels == 1 && d.count == 16000);
    CHECK_NEAR(d.frames[8000], 4000 * 0x1p-23, 1e-6);
    free(d.frames);
    o.channels = 6;
    o.rate = 0;
    d = decode_file("ramp.wav", &o, 4096);
    CHECK(d.format.rate == 8000 && d.format.channels == 6 && d.count == 8000);
    free(d.frames);
}

static void a_wrong_extension_does_not_matter(void)
{
    make_ramp();
    sh("flac -s -f ramp.wav -o ramp.flac && mv ramp.flac flac.mp3 && cp ramp.wav wav.flac && lame --quiet -b "
       "64 ramp.wav "
       "mp3.wav");
    static const char *const names[] = {"flac.mp3", "wav.flac", "mp3.wav"};
    for (size_t i = 0; i < 3; i++) {
        decoded d = decode_file(names[i], NULL, 4096);
        CHECK(d.err.code == AP_OK && d.count == 8000);
        free(d.frames);
    }
}

static void au_is_read_as_an_apstream(void)
{
    make_ramp();
    sh("ffmpeg -v error -y -i ramp.wav -c:a pcm_f32be t.au && ffmpeg -v error -y -i ramp.wav -f f32le "
       "ref.f32");
    decoded d = check_decodes("t.au", "ref.f32", 0, 8000);
    free(d.frames);
    check_fails(cut("t.au", 1000), "truncated");
    check_fails(cut("t.au", 10), "truncated");
}

static void what_is_no_audio_is_refused(void)
{
    enter_folder();
    save("empty", "", 0);
    check_fails("empty", "empty");
    save("text.mp3", "This is not a song, but a text about songs.\n", 44);
    check_fails("text.mp3", "");
    save("x", "x", 1);
    check_fails("x", "");
    sh("mkdir -p folder && head -c 100000 /dev/zero >zeros && yes | head -c 100000 >yes && tar cf t.tar "
       "text.mp3 && gzip -c "
       "yes >yes.gz && cp /bin/true elf");
    decoded d = decode_file("folder", NULL, 1);
    CHECK(d.err.code == AP_FAILED && strstr(d.err.message, "'folder'"));
    d = decode_file("missing", NULL, 1);
    CHECK(d.err.code == AP_FAILED && strstr(d.err.message, "'missing'"));
    check_fails("zeros", "");
    check_fails("yes", "");
    check_fails("t.tar", "");
    check_fails("yes.gz", "");
    check_fails("elf", "");
}

static void there_is_one_track_without_a_container(void)
{
    ap_decode_options o;
    make_ramp();
    ap_decode_defaults(&o);
    o.track = 1;
    decoded d = decode_file("ramp.wav", &o, 4096);
    CHECK(d.err.code == AP_OK && d.count == 8000);
    free(d.frames);
    o.track = 2;
    d = decode_file("ramp.wav", &o, 4096);
    CHECK(!d.opened && strstr(d.err.message, "track 2"));
}

/* stdin may stand in the middle of a file: what was read before is not ours. */
static void reading_begins_where_the_descriptor_stands(void)
{
    static const char *const names[] = {"ramp.wav", "ramp.flac", "ramp.mp3", "ramp.m4a"};
    make_ramp();
    sh("flac -s -f ramp.wav -o ramp.flac; lame --quiet -b 64 ramp.wav ramp.mp3; ffmpeg -v error -y -i "
       "ramp.wav ramp.m4a");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        sh("{ printf '%%1000s' x; cat %s; } >behind", names[i]);
        ap_error err = {0};
        FILE *file = fopen("behind", "rb");
        CHECK(lseek(fileno(file), 1000, SEEK_SET) == 1000);
        decoded d = drain(ap_decode_fd(fileno(file), "behind", NULL, &err), 4096, err);
        if (!CHECK(d.err.code == AP_OK && d.count == 8000))
            fprintf(stderr, "%s: %zu frames, %s\n", names[i], d.count, err.message);
        free(d.frames);
        fclose(file);
    }
}

TEST_MAIN(CASE(a_part_can_be_taken), CASE(a_start_past_the_end_is_an_error),
          CASE(options_out_of_range_are_usage_errors), CASE(rate_and_channels_are_changed),
          CASE(a_wrong_extension_does_not_matter), CASE(au_is_read_as_an_apstream),
          CASE(what_is_no_audio_is_refused), CASE(there_is_one_track_without_a_container),
          CASE(reading_begins_where_the_descriptor_stands))
