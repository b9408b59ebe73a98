/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-info - what audio files are, and what they say about themselves. */
#include "base/error.h"
#include "base/net.h"
#include "base/picture_type.h"
#include "front/filter.h"
#include "front/many.h"
#include "front/text.h"
#include "front/walk.h"
#include "stream/chapters.h"
#include "stream/stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct config {
    bool tsv, json, quick, quiet;
    unsigned track;
    common_config common; /* what input_rows say */
} config;

#define AT(field) offsetof(config, field)

static const option_row rows[] = {
    ROW_ON(0, "tsv", AT(tsv), "one line for each file, with tabs, below a line of names"),
    ROW_ON(0, "json", AT(json), "one JSON object"),
    ROW_ON(0, "quick", AT(quick), "do not decode a file whose length no header tells"),
    ROW_COUNT(0, "track", "N", AT(track), 0, 1000, "audio track of a container; 0 = its default one"),
    ROW_ON('q', "quiet", AT(quiet), "no warnings"),
    {0},
};

/* Everything that is said of one file. */
typedef struct info {
    const char *name;
    const ap_format *format;
    const ap_details *details; /* never NULL */
    const ap_tags *tags;
    ap_chapter *chapters;
    size_t chapter_count;
    ap_picture picture;
    unsigned width, height; /* of the picture, 0 = unknown */
    char layout_text[64];
    const char *layout;
    uint64_t frames; /* AP_UNKNOWN with --quick only */
    bool counted;    /* no header tells it: it was decoded */
    uint64_t bytes;  /* of the file, AP_UNKNOWN */
} info;

/* ---- finding out */

static uint64_t size_of(const char *path)
{
    struct stat st;
    bool found = is_standard(path)     ? fstat(STDIN_FILENO, &st) == 0
                 : ap_net_is_url(path) ? false
                                       : stat(path, &st) == 0;
    return found && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : AP_UNKNOWN;
}

static bool count_frames(ap_stream *s, uint64_t *frames, ap_error *err)
{
    enum { BLOCK = 4096 };
    float *block = malloc(BLOCK * ap_stream_format(s)->channels * sizeof *block);
    ptrdiff_t n = block || ap_fail_memory(err) ? 1 : -1;
    for (*frames = 0; n > 0; *frames += n > 0 ? (uint64_t)n : 0)
        n = ap_read(s, block, BLOCK, err);
    free(block);
    return n == 0;
}

static bool find_length(const config *cfg, ap_stream *s, info *i, ap_error *err)
{
    i->frames = i->format->frames != AP_UNKNOWN ? i->format->frames : i->details->frames;
    i->counted = i->frames == AP_UNKNOWN && !cfg->quick;
    return !i->counted || count_frames(s, &i->frames, err);
}

static bool find_out(const config *cfg, ap_stream *s, const char *name, info *i, ap_error *err)
{
    static const ap_details none = {"unknown", "unknown", 0, AP_UNKNOWN, AP_UNKNOWN, AP_UNKNOWN, NULL, 0};
    const ap_details *details = ap_stream_details(s);
    *i = (info){.name = name,
                .format = ap_stream_format(s),
                .details = details ? details : &none,
                .tags = ap_stream_tags(s),
                .bytes = size_of(name)};
    i->picture = ap_tags_picture(i->tags);
    ap_picture_measure(i->picture.data, i->picture.size, &i->width, &i->height);
    bool places = ap_has_places(i->format);
    i->layout = places ? ap_layout_name(i->format->mask, i->layout_text, sizeof i->layout_text) : "discrete";
    return (ap_chapters_list(i->tags, &i->chapters, &i->chapter_count) || ap_fail_memory(err)) &&
           find_length(cfg, s, i, err);
}

static double seconds_of(const info *i)
{
    return (double)i->frames / i->format->rate;
}

/* kbit/s of the whole file, 0 = unknown. */
static double bitrate_of(const info *i)
{
    bool known = i->bytes != AP_UNKNOWN && i->frames != AP_UNKNOWN && i->frames;
    return known ? 8e-3 * (double)i->bytes / seconds_of(i) : 0;
}

/* ---- text, for people */

static void print_time(char to[32], double seconds)
{
    uint64_t ms = (uint64_t)(seconds * 1000 + 0.5);
    snprintf(to, 32, "%" PRIu64 ":%02u:%02u.%03u", ms / 3600000, (unsigned)(ms / 60000 % 60),
             (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
}

static void print_label(const char *label)
{
    printf("  %-16s ", label);
}

static void print_speakers(const info *i)
{
    char list[80];
    printf("%u (%s", i->format->channels, i->layout);
    if (ap_has_places(i->format) && strchr(i->layout, '+') == NULL)
        printf(": %s", ap_layout_list(i->format->mask, list, sizeof list));
    fputs(")\n", stdout);
}

static void print_length(const info *i)
{
    char time[32];
    print_label("Length");
    if (i->frames == AP_UNKNOWN) {
        puts("unknown");
        return;
    }
    print_time(time, seconds_of(i));
    printf("%s = %" PRIu64 " samples%s\n", time, i->frames, i->counted ? " (counted)" : "");
}

static void print_format(const info *i)
{
    const ap_details *d = i->details;
    print_label("Format");
    printf("%s, %s\n", d->format, d->codec);
    print_label("Sample rate");
    printf("%u Hz\n", i->format->rate);
    print_label("Channels");
    print_speakers(i);
    if (d->bits) {
        print_label("Bit depth");
        printf("%u bits\n", d->bits);
    }
    print_length(i);
    if (d->delay != AP_UNKNOWN) {
        print_label("Encoder delay");
        printf("%" PRIu64 " samples", d->delay);
        if (d->padding != AP_UNKNOWN)
            printf(", %" PRIu64 " of padding", d->padding);
        putchar('\n');
    }
    if (bitrate_of(i) > 0) {
        print_label("Bit rate");
        printf("%.0f kbit/s\n", bitrate_of(i));
    }
    if (i->bytes != AP_UNKNOWN) {
        print_label("File size");
        printf("%" PRIu64 " bytes\n", i->bytes);
    }
}

static void print_tracks(const info *i)
{
    for (size_t n = 0; n < i->details->track_count; n++) {
        const ap_track_details *t = &i->details->tracks[n];
        print_label(n ? "" : "Tracks");
        printf("%zu%s %s, ", n + 1, t->chosen ? "*" : "", t->kind);
        print_tsv(stdout, t->codec);
        if (t->rate)
            printf(", %u Hz, %u channel%s", t->rate, t->channels, t->channels == 1 ? "" : "s");
        if (t->width)
            printf(", %ux%u", t->width, t->height);
        if (*t->language) {
            fputs(", ", stdout);
            print_tsv(stdout, t->language);
        }
        if (*t->title) {
            fputs(", ", stdout);
            print_tsv(stdout, t->title);
        }
        putchar('\n');
    }
}

static void print_chapters(const info *i)
{
    char time[32];
    for (size_t n = 0; n < i->chapter_count; n++) {
        print_label(n ? "" : "Chapters");
        print_time(time, (double)i->chapters[n].start_ms / 1000);
        fputs(time, stdout);
        if (i->chapters[n].title) {
            putchar(' ');
            print_tsv(stdout, i->chapters[n].title);
        }
        putchar('\n');
    }
}

static void print_picture(const info *i)
{
    if (!i->picture.size)
        return;
    print_label("Picture");
    print_tsv(stdout, i->picture.mime);
    if (i->width)
        printf(", %ux%u", i->width, i->height);
    printf(", %zu bytes\n", i->picture.size);
}

static void print_tags(const info *i)
{
    const char *key, *value;
    for (size_t n = 0; ap_tags_at(i->tags, n, &key, &value); n++)
        if (!ap_is_chapter_key(key)) {
            print_label(key);
            print_tsv(stdout, value);
            putchar('\n');
        }
}

static void print_text(const info *i)
{
    print_name(stdout, i->name);
    putchar('\n');
    print_format(i);
    print_tracks(i);
    print_chapters(i);
    print_picture(i);
    print_tags(i);
}

/* ---- TSV */

static const char *const tsv_tags[] = {"TITLE",       "ARTIST", "ALBUM", "ALBUMARTIST",
                                       "TRACKNUMBER", "DATE",   "GENRE"};
#define TSV_TAGS (sizeof tsv_tags / sizeof *tsv_tags)

static void print_tsv_names(void)
{
    fputs("file\tformat\tcodec\trate\tchannels\tlayout\tbits\tsamples\tduration_s\tdelay\tpadding\tbitrate_"
          "kbps\t"
          "bytes\ttracks\tchapters\tpicture_bytes",
          stdout);
    for (size_t i = 0; i < TSV_TAGS; i++) {
        putchar('\t');
        for (const char *p = tsv_tags[i]; *p; p++)
            putchar(*p + 32);
    }
    putchar('\n');
}

/* A tab and a number; nothing where it is not known. */
static void tsv_number(uint64_t value, bool known)
{
    putchar('\t');
    if (known)
        printf("%" PRIu64, value);
}

static void print_tsv_line(const info *i)
{
    const ap_details *d = i->details;
    print_name(stdout, i->name);
    printf("\t%s\t%s\t%u\t%u\t%s", d->format, d->codec, i->format->rate, i->format->channels, i->layout);
    tsv_number(d->bits, d->bits);
    tsv_number(i->frames, i->frames != AP_UNKNOWN);
    putchar('\t');
    if (i->frames != AP_UNKNOWN)
        printf("%.6f", seconds_of(i));
    tsv_number(d->delay, d->delay != AP_UNKNOWN);
    tsv_number(d->padding, d->padding != AP_UNKNOWN);
    putchar('\t');
    if (bitrate_of(i) > 0)
        printf("%.1f", bitrate_of(i));
    tsv_number(i->bytes, i->bytes != AP_UNKNOWN);
    printf("\t%zu\t%zu\t%zu", d->track_count ? d->track_count : 1, i->chapter_count, i->picture.size);
    for (size_t n = 0; n < TSV_TAGS; n++) {
        const char *value = ap_tags_get(i->tags, tsv_tags[n]);
        putchar('\t');
        print_tsv(stdout, value ? value : "");
    }
    putchar('\n');
}

/* ---- JSON */

static void json_number(const char *key, uint64_t value, bool known)
{
    if (known)
        printf(", \"%s\": %" PRIu64, key, value);
}

static void json_text(const char *key, const char *value)
{
    if (*value) {
        printf(", \"%s\": ", key);
        print_json(stdout, value);
    }
}

static void print_json_tracks(const info *i)
{
    for (size_t n = 0; n < i->details->track_count; n++) {
        const ap_track_details *t = &i->details->tracks[n];
        printf("%s{\"kind\": \"%s\"", n ? ", " : ", \"tracks\": [", t->kind);
        json_text("codec", t->codec);
        json_number("rate", t->rate, t->rate);
        json_number("channels", t->channels, t->rate);
        json_number("width", t->width, t->width);
        json_number("height", t->height, t->width);
        json_text("language", t->language);
        json_text("title", t->title);
        printf(", \"chosen\": %s}", t->chosen ? "true" : "false");
    }
    if (i->details->track_count)
        putchar(']');
}

static void print_json_chapters(const info *i)
{
    for (size_t n = 0; n < i->chapter_count; n++) {
        printf("%s{\"start_s\": %.3f", n ? ", " : ", \"chapters\": [",
               (double)i->chapters[n].start_ms / 1000);
        json_text("title", i->chapters[n].title ? i->chapters[n].title : "");
        putchar('}');
    }
    if (i->chapter_count)
        putchar(']');
}

/* {"KEY": ["VALUE", ...], ...}: each key once, at its first place. */
static void print_json_tags(const info *i)
{
    const char *key, *value, *other, *more;
    int keys = 0;
    fputs(", \"tags\": {", stdout);
    for (size_t n = 0; ap_tags_at(i->tags, n, &key, &value); n++) {
        if (ap_is_chapter_key(key) || ap_tags_get(i->tags, key) != value)
            continue;
        fputs(keys++ ? ", " : "", stdout);
        print_json(stdout, key);
        fputs(": [", stdout);
        for (size_t k = n; ap_tags_at(i->tags, k, &other, &more); k++)
            if (strcmp(other, key) == 0) {
                fputs(k == n ? "" : ", ", stdout);
                print_json(stdout, more);
            }
        putchar(']');
    }
    putchar('}');
}

static void print_json_picture(const info *i)
{
    if (!i->picture.size)
        return;
    fputs(", \"picture\": {\"mime\": ", stdout);
    print_json(stdout, i->picture.mime);
    json_number("width", i->width, i->width);
    json_number("height", i->height, i->width);
    json_number("bytes", i->picture.size, true);
    putchar('}');
}

static void print_json_file(const info *i)
{
    const ap_details *d = i->details;
    fputs("{\"file\": ", stdout);
    print_json_name(stdout, i->name);
    printf(", \"format\": \"%s\", \"codec\": \"%s\", \"rate\": %u, \"channels\": %u, \"layout\": \"%s\"",
           d->format, d->codec, i->format->rate, i->format->channels, i->layout);
    json_number("bits", d->bits, d->bits);
    json_number("samples", i->frames, i->frames != AP_UNKNOWN);
    if (i->frames != AP_UNKNOWN)
        printf(", \"duration_s\": %.6f", seconds_of(i));
    printf(", \"counted\": %s", i->counted ? "true" : "false");
    json_number("delay", d->delay, d->delay != AP_UNKNOWN);
    json_number("padding", d->padding, d->padding != AP_UNKNOWN);
    if (bitrate_of(i) > 0)
        printf(", \"bitrate_kbps\": %.1f", bitrate_of(i));
    json_number("bytes", i->bytes, i->bytes != AP_UNKNOWN);
    print_json_tracks(i);
    print_json_chapters(i);
    print_json_picture(i);
    print_json_tags(i);
    putchar('}');
}

/* ---- the run */

typedef struct run {
    const command *command;
    const config *config;
    int reported, status;
} run;

static void report(run *r, const info *i)
{
    if (r->config->json) {
        fputs(r->reported ? ",\n" : "\n", stdout);
        print_json_file(i);
    } else if (r->config->tsv) {
        print_tsv_line(i);
    } else {
        fputs(r->reported ? "\n" : "", stdout);
        print_text(i);
    }
    r->reported++;
}

static void report_failure(run *r, const char *name, const ap_error *err)
{
    int status = filter_fail(r->command, err); /* a signal ends the process */
    r->status = r->status == AP_FAILED ? AP_FAILED : status;
    if (!r->config->json)
        return;
    fputs(r->reported++ ? ",\n{\"file\": " : "\n{\"file\": ", stdout);
    print_json_name(stdout, name);
    fputs(", \"error\": ", stdout);
    print_json(stdout, err->message);
    putchar('}');
}

/* Returns false if the run cannot go on. */
static bool look_at(run *r, const char *name)
{
    ap_error err;
    info i = {.chapters = NULL};
    ap_decode_options decode;
    ap_decode_defaults(&decode);
    decode.track = r->config->track;
    ap_stream *s = filter_open(&r->config->common, name, &decode, &err);
    if (s && find_out(r->config, s, name, &i, &err))
        report(r, &i);
    else
        report_failure(r, name, &err);
    const char *warning;
    while (s && !r->config->quiet && (warning = ap_stream_warning(s)))
        complain(r->command, "warning: %s", warning);
    free(i.chapters);
    ap_close(&s);
    if (flush_stdout(&err))
        return true;
    r->status = filter_fail(r->command, &err);
    return false;
}

static bool visit(void *user, const char *path, const char *folder, ap_error *err)
{
    (void)folder, (void)err;
    return look_at(user, path);
}

static bool folder_failed(void *user, const char *path, const ap_error *why, ap_error *err)
{
    (void)err;
    report_failure(user, path, why);
    return true;
}

static int look_at_all(run *r, const many_config *files, char *const *names, int count)
{
    ap_error err = {AP_OK, ""};
    const walk w = {.operands = names,
                    .count = (size_t)count,
                    .list = files->list,
                    .zero = files->null,
                    .recursive = files->recursive,
                    .raw = r->config->common.raw,
                    .visit = visit,
                    .failed = folder_failed,
                    .user = r};
    if (r->config->json)
        fputs("{\"files\": [", stdout);
    else if (r->config->tsv)
        print_tsv_names();
    const bool go_on = walk_files(&w, &err);
    if (!go_on && err.code != AP_OK)
        r->status = filter_fail(r->command, &err);
    if (r->config->json && go_on)
        fputs("\n]}\n", stdout);
    if (go_on && !finish_stdout(&err))
        r->status = filter_fail(r->command, &err);
    return r->status;
}

int main(int argc, char **argv)
{
    static const command about = {"ap-info", "[INPUT]...",
                                  "Says what audio files are: format, length, tags, chapters, tracks."};
    static char standard_input[] = "-";
    char *only[] = {standard_input};
    config c = {0};
    many_config files = {0};
    const option_group groups[OPTION_GROUPS] = {{rows, &c}, {input_rows, &c.common}, {name_rows, &files}};
    int operand = parse_options(&about, groups, argc, argv);
    filter_start();
    if (c.tsv && c.json)
        usage_error(&about, "--tsv and --json exclude each other");
    if (operand == argc && !files.list && isatty(STDIN_FILENO))
        usage_error(&about, "no input: name files, or pipe audio in");
    run r = {.command = &about, .config = &c};
    const bool standard = operand == argc && !files.list;
    return look_at_all(&r, &files, standard ? only : argv + operand, standard ? 1 : argc - operand);
}
