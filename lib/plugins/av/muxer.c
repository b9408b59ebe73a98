/* SPDX-License-Identifier: GPL-3.0-or-later
 * muxer.c - packets to a container over our output. */
#include "base/error.h"
#include "base/output.h"
#include "plugins/av/av_tags.h"
#include "plugins/av/video.h"
#include "stream/chapters.h"

#include <stdlib.h>
#include <string.h>

#define IO_BUFFER 65536

/* ---- the output as libav sees it */

static int write_bytes(void *opaque, uint8_t *bytes, int size)
{
    ap_muxer *m = opaque;
    return ap_output_write(m->out, bytes, (size_t)size, &m->error) ? size : AVERROR(EIO);
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence)
{
    ap_muxer *m = opaque;
    int64_t from = whence == SEEK_CUR   ? (int64_t)ap_output_tell(m->out)
                   : whence == SEEK_END ? (int64_t)ap_output_size(m->out)
                                        : 0;
    if (whence == AVSEEK_SIZE)
        return (int64_t)ap_output_size(m->out);
    if (from + offset < 0 || !ap_output_seek(m->out, (uint64_t)(from + offset), &m->error))
        return AVERROR(EIO);
    return from + offset;
}

/* What was written, read back from the beginning: with it the MP4 muxer moves the index to the front. */
typedef struct reader {
    ap_muxer *muxer;
    uint64_t at;
} reader;

static int read_bytes(void *opaque, uint8_t *bytes, int size)
{
    reader *r = opaque;
    uint64_t left = ap_output_size(r->muxer->out) - r->at;
    size_t n = left < (uint64_t)size ? (size_t)left : (size_t)size;
    if (n == 0)
        return AVERROR_EOF;
    if (!ap_output_read_at(r->muxer->out, r->at, bytes, n, &r->muxer->error))
        return AVERROR(EIO);
    r->at += n;
    return (int)n;
}

static int64_t seek_reader(void *opaque, int64_t offset, int whence)
{
    reader *r = opaque;
    if (whence == AVSEEK_SIZE)
        return (int64_t)ap_output_size(r->muxer->out);
    if (whence != SEEK_SET || offset < 0)
        return AVERROR(EINVAL);
    r->at = (uint64_t)offset;
    return offset;
}

static AVIOContext *make_io(bool write, void *opaque, int (*read_fn)(void *, uint8_t *, int),
                            int (*write_fn)(void *, uint8_t *, int), int64_t (*seek_fn)(void *, int64_t, int))
{
    unsigned char *buffer = av_malloc(IO_BUFFER);
    AVIOContext *io =
        buffer ? avio_alloc_context(buffer, IO_BUFFER, write, opaque, read_fn, write_fn, seek_fn) : NULL;
    if (!io)
        av_free(buffer);
    return io;
}

static void free_io(AVIOContext **io)
{
    if (*io)
        av_freep(&(*io)->buffer);
    avio_context_free(io);
}

static int open_reader(AVFormatContext *container, AVIOContext **io, const char *url, int flags,
                       AVDictionary **options)
{
    (void)url, (void)options;
    if (flags != AVIO_FLAG_READ)
        return AVERROR(EACCES);
    reader *r = calloc(1, sizeof *r);
    *io = r ? make_io(false, r, read_bytes, NULL, seek_reader) : NULL;
    if (!*io) {
        free(r);
        return AVERROR(ENOMEM);
    }
    r->muxer = container->opaque;
    return 0;
}

static int close_reader(AVFormatContext *container, AVIOContext *io)
{
    (void)container;
    free(io->opaque);
    free_io(&io);
    return 0;
}

/* ---- tags */

static bool set_tags(AVFormatContext *container, const ap_tags *tags)
{
    const char *key, *value;
    for (size_t i = 0; tags && ap_tags_at(tags, i, &key, &value); i++) {
        const char *name = ap_av_tag_name(key);
        if (ap_is_chapter_key(key))
            continue;
        const AVDictionaryEntry *old = av_dict_get(container->metadata, name, NULL, 0);
        int result = old ? av_dict_set(&container->metadata, name, ";", AV_DICT_APPEND) : 0;
        if (result < 0 || av_dict_set(&container->metadata, name, value, AV_DICT_APPEND) < 0)
            return false;
    }
    return true;
}

/* Each chapter ends where the next one begins; avformat_free_context frees them. */
static bool set_chapters(AVFormatContext *container, const ap_tags *tags)
{
    ap_chapter *list;
    size_t count;
    bool ok = ap_chapters_list(tags, &list, &count);
    container->chapters = ok && count ? av_calloc(count, sizeof *container->chapters) : NULL;
    ok = ok && (!count || container->chapters);
    for (size_t i = 0; ok && i < count; i++) {
        AVChapter *c = container->chapters[i] = av_mallocz(sizeof *c);
        if (!(ok = c))
            break;
        container->nb_chapters++;
        c->id = (int64_t)i;
        c->time_base = (AVRational){1, 1000};
        c->start = (int64_t)list[i].start_ms;
        c->end = (int64_t)list[i + 1 < count ? i + 1 : i].start_ms;
        ok = !list[i].title || av_dict_set(&c->metadata, "title", list[i].title, 0) >= 0;
    }
    free(list);
    return ok;
}

/* ---- the muxer */

static bool fail(const ap_muxer *m, int result, ap_error *err)
{
    if (m->error.code != AP_OK) {
        if (err)
            *err = m->error;
        return false;
    }
    return ap_fail(err, result == AVERROR(ENOMEM) ? AP_TRY_AGAIN : AP_FAILED, "cannot write '%s': %s",
                   ap_output_name(m->out), av_err2str(result));
}

bool ap_muxer_open(ap_muxer *m, ap_output *out, const char *format, ap_error *err)
{
    *m = (ap_muxer){.out = out};
    if (avformat_alloc_output_context2(&m->container, NULL, strcmp(format, "mkv") ? format : "matroska",
                                       NULL) < 0)
        return ap_fail_memory(err);
    AVFormatContext *c = m->container;
    c->opaque = m;
    c->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT; /* the same every time: no date, no random UID */
    c->io_open = open_reader;
    c->io_close2 = close_reader;
    c->pb = make_io(true, m, NULL, write_bytes, seek_bytes);
    return c->pb || ap_fail_memory(err);
}

bool ap_muxer_add(ap_muxer *m, const AVCodecContext *codec, int *index, ap_error *err)
{
    AVStream *st = avformat_new_stream(m->container, NULL);
    if (!st || avcodec_parameters_from_context(st->codecpar, codec) < 0)
        return ap_fail_memory(err);
    st->time_base = codec->time_base;
    if (codec->codec_type == AVMEDIA_TYPE_VIDEO) {
        st->avg_frame_rate = st->r_frame_rate = codec->framerate;
        st->sample_aspect_ratio = codec->sample_aspect_ratio;
    }
    *index = st->index;
    return true;
}

bool ap_muxer_start_as_it_is(ap_muxer *m, ap_error *err)
{
    AVDictionary *options = NULL;
    int result = av_dict_set(&options, "movflags", "faststart", 0) >= 0
                     ? avformat_write_header(m->container, &options)
                     : AVERROR(ENOMEM);
    av_dict_free(&options);
    return result >= 0 || fail(m, result, err);
}

bool ap_muxer_start(ap_muxer *m, const ap_tags *tags, ap_error *err)
{
    if (!set_tags(m->container, tags) || !set_chapters(m->container, tags))
        return ap_fail_memory(err);
    return ap_muxer_start_as_it_is(m, err);
}

bool ap_muxer_start_stems(ap_muxer *m, int rate, const ap_tags *tags, ap_error *err)
{
    AVDictionary *options = NULL;
    const bool ok = set_tags(m->container, tags) && av_dict_set(&options, "brand", "M4A ", 0) >= 0 &&
                    av_dict_set_int(&options, "movie_timescale", rate, 0) >= 0;
    const int result = ok ? avformat_write_header(m->container, &options) : AVERROR(ENOMEM);
    av_dict_free(&options);
    return result >= 0 || fail(m, result, err);
}

bool ap_muxer_write(ap_muxer *m, AVPacket *packet, int index, AVRational base, ap_error *err)
{
    packet->stream_index = index;
    av_packet_rescale_ts(packet, base, m->container->streams[index]->time_base);
    int result = av_interleaved_write_frame(m->container, packet);
    return (result >= 0 && m->error.code == AP_OK) || fail(m, result, err);
}

bool ap_muxer_finish(ap_muxer *m, ap_error *err)
{
    int result = av_write_trailer(m->container);
    avio_flush(m->container->pb);
    return (result >= 0 && m->error.code == AP_OK) || fail(m, result, err);
}

void ap_muxer_close(ap_muxer *m)
{
    if (!m->container)
        return;
    m->error = (ap_error){AP_FAILED, ""}; /* nothing more is written */
    free_io(&m->container->pb);
    avformat_free_context(m->container);
    m->container = NULL;
}

/* Matroska as FFmpeg 5.1 writes it tells the delay of Opus, but not that of AAC: all readers would be 1024
 * late. */
bool ap_muxer_has_opus(const ap_muxer *m)
{
    return ap_muxer_is_webm(m) || strcmp(m->container->oformat->name, "matroska") == 0;
}

bool ap_muxer_is_webm(const ap_muxer *m)
{
    return strcmp(m->container->oformat->name, "webm") == 0;
}
