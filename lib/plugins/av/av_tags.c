/* SPDX-License-Identifier: GPL-3.0-or-later
 * av_tags.c - the tags and the picture that libav found. */
#include "plugins/av/av_tags.h"
#include "base/input.h"
#include "formats/ape_tags.h"
#include "formats/mp4_tags.h"
#include "formats/tag_names.h"
#include "formats/vorbiscomment.h"
#include "stream/chapters.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

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
    {"WM/AlbumArtist", "ALBUMARTIST"},
    {"WM/AlbumTitle", "ALBUM"},
    {"WM/Genre", "GENRE"},
    {"WM/Composer", "COMPOSER"},
    {"WM/BeatsPerMinute", "BPM"},
    {"WM/ArtistSortOrder", "ARTISTSORT"},
    {"WM/AlbumSortOrder", "ALBUMSORT"},
    {"WM/TitleSortOrder", "TITLESORT"},
    {"album artist", "ALBUMARTIST"},
    {"sort_name", "TITLESORT"},
    {"sort_artist", "ARTISTSORT"},
    {"sort_album", "ALBUMSORT"},
    {"sort_album_artist", "ALBUMARTISTSORT"},
    {"sort_composer", "COMPOSERSORT"},
    {"tmpo", "BPM"},
    {"PART_NUMBER", "TRACKNUMBER"}, /* Matroska's names from here */
    {"TOTAL_PARTS", "TRACKTOTAL"},
    {"DATE_RELEASED", "DATE"},
    {"DATE_RECORDED", "DATE"},
    {"MIXED_BY", "MIXER"},
    {"REMIXED_BY", "REMIXER"},
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

/* Matroska's tags have a target, which libav puts before the name: ALBUM/TITLE. Those of an album have names
 * of their own here; all others up to the album say it of the music (matroska.org, "Tagging", Target Types).
 */
static const char *without_target(const char *key, char *copy, size_t size)
{
    static const char *const targets[] = {"ALBUM", "OPERA",   "CONCERT", "MOVIE", "EPISODE",  "PART",
                                          "TRACK", "SESSION", "SONG",    "SHOT",  "SUBTRACK", "SCENE"};
    static const char *const album[][2] = {{"TITLE", "ALBUM"},
                                           {"ARTIST", "ALBUMARTIST"},
                                           {"PART_NUMBER", "DISCNUMBER"},
                                           {"TITLE/SORT_WITH", "ALBUMSORT"},
                                           {"ARTIST/SORT_WITH", "ALBUMARTISTSORT"}};
    const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;
    size_t length = slash ? (size_t)(slash - key) : 0, i = 0;
    while (i < COUNT(targets) && !(strlen(targets[i]) == length && strncasecmp(key, targets[i], length) == 0))
        i++;
    name = i < COUNT(targets) ? name : key;
    for (size_t k = 0; i < 3 && k < COUNT(album); k++)
        if (strcasecmp(name, album[k][0]) == 0)
            return album[k][1];
    const char *sort = strstr(name, "/SORT_WITH");
    if (!sort || strlen(name) + 1 > size)
        return name;
    snprintf(copy, size, "%.*sSORT", (int)(sort - name), name);
    return copy;
}

/* Our name for libav's, NULL: it is not about the music. copy has room for a name that is made. */
static const char *our_name(const char *key, char *copy, size_t size)
{
    key = ap_tag_key_of_name(without_target(key, copy, size));
    for (size_t i = 0; i < COUNT(keys); i++)
        if (strcasecmp(key, keys[i][0]) == 0)
            return keys[i][1];
    return key[0] == '_' || strstr(key, "NUMBER_OF_") ? NULL : key;
}

void ap_av_add_tag(ap_tags *tags, const char *key, const char *value)
{
    char copy[256];
    if ((key = our_name(key, copy, sizeof copy)))
        (void)ap_tags_add(tags, key, value); /* one that cannot be kept is no reason to stop */
}

static void add(ap_tags *tags, const char *key, const char *value)
{
    char copy[256];
    if ((key = our_name(key, copy, sizeof copy)) && !ap_tags_get(tags, key))
        (void)ap_tags_add(tags, key, value);
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
        (void)ap_picture_add(tags, front ? AP_FRONT_COVER : 0, "", st->attached_pic.data,
                             (size_t)st->attached_pic.size);
}

/* What libav gives one value of only, from the file itself. The position stays. */
static void add_own(ap_tags *tags, const ap_av_source *source)
{
    uint64_t position = ap_input_tell(source->in);
    if (ap_av_source_is(source, "mp4"))
        ap_mp4_tags(source->in, source->base, tags);
    else if (ap_av_source_is(source, "matroska"))
        ap_matroska_tags(source->in, source->base, tags);
    else
        ap_ape_tags(source->in, source->base, tags);
    (void)ap_input_seek(source->in, position, NULL); /* a failure shows in the next read */
}

static void add_chapters(ap_tags *tags, const AVFormatContext *container)
{
    static const AVRational ms = {1, 1000};
    for (unsigned i = 0; i < container->nb_chapters; i++) {
        const AVChapter *c = container->chapters[i];
        const AVDictionaryEntry *e = av_dict_get(c->metadata, "title", NULL, 0);
        int64_t start = av_rescale_q(c->start, c->time_base, ms);
        (void)ap_chapters_add(tags, start > 0 ? (uint64_t)start : 0, e ? e->value : NULL);
    }
}

ap_tags *ap_av_tags(const ap_av_source *source, const AVStream *stream)
{
    const AVFormatContext *container = source->container;
    ap_tags *tags = ap_tags_new();
    if (!tags)
        return NULL;
    add_own(tags, source);
    if (!ap_tags_get(tags, "CHAPTER001") && !ap_tags_get(tags, "CHAPTER000"))
        add_chapters(tags, container);
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
