/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-cat - inputs one after the other. */
#include "front/filter.h"

#include <string.h>
#include <sys/stat.h>

#define AT(field) offsetof(ap_cat_options, field)

static const choice curves[] = {{"linear", AP_CURVE_LINEAR},     {"quarter", AP_CURVE_QUARTER},
                                {"half", AP_CURVE_HALF},         {"log", AP_CURVE_LOG},
                                {"parabola", AP_CURVE_PARABOLA}, {0}};

static const option_row rows[] = {
    ROW_NUMBER('g', "gap", "SECONDS", AT(gap_s), 0, 3600, "silence between two inputs"),
    ROW_NUMBER('x', "crossfade", "SECONDS", AT(crossfade_s), 0, 600, "fade the end of each into the next"),
    ROW_CHOICE(0, "curve", curves, AT(curve), "shape of the crossfade"),
    ROW_ON('c', "convert", AT(convert), "convert all to the rate and the channels of the first"),
    {0},
};

typedef struct cat_inputs {
    const common_config *common;
    char *const *names;
} cat_inputs;

static ap_stream *open_input(void *user, size_t index, ap_error *err)
{
    const cat_inputs *in = user;
    return filter_open(in->common, in->names[index], NULL, err);
}

/* What can be opened twice. */
static bool is_file(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void check_inputs(const command *c, char **names, size_t count, ap_cat_options *o)
{
    size_t standard = 0;
    if (count == 0)
        usage_error(c, "no input: name files, or '-' for standard input");
    if (o->gap_s > 0 && o->crossfade_s > 0)
        usage_error(c, "--gap and --crossfade exclude each other");
    o->look_first = true;
    for (size_t i = 0; i < count; i++) {
        standard += is_standard(names[i]);
        o->look_first = o->look_first && is_file(names[i]);
    }
    if (standard > 1)
        usage_error(c, "standard input can be used once only");
}

int main(int argc, char **argv)
{
    static const command about = {"ap-cat", "INPUT...", "Joins inputs, one after the other."};
    ap_cat_options options;
    ap_cat_defaults(&options);
    output_config out = {0};
    const option_group groups[OPTION_GROUPS] = {
        {rows, &options}, {output_rows, &out}, {common_rows, &out.common}, {input_rows, &out.common}};
    int operand = parse_options(&about, groups, argc, argv);
    char **names = argv + operand;
    const size_t count = (size_t)(argc - operand);
    check_inputs(&about, names, count, &options);
    filter_start();
    output_check_terminal(&about, out.path);
    ap_error err;
    made_folders made = {0};
    cat_inputs in = {&out.common, names};
    bool ok = target_check(out.path, &(sources){names, count, groups}, output_rule(&out), &err) &&
              target_make_folders(&made, out.path, &err) &&
              filter_write(&about, ap_cat(open_input, &in, count, &options, &err), &out, NULL, &err);
    target_end(&made, ok);
    return ok ? AP_OK : filter_fail(&about, &err);
}
