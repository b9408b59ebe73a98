/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode_opus.c - Ogg Opus by libopusenc. */
#include "base/bytes.h"
#include "base/error.h"
#include "base/output.h"
#include "formats/ogg_write.h"
#include "stream/stream.h"

#include <ogg/ogg.h>
#include <opusenc.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_KBPS 160        /* mono and stereo */
#define DEFAULT_CHANNEL_KBPS 80 /* each, if there are more */
#define MAX_CHANNEL_KBPS 256    /* libopusenc, OPE_SET_BITRATE refuses more */
#define ORIGINAL_RATE_AT 12     /* in the identification header, RFC 7845, 5.1 */

/* What the callbacks need. */
typedef struct sink {
    ap_output *out;
    uint32_t original_rate;
    bool started, failed;
    ap_error error;
} sink;

/* Notes in the first page, which holds the identification header only, what rate the music had before it
 * became 48 kHz. libopusenc has no option for that. */
static void set_original_rate(unsigned char *bytes, opus_int32 size, uint32_t rate)
{
    ogg_page page = {bytes, 27 + bytes[26], bytes + 27 + bytes[26], size - 27 - bytes[26]};
    if (page.body_len < 19 || memcmp(page.body, "OpusHead", 8) != 0)
        return;
    ap_put_little(page.body + ORIGINAL_RATE_AT, rate, 4);
    ogg_page_checksum_set(&page);
}

static int write_page(void *user, const unsigned char *bytes, opus_int32 size)
{
    sink *k = user;
    unsigned char *copy = NULL;
    if (!k->started && size > 27 && (copy = malloc((size_t)size))) {
        memcpy(copy, bytes, (size_t)size);
        set_original_rate(copy, size, k->original_rate);
    }
    k->started = true;
    k->failed = k->failed || !ap_output_write(k->out, copy ? copy : bytes, (size_t)size, &k->error);
    free(copy);
    return k->failed;
}

static int close_nothing(void *user)
{
    (void)user;
    return 0;
}

static OggOpusComments *make_comments(const ap_tags *tags)
{
    const char *key, *value;
    OggOpusComments *comments = ope_comments_create();
    bool ok = comments;
    for (size_t i = 0; ok && ap_tags_at(tags, i, &key, &value); i++)
        ok = ope_comments_add(comments, key, value) == OPE_OK;
    char *picture = ok ? ap_picture_comment(tags) : NULL;
    if (picture)
        ok = ope_comments_add(comments, AP_PICTURE_KEY, picture) == OPE_OK;
    ok = ok && (picture || ap_tags_picture(tags).size == 0);
    free(picture);
    if (ok)
        return comments;
    if (comments)
        ope_comments_destroy(comments);
    return NULL;
}

static bool configure(OggOpusEnc *encoder, const ap_stream *s, const ap_encode_options *o, ap_error *err)
{
    uint32_t channels = s->format.channels;
    double kbps = o->bitrate_kbps != 0 ? o->bitrate_kbps
                  : channels <= 2      ? DEFAULT_KBPS
                                       : DEFAULT_CHANNEL_KBPS * channels;
    if (!ap_check_range("Opus bitrate", kbps, 6, MAX_CHANNEL_KBPS * channels, err))
        return false;
    if (ope_encoder_ctl(encoder, OPUS_SET_BITRATE((opus_int32)(1000 * kbps))) == OPE_OK &&
        ope_encoder_ctl(encoder, OPUS_SET_VBR(1)) == OPE_OK &&
        ope_encoder_ctl(encoder, OPE_SET_COMMENT_PADDING(0)) == OPE_OK) /* ffmpeg complains about it */
        return true;
    return ap_fail(err, AP_FAILED, "libopusenc refuses %g kbit/s with %u channels", kbps, channels);
}

static bool opus_ok(int code, ap_error *err)
{
    return code == OPE_OK || ap_fail(err, AP_FAILED, "libopusenc failed: %s", ope_strerror(code));
}

static bool encode_all(ap_stream *s, OggOpusEnc *encoder, ap_error *err)
{
    uint32_t channels = s->format.channels;
    float *frames = malloc(AP_BLOCK * channels * sizeof *frames);
    if (!frames)
        return ap_fail_memory(err);
    ptrdiff_t n = ap_read_full(s, frames, AP_BLOCK, err);
    bool ok = n >= 0 &&
              opus_ok(ope_encoder_ctl(encoder, OPE_SET_SERIALNO(ap_ogg_serial(s, frames, (size_t)n))), err);
    while (ok && n > 0) {
        ap_to_vorbis_order(frames, (size_t)n, &s->format);
        ok = opus_ok(ope_encoder_write_float(encoder, frames, (int)n), err) &&
             (n = ap_read(s, frames, AP_BLOCK, err)) >= 0;
    }
    free(frames);
    /* Called even with no frames: without any call, ope_encoder_drain of 0.2.1 aborts on an empty stream. */
    return ok && opus_ok(ope_encoder_write_float(encoder, NULL, 0), err) &&
           opus_ok(ope_encoder_drain(encoder), err);
}

/* The rate before ap_resample. */
static uint32_t original_rate(const ap_stream *s)
{
    while (s->source && s->format.rate == 48000)
        s = s->source;
    return s->format.rate;
}

/* RFC 7845, 5.1.1: 0 = mono and stereo, 1 = the layouts of Vorbis, 255 = channels without positions. */
static int mapping_family(const ap_format *format)
{
    return format->channels <= 2 ? 0 : ap_has_places(format) ? 1 : 255;
}

bool ap_encode_opus(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err)
{
    static const OpusEncCallbacks callbacks = {write_page, close_nothing};
    sink k = {.out = out, .original_rate = original_rate(s)};
    int code = OPE_OK;
    OggOpusEnc *encoder = NULL;
    OggOpusComments *comments = make_comments(ap_stream_tags(s));
    bool ok = comments || ap_fail_memory(err);
    if (ok) {
        encoder = ope_encoder_create_callbacks(&callbacks, &k, comments, (opus_int32)s->format.rate,
                                               (int)s->format.channels, mapping_family(&s->format), &code);
        ok = opus_ok(code, err) && configure(encoder, s, options, err) && encode_all(s, encoder, err);
    }
    if (k.failed && err)
        *err = k.error; /* more than libopusenc knows */
    if (encoder)
        ope_encoder_destroy(encoder);
    if (comments)
        ope_comments_destroy(comments);
    return ok;
}
