/* SPDX-License-Identifier: GPL-3.0-or-later
 * Files of all formats, as ffmpeg, sox, flac and others read them: samples, channels, lengths; options that
 * make no sense; clipping; outputs that fail. */
#include "base/error.h"
#include "encode_help.h"
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

/* Decodes a file with ffmpeg to floats. */
static float *decoded(const char *path, size_t *samples)
{
    size_t size;
    const char *said = output_of("ffmpeg -v warning -guess_layout_max 0 -y -i %s -f f32le out.raw", path);
    if (*said)
        fprintf(stderr, "%s\n", said);
    float *x = (float *)load("out.raw", &size);
    *samples = size / sizeof *x;
    return x;
}

/* ---- samples */

static void check_exact(const char *path, ap_bits bits, uint32_t rate, uint32_t channels)
{
    size_t frames = 3001, n;
    ap_encode_options o = options_for(NULL);
    o.bits = bits;
    o.dither = bits == AP_BITS_16 ? AP_DITHER_OFF : AP_DITHER_AUTO;
    float *x = test_noise(frames * channels, 0.9f, rate + channels);
    CHECK(encode_file(over(x, rate, channels, frames), path, &o));
    float *y = decoded(path, &n);
    if (CHECK(n == frames * channels))
        CHECK(test_max_difference(x, y, n) <= (bits == AP_BITS_16      ? 0.5001 / 32768
                                               : bits == AP_BITS_24    ? 0.5001 / 8388608
                                               : bits == AP_BITS_FLOAT ? 0
                                                                       : 0x1p-25)); /* ffmpeg's rounding */
    char want[64];
    snprintf(want, sizeof want, "%u,%u", rate, channels);
    CHECK_PRINTS(want, "ffprobe -v error -show_entries stream=sample_rate,channels -of csv=p=0 %s", path);
    free(y);
    free(x);
}

static void lossless_formats_are_exact(void)
{
    enter_folder();
    static const ap_bits bits[] = {AP_BITS_16, AP_BITS_24, AP_BITS_32, AP_BITS_FLOAT};
    static const char *const paths[] = {"x.wav", "x.aiff", "x.au", "x.FLAC"};
    static const uint32_t rates[] = {8000, 44100, 48000, 96000, 192000};
    for (int p = 0; p < 4; p++)
        for (int b = 0; b < (p == 3 ? 2 : 4); b++)
            for (uint32_t channels = 1; channels <= 8; channels++)
                check_exact(paths[p], bits[b], rates[(b + (int)channels) % 5], channels);
    check_exact("x.wav", AP_BITS_24, 768000, 2);
    check_exact("x.flac", AP_BITS_24, 384000, 2);
    check_exact("x.wav", AP_BITS_FLOAT, 44100, 13);
}

static void other_programs_read_without_a_word(void)
{
    static const ap_bits bits[] = {AP_BITS_16, AP_BITS_24, AP_BITS_32, AP_BITS_FLOAT};
    float *x = test_noise(5 * 5001, 0.9f, 3);
    for (int b = 0; b < 4; b++) {
        ap_encode_options o = options_for(NULL);
        o.bits = bits[b];
        CHECK(encode_file(over(x, 44100, 5, 5001), "x.wav", &o));
        CHECK(encode_file(over(x, 44100, 5, 5001), "x.aiff", &o));
        CHECK(encode_file(over(x, 44100, 5, 5001), "x.au", &o));
        /* sox finds fault with every WAVEFORMATEXTENSIBLE of floats. */
        CHECK_PRINTS("5001\n5001\n5001", "for i in wav aiff au; do sox -V%d x.$i -n; soxi -V1 -s x.$i; done",
                     bits[b] == AP_BITS_FLOAT ? 1 : 2);
    }
    CHECK(encode_file(over(x, 44100, 5, 5001), "x.flac", NULL));
    CHECK_PRINTS("", "flac -st x.flac; metaflac --list x.flac | grep -i error");
    CHECK_PRINTS("5001\n24", "metaflac --show-total-samples --show-bps x.flac");
    CHECK(encode_file(over(x, 44100, 2, 12001), "x.ogg", NULL));
    CHECK_PRINTS("48004", "oggdec -Q -R -o - x.ogg | wc -c");
    CHECK(encode_file(over(x, 48000, 2, 12001), "x.opus", NULL));
    CHECK_PRINTS("48004", "opusdec --quiet x.opus - | wc -c");
    CHECK_PRINTS("0", "for i in ogg opus; do ${i}info x.$i | grep -ci warning; done | sort -u");
    free(x);
}

static void flac_has_seek_points_and_md5(void)
{
    float *x = make_music(44100, 2, 44100 * 35);
    CHECK(encode_file(over(x, 44100, 2, 44100 * 35), "x.flac", NULL));
    CHECK_PRINTS("4", "metaflac --list --block-type=SEEKTABLE x.flac | grep -c 'point '");
    CHECK_PRINTS("0", "metaflac --show-md5sum x.flac | grep -c 00000000000000000000000000000000");
    CHECK_PRINTS("", "flac -st x.flac");
    free(x);
}

/* A tone of its own in each channel: where does ffmpeg, which has the order of WAV, find it? */
static void check_channel_order(const char *path, uint32_t channels)
{
    size_t frames = 48000, n;
    float *x = malloc(frames * channels * sizeof *x);
    for (size_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < channels; c++) /* low: what is taken for the LFE has no treble */
            x[i * channels + c] = 0.2f * sinf((float)(2 * M_PI * (30 + 10 * c)) * (float)i / 48000);
    CHECK(encode_file(over(x, 48000, channels, frames), path, NULL));
    float *y = decoded(path, &n);
    size_t least =
        frames - (strstr(path, "ogg") ? 128 : 0); /* ffmpeg may drop as many, of oggenc's files too */
    if (!CHECK(n >= least * channels && n <= frames * channels))
        fprintf(stderr, "%s %u: %zu\n", path, channels, n);
    else
        for (uint32_t c = 0; c < channels; c++) {
            double same = 0, power = 0;
            for (size_t i = 0; i < least; i++) {
                same += (double)x[i * channels + c] * y[i * channels + c];
                power += (double)x[i * channels + c] * x[i * channels + c];
            }
            if (!CHECK_NEAR(same / power, 1, 0.3))
                fprintf(stderr, "%s: channel %u of %u\n", path, c, channels);
        }
    free(y);
    free(x);
}

static void channels_keep_their_places(void)
{
    for (uint32_t channels = 1; channels <= 8; channels++) {
        check_channel_order("x.ogg", channels);
        check_channel_order("x.opus", channels);
    }
}

static void masks_are_kept(void)
{
    float x[6 * 100] = {0};
    ap_format format = {48000, 6, 0x60f, 100}; /* 5.1 with side speakers */
    CHECK(encode_file(ap_source_memory(&format, x, NULL), "x.wav", NULL));
    CHECK_PRINTS("5.1(side)", "ffprobe -v error -show_entries stream=channel_layout -of csv=p=0 x.wav");
    CHECK(encode_file(ap_source_memory(&format, x, NULL), "x.flac", NULL));
    CHECK_PRINTS("5.1(side)", "ffprobe -v error -show_entries stream=channel_layout -of csv=p=0 x.flac");
}

static void other_rates_are_converted(void)
{
    float *x = make_music(44100, 2, 44100);
    CHECK(encode_file(over(x, 44100, 2, 44100), "x.opus", NULL));
    CHECK_PRINTS("1", "opusinfo x.opus | grep -c 'Original sample rate: 44100 Hz'");
    CHECK_PRINTS("192000", "opusdec --quiet --rate 48000 x.opus - | wc -c");
    CHECK(encode_file(over(x, 384000, 2, 44100), "x.ogg", NULL));
    CHECK_PRINTS("192000", "soxi -r x.ogg");
    free(x);
}

static void empty_streams_make_files(void)
{
    for (int i = 0; i < ALL; i++) {
        char path[16];
        snprintf(path, sizeof path, "empty.%s", all[i]);
        CHECK(encode_file(over(NULL, 48000, 2, 0), path, NULL));
        CHECK_PRINTS("0", "ffmpeg -v error -i %s -f f32le - | wc -c", path);
    }
}

static void same_bytes_every_time(void)
{
    float *x = make_music(44100, 2, 60000);
    for (int i = 0; i < ALL; i++) {
        char a[16], b[16];
        odd_source o = {x, 2, 60000, 0, false};
        ap_format format = {44100, 2, 0, 60000};
        ap_encode_options options = options_for(all[i]);
        snprintf(a, sizeof a, "a.%s", all[i]);
        snprintf(b, sizeof b, "b.%s", all[i]);
        CHECK(encode_file(over(x, 44100, 2, 60000), a, NULL));
        CHECK(encode_file(ap_source(&format, odd_pull, NULL, &o, NULL), b, &options));
        if (!CHECK(same_files(a, b)))
            fprintf(stderr, "%s\n", a);
    }
    free(x);
}

/* ---- full scale */

static void clipping_is_counted(void)
{
    float x[] = {0, 1, -1, 1.0001f, -1.5f, 2, NAN, 0.5f};
    ap_encode_report report;
    ap_encode_options o = options_for(NULL);
    o.report = &report;
    for (int i = 0; i < ALL; i++) {
        char path[16];
        snprintf(path, sizeof path, "clip.%s", all[i]);
        memset(&report, -1, sizeof report);
        CHECK(encode_file(over(x, 48000, 1, 8), path, &o));
        CHECK(report.frames == 8 && report.peak == 2 && report.gain_db == 0 && report.rate == 48000);
        CHECK(report.clipped == (strcmp(all[i], "au") == 0 ? 0 : 3)); /* floats are not clipped */
    }
    size_t n;
    float *y = decoded("clip.wav", &n);
    CHECK(n == 8 && y[5] == 32767.0f / 32768 && y[4] == -1 && y[6] == 0);
    free(y);
    y = decoded("clip.au", &n);
    CHECK(n == 8 && y[5] == 2 && y[6] == 0);
    free(y);
}

static void rescaling_keeps_the_shape(void)
{
    size_t n;
    float *x = test_noise(20000, 3.7f, 4);
    x[777] = NAN;
    x[778] = 3.7f;
    ap_encode_report report = {0};
    ap_encode_options o = options_for(NULL);
    o.report = &report;
    o.clip_mode = AP_CLIP_RESCALE;
    o.bits = AP_BITS_24;
    CHECK(encode_file(over(x, 48000, 2, 10000), "scaled.wav", &o));
    CHECK(report.clipped == 0 && report.peak == 3.7f && report.frames == 10000);
    CHECK_NEAR(report.gain_db, -20 * log10(3.7), 1e-6);
    float *y = decoded("scaled.wav", &n);
    x[777] = 0;
    for (size_t i = 0; i < n; i++)
        x[i] /= 3.7f;
    CHECK(n == 20000 && test_max_difference(x, y, n) < 3e-7 && y[778] > 0.9999998f);
    free(y);
    for (size_t i = 0; i < 20000; i++)
        x[i] *= 0.5f;
    CHECK(encode_file(over(x, 48000, 2, 10000), "scaled.wav", &o)); /* nothing to do */
    CHECK(report.gain_db == 0 && report.peak == 0.5);
    free(x);
}

static void sixteen_bits_stay_as_they_are(void)
{
    float *x = test_noise(20000, 0.8f, 8);
    size_t n;
    for (size_t i = 0; i < 20000; i++)
        x[i] = roundf(x[i] * 32768) / 32768;
    CHECK(encode_file(over(x, 44100, 2, 10000), "same.wav", NULL));
    float *y = decoded("same.wav", &n);
    CHECK(n == 20000 && memcmp(x, y, n * sizeof *x) == 0);
    free(y);
    memset(x, 0, 20000 * sizeof *x);
    ap_encode_options o = options_for(NULL);
    o.dither = AP_DITHER_ON;
    CHECK(encode_file(over(x, 44100, 2, 10000), "same.wav", &o));
    y = decoded("same.wav", &n);
    CHECK_NEAR(20 * log10(test_rms(y, n)), -96.33, 0.2);
    free(y);
    free(x);
}

/* ---- what goes wrong */

static void check_failure(const char *path, const ap_encode_options *o, uint32_t channels, ap_status code,
                          const char *word)
{
    float x[1000] = {0};
    ap_error err = {0};
    CHECK(!ap_encode(over(x, 44100, channels, 10), path, o, &err));
    if (!CHECK(err.code == code && strstr(err.message, word)))
        fprintf(stderr, "%d: %s\n", err.code, err.message);
    CHECK(access(path, F_OK) != 0);
}

static void bad_options_are_refused(void)
{
    ap_encode_options o = options_for(NULL);
    check_failure("x.xyz", &o, 2, AP_USAGE, "mp3 flac wav aiff ogg opus m4a alac au");
    check_failure("new", &o, 2, AP_USAGE, "'new'");
    check_failure("dir.mp3/new", &o, 2, AP_USAGE, "mp3 flac");
    o.format = "mp4";
    check_failure("new.mp3", &o, 2, AP_USAGE, "'mp4'");
    o = options_for("flac");
    check_failure("new", &o, 9, AP_USAGE, "-c 8");
    o.bits = AP_BITS_32;
    check_failure("new", &o, 2, AP_USAGE, "32 bits");
    o.bits = AP_BITS_FLOAT;
    check_failure("new", &o, 2, AP_USAGE, "floats");
    o = options_for("flac");
    o.effort = 9;
    check_failure("new", &o, 2, AP_USAGE, "effort");
    o = options_for("flac");
    o.bitrate_kbps = 128;
    check_failure("new", &o, 2, AP_USAGE, "bitrate");
    o = options_for("ogg");
    o.bitrate_kbps = 3000;
    check_failure("new", &o, 2, AP_USAGE, "3000");
    o.vbr_quality = 4;
    check_failure("new", &o, 2, AP_USAGE, "exclude");
    o = options_for("ogg");
    o.vbr_quality = 11;
    check_failure("new", &o, 2, AP_USAGE, "11");
    o = options_for("opus");
    o.vbr_quality = 4;
    check_failure("new", &o, 2, AP_USAGE, "VBR");
    o = options_for("opus");
    o.bitrate_kbps = 600;
    check_failure("new", &o, 2, AP_USAGE, "512");
    o = options_for("au");
    o.dither = AP_DITHER_ON;
    check_failure("new", &o, 2, AP_USAGE, "dither");
    float x[2] = {0};
    ap_error err = {0};
    o = options_for(NULL);
    CHECK(!ap_encode_fd(over(x, 44100, 1, 1), 1, "standard output", &o, &err));
    CHECK(err.code == AP_USAGE && strstr(err.message, "standard output"));
}

static void null_stream_fails_quietly(void)
{
    ap_error err = {AP_TRY_AGAIN, "kept"};
    CHECK(!ap_encode(NULL, "x.mp3", NULL, &err) && !ap_encode_fd(NULL, 1, "x", NULL, &err));
    CHECK(strcmp(err.message, "kept") == 0);
}

static void a_full_disk_can_be_tried_again(void)
{
    float *x = test_noise(2 * 200000, 0.5f, 1);
    for (int i = 0; i < ALL; i++) {
        ap_error err = {0};
        ap_encode_options o = options_for(all[i]);
        int fd = open("/dev/full", O_WRONLY);
        CHECK(!ap_encode_fd(over(x, 48000, 2, 200000), fd, "full", &o, &err));
        if (!CHECK(err.code == AP_TRY_AGAIN && strstr(err.message, "'full'")))
            fprintf(stderr, "%s: %d %s\n", all[i], err.code, err.message);
        close(fd);
    }
    free(x);
}

static void a_broken_source_leaves_the_old_file(void)
{
    float x[2 * 1000] = {0};
    for (int i = 0; i < ALL; i++) {
        char path[16];
        ap_error err = {0};
        snprintf(path, sizeof path, "old.%s", all[i]);
        save(path, "old", 3);
        size_t before = files_here();
        odd_source o = {x, 2, 1000, 0, true};
        ap_format format = {48000, 2, 0, 5000};
        CHECK(!ap_encode(ap_source(&format, odd_pull, NULL, &o, NULL), path, NULL, &err));
        CHECK(err.code == AP_FAILED && strcmp(err.message, "the source broke") == 0);
        CHECK(files_here() == before);
        CHECK_PRINTS("old", "cat %s", path);
    }
}

TEST_MAIN(CASE(lossless_formats_are_exact), CASE(other_programs_read_without_a_word),
          CASE(flac_has_seek_points_and_md5), CASE(channels_keep_their_places), CASE(masks_are_kept),
          CASE(other_rates_are_converted), CASE(empty_streams_make_files), CASE(same_bytes_every_time),
          CASE(clipping_is_counted), CASE(rescaling_keeps_the_shape), CASE(sixteen_bits_stay_as_they_are),
          CASE(bad_options_are_refused), CASE(null_stream_fails_quietly),
          CASE(a_full_disk_can_be_tried_again), CASE(a_broken_source_leaves_the_old_file))
