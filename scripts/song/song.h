/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the songs share: song.c (who plays what, and main), midi.c (scores), voice.c (the
 * singer), desk.c (effects and levels), files.c, tables.h and cases.h (the music itself). */
#ifndef SONG_H
#define SONG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { RATE = 44100 };
enum { STEPS = 16 /* in a bar */, TICKS = 120 /* in a step */ };

static const double tau = 6.283185307179586;

/* One sung note. Times are seconds, key is a MIDI key number (60 is middle C). */
struct sung {
    double start_s, end_s;
    int key;
    char syllable[12]; /* phones of voice.c, "-" goes on with the last vowel; "" is a vowel "u" */
};

struct singer {
    double tract;         /* formants, relative to a tenor's */
    double effort;        /* 0 breathy to 1 belted: brightness and breath noise */
    double vibrato_cents; /* half of the swing, once the vibrato has grown in */
    double cents, late_s; /* how far this take is off the written note */
    double timing_s;      /* spread of each note's start */
    uint32_t seed;
};

/* -- files.c */

/* Prints a message, and ends the program. */
_Noreturn void die(const char *format, ...);
/* Zeroed memory; the program ends where there is none. */
void *grab(size_t count, size_t size);
/* The file FOLDER/NAME.ENDING; the program ends where it cannot be opened, or not be written. */
FILE *open_file(const char *folder, const char *name, const char *ending, const char *mode);
void close_file(FILE *file, const char *name);
void put(FILE *file, uint32_t value, int bytes, int big_endian);
/* Stereo floats as a synthesizer left them, at least half as many frames as that; zeros follow. */
float *read_raw(const char *folder, const char *name, size_t frames);
void write_wav(const char *folder, const char *name, const float *stereo, size_t frames,
               const char *const tags[][2], size_t tag_count);

/* -- midi.c */

struct event {
    uint32_t tick, order;
    uint8_t bytes[3], size;
};

struct score {
    struct event *events;
    size_t count, room;
    uint32_t seed;
    const struct song *song;
};

void add_event(struct score *score, double tick, int status, int first, int second);
/* A file of what was added, as long as end_tick. */
void write_midi(struct score *score, double bpm, double end_tick, const char *folder, const char *name);

/* -- voice.c */

/* Adds the line to `frames` mono samples; vowels come out at an RMS of roughly 0.1. */
void sing(float *mono, size_t frames, const struct sung *notes, size_t count, const struct singer *who);

/* -- desk.c */

/* How a stem stands in the room, in the order of enum stem (song.c). Levels are dB relative to the vocals. */
struct place {
    double level_db, pan; /* pan: -1 left to 1 right; used for the vocals only */
    double early_db, wet_db, decay_s, pre_delay_ms;
    double ratio; /* of the compressor */
    double low_cut_hz, bright_db;
};

enum { DRY = -100 /* dB: no reverb */ };

double gain_of(double db);
void scale(float *stereo, size_t frames, double gain);

/* Processes a stem in place, and brings its level, while it plays, to level_db above an RMS of 1. */
void place_stem(float *stereo, size_t frames, const struct place *place);

/* The peak of the wave between the samples, as ITU-R BS.1770-4 annex 2 asks: four times oversampled. */
double true_peak(const float *stereo, size_t frames);

/* Uniform in -1..1 (xorshift32, Marsaglia 2003), so that a song has the same bytes on each run. */
static inline double dice(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return (double)*seed / 2147483648.0 - 1.0;
}

#endif
