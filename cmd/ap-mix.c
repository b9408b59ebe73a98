/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-mix - the sum of several inputs. */
#include "base/error.h"
#include "front/filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MAX_GAIN_DB 120
#define MAX_DELAY_S 1e6

static const command mix = {"ap-mix", "INPUT[:GAINdB][:mute][:delay=SECONDS]...",
                            "Adds inputs up, or subtracts them from the first. A file whose whole name is "
                            "as given wins over settings."};

static const option_row rows[] = {
    ROW_ON('r', "remove", offsetof(ap_mix_options, remove), "the first input minus the others"),
    ROW_ON('s', "shortest", offsetof(ap_mix_options, shortest), "end with the shortest input"),
    ROW_ON('c', "convert", offsetof(ap_mix_options, convert),
           "convert all to the sample rate and channels of the first"),
    {0},
};

/* ---- FILE:SETTING... */

/* A number with one of the units; the rest of the text has to be just that. */
static bool parse_with_unit(const char *text, const char *unit, bool needs_unit, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && isfinite(*number) && (strcasecmp(end, unit) == 0 || (!needs_unit && *end == 0));
}

/* Applies a setting; false if it is none. Exits when it is out of range. */
static bool apply_setting(const char *text, ap_mix_input *input)
{
    double number;
    if (strcmp(text, "mute") == 0) {
        input->gain = 0;
    } else if (parse_with_unit(text, "dB", true, &number)) {
        if (fabs(number) > MAX_GAIN_DB)
            usage_error(&mix, "a gain of %s is out of range (%d to %d)", text, -MAX_GAIN_DB, MAX_GAIN_DB);
        input->gain *= pow(10, number / 20);
    } else if (strncmp(text, "delay=", 6) == 0 && parse_with_unit(text + 6, "s", false, &number)) {
        if (!(number >= 0 && number <= MAX_DELAY_S))
            usage_error(&mix, "%s is out of range (0 to %g)", text, MAX_DELAY_S);
        input->delay_s = number;
    } else {
        return false;
    }
    return true;
}

static bool is_there(const char *path)
{
    return strcmp(path, "-") == 0 || access(path, F_OK) == 0;
}

/* Cuts the settings off the end of a name, one by one, until there is a file of that name. */
static void parse_input(char *name, ap_mix_input *input)
{
    *input = (ap_mix_input){.gain = 1};
    for (char *colon; !is_there(name) && (colon = strrchr(name, ':'));) {
        *colon = 0;
        if (apply_setting(colon + 1, input))
            continue;
        if (is_there(name))
            usage_error(&mix, "'%s' of '%s' is no setting: GAINdB, mute, delay=SECONDS", colon + 1, name);
        *colon = ':'; /* part of the name of a file that is not there */
        return;
    }
}

/* ---- the mix */

static void add_hint(ap_error *err)
{
    size_t n = strlen(err->message);
    snprintf(err->message + n, sizeof err->message - n, " (try --convert)");
}

/* Takes the settings off the names; NULL if there is no memory. */
static ap_mix_input *parse_inputs(char **names, size_t count, ap_error *err)
{
    ap_mix_input *inputs = calloc(count, sizeof *inputs);
    if (!inputs)
        ap_fail_memory(err);
    for (size_t i = 0; inputs && i < count; i++)
        parse_input(names[i], &inputs[i]);
    return inputs;
}

static ap_stream *open_mix(const common_config *common, char **names, const ap_mix_input *inputs,
                           size_t count, const ap_mix_options *options, ap_error *err)
{
    ap_stream **streams = calloc(count, sizeof *streams), *s = NULL;
    bool ok = streams || ap_fail_memory(err);
    for (size_t i = 0; ok && i < count; i++)
        ok = (streams[i] = filter_open(common, names[i], NULL, err));
    if (streams)
        s = ap_mix(streams, inputs, count, options, err);
    if (ok && !s && !options->convert && err->code == AP_FAILED)
        add_hint(err); /* all were opened: the fault is that they differ */
    free(streams);
    return s;
}

static void check_inputs(char **names, size_t count)
{
    size_t standard = 0;
    if (count == 0)
        usage_error(&mix, "no input: name files, or '-' for standard input");
    for (size_t i = 0; i < count; i++)
        standard += strcmp(names[i], "-") == 0 || strncmp(names[i], "-:", 2) == 0;
    if (standard > 1)
        usage_error(&mix, "standard input can be used once only");
}

int main(int argc, char **argv)
{
    ap_mix_options options;
    ap_mix_defaults(&options);
    output_config out = {0};
    const option_group groups[OPTION_GROUPS] = {
        {rows, &options}, {output_rows, &out}, {common_rows, &out.common}, {input_rows, &out.common}};
    int operand = parse_options(&mix, groups, argc, argv);
    char **names = argv + operand;
    const size_t count = (size_t)(argc - operand);
    check_inputs(names, count);
    filter_start();
    output_check_terminal(&mix, out.path);
    ap_error err;
    made_folders made = {0};
    ap_mix_input *inputs = parse_inputs(names, count, &err);
    bool ok =
        inputs && target_check(out.path, &(sources){names, count, groups}, output_rule(&out), &err) &&
        target_make_folders(&made, out.path, &err) &&
        filter_write(&mix, open_mix(&out.common, names, inputs, count, &options, &err), &out, NULL, &err);
    target_end(&made, ok);
    free(inputs);
    return ok ? AP_OK : filter_fail(&mix, &err);
}
