/* SPDX-License-Identifier: GPL-3.0-or-later
 * Kinds of files, as sox, ffmpeg and zip write them. */
#include "formats/file_type.h"
#include "fixture.h"

static const struct {
    const char *made, *type; /* what a program writes as made.EXTENSION */
    bool sndfile, container;
} rows[] = {
    {"sox.wav", "wav", true, true},       {"sox.aiff", "aiff", true, true},
    {"sox.au", "au", true, false},        {"sox.w64", "w64", true, false},
    {"sox.caf", "caf", true, false},      {"sox.voc", NULL, true, false},
    {"sox.sph", NULL, true, false},       {"sox.flac", "flac", false, false},
    {"sox.ogg", "ogg", false, true},      {"ffmpeg.opus", "opus", false, true},
    {"ffmpeg.m4a", "m4a", false, true},   {"ffmpeg.mp4", "mp4", false, true},
    {"ffmpeg.mov", "mp4", false, true},   {"ffmpeg.mka", "mkv", false, true},
    {"ffmpeg.webm", "webm", false, true}, {"ffmpeg.avi", "avi", false, true},
    {"ffmpeg.mp3", "mp3", false, false},  {"ffmpeg.asf", NULL, false, true},
    {"ffmpeg.mpg", NULL, false, true},    {"ffmpeg.ts", NULL, false, true},
};

static void check_type(const char *name, const char *type, bool sndfile, bool container)
{
    size_t size;
    unsigned char *bytes = load(name, &size);
    const char *got = ap_file_type_of(bytes, size < 64 ? size : 64);
    if (!CHECK(type ? got && strcmp(got, type) == 0 : !got) ||
        !CHECK(ap_is_sndfile(bytes, size) == sndfile) || !CHECK(ap_is_container(bytes, size) == container))
        fprintf(stderr, "%s: %s\n", name, got ? got : "no type");
    /* Whose own signatures tell too little. */
    bool unsure = strstr("ffmpeg.avi ffmpeg.mp3 ffmpeg.mpg ffmpeg.ts tone.zip", name);
    CHECK(ap_is_next_file(bytes, size) == ((type || sndfile || container) && !unsure));
    const bool by_name = ap_is_sound_name(name), by_bytes = ap_is_sound(bytes, size);
    CHECK(!by_bytes || by_name);
    CHECK(by_bytes == (by_name && type && strcmp(type, "mkv") != 0));
    CHECK(!ap_is_tag(bytes, size) || strcmp(name, "ffmpeg.mp3") == 0);
    free(bytes);
}

static void files_are_what_wrote_them(void)
{
    sh("sox -R -r 44100 -n -c 2 -b 16 tone.wav synth 1 sine 440 vol 0.5");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name = rows[i].made;
        if (strncmp(name, "sox.", 4) == 0)
            sh("sox -R tone.wav %s", name);
        else
            sh("ffmpeg -v error -y -i tone.wav %s", name);
        check_type(name, rows[i].type, rows[i].sndfile, rows[i].container);
    }
    sh("zip -q tone.zip tone.wav");
    check_type("tone.zip", "zip", false, true);
}

static void riff_is_not_always_sound(void)
{
    CHECK(ap_is_wave((const unsigned char *)"RIFF\0\0\0\0WAVE", 12));
    CHECK(ap_is_wave((const unsigned char *)"RF64\0\0\0\0WAVE", 12));
    CHECK(!ap_is_wave((const unsigned char *)"RIFF\0\0\0\0AVI ", 12));
    CHECK(!ap_is_wave((const unsigned char *)"RIFF\0\0\0\0WAVE", 11));
    CHECK(!ap_is_wave((const unsigned char *)"XXXX\0\0\0\0WAVE", 12));
    CHECK(!ap_is_sndfile((const unsigned char *)"RIFF", 4));
}

static void tags_behind_sound(void)
{
    static const char *const tags[] = {"TAGtitle...", "ID3\3\0\0\0\0\0\0\0", "APETAGEX\0\0\0", "LYRICSBEGIN"};
    for (size_t i = 0; i < 4; i++)
        CHECK(ap_is_tag((const unsigned char *)tags[i], 11));
    CHECK(ap_is_tag((const unsigned char *)"APE", 3)); /* as far as it goes */
    CHECK(!ap_is_tag((const unsigned char *)"APETAGEY...", 11));
    CHECK(!ap_is_tag((const unsigned char *)"\xff\xfb\x90\0.......", 11));
}

TEST_MAIN(CASE(files_are_what_wrote_them), CASE(riff_is_not_always_sound), CASE(tags_behind_sound))
