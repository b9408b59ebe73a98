/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-s3 - objects in S3-compatible stores: lists, copies, links. */
#include "base/error.h"
#include "base/net.h"
#include "base/text.h"
#include "base/transfer.h"
#include "front/filter.h"
#include "front/text.h"
#include "front/verbs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef enum method { METHOD_GET, METHOD_PUT, METHOD_HEAD, METHOD_DELETE } method;
typedef enum style { STYLE_TEXT, STYLE_TSV, STYLE_JSON } style;

typedef struct config {
    int method, style;
    double expires_s, bytes;
    const char *type, *filename, *to, *prefix, *start_after;
    bool only_new, long_list;
    char *origins[16];
    size_t origin_count;
} config;

static config cfg = {.expires_s = 3600, .bytes = -1};

static bool set_expiry(void *config_, const char *argument, ap_error *err)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {0, 1}};
    char *end;
    double number = strtod(argument, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (*argument >= '0' && *argument <= '9' && *end == units[i].unit && (!*end || !end[1])) {
            ((config *)config_)->expires_s = number * units[i].seconds;
            return ap_check_range("expires", number * units[i].seconds, 1, 604800, err);
        }
    return ap_fail(err, AP_USAGE, "'%s' is not a number and s, m, h or d", argument);
}

static bool add_origin(void *config_, const char *argument, ap_error *err)
{
    config *c = config_;
    if (c->origin_count == sizeof c->origins / sizeof *c->origins)
        return ap_fail(err, AP_USAGE, "too many origins");
    c->origins[c->origin_count++] = (char *)argument;
    return true;
}

#define AT(field) offsetof(config, field)

static const choice methods[] = {
    {"GET", METHOD_GET}, {"PUT", METHOD_PUT}, {"HEAD", METHOD_HEAD}, {"DELETE", METHOD_DELETE}, {0}};
static const choice styles[] = {{"text", STYLE_TEXT}, {"tsv", STYLE_TSV}, {"json", STYLE_JSON}, {0}};

static const option_row rows[] = {
    ROW_ON('l', "long", AT(long_list), "ls: size and time, too"),
    ROW_CHOICE(0, "format", styles, AT(style), "head: how to show it"),
    ROW_TEXT(0, "start-after", "KEY", AT(start_after), "ls: only keys after this one"),
    ROW_TEXT(0, "type", "TYPE", AT(type), "put, presign: the media type"),
    ROW_ON(0, "only-new", AT(only_new), "put: not over an object of that name; up to 64 MiB"),
    ROW_CHOICE(0, "method", methods, AT(method), "presign: what the link is for"),
    ROW_CALL('e', "expires", "TIME", set_expiry, "presign: how long: 90s, 30m, 1h, 7d (default 1h)"),
    ROW_RANGE(OPTION_NUMBER, 0, "bytes", "N", AT(bytes), 0, 5e9, "presign: the size that a PUT has to have",
              .no_default = true),
    ROW_TEXT(0, "filename", "NAME", AT(filename), "presign: what a browser saves it as"),
    ROW_CALL(0, "allow", "ORIGIN", add_origin, "cors: a page that may upload and download (repeatable)"),
    ROW_TEXT(0, "to", "TOPIC", AT(to), "notify: the ARN of a topic"),
    ROW_TEXT(0, "prefix", "PREFIX", AT(prefix), "notify: only objects whose keys start with this"),
    {0},
};

/* ---- looking */

static bool print_object(void *user, const ap_net_object *o, ap_error *err)
{
    (void)user;
    if (cfg.long_list)
        printf("%12llu\t%s\t", (unsigned long long)o->bytes, o->modified);
    print_tsv(stdout, o->key);
    putchar('\n');
    return !ferror(stdout) || flush_stdout(err);
}

static int run_ls(const ap_net_plugin *net, char **argv, ap_error *err)
{
    bool ok = net->list(argv[0], cfg.start_after, print_object, NULL, err) && flush_stdout(err);
    return ok ? AP_OK : (int)err->code;
}

static void print_member(const char *name, const char *value, bool last)
{
    printf("\"%s\":", name);
    print_json(stdout, value);
    printf("%s", last ? "}\n" : ",");
}

static int run_head(const ap_net_plugin *net, char **argv, ap_error *err)
{
    ap_net_object o;
    if (!net->head_of(argv[0], &o, err))
        return (int)err->code;
    if (cfg.style == STYLE_JSON) {
        printf("{\"bytes\":%llu,", (unsigned long long)o.bytes);
        print_member("type", o.type, false);
        print_member("modified", o.modified, false);
        print_member("etag", o.etag, true);
    } else if (cfg.style == STYLE_TSV)
        printf("bytes\ttype\tmodified\tetag\n%llu\t%s\t%s\t%s\n", (unsigned long long)o.bytes, o.type,
               o.modified, o.etag);
    else
        printf("Size      %llu bytes\nType      %s\nModified  %s\nETag      %s\n",
               (unsigned long long)o.bytes, o.type, o.modified, o.etag);
    return flush_stdout(err) ? AP_OK : (int)err->code;
}

/* ---- copying */

#define SMALL ((size_t)64 << 20)

/* What opens files, too, would take any other name for that of one. */
static bool is_object(const char *name, ap_error *err)
{
    return ap_net_is_url(name) ||
           ap_fail(err, AP_USAGE, "'%s' is not the name of an object: s3://BUCKET/KEY", name);
}

static int run_get(const ap_net_plugin *net, char **argv, ap_error *err)
{
    (void)net;
    ap_input *in = is_object(argv[0], err) ? ap_input_open(argv[0], err) : NULL;
    ap_output *out = NULL;
    if (in)
        out = is_standard(argv[1]) ? ap_output_fd(STDOUT_FILENO, "standard output", false, err)
                                   : ap_output_create(argv[1], false, err);
    return ap_transfer(in, out, AP_UNKNOWN, filter_go_on, err) ? AP_OK : (int)err->code;
}

/* In one request, for a condition or a type. */
static bool put_small(const ap_net_plugin *net, ap_input *in, const char *url, ap_error *err)
{
    unsigned char *bytes = malloc(SMALL + 1);
    ptrdiff_t n = bytes ? ap_input_read(in, bytes, SMALL + 1, err) : -1;
    bool ok = n >= 0 || (!bytes && ap_fail_memory(err));
    if (ok && (size_t)n > SMALL)
        ok =
            ap_fail(err, AP_FAILED, "'%s' is larger than 64 MiB, which is the most for --only-new and --type",
                    ap_input_name(in));
    ok = ok && net->put(url, bytes, (size_t)n, cfg.type, cfg.only_new, NULL, err);
    free(bytes);
    ap_input_close(in);
    return ok;
}

static int run_put(const ap_net_plugin *net, char **argv, ap_error *err)
{
    ap_input *in = !is_object(argv[1], err) ? NULL
                   : is_standard(argv[0])   ? ap_input_new(STDIN_FILENO, false, "standard input", err)
                                            : ap_input_open(argv[0], err);
    if (!in)
        return (int)err->code;
    if (cfg.only_new || cfg.type)
        return put_small(net, in, argv[1], err) ? AP_OK : (int)err->code;
    ap_output *out = ap_output_create(argv[1], false, err);
    return ap_transfer(in, out, AP_UNKNOWN, filter_go_on, err) ? AP_OK : (int)err->code;
}

static int run_rm(const ap_net_plugin *net, char **argv, ap_error *err)
{
    for (; *argv; argv++)
        if (!net->remove(*argv, err))
            return (int)err->code;
    return AP_OK;
}

/* ---- links and settings */

static int run_presign(const ap_net_plugin *net, char **argv, ap_error *err)
{
    const ap_net_presign what = {.method = methods[cfg.method].name,
                                 .expires_s = (unsigned)cfg.expires_s,
                                 .type = cfg.type,
                                 .bytes = cfg.bytes < 0 ? AP_UNKNOWN : (uint64_t)cfg.bytes,
                                 .filename = cfg.filename};
    for (; *argv; argv++) {
        char *url = net->presign(*argv, &what, err);
        if (!url)
            return (int)err->code;
        puts(url);
        free(url);
    }
    return flush_stdout(err) ? AP_OK : (int)err->code;
}

static int show_setting(const ap_net_plugin *net, const char *url, const char *name, ap_error *err)
{
    char *text = net->get_setting(url, name, err);
    if (!text)
        return (int)err->code;
    puts(text);
    free(text);
    return flush_stdout(err) ? AP_OK : (int)err->code;
}

/* A piece of XML around a text, whose special characters are escaped. */
static void print_element(FILE *out, const char *name, const char *text)
{
    fprintf(out, "<%s>", name);
    ap_put_markup(out, text, SIZE_MAX);
    fprintf(out, "</%s>", name);
}

/* Writes the document that print makes. */
static int change_setting(const ap_net_plugin *net, const char *url, const char *name, void (*print)(FILE *),
                          ap_error *err)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    bool ok = file ? true : ap_fail_memory(err);
    if (file) {
        print(file);
        ok = fclose(file) == 0 || ap_fail_memory(err);
    }
    ok = ok && net->put_setting(url, name, text, err);
    free(text);
    return ok ? AP_OK : (int)err->code;
}

/* Uploads from pages by PUT, and their ETag, which multipart uploads need. */
static void print_cors(FILE *out)
{
    static const char *const allowed[] = {"GET", "HEAD", "PUT", "POST"};
    fputs("<CORSConfiguration><CORSRule>", out);
    for (size_t i = 0; i < cfg.origin_count; i++)
        print_element(out, "AllowedOrigin", cfg.origins[i]);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        print_element(out, "AllowedMethod", allowed[i]);
    fputs(
        "<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>3600</MaxAgeSeconds>"
        "</CORSRule></CORSConfiguration>",
        out);
}

static int run_cors(const ap_net_plugin *net, char **argv, ap_error *err)
{
    if (!cfg.origin_count)
        return show_setting(net, argv[0], "cors", err);
    return change_setting(net, argv[0], "cors", print_cors, err);
}

static void print_notification(FILE *out)
{
    fputs("<NotificationConfiguration><TopicConfiguration><Id>audiopipe</Id>", out);
    print_element(out, "Topic", cfg.to);
    fputs("<Event>s3:ObjectCreated:*</Event>", out);
    if (cfg.prefix) {
        fputs("<Filter><S3Key><FilterRule><Name>prefix</Name>", out);
        print_element(out, "Value", cfg.prefix);
        fputs("</FilterRule></S3Key></Filter>", out);
    }
    fputs("</TopicConfiguration></NotificationConfiguration>", out);
}

static int run_notify(const ap_net_plugin *net, char **argv, ap_error *err)
{
    if (!cfg.to)
        return show_setting(net, argv[0], "notification", err);
    return change_setting(net, argv[0], "notification", print_notification, err);
}

/* ---- verbs */

typedef int verb_fn(const ap_net_plugin *net, char **argv, ap_error *err);

static int with_net(verb_fn *run, char **argv, ap_error *err)
{
    const ap_net_plugin *net = ap_net_load(err);
    filter_start();
    return net ? run(net, argv, err) : (int)err->code;
}

#define VERB(name)                                                                                           \
    static int do_##name(void *config_, int argc, char **argv, ap_error *err)                                \
    {                                                                                                        \
        (void)config_;                                                                                       \
        (void)argc;                                                                                          \
        return with_net(run_##name, argv, err);                                                              \
    }
VERB(ls)
VERB(get)
VERB(put)
VERB(head)
VERB(rm)
VERB(presign)
VERB(cors)
VERB(notify)

static const verb verbs[] = {
    {"ls", "URL", "Lists the objects whose keys begin with that of s3://BUCKET/PREFIX.", "long start-after",
     1, 1, do_ls},
    {"get", "URL [FILE]", "Copies an object to a file, or to standard output.", "", 1, 2, do_get},
    {"put", "FILE URL", "Copies a file, or - for standard input, to an object.", "type only-new", 2, 2,
     do_put},
    {"head", "URL", "Shows size, type, time and ETag.", "format", 1, 1, do_head},
    {"rm", "URL...", "Removes objects.", "", 1, VERB_MANY, do_rm},
    {"presign", "URL...", "Prints links that work without credentials for a while.",
     "method expires type bytes filename", 1, VERB_MANY, do_presign},
    {"cors", "URL", "Shows which pages may use a bucket, or says so with --allow.", "allow", 1, 1, do_cors},
    {"notify", "URL", "Shows whom a bucket tells of new objects, or says so with --to.", "to prefix", 1, 1,
     do_notify},
    {0},
};

int main(int argc, char **argv)
{
    const command self = {
        "ap-s3", "ls|get|put|head|rm|presign|cors|notify ARGUMENT...",
        "Lists, copies and links objects in S3-compatible stores. Each verb has its own --help."};
    const verb *v = find_verb(verbs, argc > 1 ? argv[1] : NULL);
    if (v)
        return run_verb(&self, v, rows, &cfg, argc - 1, argv + 1, NULL);
    const option_group groups[OPTION_GROUPS] = {{rows, &cfg}};
    parse_options(&self, groups, argc, argv);
    report_no_verb(&self, verbs, argc > 1 ? argv[1] : NULL);
}
