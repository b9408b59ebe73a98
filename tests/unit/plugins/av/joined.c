/* SPDX-License-Identifier: GPL-3.0-or-later
 * What stands behind the end of what libav reads: another file, or tags. */
#include "fixture.h"

static void make_sounds(void)
{
    sh("sox -R -r 44100 -n -c 2 -b 16 a.wav synth 44100s pinknoise vol 0.6 && "
       "sox -R -r 44100 -n -c 2 -b 16 b.wav synth 22050s sine 440 vol 0.6");
}

/* Fails the case unless both by a file and by a pipe that many frames come, with this in the warning; NULL:
 * there is none. */
static void check_joined(const char *name, size_t frames, const char *warning)
{
    decoded d = decode_file(name, NULL, 4096), p = decode_pipe(name, 4096);
    same_decoded(&d, &p);
    bool right = CHECK(d.count == frames && d.warned == !!warning && p.warned == d.warned) &&
                 CHECK(!warning || (strstr(d.warning, warning) && strstr(p.warning, warning)));
    if (!right)
        fprintf(stderr, "%s: %zu frames, not %zu, '%s', by a pipe '%s'\n", name, d.count, frames, d.warning,
                p.warning);
    free(d.frames);
    free(p.frames);
}

static size_t count_of(const char *name)
{
    decoded d = decode_file(name, NULL, 4096);
    free(d.frames);
    return d.count;
}

/* Of the file aTYPE, and of abTYPE, which goes on with a second one; the frames of the first. */
static size_t check_both(const char *type)
{
    char name[64];
    snprintf(name, sizeof name, "a%s", type);
    size_t frames = count_of(name);
    CHECK(frames >= 8000);
    check_joined(name, frames, NULL);
    snprintf(name, sizeof name, "ab%s", type);
    check_joined(name, frames, "goes on after the end");
    return frames;
}

/* libav stops at the end that the first one tells. */
static void what_is_joined_is_noticed(void)
{
    static const char *const ways[] = {
        "-c:a aac X.m4a",       "-c:a aac -movflags frag_keyframe+empty_moov X.mp4",
        "-c:a pcm_s16le X.mov", "-c:a wavpack X.wv",
        "-c:a tta X.tta",       "-c:a wmav2 X.wma",
        "-c:a mp3 X.flv",       "-c:a pcm_s16le X.voc",
        "-c:a libvorbis X.nut", "-c:a ac3 X.wtv",
        "-ar 8000 -ac 1 X.mmf"};
    make_sounds();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const char *type = strrchr(ways[i], '.');
        char name[64];
        sh("for x in a b; do ffmpeg -v error -y -i $x.wav $(echo '%s' | sed s/X/$x/); done; cat a%s b%s "
           ">ab%s; "
           "flac -s -f a.wav && cat a%s a.flac >mixed%s",
           ways[i], type, type, type, type, type);
        size_t frames = check_both(type);
        snprintf(name, sizeof name, "mixed%s", type);
        if (!strstr(".flv .wtv .nut", type)) /* whose parts have no magic that a stranger lacks */
            check_joined(name, frames, "");
    }
}

/* The headers of the second ones are no sound, and what the first one tells of is all there. */
static void old_formats_end_where_they_say(void)
{
    static const char *const types[] = {".voc", ".sph", ".8svx", ".ircam", ".paf", ".pvf", ".wve", ".hcom"};
    make_sounds();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const char *type = types[i];
        char name[64];
        sh("for x in a b; do sox -V1 -D $x.wav -c 1 -b 16 $x%s || sox -V1 -D $x.wav -c 1 $x%s; done; cat "
           "a%s b%s >ab%s; "
           "head -c 5000 a%s >cut%s",
           type, type, type, type, type, type, type);
        (void)check_both(type);
        snprintf(name, sizeof name, "cut%s", type);
        decoded d = decode_file(name, NULL, 4096);
        bool tells = !strstr(".ircam .paf .pvf", type);
        if (!CHECK(!tells || (d.err.code == AP_FAILED && strstr(d.err.message, "truncated"))))
            fprintf(stderr, "%s: %s\n", name, d.err.message);
        free(d.frames);
    }
}

static void a_voc_of_several_blocks_is_whole(void)
{
    make_sounds();
    sh("ffmpeg -v error -y -i a.wav -c:a pcm_s16le f.voc; sox -D b.wav s.voc; cat f.voc s.voc >fs.voc; cat "
       "s.voc f.voc >sf.voc");
    check_joined("f.voc", 44100, NULL);
    check_joined("fs.voc", 44100, "goes on after the end");
    check_joined("sf.voc", 22050, "goes on after the end");
}

/* What libav reads through is all there. */
static void what_is_read_through_needs_no_warning(void)
{
    static const char *const ways[] = {"-c:a aac X.aac", "-c:a ac3 X.ac3", "-c:a dca -strict -2 X.dts"};
    make_sounds();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const char *type = strrchr(ways[i], '.');
        char name[3][64];
        sh("for x in a b; do ffmpeg -v error -y -i $x.wav $(echo '%s' | sed s/X/$x/); done; cat a%s b%s "
           ">ab%s",
           ways[i], type, type, type);
        for (int k = 0; k < 3; k++)
            snprintf(name[k], sizeof name[k], "%s%s", k == 0 ? "a" : k == 1 ? "b" : "ab", type);
        check_joined(name[2], count_of(name[0]) + count_of(name[1]), NULL);
    }
    sh("wavpack -q -y a.wav && wavpack -q -y b.wav && cat a.wv b.wv >ab.wv");
    check_joined("ab.wv", 44100 + 22050, NULL);
}

/* An APEv2 tag with a header and one item of 3 bytes, ID3v1, as they stand behind any format. */
static void tags_at_the_end_are_no_damage(void)
{
    static const unsigned char ape[] = "APETAGEX\xd0\x07\0\0\x31\0\0\0\1\0\0\0\0\0\0\xa0\0\0\0\0\0\0\0\0"
                                       "\3\0\0\0\0\0\0\0Title\0Ape"
                                       "APETAGEX\xd0\x07\0\0\x31\0\0\0\1\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0";
    static const char *const ways[] = {"-c:a ac3 t.ac3",   "-c:a eac3 t.eac3", "-c:a dca -strict -2 t.dts",
                                       "-c:a aac t.aac",   "-c:a mp2 t.mp2",   "-c:a tta t.tta",
                                       "-c:a wmav2 t.wma", "-c:a aac t.m4a",   "-c:a aac t.mka"};
    static const char *const tails[] = {"id3", "ape", "ape id3"};
    unsigned char id3[128] = "TAGOne";
    make_sounds();
    save("ape", ape, sizeof ape - 1);
    save("id3", id3, sizeof id3);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const char *name = strrchr(ways[i], ' ') + 1;
        sh("ffmpeg -v error -y -i b.wav %s", ways[i]);
        size_t frames = count_of(name);
        for (size_t k = 0; k < sizeof tails / sizeof *tails; k++) {
            sh("cat %s %s >tagged", name, tails[k]);
            check_joined("tagged", frames, NULL);
        }
    }
}

TEST_MAIN(CASE(what_is_joined_is_noticed), CASE(old_formats_end_where_they_say),
          CASE(a_voc_of_several_blocks_is_whole), CASE(what_is_read_through_needs_no_warning),
          CASE(tags_at_the_end_are_no_damage))
