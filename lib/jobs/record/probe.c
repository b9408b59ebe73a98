/* SPDX-License-Identifier: GPL-3.0-or-later
 * probe.c - what a file is, from its content: type, duration, loudness, checksum. */
#include "jobs/record/probe.h"
#include "base/error.h"
#include "base/picture_type.h"
#include "base/text.h"
#include "formats/file_type.h"
#include "formats/mp3/mpeg.h"
#include "jobs/record/json.h"
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- types */

static void find_signature(const unsigned char *bytes, size_t size, ap_probe *probe)
{
    ap_picture_type picture = ap_picture_type_of(bytes, size); /* first: HEIC looks like MP4 */
    if (picture != AP_NO_PICTURE) {
        strcpy(probe->type, ap_picture_extension(picture));
        strcpy(probe->class_, "image");
        return;
    }
    ap_mpeg header;
    const char *type = ap_file_type_of(bytes, size);
    if (!type && size >= 4 && ap_mpeg_parse(bytes, &header))
        type = "mp3";
    if (type) {
        strcpy(probe->type, type);
        strcpy(probe->class_, strcmp(type, "zip") == 0 ? "zip" : "audio");
    }
}

/* No decoder is to be tried then. */
static void find_text(const unsigned char *bytes, size_t size, ap_probe *probe)
{
    if (!*probe->type && ap_is_text(bytes, size, false)) {
        strcpy(probe->type, "txt");
        strcpy(probe->class_, "text");
    }
}

static bool read_head(const char *path, ap_probe *probe, ap_error *err)
{
    unsigned char head[512];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ap_fail_errno(err, errno, "cannot open '%s'", path);
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    ssize_t n = ok ? read(fd, head, sizeof head) : -1;
    if (n >= 0) {
        probe->bytes = (uint64_t)st.st_size;
        find_signature(head, (size_t)n, probe);
        find_text(head, (size_t)n, probe);
    } else if (ok)
        ap_fail_errno(err, errno, "cannot read '%s'", path);
    else
        ap_fail(err, AP_FAILED, "'%s' is not a file", path);
    close(fd);
    return n >= 0;
}

/* ---- audio */

/* Reads to the end; the meter (NULL: none) sees it. */
static bool read_all(ap_stream *s, ap_meter *meter, uint64_t *frames, ap_error *err)
{
    float *block = malloc(AP_BLOCK * ap_stream_format(s)->channels * sizeof *block);
    ptrdiff_t n = -1;
    if (!block)
        ap_fail_memory(err);
    while (block && (n = ap_read(s, block, AP_BLOCK, err)) > 0) {
        *frames += (uint64_t)n;
        if (meter)
            ap_meter_add(meter, block, (size_t)n);
    }
    free(block);
    return n == 0;
}

static bool read_through(ap_stream *s, bool loudness, ap_probe *probe, ap_error *err)
{
    uint64_t frames = 0;
    ap_measurement m;
    ap_meter *meter = loudness ? ap_meter_new(NULL, err) : NULL;
    if (loudness && !meter)
        return false;
    if (meter && !ap_meter_begin(meter, ap_stream_format(s), NULL))
        ap_meter_free(&meter); /* of a rate without loudness */
    bool ok = read_all(s, meter, &frames, err);
    if (ok)
        probe->seconds = (double)frames / probe->rate;
    if (ok && meter) {
        ap_meter_end(meter);
        ap_meter_result(meter, &m);
        probe->lufs = m.integrated_lufs;
        probe->dbtp = m.true_peak_dbtp;
    }
    ap_meter_free(&meter);
    return ok;
}

static bool probe_audio(const char *path, ap_probe_depth depth, ap_probe *probe, ap_error *err)
{
    ap_stream *s = ap_decode(path, NULL, err);
    if (!s)
        return false;
    const ap_format *f = ap_stream_format(s);
    bool ok = true;
    probe->rate = f->rate;
    probe->channels = f->channels;
    if (depth == AP_PROBE_LOUDNESS || f->frames == AP_UNKNOWN)
        ok = read_through(s, depth == AP_PROBE_LOUDNESS, probe, err);
    else
        probe->seconds = (double)f->frames / f->rate;
    ap_close(&s);
    return ok;
}

bool ap_probe_file(const char *path, ap_probe_depth depth, ap_probe *probe, ap_error *err)
{
    *probe = (ap_probe){.seconds = -1, .lufs = NAN, .dbtp = NAN};
    if (!read_head(path, probe, err))
        return false;
    bool audio = strcmp(probe->class_, "audio") == 0, unknown = !*probe->type;
    if (depth == AP_PROBE_TYPE || !(audio || unknown))
        return true;
    ap_error why;
    if (!probe_audio(path, depth, probe, &why)) {
        if (why.code == AP_NO_AUDIO) { /* a video without sound is as good as an image */
            strcpy(probe->class_, "video");
            return true;
        }
        if (!unknown && err) /* what is no audio at all is no error; broken audio is */
            *err = why;
        return unknown;
    }
    if (unknown) {
        strcpy(probe->type, "mp3"); /* the one format that may begin with anything */
        strcpy(probe->class_, "audio");
    }
    return true;
}

static bool put_decibels(cJSON *object, const char *key, double value)
{
    return ap_json_put_number(object, key, isfinite(value) ? round(100 * value) / 100 : value);
}

bool ap_probe_put(const ap_probe *probe, cJSON *object)
{
    if (!ap_json_put_text(object, "format", *probe->type ? probe->type : NULL) ||
        !ap_json_put_number(object, "duration", probe->seconds < 0 ? NAN : round(1e6 * probe->seconds) / 1e6))
        return false;
    if (probe->seconds < 0)
        return true;
    return ap_json_put_number(object, "rate", probe->rate) &&
           ap_json_put_number(object, "channels", probe->channels) &&
           put_decibels(object, "loudness", probe->lufs) && put_decibels(object, "true_peak", probe->dbtp);
}
