/* SPDX-License-Identifier: GPL-3.0-or-later
 * Files of all formats, as ffmpeg, sox, flac and others read them: samples, channels, lengths, tags,
 * pictures; options that make no sense; clipping; outputs that fail. */
#include "base/error.h"
#include "encode_help.h"
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

/* libvorbisenc 1.3.7 forgets 2848 bytes for each file of 6 channels at 48 kHz. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:vorbis_encode_setup_init\n";
}

static const char *const all[] = {"mp3", "flac", "wav", "aiff", "ogg", "opus", "au"};
enum { ALL = sizeof all / sizeof *all };

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

/* ---- WAV headers */

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

/* ---- tags */

static const char *const sample_tags[][2] = {
    {"TITLE", "Grüße aus \"Tōkyō\" & 'Ὀδυσσεύς' 🎵"},
    {"ARTIST", "Иван Петров"},
    {"ALBUM", "A | B; C"},
    {"ALBUMARTIST", "Various Artists"},
    {"TRACKNUMBER", "3/12"},
    {"DATE", "2024-05-06"},
    {"GENRE", "Électronique"},
    {"COMMENT", "two\nlines"},
    {"COMPOSER", "Zoë"},
    {"MY OWN KEY", "käse"},
};
enum { SAMPLE_TAGS = sizeof sample_tags / sizeof *sample_tags };

/* What ffprobe calls some of them. */
static const char *ffprobe_name(const char *key, const char *format)
{
    bool id3 = strcmp(format, "mp3") == 0 || strcmp(format, "aiff") == 0;
    if (strcmp(key, "ALBUMARTIST") == 0)
        return "album_artist";
    if (strcmp(key, "TRACKNUMBER") == 0)
        return "track";
    return id3 && strcmp(key, "COMMENT") == 0 ? "comment" : key;
}

/* With a picture that is larger than an Ogg page. */
static ap_tags *make_tags(void)
{
    size_t size;
    ap_tags *tags = ap_tags_new();
    for (int i = 0; i < SAMPLE_TAGS; i++)
        ap_tags_add(tags, sample_tags[i][0], sample_tags[i][1]);
    CHECK_PRINTS(
        "", "ffmpeg -v error -y -f lavfi -i nullsrc=s=512x512,format=rgb24,geq='random(1)*255:random(2)*255:"
            "random(3)*255' -frames:v 1 cover.png");
    unsigned char *png = load("cover.png", &size);
    CHECK(size > 150000 && ap_tags_set_picture(tags, "image/png", png, size));
    free(png);
    return tags;
}

static void check_tags(const char *path, const char *format)
{
    for (int i = 0; i < SAMPLE_TAGS; i++) {
        const char *key = ffprobe_name(sample_tags[i][0], format);
        bool ogg = strcmp(format, "ogg") == 0 || strcmp(format, "opus") == 0;
        CHECK_PRINTS(
            sample_tags[i][1],
            "ffprobe -v error -select_streams a:0 -show_entries %s_tags='%s' -of default=nk=1:nw=1 %s",
            ogg ? "stream" : "format", key, path);
    }
}

static void tags_arrive(void)
{
    static const char *const formats[] = {"mp3", "flac", "ogg", "opus", "aiff"};
    ap_tags *tags = make_tags();
    float x[200] = {0};
    for (int i = 0; i < 5; i++) {
        char path[16];
        ap_encode_options o = options_for(formats[i]);
        o.tags = tags;
        snprintf(path, sizeof path, "tags.%s", formats[i]);
        CHECK(encode_file(over(x, 48000, 2, 100), path, &o));
        check_tags(path, formats[i]);
    }
    ap_tags_free(&tags);
}

static void wav_has_its_usual_tags(void)
{
    ap_tags *tags = make_tags();
    float x[200] = {0};
    ap_encode_options o = options_for("wav");
    o.tags = tags;
    CHECK(encode_file(over(x, 48000, 2, 100), "tags.wav", &o));
    static const char *const keys[][2] = {{"title", "TITLE"},
                                          {"artist", "ARTIST"},
                                          {"date", "DATE"},
                                          {"comment", "COMMENT"},
                                          {"track", "TRACKNUMBER"}};
    for (int i = 0; i < 5; i++)
        CHECK_PRINTS(ap_tags_get(tags, keys[i][1]),
                     "ffprobe -v error -show_entries format_tags=%s -of default=nk=1:nw=1 tags.wav",
                     keys[i][0]);
    ap_tags_free(&tags);
}

/* All that is in a file's tags comes back, through the decoder of this library. */
static void all_tags_come_back(void)
{
    ap_tags *tags = make_tags();
    float x[200] = {0};
    const char *key, *value;
    ap_picture want = ap_tags_picture(tags);
    for (int i = 0; i < ALL; i++) {
        char path[16];
        ap_encode_options o = options_for(all[i]);
        o.tags = tags;
        snprintf(path, sizeof path, "tags.%s", all[i]);
        CHECK(encode_file(over(x, 48000, 2, 100), path, &o));
        ap_stream *s = ap_decode(path, NULL, NULL);
        if (!CHECK(s))
            continue;
        for (size_t k = 0; ap_tags_at(tags, k, &key, &value); k++) {
            const char *got = ap_tags_get(ap_stream_tags(s), key);
            if (strcmp(key, "TRACKNUMBER") == 0 && got && strcmp(got, "3") == 0)
                got = value; /* from ID3, in two parts */
            if (!CHECK(got && strcmp(got, value) == 0))
                fprintf(stderr, "%s %s: '%s'\n", path, key, got ? got : "");
        }
        ap_picture picture = ap_tags_picture(ap_stream_tags(s));
        if (strcmp(all[i], "au") != 0)
            CHECK(picture.size == want.size && memcmp(picture.data, want.data, want.size) == 0 &&
                  strcmp(picture.mime, want.mime) == 0);
        ap_close(&s);
    }
    ap_tags_free(&tags);
}

static void pictures_arrive(void)
{
    static const char *const formats[] = {"mp3", "flac", "ogg", "opus", "aiff"};
    ap_tags *tags = make_tags();
    float x[200] = {0};
    for (int i = 0; i < 5; i++) {
        ap_encode_options o = options_for(formats[i]);
        o.tags = tags;
        char path[16];
        snprintf(path, sizeof path, "tags.%s", formats[i]);
        CHECK(encode_file(over(x, 48000, 2, 100), path, &o));
        CHECK_PRINTS("", "ffmpeg -v error -y -i %s -map 0:v -c copy -f image2pipe got.png", path);
        CHECK(same_files("cover.png", "got.png"));
    }
    CHECK_PRINTS("", "metaflac --export-picture-to=got.png tags.flac");
    CHECK(same_files("cover.png", "got.png"));
    ap_tags_free(&tags);
}

static ptrdiff_t never_read(void *user, float *frames, size_t max, ap_error *err)
{
    (void)frames, (void)max;
    *(bool *)user = true;
    ap_fail(err, AP_FAILED, "read");
    return -1;
}

static void what_aiff_cannot_hold_is_refused_at_once(void)
{
    ap_error err = {0};
    bool was_read = false;
    ap_stream *s = ap_source(&(ap_format){44100, 2, 0, (uint64_t)1 << 30}, never_read, NULL, &was_read, NULL);
    CHECK(!ap_encode(s, "x.aiff", NULL, &err) && err.code == AP_FAILED && strstr(err.message, "4 GiB"));
    CHECK(!was_read);
}

/* libFLAC takes U+FFFF for no UTF-8. */
static void a_tag_that_flac_cannot_hold_is_left_out(void)
{
    float *x = test_noise(2 * 1000, 0.5f, 3);
    ap_encode_options o = options_for(NULL);
    ap_tags *tags = ap_tags_new();
    o.tags = tags;
    CHECK(ap_tags_add(tags, "TITLE", "\xef\xbf\xbf") && ap_tags_add(tags, "ARTIST", "somebody"));
    CHECK(encode_file(over(x, 44100, 2, 1000), "x.flac", &o));
    CHECK_PRINTS("ARTIST=somebody", "metaflac --export-tags-to=- x.flac");
    ap_tags_free(&tags);
    free(x);
}

static void given_tags_replace_those_of_the_stream(void)
{
    float x[100] = {0};
    ap_encode_options o = options_for(NULL);
    ap_tags *given = ap_tags_new();
    ap_tags_add(given, "title", "new");
    o.tags = given;
    for (int replace = 0; replace < 2; replace++) {
        ap_tags *old = ap_tags_new();
        ap_tags_add(old, "TITLE", "old");
        ap_tags_add(old, "ALBUM", "kept");
        ap_stream *s = over(x, 44100, 1, 100);
        s = ap_stream_describe(s, "x", old, NULL);
        o.replace_tags = replace;
        CHECK(encode_file(s, "x.flac", &o));
        CHECK_PRINTS(replace ? "TITLE=new" : "TITLE=new\nALBUM=kept", "metaflac --export-tags-to=- x.flac");
    }
    ap_tags_free(&given);
}

static void many_values_make_one_frame(void)
{
    float x[100] = {0};
    ap_encode_options o = options_for(NULL);
    o.tags = ap_tags_new();
    ap_tags_add((ap_tags *)o.tags, "ARTIST", "One");
    ap_tags_add((ap_tags *)o.tags, "ARTIST", "Zwölf");
    ap_tags_add((ap_tags *)o.tags, "TRACKNUMBER", "3");
    ap_tags_add((ap_tags *)o.tags, "TRACKTOTAL", "12");
    CHECK(encode_file(over(x, 44100, 1, 100), "x.mp3", &o));
    CHECK_PRINTS("3/12", "ffprobe -v error -show_entries format_tags=track -of default=nk=1:nw=1 x.mp3");
    ap_stream *s = ap_decode("x.mp3", NULL, NULL);
    const char *key, *value;
    char artists[64] = "";
    for (size_t i = 0; ap_tags_at(ap_stream_tags(s), i, &key, &value); i++)
        if (strcmp(key, "ARTIST") == 0) {
            strcat(artists, value);
            strcat(artists, ",");
        }
    if (!CHECK(strcmp(artists, "One,Zwölf,") == 0))
        fprintf(stderr, "%s\n", artists);
    ap_close(&s);
    ap_tags_free((ap_tags **)&o.tags);
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
          CASE(wav_streams_to_a_pipe), CASE(large_wav_is_rf64), CASE(unknown_lengths_are_filled_in),
          CASE(a_pipe_gets_what_a_file_gets), CASE(tags_arrive), CASE(wav_has_its_usual_tags),
          CASE(all_tags_come_back), CASE(pictures_arrive), CASE(what_aiff_cannot_hold_is_refused_at_once),
          CASE(a_tag_that_flac_cannot_hold_is_left_out), CASE(given_tags_replace_those_of_the_stream),
          CASE(many_values_make_one_frame), CASE(clipping_is_counted), CASE(rescaling_keeps_the_shape),
          CASE(sixteen_bits_stay_as_they_are), CASE(bad_options_are_refused), CASE(null_stream_fails_quietly),
          CASE(a_full_disk_can_be_tried_again), CASE(a_broken_source_leaves_the_old_file))
