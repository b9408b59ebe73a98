/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-encode - an apstream to a file. */
#include "filter.h"

#include <stdio.h>
#include <string.h>

typedef struct config {
    double vbr_quality;
    unsigned effort;
    int dither, clip_mode;
    uint64_t seed;
    const char *tags_from;
    ap_tags *tags; /* from --tags-from and --tag */
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
        if (ap_tags_add(c->tags, key, argument + length + 1))
            return true;
    }
    err->code = AP_USAGE;
    snprintf(err->message, sizeof err->message, "'%s' is not KEY=VALUE", argument);
    return false;
}

static const option_row rows[] = {
    {'V', "vbr", OPTION_NUMBER, "QUALITY", offsetof(config, vbr_quality),
     "variable bit rate for mp3 and ogg: 0 best, 9 smallest", 0, 9.999, NULL, NULL, true},
    {0, "effort", OPTION_COUNT, "N", offsetof(config, effort),
     "mp3: 0 slow and careful, 9 fast; flac: 0 fast, 8 small", 0, 9, NULL, NULL, true},
    {0, "dither", OPTION_CHOICE, NULL, offsetof(config, dither),
     "triangular dither; auto = when bits are lost", 0, 0, "auto|on|off", NULL, false},
    {0, "seed", OPTION_SEED, "N", offsetof(config, seed), "seed of the dither"},
    {0, "clip-mode", OPTION_CHOICE, NULL, offsetof(config, clip_mode),
     "beyond full scale: clamp, or rescale everything (two passes)", 0, 0, "clamp|rescale", NULL, false},
    {0, "tags-from", OPTION_TEXT, "FILE", offsetof(config, tags_from), "take tags and cover art from FILE"},
    {0, "tag", OPTION_CALL, "KEY=VALUE", 0, "set a tag (repeatable)", 0, 0, NULL, add_tag, false},
    {0},
};

/* Adds what --tag has not set. */
static bool read_tags(const char *path, ap_tags *tags, ap_error *err)
{
    ap_stream *s = ap_decode(path, NULL, err);
    if (!s)
        return false;
    bool ok = ap_tags_fill(tags, ap_stream_tags(s));
    ap_close(&s);
    if (!ok)
        *err = (ap_error){AP_TRY_AGAIN, "out of memory"};
    return ok;
}

static bool encoding(const void *cfg, ap_encode_options *options, ap_error *err)
{
    const config *c = cfg;
    options->vbr_quality = c->vbr_quality;
    options->effort = c->effort > 9 ? -1 : (int)c->effort;
    options->dither = (ap_dither)c->dither;
    options->clip_mode = (ap_clip_mode)c->clip_mode;
    options->seed = c->seed;
    options->tags = c->tags;
    return !c->tags_from || read_tags(c->tags_from, c->tags, err);
}

int main(int argc, char **argv)
{
    config c = {.vbr_quality = -1, .effort = 10, .tags = ap_tags_new()};
    const filter f = {
        .command = {"ap-encode", "[INPUT]", "Encodes audio to MP3, FLAC, WAV, AIFF, Ogg Vorbis, Opus or AU."},
        .rows = rows,
        .config = &c,
        .encoding = encoding,
    };
    int status = filter_main(&f, argc, argv);
    ap_tags_free(&c.tags);
    return status;
}
