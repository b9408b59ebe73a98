/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-tag - shows and changes the tags of audio files, not their sound. */
#include "base/error.h"
#include "base/input.h"
#include "base/picture_type.h"
#include "front/filter.h"
#include "front/many.h"
#include "front/text.h"
#include "front/walk.h"

#include <stdlib.h>
#include <string.h>

#define MAX_COVER ((uint64_t)64 << 20)

typedef struct config {
    ap_tags *set, *removed;
    const char *from, *cover, *export;
    bool clear, no_cover, keep_time, json, quiet, edits;
} config;

#define AT(field) offsetof(config, field)

/* KEY=VALUE to both; *value points to VALUE, "" if there is none. */
static bool split(const char *argument, char key[257], const char **value, ap_error *err)
{
    size_t length = strcspn(argument, "=");
    if (length == 0 || length > 256)
        return ap_fail(err, AP_USAGE, "'%s' has no key of 1 to 256 characters", argument);
    memcpy(key, argument, length);
    key[length] = 0;
    *value = argument[length] ? argument + length + 1 : "";
    return true;
}

static bool remove_key(void *user, const char *argument, ap_error *err)
{
    config *c = user;
    char key[257];
    const char *value = "";
    c->edits = true;
    if (strchr(argument, '='))
        return ap_fail(err, AP_USAGE, "'%s' is not a key", argument);
    return split(argument, key, &value, err) && (ap_tags_add(c->removed, key, "removed") ||
                                                 ap_fail(err, AP_USAGE, "'%s' cannot be a key", argument));
}

static bool set_tag(void *user, const char *argument, ap_error *err)
{
    config *c = user;
    char key[257];
    const char *value = "";
    c->edits = true;
    if (!strchr(argument, '='))
        return ap_fail(err, AP_USAGE, "'%s' is not KEY=VALUE", argument);
    if (!split(argument, key, &value, err))
        return false;
    bool ok = *value ? ap_tags_add(c->set, key, value) : ap_tags_add(c->removed, key, "removed");
    return ok || ap_fail(err, AP_USAGE, "'%s' cannot be a tag", argument);
}

static const option_row rows[] = {
    ROW_CALL('s', "set", "KEY=VALUE", set_tag,
             "set a tag; the same key again: one more value; KEY=: remove it"),
    ROW_CALL('r', "remove", "KEY", remove_key, "remove a tag"),
    ROW_ON(0, "clear", AT(clear), "remove all tags and the cover first"),
    ROW_FILE(0, "from", "FILE", AT(from), "copy tags and cover of FILE; the other options override them"),
    ROW_FILE(0, "cover", "IMAGE", AT(cover), "make IMAGE the cover picture"),
    ROW_ON(0, "no-cover", AT(no_cover), "remove the cover picture"),
    ROW_TEXT(0, "export-cover", "FILE", AT(export), "write the cover picture to FILE"),
    ROW_ON(0, "keep-time", AT(keep_time), "changed files keep their time of modification"),
    ROW_ON(0, "json", AT(json), "show tags as a JSON object"),
    ROW_ON('q', "quiet", AT(quiet), "no warnings"),
    {0},
};

/* ---- showing */

static void show_lines(const char *name, const ap_tags *tags, bool several)
{
    const char *key, *value;
    if (several) {
        fputs("# ", stdout);
        print_name(stdout, name);
        putchar('\n');
    }
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++) {
        printf("%s=", key);
        print_tsv(stdout, value);
        putchar('\n');
    }
}

/* {"file": NAME, "tags": [["KEY", "VALUE"], ...]} */
static void show_json(const char *name, const ap_tags *tags, bool first)
{
    const char *key, *value;
    fputs(first ? "\n{\"file\": " : ",\n{\"file\": ", stdout);
    print_json_name(stdout, name);
    fputs(", \"tags\": [", stdout);
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++) {
        fputs(i ? ", [" : "[", stdout);
        print_json(stdout, key);
        fputs(", ", stdout);
        print_json(stdout, value);
        putchar(']');
    }
    printf("], \"cover_bytes\": %zu}", ap_tags_picture(tags).size);
}

/* ---- changing */

static bool load_cover(const char *path, ap_tags *tags, ap_error *err)
{
    ap_input *in = ap_input_open(path, err);
    if (!in)
        return false;
    uint64_t size = ap_input_size(in);
    unsigned char *bytes = NULL;
    bool ok = size != AP_UNKNOWN && size > 0 && size <= MAX_COVER;
    if (!ok)
        ap_fail(err, AP_FAILED, "'%s' is empty, beyond 64 MiB, or not a file", path);
    bytes = ok ? ap_input_load(in, (size_t)size, err) : NULL;
    const char *mime = bytes ? ap_picture_mime(ap_picture_type_of(bytes, (size_t)size)) : NULL;
    if (bytes && !mime)
        ap_fail(err, AP_FAILED, "'%s' is not a picture in a known format", path);
    ok = mime && (ap_tags_set_picture(tags, mime, bytes, (size_t)size) || ap_fail_memory(err));
    free(bytes);
    ap_input_close(in);
    return ok;
}

/* Adds the tags and the cover of --from to those of --set and --cover. */
static bool prepare(config *c, ap_error *err)
{
    if (c->cover && !load_cover(c->cover, c->set, err))
        return false;
    ap_stream *s = c->from ? ap_decode(c->from, NULL, err) : NULL;
    bool ok = !c->from || (s && (ap_tags_fill(c->set, ap_stream_tags(s)) || ap_fail_memory(err)));
    ap_close(&s);
    return ok;
}

/* Whether an old tag stays. */
static bool stays(const config *c, const char *key)
{
    return !c->clear && !ap_tags_get(c->set, key) && !ap_tags_get(c->removed, key);
}

/* Old tags in their order, then new ones. NULL when out of memory. */
static ap_tags *edited(const config *c, const ap_tags *old)
{
    const char *key, *value;
    ap_tags *tags = ap_tags_new();
    bool ok = tags;
    for (size_t i = 0; ok && ap_tags_at(old, i, &key, &value); i++)
        ok = !stays(c, key) || ap_tags_add(tags, key, value);
    for (size_t i = 0; ok && ap_tags_at(c->set, i, &key, &value); i++)
        ok = ap_tags_get(c->removed, key) || ap_tags_add(tags, key, value);
    ap_picture picture = ap_tags_picture(c->set);
    if (!picture.size && !c->clear)
        picture = ap_tags_picture(old);
    if (ok && picture.size && (!c->no_cover || c->cover))
        ok = ap_tags_set_picture(tags, picture.mime, picture.data, picture.size);
    if (!ok)
        ap_tags_free(&tags);
    return tags;
}

static bool change(const config *c, const char *path, const ap_tags *old, ap_error *err)
{
    ap_tags *tags = edited(c, old);
    bool ok = (tags || ap_fail_memory(err)) && ap_tags_write(path, tags, c->keep_time, err);
    if (ok)
        remark("'%s': the tags are set", path);
    ap_tags_free(&tags);
    return ok;
}

static bool export_cover(const config *c, const char *name, const ap_tags *tags, ap_error *err)
{
    ap_picture picture = ap_tags_picture(tags);
    return picture.size ? ap_save(c->export, picture.data, picture.size, err)
                        : ap_fail(err, AP_FAILED, "'%s' has no cover picture", name);
}

/* ---- the run */

static bool do_file(const command *about, const config *c, const char *name, int number, bool several,
                    ap_error *err)
{
    ap_stream *s = filter_open(NULL, name, NULL, err);
    if (!s)
        return false;
    const ap_tags *tags = ap_stream_tags(s);
    bool ok = !c->export || export_cover(c, name, tags, err);
    const char *warning;
    while (!c->quiet && (warning = ap_stream_warning(s)))
        complain(about, "warning: %s", warning);
    if (ok && c->edits)
        ok = change(c, name, tags, err);
    else if (ok && c->json)
        show_json(name, tags, number == 0);
    else if (ok && !c->export)
        show_lines(name, tags, several);
    ap_close(&s);
    return ok;
}

static void check(const command *about, config *c, const many_config *files, char **names, int count)
{
    c->edits = c->edits || c->clear || c->from || c->cover || c->no_cover;
    if (count == 0 && !files->list)
        usage_error(about, "no file is named");
    if (c->export && (count != 1 || files->list || files->recursive))
        usage_error(about, "--export-cover is for one file");
    if (c->json && c->edits)
        usage_error(about, "--json shows tags; it excludes changing them");
    for (int i = 0; c->edits && i < count; i++)
        if (is_standard(names[i]))
            usage_error(about, "standard input cannot be changed: name a file");
}

typedef struct run {
    const command *about;
    const config *config;
    bool several;
    int shown, status;
} run;

static void fail(run *r, const ap_error *err)
{
    const int failed = filter_fail(r->about, err); /* a signal ends the process */
    r->status = r->status == AP_OK || failed == AP_FAILED ? failed : r->status;
}

static bool visit(void *user, const char *path, const char *folder, ap_error *err)
{
    run *r = user;
    ap_error why;
    (void)folder, (void)err;
    if (filter_go_on(&why) && do_file(r->about, r->config, path, r->shown, r->several, &why))
        r->shown++;
    else
        fail(r, &why);
    return true;
}

static bool folder_failed(void *user, const char *path, const ap_error *why, ap_error *err)
{
    (void)path, (void)err;
    fail(user, why);
    return true;
}

static int do_all(const command *about, const config *c, const many_config *files, char **names, int count)
{
    ap_error err;
    run r = {.about = about, .config = c, .several = count > 1 || files->recursive || files->list};
    const walk w = {.operands = names,
                    .count = (size_t)count,
                    .list = files->list,
                    .zero = files->null,
                    .recursive = files->recursive,
                    .visit = visit,
                    .failed = folder_failed,
                    .user = &r};
    if (c->json)
        fputs("{\"files\": [", stdout);
    if (!walk_files(&w, &err))
        fail(&r, &err);
    if (c->json)
        fputs("\n]}\n", stdout);
    return finish_stdout(&err) ? r.status : filter_fail(about, &err);
}

int main(int argc, char **argv)
{
    static const command about = {"ap-tag", "FILE...",
                                  "Shows and changes the tags of files, not their sound."};
    ap_error err;
    config c = {.set = ap_tags_new(), .removed = ap_tags_new()};
    many_config files = {0};
    const option_group groups[OPTION_GROUPS] = {{rows, &c}, {name_rows, &files}};
    int operand = parse_options(&about, groups, argc, argv);
    check(&about, &c, &files, argv + operand, argc - operand);
    filter_start();
    bool ready = (c.set && c.removed) || ap_fail_memory(&err);
    int status = ready && prepare(&c, &err) ? do_all(&about, &c, &files, argv + operand, argc - operand)
                                            : filter_fail(&about, &err);
    ap_tags_free(&c.set);
    ap_tags_free(&c.removed);
    return status;
}
