/* SPDX-License-Identifier: GPL-3.0-or-later
 * FLAC against flac and ffmpeg: shapes, damage, pipes, Ogg. */
#include "noise.h"

static void flac_is_exact(void)
{
    static const unsigned shapes[][3] = {{8000, 1, 8},   {44100, 2, 16},  {48000, 6, 24},
                                         {96000, 8, 16}, {192000, 2, 24}, {22050, 3, 16}};
    for (size_t i = 0; i < 6; i++) {
        make_noise(shapes[i][0], shapes[i][1], shapes[i][2], 10007);
        sh("flac -s -f --channel-map=none noise.wav -o t.flac");
        check_file("t.flac", 0, 10007);
    }
}

static void one_frame_of_flac(void)
{
    make_noise(44100, 2, 16, 1);
    sh("flac -s -f noise.wav -o t.flac");
    check_file("t.flac", 0, 1);
}

static void flac_of_unknown_length_is_read(void)
{
    make_noise(44100, 2, 16, 30000);
    sh("flac -s -f -c - <noise.wav --endian=little --sign=signed --channels=2 --bps=16 --sample-rate=44100 "
       "--force-raw-format | cat >t.flac; ffmpeg -v error -y -i noise.wav -f flac - | cat >t.flac");
    decoded d = decode_file("t.flac", NULL, 4096), p = decode_pipe("t.flac", 100);
    CHECK(d.count == 30000);
    same_decoded(&d, &p);
    free(d.frames);
    free(p.frames);
}

static void id3_before_flac_is_read(void)
{
    make_noise(44100, 2, 16, 5000);
    sh("flac -s -f noise.wav -o t.flac && printf 'ID3\\3\\0\\0\\0\\0\\0\\020TIT2\\0\\0\\0\\6\\0\\0\\0Hello' "
       ">t2.flac && "
       "cat t.flac >>t2.flac && ffmpeg -v error -y -i t.flac -f f32le ref.f32");
    decoded d = check_decodes("t2.flac", "ref.f32", 0, 5000);
    CHECK(strcmp(d.title, "Hello") == 0);
    free(d.frames);
}

/* APEv2 with header, an item of 3 bytes, and footer (the APE tag specification), Lyrics3v2, ID3v1. */
static void tags_behind_flac_are_no_sound(void)
{
    static const unsigned char ape[] = "APETAGEX\xd0\x07\0\0\x31\0\0\0\1\0\0\0\0\0\0\xa0\0\0\0\0\0\0\0\0"
                                       "\3\0\0\0\0\0\0\0Title\0Ape"
                                       "APETAGEX\xd0\x07\0\0\x31\0\0\0\1\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0";
    static const char lyrics[] = "LYRICSBEGININD0000210LYR00005[la]x000034LYRICS200";
    unsigned char id3[128] = "TAGOne";
    save("ape", ape, sizeof ape - 1);
    save("lyrics", lyrics, sizeof lyrics - 1);
    save("id3", id3, sizeof id3);
    make_noise(44100, 2, 16, 20000);
    sh("flac -s -f --no-padding noise.wav -o known.flac && ffmpeg -v error -i noise.wav -f flac - | cat "
       ">unknown.flac && "
       "ffmpeg -v error -y -i "
       "noise.wav -f f32le ref.f32");
    static const char *const tails[] = {"ape",           "id3", "lyrics id3", "ape id3", "ape lyrics id3",
                                        "lyrics ape id3"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        for (int k = 0; k < 2; k++) {
            sh("cat %s.flac %s >t.flac", k ? "unknown" : "known", tails[i]);
            decoded d = check_decodes("t.flac", "ref.f32", 0, 20000);
            if (!CHECK(!d.warned))
                fprintf(stderr, "%s: '%s'\n", tails[i], d.warning);
            free(d.frames);
        }
}

static void what_is_joined_is_noticed(void)
{
    make_noise(44100, 2, 16, 20000);
    sh("flac -s -f noise.wav -o one.flac && cat one.flac one.flac >t.flac && "
       "ffmpeg -v error -y -i noise.wav -f f32le ref.f32");
    decoded file = check_decodes("t.flac", "ref.f32", 0, 20000), pipe = decode_pipe("t.flac", 4096);
    CHECK(file.warned && strstr(file.warning, "goes on after the end"));
    CHECK(pipe.count == 20000 && pipe.warned && strstr(pipe.warning, "goes on after the end"));
    free(file.frames);
    free(pipe.frames);
    sh("{ cat one.flac; printf 'TAG%%0125d' 0; cat one.flac; } >t.flac");
    file = check_decodes("t.flac", "ref.f32", 0, 20000), pipe = decode_pipe("t.flac", 4096);
    CHECK(strstr(file.warning, "goes on after the end") && strstr(pipe.warning, "goes on after the end"));
    free(file.frames);
    free(pipe.frames);
}

static void flac_in_ogg_is_exact(void)
{
    make_noise(44100, 2, 24, 30000);
    sh("flac -s -f --ogg -T title=Title noise.wav -o t.oga");
    check_file("t.oga", 0, 30000);
    decoded d = decode_pipe("t.oga", 100);
    CHECK(strcmp(d.title, "Title") == 0);
    free(d.frames);
    check_fails(cut("t.oga", file_size("t.oga") / 2), "truncated");
}

static void truncation_is_noticed(void)
{
    make_noise(44100, 2, 16, 60000);
    sh("flac -s -f noise.wav -o t.flac && ffmpeg -v error -y -i noise.wav -f flac - | cat >unknown.flac");
    size_t size = file_size("t.flac");
    check_fails(cut("t.flac", size - 1), "truncated");
    check_fails(cut("t.flac", size / 2), "truncated");
    check_fails(cut("t.flac", 100), "truncated");
    check_fails(cut("t.flac", 20), "truncated");
    check_fails(cut("unknown.flac", size / 2), "truncated");
    check_fails(cut("unknown.flac", size - 100), "truncated");
}

/* The rest of the music stays where it was. */
static void damage_becomes_silence(void)
{
    size_t size;
    make_noise(44100, 2, 16, 200000);
    sh("flac -s -f noise.wav -o t.flac");
    decoded whole = decode_file("t.flac", NULL, 4096);
    unsigned char *bytes = load("t.flac", &size);
    for (int i = 0; i < 3; i++) {
        memset(bytes + size / 2, 0x55, i == 0 ? 1 : i == 1 ? 3000 : 40000);
        save("bad.flac", bytes, size);
        decoded d = decode_file("bad.flac", NULL, 4096), p = decode_pipe("bad.flac", 99);
        same_decoded(&d, &p);
        CHECK(d.count == 200000 && d.warned);
        CHECK(memcmp(d.frames, whole.frames, 80000 * 2 * sizeof(float)) == 0);
        CHECK(memcmp(d.frames + 160000 * 2, whole.frames + 160000 * 2, 40000 * 2 * sizeof(float)) == 0);
        free(d.frames);
        free(p.frames);
    }
    memmove(bytes + size / 2, bytes + size / 2 + 5000, size - size / 2 - 5000);
    save("gone.flac", bytes, size - 5000);
    decoded d = decode_file("gone.flac", NULL, 4096);
    CHECK(d.count == 200000 && d.warned);
    CHECK(memcmp(d.frames + 160000 * 2, whole.frames + 160000 * 2, 40000 * 2 * sizeof(float)) == 0);
    free(d.frames);
    free(bytes);
    free(whole.frames);
}

static void silence_is_kept(void)
{
    sh("sox -R -r 44100 -n -c 2 -b 16 noise.wav trim 0 50000s pad 0 30000s && flac -s -f noise.wav -o "
       "t.flac");
    check_file("t.flac", 0, 80000);
}

static void flipped_bits_do_no_harm(void)
{
    make_noise(44100, 2, 16, 20000);
    sh("flac -s -f -T title=T noise.wav -o t.flac && flac -s -f --ogg noise.wav -o t.oga");
    flip_bits("t.flac", 200);
    flip_bits("t.oga", 50);
}

TEST_MAIN(CASE(flac_is_exact), CASE(one_frame_of_flac), CASE(flac_of_unknown_length_is_read),
          CASE(what_is_joined_is_noticed), CASE(id3_before_flac_is_read), CASE(tags_behind_flac_are_no_sound),
          CASE(flac_in_ogg_is_exact), CASE(truncation_is_noticed), CASE(damage_becomes_silence),
          CASE(silence_is_kept), CASE(flipped_bits_do_no_harm))
