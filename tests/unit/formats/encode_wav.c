/* SPDX-License-Identifier: GPL-3.0-or-later
 * Headers of WAV and RF64, in files and in pipes, where the length is not known at first. */
#include "encode_help.h"

#include <sys/wait.h>

static uint64_t little(const unsigned char *p, int size)
{
    uint64_t v = 0;
    while (size--)
        v = v << 8 | p[size];
    return v;
}

/* Writes to a pipe what the source gives until it fails, and returns the first bytes. */
static size_t first_bytes(ap_stream *s, const char *format, ap_bits bits, unsigned char *bytes, size_t size)
{
    int ends[2];
    ap_encode_options o = options_for(format);
    o.bits = bits;
    CHECK(pipe(ends) == 0);
    (void)ap_encode_fd(s, ends[1], "a pipe", &o, NULL);
    close(ends[1]);
    ssize_t n = read(ends[0], bytes, size);
    close(ends[0]);
    return n < 0 ? 0 : (size_t)n;
}

static void wav_streams_to_a_pipe(void)
{
    float x[2 * 100] = {0};
    unsigned char h[1000];
    CHECK(first_bytes(over(x, 44100, 2, 100), "wav", AP_BITS_16, h, sizeof h) == 44 + 400);
    CHECK(little(h + 4, 4) == 36 + 400 && little(h + 40, 4) == 400);
    odd_source o = {x, 2, 100, 0, false};
    ap_format unknown = {44100, 2, 0, AP_UNKNOWN};
    CHECK(first_bytes(ap_source(&unknown, odd_pull, NULL, &o, NULL), "wav", AP_BITS_16, h, sizeof h) == 444);
    CHECK(little(h + 4, 4) == UINT32_MAX && little(h + 40, 4) == UINT32_MAX);
    CHECK(first_bytes(over(x, 44100, 1, 101), "wav", AP_BITS_24, h, sizeof h) == 68 + 303 + 1);
    CHECK(little(h + 4, 4) == 60 + 304 && little(h + 64, 4) == 303);
}

static void large_wav_is_rf64(void)
{
    float x[2 * 10] = {0};
    unsigned char h[1000];
    odd_source o = {x, 2, 10, 0, true};
    ap_format large = {44100, 2, 0, 3000000000u};
    first_bytes(ap_source(&large, odd_pull, NULL, &o, NULL), "wav", AP_BITS_16, h, sizeof h);
    CHECK(memcmp(h, "RF64\xff\xff\xff\xffWAVEds64", 16) == 0 && little(h + 16, 4) == 28);
    CHECK(little(h + 20, 8) == 12000000000u + 80 - 8 && little(h + 28, 8) == 12000000000u &&
          little(h + 36, 8) == 3000000000u);
    CHECK(little(h + 76, 4) == UINT32_MAX);
    o = (odd_source){x, 2, 10, 0, true};
    large.frames = 0x3fffff00; /* the last that fits into RIFF */
    first_bytes(ap_source(&large, odd_pull, NULL, &o, NULL), "wav", AP_BITS_16, h, sizeof h);
    CHECK(memcmp(h, "RIFF", 4) == 0 && memcmp(h + 12, "JUNK", 4) == 0 &&
          little(h + 4, 4) == 0x3fffff00u * 4ull + 72);
}

static void unknown_lengths_are_filled_in(void)
{
    static const char *const paths[] = {"u.wav", "u.aiff", "u.flac", "u.au", "u.mp3", "u.ogg"};
    float *x = test_noise(2 * 5001, 0.5f, 1);
    for (int i = 0; i < 6; i++) {
        odd_source o = {x, 2, 5001, 0, false};
        ap_format unknown = {44100, 2, 0, AP_UNKNOWN};
        CHECK(encode_file(ap_source(&unknown, odd_pull, NULL, &o, NULL), paths[i], NULL));
    }
    CHECK_PRINTS("5001\n5001\n5001\n5001", "for i in wav aiff flac ogg; do soxi -s u.$i; done");
    CHECK_PRINTS("20004\n20004", "for i in au mp3; do ffmpeg -v error -i u.$i -f s16le - | wc -c; done");
    free(x);
}

static void a_pipe_gets_what_a_file_gets(void)
{
    float *x = make_music(44100, 2, 50000);
    for (int i = 0; i < ALL; i++) {
        char path[16];
        ap_encode_options o = options_for(all[i]);
        snprintf(path, sizeof path, "file.%s", all[i]);
        CHECK(encode_file(over(x, 44100, 2, 50000), path, NULL));
        FILE *cat = popen("cat >piped", "w");
        CHECK(ap_encode_fd(over(x, 44100, 2, 50000), fileno(cat), "a pipe", &o, NULL));
        pclose(cat);
        CHECK(same_files(path, "piped"));
    }
    free(x);
}

TEST_MAIN(CASE(wav_streams_to_a_pipe), CASE(large_wav_is_rf64), CASE(unknown_lengths_are_filled_in),
          CASE(a_pipe_gets_what_a_file_gets))
