/* SPDX-License-Identifier: GPL-3.0-or-later
 * av_container.c - opens a container from our input and chooses the audio stream. */
#include "plugins/av/av_container.h"
#include "base/error.h"
#include "base/input.h"
#include "formats/av.h"
#include "plugins/av/tag_end.h"
#include "stream/stream.h"

#include <libavcodec/avcodec.h>
#include <libavutil/avstring.h>
#include <libavutil/intreadwrite.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define IO_BUFFER 32768
/* What libav finds by a magic number or a long run of frames has at least this. Below, it guesses: the
 * doubles of NumPy or MATLAB are AMR to it (26). */
#define SURE_SCORE AVPROBE_SCORE_EXTENSION

static int read_bytes(void *opaque, uint8_t *to, int size)
{
    ap_av_source *s = opaque;
    uint64_t at = ap_input_tell(s->in), left = s->end && at < s->end ? s->end - at : 0;
    if (s->end && (uint64_t)size > left)
        size = (int)left;
    if (size == 0)
        return AVERROR_EOF;
    ptrdiff_t n = ap_input_read_some(s->in, to, (size_t)size, &s->error);
    return n > 0 ? (int)n : n == 0 ? AVERROR_EOF : AVERROR(EIO);
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence)
{
    ap_av_source *s = opaque;
    int64_t size = (int64_t)((s->end ? s->end : ap_input_size(s->in)) - s->base), to;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE)
        return size;
    int64_t from = whence == SEEK_CUR   ? (int64_t)(ap_input_tell(s->in) - s->base)
                   : whence == SEEK_END ? size
                                        : 0;
    if (__builtin_add_overflow(from, offset, &to) || to < 0)
        return AVERROR(EINVAL);
    return ap_input_seek(s->in, s->base + (uint64_t)to, NULL) ? to : AVERROR(EIO);
}

/* A file must not make us open others: what a container refers to, and playlists, which do not ask io_open.
 */
static int refuse_open(AVFormatContext *container, AVIOContext **io, const char *url, int flags,
                       AVDictionary **options)
{
    (void)container, (void)io, (void)url, (void)flags, (void)options;
    return AVERROR(EACCES);
}

static bool is_playlist(const AVInputFormat *format)
{
    static const char *const names[] = {"concat", "hls", "dash", "sdp", "imf"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(format->name, names[i]) == 0)
            return true;
    return false;
}

static void log_nothing(void *object, int level, const char *format, va_list args)
{
    (void)object, (void)level, (void)format, (void)args;
}

void ap_av_be_quiet(void)
{
    av_log_set_callback(log_nothing);
}

static bool fail_no_audio(const ap_av_source *s, ap_error *err)
{
    const char *name = ap_input_name(s->in);
    return s->picture ? ap_fail(err, AP_NO_AUDIO, "'%s' has no audio: it is a picture, %s", name,
                                ap_picture_mime(s->picture))
                      : ap_fail(err, AP_NO_AUDIO, "'%s' has no audio", name);
}

static bool fail_unknown(ap_av_source *s, ap_error *err)
{
    if (s->error.code == AP_OK && s->picture)
        return fail_no_audio(s, err);
    if (s->error.code == AP_OK)
        return ap_fail(err, AP_FAILED, "'%s' is not audio in any known format", ap_input_name(s->in));
    if (err)
        *err = s->error;
    return false;
}

static bool make_io(ap_av_source *s, ap_error *err)
{
    unsigned char *buffer = av_malloc(IO_BUFFER);
    AVIOContext *io =
        buffer ? avio_alloc_context(buffer, IO_BUFFER, 0, s, read_bytes, NULL, seek_bytes) : NULL;
    s->container = io ? avformat_alloc_context() : NULL;
    if (!s->container) {
        if (io)
            avio_context_free(&io);
        av_free(buffer);
        return ap_fail_memory(err);
    }
    s->container->pb = io;
    s->container->flags |= AVFMT_FLAG_CUSTOM_IO;
    s->container->io_open = refuse_open;
    s->container->protocol_whitelist = av_strdup("none");
    return s->container->protocol_whitelist || ap_fail_memory(err);
}

bool ap_av_source_is(const ap_av_source *source, const char *format)
{
    return av_match_name(format, source->container->iformat->name);
}

void ap_av_source_close(ap_av_source *s)
{
    AVIOContext *io = s->container ? s->container->pb : NULL;
    avformat_close_input(&s->container);
    if (io)
        av_freep(&io->buffer);
    avio_context_free(&io);
}

/* libav forgets the length that an ASF header tells when the file is shorter. The File Properties object (ASF
 * specification, 3.2): GUID, size, file id, size of the file..., flags at 88, of which bit 0 is "broadcast".
 */
static bool check_asf(ap_av_source *s, ap_error *err)
{
    static const unsigned char guid[16] = {0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11,
                                           0x8e, 0xe4, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65};
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(s->in, &p, 65536, NULL);
    const unsigned char *found = n > 0 ? memmem(p, (size_t)n, guid, sizeof guid) : NULL;
    if (!found || n - (found - p) < 92 || memcmp(p, "\x30\x26\xb2\x75", 4) != 0)
        return true;
    uint64_t size = AV_RL64(found + 40), there = ap_input_left(s->in);
    if (size <= there || found[88] & 1)
        return true;
    return ap_fail(err, AP_FAILED, "'%s' is truncated: it has %llu of its %llu bytes", ap_input_name(s->in),
                   (unsigned long long)there, (unsigned long long)size);
}

/* Whether the header was written before the length was known, to a pipe or by a recorder that died: libav
 * takes what stands there for a length. AVI: RIFF without a size; RealMedia: a PROP chunk that counts no
 * packets. */
static bool has_no_length(ap_input *in)
{
    const unsigned char *p;
    if (ap_input_peek(in, &p, 64, NULL) != 64)
        return false;
    if (memcmp(p, "RIFF", 4) == 0 && memcmp(p + 8, "AVI ", 4) == 0)
        return AV_RL32(p + 4) == 0 || AV_RL32(p + 4) == UINT32_MAX;
    return memcmp(p, ".RMF", 4) == 0 && memcmp(p + 18, "PROP", 4) == 0 && AV_RB32(p + 18 + 26) == 0;
}

/* Whether this starts as an MPEG program stream does, of which libav is never sure (ISO/IEC
 * 13818-1, 2.5.3.4). */
static bool has_pack(ap_input *in)
{
    static const unsigned char pack[] = {0, 0, 1, 0xba};
    const unsigned char *p;
    return ap_input_peek(in, &p, sizeof pack, NULL) == sizeof pack && memcmp(p, pack, sizeof pack) == 0;
}

static ap_picture_type picture_type(ap_input *in)
{
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(in, &p, 64, NULL);
    return n > 0 ? ap_picture_type_of(p, (size_t)n) : AP_NO_PICTURE;
}

/* Formats of bare packets, which take a tag at the end for a broken packet. */
static bool knows_no_tags(const AVInputFormat *format)
{
    static const char *const names[] = {"ac3", "eac3", "dts", "truehd", "mlp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(format->name, names[i]) == 0)
            return true;
    return false;
}

/* Hides tags at the end, and a second file, before the probe has read them. */
static bool leave_tags_out(ap_av_source *s, ap_error *err)
{
    uint64_t at = ap_input_tell(s->in), hidden = ap_av_hidden_end(s->in, at);
    s->end = hidden ? hidden : ap_av_before_tags(s->in, s->base);
    return ap_input_seek(s->in, at, err);
}

bool ap_av_source_open(ap_av_source *s, ap_input *in, ap_error *err)
{
    ap_av_be_quiet();
    s->in = in;
    if (!ap_input_make_seekable(in, err)) /* an MP4 file has its index at its end, often */
        return false;
    s->base = ap_input_tell(in);
    s->picture = picture_type(in);
    s->no_length = has_no_length(in);
    const AVInputFormat *format = NULL;
    int enough = has_pack(in) ? AVPROBE_SCORE_RETRY + 1 : SURE_SCORE;
    if (!check_asf(s, err) || !leave_tags_out(s, err) || !make_io(s, err)) {
        ap_av_source_close(s);
        return false;
    }
    AVIOContext *io = s->container->pb;
    int score = av_probe_input_buffer2(io, &format, "", NULL, 0, 0);
    if (score < enough || !format || is_playlist(format)) {
        ap_av_source_close(s);
        return fail_unknown(s, err);
    }
    if (!knows_no_tags(format) && !ap_av_hides_end(format->name))
        s->end = 0;
    if (s->end > ap_input_size(in)) {
        uint64_t missing = s->end - ap_input_size(in);
        ap_av_source_close(s);
        return ap_fail(err, AP_FAILED, "'%s' is truncated: %llu bytes of its audio are missing",
                       ap_input_name(in), (unsigned long long)missing);
    }
    AVDictionary *options = NULL;
    if (!s->keep_edits)
        av_dict_set(&options, "ignore_editlist", "1", 0); /* of MP4: edits.c reads it */
    int opened = avformat_open_input(&s->container, NULL, format, &options);
    av_dict_free(&options);
    if (opened < 0) { /* frees the container, not the io */
        av_freep(&io->buffer);
        avio_context_free(&io);
        if (s->error.code == AP_OK && !s->picture &&
            strcmp(format->name, "libgme") != 0) /* it claims all that is gzipped */
            return ap_fail(err, AP_FAILED, "'%s' is damaged or truncated: its %s header cannot be read",
                           ap_input_name(in), format->long_name);
        return fail_unknown(s, err);
    }
    if (avformat_find_stream_info(s->container, NULL) < 0) {
        ap_av_source_close(s);
        return fail_unknown(s, err);
    }
    return true;
}

/* ---- the track */

static bool is_encrypted(const AVFormatContext *container, const AVStream *st)
{
    uint32_t tag = st->codecpar->codec_tag;
    return tag == MKTAG('e', 'n', 'c', 'a') || tag == MKTAG('d', 'r', 'm', 's') ||
           tag == MKTAG('a', 'a', 'v', 'd') ||
           av_stream_get_side_data(st, AV_PKT_DATA_ENCRYPTION_INIT_INFO, NULL) ||
           av_dict_get(container->metadata, "ASF_Protection_Type", NULL, 0) ||
           av_dict_get(container->metadata, "ASF_Key_ID", NULL, 0);
}

static AVStream *choose(AVFormatContext *container, unsigned track, unsigned *count)
{
    AVStream *chosen = NULL;
    *count = 0;
    for (unsigned i = 0; i < container->nb_streams; i++) {
        AVStream *st = container->streams[i];
        if (st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO && ++*count == track)
            chosen = st;
    }
    if (track != 0)
        return chosen;
    int best = av_find_best_stream(container, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
    return best >= 0 ? container->streams[best] : *count ? choose(container, 1, count) : NULL;
}

AVStream *ap_av_source_track(ap_av_source *s, unsigned track, ap_error *err)
{
    const char *name = ap_input_name(s->in);
    unsigned count;
    AVStream *st = choose(s->container, track, &count);
    if (count == 0)
        fail_no_audio(s, err);
    else if (!st)
        ap_fail(err, AP_FAILED, "'%s' has no audio track %u: it has %u", name, track, count);
    else if (is_encrypted(s->container, st))
        ap_fail(err, AP_FAILED, "'%s' is encrypted", name);
    else if (!avcodec_find_decoder(st->codecpar->codec_id))
        ap_fail(err, AP_FAILED, "cannot decode '%s': its codec %s is not supported", name,
                avcodec_get_name(st->codecpar->codec_id));
    else
        return st;
    return NULL;
}

void ap_av_note_correction(ap_stream *s, const AVStream *st)
{
    char path[PATH_MAX];
    const char *name = ap_stream_name(s);
    size_t length = strlen(name);
    if (st->codecpar->codec_id != AV_CODEC_ID_WAVPACK || length < 3 || length + 2 > sizeof path ||
        strcasecmp(name + length - 3, ".wv") != 0)
        return;
    snprintf(path, sizeof path, "%s%c", name, name[length - 1] == 'V' ? 'C' : 'c');
    if (access(path, R_OK) == 0)
        ap_warn(s, "'%s' is not used: '%s' is played without its correction, with loss", path, name);
}
