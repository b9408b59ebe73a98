/* SPDX-License-Identifier: GPL-3.0-or-later
 * stem_file.c - Stems (Native Instruments, "Stems file specification" 1.0): checks the options; the libav
 * plugin does the work. */
#include "formats/stem_file.h"
#include "base/error.h"
#include "base/output.h"
#include "base/text.h"
#include "formats/av.h"
#include "stream/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What Stems are played at. */
#define RATE 44100
#define OTHER_RATE 48000

/* Colours that also the colour-blind tell apart (Okabe and Ito 2008). */
static const char *const colours[AP_STEM_FILE_STEMS] = {"#009E73", "#D55E00", "#CC79A7", "#56B4E9"};

void ap_stem_file_defaults(ap_stem_file_options *options)
{
    *options = (ap_stem_file_options){.codec = "aac", .names = {"Drums", "Bass", "Other", "Vocals"}};
    memcpy(options->colours, colours, sizeof colours);
}

/* Compressor and limiter of the player are off, so that the sum of the stems is what was made. */
static const char dsp[] =
    "{\"mastering_dsp\":{\"compressor\":{\"enabled\":false,\"ratio\":10,\"output_gain\":0.5,\"release\":1.0,"
    "\"attack\":0.0001,\"input_gain\":0.5,\"threshold\":0,\"hp_cutoff\":20,\"dry_wet\":50},\"limiter\":"
    "{\"enabled\":false,\"release\":0.05,\"threshold\":0,\"ceiling\":0}},\"version\":1,\"stems\":[";

/* Names in JSON are escaped where they have to be. */
static size_t escape(const char *text, char *to, size_t size)
{
    size_t at = 0;
    for (; *text && at + 2 < size; text++) {
        if (*text == '"' || *text == '\\')
            to[at++] = '\\';
        to[at++] = ap_is_control(*text) ? '?' : *text;
    }
    to[at] = 0;
    return at;
}

char *ap_stem_file_text(const ap_stem_file_options *o)
{
    char stems[AP_STEM_FILE_STEMS][300];
    for (size_t i = 0; i < AP_STEM_FILE_STEMS; i++) {
        char name[200];
        escape(o->names[i], name, sizeof name);
        snprintf(stems[i], sizeof stems[i], "{\"color\":\"%.7s\",\"name\":\"%s\"}", o->colours[i], name);
    }
    return ap_print("%s%s,%s,%s,%s]}", dsp, stems[0], stems[1], stems[2], stems[3]);
}

static bool check_options(const ap_stem_file_options *o, ap_error *err)
{
    if (strcmp(o->codec, "aac") != 0 && strcmp(o->codec, "alac") != 0)
        return ap_fail(err, AP_USAGE, "codec '%s' is not one of aac, alac", o->codec);
    for (size_t i = 0; i < AP_STEM_FILE_STEMS; i++) {
        const char *c = o->colours[i];
        if (*c != '#' || strlen(c) != 7 || strspn(c + 1, "0123456789abcdefABCDEF") != 6)
            return ap_fail(err, AP_USAGE, "'%s' is no colour: #RRGGBB", c);
        if (!*o->names[i] || strlen(o->names[i]) > 90)
            return ap_fail(err, AP_USAGE, "the name of a stem is empty or too long");
    }
    return true;
}

bool ap_encode_stem_file(ap_stream *s, const char *path, const ap_stem_file_options *options, ap_error *err)
{
    ap_stem_file_options o;
    ap_stem_file_defaults(&o);
    if (options)
        o = *options;
    if (!s)
        return false;
    const ap_av_plugin *av = NULL;
    ap_output *out = NULL;
    if (s->format.channels != 2 * AP_STEM_FILE_TRACKS)
        ap_fail(err, AP_USAGE, "a file of Stems takes %d channels, not %u", 2 * AP_STEM_FILE_TRACKS,
                s->format.channels);
    else if (check_options(&o, err) && (av = ap_av_load(err)))
        out = ap_output_create(path, true, err);
    if (out && o.keep_existing)
        ap_output_keep_existing(out);
    if (!out) {
        ap_close(&s);
        return false;
    }
    if (s->format.rate != RATE && s->format.rate != OTHER_RATE)
        s = ap_resample(s, s->format.rate % OTHER_RATE ? RATE : OTHER_RATE, err);
    if (s && av->write_stems(s, &o, out, err))
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}
