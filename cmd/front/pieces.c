/* SPDX-License-Identifier: GPL-3.0-or-later
 * pieces.c - one stream to several files in a folder, one after the other. */
#include "front/pieces.h"
#include "base/error.h"
#include "base/net.h"
#include "base/path.h"
#include "base/text.h"
#include "front/naming.h"
#include "stream/chapters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_NAME 200 /* bytes; file systems take 255, and the extension and a temporary suffix follow */

/* ---- names */

/* Makes a title fit for a name: no slash, no control character, no leading dot, no character cut in two. */
static void clean_name(char *name)
{
    for (char *p = name; *p; p++)
        if (*p == '/' || ap_is_control(*p))
            *p = '_';
    name[ap_utf8_fit(name, LONGEST_NAME)] = 0;
}

/* The input's name without folders and extension. */
static char *stem_of(const char *input)
{
    char *stem = ap_net_leaf(input);
    if (stem) {
        stem[ap_stem_length(stem)] = 0;
        clean_name(stem);
    }
    return stem;
}

/* As many digits as the last number has, at least two. */
static int digits_of(size_t count)
{
    int digits = 2;
    for (size_t limit = 100; count >= limit; limit *= 10)
        digits++;
    return digits;
}

static bool make_list(piece_list *list, size_t count, ap_error *err)
{
    list->pieces = calloc(count + 1, sizeof *list->pieces);
    return list->pieces || ap_fail_memory(err);
}

bool pieces_of_sections(piece_list *list, const ap_section *sections, size_t count, ap_error *err)
{
    if (count == 0)
        return ap_fail(err, AP_FAILED, "'%s' is silent: there is nothing to split", list->input);
    char *stem = stem_of(list->input);
    bool ok = stem ? make_list(list, count, err) : ap_fail_memory(err);
    for (size_t i = 0; ok && i < count; i++) {
        piece *p = &list->pieces[list->count++];
        *p = (piece){sections[i].start, sections[i].frames, NULL, NULL};
        if (asprintf(&p->name, "%s-%0*zu", stem, digits_of(count), i + 1) < 0) {
            p->name = NULL;
            ok = ap_fail_memory(err);
        }
    }
    free(stem);
    return ok;
}

static uint64_t sector_frames(uint64_t sectors, uint32_t rate)
{
    return (sectors * rate + AP_CUE_SECTORS / 2) / AP_CUE_SECTORS;
}

static bool add_track(piece_list *list, const ap_cue *cue, size_t i, uint32_t rate, ap_error *err)
{
    ap_cue_track *track = &cue->tracks[i];
    const char *title = ap_tags_get(track->tags, "TITLE");
    uint64_t start = sector_frames(track->start, rate);
    piece *p = &list->pieces[list->count++];
    *p = (piece){start, AP_UNKNOWN, track->tags, NULL};
    track->tags = NULL;
    if (i + 1 < cue->count)
        p->frames = sector_frames(cue->tracks[i + 1].start, rate) - start;
    if (asprintf(&p->name, "%0*u%s%s", digits_of(cue->tracks[cue->count - 1].number), track->number,
                 title ? " " : "", title ? title : "") < 0) {
        p->name = NULL;
        return ap_fail_memory(err);
    }
    clean_name(p->name);
    return true;
}

bool pieces_of_cue(piece_list *list, const char *path, uint32_t rate, ap_error *err)
{
    ap_cue cue;
    if (!ap_cue_read(path, &cue, err))
        return false;
    bool ok = make_list(list, cue.count, err);
    for (size_t i = 0; ok && i < cue.count; i++)
        ok = add_track(list, &cue, i, rate, err);
    ap_cue_free(&cue);
    return ok;
}

void pieces_free(piece_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        ap_tags_free(&list->pieces[i].tags);
        free(list->pieces[i].name);
    }
    free(list->pieces);
}

/* ---- writing */

/* The stream that the pieces read, one after the other, each its part. */
typedef struct reader {
    ap_stream *s;
    uint64_t at;       /* frames read so far */
    uint64_t needed;   /* where the next piece begins; 0: there is none */
    const char *input; /* for messages */
} reader;

static bool fail_early_end(const char *input, ap_error *err)
{
    return ap_fail(err, AP_FAILED, "'%s' ends before all pieces have begun", input);
}

static ptrdiff_t read_on(void *user, float *frames, size_t max, ap_error *err)
{
    reader *r = user;
    ptrdiff_t n = ap_read(r->s, frames, max, err);
    if (n > 0)
        r->at += (uint64_t)n;
    if (n == 0 && r->at < r->needed) {
        fail_early_end(r->input, err);
        return -1;
    }
    return n;
}

/* Reads up to where a piece begins. */
static bool skip_to(reader *r, uint64_t start, ap_error *err)
{
    enum { BLOCK = 4096 };
    float *block = malloc(BLOCK * ap_stream_format(r->s)->channels * sizeof *block);
    ptrdiff_t n = block ? 1 : -1;
    if (!block)
        ap_fail_memory(err);
    while (n > 0 && r->at < start)
        n = read_on(r, block, start - r->at < BLOCK ? (size_t)(start - r->at) : BLOCK, err);
    free(block);
    return n > 0 || (n == 0 && fail_early_end(r->input, err));
}

/* The tags of a piece: its own, and those of the stream that it does not have, chapters as they are in the
 * piece. NULL when out of memory. */
static ap_tags *all_tags(const piece *p, const ap_stream *s)
{
    ap_tags *tags = ap_tags_new(), *cut = ap_tags_new();
    const ap_tags *of_stream = ap_stream_tags(s);
    bool ok = tags && cut && (!of_stream || ap_tags_merge(cut, of_stream)) &&
              ap_tags_cut(cut, p->start, p->frames, ap_stream_format(s)->rate) &&
              (!p->tags || ap_tags_merge(tags, p->tags)) && ap_tags_fill(tags, cut);
    ap_tags_free(&cut);
    if (!ok)
        ap_tags_free(&tags);
    else
        ap_tags_drop_gain(tags); /* of the whole */
    return tags;
}

static char *path_of(const piece_list *list, const piece *p, const output_config *out)
{
    char *extension = naming_extension(out->format, list->input, NULL);
    char *name = extension ? ap_print("%s.%s", p->name, *extension ? extension : "wav") : NULL;
    char *path = name ? naming_below(out->path, name) : NULL;
    free(extension);
    free(name);
    return path;
}

static bool write_piece(const command *c, reader *r, const piece_list *list, size_t i, output_config *out,
                        ap_error *err)
{
    const piece *p = &list->pieces[i];
    ap_encode_options options;
    output_encode_options(out, &options);
    ap_tags *tags = all_tags(p, r->s);
    if (!tags)
        return ap_fail_memory(err);
    options.tags = tags;
    r->needed = i + 1 < list->count ? p[1].start : 0;
    bool ok = skip_to(r, p->start, err);
    ap_format format = *ap_stream_format(r->s);
    if (p->frames != AP_UNKNOWN)
        format.frames = p->frames;
    else if (format.frames != AP_UNKNOWN)
        format.frames -= r->at;
    ok = ok && filter_write(c, ap_source(&format, read_on, NULL, r, err), out, &options, err);
    ap_tags_free(&tags);
    return ok;
}

/* Whether all of them begin before the end, if that is known. */
static bool check_starts(const piece_list *list, uint64_t frames, ap_error *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->pieces[i].start >= frames) /* AP_UNKNOWN is more than any */
            return ap_fail(err, AP_FAILED, "'%s' ends before the piece '%s' begins", list->input,
                           list->pieces[i].name);
    return true;
}

/* Checks, before any work, that all of them can be written, and have different names. */
static bool check_paths(const piece_list *list, char **paths, const output_config *out, ap_error *err)
{
    ap_encode_options options;
    output_encode_options(out, &options);
    for (size_t i = 0; i < list->count; i++) {
        if (!(paths[i] = path_of(list, &list->pieces[i], out)))
            return ap_fail_memory(err);
        if (!ap_encode_check(paths[i], &options, err) ||
            !target_check(paths[i], list->in, output_rule(out), err))
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(paths[i], paths[k]) == 0)
                return ap_fail(err, AP_FAILED, "two pieces would become '%s'", paths[i]);
    }
    return true;
}

bool pieces_write(const command *c, ap_stream *s, const piece_list *list, const output_config *out,
                  ap_error *err)
{
    reader r = {.s = s, .input = list->input};
    char **paths = s ? calloc(list->count + 1, sizeof *paths) : NULL;
    made_folders made = {0};
    bool ok = paths && check_starts(list, ap_stream_format(s)->frames, err) &&
              check_paths(list, paths, out, err) && target_make_folders(&made, paths[0], err);
    if (s && !paths)
        ap_fail_memory(err);
    for (size_t i = 0; ok && i < list->count; i++) {
        output_config one = *out;
        one.path = paths[i];
        ok = write_piece(c, &r, list, i, &one, err);
    }
    const char *warning;
    while (ok && !out->common.quiet && (warning = ap_stream_warning(r.s)))
        complain(c, "warning: %s", warning);
    for (size_t i = 0; paths && i < list->count; i++)
        free(paths[i]);
    free(paths);
    ap_close(&r.s);
    target_end(&made, ok);
    return ok;
}
