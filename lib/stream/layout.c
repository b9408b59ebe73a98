/* SPDX-License-Identifier: GPL-3.0-or-later
 * layout.c - names of channel layouts. */
#include "stream/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_SPEAKERS 0x3ffffu /* WAVEFORMATEXTENSIBLE has 18 */

/* The names of FFmpeg, libavutil/channel_layout.c. */
static const struct {
    const char *name;
    uint32_t mask;
} layouts[] = {
    {"mono", 0x4},
    {"stereo", 0x3},
    {"2.1", 0xb},
    {"3.0", 0x7},
    {"3.0(back)", 0x103},
    {"4.0", 0x107},
    {"quad", 0x33},
    {"quad(side)", 0x603},
    {"3.1", 0xf},
    {"5.0", 0x37},
    {"5.0(side)", 0x607},
    {"4.1", 0x10f},
    {"5.1", 0x3f},
    {"5.1(side)", 0x60f},
    {"6.0", 0x707},
    {"6.0(front)", 0x6c3},
    {"hexagonal", 0x137},
    {"6.1", 0x70f},
    {"6.1(back)", 0x13f},
    {"6.1(front)", 0x6cb},
    {"7.0", 0x637},
    {"7.0(front)", 0x6c7},
    {"7.1", 0x63f},
    {"7.1(wide)", 0xff},
    {"7.1(wide-side)", 0x6cf},
    {"octagonal", 0x737},
    {"discrete", AP_DISCRETE},
};

/* The bits of WAVEFORMATEXTENSIBLE, from the lowest. */
static const char *const speakers[] = {"FL", "FR", "FC", "LFE", "BL",  "BR",  "FLC", "FRC", "BC",
                                       "SL", "SR", "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR"};

static uint32_t speaker_named(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof speakers / sizeof *speakers; i++)
        if (strlen(speakers[i]) == length && memcmp(speakers[i], name, length) == 0)
            return UINT32_C(1) << i;
    return 0;
}

/* "FL+FR+LFE": in the order of the bits, because that is the order of the channels. */
static uint32_t mask_of_list(const char *list)
{
    uint32_t mask = 0;
    for (;;) {
        size_t length = strcspn(list, "+");
        uint32_t speaker = speaker_named(list, length);
        if (speaker == 0 || mask >= speaker)
            return 0;
        mask |= speaker;
        if (list[length] == 0)
            return mask;
        list += length + 1;
    }
}

uint32_t ap_layout_mask(const char *name)
{
    char *end;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (strcmp(layouts[i].name, name) == 0)
            return layouts[i].mask;
    if (strncmp(name, "0x", 2) != 0)
        return mask_of_list(name);
    unsigned long mask = strtoul(name, &end, 16);
    return *end || mask > ALL_SPEAKERS ? 0 : (uint32_t)mask;
}

bool ap_has_places(const ap_format *format)
{
    return format->mask != AP_DISCRETE && (uint32_t)__builtin_popcount(format->mask) == format->channels;
}

const char *ap_layout_list(uint32_t mask, char *to, size_t size)
{
    snprintf(to, size, "0x%x", mask);
    size_t n = 0;
    for (size_t i = 0; i < sizeof speakers / sizeof *speakers && mask <= ALL_SPEAKERS; i++)
        if (mask >> i & 1 && n < size)
            n += (size_t)snprintf(to + n, size - n, n ? "+%s" : "%s", speakers[i]);
    return to;
}

const char *ap_layout_name(uint32_t mask, char *to, size_t size)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (layouts[i].mask == mask)
            return layouts[i].name;
    return ap_layout_list(mask, to, size);
}

uint32_t ap_speaker_mirror(uint32_t speaker)
{
    static const uint32_t pairs[][2] = {
        {AP_FRONT_LEFT, AP_FRONT_RIGHT},
        {AP_BACK_LEFT, AP_BACK_RIGHT},
        {AP_FRONT_LEFT_OF_CENTER, AP_FRONT_RIGHT_OF_CENTER},
        {AP_SIDE_LEFT, AP_SIDE_RIGHT},
        {0x1000, 0x4000},  /* top front */
        {0x8000, 0x20000}, /* top back */
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        for (int side = 0; side < 2; side++)
            if (speaker == pairs[i][side])
                return pairs[i][!side];
    return speaker;
}

uint32_t ap_back_mask(uint32_t mask)
{
    uint32_t back = AP_BACK_LEFT | AP_BACK_RIGHT, side = AP_SIDE_LEFT | AP_SIDE_RIGHT;
    uint32_t between = (AP_SIDE_LEFT - 1) & ~(AP_BACK_LEFT - 1);
    return (mask & side) == side && !(mask & between) ? (mask & ~side) | back : mask;
}

bool ap_same_speakers(const ap_format *a, const ap_format *b)
{
    return a->channels == b->channels && ap_back_mask(a->mask) == ap_back_mask(b->mask);
}

uint32_t ap_speaker_channel(uint32_t mask, uint32_t speaker)
{
    return (uint32_t)__builtin_popcount(mask & (speaker - 1));
}
