/* SPDX-License-Identifier: GPL-3.0-or-later
 * decode_sndfile.c - AIFF, CAF, W64, and what else libsndfile reads. It needs to seek, so a pipe goes through
 * a temporary file. Its lengths are believed only after the file was looked at here. */
#include "formats/decode_sndfile.h"
#include "base/bytes.h"
#include "base/error.h"
#include "formats/chan.h"
#include "formats/chunks.h"
#include "formats/declared.h"
#include "formats/pcm.h"
#include "stream/stream.h"

#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

/* Frames of a block of the codecs that WAV holds: Microsoft's ADPCM has at most 65535 bytes, of two samples.
 */
#define MAX_BLOCK 131072

typedef struct decoder {
    ap_input *in;
    uint64_t base;     /* where the file begins in the input */
    ap_error io_error; /* of a callback; code AP_OK if there was none */
    SNDFILE *file;
    ap_chunks chunks;
    unsigned char layout[AP_CHAN_SIZE]; /* the chunk that says what the channels are */
    size_t layout_size;
    ap_chan chan;
} decoder;

/* ---- the input, as libsndfile wants it */

static sf_count_t vio_length(void *user)
{
    const decoder *d = user;
    return (sf_count_t)((d->chunks.another ? d->chunks.another : ap_input_size(d->in)) - d->base);
}

static sf_count_t vio_tell(void *user)
{
    const decoder *d = user;
    return (sf_count_t)(ap_input_tell(d->in) - d->base);
}

static sf_count_t vio_seek(sf_count_t offset, int whence, void *user)
{
    decoder *d = user;
    sf_count_t from = whence == SEEK_CUR ? vio_tell(d) : whence == SEEK_END ? vio_length(d) : 0;
    sf_count_t to;
    if (__builtin_add_overflow(from, offset, &to) || to < 0)
        return -1;
    return ap_input_seek(d->in, d->base + (uint64_t)to, NULL) ? to : -1;
}

/* Puts the true sizes over those of the file, in n bytes that were read from there. */
static void apply_patches(const decoder *d, unsigned char *bytes, uint64_t at, size_t n)
{
    for (size_t i = 0; i < d->chunks.patch_count; i++) {
        const ap_chunk_patch *p = &d->chunks.patches[i];
        for (size_t k = 0; k < p->size; k++)
            if (p->at + k >= at && p->at + k - at < n)
                bytes[p->at + k - at] = p->bytes[k];
    }
}

static sf_count_t vio_read(void *to, sf_count_t count, void *user)
{
    decoder *d = user;
    uint64_t at = ap_input_tell(d->in), left = (uint64_t)vio_length(d) + d->base;
    left = left > at ? left - at : 0;
    size_t want = count < 0 ? 0 : (uint64_t)count < left ? (size_t)count : (size_t)left;
    ptrdiff_t n = ap_input_read(d->in, to, want, &d->io_error);
    if (n > 0)
        apply_patches(d, to, at, (size_t)n);
    return n < 0 ? 0 : n;
}

static sf_count_t vio_write(const void *from, sf_count_t count, void *user)
{
    (void)from, (void)count, (void)user;
    return 0;
}

/* ---- tags */

/* What libsndfile knows; for the formats whose tags are not read here. */
static void read_sndfile_tags(decoder *d, ap_tags *tags)
{
    static const struct {
        int type;
        const char *key;
    } keys[] = {{SF_STR_TITLE, "TITLE"},     {SF_STR_ARTIST, "ARTIST"},
                {SF_STR_ALBUM, "ALBUM"},     {SF_STR_TRACKNUMBER, "TRACKNUMBER"},
                {SF_STR_DATE, "DATE"},       {SF_STR_GENRE, "GENRE"},
                {SF_STR_COMMENT, "COMMENT"}, {SF_STR_COPYRIGHT, "COPYRIGHT"},
                {SF_STR_LICENSE, "LICENSE"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = sf_get_string(d->file, keys[i].type);
        if (value && !ap_tags_get(tags, keys[i].key))
            (void)ap_tags_add(tags, keys[i].key, value);
    }
}

/* ---- the stream */

static void sndfile_close(void *state)
{
    decoder *d = state;
    if (d->file)
        sf_close(d->file);
    ap_input_close(d->in);
    free(d);
}

static ptrdiff_t sndfile_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    decoder *d = s->state;
    uint32_t channels = s->format.channels;
    ptrdiff_t n = (ptrdiff_t)sf_readf_float(d->file, frames, (sf_count_t)max);
    if (d->io_error.code != AP_OK) {
        *err = d->io_error;
        return -1;
    }
    if (n <= 0)
        return 0;
    if (ap_sanitize(frames, (size_t)n * channels))
        ap_warn(s, "'%s' has samples that are not finite, taken as silence", ap_stream_name(s));
    ap_chan_reorder(&d->chan, frames, (size_t)n, channels);
    return n;
}

/* Whether a VOC file has more than one block of sound: libsndfile takes the headers of further ones for
 * sound. The header tells where the first one is: a byte for its kind, three for its size. */
static bool has_several_blocks(const decoder *d)
{
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(d->in, &p, 64, NULL);
    size_t at = n >= 26 && memcmp(p, "Crea", 4) == 0 ? (size_t)ap_get_little(p + 20, 2) : SIZE_MAX;
    if (at > (size_t)n || (size_t)n - at < 4)
        return false;
    uint64_t end = at + 4 + ap_get_little(p + at + 1, 3); /* of the block, a terminator may follow */
    return (uint64_t)vio_length((void *)d) > end + 16;    /* sox counts 8 bytes too few */
}

/* Compares the size of an old format with what is there. */
static bool check_declared(decoder *d, ap_error *err)
{
    uint64_t end = ap_declared_end(d->in), size = ap_input_size(d->in);
    if (end > size)
        return ap_fail(err, AP_FAILED, "'%s' is truncated: %llu bytes of its audio are missing",
                       ap_input_name(d->in), (unsigned long long)(end - size));
    if (!end || end == size || !ap_input_seek(d->in, end, err))
        return end == 0 || end == size;
    if (ap_chunks_behind(d->in, NULL, 0) == AP_BEHIND_FILE)
        d->chunks.another = end;
    return true;
}

/* The length. Of the last block of a block codec, the fact chunk tells how much is sound. libsndfile itself
 * writes the frames of stereo IMA ADPCM divided by the channels there. */
static uint64_t find_length(const decoder *d, const SF_INFO *info)
{
    uint64_t frames = info->frames >= 0 ? (uint64_t)info->frames : AP_UNKNOWN, fact = d->chunks.frames;
    bool divided = info->channels > 1 && fact == frames / (unsigned)info->channels;
    bool exact = !d->chunks.longer && !divided && fact && fact < frames && frames - fact < MAX_BLOCK;
    return exact ? fact : frames < INT64_MAX / 2 ? frames : AP_UNKNOWN;
}

static void warn_of_sizes(ap_stream *s, const decoder *d)
{
    if (d->chunks.too_long)
        ap_warn(s, "'%s' is longer than its header tells: only the beginning is read", ap_stream_name(s));
    else if (d->chunks.longer)
        ap_warn(s, "'%s' is longer than its header tells: all of it is read", ap_stream_name(s));
    if (d->chunks.another && !d->chunks.again)
        ap_warn_left_out(s);
}

static const char *name_of_codec(int subtype, bool big, unsigned *bits)
{
    static const struct {
        int subtype;
        unsigned bits;
        const char *names[2]; /* little-endian, big-endian */
    } codecs[] = {
        {SF_FORMAT_PCM_S8, 8, {"pcm_s8", "pcm_s8"}},
        {SF_FORMAT_PCM_U8, 8, {"pcm_u8", "pcm_u8"}},
        {SF_FORMAT_PCM_16, 16, {"pcm_s16le", "pcm_s16be"}},
        {SF_FORMAT_PCM_24, 24, {"pcm_s24le", "pcm_s24be"}},
        {SF_FORMAT_PCM_32, 32, {"pcm_s32le", "pcm_s32be"}},
        {SF_FORMAT_FLOAT, 32, {"pcm_f32le", "pcm_f32be"}},
        {SF_FORMAT_DOUBLE, 64, {"pcm_f64le", "pcm_f64be"}},
        {SF_FORMAT_ULAW, 8, {"pcm_mulaw", "pcm_mulaw"}},
        {SF_FORMAT_ALAW, 8, {"pcm_alaw", "pcm_alaw"}},
        {SF_FORMAT_IMA_ADPCM, 4, {"adpcm_ima", "adpcm_ima"}},
        {SF_FORMAT_MS_ADPCM, 4, {"adpcm_ms", "adpcm_ms"}},
        {SF_FORMAT_GSM610, 0, {"gsm", "gsm"}},
        {SF_FORMAT_ALAC_16, 16, {"alac", "alac"}},
        {SF_FORMAT_ALAC_20, 20, {"alac", "alac"}},
        {SF_FORMAT_ALAC_24, 24, {"alac", "alac"}},
        {SF_FORMAT_ALAC_32, 32, {"alac", "alac"}},
    };
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (codecs[i].subtype == subtype) {
            *bits = codecs[i].bits;
            return codecs[i].names[big];
        }
    *bits = 0;
    return "unknown";
}

/* What libsndfile calls its format, by the extension that it is usual for. */
static void note(ap_stream *s, int format)
{
    SF_FORMAT_INFO container = {.format = format & SF_FORMAT_TYPEMASK};
    bool known = sf_command(NULL, SFC_GET_FORMAT_INFO, &container, sizeof container) == 0;
    int endian = format & SF_FORMAT_ENDMASK;
    bool big_by_itself = container.format == SF_FORMAT_AIFF || container.format == SF_FORMAT_AU ||
                         container.format == SF_FORMAT_CAF || container.format == SF_FORMAT_SVX;
    unsigned bits;
    const char *codec =
        name_of_codec(format & SF_FORMAT_SUBMASK,
                      endian == SF_ENDIAN_BIG || (endian == SF_ENDIAN_FILE && big_by_itself), &bits);
    const char *name = container.format == SF_FORMAT_NIST ? "sph" : container.extension; /* not "wav" */
    (void)ap_stream_note(s, known && name ? name : "unknown", codec, bits);
}

static ap_stream *make_stream(decoder *d, const SF_INFO *info, ap_tags *tags, ap_error *err)
{
    static const ap_stream_ops ops = {sndfile_read, sndfile_close};
    ap_format format = {(uint32_t)info->samplerate, (uint32_t)info->channels, 0, AP_UNKNOWN};
    const char *name = ap_input_name(d->in);
    if (!ap_check_format(name, &format, err)) {
        ap_tags_free(&tags);
        sndfile_close(d);
        return NULL;
    }
    format.frames = find_length(d, info);
    ap_chan_parse(d->layout, d->layout_size, format.channels, &d->chan);
    format.mask = d->chan.mask;
    read_sndfile_tags(d, tags);
    ap_stream *s = ap_stream_new(&ops, d, &format, name, tags, err);
    if (s)
        warn_of_sizes(s, d);
    note(s, info->format);
    return s;
}

/* ---- AIFF beyond its 4 GiB */

/* The kind of samples that a COMM chunk tells of, big endian or not. false: they are coded. */
static bool find_pcm(const ap_chunks *c, ap_pcm *type, bool *big)
{
    static const ap_pcm integers[] = {AP_PCM_S8, AP_PCM_S16, AP_PCM_S24, AP_PCM_S32};
    uint64_t bytes = (ap_get_big(c->comm + 6, 2) + 7) / 8;
    const char *id = c->comm_size < 22 ? "NONE" : (const char *)c->comm + 18;
    bool single = memcmp(id, "fl32", 4) == 0 || memcmp(id, "FL32", 4) == 0;
    bool floats = single || memcmp(id, "fl64", 4) == 0 || memcmp(id, "FL64", 4) == 0;
    bool plain = memcmp(id, "NONE", 4) == 0 || memcmp(id, "twos", 4) == 0 || memcmp(id, "sowt", 4) == 0;
    *big = memcmp(id, "sowt", 4) != 0;
    if (floats)
        *type = single ? AP_PCM_F32 : AP_PCM_F64;
    else if (plain && bytes >= 1 && bytes <= 4)
        *type = integers[bytes - 1];
    return floats || (plain && bytes >= 1 && bytes <= 4);
}

/* An 80-bit extended, exponent with bias 16383 and mantissa with its leading bit. 0: it is no rate. */
static uint32_t rate_of(const unsigned char *p)
{
    uint64_t exponent = ap_get_big(p, 2);
    return exponent < 16383 || exponent > 16383 + 31
               ? 0
               : (uint32_t)(ap_get_big(p + 2, 8) >> (16383 + 63 - exponent));
}

/* What libsndfile cannot read, because the sizes have wrapped, is read here. false: it is not that; then
 * nothing was taken over. */
static bool open_long_aiff(decoder *d, ap_tags *tags, ap_stream **s, ap_error *err)
{
    const ap_chunks *c = &d->chunks;
    ap_pcm type;
    bool big;
    if (!c->too_long || c->comm_size < 18 || !find_pcm(c, &type, &big))
        return false;
    ap_format format = {rate_of(c->comm + 8), (uint32_t)ap_get_big(c->comm, 2), 0, AP_UNKNOWN};
    ap_chan_parse(d->layout, d->layout_size, format.channels, &d->chan);
    if (!ap_check_format(ap_input_name(d->in), &format, NULL) || d->chan.reorder ||
        !ap_input_seek(d->in, c->data_start, NULL))
        return false;
    format.mask = d->chan.mask;
    format.frames = c->data_size / (format.channels * ap_pcm_size(type));
    *s = ap_pcm_stream(d->in, type, big, &format, tags, NULL, err);
    if (*s)
        ap_warn(*s, "'%s' is longer than its header tells: all of it is read", ap_stream_name(*s));
    free(d);
    return true;
}

ap_stream *ap_sndfile_open(ap_input *in, bool *unsupported, ap_error *err)
{
    static SF_VIRTUAL_IO vio = {vio_length, vio_seek, vio_read, vio_write, vio_tell};
    SF_INFO info = {0};
    decoder *d = calloc(1, sizeof *d);
    ap_tags *tags = ap_tags_new();
    ap_stream *s = NULL;
    bool several = false;
    *unsupported = false;
    if (!d || !tags) {
        ap_fail_memory(err);
        goto fail;
    }
    d->in = in;
    d->chunks.frames = AP_UNKNOWN;
    if (!ap_input_make_seekable(in, err))
        goto fail;
    d->base = ap_input_tell(in);
    if (!ap_chunks_check(in, &d->chunks, tags, err))
        goto fail;
    d->base = d->chunks.again ? d->chunks.again : d->base;
    d->layout_size = ap_chan_load(in, d->layout);
    if (open_long_aiff(d, tags, &s, err))
        return s;
    if (!ap_input_seek(in, d->base, err) || !check_declared(d, err) || !ap_input_seek(in, d->base, err))
        goto fail;
    several = has_several_blocks(d);
    d->file = !several ? sf_open_virtual(&vio, SFM_READ, &info, d) : NULL;
    if (d->file)
        return make_stream(d, &info, tags, err);
    if (d->io_error.code != AP_OK && err)
        *err = d->io_error;
    else if (d->io_error.code == AP_OK)
        *unsupported = ap_input_seek(in, d->base, err);
    if (*unsupported)
        ap_fail(err, AP_FAILED, "cannot read '%s': %s", ap_input_name(in),
                several ? "it has several blocks" : sf_error_number(sf_error(NULL)));
fail:
    ap_tags_free(&tags);
    free(d);
    if (!*unsupported)
        ap_input_close(in);
    return NULL;
}
