/* SPDX-License-Identifier: GPL-3.0-or-later
 * media_type.c - media types of files, by their names. */
#include "base/media_type.h"

#include <stddef.h>
#include <strings.h>

static const char *const types[][2] = {
    {"mp3", "audio/mpeg"},        {"flac", "audio/flac"},
    {"wav", "audio/wav"},         {"ogg", "audio/ogg"},
    {"opus", "audio/ogg"},        {"aiff", "audio/aiff"},
    {"m4a", "audio/mp4"},         {"mp4", "video/mp4"},
    {"mkv", "video/x-matroska"},  {"webm", "video/webm"},
    {"png", "image/png"},         {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},       {"gif", "image/gif"},
    {"webp", "image/webp"},       {"svg", "image/svg+xml"},
    {"json", "application/json"}, {"txt", "text/plain; charset=utf-8"},
    {"vtt", "text/vtt"},          {"srt", "application/x-subrip"},
    {"zip", "application/zip"},
};

const char *ap_media_type(const char *extension)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcasecmp(extension, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}
