/* SPDX-License-Identifier: GPL-3.0-or-later
 * av_tags.c - the tags and the picture that libav found. */
#include "formats/vorbiscomment.h"
#include "plugins/av/av.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define FRONT_COVER 3

/* libav's generic names (avformat.h, "Public Metadata API") that are not those of Vorbis comments. NULL: says
 * something about the file, not about the music. */
#define GENERIC 4 /* the first rows are right for writing, too */
static const char *const keys[][2] = {
    {"track", "TRACKNUMBER"},
    {"disc", "DISCNUMBER"},
    {"album_artist", "ALBUMARTIST"},
    {"publisher", "ORGANIZATION"},
    {"lyrics-eng", "LYRICS"},
    {"lyrics-XXX", "LYRICS"},
    {"author", "ARTIST"},
    {"year", "DATE"},
    {"WM/Year", "DATE"},
    {"WM/TrackNumber", "TRACKNUMBER"},
    {"encoder", NULL},
    {"encoded_by", NULL},
    {"creation_time", NULL},
    {"language", NULL},
    {"handler_name", NULL},
    {"vendor_id", NULL},
    {"major_brand", NULL},
    {"minor_version", NULL},
    {"compatible_brands", NULL},
    {"duration", NULL},
    {"iTunSMPB", NULL},
    {"iTunNORM", NULL},
    {"gapless_playback", NULL},
    {"media_type", NULL},
    {"DeviceConformanceTemplate", NULL},
    {"WMFSDKVersion", NULL},
    {"WMFSDKNeeded", NULL},
    {"IsVBR", NULL},
    {"BPS", NULL},
    {"BPS-eng", NULL},
    {"DURATION-eng", NULL},
};

static void add(ap_tags *tags, const char *key, const char *value)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcasecmp(key, keys[i][0]) == 0) {
            key = keys[i][1];
            break;
        }
    }
    if (key && key[0] != '_' && !strstr(key, "NUMBER_OF_") && !ap_tags_get(tags, key))
        (void)ap_tags_add(tags, key, value); /* one that cannot be kept is no reason to stop */
}

/* "3/12" */
static void split_total(ap_tags *tags, const char *key, const char *total_key)
{
    char copy[64];
    const char *value = ap_tags_get(tags, key), *slash = value ? strchr(value, '/') : NULL;
    if (!slash || strlen(value) >= sizeof copy)
        return;
    strcpy(copy, value);
    copy[slash - value] = 0;
    (void)ap_tags_set(tags, total_key, copy + (slash - value) + 1);
    (void)ap_tags_set(tags, key, copy);
}

static void add_all(ap_tags *tags, const AVDictionary *from)
{
    const AVDictionaryEntry *e = NULL;
    while ((e = av_dict_get(from, "", e, AV_DICT_IGNORE_SUFFIX)))
        add(tags, e->key, e->value);
}

static void add_picture(ap_tags *tags, const AVStream *st)
{
    const AVDictionaryEntry *e = av_dict_get(st->metadata, "comment", NULL, 0); /* the type is there */
    bool front = e && strcasecmp(e->value, "Cover (front)") == 0;
    if (st->attached_pic.size > 0)
        (void)ap_picture_add(tags, front ? FRONT_COVER : 0, "", st->attached_pic.data,
                             (size_t)st->attached_pic.size);
}

ap_tags *ap_av_tags(const AVFormatContext *container, const AVStream *stream)
{
    ap_tags *tags = ap_tags_new();
    if (!tags)
        return NULL;
    add_all(tags,
            container->metadata);    /* of the whole goes before that of the stream: "Stereo", "Commentary" */
    add_all(tags, stream->metadata); /* but in Ogg, only this is there */
    split_total(tags, "TRACKNUMBER", "TRACKTOTAL");
    split_total(tags, "DISCNUMBER", "DISCTOTAL");
    for (unsigned i = 0; i < container->nb_streams; i++)
        if (container->streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC)
            add_picture(tags, container->streams[i]);
    return tags;
}

const char *ap_av_tag_name(const char *key)
{
    for (size_t i = 0; i < GENERIC; i++)
        if (strcmp(key, keys[i][1]) == 0)
            return keys[i][0];
    return key;
}
