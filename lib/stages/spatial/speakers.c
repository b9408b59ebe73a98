/* SPDX-License-Identifier: GPL-3.0-or-later
 * speakers.c - the virtual speakers: which channel stands where. */
#include "stages/spatial/speakers.h"
#include "base/error.h"
#include "stream/stream.h"

#include <math.h>

typedef struct place {
    uint32_t bit;
    double degrees; /* counter-clockwise */
} place;

/* ITU-R BS.775-3 (5.1: surrounds at 110 degrees) and BS.2051 (7.1). The front pair is at half of the width.
 */
static const place places[] = {
    {AP_FRONT_LEFT, 30},           {AP_FRONT_RIGHT, -30},
    {AP_FRONT_CENTER, 0},          {AP_LOW_FREQUENCY, 0},
    {AP_BACK_LEFT, 150},           {AP_BACK_RIGHT, -150},
    {AP_FRONT_LEFT_OF_CENTER, 15}, {AP_FRONT_RIGHT_OF_CENTER, -15},
    {AP_BACK_CENTER, 180},         {AP_SIDE_LEFT, 90},
    {AP_SIDE_RIGHT, -90},
};
#define SIDES (AP_SIDE_LEFT | AP_SIDE_RIGHT)
#define BACKS (AP_BACK_LEFT | AP_BACK_RIGHT)
#define FRONTS (AP_FRONT_LEFT | AP_FRONT_RIGHT | AP_FRONT_LEFT_OF_CENTER | AP_FRONT_RIGHT_OF_CENTER)
#define SURROUND_DEGREES 110

static double degrees_of(const place *p, uint32_t mask, double width_deg)
{
    if (p->bit & FRONTS)
        return p->degrees * width_deg / 60;
    bool both = (mask & SIDES) && (mask & BACKS);
    return (p->bit & (SIDES | BACKS)) && !both ? copysign(SURROUND_DEGREES, p->degrees) : p->degrees;
}

static void set_place(ap_speakers *s, const place *p, uint32_t mask, double width_deg)
{
    size_t c = ap_speaker_channel(mask, p->bit);
    uint32_t mirror = ap_speaker_mirror(p->bit);
    s->angle[c] = degrees_of(p, mask, width_deg) * M_PI / 180;
    s->mirror[c] = mask & mirror ? ap_speaker_channel(mask, mirror) : c;
    s->turns[c] = p->bit != AP_LOW_FREQUENCY;
    bool centre = mirror == p->bit;
    s->bass[c][0] = centre ? (float)M_SQRT1_2 : p->degrees > 0;
    s->bass[c][1] = centre ? (float)M_SQRT1_2 : p->degrees < 0;
}

bool ap_speakers_place(ap_speakers *s, const ap_format *format, double width_deg, ap_error *err)
{
    uint32_t known = 0;
    *s = (ap_speakers){.count = format->channels};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        known |= places[i].bit;
    if ((format->mask & ~known) || (uint32_t)__builtin_popcount(format->mask) != format->channels)
        return ap_fail(err, AP_FAILED, "cannot place %u channels with mask 0x%x around the listener",
                       format->channels, format->mask);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (format->mask & places[i].bit)
            set_place(s, &places[i], format->mask, width_deg);
    return true;
}
