/* SPDX-License-Identifier: GPL-3.0-or-later
 * Delays that move, against the delayed sine itself. */
#include "stages/spatial/delay.h"
#include "test.h"

#define FRAMES 512
#define PAST 128

typedef struct wave {
    float *table, *in, *between;
    double turn; /* per frame */
} wave;

static double sine(const wave *w, double frame)
{
    return sin(w->turn * frame + 0.3);
}

/* in and between begin at frame -PAST. */
static void make(wave *w, double hz)
{
    w->turn = 2 * M_PI * hz;
    w->table = ap_delay_table();
    w->in = calloc(2 * PAST + FRAMES, sizeof *w->in);
    w->between = calloc(2 * PAST + FRAMES, sizeof *w->between);
    for (int i = 0; i < 2 * PAST + FRAMES; i++)
        w->in[i] = (float)sine(w, i - PAST);
    ap_delay_between(w->table, w->in + AP_DELAY_AHEAD, w->between + AP_DELAY_AHEAD,
                     PAST + FRAMES - 2 * AP_DELAY_AHEAD);
}

static void drop(wave *w)
{
    free(w->table), free(w->in), free(w->between);
}

/* How far the output is off, at most, in dB, while the delay goes from from to to. */
static double error_db(const wave *w, double from, double to)
{
    float out[FRAMES];
    double most = 0;
    ap_delay_run(w->table, w->in + PAST, w->between + PAST, from, to, out, FRAMES);
    for (int i = 0; i < FRAMES; i++)
        most = fmax(most, fabs(out[i] - sine(w, i - (from + (to - from) * i / FRAMES))));
    return 20 * log10(most + 1e-30);
}

static void any_delay_is_right(void)
{
    static const struct {
        double hz, most_db; /* of the rate */
    } rows[] = {{0.01, -60}, {0.1, -60}, {0.2, -60}, {0.3, -58}, {0.4, -54}, {0.44, -50}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        wave w;
        double worst = -1000;
        make(&w, rows[r].hz);
        for (double delay = AP_DELAY_LEAST; delay < 100; delay += 0.37)
            worst = fmax(worst, error_db(&w, delay, delay));
        CHECK(worst < rows[r].most_db);
        if (getenv("VERBOSE"))
            fprintf(stderr, "%.2f of the rate: off by %.1f dB\n", rows[r].hz, worst);
        drop(&w);
    }
}

static void whole_delays_are_exact(void)
{
    wave w;
    make(&w, 0.37);
    for (double delay = AP_DELAY_LEAST; delay < 100; delay++)
        CHECK(error_db(&w, delay, delay) < -120);
    drop(&w);
}

/* Half a frame is what a source that circles once in 2 s moves in a block; 8 are those that turn 8 times a
 * second. */
static void moving_delays_are_right(void)
{
    static const struct {
        double move, hz, most_db;
    } rows[] = {{0.5, 0.1, -60}, {0.5, 0.3, -57}, {-0.5, 0.4, -54}, {8, 0.05, -60}, {-8, 0.1, -48}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        wave w;
        double worst = -1000;
        make(&w, rows[r].hz);
        for (double from = 30; from < 60; from += 0.71)
            worst = fmax(worst, error_db(&w, from, from + rows[r].move));
        CHECK(worst < rows[r].most_db);
        if (getenv("VERBOSE"))
            fprintf(stderr, "%.2f of the rate, by %.1f frames: off by %.1f dB\n", rows[r].hz, rows[r].move,
                    worst);
        drop(&w);
    }
}

TEST_MAIN(CASE(any_delay_is_right), CASE(whole_delays_are_exact), CASE(moving_delays_are_right))
