/* SPDX-License-Identifier: GPL-3.0-or-later
 * options.c - command line options from a table. */
#include "front/options.h"
#include "base/error.h"
#include "base/text.h"
#include "front/guess.h"
#include "front/progress.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_OPTIONS 96
#define FIRST_CODE 1000 /* getopt's value of option number 0, beyond any letter */
#define HELP_COLUMN 28

static const option_row standard_rows[] = {
    ROW_ON('h', "help", 0, "print this help", .no_default = true),
    ROW_ON(0, "version", 0, "print the version", .no_default = true),
    {0},
};

/* All rows of all groups, in order. */
typedef struct row_list {
    option_row rows[MAX_OPTIONS];
    void *configs[MAX_OPTIONS];
    int count;
} row_list;

static void (*listener)(const char *text);

void complain_to(void (*listen)(const char *text))
{
    listener = listen;
}

static void print_message(const command *c, const char *format, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, args);
    ap_text_one_line(text); /* a file name may hold anything */
    if (listener) {
        listener(text);
        return;
    }
    progress_hide(); /* a bar is on this line */
    fprintf(stderr, "%s: %s\n", c->name, text);
}

void complain(const command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message(c, format, args);
    va_end(args);
}

_Noreturn void usage_error(const command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message(c, format, args);
    va_end(args);
    fprintf(stderr, "Try '%s --help' for more information.\n", c->name);
    exit(AP_USAGE);
}

static bool takes_argument(const option_row *o)
{
    return o->type != OPTION_ON && o->type != OPTION_OFF && o->type != OPTION_ANSWER;
}

/* ---- values */

static bool parse_number(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == 0 && isfinite(*number);
}

/* The same, followed by "k" and the unit if there are any: 44.1k, 192kbps, -1dBTP. */
static bool parse_quantity(const option_row *o, const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    if (end == text || !isfinite(*number))
        return false;
    if (o->unit && strcasecmp(end, o->unit) == 0)
        return true;
    if (o->kilo == 0 || (*end != 'k' && *end != 'K'))
        return *end == 0;
    *number = nearbyint(*number * o->kilo * 1e6) / 1e6; /* 44.1k is a whole number of Hz */
    return end[1] == 0 || strcasecmp(end + 1, o->unit) == 0;
}

bool parse_time(const char *text, double *seconds)
{
    double total = 0, part;
    char copy[64];
    if (strlen(text) >= sizeof copy)
        return false;
    strcpy(copy, text);
    char *rest = copy;
    for (int fields = 0; rest; fields++) {
        const char *field = strsep(&rest, ":");
        if (fields == 3 || *field < '.' || *field > '9' || !parse_number(field, &part) || part < 0)
            return false;
        if (fields && part >= 60)
            return false;
        total = 60 * total + part;
    }
    *seconds = total;
    return true;
}

static bool parse_seed(const char *text, uint64_t *seed)
{
    char *end;
    errno = 0;
    *seed = strtoull(text, &end, 0);
    return *text >= '0' && *text <= '9' && *end == 0 && errno == 0;
}

/* "a|b|c" */
static const char *list_choices(const option_row *o, char list[256])
{
    size_t n = 0;
    *list = 0;
    for (const choice *c = o->choices; c->name && n < 256; c++)
        n += (size_t)snprintf(list + n, 256 - n, "%s%s", n ? "|" : "", c->name);
    return list;
}

static int find_choice(const command *c, const option_row *o, const char *text)
{
    char list[256];
    for (const choice *one = o->choices; one->name; one++)
        if (strcmp(one->name, text) == 0)
            return one->value;
    usage_error(c, "--%s '%s' is none of %s", o->name, text, list_choices(o, list));
}

static void check_range(const command *c, const option_row *o, const char *text, double value)
{
    if (value < o->lo)
        usage_error(c, "--%s %s is too small (%g to %g)", o->name, text, o->lo, o->hi);
    if (value > o->hi)
        usage_error(c, "--%s %s is too large (%g to %g)", o->name, text, o->lo, o->hi);
}

static double number_of(const command *c, const option_row *o, const char *text)
{
    double value = 0;
    bool ok = o->type == OPTION_TIME ? parse_time(text, &value) : parse_quantity(o, text, &value);
    if (!ok || (o->type == OPTION_COUNT && value != floor(value)))
        usage_error(c, "--%s '%s' is not a %s", o->name, text,
                    o->type == OPTION_TIME    ? "time (seconds or h:m:s)"
                    : o->type == OPTION_COUNT ? "whole number"
                                              : "number");
    check_range(c, o, text, value);
    return value;
}

bool finish_stdout(ap_error *err)
{
    errno = 0;
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    int number = errno ? errno : EIO;   /* an earlier write has failed, nobody knows why any more */
    if (!failed && fclose(stdout) == 0) /* a network file system may fail late */
        return true;
    return ap_fail_errno(err, failed ? number : errno, "cannot write 'standard output'");
}

/* The end of a command that has printed what it was asked for. */
static _Noreturn void finish_answer(const command *c)
{
    ap_error err;
    if (finish_stdout(&err))
        exit(AP_OK);
    complain(c, "%s", err.message);
    exit(err.code);
}

/* Prints what an option asks for. */
static _Noreturn void answer(const command *c, const option_row *o, void *config)
{
    ap_error err;
    if (!o->call(config, NULL, &err)) {
        complain(c, "%s", err.message);
        exit(err.code);
    }
    finish_answer(c);
}

/* The field is an enum, or an int: of the same size, but another type. */
static void put_choice(void *field, int value)
{
    _Static_assert(sizeof(option_type) == sizeof value, "enums are as large as int");
    memcpy(field, &value, sizeof value);
}

static int get_choice(const void *field)
{
    int value;
    memcpy(&value, field, sizeof value);
    return value;
}

static void set_option(const command *c, const option_row *o, void *config, const char *text)
{
    void *field = (char *)config + o->offset;
    ap_error err;
    switch (o->type) {
    case OPTION_END:
        break;
    case OPTION_ON:
    case OPTION_OFF:
        *(bool *)field = o->type == OPTION_ON;
        break;
    case OPTION_NUMBER:
    case OPTION_TIME:
        *(double *)field = number_of(c, o, text);
        break;
    case OPTION_COUNT:
        *(unsigned *)field = (unsigned)number_of(c, o, text);
        break;
    case OPTION_SEED:
        if (!parse_seed(text, field))
            usage_error(c, "--%s '%s' is not a whole number from 0 to 2^64-1", o->name, text);
        break;
    case OPTION_TEXT:
    case OPTION_FILE:
        *(const char **)field = text;
        break;
    case OPTION_CHOICE:
        put_choice(field, find_choice(c, o, text));
        break;
    case OPTION_CALL:
        if (!o->call(config, text, &err))
            usage_error(c, "--%s: %s", o->name, err.message);
        break;
    case OPTION_ANSWER:
        answer(c, o, config);
    }
}

/* ---- help */

static int print_default(const option_row *o, const void *config)
{
    const void *field = (const char *)config + o->offset;
    const choice *one = o->choices;
    switch (o->type) {
    case OPTION_NUMBER:
    case OPTION_TIME:
        return printf("default %g", *(const double *)field);
    case OPTION_COUNT:
        return printf("default %u", *(const unsigned *)field);
    case OPTION_CHOICE:
        while (one->name && one->value != get_choice(field))
            one++;
        return printf("default %s", one->name ? one->name : "");
    default:
        return 0;
    }
}

static bool has_range(const option_row *o)
{
    return o->type == OPTION_NUMBER || o->type == OPTION_COUNT || (o->type == OPTION_TIME && o->hi < 1e9);
}

static void print_row(const option_row *o, const void *config)
{
    char left[300], list[256];
    const char *argument = o->type == OPTION_CHOICE ? list_choices(o, list) : o->unit;
    int width = snprintf(left, sizeof left, "  %c%c%c --%s%s%s", o->letter ? '-' : ' ',
                         o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name,
                         takes_argument(o) ? "=" : "", takes_argument(o) ? argument : "");
    if (width < HELP_COLUMN - 1)
        printf("%-*s%s", HELP_COLUMN, left, o->help);
    else
        printf("%s\n%*s%s", left, HELP_COLUMN, "", o->help);
    bool shows_default =
        !o->no_default && (has_range(o) || o->type == OPTION_CHOICE || o->type == OPTION_TIME);
    if (has_range(o))
        printf(" (%g to %g%s", o->lo, o->hi, shows_default ? ", " : ")");
    else if (shows_default)
        printf(" (");
    if (shows_default) {
        print_default(o, config);
        printf(")");
    }
    printf("\n");
}

static void print_help(const command *c, const row_list *list)
{
    printf("Usage: %s [OPTION]... %s\n%s\n\n", c->name, c->arguments, c->summary);
    for (int i = 0; i < list->count; i++)
        print_row(&list->rows[i], list->configs[i]);
    printf("\nThe manual: man %.*s. The tour: man audiopipe.\n", (int)strcspn(c->name, " "), c->name);
    finish_answer(c);
}

static void print_version(const command *c)
{
    printf("%s (audiopipe) " AP_VERSION "\n", c->name);
    finish_answer(c);
}

/* ---- parsing */

static bool has_name(const row_list *list, const char *name)
{
    int i = 0;
    while (i < list->count && strcmp(list->rows[i].name, name) != 0)
        i++;
    return i < list->count;
}

static bool has_letter(const row_list *list, char letter)
{
    int i = 0;
    while (i < list->count && list->rows[i].letter != letter)
        i++;
    return i < list->count;
}

/* A name that is there already is left out, a letter too. */
static void add_rows(row_list *list, const option_group *group)
{
    for (const option_row *o = group->rows; o->type != OPTION_END && list->count < MAX_OPTIONS; o++) {
        if (has_name(list, o->name))
            continue;
        list->rows[list->count] = *o;
        if (has_letter(list, o->letter))
            list->rows[list->count].letter = 0;
        list->configs[list->count++] = group->config;
    }
}

/* getopt's two forms of the table. */
static void make_getopt(const row_list *list, struct option *longs, char *shorts)
{
    *shorts++ = ':'; /* a missing argument is reported as such */
    for (int i = 0; i < list->count; i++) {
        const option_row *o = &list->rows[i];
        longs[i] = (struct option){o->name, takes_argument(o) ? required_argument : no_argument, NULL,
                                   FIRST_CODE + i};
        if (o->letter)
            *shorts++ = o->letter;
        if (o->letter && takes_argument(o))
            *shorts++ = ':';
    }
    longs[list->count] = (struct option){0};
    *shorts = 0;
}

static int row_of_code(const row_list *list, int code)
{
    if (code >= FIRST_CODE)
        return code - FIRST_CODE;
    int i = 0;
    while (list->rows[i].letter != code)
        i++;
    return i;
}

/* Dies if argument, an option that getopt does not take, is the beginning of several. */
static void report_ambiguous(const command *c, const row_list *list, const char *argument)
{
    size_t length = strcspn(argument + 2, "=");
    char names[512] = "";
    int found = 0;
    for (int i = 0; i < list->count; i++)
        if (strncmp(list->rows[i].name, argument + 2, length) == 0) {
            size_t used = strlen(names);
            snprintf(names + used, sizeof names - used, "%s--%s", found++ ? " " : "", list->rows[i].name);
        }
    if (found > 1)
        usage_error(c, "option '%.*s' is ambiguous: %s", (int)length + 2, argument, names);
}

/* Dies if argument, --name or -name as other programs have it, looks like one of the options. */
static void suggest(const command *c, const row_list *list, const char *argument)
{
    const char *names[MAX_OPTIONS];
    for (int i = 0; i < list->count; i++)
        names[i] = list->rows[i].name;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "="), argument);
    const char *guess = guess_name(name + strspn(name, "-"), names, (size_t)list->count);
    if (guess)
        usage_error(c, "unknown option '%s': did you mean '--%s'?", argument, guess);
}

/* The same for the word of the command line that is -name, in which getopt has found this letter. */
static void suggest_for_letter(const command *c, const row_list *list, char **argv, int letter)
{
    for (int i = 1; i <= optind && argv[i]; i++)
        if (argv[i][0] == '-' && argv[i][1] != '-' && strlen(argv[i]) > 3 && strchr(argv[i], letter))
            suggest(c, list, argv[i]);
}

static _Noreturn void report_bad_option(const command *c, const row_list *list, int code, char **argv)
{
    /* optopt is 0 for an unknown or ambiguous long option, the code or letter otherwise */
    if (optopt && optopt < FIRST_CODE && code == '?')
        suggest_for_letter(c, list, argv, optopt);
    if (optopt && optopt < FIRST_CODE)
        usage_error(c, code == ':' ? "option '-%c' needs an argument" : "unknown option '-%c'", optopt);
    if (!optopt) {
        report_ambiguous(c, list, argv[optind - 1]);
        suggest(c, list, argv[optind - 1]);
    }
    usage_error(c,
                code == ':' ? "option '%s' needs an argument"
                : optopt    ? "option '%s' takes no argument"
                            : "unknown option '%s'",
                argv[optind - 1]);
}

int parse_options(const command *c, const option_group groups[OPTION_GROUPS], int argc, char **argv)
{
    row_list list = {.count = 0};
    struct option longs[MAX_OPTIONS + 1];
    char shorts[2 * MAX_OPTIONS + 2];
    for (int g = 0; g < OPTION_GROUPS && groups[g].rows; g++)
        add_rows(&list, &groups[g]);
    bool scratch;
    add_rows(&list, &(option_group){standard_rows, &scratch});
    make_getopt(&list, longs, shorts);
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (code == '?' || code == ':')
            report_bad_option(c, &list, code, argv);
        const int row = row_of_code(&list, code);
        const option_row *o = &list.rows[row];
        if (list.configs[row] == &scratch && strcmp(o->name, "help") == 0)
            print_help(c, &list);
        if (list.configs[row] == &scratch)
            print_version(c);
        set_option(c, o, list.configs[row], optarg);
    }
    return optind;
}
