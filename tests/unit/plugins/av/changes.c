/* SPDX-License-Identifier: GPL-3.0-or-later
 * Streams that change rate and channels in the middle, as broadcasts do; the order of channels in QuickTime.
 */
#include "fixture.h"

/* The middle of each of three parts, against a sine of 1 kHz at 44.1 kHz, stereo. */
static void check_tone(const decoded *d)
{
    for (size_t part = 0; part < 3; part++) {
        size_t at = d->count / 3 * part + d->count / 6, n = 4410;
        for (size_t c = 0; c < 2 && at + n <= d->count; c++) {
            double re = 0, im = 0, all = 0;
            for (size_t i = 0; i < n; i++) {
                double v = d->frames[2 * (at + i) + c];
                re += v * cos(2 * M_PI * 1000 * (double)i / 44100);
                im += v * sin(2 * M_PI * 1000 * (double)i / 44100);
                all += v * v;
            }
            CHECK(all / (double)n > 0.05 && 2 * (re * re + im * im) / (double)n > 0.999 * all);
        }
    }
}

/* One tone, in stereo, then mono at another rate, then stereo again: it goes on. */
static void check_change(const char *joined, size_t first, size_t second)
{
    decoded d = decode_file(joined, NULL, 4096), p = decode_pipe(joined, 4096),
            odd = decode_file(joined, NULL, 331);
    CHECK(d.err.code == AP_OK && d.format.rate == 44100 && d.format.channels == 2);
    if (!CHECK(strstr(d.warning, "changes to 48000 Hz and 1 channels at")))
        fprintf(stderr, "%s: '%s'\n", joined, d.warning);
    same_decoded(&d, &p);
    same_decoded(&d, &odd);
    size_t expected = 2 * first + (size_t)(lrint((double)second * 44100 / 48000));
    if (!CHECK_NEAR(d.count, expected, 4))
        fprintf(stderr, "%s: %zu, not %zu\n", joined, d.count, expected);
    check_tone(&d);
    free(d.frames);
    free(p.frames);
    free(odd.frames);
}

static void changes_of_format_are_followed(void)
{
    static const char *const ways[] = {"-c:a aac -f adts", "-c:a aac -f mpegts", "-c:a ac3 -f ac3",
                                       "-c:a ac3 -f mpegts"};
    sh("sox -R -r 44100 -n -c 2 -b 16 s.wav synth 1 sine 1000 vol 0.5 && "
       "sox -R -r 48000 -n -c 1 -b 16 m.wav synth 1 sine 1000 vol 0.5");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        sh("ffmpeg -v error -y -i s.wav %s s.bin && ffmpeg -v error -y -i m.wav %s m.bin && "
           "cat s.bin m.bin s.bin >joined.bin && ffmpeg -v error -y -i s.bin -f f32le s.f32 && "
           "ffmpeg -v error -y -i m.bin -f f32le m.f32",
           ways[i], ways[i]);
        check_change("joined.bin", file_size("s.f32") / 8, file_size("m.f32") / 4);
    }
}

/* The time line of MP4 is of one rate, but channels may change. */
static void channels_may_change_in_mp4(void)
{
    sh("sox -R -r 48000 -n -c 2 -b 16 s.wav synth 1 sine 1000 vol 0.5 && "
       "sox -R -r 48000 -n -c 1 -b 16 m.wav synth 1 sine 1000 vol 0.5");
    sh("ffmpeg -v error -y -i s.wav -c:a ac3 s.ac3 && ffmpeg -v error -y -i m.wav -c:a ac3 m.ac3 && cat "
       "s.ac3 m.ac3 "
       "s.ac3 >joined.ac3 && ffmpeg -v error -y -i joined.ac3 -c copy joined.mp4");
    decoded d = decode_file("joined.mp4", NULL, 4096);
    CHECK(d.err.code == AP_OK && d.format.channels == 2 && d.count == 3 * 32 * 1536);
    CHECK(strstr(d.warning, "changes its format"));
    size_t at = d.count / 2;
    for (size_t i = 0; i < 48 && at + i < d.count; i++)
        CHECK_NEAR(d.frames[2 * (at + i)], d.frames[2 * (at + i) + 1], 1e-6);
    free(d.frames);
}

/* What has another rate on the same time line is resampled, as long as its packets are. */
static void the_rate_may_change_in_mp4(void)
{
    static const char *const kinds[] = {"mp4", "mkv"};
    sh("sox -R -r 44100 -n -c 2 -b 16 s.wav synth 1 sine 1000 vol 0.5 && "
       "sox -R -r 48000 -n -c 1 -b 16 m.wav synth 1 sine 1000 vol 0.5");
    sh("ffmpeg -v error -y -i s.wav -c:a ac3 s.ac3 && ffmpeg -v error -y -i m.wav -c:a ac3 m.ac3 && "
       "cat s.ac3 m.ac3 s.ac3 >joined.ac3");
    for (size_t i = 0; i < 2; i++) {
        sh("ffmpeg -v error -y -i joined.ac3 -c copy joined.%s", kinds[i]);
        char name[16];
        snprintf(name, sizeof name, "joined.%s", kinds[i]);
        decoded d = decode_file(name, NULL, 4096);
        CHECK(d.err.code == AP_OK && d.format.rate == 44100 && d.format.channels == 2);
        CHECK_NEAR(d.count, 3 * 44100, 0.04 * 3 * 44100);
        CHECK(strstr(d.warning, "changes "));
        check_tone(&d);
        free(d.frames);
    }
}

/* Puts a layout tag of Core Audio into the chan box of from. */
static void set_layout_tag(const char *from, const char *to, uint32_t tag)
{
    size_t size;
    unsigned char *b = load(from, &size), *chan = memmem(b, size, "chan", 4);
    if (CHECK(chan)) {
        const unsigned char bytes[] = {(unsigned char)(tag >> 8), (unsigned char)tag, 0, 6, 0, 0, 0, 0};
        memcpy(chan + 8, bytes, sizeof bytes);
        save(to, b, size);
    }
    free(b);
}

/* kAudioChannelLayoutTag_MPEG_5_1_B is L R Ls Rs C LFE, 147 is discrete channels. */
static void channels_of_quicktime_go_where_it_says(void)
{
    static const char *const codecs[] = {"pcm_s16le", "pcm_s24be", "pcm_f32le"};
    static const size_t from[] = {0, 1, 4, 5, 2, 3};
    sh("sox -R -D -r 48000 -n -b 16 -c 6 six.wav synth 4800s sine 100 sine 200 sine 300 sine 400 sine 500 "
       "sine 600 "
       "vol 0.5");
    for (size_t k = 0; k < 3; k++) {
        sh("ffmpeg -v error -y -channel_layout 5.1 -i six.wav -c:a %s plain.mov", codecs[k]);
        set_layout_tag("plain.mov", "moved.mov", 122);
        set_layout_tag("plain.mov", "discrete.mov", 147);
        decoded plain = decode_file("six.wav", NULL, 4096), p = decode_file("plain.mov", NULL, 4096);
        decoded m = decode_file("moved.mov", NULL, 4096), d = decode_file("discrete.mov", NULL, 4096);
        same_decoded(&plain, &p);
        same_decoded(&plain, &d);
        CHECK(m.count == plain.count && p.format.mask == 0x3f && m.format.mask == 0x3f &&
              d.format.mask == AP_DISCRETE);
        size_t wrong = 0;
        for (size_t i = 0; i < m.count && m.count == plain.count; i++)
            for (size_t c = 0; c < 6; c++)
                wrong += fabsf(m.frames[6 * i + c] - plain.frames[6 * i + from[c]]) > 0;
        CHECK(wrong == 0);
        free(plain.frames);
        free(p.frames);
        free(m.frames);
        free(d.frames);
    }
}

TEST_MAIN(CASE(changes_of_format_are_followed), CASE(channels_may_change_in_mp4),
          CASE(the_rate_may_change_in_mp4), CASE(channels_of_quicktime_go_where_it_says))
