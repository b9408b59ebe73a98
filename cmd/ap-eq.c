/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-eq - equaliser. */
#include "base/error.h"
#include "front/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_Q 0.70710678118654752 /* Butterworth */

typedef struct config {
    ap_eq_options eq;
    ap_eq_band bands[AP_MAX_EQ_BANDS];
} config;

static const struct {
    const char *name;
    ap_eq_type type;
    bool has_gain;
} types[] = {{"peak", AP_EQ_PEAKING, true},        {"highpass", AP_EQ_HIGH_PASS, false},
             {"lowpass", AP_EQ_LOW_PASS, false},   {"bandpass", AP_EQ_BAND_PASS, false},
             {"notch", AP_EQ_NOTCH, false},        {"lowshelf", AP_EQ_LOW_SHELF, true},
             {"highshelf", AP_EQ_HIGH_SHELF, true}};

/* A number and what may follow it, such as Hz or dB. */
static bool number(const char *text, double *value, const char *unit)
{
    char *end;
    *value = strtod(text, &end);
    if (unit[0] == 'H' && strncasecmp(end, "k", 1) == 0) {
        *value *= 1000;
        end++;
    }
    return end != text && (*end == 0 || strcasecmp(end, unit) == 0);
}

static bool find_type(ap_eq_band *band, const char *name, bool *has_gain)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0) {
            band->type = types[i].type;
            *has_gain = types[i].has_gain;
            return true;
        }
    return false;
}

/* q=2, octaves=1 or slope=0.5. */
static bool set_width(ap_eq_band *band, const char *field)
{
    static const char *const units[] = {"q=", "octaves=", "slope="};
    for (int i = 0; i < 3; i++)
        if (strncmp(field, units[i], strlen(units[i])) == 0) {
            band->width_unit = (ap_eq_width)i;
            return number(field + strlen(units[i]), &band->width, "");
        }
    return false;
}

/* TYPE:FREQUENCY[:GAIN][:WIDTH] */
static bool parse_band(ap_eq_band *band, char *text, ap_error *err)
{
    bool has_gain;
    const char *type = strsep(&text, ":"), *frequency = text ? strsep(&text, ":") : "";
    *band = (ap_eq_band){.width_unit = AP_EQ_Q, .width = USUAL_Q};
    if (!find_type(band, type, &has_gain))
        return ap_fail(err, AP_USAGE,
                       "'%.200s' is none of peak, highpass, lowpass, bandpass, notch, lowshelf, highshelf",
                       type);
    if (!number(frequency, &band->frequency_hz, "Hz"))
        return ap_fail(err, AP_USAGE, "'%.200s' is not a frequency", frequency);
    if (has_gain) {
        const char *gain = text ? strsep(&text, ":") : "";
        if (!number(gain, &band->gain_db, "dB"))
            return ap_fail(err, AP_USAGE, "'%.200s' is not a gain in dB", gain);
    }
    const char *width = text ? strsep(&text, ":") : NULL;
    if (width && !set_width(band, width))
        return ap_fail(err, AP_USAGE, "'%.200s' is not a width: q=NUMBER, octaves=NUMBER or slope=NUMBER",
                       width);
    return !text || ap_fail(err, AP_USAGE, "'%.200s' is more than a band has", text);
}

static bool add_band(void *user, const char *argument, ap_error *err)
{
    config *c = user;
    char text[256];
    if (c->eq.count == AP_MAX_EQ_BANDS)
        return ap_fail(err, AP_USAGE, "'%.200s' is one band too many", argument);
    if (snprintf(text, sizeof text, "%s", argument) >= (int)sizeof text)
        return ap_fail(err, AP_USAGE, "'%.200s' is too long", argument);
    return parse_band(&c->bands[c->eq.count++], text, err);
}

static const option_row rows[] = {
    ROW_CALL(0, "band", "TYPE:HZ[:DB][:WIDTH]", add_band,
             "one filter, and one more each time: peak, lowshelf, highshelf with DB; highpass, lowpass, "
             "bandpass, notch; WIDTH is q=N, octaves=N or slope=N"),
    ROW_NUMBER('g', "gain", "DB", offsetof(config, eq.gain_db), -60, 60, "gain before the bands"),
    {0},
};

static ap_stream *build(ap_stream *s, const void *user, ap_error *err)
{
    const config *c = user;
    return ap_eq(s, &c->eq, err);
}

int main(int argc, char **argv)
{
    config c = {.eq.bands = c.bands};
    const filter f = {
        .command = {"ap-eq", "[INPUT]...", "Makes some frequencies louder and others softer."},
        .rows = rows,
        .config = &c,
        .build = build,
    };
    return filter_main(&f, argc, argv);
}
