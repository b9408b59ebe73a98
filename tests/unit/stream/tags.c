/* SPDX-License-Identifier: GPL-3.0-or-later
 * tags.c - tests of tags, and of those that change the loudness. */
#include "stream/tags.h"
#include "stream/gain_tags.h"
#include "test.h"

/* Tags of "KEY=value" strings, ended by NULL. */
static ap_tags *make(const char *const *pairs)
{
    ap_tags *tags = ap_tags_new();
    char key[64];
    for (; *pairs; pairs++) {
        const char *equals = strchr(*pairs, '=');
        snprintf(key, sizeof key, "%.*s", (int)(equals - *pairs), *pairs);
        CHECK(ap_tags_add(tags, key, equals + 1));
    }
    return tags;
}

static void check(const ap_tags *tags, const char *const *want)
{
    const char *key, *value;
    char pair[128];
    size_t i = 0;
    for (; ap_tags_at(tags, i, &key, &value) && want[i]; i++) {
        snprintf(pair, sizeof pair, "%s=%s", key, value);
        if (!CHECK(strcmp(pair, want[i]) == 0))
            fprintf(stderr, "%s, not %s\n", pair, want[i]);
    }
    CHECK(!want[i] && !ap_tags_at(tags, i, &key, &value));
}

#define LIST(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void a_key_of_the_tags_can_be_removed(void)
{
    ap_tags *tags = make(LIST("A=1", "B=2", "A=3", "A=4"));
    const char *key, *value;
    CHECK(ap_tags_at(tags, 0, &key, &value) && ap_tags_set(tags, key, ""));
    check(tags, LIST("B=2"));
    ap_tags_free(&tags);
}

static void gains_are_dropped(void)
{
    ap_tags *tags =
        make(LIST("REPLAYGAIN_TRACK_GAIN=-1.00 dB", "TITLE=a", "R128_TRACK_GAIN=1", "MP3GAIN_MINMAX=1,2",
                  "iTunNORM=0000", "RVA2:track=x", "RVA2=y", "REPLAYGAIN_TRACK_PEAK=1",
                  "MP3GAIN_UNDO=+0,+0,N", "RVA2X=kept", "replaygain_album_range=3"));
    ap_tags_drop_gain(tags);
    check(tags, LIST("TITLE=a", "RVA2X=kept"));
    ap_tags_free(&tags);
}

static void convert(const char *const *from, ap_gain_tags to, const char *const *want)
{
    ap_tags *tags = make(from);
    CHECK(ap_gain_tags_convert(tags, to));
    check(tags, want);
    ap_tags_free(&tags);
}

/* RFC 7845, 5.2.1: Q7.8, to -23 LUFS, no REPLAYGAIN_ and no peaks. */
static void opus_gets_r128(void)
{
    convert(LIST("TITLE=x", "REPLAYGAIN_TRACK_GAIN=-6.00 dB", "REPLAYGAIN_TRACK_PEAK=0.9",
                 "REPLAYGAIN_ALBUM_GAIN=+7,5 dB"),
            AP_GAIN_R128, LIST("TITLE=x", "R128_TRACK_GAIN=-2816", "R128_ALBUM_GAIN=640"));
    convert(LIST("R128_TRACK_GAIN=-3", "REPLAYGAIN_TRACK_GAIN=-6.00 dB"), AP_GAIN_R128,
            LIST("R128_TRACK_GAIN=-3"));
    convert(LIST("REPLAYGAIN_TRACK_GAIN=loud", "REPLAYGAIN_ALBUM_GAIN=-127.9"), AP_GAIN_R128,
            LIST("R128_ALBUM_GAIN=-32768"));
    convert(LIST("REPLAYGAIN_TRACK_GAIN=nan"), AP_GAIN_R128, LIST());
}

static void others_get_replaygain(void)
{
    convert(LIST("R128_TRACK_GAIN=-2816", "R128_ALBUM_GAIN=640", "TITLE=x"), AP_GAIN_REPLAYGAIN,
            LIST("TITLE=x", "REPLAYGAIN_TRACK_GAIN=-6.00 dB", "REPLAYGAIN_ALBUM_GAIN=7.50 dB"));
    convert(LIST("REPLAYGAIN_TRACK_GAIN=-1.00 dB", "R128_TRACK_GAIN=5"), AP_GAIN_REPLAYGAIN,
            LIST("REPLAYGAIN_TRACK_GAIN=-1.00 dB"));
    convert(LIST("R128_TRACK_GAIN=99999", "R128_ALBUM_GAIN=x"), AP_GAIN_REPLAYGAIN, LIST());
    convert(LIST("R128_TRACK_GAIN=1", "REPLAYGAIN_REFERENCE_LOUDNESS=1"), AP_GAIN_AS_IT_IS,
            LIST("R128_TRACK_GAIN=1", "REPLAYGAIN_REFERENCE_LOUDNESS=1"));
}

/* opusenc 0.2 takes "-18.00 LUFS" for dB SPL, so nobody is told a reference. */
static void the_reference_goes_into_the_gain(void)
{
    convert(LIST("REPLAYGAIN_REFERENCE_LOUDNESS=89.0 dB", "REPLAYGAIN_TRACK_GAIN=-6.123 dB"),
            AP_GAIN_REPLAYGAIN, LIST("REPLAYGAIN_TRACK_GAIN=-6.123 dB"));
    convert(LIST("REPLAYGAIN_REFERENCE_LOUDNESS=-18.00 LUFS", "REPLAYGAIN_TRACK_GAIN=-6.12 dB"),
            AP_GAIN_REPLAYGAIN, LIST("REPLAYGAIN_TRACK_GAIN=-6.12 dB"));
    convert(LIST("REPLAYGAIN_REFERENCE_LOUDNESS=-23.00 LUFS", "REPLAYGAIN_TRACK_GAIN=-6.00 dB"),
            AP_GAIN_REPLAYGAIN, LIST("REPLAYGAIN_TRACK_GAIN=-1.00 dB"));
    convert(LIST("REPLAYGAIN_REFERENCE_LOUDNESS=83 dB", "REPLAYGAIN_TRACK_GAIN=-12.00 dB"), AP_GAIN_R128,
            LIST("R128_TRACK_GAIN=-2816"));
}

TEST_MAIN(CASE(a_key_of_the_tags_can_be_removed), CASE(gains_are_dropped), CASE(opus_gets_r128),
          CASE(others_get_replaygain), CASE(the_reference_goes_into_the_gain))
