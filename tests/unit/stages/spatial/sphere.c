/* SPDX-License-Identifier: GPL-3.0-or-later
 * The triangles between measured directions: they cover the sphere, without seams, for odd sets too. */
#include "stages/spatial/sphere.h"
#include "test.h"

#define RADIANS(degrees) ((degrees)*M_PI / 180)
#define MOST 4000

static double set[MOST][3];

static void direct(double azimuth_deg, double elevation_deg, double out[3])
{
    double a = RADIANS(azimuth_deg), e = RADIANS(elevation_deg);
    out[0] = cos(a) * cos(e);
    out[1] = sin(a) * cos(e);
    out[2] = sin(e);
}

/* Rings of about the same spacing, as most sets have. */
static size_t rings(double lowest, double highest, double spacing)
{
    size_t n = 0;
    for (double e = lowest; e <= highest + 1e-9; e += spacing) {
        int around = e > 89.9 ? 1 : (int)fmax(1, round(360 / spacing * cos(RADIANS(e))));
        for (int i = 0; i < around; i++)
            direct(360.0 * i / around, e, set[n++]);
    }
    return n;
}

static ap_corners find(const ap_sphere *s, double azimuth, double elevation)
{
    double d[3];
    ap_corners c;
    size_t hint = 12345678;
    direct(azimuth, elevation, d);
    ap_sphere_find(s, d, &hint, &c);
    return c;
}

/* The angle between a direction and the mixture of its corners, in degrees. */
static double miss(const ap_corners *c, double azimuth, double elevation)
{
    double d[3], sum[3] = {0}, product = 0, length = 0;
    direct(azimuth, elevation, d);
    for (size_t i = 0; i < c->count; i++)
        for (int k = 0; k < 3; k++)
            sum[k] += c->weight[i] * set[c->index[i]][k];
    for (int k = 0; k < 3; k++) {
        product += sum[k] * d[k];
        length += sum[k] * sum[k];
    }
    return acos(fmin(1, product / sqrt(length))) * 180 / M_PI;
}

static void measured_directions_are_themselves(void)
{
    size_t n = rings(-40, 90, 5);
    ap_sphere *s = ap_sphere_new((const double(*)[3])set, n);
    for (size_t i = 0; i < n; i++) {
        ap_corners c;
        size_t hint = i;
        ap_sphere_find(s, set[i], &hint, &c);
        double most = 0;
        for (size_t k = 0; k < c.count; k++)
            if (c.index[k] == i)
                most = c.weight[k];
        CHECK_NEAR(most, 1, 1e-3);
    }
    ap_sphere_free(s);
}

static void mixtures_point_where_they_should(void)
{
    static const double spacing[] = {4, 5, 10, 30};
    for (int k = 0; k < 4; k++) {
        size_t n = rings(-90 + spacing[k], 90, spacing[k]);
        ap_sphere *s = ap_sphere_new((const double(*)[3])set, n);
        uint64_t seed = 1;
        for (int i = 0; i < 2000; i++) {
            double azimuth = test_random(&seed) * 0x1p-32 * 360;
            double elevation = (test_random(&seed) * 0x1p-31 - 1) * (89 - spacing[k]);
            ap_corners c = find(s, azimuth, elevation);
            double sum = 0;
            for (size_t j = 0; j < c.count; j++) {
                CHECK(c.index[j] < n && c.weight[j] > 0 && c.weight[j] <= 1 + 1e-9);
                sum += c.weight[j];
            }
            CHECK_NEAR(sum, 1, 1e-9);
            CHECK_NEAR(miss(&c, azimuth, elevation), 0, 1e-2);
        }
        ap_sphere_free(s);
    }
}

static void weights_are_continuous(void)
{
    size_t n = rings(-40, 90, 10);
    ap_sphere *s = ap_sphere_new((const double(*)[3])set, n);
    double *before = calloc(n, sizeof *before), *now = calloc(n, sizeof *now);
    for (int step = 0; step <= 36000; step++) {
        ap_corners c = find(s, step * 0.01, 37 * sin(step * 0.001));
        memset(now, 0, n * sizeof *now);
        for (size_t i = 0; i < c.count; i++)
            now[c.index[i]] = c.weight[i];
        for (size_t i = 0; step && i < n; i++)
            CHECK(fabs(now[i] - before[i]) < 0.02);
        memcpy(before, now, n * sizeof *now);
    }
    free(before), free(now);
    ap_sphere_free(s);
}

static void below_the_set_its_rim_is_used(void)
{
    size_t n = rings(-40, 90, 5);
    ap_sphere *s = ap_sphere_new((const double(*)[3])set, n);
    for (int azimuth = 0; azimuth < 360; azimuth += 7) {
        ap_corners c = find(s, azimuth, -80);
        for (size_t i = 0; i < c.count; i++) {
            double apart = atan2(set[c.index[i]][1], set[c.index[i]][0]) * 180 / M_PI - azimuth;
            CHECK_NEAR(set[c.index[i]][2], sin(RADIANS(-40)), 1e-9);
            CHECK(fabs(apart - 360 * round(apart / 360)) < 7);
        }
    }
    CHECK(find(s, 0, -90).count >= 1);
    ap_sphere_free(s);
}

static void sets_of_the_horizon_work(void)
{
    size_t n = rings(0, 0, 5);
    ap_sphere *s = ap_sphere_new((const double(*)[3])set, n);
    for (double azimuth = 0; azimuth < 360; azimuth += 1.3) {
        ap_corners level = find(s, azimuth, 0), high = find(s, azimuth, 45);
        CHECK(level.count >= 1 && level.count <= 2 && high.count <= 2);
        CHECK_NEAR(miss(&level, azimuth, 0), 0, 0.01);
        CHECK_NEAR(miss(&high, azimuth, 0), 0, 0.2);
    }
    CHECK(find(s, 10, 90).count >= 1);
    ap_sphere_free(s);
}

static void few_directions_give_the_nearest(void)
{
    direct(30, 0, set[0]);
    direct(-30, 0, set[1]);
    direct(110, 0, set[2]);
    for (size_t n = 1; n <= 3; n++) {
        ap_sphere *s = ap_sphere_new((const double(*)[3])set, n);
        for (double azimuth = -180; azimuth < 180; azimuth += 11)
            for (double elevation = -90; elevation <= 90; elevation += 15) {
                ap_corners c = find(s, azimuth, elevation);
                CHECK(c.count >= 1 && c.index[0] < n);
            }
        CHECK(find(s, 31, 0).index[0] == 0);
        ap_sphere_free(s);
    }
}

static void areas_make_up_the_sphere(void)
{
    size_t n = rings(-90, 90, 5);
    double area[MOST], sum = 0, north = 0;
    ap_sphere *s = ap_sphere_new((const double(*)[3])set, n);
    ap_sphere_areas(s, area);
    for (size_t i = 0; i < n; i++) {
        sum += area[i];
        north += set[i][2] > 1e-9 ? area[i] : set[i][2] > -1e-9 ? area[i] / 2 : 0;
    }
    CHECK_NEAR(sum, 4 * M_PI, 0.1);
    CHECK_NEAR(north, 2 * M_PI, 0.05);
    ap_sphere_free(s);
}

TEST_MAIN(CASE(measured_directions_are_themselves), CASE(mixtures_point_where_they_should),
          CASE(weights_are_continuous), CASE(below_the_set_its_rim_is_used), CASE(sets_of_the_horizon_work),
          CASE(few_directions_give_the_nearest), CASE(areas_make_up_the_sphere))
