/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tags and pictures in files of all formats, as ffprobe and others read them, and as this library does. */
#include "base/error.h"
#include "encode_help.h"
#include "stream/stream.h"

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

TEST_MAIN(CASE(tags_arrive), CASE(wav_has_its_usual_tags), CASE(all_tags_come_back), CASE(pictures_arrive),
          CASE(what_aiff_cannot_hold_is_refused_at_once), CASE(a_tag_that_flac_cannot_hold_is_left_out),
          CASE(given_tags_replace_those_of_the_stream), CASE(many_values_make_one_frame))
