/* SPDX-License-Identifier: GPL-3.0-or-later
 * HRTFs: what comes out is what was measured (apart from the equaliser), between the measured directions too.
 */
#include "stages/spatial/hrtf.h"
#include "dsp/fft.h"
#include "stages/spatial/renderer.h"
#include "stages/spatial/sofa.h"
#include "stages/spatial/sphere.h"
#include "test.h"

#include <unistd.h>

#define RATE 44100
#define BLOCK 512
#define THIRDS 16 /* from 500 Hz to 16 kHz */
#define RADIANS(degrees) ((degrees)*M_PI / 180)

typedef struct heard {
    float complex bins[2][4096 + 1];
    double delay[2];
} heard;

static heard *at(ap_hrtf *h, double azimuth_deg, double elevation_deg)
{
    static size_t hint;
    heard *e = malloc(sizeof *e);
    static float parts[4][4096 + 1];
    const ap_split bins[2] = {{parts[0], parts[1]}, {parts[2], parts[3]}};
    ap_hrtf_at(h, RADIANS(azimuth_deg), RADIANS(elevation_deg), &hint, bins, e->delay);
    for (int ear = 0; ear < 2; ear++)
        for (int k = 0; k <= 4096; k++)
            e->bins[ear][k] = CMPLXF(bins[ear].re[k], bins[ear].im[k]);
    return e;
}

/* Level in a third of an octave, dB. */
static double third(const float complex *bins, size_t size, double rate, int number)
{
    double centre = 500 * pow(2, number / 3.0) * (double)size / rate, sum = 0;
    size_t from = (size_t)ceil(centre * pow(2, -1 / 6.0)), to = (size_t)floor(centre * pow(2, 1 / 6.0));
    for (size_t k = from; k <= to; k++)
        sum += crealf(bins[k]) * crealf(bins[k]) + cimagf(bins[k]) * cimagf(bins[k]);
    return 10 * log10(sum / (double)(to - from + 1) + 1e-30);
}

/* The measured response, as it is in the file. */
static void measured(const ap_sofa *s, size_t direction, int ear, float complex bins[BLOCK + 1])
{
    static ap_fft *fft;
    float *time = ap_fft_alloc(2 * BLOCK, sizeof *time);
    float complex *out = ap_fft_alloc(BLOCK + 1, sizeof *out);
    if (!fft)
        fft = ap_fft_new(2 * BLOCK);
    memcpy(time, ap_sofa_response(s, direction, ear), 512 * sizeof *time);
    ap_fft_forward(fft, time, out);
    memcpy(bins, out, (BLOCK + 1) * sizeof *out);
    free(time), free(out);
}

static double azimuth_of(const double *d)
{
    return atan2(d[1], d[0]) * 180 / M_PI;
}

static double elevation_of(const double *d)
{
    return asin(fmax(-1, fmin(1, d[2]))) * 180 / M_PI;
}

/* All directions have the measured magnitude times one equaliser, the same for all: the mean ratio. */
static void magnitudes_are_those_measured(void)
{
    const double(*direction)[3];
    ap_hrtf *h = ap_hrtf_open(NULL, NULL, RATE, BLOCK, NULL);
    ap_sofa *s = ap_sofa_open(NULL, NULL);
    size_t count = ap_sofa_directions(s, &direction);
    float complex(*is)[BLOCK + 1] = calloc(2 * count, sizeof *is),
                               (*ought)[BLOCK + 1] = calloc(2 * count, sizeof *is);
    CHECK(count == 710);
    for (size_t i = 0; i < count; i++) {
        heard *e = at(h, azimuth_of(direction[i]), elevation_of(direction[i]));
        for (size_t ear = 0; ear < 2; ear++) {
            memcpy(is[2 * i + ear], e->bins[ear], sizeof *is);
            measured(s, i, (int)ear, ought[2 * i + ear]);
        }
        free(e);
    }
    for (int k = 1; k <= BLOCK; k++) {
        double mean = 0;
        for (size_t i = 0; i < 2 * count; i++)
            mean += log(cabsf(is[i][k]) / cabsf(ought[i][k])) / (2 * count);
        for (size_t i = 0; i < 2 * count; i++)
            ought[i][k] *= (float)exp(mean);
    }
    double squares = 0, most = 0;
    for (size_t i = 0; i < 2 * count; i++)
        for (int t = 0; t < THIRDS; t++) {
            double off = third(is[i], 2 * BLOCK, RATE, t) - third(ought[i], 2 * BLOCK, RATE, t);
            squares += off * off / (2 * count * THIRDS);
            most = fmax(most, fabs(off));
        }
    CHECK(sqrt(squares) < 0.05 && most < 0.5);
    if (getenv("VERBOSE"))
        fprintf(stderr, "magnitudes: rms %.3f most %.3f dB\n", sqrt(squares), most);
    free(is), free(ought);
    ap_sofa_close(s);
    ap_hrtf_free(h);
}

static void average_around_the_horizon_is_flat(void)
{
    const double(*direction)[3];
    ap_hrtf *h = ap_hrtf_open(NULL, NULL, RATE, BLOCK, NULL);
    ap_sofa *s = ap_sofa_open(NULL, NULL);
    size_t count = ap_sofa_directions(s, &direction);
    ap_sphere *sphere = ap_sphere_new(direction, count);
    double *area = calloc(count, sizeof *area), total = 0, power[THIRDS] = {0};
    ap_sphere_areas(sphere, area);
    for (size_t i = 0; i < count; i++) {
        if (fabs(elevation_of(direction[i])) > 24)
            continue;
        heard *e = at(h, azimuth_of(direction[i]), elevation_of(direction[i]));
        total += area[i];
        for (int t = 0; t < THIRDS; t++)
            power[t] += area[i] * pow(10, third(e->bins[0], 2 * BLOCK, RATE, t) / 10);
        free(e);
    }
    for (int t = 0; t < THIRDS; t++)
        CHECK_NEAR(10 * log10(power[t] / total), 0, 1);
    free(area);
    ap_sphere_free(sphere);
    ap_sofa_close(s);
    ap_hrtf_free(h);
}

/* The lag at which the ears agree best between 400 and 1500 Hz, in microseconds. */
static double interaural_us(const float complex *left, const float complex *right, double delay)
{
    double best = 0, best_lag = 0;
    for (double lag = -900; lag <= 900; lag += 2) {
        double sum = 0;
        for (int k = (int)(400.0 / RATE * 2 * BLOCK); k <= (int)(1500.0 / RATE * 2 * BLOCK); k++) {
            double hz = k * (double)RATE / (2 * BLOCK), turn = 2 * M_PI * hz * (lag - delay) * 1e-6;
            double complex c = (double complex)left[k] * conj((double complex)right[k]);
            sum += (creal(c) * cos(turn) + cimag(c) * sin(turn)) / cabs(c);
        }
        if (sum > best)
            best = sum, best_lag = lag;
    }
    return -best_lag;
}

static void interaural_times_are_those_measured(void)
{
    const double(*direction)[3];
    ap_hrtf *h = ap_hrtf_open(NULL, NULL, RATE, BLOCK, NULL);
    ap_sofa *s = ap_sofa_open(NULL, NULL);
    size_t count = ap_sofa_directions(s, &direction);
    double squares = 0, largest = 0;
    int seen = 0;
    for (size_t i = 0; i < count; i++) {
        if (fabs(direction[i][2]) > 1e-3)
            continue;
        float complex left[BLOCK + 1], right[BLOCK + 1];
        heard *e = at(h, azimuth_of(direction[i]), 0);
        measured(s, i, 0, left);
        measured(s, i, 1, right);
        double is = interaural_us(e->bins[0], e->bins[1], (e->delay[1] - e->delay[0]) / RATE * 1e6);
        double ought = interaural_us(left, right, 0);
        squares += (is - ought) * (is - ought);
        largest = fmax(largest, fabs(is));
        CHECK_NEAR(is, ought, 4);
        seen++;
        free(e);
    }
    CHECK(seen == 72 && sqrt(squares / seen) < 2);
    CHECK(largest > 600 && largest < 800);
    if (getenv("VERBOSE"))
        fprintf(stderr, "ITD error rms %.1f us, largest ITD %.0f us\n", sqrt(squares / seen), largest);
    ap_sofa_close(s);
    ap_hrtf_free(h);
}

/* How far what is heard is off, in dB, at the ear on the side of the source and at both, and in frames. */
typedef struct misfit {
    size_t near_count, count;
    double near_squares, near_most, squares, most, delay_most;
} misfit;

static void compare(const heard *is, const heard *ought, const double direction[3], misfit *m)
{
    for (int ear = 0; ear < 2; ear++)
        for (int t = 0; t < THIRDS; t++) {
            double off =
                third(is->bins[ear], 2 * BLOCK, RATE, t) - third(ought->bins[ear], 2 * BLOCK, RATE, t);
            bool near = (ear ? -1 : 1) * direction[1] > -0.3;
            m->near_squares += near ? off * off : 0;
            m->near_count += near;
            m->near_most = near ? fmax(m->near_most, fabs(off)) : m->near_most;
            m->squares += off * off;
            m->count++;
            m->most = fmax(m->most, fabs(off));
            m->delay_most = fmax(m->delay_most, fabs(is->delay[ear] - ought->delay[ear]));
        }
}

/* What is heard from the corners of a triangle. */
static heard *blend(ap_hrtf *h, const ap_corners *c, double (*const set)[3])
{
    heard *is = calloc(1, sizeof *is);
    for (size_t k = 0; k < c->count; k++) {
        const double *d = set[c->index[k]];
        heard *part = at(h, azimuth_of(d), elevation_of(d));
        for (int ear = 0; ear < 2; ear++) {
            for (int b = 0; b <= BLOCK; b++)
                is->bins[ear][b] += (float)c->weight[k] * part->bins[ear][b];
            is->delay[ear] += c->weight[k] * part->delay[ear];
        }
        free(part);
    }
    return is;
}

/* Each direction near the horizon, from the triangles of a set that lacks it. */
static void directions_left_out_are_found_again(void)
{
    const double(*direction)[3];
    ap_hrtf *h = ap_hrtf_open(NULL, NULL, RATE, BLOCK, NULL);
    ap_sofa *s = ap_sofa_open(NULL, NULL);
    size_t count = ap_sofa_directions(s, &direction), seen = 0;
    double(*rest)[3] = malloc(count * sizeof *rest);
    misfit m = {0};
    for (size_t i = 0; i < count; i++) {
        if (fabs(elevation_of(direction[i])) > 21 || i % 3)
            continue;
        memcpy(rest, direction, count * sizeof *rest);
        memcpy(rest[i], rest[count - 1], sizeof *rest);
        ap_sphere *sphere = ap_sphere_new((const double(*)[3])rest, count - 1);
        ap_corners c;
        size_t hint = 0;
        ap_sphere_find(sphere, direction[i], &hint, &c);
        heard *ought = at(h, azimuth_of(direction[i]), elevation_of(direction[i])), *is = blend(h, &c, rest);
        compare(is, ought, direction[i], &m);
        seen++;
        free(is), free(ought);
        ap_sphere_free(sphere);
    }
    const double near_rms = sqrt(m.near_squares / (double)m.near_count),
                 rms = sqrt(m.squares / (double)m.count);
    CHECK(seen > 100);
    CHECK(near_rms < 0.3 && m.near_most < 2.5);
    CHECK(rms < 0.8 && m.most < 8);
    CHECK(m.delay_most < 4);
    if (getenv("VERBOSE"))
        fprintf(stderr, "left out: near ear rms %.2f dB most %.2f, both %.2f %.2f, delay %.2f frames\n",
                near_rms, m.near_most, rms, m.most, m.delay_most);
    free(rest);
    ap_sofa_close(s);
    ap_hrtf_free(h);
}

/* No flutter: half way between two measured directions the level from 6 to 16 kHz is between theirs. */
static void level_does_not_dip_between_directions(void)
{
    ap_hrtf *h = ap_hrtf_open(NULL, NULL, RATE, BLOCK, NULL);
    double worst = 0, mean = 0;
    for (int azimuth = 0; azimuth < 360; azimuth += 5) {
        heard *a = at(h, azimuth, 0), *b = at(h, azimuth + 2.5, 0), *c = at(h, azimuth + 5, 0);
        for (int ear = 0; ear < 2; ear++) {
            double level[3] = {0};
            for (int t = 11; t < THIRDS; t++) {
                level[0] += pow(10, third(a->bins[ear], 2 * BLOCK, RATE, t) / 10);
                level[1] += pow(10, third(b->bins[ear], 2 * BLOCK, RATE, t) / 10);
                level[2] += pow(10, third(c->bins[ear], 2 * BLOCK, RATE, t) / 10);
            }
            double dip = 10 * log10(2 * level[1] / (level[0] + level[2]));
            worst = fmin(worst, dip);
            mean += dip / 144;
        }
        free(a), free(b), free(c);
    }
    CHECK(worst > -1.2 && mean > -0.15);
    if (getenv("VERBOSE"))
        fprintf(stderr, "dip worst %.2f mean %.2f dB\n", worst, mean);
    ap_hrtf_free(h);
}

static void every_rate_sounds_the_same(void)
{
    static const struct {
        uint32_t rate;
        double tolerance;
        int thirds;
    } rates[] = {{8000, 0.7, 8},   {22050, 0.5, 13}, {32000, 0.3, 14}, {44101, 0.1, 16},
                 {48000, 0.3, 16}, {96000, 0.4, 16}, {192000, 0.4, 16}};
    ap_hrtf *reference = ap_hrtf_open(NULL, NULL, RATE, BLOCK, NULL);
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        size_t block = ap_spatial_block(rates[r].rate);
        ap_hrtf *h = ap_hrtf_open(NULL, NULL, rates[r].rate, block, NULL);
        for (int azimuth = -130; azimuth <= 130; azimuth += 65) {
            heard *a = at(reference, azimuth, 0), *b = at(h, azimuth, 0);
            for (int ear = 0; ear < 2; ear++) {
                CHECK_NEAR(b->delay[ear] / rates[r].rate, a->delay[ear] / RATE, 20e-6);
                for (int t = 3; t < rates[r].thirds; t++)
                    if (!CHECK_NEAR(third(b->bins[ear], 2 * block, rates[r].rate, t),
                                    third(a->bins[ear], 2 * BLOCK, RATE, t),
                                    t < 6 ? 0.8 : rates[r].tolerance))
                        fprintf(stderr, "rate %u azimuth %d third %d\n", rates[r].rate, azimuth, t);
            }
            free(a), free(b);
        }
        ap_hrtf_free(h);
    }
    ap_hrtf_free(reference);
}

/* The set's delays are Woodworth's for a sphere of 8.75 cm (make-sofa); its filters are minimum phase, as is.
 */
static void delays_in_the_file_are_used(void)
{
    ap_hrtf *h = ap_hrtf_open("tests/data/horizon.sofa", NULL, 48000, BLOCK, NULL);
    for (int azimuth = -180; azimuth < 180; azimuth += 5) {
        double lateral = asin(sin(RADIANS(azimuth))), itd = 0.0875 / 343 * (lateral + sin(lateral)) * 48000;
        heard *e = at(h, azimuth, 0), *high = at(h, azimuth, 60);
        CHECK_NEAR(e->delay[1] - e->delay[0], itd, 0.3);
        CHECK_NEAR(e->delay[1] + e->delay[0], 0, 0.3);
        CHECK_NEAR(high->delay[0], e->delay[0], 0.6);
        free(e), free(high);
    }
    ap_hrtf_free(h);
}

/* What is made of a set for one stream serves the next; two at a time have their own. */
static void tables_stay_with_the_set(void)
{
    ap_sofa *s = ap_sofa_open("tests/data/horizon.sofa", NULL);
    ap_hrtf *a = ap_hrtf_open(NULL, s, RATE, BLOCK, NULL), *b = ap_hrtf_open(NULL, s, RATE, BLOCK, NULL);
    CHECK(a && b && a != b);
    ap_hrtf_free(a);
    ap_hrtf *again = (ap_hrtf *)ap_sofa_swap(s, NULL);
    CHECK(again == a);
    ap_hrtf_free(again);
    again = ap_hrtf_open(NULL, s, RATE, BLOCK, NULL);
    CHECK(again == a && !ap_sofa_swap(s, NULL));
    ap_hrtf_free(again);
    ap_hrtf_free(b);
    ap_hrtf *other = ap_hrtf_open(NULL, s, 48000, BLOCK, NULL);
    heard *e = at(other, 30, 0);
    CHECK(other && e->delay[0] < e->delay[1]);
    free(e);
    ap_hrtf_free(other);
    ap_sofa_close(s);
}

static void bad_sets_are_refused(void)
{
    char path[] = "/tmp/ap-hrtf-XXXXXX";
    int fd = mkstemp(path);
    ap_error err = {0};
    CHECK(!ap_sofa_open("/nonexistent/x.sofa", &err));
    CHECK(err.code == AP_FAILED && strstr(err.message, "'/nonexistent/x.sofa': No such file"));
    CHECK(!ap_sofa_open("/", &err) && err.code == AP_FAILED);
    CHECK(!ap_sofa_open(path, &err) && err.code == AP_FAILED && strstr(err.message, path));
    CHECK(write(fd, "hello, this is not a SOFA file at all\n", 38) == 38);
    CHECK(!ap_sofa_open(path, &err) && err.code == AP_FAILED && strstr(err.message, "not a SOFA file"));
    CHECK(!ap_hrtf_open(path, NULL, RATE, BLOCK, &err) && err.code == AP_FAILED);
    close(fd);
    unlink(path);
}

TEST_MAIN(CASE(magnitudes_are_those_measured), CASE(average_around_the_horizon_is_flat),
          CASE(interaural_times_are_those_measured), CASE(directions_left_out_are_found_again),
          CASE(level_does_not_dip_between_directions), CASE(every_rate_sounds_the_same),
          CASE(delays_in_the_file_are_used), CASE(tables_stay_with_the_set), CASE(bad_sets_are_refused))
