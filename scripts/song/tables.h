/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The three demo songs as data. Composed for audiopipe; the words are ours too.
 *
 * A bar is 16 steps. A pattern has one character per step and repeats after its own length:
 *   .        rest
 *   -        hold the last note
 *   X x g    the whole chord: loud, normal, ghost
 *   1 3 5 8  for a bass: the chord's bass note, its third, its fifth, the octave
 *   <        for a bass: a semitone below the next bar's bass note
 *   1 to 8   for a chord instrument: that voice of the chord, counted from below
 *
 * A groove is one row per drum: its letter (drum_key in song.c), a space, then 16 steps of X x g.
 *
 * Chords are one word per bar: "D,E" is half a bar of each, "A/C#" has C# in the bass.
 *
 * A melody is words "key.steps" or "key.steps:syllable", with _ for a rest; C4 is middle C. The phones of
 * a syllable are in voice.c. */
#ifndef SONG_TABLES_H
#define SONG_TABLES_H

#include "song.h"

enum { COMPS = 3, ROWS = 7 };

struct part {
    int program; /* General MIDI, from 0 */
    int lowest;  /* chords are voiced in the octave and a bit from this key up */
    int volume, pan;
    double strum_s; /* from one string to the next */
};

struct section {
    const char *chords;
    double force;                            /* velocity, relative to the loudest section */
    const char *const *groove, *const *fill; /* the fill is the last bar; NULL for no fill */
    int crash;
    const char *bass, *comp[COMPS];
    const char *lead, *words; /* melodies or NULL */
    int backing;              /* the singers behind the first one join in */
};

struct song {
    const char *title, *genre;
    double bpm, swing; /* swing: how late the off-beat sixteenths are, in steps */
    int mono;          /* all stems have the same in both channels */
    int kit;
    struct part bass, comp[COMPS], lead;
    struct singer singer;
    double choir_db; /* the doubles and the harmony, relative to the singer */
    struct place place[4];
    const struct section *sections;
    size_t section_count;
};

/* -- drums that more than one song uses */

static const char *const groove_last[ROWS] = {"k X...............", "c X..............."};

/* -- 1: "Lanterns on the Slipway", D major, 106 bpm: electric piano left, guitar right, strings */

static const char *const tide_intro[ROWS] = {"k X.........x.....", "h x.g.x.g.x.g.x.gg",
                                             "R ....x.......x..."};
static const char *const tide_verse[ROWS] = {"k X......x..X.....", "s ....X..g.g..X..g",
                                             "h X.x.X.xgX.x.X.xg"};
static const char *const tide_chorus[ROWS] = {"k X.....x.X.x.....", "s ....X..g....X.g.",
                                              "h X.x.X.x.X.x.X...", "o ..............x.",
                                              "b ..g.x.g...g.x.gg"};
static const char *const tide_bridge[ROWS] = {"k X.....x.........", "f ..x...x...x.x.x.",
                                              "r X...x...X...x...", "R ........X......."};
static const char *const tide_fill[ROWS] = {"k X......x..X.....", "s ....X..gxx..g.xX", "t ..........xx....",
                                            "m ............xx..", "h X.x.X.x........."};

static const char tide_hook[] =
    "A4.3:hoUld A4.5:On A4.2:hoUld B4.2:On A4.2:tu F#4.2:D@  A4.4:laI B4.2:- A4.4:-t _.6"
    " _.2 D4.2:aIl F#4.2:bi A4.2:D@ B4.4:wO A4.4:tE  G4.2:jul A4.2:bi G4.2:D@ F#4.6:taId _.4"
    " A4.3:hoUld A4.5:On A4.2:hoUld B4.2:On A4.2:Tru F#4.2:D@  A4.4:naI B4.2:- A4.4:-t _.6"
    " _.2 B4.3:wir A4.3:kV G4.2:mIN B4.6:In  A4.2:wID G4.2:D@ A4.4:mOr E4.4:nIN _.4";

static const struct section tide[] = {
    {
        .chords = "Bm7 Gadd9 D A/C#",
        .force = 0.80,
        .groove = tide_intro,
        .fill = tide_fill,
        .bass = "1-------......5-",
        .comp = {"X-------..x-----", "1-3-2-4-3-2-4-3-", "X---------------"},
        .lead = "F#5.3 E5.3 D5.2 E5.2 F#5.2 A5.4  B5.6 A5.2 G5.2 D5.6  F#5.3 E5.3 D5.2 A4.4 D5.4  E5.8 C#5.4 "
                "E5.4",
        .words = "_.32 A4.8:u F#4.8:-  E4.12:- _.4",
    },
    /* Low tide and the harbour hums a tune, /
     * ropes are singing to the moon. /
     * I keep a lantern by the door /
     * and I know you see it burn. */
    {
        .chords = "Bm7 Gadd9 D A/C# Bm7 Gadd9 Em7 Asus4,A",
        .force = 0.88,
        .groove = tide_verse,
        .fill = tide_fill,
        .crash = 1,
        .bass = "1------1..1---5-1------1..1-5-<-",
        .comp = {"X-----..x---..x-", "1-3-2-4-3-2-4-3-", "................"},
        .words = "_.2 F#4.3:loU E4.3:taId D4.2:And E4.2:D@ F#4.2:har E4.2:bE  D4.4:hVmz B3.2:@ D4.6:tun _.4"
                 " _.2 F#4.3:roUps E4.3:ar D4.2:sI E4.2:NIN F#4.2:tu A4.2:D@  E4.6:mu C#4.4:-n _.6"
                 " _.2 F#4.3:aI E4.3:kip D4.2:@ E4.4:lAn F#4.2:tEn  E4.2:baI D4.2:D@ B3.6:dOr _.6"
                 " _.2 G4.3:And F#4.3:aI E4.2:noU F#4.2:ju G4.2:si F#4.2:It  E4.10:bEn _.6",
    },
    /* Hold on, hold on to the light, /
     * I'll be the water, you'll be the tide. /
     * Hold on, hold on through the night, /
     * we're coming in with the morning. */
    {
        .chords = "D A/C# Bm7 Gmaj7 D A/C# G A",
        .force = 0.97,
        .groove = tide_chorus,
        .fill = tide_fill,
        .crash = 1,
        .bass = "1-----1-1-1-5-8-1-----1-1-1-5-<-",
        .comp = {"x--x--x-x--x--x-", "1-3-2-4-1-3-2-4-", "X---------------"},
        .words = tide_hook,
        .backing = 1,
    },
    {
        .chords = "Em7 F#m7 Gmaj7 Asus4,A",
        .force = 0.85,
        .groove = tide_bridge,
        .fill = tide_fill,
        .bass = "1-------..1-5---",
        .comp = {"X-------x-------", "1-2-3-4-3-2-3-4-", "X---------------"},
        .lead = "_.8 B5.3 A5.3 G5.2  A5.4 F#5.4 C#5.8  _.4 D5.4 G5.3 A5.3 B5.2  D6.6 B5.2 C#6.8",
        .words = "G4.12:u F#4.4:-  A4.12:- _.4  B4.8:O A4.4:- G4.4:-  A4.12:- _.4",
        .backing = 1,
    },
    {
        .chords = "D A/C# Bm7 Gmaj7 D A/C# G A",
        .force = 1.00,
        .groove = tide_chorus,
        .fill = tide_fill,
        .crash = 1,
        .bass = "1-----1-1-1-5-8-1-----1-1-1-5-<-",
        .comp = {"x--x--x-x--x--x-", "1-3-2-4-1-3-2-4-", "X---------------"},
        .lead = "_.112 _.8 E5.2 F#5.2 A5.4",
        .words = tide_hook,
        .backing = 1,
    },
    {
        .chords = "G A Bm7,A",
        .force = 0.86,
        .groove = tide_verse,
        .fill = tide_fill,
        .crash = 1,
        .bass = "1------1..1---5-",
        .comp = {"X-----..x---..x-", "1-3-2-4-3-2-4-3-", "X---------------"},
        .lead = "_.16 _.8 C#5.4 E5.4  F#5.3 E5.3 D5.2 C#5.4 E5.4",
        .words = "_.2 B4.4:hoUl D5.2:- B4.6:dOn _.2  _.2 A4.4:hoUl B4.2:- A4.6:dOn _.2  F#4.4:tu F#4.4:D@ "
                 "E4.8:laI",
        .backing = 1,
    },
    {
        .chords = "D",
        .force = 0.80,
        .groove = groove_last,
        .bass = "1---------------",
        .comp = {"X---------------", "1-2-3-4---------", "X---------------"},
        .lead = "D5.16",
        .words = "D4.14:-t",
        .backing = 1,
    },
};

/* -- 2: "Gravel and Blue", A major, 118 bpm: acoustic guitar left, overdriven guitar right, organ */

static const char *const road_intro[ROWS] = {"k X.......X.......", "h x.x.x.x.x.x.x.x.",
                                             "x ....X.......X..."};
static const char *const road_verse[ROWS] = {"k X...x.....X..x..", "s ....X.......X..g",
                                             "h X.x.X.x.X.x.X.x."};
static const char *const road_chorus[ROWS] = {"k X..x....X.X..x..", "s ....X..g....X...",
                                              "r X.x.X.x.X.x.X.x.", "H ....x.......x..."};
static const char *const road_bridge[ROWS] = {"k X.......X.......", "f x.xgx.xgx.xgx.xg",
                                              "s ............X..."};
static const char *const road_fill[ROWS] = {"k X...x.....X.....", "s ....X.g.xxx.....", "t .........x......",
                                            "m ...........xxx..", "f .............xXX", "h X.x.X.x........."};

static const char road_hook[] = "F#4.3:roUl E4.3:D@ F#4.4:wIn A4.6:doUz  G#4.8:daUn _.4 E4.2:let E4.2:It"
                                " E4.4:Ol C#4.4:bloU E4.6:Tru _.2  _.4 C#4.2:tu E4.2:D@ F#4.6:blu _.2"
                                " F#4.3:roUl E4.3:D@ F#4.4:wIn A4.6:doUz  G#4.8:daUn _.4 E4.2:e E4.2:vri"
                                " A4.4:maIl F#4.4:aI G#4.4:draIv E4.4:aI  F#4.4:TINk D4.4:@v E4.4:ju _.4";

static const struct section road[] = {
    {
        .chords = "A D A E/G#",
        .force = 0.85,
        .groove = road_intro,
        .fill = road_fill,
        .bass = "1-------1---5---",
        .comp = {"X---x.x-x-x-x.xg", "................", "X---------------"},
        .lead = "_.4 E5.4 C#5.2 B4.2 A4.4  F#4.4 A4.8 B4.2 A4.2  _.4 E5.4 C#5.2 B4.2 C#5.4  B4.12 _.4",
        .words = "_.32 C#4.4:heI E4.8:- _.4  B3.10:heI _.6",
    },
    /* Gravel on the window glass, /
     * morning coming in too fast. /
     * I've got a road and half a tank, /
     * and every mile is thank you. */
    {
        .chords = "A A F#m7 D A E/G# F#m7 D,E",
        .force = 0.90,
        .groove = road_verse,
        .fill = road_fill,
        .crash = 1,
        .bass = "1---1-....1..1--1---1-....1-5-<-",
        .comp = {"X---x.x-X-x-x.xg", "................", "X---------------"},
        .words = "_.2 A3.2:grA C#4.2:v@l E4.4:On C#4.2:D@ B3.4:wIn  A3.2:doU C#4.8:glAs _.6"
                 " _.2 A3.2:mOr C#4.2:nIN E4.4:kV C#4.2:mIN B3.4:In  A3.2:tu A3.8:fAst _.6"
                 " _.2 A3.2:aIv C#4.2:gOt E4.2:@ F#4.4:roUd E4.2:And C#4.2:hAf  B3.2:@ B3.8:tANk _.6"
                 " _.2 A3.2:And C#4.2:e E4.2:vri F#4.4:maIl C#4.4:Iz  D4.4:TANk E4.8:ju _.4",
    },
    /* Roll the windows down, let it all blow through, to the blue. /
     * Roll the windows down, every mile I drive I think of you. */
    {
        .chords = "D E A F#m7 D E F#m7,C#m7 D,E",
        .force = 0.97,
        .groove = road_chorus,
        .fill = road_fill,
        .crash = 1,
        .bass = "1--11-1-1-1-11--1--11-1-1-1-5-<-",
        .comp = {"X-x-X-xgX-x-X-xg", "X--X----X--X--X-", "X---------------"},
        .words = road_hook,
        .backing = 1,
    },
    {
        .chords = "Bm7 D F#m7 E",
        .force = 0.88,
        .groove = road_bridge,
        .fill = road_fill,
        .crash = 1,
        .bass = "1---1---1---1-5-",
        .comp = {"X-------x-x-x-x-", "X---------------", "X---------------"},
        .lead = "_.8 F#5.2 E5.2 D5.4  _.8 A5.2 F#5.2 E5.2 D5.2  C#5.4 E5.4 A5.8  G#5.4 B5.4 E5.8",
        .words =
            "D4.4:heI F#4.6:- _.6  F#4.4:heI A4.4:- F#4.2:- _.6  A4.4:heI F#4.8:- _.4  E4.4:heI G#4.8:- _.4",
        .backing = 1,
    },
    {
        .chords = "D E A F#m7 D E F#m7,C#m7 D,E",
        .force = 1.00,
        .groove = road_chorus,
        .fill = road_fill,
        .crash = 1,
        .bass = "1--11-1-1-1-11--1--11-1-1-1-5-<-",
        .comp = {"X-x-X-xgX-x-X-xg", "X--X----X--X--X-", "X---------------"},
        .lead = "_.48 _.8 A5.2 G#5.2 E5.4  _.48 _.16",
        .words = road_hook,
        .backing = 1,
    },
    {
        .chords = "A D A D,E",
        .force = 0.90,
        .groove = road_chorus,
        .fill = road_fill,
        .crash = 1,
        .bass = "1--11-1-1-1-5---",
        .comp = {"X-x-X-xgX-x-X-xg", "X-------X-------", "X---------------"},
        .lead = "_.4 E5.4 C#5.2 B4.2 A4.4  F#4.4 A4.12  _.4 E5.4 C#5.2 B4.2 C#5.4  D5.8 B4.8",
        .words = "E4.4:roUl C#4.4:D@ E4.8:wIn  F#4.4:doUz A4.8:daUn _.4  E4.4:roUl C#4.4:D@ E4.8:wIn  "
                 "F#4.4:doUz D4.4:daU E4.8:-",
        .backing = 1,
    },
    {
        .chords = "A",
        .force = 0.90,
        .groove = groove_last,
        .bass = "1---------------",
        .comp = {"X---------------", "X---------------", "X---------------"},
        .lead = "C#5.16",
        .words = "C#4.14:-n",
        .backing = 1,
    },
};

/* -- 3: "Neon Weather", C minor, 104 bpm: electronic kit, synth bass, pads left and right, plucks */

static const char *const neon_intro[ROWS] = {"k X.......x.......", "h ..x...x...x...x.",
                                             "S g.g.g.g.g.g.g.g."};
static const char *const neon_verse[ROWS] = {"k X...X...X...X...", "C ....X.......X...", "h ..X.g.X.g.X.g.Xg",
                                             "s .......g.......g"};
static const char *const neon_chorus[ROWS] = {"k X...X...X...X.x.", "s ....X.......X...",
                                              "C ....x.......x...", "h xgX.xgX.xgX.xgX.",
                                              "o ..x...x...x...x.", "S g.xgg.xgg.xgg.xg"};
static const char *const neon_bridge[ROWS] = {"k X..........x....", "C ............X...",
                                              "S g.xgg.xgg.xgg.xg"};
static const char *const neon_fill[ROWS] = {"k X...X...X.......", "s ....X...x.x.xxXX", "C ....X.......x...",
                                            "h ..X.g.X.........", "t ..........x....."};

static const char neon_hook[] = "C5.6:steI Bb4.2:- Ab4.4:tIl G4.4:D@  F4.6:reIn F4.2:gIvz Bb4.6:In _.2"
                                " C5.6:steI Bb4.2:- G4.4:tIl Eb4.4:D@  G4.6:laIts F4.2:bI D4.6:gIn _.2"
                                " C5.6:steI Bb4.2:- Ab4.4:wID G4.4:mi  F4.6:naU F4.2:D@ Bb4.6:deI _.2"
                                " _.2 G4.2:And Bb4.4:wil G4.4:bi F4.4:D@  F4.4:we D4.8:DE _.4";

static const struct section neon[] = {
    {
        .chords = "Cm7 Abmaj7 Eb Bb",
        .force = 0.85,
        .groove = neon_intro,
        .fill = neon_fill,
        .bass = "1-----------5---",
        .comp = {"X---------------", "X---------------", "1.3.2.4.3.5.4.2."},
        .lead = "G5.6 F5.2 Eb5.4 G5.4  C5.8 Eb5.8  G5.6 F5.2 Eb5.4 Bb4.4  D5.8 F5.8",
        .words = "_.32 Bb4.8:u G4.8:-  F4.12:- _.4",
    },
    /* Neon weather on the wire, /
     * every signal comes and goes. /
     * I could be the quiet line /
     * humming under all your calls. */
    {
        .chords = "Cm7 Abmaj7 Eb Bb Cm7 Abmaj7 Eb Bb",
        .force = 0.90,
        .groove = neon_verse,
        .fill = neon_fill,
        .crash = 1,
        .bass = "1..11..11..11.8.",
        .comp = {"X---------------", "........X-------", "1.3.2.4.3.5.4.2."},
        .words = "_.4 G4.3:ni F4.3:On Eb4.2:we F4.2:DE Eb4.2:On  C4.2:D@ Eb4.8:waIr _.6"
                 " _.4 G4.3:ev F4.3:ri Eb4.2:sIg F4.2:n@l G4.2:kVmz  F4.2:And F4.8:goUz _.6"
                 " _.4 G4.3:aI F4.3:kUd Eb4.2:bi F4.2:D@ G4.2:kwaI  Ab4.2:@t G4.8:laIn _.6"
                 " _.4 Bb4.3:hV G4.3:mIN F4.2:Vn G4.2:dE F4.2:Ol  Eb4.2:jOr F4.8:kOlz _.6",
    },
    /* Stay till the rain gives in, /
     * stay till the lights begin, /
     * stay with me now, the day /
     * and we'll be the weather. */
    {
        .chords = "Abmaj7 Bb Cm7 Gm7 Abmaj7 Bb Eb Bb/D",
        .force = 0.97,
        .groove = neon_chorus,
        .fill = neon_fill,
        .crash = 1,
        .bass = "1.1.8.1.1.1.8.5.",
        .comp = {"X---------------", "X-----X---X-----", "1325132513251325"},
        .words = neon_hook,
        .backing = 1,
    },
    {
        .chords = "Fm7 Gm7 Abmaj7 Bbsus4,Bb",
        .force = 0.85,
        .groove = neon_bridge,
        .fill = neon_fill,
        .crash = 1,
        .bass = "1-------....1---",
        .comp = {"X---------------", "X---------------", "1.3.2.4.3.5.4.2."},
        .lead = "_.8 C6.4 Ab5.4  _.8 Bb5.4 D6.4  C6.6 Bb5.2 G5.8  F5.4 G5.4 Bb5.8",
        .words = "Ab4.12:a G4.4:-  Bb4.12:- _.4  C5.12:a Bb4.4:-  Bb4.12:- _.4",
        .backing = 1,
    },
    {
        .chords = "Abmaj7 Bb Cm7 Gm7 Abmaj7 Bb Eb Bb/D",
        .force = 1.00,
        .groove = neon_chorus,
        .fill = neon_fill,
        .crash = 1,
        .bass = "1.1.8.1.1.1.8.5.",
        .comp = {"X---------------", "X-----X---X-----", "1325132513251325"},
        .lead = "_.8 Eb5.4 C5.4  D5.12 _.4  _.8 Eb5.4 G5.4  F5.8 D5.8  _.8 C5.4 Eb5.4  F5.12 _.4  G5.8 Bb5.8 "
                " F5.16",
        .words = neon_hook,
        .backing = 1,
    },
    {
        .chords = "Cm7 Abmaj7 Bb",
        .force = 0.88,
        .groove = neon_verse,
        .fill = neon_fill,
        .crash = 1,
        .bass = "1..11..11..11.8.",
        .comp = {"X---------------", "........X-------", "1.3.2.4.3.5.4.2."},
        .lead = "G5.6 F5.2 Eb5.4 G5.4  C5.8 Eb5.8  D5.8 F5.8",
        .words =
            "_.4 G4.3:ni F4.3:On Eb4.2:we F4.2:DE Eb4.2:On  C4.2:D@ Eb4.8:waIr _.6  _.4 D4.4:steI F4.8:-",
        .backing = 1,
    },
    {
        .chords = "Cm7",
        .force = 0.80,
        .groove = groove_last,
        .bass = "1---------------",
        .comp = {"X---------------", "X---------------", "1.3.2.4.5-------"},
        .lead = "Eb5.16",
        .words = "Eb4.14:-",
        .backing = 1,
    },
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Columns: struct part and struct place, in the order of their fields. */
static const struct song songs[] = {
    {
        .title = "Lanterns on the Slipway",
        .genre = "Pop",
        .bpm = 106,
        .swing = 0.06,
        .kit = 0,                        /* standard */
        .bass = {33, 28, 110, 64, 0},    /* fingered */
        .comp = {{5, 57, 92, 34, 0.004}, /* electric piano, guitar, strings */
                 {27, 59, 98, 96, 0.008},
                 {48, 52, 62, 64, 0}},
        .lead = {73, 0, 92, 72, 0}, /* flute */
        .singer = {.tract = 1.15, .effort = 0.55, .vibrato_cents = 38, .timing_s = 0.012, .seed = 11},
        .choir_db = -9,
        .place = {{-1.0, 0, -16, -24, 0.7, 8, 3.0, 25, 3},
                  {-3.5, 0, DRY, DRY, 0, 0, 4.0, 30, 2},
                  {-4.0, 0, -18, -17, 1.5, 20, 2.0, 120, 5},
                  {0, 0, -20, -15, 1.7, 45, 4.0, 110, 4}},
        .sections = tide,
        .section_count = LENGTH(tide),
    },
    {
        .title = "Gravel and Blue",
        .genre = "Rock",
        .bpm = 118,
        .kit = 16,                         /* power */
        .bass = {34, 28, 112, 64, 0},      /* picked */
        .comp = {{25, 52, 104, 26, 0.012}, /* steel guitar, overdriven guitar, organ */
                 {29, 45, 80, 102, 0.010},
                 {16, 55, 56, 70, 0}},
        .lead = {22, 0, 84, 84, 0}, /* harmonica */
        .singer = {.tract = 1.0, .effort = 0.75, .vibrato_cents = 30, .timing_s = 0.014, .seed = 23},
        .choir_db = -10,
        .place = {{0.0, 0, -14, -22, 0.8, 12, 3.0, 25, 3},
                  {-3.5, 0, DRY, DRY, 0, 0, 4.0, 30, 2},
                  {-4.0, 0, -16, -22, 1.1, 15, 2.0, 100, 4},
                  {0, 0.14, -17, -19, 1.2, 30, 4.0, 90, 4}},
        .sections = road,
        .section_count = LENGTH(road),
    },
    {
        .title = "Neon Weather",
        .genre = "Synth-pop",
        .bpm = 104,
        .kit = 24,                    /* electronic */
        .bass = {38, 28, 108, 64, 0}, /* synth bass */
        .comp = {{88, 53, 84, 22, 0}, /* pad, synth brass, plucked glass */
                 {62, 58, 78, 106, 0},
                 {96, 60, 82, 64, 0}},
        .lead = {81, 0, 66, 58, 0}, /* saw wave */
        .singer = {.tract = 1.17, .effort = 0.30, .vibrato_cents = 30, .timing_s = 0.008, .seed = 37},
        .choir_db = -8,
        .place = {{-1.0, 0, -22, -24, 0.6, 5, 2.5, 25, 3},
                  {-3.5, 0, DRY, DRY, 0, 0, 4.0, 30, 2},
                  {-4.5, 0, -20, -15, 2.2, 25, 2.0, 120, 5},
                  {0, 0, -18, -11, 2.6, 60, 4.0, 120, 4}},
        .sections = neon,
        .section_count = LENGTH(neon),
    },
};

#endif
