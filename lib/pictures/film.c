/* SPDX-License-Identifier: GPL-3.0-or-later
 * film.c - other sound for a film: checks the options; the libav plugin does the work. */
#include "pictures/film.h"
#include "base/error.h"
#include "base/output.h"
#include "base/path.h"
#include "formats/av.h"

#include <strings.h>

void ap_film_defaults(ap_film_options *options)
{
    *options = (ap_film_options){.format = NULL};
}

bool ap_film_check(const char *path, ap_film_options *options, ap_error *err)
{
    static const char *const formats[][2] = {
        {"mp4", "mp4"}, {"m4v", "mp4"}, {"mov", "mov"}, {"mkv", "mkv"}, {"webm", "webm"}};
    const char *format = options->format ? options->format : ap_extension(path);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcasecmp(format, formats[i][0]) == 0) {
            options->format = formats[i][1];
            return options->bitrate_kbps == 0 ||
                   ap_check_range("bitrate", options->bitrate_kbps, 8, 2048, err);
        }
    return ap_fail_format(options->format, path, "mp4 mov mkv webm", err);
}

bool ap_film(const char *film, ap_stream **sounds, size_t count, const char *path,
             const ap_film_options *options, ap_error *err)
{
    ap_film_options o;
    ap_film_defaults(&o);
    if (options)
        o = *options;
    bool whole = true;
    for (size_t i = 0; i < count; i++)
        whole = whole && sounds[i];
    const ap_av_plugin *av = whole && ap_film_check(path, &o, err) ? ap_av_load(err) : NULL;
    ap_output *out = av ? ap_output_create(path, true, err) : NULL;
    if (out && o.keep_existing)
        ap_output_keep_existing(out);
    const ap_film_job job = {.film = film, .sounds = sounds, .count = count, .options = &o};
    bool ok = out && av->film(&job, out, err);
    for (size_t i = 0; i < count; i++)
        ap_close(&sounds[i]);
    if (ok)
        return ap_output_commit(out, err);
    if (out)
        ap_output_abort(out);
    return false;
}
