/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-encode - an apstream to a file. */
#include "base/error.h"
#include "front/filter.h"

#include <string.h>

typedef struct config {
    double vbr_quality;
    unsigned effort;
    ap_dither dither;
    ap_clip_mode clip_mode;
    uint64_t seed;
    const char *tags_from;
    ap_tags *given;   /* what every file gets: --tag, then --tags-from */
    ap_tags *removed; /* keys that --tag gave no value */
    ap_tags *tags;    /* what the file gets: these, then the input's */
} config;

/* --tag KEY=VALUE */
static bool add_tag(void *cfg, const char *argument, ap_error *err)
{
    config *c = cfg;
    char key[257];
    size_t length = strcspn(argument, "=");
    if (length < sizeof key && argument[length]) {
        memcpy(key, argument, length);
        key[length] = 0;
        const char *value = argument + length + 1;
        if (*value ? ap_tags_add(c->given, key, value) : ap_tags_add(c->removed, key, "removed"))
            return true;
    }
    return ap_fail(err, AP_USAGE, "'%s' is not KEY=VALUE", argument);
}

static const choice dithers[] = {{"auto", AP_DITHER_AUTO}, {"on", AP_DITHER_ON}, {"off", AP_DITHER_OFF}, {0}};
static const choice clip_modes[] = {{"clamp", AP_CLIP_CLAMP}, {"rescale", AP_CLIP_RESCALE}, {0}};

static const option_row rows[] = {
    ROW_NUMBER('V', "vbr", "QUALITY", offsetof(config, vbr_quality), 0, 9.999,
               "variable bit rate for mp3 and ogg: 0 best, 9 smallest", .no_default = true),
    ROW_COUNT(0, "effort", "N", offsetof(config, effort), 0, 9,
              "mp3: 0 slow and careful, 9 fast; flac: 0 fast, 8 small", .no_default = true),
    ROW_CHOICE(0, "dither", dithers, offsetof(config, dither),
               "triangular dither; auto = when bits are lost"),
    ROW_SEED(0, "seed", "N", offsetof(config, seed), "seed of the dither"),
    ROW_CHOICE(0, "clip-mode", clip_modes, offsetof(config, clip_mode),
               "beyond full scale: clamp, or rescale everything (two passes)"),
    ROW_FILE(0, "tags-from", "FILE", offsetof(config, tags_from), "take tags and cover art from FILE"),
    ROW_CALL(0, "tag", "KEY=VALUE", add_tag, "set a tag, or remove it: KEY= (repeatable)"),
    {0},
};

/* Adds the tags whose keys are neither there nor removed, and the picture if there is none. */
static bool fill_tags(const config *c, ap_tags *tags, const ap_tags *from, ap_error *err)
{
    ap_tags *others = ap_tags_new();
    const char *key, *value;
    bool ok = others;
    for (size_t i = 0; ok && ap_tags_at(from, i, &key, &value); i++)
        if (!ap_tags_get(tags, key) && !ap_tags_get(c->removed, key))
            ok = ap_tags_add(others, key, value);
    ap_picture picture = ap_tags_picture(from);
    if (ok && picture.size && !ap_tags_picture(tags).size)
        ok = ap_tags_set_picture(others, picture.mime, picture.data, picture.size);
    ok = ok && ap_tags_merge(tags, others);
    ap_tags_free(&others);
    return ok || ap_fail_memory(err);
}

/* --tags-from */
static bool prepare(void *cfg, ap_error *err)
{
    const config *c = cfg;
    if (!c->tags_from)
        return true;
    ap_stream *s = ap_decode(c->tags_from, NULL, err);
    bool ok = s && fill_tags(c, c->given, ap_stream_tags(s), err);
    ap_close(&s);
    return ok;
}

static ap_stream *take_tags(ap_stream *s, const void *cfg, ap_error *err)
{
    const config *c = cfg;
    if (s && !fill_tags(c, c->tags, ap_stream_tags(s), err))
        ap_close(&s);
    return s;
}

static bool encoding(void *cfg, ap_encode_options *options, ap_error *err)
{
    config *c = cfg;
    options->vbr_quality = c->vbr_quality;
    options->effort = c->effort > 9 ? -1 : (int)c->effort;
    options->dither = c->dither;
    options->clip_mode = c->clip_mode;
    options->seed = c->seed;
    ap_tags_free(&c->tags);
    c->tags = ap_tags_new();
    if (!c->tags || !ap_tags_merge(c->tags, c->given))
        return ap_fail_memory(err);
    options->tags = c->tags;
    options->replace_tags = true;
    return true;
}

int main(int argc, char **argv)
{
    config c = {.vbr_quality = -1, .effort = 10, .given = ap_tags_new(), .removed = ap_tags_new()};
    const filter f = {
        .command = {"ap-encode", "[INPUT]...",
                    "Encodes audio to MP3, FLAC, WAV, AIFF, Ogg Vorbis, Opus, M4A or AU."},
        .rows = rows,
        .config = &c,
        .prepare = prepare,
        .build = take_tags,
        .encoding = encoding,
        .extension = "",
    };
    int status = filter_main(&f, argc, argv);
    ap_tags_free(&c.tags);
    ap_tags_free(&c.given);
    ap_tags_free(&c.removed);
    return status;
}
