/* SPDX-License-Identifier: GPL-3.0-or-later
 * report.c - one HTML page about a job, which needs no network and no other file. */
#include "jobs/show/report.h"
#include "base/error.h"
#include "base/media_type.h"
#include "base/path.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/show/figure.h"
#include "jobs/show/list.h"
#include "jobs/show/media.h"
#include "jobs/show/report_css.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_INPUTS 12 /* that are shown */

typedef struct page {
    FILE *out;
    ap_media media;
} page;

/* ---- pieces */

static void put(FILE *out, const char *text)
{
    ap_put_markup(out, text, SIZE_MAX);
}

static void put_bytes(FILE *out, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    int u = 0;
    for (; bytes >= 999.5 && u < 4; u++)
        bytes /= 1000;
    fprintf(out, u && bytes < 99.95 ? "%.1f %s" : "%.0f %s", bytes, units[u]);
}

static void put_duration(FILE *out, double s)
{
    if (s < 60)
        fprintf(out, "%.2f s", s);
    else
        fprintf(out, "%d:%02d min", (int)s / 60, (int)s % 60);
}

static const char *minus(double x)
{
    return x <= -0.05 ? "&minus;" : "";
}

static const char *mime_of(const char *format)
{
    return strcmp(format, "mkv") == 0 ? "video/webm" : ap_media_type(format); /* a browser plays it as that */
}

/* ---- files */

static void put_player(FILE *out, const char *mime, unsigned n, const char *url)
{
    if (strncmp(mime, "image/", 6) == 0)
        fprintf(out, "<img class=media id=m%u alt=\"\" src=\"%s\">\n", n, url);
    else if (strncmp(mime, "video/", 6) == 0)
        fprintf(out, "<video controls preload=metadata id=m%u src=\"%s\"></video>\n", n, url);
    else if (strncmp(mime, "audio/", 6) == 0)
        fprintf(out, "<audio controls preload=metadata id=m%u src=\"%s\"></audio>\n", n, url);
    else
        fprintf(out, "<a hidden id=m%u href=\"%s\"></a>\n", n, url); /* for the link to it */
}

/* The file itself, or a preview of it, or where it is. */
static void put_medium(FILE *out, const char *mime, unsigned n, const char *url, ap_media_kind kind,
                       const char *path)
{
    if (url)
        put_player(out, kind == AP_MEDIA_PREVIEW ? "audio/mpeg" : mime, n, url);
    if (kind == AP_MEDIA_WHOLE)
        return;
    fputs(kind == AP_MEDIA_PREVIEW
              ? "<p class=dim>A preview of the sound; the file, too large for this page, is "
              : "<p class=dim>Too large for this page, or not there: ",
          out);
    put(out, path);
    fputs("</p>\n", out);
}

static void put_facts(FILE *out, const cJSON *file)
{
    double seconds = ap_json_number(file, "duration", -1), lufs = ap_json_number(file, "loudness", NAN);
    double dbtp = ap_json_number(file, "true_peak", NAN);
    fputs("<div class=facts><span>", out);
    put(out, ap_json_string(file, "format"));
    fputs("</span><span>", out);
    put_bytes(out, ap_json_number(file, "bytes", 0));
    if (seconds >= 0) {
        fputs("</span><span>", out);
        put_duration(out, seconds);
        fprintf(out, "</span><span>%g kHz, %g channel%s", ap_json_number(file, "rate", 0) / 1000,
                ap_json_number(file, "channels", 0), ap_json_number(file, "channels", 0) == 1 ? "" : "s");
    }
    if (isfinite(lufs))
        fprintf(out, "</span><span>%s%.1f LUFS", minus(lufs), fabs(lufs));
    if (isfinite(dbtp))
        fprintf(out, "</span><span>%s%.1f dBTP", minus(dbtp), fabs(dbtp));
    fputs("</span><span title=\"", out);
    put(out, ap_json_string(file, "sha256"));
    fputs("\">sha256 ", out);
    ap_put_markup(out, ap_json_string(file, "sha256"), 12);
    fputs("&hellip;</span></div>\n", out);
}

/* The link takes the player's copy, so that it is in the page once. */
static void put_file_head(FILE *out, const char *title, unsigned n, const char *leaf, bool whole)
{
    fputs("<section class=card><div class=head><h3>", out);
    put(out, title);
    fputs("</h3>", out);
    if (whole) {
        fprintf(out,
                "<a class=get href=\"#m%u\" onclick=\"var m=document.getElementById('m%u');"
                "this.href=m.src||m.href\" download=\"",
                n, n);
        put(out, leaf);
        fputs("\">Download</a>", out);
    }
    fputs("</div>\n", out);
}

static void put_picture(FILE *out, const char *path)
{
    ap_error why;
    if (ap_picture_svg(out, path, &why))
        return;
    fputs("<p class=dim>", out); /* the page is about all the rest as well */
    put(out, why.message);
    fputs("</p>\n", out);
}

static bool put_file(page *p, const cJSON *file, const char *title, ap_error *err)
{
    const char *mime = mime_of(ap_json_string(file, "format"));
    char *relative = ap_json_path(file, "path"), *url = NULL;
    char *path = !relative          ? NULL
                 : *relative == '/' ? strdup(relative)
                                    : ap_print("%s/%s", p->media.folder, relative);
    ap_media_kind kind;
    bool ok = path ? ap_media_find(&p->media, path, relative, mime, &url, &kind, err) : ap_fail_memory(err);
    if (ok) {
        put_file_head(p->out, title, p->media.count, ap_leaf(relative), kind == AP_MEDIA_WHOLE);
        put_facts(p->out, file);
        if (ap_json_number(file, "duration", -1) > 0)
            put_picture(p->out, path);
        put_medium(p->out, mime, p->media.count, url, kind, path);
        fputs("</section>\n", p->out);
    }
    free(relative);
    free(path);
    free(url);
    return ok;
}

/* ---- stages */

static void put_seconds(FILE *out, double s)
{
    if (isnan(s))
        fputs("<td></td>", out);
    else
        fprintf(out, s < 10 ? "<td>%.2f s</td>" : "<td>%.1f s</td>", s);
}

static void put_stage(FILE *out, const cJSON *stage, double start, double total)
{
    const char *state = ap_json_string(stage, "state");
    double seconds = ap_json_number(stage, "seconds", NAN),
           began = ap_time_of(ap_json_string(stage, "started"));
    double left = total > 0 ? fmin(99.5, fmax(0, 100 * (began - start) / total)) : 0;
    double width = total > 0 && !isnan(seconds) ? fmin(100 - left, 100 * seconds / total) : 100 - left;
    fputs("<tr><td>", out);
    put(out, ap_json_string(stage, "name"));
    fprintf(out,
            "</td><td class=wide><div class=track><div class=\"bar %s\" "
            "style=\"left:%.2f%%;width:%.2f%%\"></div></div></td>",
            strcmp(state, "failed") == 0    ? "failed"
            : strcmp(state, "running") == 0 ? "running"
                                            : "",
            left, width);
    put_seconds(out, seconds);
    put_seconds(out, ap_json_number(stage, "cpu_user", NAN) + ap_json_number(stage, "cpu_system", 0));
    fputs("<td>", out);
    if (ap_json_number(stage, "peak_memory", -1) >= 0)
        put_bytes(out, ap_json_number(stage, "peak_memory", 0));
    fputs("</td><td>", out);
    if (strcmp(state, "running") == 0)
        fprintf(out, "%.0f %%", 100 * ap_json_number(stage, "progress", 0));
    else
        fprintf(out, "%g", ap_json_number(stage, "exit_code", 0));
    fputs("</td></tr>\n", out);
}

/* Command line and last words of each stage, to unfold. */
static void put_commands(FILE *out, const cJSON *stages)
{
    const cJSON *stage, *word, *line;
    fputs("<details><summary>Command lines and messages</summary>\n", out);
    cJSON_ArrayForEach(stage, stages)
    {
        fputs("<pre>$", out);
        cJSON_ArrayForEach(word, cJSON_GetObjectItemCaseSensitive(stage, "command"))
        {
            const char *text = cJSON_GetStringValue(word);
            bool plain = text && *text && !text[strcspn(text, " \t\n'\"\\$`*?&|;<>(){}[]#!~")];
            fputs(plain ? " " : " '", out);
            put(out, text ? text : "");
            fputs(plain ? "" : "'", out);
        }
        cJSON_ArrayForEach(line, cJSON_GetObjectItemCaseSensitive(stage, "stderr"))
        {
            fputs("\n", out);
            put(out, cJSON_IsString(line) ? line->valuestring : "");
        }
        fputs("</pre>\n", out);
    }
    fputs("</details>\n", out);
}

static void put_stages(FILE *out, const cJSON *document)
{
    const cJSON *stages = cJSON_GetObjectItemCaseSensitive(document, "stages"), *stage;
    double start = INFINITY, end = 0;
    cJSON_ArrayForEach(stage, stages)
    {
        double began = ap_time_of(ap_json_string(stage, "started"));
        start = fmin(start, began);
        end = fmax(end, began + ap_json_number(stage, "seconds", 0));
    }
    if (!cJSON_GetArraySize(stages))
        return;
    fputs("<h2>Stages</h2><section class=card><div class=scroll><table><tr><th>Stage</th><th class=wide>from "
          "start to end</th><th>Time</th>"
          "<th>CPU</th><th>Memory</th><th>Exit</th></tr>\n",
          out);
    cJSON_ArrayForEach(stage, stages)
    {
        put_stage(out, stage, start, end - start);
    }
    fputs("</table></div>\n", out);
    put_commands(out, stages);
    fputs("</section>\n", out);
}

/* ---- loudness */

static void put_level(FILE *out, const cJSON *file, const char *name, const char *class_)
{
    double lufs = ap_json_number(file, "loudness", NAN), dbtp = ap_json_number(file, "true_peak", NAN);
    if (!isfinite(lufs) && !isfinite(dbtp))
        return;
    fputs("<tr><td>", out);
    put(out, name);
    fputs("</td><td class=wide><div class=track>", out);
    if (isfinite(lufs)) /* from -50 to 0 LUFS */
        fprintf(out, "<div class=\"bar %s\" style=\"left:0;width:%.1f%%\"></div>", class_,
                fmin(100, fmax(0, 2 * (lufs + 50))));
    fputs("</div></td>", out);
    fprintf(out, isfinite(lufs) ? "<td>%s%.1f LUFS</td>" : "<td>&ndash;</td>", minus(lufs), fabs(lufs));
    fprintf(out, isfinite(dbtp) ? "<td>%s%.1f dBTP</td></tr>\n" : "<td>&ndash;</td></tr>\n", minus(dbtp),
            fabs(dbtp));
}

static void put_loudness(FILE *out, const cJSON *document)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(document, "input"), *more, *output;
    fputs("<h2>Loudness before and after</h2><section class=card><div "
          "class=scroll><table><tr><th>File</th><th class=wide>&minus;50 to 0 LUFS</th><th>Loudness</th>"
          "<th>True peak</th></tr>\n",
          out);
    put_level(out, input, ap_json_string(input, "name"), "soft");
    cJSON_ArrayForEach(more, cJSON_GetObjectItemCaseSensitive(document, "more_inputs"))
    {
        put_level(out, more, ap_json_string(more, "name"), "soft");
    }
    cJSON_ArrayForEach(output, cJSON_GetObjectItemCaseSensitive(document, "outputs"))
    {
        put_level(out, output, ap_json_string(output, "name"), "");
    }
    fputs("</table></div></section>\n", out);
}

/* ---- the page */

static void put_next_try(FILE *out, const cJSON *document)
{
    char when[32];
    double next = ap_job_next_try(document);
    if (isnan(next))
        return;
    ap_time_print(next, when); /* 2026-11-20T13:02:20.723Z */
    fprintf(out, " Next try: %.10s %.8s UTC", when, when + 11);
}

/* Recipe, options, and when it ended. */
static void put_order(FILE *out, const cJSON *document)
{
    const cJSON *option;
    fputs("<div class=facts><span>recipe ", out);
    put(out, ap_json_string(document, "recipe"));
    cJSON_ArrayForEach(option, cJSON_GetObjectItemCaseSensitive(document, "options"))
    {
        fputs("</span><span>", out);
        put(out, option->string);
        fputs(" = ", out);
        put(out, cJSON_IsString(option) ? option->valuestring : "?");
    }
    const char *finished = ap_json_string(document, "finished"); /* 2026-11-20T13:02:20.723Z */
    if (strlen(finished) > 19) {
        fputs("</span><span>", out);
        ap_put_markup(out, finished, 10);
        fputs(" ", out);
        ap_put_markup(out, finished + 11, 8);
        fputs(" UTC", out);
    }
    fputs("</span></div>\n", out);
}

static void put_head(FILE *out, const cJSON *document)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(document, "input");
    const char *name = ap_json_string(input, "name"), *state = ap_json_string(document, "state");
    const char *error = ap_json_string(document, "error");
    int more = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(document, "more_inputs"));
    if (!*name)
        name = *ap_json_string(document, "id") ? ap_json_string(document, "id") : "A job";
    fputs("<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><meta name=viewport "
          "content=\"width=device-width,initial-scale=1\"><title>",
          out);
    put(out, name);
    fprintf(out, "</title><style>%s</style></head><body><main>\n<h1>", ap_report_css);
    put(out, name);
    if (more)
        fprintf(out, " and %d more", more);
    fputs("<span class=\"badge ", out);
    put(out, state);
    fputs("\">", out);
    put(out, state);
    fputs("</span></h1>\n", out);
    put_order(out, document);
    if (*error) {
        fputs("<section class=\"card error\">", out);
        put(out, error);
        put_next_try(out, document);
        fputs("</section>\n", out);
    }
}

static void put_foot(FILE *out, const cJSON *document)
{
    const cJSON *tool;
    fputs("<footer>Job ", out);
    put(out, ap_json_string(document, "id"));
    fputs(" of ", out);
    put(out, ap_json_string(document, "owner"));
    fputs(", created ", out);
    put(out, ap_json_string(document, "created"));
    fprintf(out, ", attempt %g.", ap_json_number(document, "attempts", 0));
    cJSON_ArrayForEach(tool, cJSON_GetObjectItemCaseSensitive(document, "tools"))
    {
        fputs(" ", out);
        put(out, tool->string);
        fputs(" ", out);
        put(out, cJSON_IsString(tool) ? tool->valuestring : "");
    }
    fputs(" audiopipe " AP_VERSION ".</footer>\n</main></body></html>\n", out);
}

static bool put_inputs(page *p, const cJSON *document, ap_error *err)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(document, "input"),
                *more = cJSON_GetObjectItemCaseSensitive(document, "more_inputs"), *file;
    int left = cJSON_GetArraySize(more), shown = 1;
    fputs(left ? "<h2>Inputs</h2>\n" : "<h2>Input</h2>\n", p->out);
    if (!put_file(p, input, ap_json_string(input, "name"), err))
        return false;
    cJSON_ArrayForEach(file, more)
    {
        if (shown++ == MAX_INPUTS)
            break;
        if (!put_file(p, file, ap_json_string(file, "name"), err))
            return false;
        left--;
    }
    if (left)
        fprintf(p->out, "<p class=dim>and %d more</p>\n", left);
    return true;
}

static bool put_page(page *p, const cJSON *document, ap_error *err)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(document, "input"), *file;
    put_head(p->out, document);
    const cJSON *outputs = cJSON_GetObjectItemCaseSensitive(document, "outputs");
    if (cJSON_GetArraySize(outputs))
        fputs("<h2>Outputs</h2>\n", p->out);
    cJSON_ArrayForEach(file, outputs)
    {
        if (!put_file(p, file, ap_json_string(file, "name"), err))
            return false;
    }
    if (cJSON_GetArraySize(outputs))
        put_loudness(p->out, document);
    put_stages(p->out, document);
    if (cJSON_IsObject(input) && !put_inputs(p, document, err))
        return false;
    put_foot(p->out, document);
    return true;
}

/* Takes out over. */
static bool write_page(ap_output *out, const char *text, size_t size, ap_error *err)
{
    if (ap_output_write(out, text, size, err))
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}

/* The folder that a path is in, absolute, malloc'ed. NULL if there is none. */
static char *folder_of(const char *path)
{
    char *folder = ap_folder_of(path);
    char *real = folder ? realpath(folder, NULL) : NULL;
    free(folder);
    return real;
}

bool ap_report(const char *manifest, ap_output *out, const ap_report_options *options, ap_error *err)
{
    cJSON *document = ap_manifest_load(manifest, err);
    char *text = NULL, *folder = folder_of(manifest),
         *beside = options->path ? folder_of(options->path) : NULL;
    size_t size = 0;
    page p = {.out = document ? open_memstream(&text, &size) : NULL,
              .media = {options->take, options->user, folder, beside, options->embed_bytes, 0}};
    bool ok = document && (p.out && folder ? put_page(&p, document, err) : ap_fail_memory(err));
    if (p.out && fclose(p.out) != 0 && ok)
        ok = ap_fail_memory(err);
    if (ok)
        ok = write_page(out, text, size, err);
    else
        ap_output_abort(out);
    cJSON_Delete(document);
    free(text);
    free(folder);
    free(beside);
    return ok;
}
