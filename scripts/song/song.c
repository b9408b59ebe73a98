/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes the scores of a demo song as MIDI files, and later, when a synthesizer has played them, mixes the
 * stems of the record. make-song runs both halves. */
#include "song.h"
#include "cases.h"
#include "tables.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum stem { DRUMS, BASS, OTHER, VOCALS, STEMS };
static const char *const stem_names[STEMS] = {"drums", "bass", "other", "vocals"};

enum { DRUM_CHANNEL = 9 };
static const double tail_s = 2.5;

/* -- harmony: chord names, and where a chord's tones lie on an instrument */

struct chord {
    int root, bass, tones[5], count; /* pitch classes, 0 is C; tones from the root up */
};

/* "C#4" gives 1, "Bb" 10; moves the text past the letter and its accidentals. */
static int pitch_class(const char **text)
{
    static const int letters[] = {9, 11, 0, 2, 4, 5, 7};

    if (**text < 'A' || **text > 'G')
        die("no pitch in '%s'", *text);
    int pitch = letters[*(*text)++ - 'A'];
    for (; **text == '#' || **text == 'b'; (*text)++)
        pitch += **text == '#' ? 1 : -1;
    return (pitch + 12) % 12;
}

static struct chord parse_chord(const char *text)
{
    static const struct {
        const char *name;
        int count, tones[5];
    } kinds[] = {{"maj7", 4, {0, 4, 7, 11}}, {"sus4", 3, {0, 5, 7}}, {"add9", 4, {0, 4, 7, 14}},
                 {"m7", 4, {0, 3, 7, 10}},   {"m", 3, {0, 3, 7}},    {"7", 4, {0, 4, 7, 10}},
                 {"", 3, {0, 4, 7}}};
    struct chord chord = {0};
    size_t kind = 0;

    chord.root = chord.bass = pitch_class(&text);
    while (strncmp(text, kinds[kind].name, strlen(kinds[kind].name)) != 0)
        kind++;
    text += strlen(kinds[kind].name);
    chord.count = kinds[kind].count;
    for (int i = 0; i < chord.count; i++)
        chord.tones[i] = (chord.root + kinds[kind].tones[i]) % 12;
    if (*text == '/') {
        text++;
        chord.bass = pitch_class(&text);
    }
    return chord;
}

static size_t count_words(const char *text)
{
    size_t words = 0;

    for (; *text; text++)
        words += *text != ' ' && (text[1] == ' ' || text[1] == 0);
    return words;
}

/* The chord of a section that sounds at a step; the last one goes on for ever. */
static struct chord chord_at(const struct section *section, size_t step)
{
    const char *text = section->chords, *end;

    for (size_t bar = step / STEPS; bar > 0 && strchr(text, ' '); bar--)
        text = strchr(text, ' ') + 1;
    end = text + strcspn(text, " ");
    const char *second = memchr(text, ',', (size_t)(end - text));
    return parse_chord(second && step % STEPS >= STEPS / 2 ? second + 1 : text);
}

static int place_above(int pitch, int lowest)
{
    return lowest + ((pitch - lowest) % 12 + 12) % 12;
}

/* The chord's tones in the octave from `lowest` up, sorted, then again an octave higher for arpeggios. Common
 * tones stay and the others move by the smallest step, which is all the voice leading that is needed. */
static int voice_chord(const struct chord *chord, int lowest, int keys[10])
{
    for (int i = 0; i < chord->count; i++) {
        int key = place_above(chord->tones[i], lowest), at = i;
        for (; at > 0 && keys[at - 1] > key; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
    for (int i = 0; i < chord->count; i++)
        keys[chord->count + i] = keys[i] + 12;
    return chord->count;
}

/* -- melodies */

struct note {
    double step, steps;
    int key;
    char syllable[12];
};

/* Reads one word of a melody, "F#4.3:loU", and moves past it; key is -1 for a rest. */
static struct note parse_note(const char **text)
{
    struct note note = {0, 0, -1, ""};
    const char *word = *text + strspn(*text, " ");
    int used = 0;

    if (*word != '_') {
        int pitch = pitch_class(&word);
        note.key = 12 * (*word - '0' + 1) + pitch;
    }
    if (sscanf(word + 1, ".%lf%n", &note.steps, &used) != 1)
        die("bad note '%s'", word);
    word += 1 + used;
    if (*word == ':') {
        size_t length = strcspn(word + 1, " ");
        if (length >= sizeof note.syllable)
            die("syllable too long: '%s'", word);
        memcpy(note.syllable, word + 1, length);
        word += 1 + length;
    }
    *text = word + strspn(word, " ");
    return note;
}

/* Adds the notes of a melody, from `step` on, to `notes`, which has the room; returns the new count. */
static size_t parse_melody(const char *text, double step, struct note *notes, size_t count)
{
    while (text && *text) {
        struct note note = parse_note(&text);
        note.step = step;
        step += note.steps;
        if (note.key >= 0)
            notes[count++] = note;
    }
    return count;
}

/* -- notes and instruments in the score */

/* Players are never exact: each note is up to 6 ms off, and its velocity up to 6. The note ends a little
 * early, so that it never cuts off the next one on the same key. */
static void add_note(struct score *score, int channel, int key, const struct note *note, double force)
{
    double swing = fmod(note->step, 2) >= 1 ? score->song->swing : 0;
    double tick = (note->step + swing) * TICKS + 0.006 * dice(&score->seed) * score->song->bpm * 8;
    int velocity = (int)(force * 112 + 6 * dice(&score->seed));

    add_event(score, tick, 0x90 | channel, key, velocity < 1 ? 1 : velocity > 127 ? 127 : velocity);
    add_event(score, tick + note->steps * TICKS - 16, 0x80 | channel, key, 0);
}

static void add_setup(struct score *score, int channel, const struct part *part)
{
    add_event(score, 0, 0xc0 | channel, part->program, 0);
    add_event(score, 0, 0xb0 | channel, 7, part->volume);
    add_event(score, 0, 0xb0 | channel, 10, part->pan);
}

/* -- playing the tables */

static double loudness_of(char step)
{
    return step == 'g' ? 0.45 : step == 'x' ? 0.8 : 1.0;
}

/* This soundfont's bass drums and toms are louder than the rest of the kit. */
static double balance_of(char drum)
{
    return strchr("ktmf", drum) ? 0.78 : 1.0;
}

/* General MIDI keys of the drums' letters in a groove. */
static int drum_key(char letter)
{
    static const char letters[] = "kxsChHormtfcRSb";
    static const int keys[] = {36, 37, 40, 39, 42, 44, 46, 51, 45, 48, 43, 49, 53, 70, 54};
    const char *at = strchr(letters, letter);

    if (!at || !*at)
        die("no such drum: '%c'", letter);
    return keys[at - letters];
}

static void play_groove(struct score *score, const char *const *rows, double start, double force)
{
    for (int row = 0; row < ROWS && rows[row]; row++) {
        const char *steps = rows[row] + 2;
        for (int i = 0; i < STEPS && steps[i]; i++) {
            struct note note = {start + i, 1, 0, ""};
            double hit = force * loudness_of(steps[i]) * balance_of(rows[row][0]);
            if (steps[i] != '.')
                add_note(score, DRUM_CHANNEL, drum_key(rows[row][0]), &note, hit);
        }
    }
}

static void play_drums(struct score *score, const struct section *section, size_t bars, double start)
{
    static const char *const crash[ROWS] = {"c X..............."};

    for (size_t bar = 0; section->groove && bar < bars; bar++) {
        int last = section->fill && bar + 1 == bars;
        play_groove(score, last ? section->fill : section->groove, start + (double)(bar * STEPS),
                    section->force);
    }
    if (section->crash)
        play_groove(score, crash, start, section->force * 0.9);
}

/* How long the step at `at` sounds: to the last of the dashes that follow it, but not past the section. */
static double hold(const char *pattern, size_t at, size_t last)
{
    size_t length = strlen(pattern), steps = 1;

    while (at + steps < last && pattern[(at + steps) % length] == '-')
        steps++;
    return (double)steps;
}

static int bass_key(const struct section *section, size_t at, char degree, int lowest)
{
    struct chord chord = chord_at(section, at);
    int key = place_above(chord.bass, lowest);

    switch (degree) {
    case '3':
        return place_above(chord.tones[1], key);
    case '5':
        return place_above((chord.root + 7) % 12, key);
    case '8':
        return key + 12;
    case '<':
        chord = chord_at(section, (at / STEPS + 1) * STEPS);
        return place_above(chord.bass, lowest) - 1;
    default:
        return key;
    }
}

static void play_bass(struct score *score, const struct section *section, size_t steps, double start)
{
    const char *pattern = section->bass;

    for (size_t at = 0; at < steps; at++) {
        char step = pattern[at % strlen(pattern)];
        if (step == '.' || step == '-')
            continue;
        struct note note = {start + (double)at, hold(pattern, at, steps), 0, ""};
        double accent = at % 8 == 0 ? 1 : 0.88;
        add_note(score, 0, bass_key(section, at, step, score->song->bass.lowest), &note,
                 section->force * accent);
    }
}

/* A strum goes down on the beat and up, from the highest string, off it. */
static void strum(struct score *score, int channel, const struct part *part, const int *keys, int count,
                  const struct note *note, double force)
{
    double gap = part->strum_s * score->song->bpm / 15;
    int up = fmod(note->step, 4) >= 2;

    for (int i = 0; i < count; i++) {
        struct note one = *note;
        one.step += gap * (up ? count - 1 - i : i);
        add_note(score, channel, keys[i], &one, force);
    }
}

static void play_comp(struct score *score, int comp, const struct section *section, size_t steps,
                      double start)
{
    const struct part *part = &score->song->comp[comp];
    const char *pattern = section->comp[comp];
    int keys[10];

    for (size_t at = 0; at < steps; at++) {
        char step = pattern[at % strlen(pattern)];
        if (step == '.' || step == '-')
            continue;
        struct chord chord = chord_at(section, at);
        struct note note = {start + (double)at, hold(pattern, at, steps), 0, ""};
        int count = voice_chord(&chord, part->lowest, keys);
        if (isdigit((unsigned char)step))
            add_note(score, comp, keys[step - '1'], &note, section->force * (at % 4 ? 0.72 : 0.85));
        else
            strum(score, comp, part, keys, count, &note, section->force * 0.85 * loudness_of(step));
    }
}

static void play_lead(struct score *score, const struct section *section, size_t steps, double start)
{
    struct note *notes = grab(steps, sizeof *notes);
    size_t count = parse_melody(section->lead, start, notes, 0);

    for (size_t i = 0; i < count; i++)
        add_note(score, COMPS, notes[i].key, &notes[i], section->force * 0.9);
    free(notes);
}

static void play_section(struct score *score, enum stem stem, const struct section *section, double start)
{
    size_t bars = count_words(section->chords);

    if (stem == DRUMS)
        play_drums(score, section, bars, start);
    else if (stem == BASS)
        play_bass(score, section, bars * STEPS, start);
    for (int i = 0; stem == OTHER && i < COMPS; i++)
        play_comp(score, i, section, bars * STEPS, start);
    if (stem == OTHER)
        play_lead(score, section, bars * STEPS, start);
}

static void set_up(struct score *score, enum stem stem)
{
    const struct song *song = score->song;
    struct part kit = {.program = song->kit, .volume = 110, .pan = 64};

    if (stem == DRUMS)
        add_setup(score, DRUM_CHANNEL, &kit);
    else if (stem == BASS)
        add_setup(score, 0, &song->bass);
    for (int i = 0; stem == OTHER && i < COMPS; i++)
        add_setup(score, i, &song->comp[i]);
    if (stem == OTHER)
        add_setup(score, COMPS, &song->lead);
}

static void check_melody(const char *text, size_t steps)
{
    double length = 0;

    for (const char *at = text; at && *at;)
        length += parse_note(&at).steps;
    if (text && (length > (double)steps || length + STEPS < (double)steps))
        die("melody of %g steps in a section of %zu: '%.40s...'", length, steps, text);
}

static double length_in_steps(const struct song *song)
{
    size_t bars = 0;

    for (size_t i = 0; i < song->section_count; i++)
        bars += count_words(song->sections[i].chords);
    return (double)(bars * STEPS);
}

static void write_scores(const struct song *song, const char *folder)
{
    for (enum stem stem = DRUMS; stem < VOCALS; stem++) {
        struct score score = {NULL, 0, 0, 7919u + (uint32_t)stem, song};
        double start = 0;
        set_up(&score, stem);
        for (size_t i = 0; i < song->section_count; i++) {
            play_section(&score, stem, &song->sections[i], start);
            start += (double)(count_words(song->sections[i].chords) * STEPS);
        }
        write_midi(&score, song->bpm, start * TICKS + tail_s * song->bpm * 8, folder, stem_names[stem]);
        free(score.events);
    }
}

/* -- the vocals: a singer, two doubles and two voices of harmony */

/* The chord tone that is at least a minor third below the melody. */
static int harmony_key(const struct section *section, double step, int key)
{
    struct chord chord = chord_at(section, (size_t)step);
    int best = 0;

    for (int i = 0; i < chord.count; i++) {
        int below = place_above(chord.tones[i], key - 14);
        if (below > best && below <= key - 3)
            best = below;
    }
    return best;
}

/* The lines that a singer of the choir, or the first singer, has in the whole song. */
static size_t collect_words(const struct song *song, int backing, int harmony, struct sung *sung)
{
    double step_s = 15 / song->bpm, start = 0;
    struct note notes[256];
    size_t total = 0;

    for (size_t i = 0; i < song->section_count; i++) {
        const struct section *section = &song->sections[i];
        size_t steps = count_words(section->chords) * STEPS, count = 0;
        check_melody(section->words, steps);
        check_melody(section->lead, steps);
        if (!backing || section->backing)
            count = parse_melody(section->words, start, notes, 0);
        for (size_t k = 0; k < count; k++, total++) {
            int key = harmony ? harmony_key(section, notes[k].step - start, notes[k].key) : notes[k].key;
            sung[total] =
                (struct sung){notes[k].step * step_s, (notes[k].step + notes[k].steps) * step_s, key, ""};
            memcpy(sung[total].syllable, notes[k].syllable, sizeof notes[k].syllable);
        }
        start += (double)steps;
    }
    return total;
}

static void add_panned(float *stereo, const float *mono, size_t frames, double gain, double pan)
{
    double angle = (pan + 1) * tau / 8;
    float left = (float)(gain * cos(angle) * sqrt(2)), right = (float)(gain * sin(angle) * sqrt(2));

    for (size_t i = 0; i < frames; i++) {
        stereo[2 * i] += left * mono[i];
        stereo[2 * i + 1] += right * mono[i];
    }
}

static void add_take(const struct song *song, float *stereo, size_t frames, const struct singer *who,
                     int backing, int harmony, double gain, double pan)
{
    size_t room = (size_t)length_in_steps(song) + 1;
    struct sung *sung = grab(room, sizeof *sung);
    float *mono = grab(frames, sizeof *mono);

    sing(mono, frames, sung, collect_words(song, backing, harmony, sung), who);
    add_panned(stereo, mono, frames, gain, pan);
    free(mono);
    free(sung);
}

static void sing_all(const struct song *song, float *stereo, size_t frames)
{
    static const struct {
        double pan, cents, late_s, tract;
        int harmony;
    } choir[] = {{-0.75, -7, 0.014, 0.98, 0},
                 {0.75, 6, 0.021, 1.02, 0},
                 {-0.5, 4, 0.010, 1.01, 1},
                 {0.5, -5, 0.017, 0.97, 1}};
    double pan = song->place[VOCALS].pan;

    add_take(song, stereo, frames, &song->singer, 0, 0, 1, pan);
    for (size_t i = 0; i < sizeof choir / sizeof choir[0]; i++) {
        struct singer who = song->singer;
        who.cents += choir[i].cents;
        who.late_s += choir[i].late_s;
        who.tract *= choir[i].tract;
        who.effort *= 0.8;
        who.seed += 101 * (uint32_t)(i + 1);
        add_take(song, stereo, frames, &who, 1, choir[i].harmony, gain_of(song->choir_db),
                 choir[i].pan + pan);
    }
}

/* -- the record */

static void write_mix(const struct song *song, const char *folder, const float *stereo, size_t frames)
{
    const char *const tags[][2] = {
        {"INAM", song->title},
        {"IART", "The Pipe Organisation"},
        {"IPRD", "Three Songs for a Pipe"},
        {"ICRD", "2026"},
        {"IGNR", song->genre},
        {"ICMT", "Composed and generated for audiopipe by scripts/make-song"},
    };

    write_wav(folder, "mix", stereo, frames, tags, sizeof tags / sizeof tags[0]);
}

static void sum_stems(float *mix, float *const stems[STEMS], size_t frames)
{
    for (size_t i = 0; i < 2 * frames; i++) {
        mix[i] = 0;
        for (int stem = 0; stem < STEMS; stem++)
            mix[i] += stems[stem][i];
    }
}

static void sum_channels(float *stereo, size_t frames)
{
    for (size_t i = 0; i < frames; i++)
        stereo[2 * i] = stereo[2 * i + 1] = (stereo[2 * i] + stereo[2 * i + 1]) / 2;
}

/* The stems are scaled by one gain, so that their sum has a true peak of -1 dBFS; the mix is that sum. */
static void mix_song(const struct song *song, const char *folder)
{
    size_t frames = (size_t)((length_in_steps(song) * 15 / song->bpm + tail_s) * RATE);
    float *stems[STEMS], *mix = grab(2 * frames, sizeof *mix);

    for (int stem = 0; stem < STEMS; stem++) {
        stems[stem] =
            stem == VOCALS ? grab(2 * frames, sizeof **stems) : read_raw(folder, stem_names[stem], frames);
        if (stem == VOCALS)
            sing_all(song, stems[stem], frames);
        place_stem(stems[stem], frames, &song->place[stem]);
        if (song->mono)
            sum_channels(stems[stem], frames);
    }
    sum_stems(mix, stems, frames);
    double gain = gain_of(-1) / true_peak(mix, frames);
    for (int stem = 0; stem < STEMS; stem++) {
        scale(stems[stem], frames, gain);
        write_wav(folder, stem_names[stem], stems[stem], frames, NULL, 0);
    }
    sum_stems(mix, stems, frames);
    write_mix(song, folder, mix, frames);
    for (int stem = 0; stem < STEMS; stem++)
        free(stems[stem]);
    free(mix);
}

/* The songs of tables.h, then those of cases.h, counted from 1; NULL where there are no more. */
static const struct song *find_song(const char *number)
{
    size_t i = strtoul(number, NULL, 10) - 1;

    if (i < LENGTH(songs))
        return &songs[i];
    return i - LENGTH(songs) < LENGTH(cases) ? &cases[i - LENGTH(songs)] : NULL;
}

int main(int argc, char **argv)
{
    const struct song *song = argc == 4 ? find_song(argv[2]) : NULL;

    if (!song || (strcmp(argv[1], "scores") != 0 && strcmp(argv[1], "mix") != 0)) {
        fprintf(stderr, "usage: song scores|mix 1-%zu FOLDER\n", LENGTH(songs) + LENGTH(cases));
        return 2;
    }
    if (strcmp(argv[1], "scores") == 0)
        write_scores(song, argv[3]);
    else
        mix_song(song, argv[3]);
    return 0;
}
