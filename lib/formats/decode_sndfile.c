/* SPDX-License-Identifier: GPL-3.0-or-later
 * decode_sndfile.c - AIFF, CAF, W64, and what else libsndfile reads. It needs to seek, so a pipe goes through
 * a temporary file. Its lengths are believed only after the file was looked at here. */
#include "formats/decode_sndfile.h"
#include "base/error.h"
#include "formats/chan.h"
#include "formats/chunks.h"
#include "stream/stream.h"

#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

typedef struct decoder {
    ap_input *in;
    uint64_t base;     /* where the file begins in the input */
    ap_error io_error; /* of a callback; code AP_OK if there was none */
    SNDFILE *file;
    unsigned char layout[AP_CHAN_SIZE]; /* the chunk that says what the channels are */
    size_t layout_size;
    ap_chan chan;
} decoder;

bool ap_sndfile_knows(const unsigned char *p, size_t size)
{
    static const char *const magics[] = {"caff", "RIFF", "RIFX", "RF64", ".snd",
                                         "dns.", "NIST", "Crea", "riff"};
    if (size < 12)
        return false;
    if (memcmp(p, "FORM", 4) == 0)
        return memcmp(p + 8, "AIF", 3) == 0 || memcmp(p + 8, "8SVX", 4) == 0;
    if (memcmp(p, "RIF", 3) == 0 || memcmp(p, "RF64", 4) == 0)
        return memcmp(p + 8, "WAVE", 4) == 0;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (memcmp(p, magics[i], 4) == 0)
            return true;
    return false;
}

/* ---- the input, as libsndfile wants it */

static sf_count_t vio_length(void *user)
{
    const decoder *d = user;
    return (sf_count_t)(ap_input_size(d->in) - d->base);
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

static sf_count_t vio_read(void *to, sf_count_t count, void *user)
{
    decoder *d = user;
    ptrdiff_t n = count > 0 ? ap_input_read(d->in, to, (size_t)count, &d->io_error) : 0;
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
    if (info->frames >= 0 && info->frames < INT64_MAX / 2)
        format.frames = (uint64_t)info->frames;
    ap_chan_parse(d->layout, d->layout_size, format.channels, &d->chan);
    format.mask = d->chan.mask;
    read_sndfile_tags(d, tags);
    return ap_stream_new(&ops, d, &format, name, tags, err);
}

ap_stream *ap_sndfile_open(ap_input *in, bool *unsupported, ap_error *err)
{
    static SF_VIRTUAL_IO vio = {vio_length, vio_seek, vio_read, vio_write, vio_tell};
    SF_INFO info = {0};
    decoder *d = calloc(1, sizeof *d);
    ap_tags *tags = ap_tags_new();
    *unsupported = false;
    if (!d || !tags) {
        ap_fail_memory(err);
        goto fail;
    }
    d->in = in;
    if (!ap_input_make_seekable(in, err))
        goto fail;
    d->base = ap_input_tell(in);
    if (!ap_chunks_check(in, tags, err))
        goto fail;
    d->layout_size = ap_chan_load(in, d->layout);
    d->file = sf_open_virtual(&vio, SFM_READ, &info, d);
    if (d->file)
        return make_stream(d, &info, tags, err);
    if (d->io_error.code != AP_OK && err)
        *err = d->io_error;
    else if (d->io_error.code == AP_OK)
        *unsupported = ap_input_seek(in, d->base, err);
    if (*unsupported)
        ap_fail(err, AP_FAILED, "cannot read '%s': %s", ap_input_name(in), sf_error_number(sf_error(NULL)));
fail:
    ap_tags_free(&tags);
    free(d);
    if (!*unsupported)
        ap_input_close(in);
    return NULL;
}
