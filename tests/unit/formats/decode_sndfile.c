/* SPDX-License-Identifier: GPL-3.0-or-later
 * Ogg, AIFF, CAF, W64, AU against ffmpeg and sox. */
#include "noise.h"

#include <ogg/ogg.h>

static void integers_and_floats_in_containers_are_exact(void)
{
    static const char *const ways[] = {
        "-c:a pcm_s8 t.aiff",    "-c:a pcm_s16be t.aiff", "-c:a pcm_s24be t.aiff", "-c:a pcm_s32be t.aiff",
        "-c:a pcm_f32be t.aiff", "-c:a pcm_f64be t.aiff", "-c:a pcm_s16le t.aiff", "-c:a pcm_s16le t.w64",
        "-c:a pcm_f32le t.w64",  "-c:a pcm_s24be t.caf",  "-c:a pcm_f32le t.caf",  "-c:a pcm_mulaw t.au",
        "-c:a pcm_s16be t.au",   "-c:a pcm_f64be t.au",   "-c:a pcm_s24le t.w64"};
    make_noise(44100, 2, 24, 20000); /* ffmpeg counts the padding of W64 as audio */
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        sh("ffmpeg -v error -y -i noise.wav %s", ways[i]);
        check_file(strrchr(ways[i], ' ') + 1, 0, 20000);
    }
    make_noise(48000, 6, 24, 3000);
    sh("ffmpeg -v error -y -i noise.wav -c:a pcm_f32be t.aiff"); /* has a CHAN chunk */
    check_file("t.aiff", 0, 3000);
}

/* libvorbis and ffmpeg's decoder round differently; libopus and ffmpeg's decoder differ audibly by nothing,
 * but by 1e-3 in stereo. A channel in the wrong place would differ by more than 0.1. */
static void ogg_is_right_in_every_channel(void)
{
    for (unsigned channels = 1; channels <= 8; channels++) {
        make_noise(48000, channels, 16, 30000);
        sh("ffmpeg -v error -y -i noise.wav -c:a pcm_s16le plain.wav && opusenc --quiet plain.wav t.opus");
        check_file("t.opus", 1e-2, 30000);
        sh("oggenc -Q plain.wav -o t.ogg && ffmpeg -v error -y -i t.ogg -f f32le ref.f32");
        decoded d = check_decodes("t.ogg", "ref.f32", 1e-6, 30000);
        CHECK(d.format.frames == 30000);
        free(d.frames);
    }
}

/* The last page of a file of one stream, with another granule position, which is its length. */
static void set_length(const char *path, uint64_t granule)
{
    size_t size;
    unsigned char *bytes = load(path, &size), *last = bytes;
    for (unsigned char *p = bytes; (p = memmem(p, size - (size_t)(p - bytes), "OggS", 4)); p++)
        last = p;
    memcpy(last + 6, &granule, 8);
    long header = 27 + last[26];
    ogg_page page = {last, header, last + header, (long)(bytes + size - last) - header};
    ogg_page_checksum_set(&page);
    save(path, bytes, size);
    free(bytes);
}

/* It must not be filled up with silence. */
static void a_length_that_cannot_be_true_is_unknown(void)
{
    make_noise(48000, 2, 16, 150000);
    sh("opusenc --quiet noise.wav lies.opus");
    set_length("lies.opus", 1ull << 40);
    decoded d = decode_file("lies.opus", NULL, 4096);
    CHECK(d.err.code == AP_OK && d.format.frames == AP_UNKNOWN);
    CHECK(d.count >= 150000 && d.count < 152000);
    free(d.frames);
}

static void tags_and_pictures_are_kept(void)
{
    static const char *const ways[] = {
        "flac -s -f --picture cover.png -T title=T\xc3\xaftle noise.wav -o t.x",
        "opusenc --quiet --picture cover.png --title T\xc3\xaftle noise.wav t.x"};
    size_t size;
    make_noise(48000, 2, 16, 5000);
    sh("ffmpeg -v error -y -f lavfi -i mandelbrot=s=500x500 -frames:v 1 cover.png");
    unsigned char *cover = load("cover.png", &size);
    CHECK(size > 65536); /* more than an Ogg page */
    for (size_t i = 0; i < 2; i++) {
        sh("%s", ways[i]);
        ap_stream *s = ap_decode("t.x", NULL, NULL);
        if (!CHECK(s))
            continue;
        ap_picture p = ap_tags_picture(ap_stream_tags(s));
        CHECK(p.size == size && memcmp(p.data, cover, size) == 0 && strcmp(p.mime, "image/png") == 0);
        CHECK(strcmp(ap_tags_get(ap_stream_tags(s), "TITLE"), "T\xc3\xaftle") == 0);
        ap_close(&s);
    }
    free(cover);
    sh("oggenc -Q -t Vorbis noise.wav -o t.ogg");
    decoded d = decode_pipe("t.ogg", 4096);
    CHECK(strcmp(d.title, "Vorbis") == 0);
    free(d.frames);
    sh("ffmpeg -v error -y -i noise.wav -metadata title=Aiff -write_id3v2 1 t.aiff");
    d = decode_file("t.aiff", NULL, 4096);
    CHECK(strcmp(d.title, "Aiff") == 0);
    free(d.frames);
}

/* libsndfile writes the header of CAF to a pipe three times, before and behind the sound, and never a length.
 */
static void caf_from_a_pipe_is_read(void)
{
    static const char *const kinds[] = {"-b 16", "-b 24", "-e float -b 32", "-e mu-law"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        sh("sox -R -r 8000 -n -c 2 -b 16 piped.wav synth 1001s pinknoise && sox -D piped.wav %s whole.caf && "
           "sox -D piped.wav %s -t caf - | cat >piped.caf",
           kinds[i], kinds[i]);
        decoded want = decode_file("whole.caf", NULL, 4096);
        decoded d = decode_file("piped.caf", NULL, 4096), p = decode_pipe("piped.caf", 4096);
        CHECK(want.count == 1001 && !d.warned && !p.warned);
        same_decoded(&want, &d);
        same_decoded(&want, &p);
        free(want.frames);
        free(d.frames);
        free(p.frames);
    }
    sh("sox -R -r 8000 -n -c 2 -t caf - trim 0 0 | cat >piped.caf");
    decoded d = decode_file("piped.caf", NULL, 4096);
    CHECK(d.err.code == AP_OK && d.count == 0);
    free(d.frames);
    flip_bits("piped.caf", 50);
}

static void truncation_is_noticed_in_every_format(void)
{
    static const char *const ways[] = {
        "-c:a pcm_s16be t.aiff",
        "-c:a pcm_s16le t.aiff",
        "-c:a pcm_f32be t.caf",
        "-c:a alac t.caf",
        "t.w64",
        "-c:a pcm_mulaw t.au",
        "-c:a pcm_s16be t.au",
        "-c:a libvorbis t.ogg",
        "-c:a libopus t.opus",
    };
    make_noise(48000, 2, 16, 48000);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const char *space = strrchr(ways[i], ' '), *name = space ? space + 1 : ways[i];
        sh("ffmpeg -v error -y -i noise.wav %s", ways[i]);
        size_t size = file_size(name);
        check_fails(cut(name, size / 2), "truncated");
        check_fails(cut(name, size / 20), "");
        check_fails(cut(name, 3 * size / 4), "truncated");
        check_fails(cut(name, 50), "");
        check_fails(cut(name, 13), "");
        if (!strstr(name, "caf")) /* its last chunk is not the audio */
            check_fails(cut(name, size - 1), "truncated");
    }
}

/* AIFF of 4 GiB and a bit, sparse, whose sizes are those of the bit: libsndfile cannot be told. */
static void aiff_beyond_4_gib_is_read(void)
{
    static const struct {
        const char *codec;
        unsigned channels, bytes;
    } ways[] = {{"pcm_s16be", 1, 2}, {"pcm_s24be", 2, 3}, {"pcm_s16le", 2, 2}, {"pcm_f32be", 2, 4}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        unsigned frame = ways[i].channels * ways[i].bytes;
        sh("rm -f t.aiff; sox -R -D -r 44100 -n -c %u -b 24 in.wav synth 1000s sine 441 vol 0.5 && "
           "ffmpeg -v error -y -i in.wav -fflags +bitexact -c:a %s t.aiff && ffmpeg -v error -y -i t.aiff -f "
           "f32le ref.f32",
           ways[i].channels, ways[i].codec);
        size_t size = file_size("t.aiff"), theirs;
        uint64_t whole = (1ull << 32) / frame + 1000;
        size_t header = size - 1000 * frame;
        unsigned char *b = load("t.aiff", &size), *ssnd = memmem(b, size, "SSND", 4);
        uint32_t wrapped = (uint32_t)(8 + whole * frame);
        for (int k = 0; k < 4; k++)
            ssnd[4 + k] = (unsigned char)(wrapped >> 8 * (3 - k));
        save("t.aiff", b, size);
        free(b);
        sh("truncate -s %llu t.aiff", (unsigned long long)(header + whole * frame));
        float *ref = (float *)(void *)load("ref.f32", &theirs), *ours = malloc(theirs);
        ap_error err = {0};
        ap_stream *s = ap_decode("t.aiff", NULL, &err);
        const char *warning = s ? ap_stream_warning(s) : NULL;
        if (!CHECK(s && ap_stream_format(s)->frames == whole && ap_stream_format(s)->rate == 44100))
            fprintf(stderr, "%s: %s\n", ways[i].codec, err.message);
        CHECK(warning && strstr(warning, "all of it is read"));
        CHECK(s && ap_read(s, ours, 1000, &err) == 1000 && memcmp(ours, ref, theirs) == 0);
        ap_close(&s);
        free(ref);
        free(ours);
    }
    sh("rm t.aiff");
}

/* A page is missing in the middle, or broken: players go on. */
static void damaged_ogg_keeps_its_length(void)
{
    size_t size;
    make_noise(48000, 2, 16, 240000);
    sh("oggenc -Q noise.wav -o t.ogg");
    unsigned char *bytes = load("t.ogg", &size);
    for (size_t i = size / 2; i < size / 2 + 500; i++)
        bytes[i] ^= 0x55;
    save("t.ogg", bytes, size);
    decoded d = decode_file("t.ogg", NULL, 4096);
    if (!CHECK(d.err.code == AP_OK && d.count == 240000))
        fprintf(stderr, "%s\n", d.err.message);
    free(d.frames);
    free(bytes);
}

static void flipped_bits_do_no_harm(void)
{
    static const char *const ways[] = {
        "t.aiff", "t.caf", "t.w64", "-c:a pcm_mulaw t.au", "-c:a libvorbis t.ogg", "-c:a libopus t.opus"};
    make_noise(48000, 2, 16, 8000);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const char *space = strrchr(ways[i], ' ');
        sh("ffmpeg -v error -y -i noise.wav -metadata title=T %s", ways[i]);
        flip_bits(space ? space + 1 : ways[i], 60);
    }
}

TEST_MAIN(CASE(integers_and_floats_in_containers_are_exact), CASE(ogg_is_right_in_every_channel),
          CASE(a_length_that_cannot_be_true_is_unknown), CASE(tags_and_pictures_are_kept),
          CASE(caf_from_a_pipe_is_read), CASE(truncation_is_noticed_in_every_format),
          CASE(aiff_beyond_4_gib_is_read), CASE(damaged_ogg_keeps_its_length), CASE(flipped_bits_do_no_harm))
