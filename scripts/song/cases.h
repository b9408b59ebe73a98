/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three short songs more, as data like that of tables.h: what separators find hard. Nobody sings in the first
 * and a saxophone stands in the middle, the second is mono with a low voice, the third has no drums. */
#ifndef SONG_CASES_H
#define SONG_CASES_H

#include "tables.h"

/* -- 4: "Last Tram Empty", jazz, 96 bpm: tenor saxophone in the middle, piano, guitar, vibraphone */

static const char *const tram_beat[ROWS] = {"k X.........x.....", "r X...x.x.X...x.x.", "H ....x.......x...",
                                            "s ..g....g..g....g"};
static const char *const tram_fill[ROWS] = {"k X.........x.....", "s ....x.gx..x.xxgX", "t ..........x.....",
                                            "r X...x..........."};

static const struct section tram[] = {
    {
        .chords = "Dm7 G7 Cmaj7 Am7 Dm7 G7 Cmaj7 A7",
        .force = 0.85,
        .groove = tram_beat,
        .fill = tram_fill,
        .bass = "1---5---3---<---1---3---5---<---",
        .comp = {"....x--...x-....", "x-..x-..x-..x-..", "................"},
        .lead = "_.4 A4.2 D5.2 F5.6 E5.2  D5.4 B4.8 _.4  E5.3 D5.1 C5.2 G4.10  _.2 E4.2 G4.2 A4.2 C5.4 E5.4 "
                " F5.8 D5.4 A4.4  G4.2 A4.2 B4.2 D5.2 F5.4 D5.4  E5.12 _.4  C#5.4 E5.4 G5.6 _.2",
    },
    {
        .chords = "Fmaj7 Fm7 Em7 A7 Dm7 G7 Cmaj7 G7",
        .force = 0.95,
        .groove = tram_beat,
        .fill = tram_fill,
        .crash = 1,
        .bass = "1---3---5---8---1---5---3---<---",
        .comp = {"x-....x--.....x-", "x-..x-..x-..x-..", "X---------------"},
        .lead =
            "A5.10 G5.2 F5.2 E5.2  F5.4 Ab5.8 _.4  G5.6 E5.2 B4.4 D5.4  C#5.8 _.2 A4.2 B4.2 C#5.2  D5.3 E5.1 "
            "F5.4 A5.8  G5.2 F5.2 D5.2 B4.2 G4.8  E5.14 _.2  _.4 D5.4 B4.4 G4.4",
    },
    {
        .chords = "Dm7 G7 Cmaj7",
        .force = 0.80,
        .groove = tram_beat,
        .bass = "1---5---3---<---",
        .comp = {"....x--...x-....", "x-..x-..x-..x-..", "X---------------"},
        .lead = "_.4 A4.2 D5.2 F5.6 E5.2  D5.4 B4.4 G4.4 B4.4  C5.16",
    },
};

/* -- 5: "Two Left Shoes", rock and roll in mono, 152 bpm: a baritone, piano, saxophones, guitar */

static const char *const shoes_beat[ROWS] = {"k X.......X.x.....", "s ....X.......X...",
                                             "r X...x.x.X...x.x."};
static const char *const shoes_fill[ROWS] = {"k X.......X.......", "s ....X.x.XxXxXxXX",
                                             "r X...x..........."};

static const struct section shoes[] = {
    {
        .chords = "G G D7 G",
        .force = 0.90,
        .groove = shoes_beat,
        .fill = shoes_fill,
        .bass = "1---3---5---8---",
        .comp = {"x-x-x-x-x-x-x-x-", "X-----..x-......", "....x-......x-.."},
    },
    /* I've got two left shoes and they walk me round, /
     * two left shoes and they walk me round, /
     * so I go in a ring when I go to town. */
    {
        .chords = "G C G G C C G G D7 C G D7",
        .force = 0.95,
        .groove = shoes_beat,
        .fill = shoes_fill,
        .crash = 1,
        .bass = "1---3---5---8---8---5---3---5---",
        .comp = {"x-x-x-x-x-x-x-x-", "X-----..x-......", "....x-......x-.."},
        .words =
            "_.4 G2.4:aIv B2.4:gOt D3.4:tu  E3.4:lEft G3.8:Suz _.4  D3.4:And D3.4:DeI B2.4:wOk D3.4:mi  "
            "G2.12:raUnd _.4"
            " _.4 G2.4:wEl C3.4:tu E3.4:-  G3.4:lEft A3.8:Suz _.4  D3.4:And D3.4:DeI B2.4:wOk D3.4:mi  "
            "G2.12:raUnd _.4"
            " _.4 D3.4:soU D3.4:aI F#3.4:goU  E3.4:In E3.2:@ G3.6:rIN _.4  _.2 G3.4:wEn G3.2:aI E3.4:goU "
            "D3.4:tu  G2.12:taUn _.4",
    },
    /* My feet went left and the street went right, /
     * my feet went left, it was dark as night, /
     * and I met myself by the harbour light. */
    {
        .chords = "G C G G C C G G D7 C G G",
        .force = 1.00,
        .groove = shoes_beat,
        .fill = shoes_fill,
        .crash = 1,
        .bass = "1---3---5---8---8---5---3---5---",
        .comp = {"x-x-x-x-x-x-x-x-", "X-..X-..X-..X-..", "....x-......x-.."},
        .words =
            "_.4 G3.4:maI G3.4:fit E3.4:wEnt  G3.8:lEft E3.4:And E3.4:D@  D3.8:strit B2.4:wEnt _.4  "
            "D3.12:raIt _.4"
            " _.4 G3.4:maI A3.4:fit G3.4:wEnt  E3.8:lEft G3.4:It G3.4:wOz  D3.8:dark B2.4:Az _.4  "
            "G2.12:naIt _.4"
            " _.4 A3.4:And A3.4:aI F#3.4:mEt  E3.4:maI G3.8:sElf _.4  _.2 E3.2:baI D3.4:D@ B2.4:har D3.4:b@ "
            " G2.12:laIt _.4",
    },
};

/* -- 6: "Paper Boats", folk, 88 bpm: two guitars, double bass and a singer in one room, no drums */

static const struct section boats[] = {
    {
        .chords = "C Am7 Fadd9 G",
        .force = 0.80,
        .bass = "1-------5-------",
        .comp = {"1-3-2-4-1-3-2-4-", "................", "................"},
    },
    /* Paper boats on a summer stream, /
     * one is for sorrow and one is a dream, /
     * the wind has a word, it will not say, /
     * so softly they sail, and they sail away. */
    {
        .chords = "C Am7 Fadd9 G C Em7 Fadd9 G",
        .force = 0.88,
        .bass = "1-------5---..5-",
        .comp = {"1-3-2-4-1-3-2-4-", "X-------x---x-x-", "................"},
        .words =
            "E4.3:peI D4.1:- C4.4:p@ G4.8:boUts  A4.4:On A4.2:@ G4.2:sV E4.4:mE D4.4:-  C4.12:strim _.4  _.16"
            " E4.4:wVn E4.2:Iz G4.2:fOr C5.4:sO B4.4:roU  G4.4:And G4.4:wVn A4.4:Iz B4.4:@  A4.12:drim _.4  "
            "_.16",
    },
    {
        .chords = "Am7 Em7 Fadd9 C Fadd9 G C G",
        .force = 0.94,
        .bass = "1-----5-1---5---",
        .comp = {"1324132413241324", "X---x---X---x-x-", "................"},
        .words =
            "_.4 C5.4:D@ C5.4:wInd A4.4:hAz  G4.4:@ B4.8:wEd _.4  A4.4:It A4.4:wIl G4.4:nOt F4.4:-  "
            "E4.12:seI _.4"
            " _.4 F4.4:soU A4.4:sOft A4.4:li  G4.4:DeI B4.8:seIl _.4  C5.4:And G4.4:DeI E4.4:seIl D4.4:@  "
            "D4.14:weI _.2",
    },
    {
        .chords = "C",
        .force = 0.75,
        .bass = "1---------------",
        .comp = {"1-2-3-4---------", "X---------------", "................"},
        .words = "C4.14:u _.2",
    },
};

static const struct song cases[] = {
    {
        .title = "Last Tram Empty",
        .genre = "Jazz",
        .bpm = 96,
        .swing = 0.30,
        .kit = 32,                       /* jazz */
        .bass = {32, 28, 112, 60, 0},    /* double bass */
        .comp = {{0, 55, 88, 40, 0.003}, /* piano, jazz guitar, vibraphone */
                 {26, 52, 80, 92, 0.006},
                 {11, 60, 66, 78, 0}},
        .lead = {66, 0, 116, 64, 0}, /* tenor saxophone */
        .singer = {.tract = 1.0, .seed = 41},
        .choir_db = -9,
        .place = {{-4.0, 0, -12, -22, 0.9, 10, 2.0, 25, 2},
                  {-4.0, 0, -16, DRY, 0, 0, 3.0, 30, 1},
                  {-1.0, 0, -14, -17, 1.3, 18, 2.0, 90, 3},
                  {0, 0, DRY, DRY, 0, 0, 4.0, 90, 0}},
        .sections = tram,
        .section_count = LENGTH(tram),
    },
    {
        .title = "Two Left Shoes",
        .genre = "Rock and Roll",
        .bpm = 152,
        .mono = 1,
        .kit = 0,                        /* standard */
        .bass = {32, 28, 112, 64, 0},    /* double bass */
        .comp = {{1, 60, 96, 64, 0.003}, /* bright piano, baritone saxophones, guitar */
                 {67, 50, 76, 64, 0.002},
                 {27, 55, 88, 64, 0.006}},
        .lead = {66, 0, 96, 64, 0},
        .singer = {.tract = 0.93, .effort = 0.70, .vibrato_cents = 25, .timing_s = 0.014, .seed = 53},
        .choir_db = -12,
        .place = {{-2.0, 0, -12, -20, 0.8, 8, 2.5, 40, 0},
                  {-4.5, 0, -16, DRY, 0, 0, 3.0, 45, 0},
                  {-4.0, 0, -14, -20, 0.9, 10, 2.5, 110, 2},
                  {0, 0, -14, -16, 1.0, 90, 4.0, 80, 3}},
        .sections = shoes,
        .section_count = LENGTH(shoes),
    },
    {
        .title = "Paper Boats",
        .genre = "Folk",
        .bpm = 88,
        .kit = 0,
        .bass = {32, 28, 100, 58, 0},      /* double bass */
        .comp = {{25, 52, 104, 38, 0.008}, /* steel guitar, nylon guitar */
                 {24, 55, 84, 88, 0.020},
                 {48, 55, 40, 64, 0}},
        .lead = {73, 0, 92, 72, 0},
        .singer = {.tract = 1.16, .effort = 0.35, .vibrato_cents = 34, .timing_s = 0.016, .seed = 67},
        .choir_db = -12,
        .place = {{DRY, 0, DRY, DRY, 0, 0, 2.0, 25, 0},
                  {-6.0, 0, -12, -20, 1.1, 9, 2.0, 35, 1},
                  {-2.0, 0, -10, -18, 1.2, 9, 1.6, 80, 3},
                  {0, -0.05, -11, -17, 1.2, 12, 2.5, 90, 3}},
        .sections = boats,
        .section_count = LENGTH(boats),
    },
};

#endif
