/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A singer: glottal pulses and breath through a cascade of formant resonators (after Klatt, "Software for
 * a cascade/parallel formant synthesizer", JASA 67, 1980), with consonants, portamento and vibrato. */
#include "song.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FORMANTS = 6, MOVING = 3, SPAN = 32 /* frames between two settings of the resonators */ };

/* A phone of the lyrics. Formants in Hz for a man (Peterson and Barney 1952 for the vowels, Klatt 1980 for
 * the consonants); 0 takes those of the next phone. A row without a name is the second half of the row
 * above: the burst after a closure. The three levels are linear: 1 is a vowel's voice, or noise as strong. */
struct phone {
    char name;
    double formant_hz[MOVING];
    double voice, breath, hiss;
    double hiss_hz, hiss_q;
    double length_s; /* 0 for a vowel: as long as its note */
};

static const struct phone phones[] = {
    {'a', {700, 1150, 2450}, 1.0, 0, 0, 0, 0, 0},
    {'A', {650, 1650, 2400}, 1.0, 0, 0, 0, 0, 0},
    {'e', {530, 1800, 2480}, 1.0, 0, 0, 0, 0, 0},
    {'i', {300, 2250, 2950}, 1.0, 0, 0, 0, 0, 0},
    {'I', {400, 1950, 2550}, 1.0, 0, 0, 0, 0, 0},
    {'O', {580, 900, 2410}, 1.0, 0, 0, 0, 0, 0},
    {'o', {480, 850, 2400}, 1.0, 0, 0, 0, 0, 0},
    {'u', {320, 900, 2250}, 1.0, 0, 0, 0, 0, 0},
    {'U', {440, 1050, 2240}, 1.0, 0, 0, 0, 0, 0},
    {'V', {620, 1200, 2400}, 1.0, 0, 0, 0, 0, 0},
    {'@', {500, 1400, 2450}, 1.0, 0, 0, 0, 0, 0},
    {'E', {480, 1350, 1750}, 1.0, 0, 0, 0, 0, 0},
    {'m', {260, 1050, 2200}, 0.45, 0, 0, 0, 0, 0.070},
    {'n', {260, 1550, 2500}, 0.45, 0, 0, 0, 0, 0.065},
    {'N', {270, 2000, 2600}, 0.45, 0, 0, 0, 0, 0.070},
    {'l', {350, 1000, 2700}, 0.65, 0, 0, 0, 0, 0.065},
    {'r', {380, 1150, 1600}, 0.65, 0, 0, 0, 0, 0.065},
    {'w', {300, 650, 2250}, 0.60, 0, 0, 0, 0, 0.070},
    {'j', {270, 2250, 3000}, 0.60, 0, 0, 0, 0, 0.065},
    {'v', {280, 1100, 2250}, 0.35, 0, 0.05, 4500, 0.8, 0.060},
    {'z', {280, 1600, 2500}, 0.30, 0, 0.20, 6800, 1.6, 0.080},
    {'D', {280, 1350, 2500}, 0.40, 0, 0.05, 5000, 0.8, 0.050},
    {'s', {0, 0, 0}, 0, 0, 0.42, 6800, 1.8, 0.105},
    {'S', {0, 0, 0}, 0, 0, 0.42, 3300, 1.6, 0.105},
    {'f', {0, 0, 0}, 0, 0, 0.12, 4800, 0.7, 0.090},
    {'T', {0, 0, 0}, 0, 0, 0.12, 6000, 0.8, 0.080},
    {'h', {0, 0, 0}, 0, 0.60, 0, 0, 0, 0.070},
    {'p', {0, 0, 0}, 0, 0, 0, 900, 1, 0.050},
    {0, {0, 0, 0}, 0, 0.40, 0.25, 900, 1, 0.030},
    {'t', {0, 0, 0}, 0, 0, 0, 4800, 1.2, 0.045},
    {0, {0, 0, 0}, 0, 0.25, 0.55, 4800, 1.2, 0.035},
    {'k', {0, 0, 0}, 0, 0, 0, 1900, 2, 0.050},
    {0, {0, 0, 0}, 0, 0.35, 0.50, 1900, 2, 0.035},
    {'b', {250, 800, 2200}, 0.12, 0, 0, 800, 1, 0.045},
    {0, {0, 0, 0}, 0.4, 0.1, 0.20, 800, 1, 0.012},
    {'d', {250, 1700, 2600}, 0.12, 0, 0, 4200, 1.2, 0.040},
    {0, {0, 0, 0}, 0.4, 0.1, 0.30, 4200, 1.2, 0.014},
    {'g', {250, 1900, 2300}, 0.12, 0, 0, 1800, 2, 0.045},
    {0, {0, 0, 0}, 0.4, 0.1, 0.30, 1800, 2, 0.018},
};
enum { PHONES = sizeof phones / sizeof phones[0] };

static const struct phone silence = {0, {0, 0, 0}, 0, 0, 0, 0, 0, 0};
static const struct phone inhaling = {0, {560, 1500, 2500}, 0, 0.22, 0.03, 5000, 0.7, 0.28};

/* A piece of the timeline: this phone, from here on. */
struct piece {
    double start_s;
    struct phone phone; /* a copy, with the formants filled in */
    int key;
    int entry; /* 1 where a phrase begins, so that the pitch may scoop */
};

struct line {
    struct piece *pieces;
    size_t count;
};

/* A syllable, split into what comes before the beat, on it, and at the end of the note. */
struct syllable {
    const struct phone *onset[8], *vowel[3], *coda[8];
    size_t onsets, vowels, codas;
};

static const struct phone *find_phone(char name)
{
    for (size_t i = 0; i < PHONES; i++)
        if (phones[i].name == name)
            return &phones[i];
    return NULL;
}

static size_t push_phone(const struct phone **to, size_t count, size_t room, const struct phone *phone)
{
    if (count < room)
        to[count++] = phone;
    if (phone->length_s > 0 && phone + 1 < phones + PHONES && phone[1].name == 0 && count < room)
        to[count++] = phone + 1;
    return count;
}

static struct syllable split(const char *text, const struct phone *last_vowel)
{
    struct syllable s = {{0}, {0}, {0}, 0, 0, 0};

    for (; *text; text++) {
        const struct phone *phone = *text == '-' ? last_vowel : find_phone(*text);
        if (!phone)
            continue;
        if (phone->length_s <= 0)
            s.vowels = push_phone(s.vowel, s.vowels, 3, phone);
        else if (s.vowels == 0)
            s.onsets = push_phone(s.onset, s.onsets, 8, phone);
        else
            s.codas = push_phone(s.coda, s.codas, 8, phone);
    }
    if (s.vowels == 0)
        s.vowel[s.vowels++] = find_phone('u');
    return s;
}

static double length_of(const struct phone *const *list, size_t count)
{
    double length_s = 0;

    for (size_t i = 0; i < count; i++)
        length_s += list[i]->length_s;
    return length_s;
}

static void push(struct line *line, double start_s, const struct phone *phone, int key)
{
    line->pieces[line->count++] = (struct piece){start_s, *phone, key, 0};
}

/* Lays a list of consonants end to end; `stretch` squeezes them where a note is short. */
static void push_list(struct line *line, double start_s, const struct phone *const *list, size_t count,
                      double stretch, int key)
{
    for (size_t i = 0; i < count; i++) {
        push(line, start_s, list[i], key);
        start_s += list[i]->length_s * stretch;
    }
}

/* A vowel, or the two or three of a diphthong: the first is held, the others come near the end. */
static void push_vowels(struct line *line, double start_s, double end_s, const struct syllable *s, int key)
{
    double glide_s = fmin(0.16, (end_s - start_s) * 0.45);

    push(line, start_s, s->vowel[0], key);
    for (size_t i = 1; i < s->vowels; i++)
        push(line, end_s - glide_s * (double)(s->vowels - i), s->vowel[i], key);
}

/* When a note's first consonant starts: before the beat, but not before the middle of the last note. */
static double begin_of(const struct sung *notes, size_t i, const struct syllable *s)
{
    double earliest_s = i ? (notes[i - 1].start_s + notes[i - 1].end_s) / 2 : -1;
    double room_s = fmax(0.01, notes[i].start_s - earliest_s);

    return notes[i].start_s - fmin(length_of(s->onset, s->onsets), room_s);
}

static void push_note(struct line *line, const struct sung *note, const struct syllable *s, double begin_s,
                      double end_s)
{
    double onset_s = length_of(s->onset, s->onsets), coda_s = length_of(s->coda, s->codas);
    double coda_room_s = fmin(coda_s, (end_s - note->start_s) * 0.45);
    double coda_start_s = end_s - coda_room_s;

    if (onset_s > 0)
        push_list(line, begin_s, s->onset, s->onsets, (note->start_s - begin_s) / onset_s, note->key);
    push_vowels(line, note->start_s, coda_start_s, s, note->key);
    if (coda_s > 0)
        push_list(line, coda_start_s, s->coda, s->codas, coda_room_s / coda_s, note->key);
}

/* Phones without formants take them from the next that has some, silence from the one before. */
static void fill_formants(struct line *line)
{
    const double *next = phones[0].formant_hz;

    for (size_t i = line->count; i-- > 0;) {
        struct phone *phone = &line->pieces[i].phone;
        int rest = phone->voice <= 0 && phone->length_s <= 0;
        if (phone->formant_hz[0] > 0)
            next = phone->formant_hz;
        else if (!rest)
            memcpy(phone->formant_hz, next, sizeof phone->formant_hz);
    }
    for (size_t i = 1; i < line->count; i++) {
        struct phone *phone = &line->pieces[i].phone;
        if (phone->formant_hz[0] <= 0)
            memcpy(phone->formant_hz, line->pieces[i - 1].phone.formant_hz, sizeof phone->formant_hz);
    }
}

static void push_breath(struct line *line, double end_s, int key)
{
    push(line, end_s - inhaling.length_s - 0.05, &inhaling, key);
    push(line, end_s - 0.05, &silence, key);
}

/* Writes the timeline of one note and returns the vowel that it ends on. */
static const struct phone *lay_note(struct line *line, const struct sung *notes, size_t count, size_t i,
                                    const struct phone *vowel)
{
    struct syllable s = split(notes[i].syllable, vowel), next;
    double begin_s = begin_of(notes, i, &s), end_s = notes[i].end_s, next_s = end_s + 1;
    double pause_s = i ? begin_s - notes[i - 1].end_s : 1;

    if (pause_s > inhaling.length_s + 0.12)
        push_breath(line, begin_s, notes[i].key);
    if (i + 1 < count) {
        next = split(notes[i + 1].syllable, s.vowel[0]);
        next_s = begin_of(notes, i + 1, &next);
    }
    size_t first = line->count;
    int legato = next_s - end_s < 0.04;
    push_note(line, &notes[i], &s, begin_s, legato ? next_s : end_s);
    line->pieces[first].entry = pause_s > 0.15;
    if (!legato)
        push(line, end_s, &silence, notes[i].key);
    return s.vowel[0];
}

static struct line lay_out(const struct sung *notes, size_t count)
{
    /* a note lays at most 3 vowels, 8 consonants on each side, a breath and a silence */
    struct line line = {grab(count * 24 + 2, sizeof(struct piece)), 0};
    const struct phone *vowel = find_phone('u');

    push(&line, -1, &silence, 60);
    for (size_t i = 0; i < count; i++)
        vowel = lay_note(&line, notes, count, i, vowel);
    fill_formants(&line);
    return line;
}

/* Second-order filter y = a x + d x2 + b y1 + c y2: a resonator (d = 0) or a band-pass (d = -a). */
struct filter {
    double a, b, c, d;
    double x1, x2, y1, y2;
};

static double run(struct filter *f, double x)
{
    double y = f->a * x + f->d * f->x2 + f->b * f->y1 + f->c * f->y2;

    f->x2 = f->x1;
    f->x1 = x;
    f->y2 = f->y1;
    f->y1 = y;
    return y;
}

/* Unity gain at 0 Hz, as in Klatt's cascade, so that vowels keep their natural formant levels. */
static void set_resonator(struct filter *f, double hz, double width_hz)
{
    double radius = exp(-tau / 2 * width_hz / RATE);

    f->b = 2 * radius * cos(tau * hz / RATE);
    f->c = -radius * radius;
    f->a = 1 - f->b - f->c;
    f->d = 0;
}

/* Unity gain at the centre (the band-pass of R. Bristow-Johnson's audio EQ cookbook). */
static void set_band(struct filter *f, double hz, double q)
{
    double w = tau * hz / RATE, alpha = sin(w) / (2 * q);

    f->a = alpha / (1 + alpha);
    f->d = -f->a;
    f->b = 2 * cos(w) / (1 + alpha);
    f->c = -(1 - alpha) / (1 + alpha);
}

/* All that changes in time: the mouth follows the phones, the larynx the notes. */
struct throat {
    const struct singer *who;
    uint32_t seed;
    double formant_hz[MOVING], voice, breath, hiss;
    double key, note_s, drift_cents, shake; /* pitch; seconds since the last new key */
    int last_key;
    double phase, step, pulse_gain, wobble; /* the oscillator; phase in periods */
    double tilt, tilt_gain, breath_low, shelf[2];
    struct filter glottis, tract[FORMANTS], teeth;
};

static double approach(double from, double to, double time_s)
{
    return from + (to - from) * (1 - exp(-(double)SPAN / RATE / time_s));
}

static void move_mouth(struct throat *t, const struct phone *phone)
{
    double time_s = phone->length_s > 0 && phone->length_s < 0.05 ? 0.006 : 0.018;

    for (int i = 0; i < MOVING; i++)
        t->formant_hz[i] = approach(t->formant_hz[i], phone->formant_hz[i] * t->who->tract, 0.022);
    t->voice = approach(t->voice, phone->voice, phone->voice > 0 || phone->length_s > 0 ? time_s : 0.045);
    t->breath = approach(t->breath, phone->breath, time_s * 1.5);
    t->hiss = approach(t->hiss, phone->hiss, time_s * 0.7);
    if (phone->hiss_hz > 0)
        set_band(&t->teeth, fmin(phone->hiss_hz * (0.5 + 0.5 * t->who->tract), 9000), phone->hiss_q);
}

static double vibrato_cents(struct throat *t)
{
    double grown = fmin(1, fmax(0, (t->note_s - 0.22) / 0.35));

    t->shake += (5.4 + 0.25 * dice(&t->seed)) * SPAN / RATE;
    return t->who->vibrato_cents * grown * sin(tau * t->shake);
}

static void move_pitch(struct throat *t, const struct piece *piece)
{
    if (piece->entry && t->voice < 0.05)
        t->key = piece->key - 1.3;
    if (piece->key != t->last_key)
        t->note_s = 0;
    t->last_key = piece->key;
    t->note_s += (double)SPAN / RATE;
    t->key = approach(t->key, piece->key, 0.035);
    t->drift_cents = t->drift_cents * 0.997 + 0.9 * dice(&t->seed);
    double cents = vibrato_cents(t) + t->drift_cents + t->who->cents;
    t->step = 440 * exp2((t->key - 69 + cents / 100) / 12) / RATE;
}

/* Formants above the third stand still; the third to fifth lie close, a singer's formant (Sundberg 1974). */
static void set_tract(struct throat *t)
{
    static const double fixed_hz[FORMANTS - MOVING] = {3300, 3950, 5100};
    static const double width_hz[FORMANTS] = {75, 95, 130, 200, 260, 450};
    double f0 = t->step * RATE;

    for (int i = 0; i < FORMANTS; i++) {
        double hz = i < MOVING ? t->formant_hz[i] : fixed_hz[i - MOVING] * t->who->tract;
        if (i == 0)
            hz = fmax(hz, f0 * 1.03); /* high notes: the jaw opens until the first formant meets the pitch */
        set_resonator(&t->tract[i], hz, width_hz[i] + 0.1 * f0 + (1 - t->voice) * 40);
    }
    set_band(&t->glottis, f0 * 1.25, 0.6);
    t->tilt_gain = 1 - exp(-tau * (1800 + 4000 * t->who->effort) / RATE);
}

/* A pulse per period, made of exactly the harmonics below 20 kHz, each of amplitude 2. */
static double pulse(struct throat *t)
{
    double harmonics = floor(20000.0 / RATE / t->step), x = tau / 2 * t->phase, bottom = sin(x);

    t->phase += t->step * (1 + t->wobble);
    if (t->phase >= 1) {
        t->phase -= 1;
        t->wobble = 0.004 * dice(&t->seed);
        t->pulse_gain = 1 + 0.04 * dice(&t->seed);
    }
    if (fabs(bottom) < 1e-6)
        return t->pulse_gain * 2 * harmonics;
    return t->pulse_gain * (sin((2 * harmonics + 1) * x) / bottom - 1);
}

/* The formants above the sixth: on average they neither lift nor lower the source, so it passes as it is. */
static double top(struct throat *t, double source)
{
    for (int i = 0; i < 2; i++) {
        t->shelf[i] += 0.47 * (source - t->shelf[i]); /* 4.5 kHz */
        source -= t->shelf[i];
    }
    return source;
}

static double speak(struct throat *t)
{
    double white = dice(&t->seed), open = 0.6 + 0.4 * cos(tau * t->phase);
    double airy = t->voice * (0.45 - 0.3 * t->who->effort) * open + t->breath * 2.2;

    t->tilt += t->tilt_gain * (run(&t->glottis, pulse(t)) - t->tilt);
    t->breath_low += 0.35 * (white - t->breath_low);
    double source = (t->tilt * t->voice + t->breath_low * airy) * 0.011, sound = source;
    for (int i = 0; i < FORMANTS; i++)
        sound = run(&t->tract[i], sound);
    return sound + top(t, source) + run(&t->teeth, white) * t->hiss * 0.24;
}

/* Notes swell a little at their start, and higher ones are sung louder. */
static double stress(const struct throat *t)
{
    return (0.85 + 0.2 * exp(-t->note_s / 0.25)) * exp2((t->key - 62) / 36);
}

static struct sung shifted(struct sung note, const struct singer *who, uint32_t *seed)
{
    double late_s = who->late_s + who->timing_s * dice(seed);

    note.start_s += late_s;
    note.end_s += late_s;
    return note;
}

void sing(float *mono, size_t frames, const struct sung *notes, size_t count, const struct singer *who)
{
    struct throat t = {.who = who, .seed = who->seed, .pulse_gain = 1, .key = 60, .step = 0.005};
    struct sung *take = grab(count + 1, sizeof *take);

    for (size_t i = 0; i < count; i++)
        take[i] = shifted(notes[i], who, &t.seed);
    struct line line = lay_out(take, count);
    for (size_t at = 0, i = 0; at + SPAN <= frames; at += SPAN) {
        while (i + 1 < line.count && line.pieces[i + 1].start_s * RATE <= (double)at)
            i++;
        move_mouth(&t, &line.pieces[i].phone);
        move_pitch(&t, &line.pieces[i]);
        set_tract(&t);
        double gain = stress(&t);
        for (size_t k = 0; k < SPAN; k++)
            mono[at + k] += (float)(gain * speak(&t));
    }
    free(line.pieces);
    free(take);
}
