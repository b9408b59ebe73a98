/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MIDI events, and a standard MIDI file of one track. */
#include "song.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void add_event(struct score *score, double tick, int status, int first, int second)
{
    if (score->count == score->room) {
        score->room = score->room * 2 + 256;
        score->events = realloc(score->events, score->room * sizeof *score->events);
        if (!score->events)
            die("out of memory");
    }
    struct event event = {(uint32_t)fmax(0, tick),
                          (uint32_t)score->count,
                          {(uint8_t)status, (uint8_t)first, (uint8_t)second},
                          (status & 0xf0) == 0xc0 ? 2 : 3};
    score->events[score->count++] = event;
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    int x_on = x->bytes[0] >= 0x90, y_on = y->bytes[0] >= 0x90;

    if (x->tick != y->tick)
        return x->tick < y->tick ? -1 : 1;
    return x_on != y_on ? x_on - y_on : x->order < y->order ? -1 : 1;
}

static void put_delta(FILE *file, uint32_t ticks)
{
    for (int shift = 21; shift > 0; shift -= 7)
        if (ticks >> shift)
            fputc((int)(ticks >> shift & 0x7f) | 0x80, file);
    fputc((int)(ticks & 0x7f), file);
}

static void put_track(FILE *file, struct score *score, double bpm, uint32_t end_tick)
{
    uint32_t now = 0;

    qsort(score->events, score->count, sizeof *score->events, by_time);
    put_delta(file, 0);
    put(file, 0xff5103, 3, 1);
    put(file, (uint32_t)(60e6 / bpm), 3, 1);
    for (size_t i = 0; i < score->count; i++) {
        put_delta(file, score->events[i].tick - now);
        fwrite(score->events[i].bytes, 1, score->events[i].size, file);
        now = score->events[i].tick;
    }
    put_delta(file, end_tick > now ? end_tick - now : 0);
    put(file, 0xff2f00, 3, 1);
}

/* Standard MIDI file 1.0, format 0: header chunk, then the track, whose length is filled in afterwards. */
void write_midi(struct score *score, double bpm, double end_tick, const char *folder, const char *name)
{
    FILE *file = open_file(folder, name, "mid", "wb");

    fwrite("MThd", 1, 4, file);
    put(file, 6, 4, 1);
    put(file, 0, 2, 1);
    put(file, 1, 2, 1);
    put(file, TICKS * 4, 2, 1);
    fwrite("MTrk", 1, 4, file);
    put(file, 0, 4, 1);
    long start = ftell(file);
    put_track(file, score, bpm, (uint32_t)end_tick);
    long end = ftell(file);
    fseek(file, start - 4, SEEK_SET);
    put(file, (uint32_t)(end - start), 4, 1);
    close_file(file, name);
}
