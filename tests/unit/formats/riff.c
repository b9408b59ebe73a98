/* SPDX-License-Identifier: GPL-3.0-or-later
 * WAV and RF64 against sox and ffmpeg: sample types, sizes that programs write to pipes, tags, truncation. */
#include "fixture.h"
#include "stream/stream.h"

#include <sndfile.h>

static size_t put16(unsigned char *p, unsigned v)
{
    p[0] = (unsigned char)v;
    p[1] = (unsigned char)(v >> 8);
    return 2;
}

static size_t put32(unsigned char *p, uint32_t v)
{
    put16(p, v & 0xffff);
    put16(p + 2, v >> 16);
    return 4;
}

/* A 16-bit mono WAV at 8 kHz with the given data size in its header, and what follows. */
static void make_wav(const char *path, uint32_t data_size, const void *data, size_t size)
{
    unsigned char h[44];
    memcpy(h, "RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0", 24);
    put32(h + 24, 8000);
    put32(h + 28, 16000);
    put16(h + 32, 2);
    put16(h + 34, 16);
    memcpy(h + 36, "data", 4);
    put32(h + 40, data_size);
    unsigned char *all = malloc(44 + size);
    memcpy(all, h, 44);
    memcpy(all + 44, data, size);
    save(path, all, 44 + size);
    free(all);
}

static void every_sample_type_is_exact(void)
{
    static const char *const codecs[] = {"pcm_u8",    "pcm_s16le", "pcm_s24le",
                                         "pcm_s32le", "pcm_f32le", "pcm_f64le"};
    sh("sox -R -r 44100 -n -c 2 -b 32 -e float in.wav synth 4321s pinknoise vol 0.7");
    for (size_t i = 0; i < 6; i++) {
        sh("ffmpeg -v error -y -i in.wav -c:a %s t.wav && ffmpeg -v error -y -i t.wav -f f32le t.f32",
           codecs[i]);
        decoded d = check_decodes("t.wav", "t.f32", 0, 4321);
        CHECK(d.format.frames == 4321);
        free(d.frames);
        sh("ffmpeg -v error -y -i in.wav -c:a %s -rf64 always t.wav", codecs[i]);
        d = check_decodes("t.wav", "t.f32", 0, 4321);
        free(d.frames);
    }
}

static void every_shape_is_read(void)
{
    static const unsigned rates[] = {8000, 96000, 192000};
    for (unsigned channels = 1; channels <= 8; channels++) {
        sh("sox -R -r %u -n -c %u -b 24 t.wav synth 1001s pinknoise && ffmpeg -v error -y -i t.wav -f f32le "
           "t.f32",
           rates[channels % 3], channels);
        decoded d = check_decodes("t.wav", "t.f32", 0, 1001);
        CHECK(d.format.rate == rates[channels % 3] && d.format.channels == channels);
        free(d.frames);
    }
}

static void the_mask_is_kept(void)
{
    sh("sox -R -r 48000 -n -c 6 -b 24 in.wav synth 1s pinknoise && "
       "ffmpeg -v error -y -i in.wav -af 'aformat=channel_layouts=5.1(side)' t.wav");
    decoded d = decode_file("t.wav", NULL, 4096);
    CHECK(d.format.mask == 0x60f);
    free(d.frames);
}

static void a_pipe_of_sox_or_ffmpeg_goes_to_its_end(void)
{
    sh("sox -R -r 8000 -n -c 1 -b 16 in.wav synth 3s pinknoise && ffmpeg -v error -y -i in.wav -f f32le "
       "t.f32");
    sh("ffmpeg -v error -i in.wav -f wav - | cat >t.wav");
    decoded d = check_decodes("t.wav", "t.f32", 0, AP_UNKNOWN);
    free(d.frames);
    sh("sox --ignore-length in.wav -t wav - 2>/dev/null | cat >t.wav");
    d = check_decodes("t.wav", "t.f32", 0, AP_UNKNOWN);
    free(d.frames);
}

static void unknown_sizes_mean_until_the_end(void)
{
    static const uint32_t sizes[] = {0,          0xffffffff, 0xffffffdb, 0x7fff0000,
                                     0x7fffefff, 0x7fffffff, 0x80000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        make_wav("t.wav", sizes[i], "\1\0\2\0\3\0\4", 7);
        decoded d = decode_file("t.wav", NULL, 2), p = decode_pipe("t.wav", 2);
        CHECK(d.count == 3 && d.frames[2] == 3 / 32768.0f);
        CHECK(p.format.frames == AP_UNKNOWN);
        same_decoded(&d, &p);
        free(d.frames);
        free(p.frames);
    }
}

/* Behind sound of unknown length, too, what goes on as chunks to the very end is none. */
static void chunks_at_the_end_are_no_sound(void)
{
    static const uint32_t sizes[] = {0, 0xffffffff, 0x7ffff000, 0x80000000};
    static const char *const sounds[] = {"\1\0\2\0\3\0LIST\020\0\0\0INFOINAM\4\0\0\0One",
                                         "\1\0\2\0LIST\3\0\0\0", "\1\0\2\0\3\0LIST\020\0\0\0INFOINAM"};
    static const size_t lengths[] = {30, 12, 22}, frames[] = {3, 6, 11};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < 3; k++) {
            make_wav("t.wav", sizes[i], sounds[k], lengths[k]);
            decoded d = decode_file("t.wav", NULL, 16), p = decode_pipe("t.wav", 16);
            same_decoded(&d, &p);
            free(p.frames);
            if (!CHECK(d.count == frames[k] && d.format.frames == frames[k] && !d.warned && !p.warned) ||
                !CHECK(k != 0 || strcmp(d.title, "One") == 0))
                fprintf(stderr, "%08x, %zu: %zu frames\n", (unsigned)sizes[i], k, d.count);
            free(d.frames);
        }
}

/* By a pipe that gives little at a time, too; names of chunks within the sound, of which one goes on for
 * more than can be looked at, end nothing. */
static void chunks_at_the_end_of_a_pipe_are_no_sound(void)
{
    enum { SOUND = 300000, SIZE = SOUND + 8 + 1024 + 12 };
    unsigned char *bytes = calloc(1, SIZE);
    for (size_t i = 0; i < SOUND; i++)
        bytes[i] = (unsigned char)(i * i >> 3);
    memcpy(bytes + 1000, "LIST\4\0\0\0INFOcue ", 16);
    memcpy(bytes + 5001, "LIST\4\0\0\0INFO", 12);
    memcpy(bytes + 20000, "bext\0\0\3", 8);
    memcpy(bytes + SOUND, "bext\0\4\0", 8);
    memcpy(bytes + SIZE - 12, "LIST\4\0\0\0INFO", 12);
    make_wav("t.wav", 0xffffffff, bytes, SIZE);
    decoded d = decode_file("t.wav", NULL, 4096), p = decode_pipe("t.wav", 4096),
            slow = decode_command("dd bs=7 status=none <t.wav", "t.wav", 1000);
    CHECK(d.count == SOUND / 2);
    same_decoded(&d, &p);
    same_decoded(&d, &slow);
    free(d.frames);
    free(p.frames);
    free(slow.frames);
    free(bytes);
}

static void no_frames_are_no_error(void)
{
    make_wav("t.wav", 0, "LIST\4\0\0\0INFO", 12);
    decoded d = decode_file("t.wav", NULL, 16), p = decode_pipe("t.wav", 16);
    CHECK(d.opened && d.count == 0 && d.err.code == AP_OK && d.format.frames == 0);
    CHECK(p.opened && p.count == 0 && p.err.code == AP_OK);
    free(d.frames);
    free(p.frames);
}

/* A file of a header, an empty data chunk, and what follows it. */
static void check_empty(const char *header, const char *chunk)
{
    sh("printf '%%b%%b' '%s' '%s' >t.wav", header, chunk);
    decoded d = decode_file("t.wav", NULL, 16), p = decode_pipe("t.wav", 16);
    if (!CHECK(d.opened && d.count == 0 && d.err.code == AP_OK && !d.warned) ||
        !CHECK(p.opened && p.count == 0 && p.err.code == AP_OK && !p.warned))
        fprintf(stderr, "%s%s: %zu and %zu frames\n", header, chunk, d.count, p.count);
    free(d.frames);
    free(p.frames);
}

static void chunks_are_no_sound(void)
{
    static const char *const headers[] = {
        "RIFF\\0\\0\\0\\0WAVEfmt "
        "\\020\\0\\0\\0\\01\\0\\01\\0\\0100\\037\\0\\0\\0200>\\0\\0\\02\\0\\020\\0data\\0\\0\\0\\0",
        "RF64\\0377\\0377\\0377\\0377WAVEds64\\034\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\"
        "0\\0"
        "\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0fmt "
        "\\020\\0\\0\\0\\01\\0\\01\\0\\0100\\037\\0\\0\\0200>\\0\\0\\02\\0\\020\\0data"
        "\\0377\\0377\\0377\\0377"};
    static const char *const chunks[] = {"bext\\04\\0\\0\\0text", "cue \\04\\0\\0\\0\\0\\0\\0\\0",
                                         "_PMX\\07\\0\\0\\0<x/>   \\0LIST\\04\\0\\0\\0INFO",
                                         "XyZ1\\02\\0\\0\\0abXyZ2\\0\\0\\0\\0", ""};
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 5; k++)
            check_empty(headers[i], chunks[k]);
    sh("sox -n -r 8000 -c 1 -b 16 t.w64 trim 0 0 && printf "
       "'bext\\363\\254\\323\\021\\214\\321\\0\\300O\\216\\333"
       "\\212\\040\\0\\0\\0\\0\\0\\0\\0abcdefgh' >>t.w64");
    decoded d = decode_file("t.w64", NULL, 16), p = decode_pipe("t.w64", 16);
    CHECK(d.opened && d.count == 0 && !d.warned && p.opened && p.count == 0 && !p.warned);
    free(d.frames);
    free(p.frames);
}

/* A recorder died before it filled in the sizes a last time; a pipe is read as it says, but not without a
 * word. */
static void a_size_that_is_too_small_is_noticed(void)
{
    sh("sox -R -r 8000 -n -c 1 -b 16 in.wav synth 4000s pinknoise && tail -c 8000 in.wav >body");
    size_t size;
    unsigned char *body = load("body", &size);
    make_wav("t.wav", 1000, body, size);
    decoded d = decode_file("t.wav", NULL, 4096), p = decode_pipe("t.wav", 4096);
    CHECK(d.count == 4000 && d.format.frames == 4000 && strstr(d.warning, "longer than its header tells"));
    CHECK(p.count == 500 && strstr(p.warning, "goes on after the end"));
    free(d.frames);
    free(p.frames);
    free(body);
    sh("cat in.wav in.wav >t.wav");
    d = decode_file("t.wav", NULL, 4096), p = decode_pipe("t.wav", 4096);
    CHECK(d.count == 4000 && strstr(d.warning, "goes on after the end"));
    CHECK(p.count == 4000 && strstr(p.warning, "goes on after the end"));
    free(d.frames);
    free(p.frames);
}

/* Padding, and tags that are no chunks. */
static void what_stands_behind_may_be_no_sound(void)
{
    static const char *const ways[] = {"head -c 2000 /dev/zero", "printf 'TAG%0125d' 0",
                                       "printf 'APETAGEX%056d' 0", "printf 'LIST\\377\\0\\0\\0INFO'"};
    sh("sox -R -r 8000 -n -c 1 -b 16 in.wav synth 4000s pinknoise");
    for (size_t i = 0; i < 4; i++) {
        sh("{ cat in.wav; %s; } >t.wav", ways[i]);
        decoded d = decode_file("t.wav", NULL, 4096), p = decode_pipe("t.wav", 4096);
        if (!CHECK(d.count == 4000 && !d.warned && p.count == 4000 && !p.warned))
            fprintf(stderr, "%s: %zu %s, %zu %s\n", ways[i], d.count, d.warning, p.count, p.warning);
        free(d.frames);
        free(p.frames);
    }
}

/* Of a sparse file of 4 GiB and a bit: the sizes are those of the bit. */
static void sizes_that_have_wrapped_are_noticed(void)
{
    make_wav("t.wav", 1000, "\1\40\1\40", 4);
    for (int tail = 0; tail < 2; tail++) {
        sh("truncate -s %llu t.wav", 44 + (1ull << 32) + 1000);
        if (tail)
            sh("printf 'LIST\\04\\0\\0\\0INFO' >>t.wav");
        ap_stream *s = ap_decode("t.wav", NULL, NULL);
        const char *warning = s ? ap_stream_warning(s) : NULL;
        CHECK(s && s->format.frames == ((1ull << 32) + 1000) / 2);
        CHECK(warning && strstr(warning, "longer than its header tells"));
        ap_close(&s);
    }
    sh("rm t.wav");
}

/* sox writes the header of Wave64 to a pipe three times, before and behind the sound, and never a length. */
static void soxs_wave64_from_a_pipe_is_read(void)
{
    static const char *const kinds[] = {"-b 16", "-b 24", "-e float -b 32"};
    for (size_t i = 0; i < 3; i++) {
        sh("sox -R -r 8000 -n -c 2 -b 16 piped.wav synth 1001s pinknoise && "
           "sox -D piped.wav %s -t w64 - | cat >piped.w64",
           kinds[i]);
        decoded want = decode_file("piped.wav", NULL, 4096);
        decoded d = decode_file("piped.w64", NULL, 4096), p = decode_pipe("piped.w64", 4096);
        CHECK(d.err.code == AP_OK && !d.warned && !p.warned);
        same_decoded(&want, &d);
        same_decoded(&want, &p);
        free(want.frames);
        free(d.frames);
        free(p.frames);
    }
    sh("sox -R -r 8000 -n -c 2 -t w64 - trim 0 0 | cat >piped.w64");
    decoded d = decode_file("piped.w64", NULL, 4096);
    CHECK(d.err.code == AP_OK && d.count == 0);
    free(d.frames);
    flip_bits("piped.w64", 150);
}

static void a_short_data_chunk_is_truncated(void)
{
    sh("sox -R -r 8000 -n -c 2 -b 24 t.wav synth 1000s pinknoise");
    size_t size = file_size("t.wav");
    check_fails(cut("t.wav", size - 1), "truncated");
    check_fails(cut("t.wav", size / 2), "truncated");
    check_fails(cut("t.wav", 100), "truncated");
    decoded d = decode_file("cut.t.wav", NULL, 4096);
    CHECK(!d.opened); /* known before anything is read */
    for (size_t n = 1; n < 60; n++)
        check_fails(cut("t.wav", n), "");
}

static void tags_before_and_after_the_data(void)
{
    static const char list[] = "LIST\x1a\0\0\0INFOINAM\5\0\0\0Hello\0IXYZ\0\0\0\0";
    unsigned char data[256] = {1, 2, 3};
    memcpy(data + 4, list, sizeof list - 1); /* 3 bytes of data and the padding */
    make_wav("t.wav", 3, data, 4 + sizeof list - 1);
    decoded d = decode_file("t.wav", NULL, 4096);
    CHECK(strcmp(d.title, "Hello") == 0 && d.count == 1);
    free(d.frames);
    sh("ffmpeg -v error -y -i t.wav -metadata title=Before u.wav");
    d = decode_pipe("u.wav", 4096);
    CHECK(strcmp(d.title, "Before") == 0);
    free(d.frames);
}

static void what_is_not_finite_becomes_silence(void)
{
    static const float x[] = {0.5f, NAN, INFINITY, -0.5f};
    save("t.raw", x, sizeof x);
    sh("sox -t raw -r 8000 -e float -b 32 -c 1 t.raw -t f32 /dev/null; "
       "ffmpeg -v error -y -f f32le -ar 8000 -ac 1 -i t.raw -c:a pcm_f32le t.wav");
    decoded d = decode_file("t.wav", NULL, 4096);
    CHECK(d.count == 4 && d.frames[0] == 0.5f && d.frames[1] == 0 && d.frames[2] == 0 &&
          d.frames[3] == -0.5f);
    CHECK(d.warned);
    free(d.frames);
}

static void other_codecs_go_to_libsndfile(void)
{
    static const char *const codecs[] = {"pcm_mulaw", "pcm_alaw", "adpcm_ms", "adpcm_ima_wav"};
    sh("sox -R -r 44100 -n -c 2 -b 16 in.wav synth 20000s pinknoise");
    for (size_t i = 0; i < 4; i++) {
        sh("ffmpeg -v error -y -i in.wav -c:a %s t.wav && ffmpeg -v error -y -i t.wav -f f32le t.f32",
           codecs[i]);
        decoded d = check_decodes("t.wav", "t.f32", i == 3 ? 2e-3 : 0, AP_UNKNOWN); /* IMA rounds */
        free(d.frames);
        check_fails(cut("t.wav", file_size("t.wav") / 2), "truncated");
    }
}

/* WAV with MP3 in it is as long as its MPEG frames; ffmpeg decodes all of them, too. Chunks behind it are no
 * part. */
static void mp3_in_wav_is_as_long_as_its_frames(void)
{
    static const char *const ways[] = {"-t -b 128", "-t -V 2", "-b 64"};
    for (size_t i = 0; i < 3; i++) {
        sh("sox -R -r 44100 -n -c 2 -b 16 in.wav synth 100000s pinknoise && lame --quiet %s in.wav t.mp3 && "
           "ffmpeg -v error -y -i t.mp3 -c copy -metadata title=T t.wav && "
           "ffmpeg -v error -y -i t.wav -f f32le t.f32",
           ways[i]);
        uint64_t frames = file_size("t.f32") / 8;
        decoded d = decode_file("t.wav", NULL, 4096), p = decode_pipe("t.wav", 4096);
        CHECK(d.err.code == AP_OK && d.count == frames && !d.warned && strcmp(d.title, "T") == 0);
        same_decoded(&d, &p);
        free(p.frames);
        check_fails(cut("t.wav", file_size("t.wav") / 2), "truncated");
        p = decode_pipe("cut.t.wav", 4096);
        CHECK(p.err.code == AP_FAILED && strstr(p.err.message, "truncated"));
        free(p.frames);
        sh("printf 'bext\\04\\0\\0\\0text' >>t.wav");
        p = decode_file("t.wav", NULL, 4096);
        CHECK(p.count == frames && !p.warned);
        free(p.frames);
        free(d.frames);
    }
}

/* The last block of ADPCM is filled up; the fact chunk tells how much of it is sound. */
static void a_fact_chunk_tells_the_length_of_block_codecs(void)
{
    static const char *const codecs[] = {"ms-adpcm", "ima-adpcm", "gsm-full-rate"};
    for (size_t i = 0; i < 3; i++) {
        sh("sox -R -r 8000 -n -c 1 -b 16 in.wav synth 12345s pinknoise && sox in.wav -e %s t.wav", codecs[i]);
        decoded d = decode_file("t.wav", NULL, 4096);
        if (!CHECK(d.err.code == AP_OK && d.count == 12345 && d.format.frames == 12345))
            fprintf(stderr, "%s: %zu frames\n", codecs[i], d.count);
        free(d.frames);
    }
}

/* libsndfile writes the frames of stereo IMA ADPCM divided by two there. */
static void a_fact_chunk_of_libsndfile_halves_nothing(void)
{
    SF_INFO info = {.samplerate = 8000, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM};
    static const size_t counts[] = {1000, 12345, 100000};
    for (size_t i = 0; i < 3; i++) {
        enter_folder();
        float *x = calloc(2 * counts[i], sizeof *x);
        SNDFILE *file = sf_open("t.wav", SFM_WRITE, &info);
        CHECK(file && x && sf_writef_float(file, x, (sf_count_t)counts[i]) == (sf_count_t)counts[i]);
        sf_close(file);
        free(x);
        sh("ffmpeg -v error -y -i t.wav -f f32le t.f32");
        decoded d = decode_file("t.wav", NULL, 4096);
        CHECK(d.err.code == AP_OK && d.count >= counts[i] && d.count == file_size("t.f32") / 8);
        free(d.frames);
    }
}

static void absurd_headers_are_refused(void)
{
    unsigned char *bytes;
    size_t size;
    make_wav("t.wav", 4, "\1\0\2\0", 4);
    bytes = load("t.wav", &size);
    put32(bytes + 24, 0); /* rate */
    save("t.wav", bytes, size);
    check_fails("t.wav", "sample rate");
    put32(bytes + 24, 8000);
    put16(bytes + 22, 65535); /* channels */
    save("t.wav", bytes, size);
    check_fails("t.wav", "");
    put16(bytes + 22, 0);
    save("t.wav", bytes, size);
    check_fails("t.wav", "");
    free(bytes);
}

static void flipped_bits_do_no_harm(void)
{
    sh("sox -R -r 8000 -n -c 2 -b 24 in.wav synth 300s pinknoise && "
       "ffmpeg -v error -y -i in.wav -metadata title=T -rf64 always t.wav");
    flip_bits("t.wav", 300);
}

TEST_MAIN(CASE(every_sample_type_is_exact), CASE(every_shape_is_read), CASE(the_mask_is_kept),
          CASE(a_pipe_of_sox_or_ffmpeg_goes_to_its_end), CASE(unknown_sizes_mean_until_the_end),
          CASE(chunks_at_the_end_are_no_sound), CASE(chunks_at_the_end_of_a_pipe_are_no_sound),
          CASE(no_frames_are_no_error), CASE(chunks_are_no_sound), CASE(a_size_that_is_too_small_is_noticed),
          CASE(what_stands_behind_may_be_no_sound), CASE(sizes_that_have_wrapped_are_noticed),
          CASE(soxs_wave64_from_a_pipe_is_read), CASE(a_short_data_chunk_is_truncated),
          CASE(tags_before_and_after_the_data), CASE(what_is_not_finite_becomes_silence),
          CASE(other_codecs_go_to_libsndfile), CASE(mp3_in_wav_is_as_long_as_its_frames),
          CASE(a_fact_chunk_tells_the_length_of_block_codecs),
          CASE(a_fact_chunk_of_libsndfile_halves_nothing), CASE(absurd_headers_are_refused),
          CASE(flipped_bits_do_no_harm))
