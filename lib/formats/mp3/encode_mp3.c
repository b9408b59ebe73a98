/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode_mp3.c - MP3 by LAME, in parallel (mp3.h says how), with a LAME tag and an ID3v2 tag. */
#include "base/cores.h"
#include "base/error.h"
#include "base/output.h"
#include "formats/encoders.h"
#include "formats/mp3/id3.h"
#include "formats/mp3/mp3.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

/* More threads than this have nothing to do in an hour of music. */
#define MAX_THREADS 64

static const struct {
    uint32_t rate;
    const int *bitrates; /* kbit/s, those of LAME's table for the rate (tables.c, bitrate_table) */
} legal[] = {
#define MPEG_1 ((const int[]){32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0})
#define MPEG_2 ((const int[]){8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0})
#define MPEG_25 ((const int[]){8, 16, 24, 32, 40, 48, 56, 64, 0})
    {8000, MPEG_25}, {11025, MPEG_25}, {12000, MPEG_25}, {16000, MPEG_2}, {22050, MPEG_2},
    {24000, MPEG_2}, {32000, MPEG_1},  {44100, MPEG_1},  {48000, MPEG_1},
};

const int *ap_mp3_bitrates(uint32_t rate)
{
    for (size_t i = 0; i < sizeof legal / sizeof *legal; i++)
        if (legal[i].rate == rate)
            return legal[i].bitrates;
    return NULL;
}

uint32_t ap_mp3_rate(uint32_t rate)
{
    for (size_t i = 0; i < sizeof legal / sizeof *legal; i++)
        if (legal[i].rate >= rate)
            return legal[i].rate;
    return 48000;
}

static void say_nothing(const char *format, va_list args)
{
    (void)format;
    (void)args;
}

static void set_all(lame_t lame, const ap_mp3_config *config, bool tag)
{
    lame_set_errorf(lame, say_nothing);
    lame_set_debugf(lame, say_nothing);
    lame_set_msgf(lame, say_nothing);
    lame_set_num_channels(lame, (int)config->channels);
    lame_set_mode(lame, config->channels == 1 ? MONO : JOINT_STEREO);
    lame_set_in_samplerate(lame, (int)config->rate);
    lame_set_out_samplerate(lame, (int)config->rate);
    if (config->bitrate_kbps) {
        lame_set_brate(lame, config->bitrate_kbps);
    } else {
        lame_set_VBR(lame, vbr_mtrh);
        lame_set_VBR_quality(lame, (float)config->vbr_quality);
    }
    if (config->effort >= 0)
        lame_set_quality(lame, config->effort);
    if (config->scale > 0)
        lame_set_scale(lame, config->scale);
    lame_set_bWriteVbrTag(lame, tag);
    lame_set_write_id3tag_automatic(lame, 0);
}

lame_t ap_mp3_lame(const ap_mp3_config *config, bool tag, ap_error *err)
{
    lame_t lame = lame_init();
    if (!lame) {
        ap_fail_memory(err);
        return NULL;
    }
    set_all(lame, config, tag);
    if (lame_init_params(lame) >= 0)
        return lame;
    ap_fail(err, AP_FAILED, "LAME refuses %u Hz, %u channels", config->rate, config->channels);
    lame_close(lame);
    return NULL;
}

bool ap_mp3_keep_level(ap_mp3_config *c, ap_error *err)
{
    lame_t lame = ap_mp3_lame(c, false, err);
    if (!lame)
        return false;
    c->scale = 1 / lame_get_scale(lame);
    lame_close(lame);
    return true;
}

/* ---- options */

static bool check_bitrate(double kbps, uint32_t rate, ap_error *err)
{
    char list[128] = "";
    for (const int *b = ap_mp3_bitrates(rate); *b; b++) {
        if (kbps == *b)
            return true;
        size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, " %d", *b);
    }
    return ap_fail(err, AP_USAGE, "MP3 at %u Hz has no bitrate of %g kbit/s, only%s", rate, kbps, list);
}

/* 320 kbit/s, or the highest that there is. */
static int default_bitrate(uint32_t rate)
{
    const int *b = ap_mp3_bitrates(rate);
    while (b[1])
        b++;
    return *b;
}

static bool configure(ap_mp3_config *c, const ap_format *format, const ap_encode_options *o, ap_error *err)
{
    *c = (ap_mp3_config){.rate = format->rate, .channels = format->channels, .effort = o->effort};
    c->frame = c->rate < 32000 ? AP_MP3_MAX_FRAME / 2 : AP_MP3_MAX_FRAME;
    c->vbr_quality = o->vbr_quality;
    if (o->effort > 9)
        return ap_check_range("MP3 effort", o->effort, 0, 9, err);
    if (o->vbr_quality >= 0)
        return true;
    c->bitrate_kbps = o->bitrate_kbps > 0 ? (int)o->bitrate_kbps : default_bitrate(c->rate);
    return o->bitrate_kbps <= 0 || check_bitrate(o->bitrate_kbps, c->rate, err);
}

static unsigned thread_count(const ap_encode_options *options)
{
    const unsigned n = options->threads ? options->threads : ap_cores();
    return n > MAX_THREADS ? MAX_THREADS : n;
}

/* ---- the file */

typedef struct writer {
    ap_output *out;
    ap_mp3_tag tag;
    uint64_t tag_at;   /* its place in the file */
    ap_mp3_part *held; /* not written yet: the next part moves bits into it */
} writer;

static bool write_start(writer *w, const ap_mp3_config *config, const ap_stream *s, ap_error *err)
{
    size_t size;
    unsigned char *id3;
    if (!ap_id3_make(ap_stream_tags(s), &s->format, &id3, &size, err))
        return false;
    bool ok = ap_output_write(w->out, id3, size, err) && ap_mp3_tag_start(&w->tag, config, err);
    free(id3);
    w->tag_at = ap_output_tell(w->out);
    return ok && ap_output_write(w->out, w->tag.frame, w->tag.size, err);
}

/* Writes the MP3 frames that are held up to number end of the file. */
static bool write_held(writer *w, uint64_t end, ap_error *err)
{
    const ap_mp3_part *part = w->held;
    size_t from = (size_t)(w->tag.frames - part->first), to = (size_t)(end - part->first);
    for (size_t i = from; i < to; i++)
        ap_mp3_tag_add(&w->tag, part->bytes + part->at[i], part->at[i + 1] - part->at[i]);
    return ap_output_write(w->out, part->bytes + part->at[from], part->at[to] - part->at[from], err);
}

/* Takes the next part over. */
static bool write_part(writer *w, ap_mp3_part *part, ap_error *err)
{
    bool ok = !w->held || write_held(w, ap_mp3_part_join(w->held, part, AP_MP3_CHOICES), err);
    ap_mp3_part_free(w->held);
    w->held = part;
    return ok;
}

static bool write_end(writer *w, const ap_mp3_config *config, uint64_t frames, ap_error *err)
{
    if (!write_held(w, w->held->first + w->held->count, err))
        return false;
    ap_mp3_tag_finish(&w->tag, config, frames);
    uint64_t end = ap_output_tell(w->out);
    return ap_output_seek(w->out, w->tag_at, err) &&
           ap_output_write(w->out, w->tag.frame, w->tag.size, err) && ap_output_seek(w->out, end, err);
}

/* Carries samples from the stream to the pool and MP3 frames from the pool to the file. */
static bool encode_all(ap_stream *s, ap_mp3_pool *pool, writer *w, size_t chunk, ap_error *err)
{
    float *input;
    ap_mp3_part *output;
    while (true) {
        ap_mp3_wish wish = ap_mp3_pool_wait(pool, &input, &output, err);
        if (wish == AP_MP3_INPUT) {
            ptrdiff_t n = ap_read_full(s, input, chunk, err);
            if (n < 0)
                return false;
            if (s->position == 0) { /* the tag will say that this sample does not count */
                memset(input, 0, s->format.channels * sizeof *input);
                n = 1; /* MP3s of a single MP3 frame are refused by ffmpeg */
            }
            ap_mp3_pool_put(pool, (size_t)n);
        } else if (wish == AP_MP3_OUTPUT) {
            if (!write_part(w, output, err))
                return false;
        } else {
            return wish == AP_MP3_DONE;
        }
    }
}

bool ap_encode_mp3(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err)
{
    ap_mp3_config config;
    writer w = {.out = out};
    if (!configure(&config, &s->format, options, err) || !ap_mp3_keep_level(&config, err) ||
        !write_start(&w, &config, s, err))
        return false;
    /* After ap_mp3_keep_level, which has filled LAME's static tables: later instances write the same values
     * again.
     */
    ap_mp3_pool *pool = ap_mp3_pool_new(&config, thread_count(options), err);
    bool ok = pool && encode_all(s, pool, &w, AP_MP3_CHUNK * config.frame, err) &&
              write_end(&w, &config, s->position, err);
    ap_mp3_pool_free(pool);
    ap_mp3_part_free(w.held);
    return ok;
}
