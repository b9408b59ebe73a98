/* SPDX-License-Identifier: GPL-3.0-or-later
 * sofa.c - sets of head-related impulse responses in SOFA files (AES69), read by libmysofa. */
#include <mysofa.h> /* has a member named I, which <complex.h> defines */

#include "base/error.h"
#include "stages/spatial/sofa.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* MIT KEMAR, as every package of libmysofa installs it. */
#ifndef AP_DEFAULT_SOFA
#define AP_DEFAULT_SOFA "/usr/share/libmysofa/default.sofa"
#endif

/* Sets measured at several distances: only the farthest is used, it is the most like a plane wave. */
#define SAME_DISTANCE 0.95
/* Two measurements closer than this (radians) are of the same direction. */
#define SAME_DIRECTION 1e-3

/* What comes later than this is the room, which is not asked for. */
#define LENGTH_S 0.05

/* What is in it changes while the set does not. */
typedef struct shelf {
    _Atomic(ap_sofa_kept *) kept;
} shelf;

struct ap_sofa {
    shelf *shelf;
    struct MYSOFA_HRTF *file;
    size_t count;
    unsigned *measurement; /* of each direction */
    double (*direction)[3];
};

/* libmysofa has a reader of HDF5 of its own, for files as the netCDF library stores them: it refuses other
 * ones, or takes them for numbers that make no sense. These options of h5repack 1.10 give what libmysofa 1.3
 * reads. */
#define REWRITE                                                                                              \
    "stored as libmysofa cannot read it, or damaged; this rewrites it: h5repack -j1 -k1 -f NONE -l CONTI "   \
    "OLD NEW"

static bool is_hdf5(const char *path)
{
    static const char signature[8] = "\211HDF\r\n\032\n";
    char bytes[8];
    FILE *file = fopen(path, "rbe");
    bool same = file && fread(bytes, 1, 8, file) == 8 && memcmp(bytes, signature, 8) == 0;
    if (file)
        fclose(file);
    return same;
}

static const char *reason(const char *path, int code)
{
    switch (code) {
    case MYSOFA_READ_ERROR:
        return "cannot be read to its end";
    case MYSOFA_INVALID_FORMAT:
    case MYSOFA_INTERNAL_ERROR:
    case MYSOFA_UNSUPPORTED_FORMAT:
        return is_hdf5(path) ? REWRITE : "not a SOFA file";
    case MYSOFA_INVALID_ATTRIBUTES:
        return "its attributes are not those of SimpleFreeFieldHRIR";
    case MYSOFA_INVALID_DIMENSIONS:
    case MYSOFA_INVALID_DIMENSION_LIST:
        return "its dimensions make no sense";
    case MYSOFA_INVALID_COORDINATE_TYPE:
        return "unknown coordinates";
    case MYSOFA_INVALID_RECEIVER_POSITIONS:
    case MYSOFA_RECEIVERS_WITH_RCI_SUPPORTED:
    case MYSOFA_RECEIVERS_WITH_CARTESIAN_SUPPORTED:
        return "its receivers are not two ears";
    case MYSOFA_ONLY_THE_SAME_SAMPLING_RATE_SUPPORTED:
        return "it mixes sample rates";
    default:
        return "not a set of head-related impulse responses";
    }
}

/* Names the dimensions of an array: one set of numbers for all measurements, or one for each. */
static void name_dimensions(const struct MYSOFA_ARRAY *a, unsigned one, const char *of_all,
                            const char *of_each)
{
    for (struct MYSOFA_ATTRIBUTE *t = a->attributes; t; t = t->next)
        if (strcmp(t->name, "DIMENSION_LIST") == 0 && !t->value)
            t->value = strdup(a->elements == one ? of_all : of_each);
}

/* The dimensions are references from object to object, which libmysofa does not follow in every file. What
 * they have to be is told by how many numbers there are; is_sound holds that against the rest. */
static void name_all_dimensions(const struct MYSOFA_HRTF *f)
{
    name_dimensions(&f->ListenerPosition, 3, "I,C", "M,C");
    name_dimensions(&f->ListenerUp, 3, "I,C", "M,C");
    name_dimensions(&f->ListenerView, 3, "I,C", "M,C");
    name_dimensions(&f->SourcePosition, 3, "I,C", "M,C");
    name_dimensions(&f->ReceiverPosition, 3 * f->R, "R,C,I", "R,C,M");
    name_dimensions(&f->EmitterPosition, 3 * f->E, "E,C,I", "E,C,M");
    name_dimensions(&f->DataSamplingRate, 1, "I", "M");
    name_dimensions(&f->DataDelay, f->R, "I,R", "M,R");
    name_dimensions(&f->DataIR, 0, "", "M,R,N");
}

static struct MYSOFA_HRTF *load(const char *path, ap_error *err)
{
    int code = 0;
    struct MYSOFA_HRTF *file = mysofa_load(path, &code);
    if (file) {
        name_all_dimensions(file);
        code = mysofa_check(file);
    }
    if (file && code == MYSOFA_OK)
        return file;
    if (file)
        mysofa_free(file);
    if (code == MYSOFA_NO_MEMORY)
        ap_fail_memory(err);
    else if (code > 0 && code < MYSOFA_INVALID_FORMAT)
        ap_fail_errno(err, code, "cannot open '%s'", path);
    else
        ap_fail(err, AP_FAILED, "cannot use '%s' as HRTF set: %s", path, reason(path, code));
    return NULL;
}

/* What the rest relies on; mysofa_check leaves some of it open. It does see to it that the left ear comes
 * first. */
static bool is_sound(const struct MYSOFA_HRTF *f)
{
    if (f->R != 2 || f->M < 1 || f->N < 8 || f->N > 1 << 16 || f->M > 1 << 16 || f->C != 3)
        return false;
    if (f->DataIR.elements != (size_t)f->M * f->R * f->N || f->SourcePosition.elements != 3 * f->M)
        return false;
    if (f->DataSamplingRate.elements < 1 || !(f->DataSamplingRate.values[0] >= 8000) ||
        !(f->DataSamplingRate.values[0] <= AP_MAX_RATE))
        return false;
    return true;
}

/* A head hears something from everywhere: what is silent or not a number was not read right. */
static bool has_responses(const struct MYSOFA_HRTF *f)
{
    for (size_t i = 0; i < (size_t)f->M * f->R; i++) {
        const float *h = f->DataIR.values + i * f->N;
        float sum = 0;
        for (unsigned n = 0; n < f->N; n++)
            sum += fabsf(h[n]);
        if (!(sum > 0 && sum < 1e6f))
            return false;
    }
    return true;
}

static double radius(const float *xyz)
{
    return sqrt((double)(xyz[0] * xyz[0] + xyz[1] * xyz[1] + xyz[2] * xyz[2]));
}

static bool is_new(const ap_sofa *s, const double *d)
{
    for (size_t i = 0; i < s->count; i++) {
        double x = s->direction[i][0] - d[0], y = s->direction[i][1] - d[1], z = s->direction[i][2] - d[2];
        if (x * x + y * y + z * z < SAME_DIRECTION * SAME_DIRECTION)
            return false;
    }
    return true;
}

static bool collect_directions(ap_sofa *s)
{
    const struct MYSOFA_HRTF *f = s->file;
    const float *xyz = f->SourcePosition.values;
    double farthest = 0;
    s->measurement = malloc(f->M * sizeof *s->measurement);
    s->direction = malloc(f->M * sizeof *s->direction);
    if (!s->measurement || !s->direction)
        return false;
    for (unsigned m = 0; m < f->M; m++)
        farthest = fmax(farthest, radius(xyz + 3 * m));
    for (unsigned m = 0; m < f->M; m++) {
        double r = radius(xyz + 3 * m), *d = s->direction[s->count];
        if (!(r > 0) || r < SAME_DISTANCE * farthest)
            continue;
        for (int i = 0; i < 3; i++)
            d[i] = (double)xyz[3 * m + (unsigned)i] / r;
        if (is_new(s, d))
            s->measurement[s->count++] = m;
    }
    return true;
}

ap_sofa *ap_sofa_open(const char *path, ap_error *err)
{
    path = path ? path : AP_DEFAULT_SOFA;
    ap_sofa *s = calloc(1, sizeof *s);
    if (!s) {
        ap_fail_memory(err);
        return NULL;
    }
    if (!(s->shelf = calloc(1, sizeof *s->shelf))) {
        ap_fail_memory(err);
        goto fail;
    }
    if (!(s->file = load(path, err)))
        goto fail;
    mysofa_tocartesian(s->file);
    if (!is_sound(s->file)) {
        ap_fail(err, AP_FAILED, "cannot use '%s' as HRTF set: its dimensions make no sense", path);
        goto fail;
    }
    if (!has_responses(s->file)) {
        ap_fail(err, AP_FAILED, "cannot use '%s' as HRTF set: responses are silent or not numbers: %s", path,
                REWRITE);
        goto fail;
    }
    if (!collect_directions(s)) {
        ap_fail_memory(err);
        goto fail;
    }
    if (s->count)
        return s;
    ap_fail(err, AP_FAILED, "cannot use '%s' as HRTF set: it has no directions", path);
fail:
    ap_sofa_close(s);
    return NULL;
}

void ap_sofa_close(ap_sofa *s)
{
    if (!s)
        return;
    ap_sofa_kept *kept = s->shelf ? ap_sofa_swap(s, NULL) : NULL;
    if (kept)
        kept->destroy(kept);
    free(s->shelf);
    if (s->file)
        mysofa_free(s->file);
    free(s->measurement);
    free(s->direction);
    free(s);
}

ap_sofa_kept *ap_sofa_swap(const ap_sofa *s, ap_sofa_kept *kept)
{
    return atomic_exchange(&s->shelf->kept, kept);
}

double ap_sofa_rate(const ap_sofa *s)
{
    return (double)s->file->DataSamplingRate.values[0];
}

size_t ap_sofa_length(const ap_sofa *s)
{
    double most = LENGTH_S * ap_sofa_rate(s);
    return s->file->N < most ? s->file->N : (size_t)most;
}

size_t ap_sofa_directions(const ap_sofa *s, const double (**direction)[3])
{
    *direction = (const double(*)[3])s->direction;
    return s->count;
}

const float *ap_sofa_response(const ap_sofa *s, size_t direction, int ear)
{
    return s->file->DataIR.values + ((size_t)s->measurement[direction] * 2 + (size_t)ear) * s->file->N;
}

double ap_sofa_delay(const ap_sofa *s, size_t direction, int ear)
{
    const struct MYSOFA_ARRAY *d = &s->file->DataDelay;
    size_t at = (size_t)ear;
    if (d->elements == s->file->M * 2)
        at += (size_t)s->measurement[direction] * 2;
    return at < d->elements ? (double)d->values[at] : 0;
}
