/* SPDX-License-Identifier: GPL-3.0-or-later
 * Paths: where they go, that they are smooth, and that they are the same on every machine. */
#include "stages/spatial/trajectory.h"
#include "test.h"

#define RATE 1000.0
#define DEG(radians) ((radians)*180 / M_PI)

static ap_spatialize_options on(ap_path path)
{
    ap_spatialize_options o;
    ap_spatialize_defaults(&o);
    o.path = path;
    o.period_s = 8;
    o.clockwise = false;
    return o;
}

static void circle_goes_round(void)
{
    ap_spatialize_options o = on(AP_PATH_CIRCLE);
    for (int i = 0; i <= 16; i++) {
        ap_position p = ap_trajectory_at(&o, i);
        CHECK_NEAR(DEG(p.azimuth), 45 * i, 1e-9);
        CHECK(p.elevation == 0 && p.distance == 1);
    }
    o.clockwise = true;
    CHECK_NEAR(DEG(ap_trajectory_at(&o, 2).azimuth), -90, 1e-9);
}

static void options_shift_every_path(void)
{
    for (int path = AP_PATH_CIRCLE; path <= AP_PATH_RANDOM; path++) {
        ap_spatialize_options o = on((ap_path)path), shifted = o;
        shifted.start_deg = 30;
        shifted.elevation_deg = -10;
        shifted.distance_m = 2;
        shifted.clockwise = true;
        CHECK_NEAR(DEG(ap_trajectory_at(&shifted, 0).azimuth), 30, 1e-9);
        for (double t = 0; t < 40; t += 1.7) {
            ap_position a = ap_trajectory_at(&o, t), b = ap_trajectory_at(&shifted, t);
            CHECK_NEAR(DEG(b.azimuth), 30 - DEG(a.azimuth), 1e-9);
            CHECK_NEAR(DEG(b.elevation), DEG(a.elevation) - 10, 1e-9);
            CHECK_NEAR(b.distance, 2 * a.distance, 1e-12);
        }
    }
}

static void swing_stays_in_front(void)
{
    ap_spatialize_options o = on(AP_PATH_SWING);
    CHECK_NEAR(DEG(ap_trajectory_at(&o, 2).azimuth), 90, 1e-9);
    CHECK_NEAR(DEG(ap_trajectory_at(&o, 4).azimuth), 0, 1e-9);
    CHECK_NEAR(DEG(ap_trajectory_at(&o, 6).azimuth), -90, 1e-9);
}

static void figure8_crosses_itself_in_front(void)
{
    ap_spatialize_options o = on(AP_PATH_FIGURE8);
    ap_position up = ap_trajectory_at(&o, 1), side = ap_trajectory_at(&o, 2), down = ap_trajectory_at(&o, 3),
                front = ap_trajectory_at(&o, 4);
    CHECK_NEAR(DEG(up.elevation), 30, 1e-9);
    CHECK_NEAR(DEG(side.azimuth), 90, 1e-9);
    CHECK_NEAR(side.elevation, 0, 1e-9);
    CHECK_NEAR(DEG(down.elevation), -30, 1e-9);
    CHECK_NEAR(front.azimuth, 0, 1e-9);
    CHECK_NEAR(front.elevation, 0, 1e-9);
}

static void spiral_swells_threefold_and_keeps_the_energy(void)
{
    ap_spatialize_options o = on(AP_PATH_SPIRAL);
    double least = 1e9, most = 0, energy = 0;
    for (int i = 0; i < 3200; i++) {
        double d = ap_trajectory_at(&o, i * 0.01).distance;
        least = fmin(least, d);
        most = fmax(most, d);
        energy += 1 / (d * d) / 3200;
    }
    CHECK_NEAR(most / least, 3, 1e-6);
    CHECK_NEAR(energy, 1, 1e-6);
    CHECK_NEAR(ap_trajectory_at(&o, 32).distance, ap_trajectory_at(&o, 0).distance, 1e-9);
}

/* Speed and acceleration of the fastest path, in radians; a jump would show as thousands. */
static void no_path_jumps(void)
{
    for (int path = AP_PATH_CIRCLE; path <= AP_PATH_RANDOM; path++) {
        ap_spatialize_options o = on((ap_path)path);
        double fastest = 0, hardest = 0;
        for (int i = 1; i < 200000; i++) {
            double a = ap_trajectory_at(&o, (i - 1) / RATE).azimuth,
                   b = ap_trajectory_at(&o, i / RATE).azimuth,
                   c = ap_trajectory_at(&o, (i + 1) / RATE).azimuth;
            fastest = fmax(fastest, fabs(c - b) * RATE);
            hardest = fmax(hardest, fabs(c - 2 * b + a) * RATE * RATE);
        }
        CHECK(fastest <= 3.5 * 2 * M_PI / o.period_s);
        CHECK(hardest <= 16);
    }
}

static void random_walk_is_seeded_and_goes_everywhere(void)
{
    ap_spatialize_options o = on(AP_PATH_RANDOM), other = o;
    other.seed = 1;
    int visits[8] = {0};
    double speed = 0, apart = 0;
    for (int i = 0; i < 80000; i++) {
        ap_position p = ap_trajectory_at(&o, i * 0.1), next = ap_trajectory_at(&o, i * 0.1 + 0.001);
        visits[(int)floor(DEG(p.azimuth) / 45) & 7]++;
        speed += pow((next.azimuth - p.azimuth) / 0.001, 2) / 80000;
        apart = fmax(apart, fabs(p.azimuth - ap_trajectory_at(&other, i * 0.1).azimuth));
        CHECK(fabs(DEG(p.elevation)) <= 30);
    }
    for (int i = 0; i < 8; i++)
        CHECK(visits[i] > 3000);
    CHECK_NEAR(sqrt(speed) / (2 * M_PI / o.period_s), 1, 0.05);
    CHECK(apart > 1);
}

/* From SplitMix64 in Python and scipy.interpolate.BSpline. */
static void random_walk_is_the_same_everywhere(void)
{
    ap_spatialize_options o = on(AP_PATH_RANDOM);
    o.seed = 42;
    CHECK_NEAR(ap_trajectory_at(&o, 100).azimuth, -1.2100899054639567, 1e-9);
    CHECK_NEAR(ap_trajectory_at(&o, 100).elevation, 0.23956295034765882, 1e-9);
}

TEST_MAIN(CASE(circle_goes_round), CASE(options_shift_every_path), CASE(swing_stays_in_front),
          CASE(figure8_crosses_itself_in_front), CASE(spiral_swells_threefold_and_keeps_the_energy),
          CASE(no_path_jumps), CASE(random_walk_is_seeded_and_goes_everywhere),
          CASE(random_walk_is_the_same_everywhere))
