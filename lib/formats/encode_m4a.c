/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode_m4a.c - M4A with AAC or ALAC. The plugin av.so makes the file without tags, which are then put into
 * it as ap_tags_write would, since libav knows only a few. */
#include "base/error.h"
#include "base/temporary.h"
#include "formats/av.h"
#include "formats/encoders.h"
#include "formats/retag/retag.h"
#include "stream/stream.h"

#include <unistd.h>

/* The sampling frequencies of AAC (ISO/IEC 14496-3, table 1.18): the next higher one, else the highest. */
uint32_t ap_aac_rate(uint32_t rate)
{
    static const uint32_t rates[] = {7350,  8000,  11025, 12000, 16000, 22050, 24000,
                                     32000, 44100, 48000, 64000, 88200, 96000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (rates[i] >= rate)
            return rates[i];
    return 96000;
}

static bool make(ap_stream *s, int fd, const ap_encode_options *options, bool lossless, const char *name,
                 ap_error *err)
{
    const ap_av_plugin *av = ap_av_load(err);
    ap_output *plain = av ? ap_output_fd(fd, name, true, err) : NULL;
    if (!plain)
        return false;
    if (av->encode(s, plain, options, lossless, err))
        return ap_output_commit(plain, err);
    ap_output_abort(plain);
    return false;
}

static bool add_tags(const ap_stream *s, int fd, ap_output *out, ap_error *err)
{
    ap_tags *none = ap_tags_new();
    ap_retag r = {.in = ap_input_new(fd, false, ap_output_name(out), err),
                  .out = out,
                  .old = none,
                  .tags = ap_stream_tags(s),
                  .format = s->format,
                  .all = true,
                  .picture = true};
    bool ok = r.in && (none || ap_fail_memory(err)) && ap_retag_mp4(&r, err);
    ap_input_close(r.in);
    ap_tags_free(&none);
    return ok;
}

static bool encode(ap_stream *s, ap_output *out, const ap_encode_options *options, bool lossless,
                   ap_error *err)
{
    int fd = ap_temporary_file(err);
    if (fd < 0)
        return false;
    bool ok = make(s, fd, options, lossless, ap_output_name(out), err);
    if (ok && lseek(fd, 0, SEEK_SET) != 0)
        ok = ap_fail(err, AP_FAILED, "cannot read back '%s'", ap_output_name(out));
    ok = ok && add_tags(s, fd, out, err);
    close(fd);
    return ok;
}

bool ap_encode_m4a(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err)
{
    return encode(s, out, options, false, err);
}

bool ap_encode_alac(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err)
{
    return encode(s, out, options, true, err);
}
