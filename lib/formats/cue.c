/* SPDX-License-Identifier: GPL-3.0-or-later
 * cue.c - cue sheets: where the tracks of a long file begin, and what they are called.
 *
 * The commands are those of CDRWIN's manual, appendix A, with REM GENRE and REM DATE as EAC and foobar2000
 * write them. */
#include "base/error.h"
#include "base/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_SHEET (1 << 20) /* bytes; a full one of 99 tracks has some 20,000 */
#define MAX_TRACKS 999

typedef struct parser {
    ap_cue *cue;
    ap_tags *sheet; /* of the whole: what every track has */
    bool in_audio;  /* the track that runs is audio */
    bool indexed;   /* and has its INDEX 01 */
    unsigned line;
    const char *name;
} parser;

static bool bad_line(const parser *p, const char *why, ap_error *err)
{
    return ap_fail(err, AP_FAILED, "'%s', line %u: %s", p->name, p->line, why);
}

/* Cuts the next word off, which may stand in quotes; "" at the end. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    if (*word == '"') {
        char *end = strchr(++word, '"');
        *rest = end ? end + 1 : word + strlen(word);
        if (end)
            *end = 0;
        return word;
    }
    *rest = word + strcspn(word, " \t");
    if (**rest)
        *(*rest)++ = 0;
    return word;
}

/* What is left of a line: in quotes, or up to its end. */
static char *next_text(char **rest)
{
    char *text = *rest + strspn(*rest, " \t");
    if (*text == '"')
        return next_word(rest);
    for (size_t n = strlen(text); n && strchr(" \t", text[n - 1]); n--)
        text[n - 1] = 0;
    return text;
}

static ap_cue_track *track_of(const parser *p)
{
    return p->in_audio ? &p->cue->tracks[p->cue->count - 1] : NULL;
}

static bool add_tag(const parser *p, const char *of_sheet, const char *of_track, const char *text)
{
    ap_tags *tags = p->cue->count ? p->in_audio ? track_of(p)->tags : NULL : p->sheet;
    const char *key = p->cue->count ? of_track : of_sheet;
    return !tags || !key || ap_tags_set(tags, key, text);
}

static bool read_file(parser *p, char *rest, ap_error *err)
{
    if (p->cue->file)
        return bad_line(p, "a second FILE; only sheets of one file can be followed", err);
    p->cue->file = strdup(next_text(&rest));
    return p->cue->file || ap_fail_memory(err);
}

static bool read_track(parser *p, char *rest, ap_error *err)
{
    char *end;
    unsigned long number = strtoul(next_word(&rest), &end, 10);
    if (p->in_audio && !p->indexed)
        return bad_line(p, "the track before has no INDEX 01", err);
    if (*end || number > MAX_TRACKS)
        return bad_line(p, "not the number of a track", err);
    p->in_audio = strcasecmp(next_word(&rest), "AUDIO") == 0;
    p->indexed = false;
    if (!p->in_audio)
        return true;
    if (p->cue->count == MAX_TRACKS)
        return bad_line(p, "too many tracks", err);
    ap_cue_track *tracks = realloc(p->cue->tracks, (p->cue->count + 1) * sizeof *tracks);
    if (!tracks)
        return ap_fail_memory(err);
    p->cue->tracks = tracks;
    char text[8];
    snprintf(text, sizeof text, "%lu", number);
    ap_tags *tags = ap_tags_new();
    tracks[p->cue->count++] = (ap_cue_track){(unsigned)number, 0, tags};
    return (tags && ap_tags_merge(tags, p->sheet) && ap_tags_set(tags, "TRACKNUMBER", text)) ||
           ap_fail_memory(err);
}

/* INDEX 01 mm:ss:ff, 75 of them a second. */
static bool read_index(parser *p, char *rest, ap_error *err)
{
    unsigned minutes, seconds, sectors, number;
    int used = 0;
    if (sscanf(rest, "%3u %6u:%2u:%2u %n", &number, &minutes, &seconds, &sectors, &used) != 4 || rest[used] ||
        seconds >= 60 || sectors >= AP_CUE_SECTORS)
        return bad_line(p, "not an index of the form NN MM:SS:FF", err);
    if (number != 1 || !p->in_audio)
        return true;
    ap_cue_track *track = track_of(p);
    track->start = ((uint64_t)minutes * 60 + seconds) * AP_CUE_SECTORS + sectors;
    p->indexed = true;
    if (p->cue->count > 1 && track->start <= track[-1].start)
        return bad_line(p, "the track does not begin after the one before it", err);
    return true;
}

static bool read_line(parser *p, char *line, ap_error *err)
{
    static const struct {
        const char *command, *of_sheet, *of_track;
    } texts[] = {{"TITLE", "ALBUM", "TITLE"},
                 {"PERFORMER", "ARTIST", "ARTIST"},
                 {"SONGWRITER", "COMPOSER", "COMPOSER"},
                 {"ISRC", NULL, "ISRC"},
                 {"CATALOG", "CATALOGNUMBER", NULL},
                 {"GENRE", "GENRE", "GENRE"},
                 {"DATE", "DATE", "DATE"}};
    char *command = next_word(&line);
    if (strcasecmp(command, "FILE") == 0)
        return read_file(p, line, err);
    if (strcasecmp(command, "TRACK") == 0)
        return read_track(p, line, err);
    if (strcasecmp(command, "INDEX") == 0)
        return read_index(p, line, err);
    bool remark = strcasecmp(command, "REM") == 0;
    if (remark)
        command = next_word(&line);
    for (size_t i = remark ? 5 : 0; i < (remark ? 7 : 5); i++)
        if (strcasecmp(command, texts[i].command) == 0)
            return add_tag(p, texts[i].of_sheet, texts[i].of_track, next_text(&line)) || ap_fail_memory(err);
    return true;
}

/* text is changed. */
static bool read_sheet(parser *p, char *text, ap_error *err)
{
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3; /* a byte order mark */
    while (*text) {
        size_t length = strcspn(text, "\r\n");
        char *next = text + length + (text[length] == '\r' && text[length + 1] == '\n') + (text[length] != 0);
        text[length] = 0;
        p->line++;
        if (!read_line(p, text, err))
            return false;
        text = next;
    }
    if (p->in_audio && !p->indexed)
        return bad_line(p, "the last track has no INDEX 01", err);
    if (p->cue->count == 0)
        return ap_fail(err, AP_FAILED, "there are no audio tracks in '%s'", p->name);
    if (!ap_tags_get(p->sheet, "ALBUM"))
        return true;
    for (size_t i = 0; i < p->cue->count; i++) /* who made the whole */
        if (ap_tags_get(p->sheet, "ARTIST") &&
            !ap_tags_set(p->cue->tracks[i].tags, "ALBUMARTIST", ap_tags_get(p->sheet, "ARTIST")))
            return ap_fail_memory(err);
    return true;
}

/* The whole file and a zero byte after it; NULL on failure. */
static char *load_sheet(const char *path, ap_error *err)
{
    ap_input *in = ap_input_open(path, err);
    char *text = in ? malloc(MAX_SHEET + 1) : NULL;
    ptrdiff_t n = text ? ap_input_read(in, text, MAX_SHEET, err) : -1;
    if (in && !text)
        ap_fail_memory(err);
    if (n == MAX_SHEET || (n >= 0 && memchr(text, 0, (size_t)n))) {
        ap_fail(err, AP_FAILED, "'%s' is not a cue sheet", path);
        n = -1;
    }
    ap_input_close(in);
    if (n < 0) {
        free(text);
        return NULL;
    }
    text[n] = 0;
    return text;
}

bool ap_cue_read(const char *path, ap_cue *cue, ap_error *err)
{
    *cue = (ap_cue){0};
    char *text = load_sheet(path, err);
    if (!text)
        return false;
    parser p = {.cue = cue, .sheet = ap_tags_new(), .name = path};
    bool ok = p.sheet ? read_sheet(&p, text, err) : ap_fail_memory(err);
    ap_tags_free(&p.sheet);
    free(text);
    if (!ok)
        ap_cue_free(cue);
    return ok;
}

void ap_cue_free(ap_cue *cue)
{
    for (size_t i = 0; i < cue->count; i++)
        ap_tags_free(&cue->tracks[i].tags);
    free(cue->tracks);
    free(cue->file);
    *cue = (ap_cue){0};
}
