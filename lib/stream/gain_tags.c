/* SPDX-License-Identifier: GPL-3.0-or-later
 * gain_tags.c - ReplayGain 2.0 and the gains of Opus (RFC 7845, 5.2.1), which say the same to players in two
 * ways. */
#include "stream/gain_tags.h"
#include "base/error.h"
#include "stream/stream.h"
#include "stream/tags.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REPLAYGAIN_LUFS (-18.0) /* ReplayGain 2.0; stands for the 89 dB SPL of ReplayGain 1.0 */
#define REPLAYGAIN_SPL_DB 89.0  /* ReplayGain 1.0, as metaflac writes it */
#define R128_LUFS (-23.0)       /* EBU R 128 */
#define MAX_GAIN_DB 128.0       /* Q7.8 in 16 bits */
#define REFERENCE "REPLAYGAIN_REFERENCE_LOUDNESS"

static const char *const pairs[][2] = {
    {"REPLAYGAIN_TRACK_GAIN", "R128_TRACK_GAIN"},
    {"REPLAYGAIN_ALBUM_GAIN", "R128_ALBUM_GAIN"},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

/* Keys of gains, peaks and ranges; those that end in '_' stand for all that begin so. */
static bool is_gain_key(const char *key)
{
    static const char *const keys[] = {"REPLAYGAIN_", "R128_",   "MP3GAIN_", "ITUNNORM",      "RVA2",
                                       "RVAD",        "RG_PEAK", "RG_RADIO", "RG_AUDIOPHILE", "MP3GAIN"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t n = strlen(keys[i]);
        if (strncasecmp(key, keys[i], n) == 0 && (keys[i][n - 1] == '_' || key[n] == 0 || key[n] == ':'))
            return true;
    }
    return false;
}

void ap_tags_drop_gain(ap_tags *tags)
{
    ap_tags_remove_if(tags, is_gain_key);
}

static bool is_replaygain(const char *key)
{
    return strncmp(key, "REPLAYGAIN_", 11) == 0;
}

static bool is_r128(const char *key)
{
    return strncmp(key, "R128_", 5) == 0;
}

/* "-6.00 dB", "+3.2", "-6,5 dB" */
static bool parse_db(const char *text, double *db, const char **unit)
{
    char copy[32];
    snprintf(copy, sizeof copy, "%s", text ? text : "");
    char *comma = strchr(copy, ',');
    if (comma)
        *comma = '.';
    char *end;
    *db = strtod(copy, &end);
    *unit = text + (end - copy);
    return end != copy && isfinite(*db) && fabs(*db) <= MAX_GAIN_DB;
}

/* By how much gains are to be raised because the tags name another reference. */
static double reference_offset(const ap_tags *tags)
{
    double value;
    const char *unit;
    if (!parse_db(ap_tags_get(tags, REFERENCE), &value, &unit))
        return 0;
    unit += strspn(unit, " ");
    if (strncasecmp(unit, "LU", 2) == 0)
        return REPLAYGAIN_LUFS - value;
    return REPLAYGAIN_SPL_DB - value;
}

static bool set_replaygain(ap_tags *tags, const char *key, double db)
{
    char text[32];
    snprintf(text, sizeof text, "%.2f dB", db);
    return ap_tags_set(tags, key, text);
}

/* Takes the reference into the gains. */
static bool drop_reference(ap_tags *tags)
{
    double offset = reference_offset(tags), db;
    const char *unit;
    for (int i = 0; i < PAIRS && fabs(offset) > 0.005; i++)
        if (parse_db(ap_tags_get(tags, pairs[i][0]), &db, &unit) &&
            !set_replaygain(tags, pairs[i][0], db + offset))
            return false;
    (void)ap_tags_set(tags, REFERENCE, "");
    return true;
}

static bool to_r128(ap_tags *tags, const char *from, const char *key)
{
    double db;
    const char *unit;
    char text[16];
    if (ap_tags_get(tags, key) || !parse_db(ap_tags_get(tags, from), &db, &unit))
        return true;
    double q = round(256 * (db + R128_LUFS - REPLAYGAIN_LUFS));
    snprintf(text, sizeof text, "%d", (int)fmin(fmax(q, INT16_MIN), INT16_MAX));
    return ap_tags_set(tags, key, text);
}

static bool to_replaygain(ap_tags *tags, const char *from, const char *key)
{
    const char *value = ap_tags_get(tags, from);
    char *end;
    long q = value ? strtol(value, &end, 10) : 0;
    if (ap_tags_get(tags, key) || !value || end == value || q < INT16_MIN || q > INT16_MAX)
        return true;
    return set_replaygain(tags, key, (double)q / 256 + REPLAYGAIN_LUFS - R128_LUFS);
}

bool ap_gain_tags_convert(ap_tags *tags, ap_gain_tags to)
{
    if (to == AP_GAIN_AS_IT_IS)
        return true;
    bool ok = drop_reference(tags);
    for (int i = 0; ok && i < PAIRS; i++)
        ok = to == AP_GAIN_R128 ? to_r128(tags, pairs[i][0], pairs[i][1])
                                : to_replaygain(tags, pairs[i][1], pairs[i][0]);
    ap_tags_remove_if(tags, to == AP_GAIN_R128 ? is_replaygain : is_r128);
    return ok;
}

static bool is_undo(const char *key)
{
    return strncmp(key, "MP3GAIN_", 8) == 0;
}

void ap_tags_drop_undo(ap_tags *tags)
{
    ap_tags_remove_if(tags, is_undo);
}

/* ---- streams */

static bool copy_without(ap_stream *s, const ap_tags *from)
{
    ap_tags *tags = ap_tags_new();
    if (!tags || !ap_tags_merge(tags, from)) {
        ap_tags_free(&tags);
        return false;
    }
    ap_tags_drop_gain(tags);
    ap_tags_free(&s->tags);
    s->tags = tags;
    return true;
}

ap_stream *ap_without_gain_tags(ap_stream *s, ap_error *err)
{
    const char *key, *value;
    const ap_tags *tags = s ? ap_stream_tags(s) : NULL;
    for (size_t i = 0; tags && ap_tags_at(tags, i, &key, &value); i++)
        if (is_gain_key(key)) {
            if (copy_without(s, tags))
                break;
            ap_close(&s);
            ap_fail_memory(err);
            break;
        }
    return s;
}
