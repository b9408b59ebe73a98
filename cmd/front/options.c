/* SPDX-License-Identifier: GPL-3.0-or-later
 * options.c - command line options from a table. */
#include "front/options.h"
#include "base/error.h"
#include "base/text.h"
#include "front/guess.h"
#include "front/progress.h"
#include "front/settings.h"
#include "front/values.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <time.h>

#define MAX_OPTIONS 96
#define FIRST_CODE 1000 /* getopt's value of option number 0, beyond any letter */
#define HELP_COLUMN 28

/* Options of every command. */
typedef struct standard_config {
    bool help, version, verbose;
    const char *settings;
} standard_config;

#define AT(field) offsetof(standard_config, field)

static const option_row standard_rows[] = {
    ROW_FILE(0, "config", "FILE", AT(settings), "settings, instead of those in ~/.config/audiopipe/config"),
    ROW_ON('v', "verbose", AT(verbose), "say what is done: settings, formats, times", .no_default = true),
    ROW_ON('h', "help", AT(help), "print this help", .no_default = true),
    ROW_ON(0, "version", AT(version), "print the version", .no_default = true),
    {0},
};

/* All rows of all groups, in order. */
typedef struct row_list {
    option_row rows[MAX_OPTIONS];
    void *configs[MAX_OPTIONS];
    bool given[MAX_OPTIONS]; /* by the user, not the default */
    int count;
} row_list;

/* ---- standard output */

static bool fail_stdout(int number, ap_error *err)
{
    return ap_fail_errno(err, number, "cannot write 'standard output'");
}

bool flush_stdout(ap_error *err)
{
    const int before = errno; /* stdio drops what it could not write, and forgets why */
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    return fail_stdout(errno ? errno : before == ENOSPC || before == EDQUOT ? before : EIO, err);
}

bool finish_stdout(ap_error *err)
{
    /* a network file system may fail late */
    return flush_stdout(err) && (fclose(stdout) == 0 || fail_stdout(errno, err));
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
        while (one->name && one->value != choice_at(field))
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

/* Dies if argument, which getopt does not take, abbreviates several options. */
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

/* The same for the word -name of the command line in which getopt found this letter. */
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

/* ---- settings */

static bool is_flag(const option_row *o)
{
    return o->type == OPTION_ON || o->type == OPTION_OFF;
}

static void set_flag(const row_list *list, int row, bool on)
{
    bool *field = (bool *)(void *)((char *)list->configs[row] + list->rows[row].offset);
    *field = on == (list->rows[row].type == OPTION_ON);
}

static int find_row(const row_list *list, const char *name)
{
    int i = 0;
    while (i < list->count && strcmp(list->rows[i].name, name) != 0)
        i++;
    return i;
}

/* Whether a command has this option, though not all do. */
static bool is_common(const char *name)
{
    const option_row *const tables[] = {common_rows, input_rows, output_rows, many_rows, standard_rows};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const option_row *o = tables[i]; o->type != OPTION_END; o++)
            if (strcmp(o->name, name) == 0)
                return true;
    return false;
}

/* Whether a flag is set by such a value. */
static bool is_yes(const command *c, const char *name, const char *value)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "1", "0"};
    for (size_t i = 0; value && i < sizeof words / sizeof *words; i++)
        if (strcasecmp(value, words[i]) == 0)
            return i % 2 == 0;
    if (value)
        usage_error(c, "--%s '%s' is neither yes nor no", name, value);
    return true;
}

/* What makes no sense but on the command line. */
static bool is_for_now(const char *name)
{
    return strcmp(name, "help") == 0 || strcmp(name, "version") == 0 || strcmp(name, "config") == 0;
}

typedef struct application {
    const command *command;
    row_list *list;
} application;

static void apply(const application *a, const setting *s, bool common)
{
    const command *c = a->command;
    const int row = find_row(a->list, s->key);
    const option_row *o = row < a->list->count ? &a->list->rows[row] : NULL;
    if (!o && common && is_common(s->key))
        return;
    if (!o || (common && !is_common(s->key)))
        usage_error(c, common ? "'%s' is no option that commands share" : "unknown option '%s'", s->key);
    else if (o->type == OPTION_ANSWER || is_for_now(s->key))
        usage_error(c, "'%s' is for the command line only", s->key);
    else if (is_flag(o))
        set_flag(a->list, row, is_yes(c, s->key, s->value));
    else if (!s->value)
        usage_error(c, "'%s' needs a value", s->key);
    else
        set_option(c, o, a->list->configs[row], s->value);
    if (o)
        a->list->given[row] = true;
}

static void take_setting(void *user, const setting *s)
{
    const application *a = user;
    const bool common = strcmp(s->section, "common") == 0;
    if (!common && strcmp(s->section, a->command->name) != 0)
        return;
    complain_within(s->file, s->line);
    apply(a, s, common);
    complain_within(NULL, 0);
}

/* ap-separate has another --config of its own, the description of a model. */
static bool names_settings(const option_row *o, const char *value)
{
    const char *dot = value ? strrchr(value, '.') : NULL;
    const bool yaml = dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
    return strcmp(o->name, "config") == 0 && (o->offset == AT(settings) || !yaml);
}

/* The file that the command line names; NULL: none. Mistakes are found later. */
static const char *find_settings(const row_list *list, const struct option *longs, const char *shorts,
                                 int argc, char **argv)
{
    const char *found = NULL;
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1;)
        if (code != '?' && code != ':' && names_settings(&list->rows[row_of_code(list, code)], optarg))
            found = optarg;
    optind = 0; /* glibc: parse from the start */
    return found;
}

/* Takes back a flag of the settings: --no-NAME, and --NAME for one that is called no-NAME. Only whole names,
 * so that abbreviations stay what they are. */
static bool take_back(const row_list *list, const char *word)
{
    for (int i = 0; i < list->count; i++) {
        const char *name = list->rows[i].name;
        const bool negative = strncmp(name, "no-", 3) == 0;
        if (!is_flag(&list->rows[i]) || is_for_now(name) || strncmp(word, "--", 2) != 0)
            continue;
        if (negative ? strcmp(word + 2, name + 3) != 0
                     : strncmp(word + 2, "no-", 3) != 0 || strcmp(word + 5, name) != 0)
            continue;
        set_flag(list, i, false);
        return true;
    }
    return false;
}

/* Those of the file that the command line names, or of the user's. */
static const char *apply_settings(const command *c, row_list *list, const char *named)
{
    ap_error err;
    application a = {c, list};
    char *usual = named ? NULL : settings_usual_file();
    const char *file = named ? named : usual;
    if (file && !settings_read(file, take_setting, &a, &err))
        usage_error(c, "%s", err.message);
    return file;
}

/* ---- --verbose */

static struct timespec started;

/* Of this process or of those that worked for it and have ended. */
static double processor_s(int whose)
{
    struct rusage used = {0};
    getrusage(whose, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

static void say_times(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double took =
        (double)(now.tv_sec - started.tv_sec) + (double)(now.tv_nsec - started.tv_nsec) * 1e-9;
    remark("took %.2f s, %.2f s of a processor", took,
           processor_s(RUSAGE_SELF) + processor_s(RUSAGE_CHILDREN));
}

/* Which of the clones of AP_HOT loops run here. */
static const char *kernels(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        return "AVX2";
#endif
    return "any processor";
}

static void say_value(const option_row *o, const void *config, bool given)
{
    const bool means_something = given || !o->no_default;
    const void *field = (const char *)config + o->offset;
    const char *text = o->type == OPTION_TEXT || o->type == OPTION_FILE ? *(const char *const *)field : NULL;
    const choice *one = o->choices;
    if ((o->type == OPTION_NUMBER || o->type == OPTION_TIME) && isfinite(*(const double *)field) &&
        means_something)
        remark("--%s=%g", o->name, *(const double *)field);
    else if (o->type == OPTION_COUNT && means_something)
        remark("--%s=%u", o->name, *(const unsigned *)field);
    else if (text)
        remark("--%s='%s'", o->name, text);
    while (o->type == OPTION_CHOICE && one->name && one->value != choice_at(field))
        one++;
    if (o->type == OPTION_CHOICE && one->name && means_something)
        remark("--%s=%s", o->name, one->name);
    if (is_flag(o) && *(const bool *)field == (o->type == OPTION_ON))
        remark("--%s", o->name);
}

/* What is chosen, and at the end how long it took. */
static void start_talking(const command *c, const row_list *list, const char *file)
{
    static char name[64]; /* the command may be gone when the program ends */
    static const command self = {.name = name};
    snprintf(name, sizeof name, "%s", c->name);
    remark_as(&self);
    clock_gettime(CLOCK_MONOTONIC, &started);
    atexit(say_times);
    remark("%s (audiopipe) " AP_VERSION ", kernels for %s", c->name, kernels());
    if (file)
        remark("settings of '%s'", file);
    for (int i = 0; i < list->count; i++)
        say_value(&list->rows[i], list->configs[i], list->given[i]);
}
int parse_options(const command *c, const option_group groups[OPTION_GROUPS], int argc, char **argv)
{
    row_list list = {.count = 0};
    struct option longs[MAX_OPTIONS + 1];
    char shorts[2 * MAX_OPTIONS + 2];
    for (int g = 0; g < OPTION_GROUPS && groups[g].rows; g++)
        add_rows(&list, &groups[g]);
    standard_config standard = {0};
    add_rows(&list, &(option_group){standard_rows, &standard});
    make_getopt(&list, longs, shorts);
    const char *file = apply_settings(c, &list, find_settings(&list, longs, shorts, argc, argv));
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (code == '?' && !optopt && take_back(&list, argv[optind - 1]))
            continue;
        if (code == '?' || code == ':')
            report_bad_option(c, &list, code, argv);
        const int row = row_of_code(&list, code);
        if (list.rows[row].type == OPTION_ANSWER)
            answer(c, &list.rows[row], list.configs[row]);
        if (!names_settings(&list.rows[row], optarg))
            set_option(c, &list.rows[row], list.configs[row], optarg);
        list.given[row] = true;
        if (standard.help)
            print_help(c, &list);
        if (standard.version)
            print_version(c);
    }
    if (standard.verbose)
        start_talking(c, &list, file);
    return optind;
}
