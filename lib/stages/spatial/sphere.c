/* SPDX-License-Identifier: GPL-3.0-or-later
 * sphere.c - triangles between directions on a sphere: their convex hull, grown point by point. */
#include "stages/spatial/sphere.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A pole farther than this (cosine; 25 degrees) from any direction gets a ghost: a corner without data. Sets
 * stop at 40 degrees below the horizon, or know the horizon only; triangles across such a hole would mix what
 * lies on opposite sides of it. */
#define GHOST_COSINE 0.906
/* Measured directions come in rings, where four points lie in a plane. Moved by so much (radians), they do
 * not, and every quadrangle falls into two triangles. */
#define JITTER 1e-6

/* Weights too small to matter: of the corner opposite to the edge that a direction lies on. */
#define NEGLIGIBLE 1e-5
#define TOLERANCE 1e-9

typedef double vec[3];

typedef struct face {
    size_t corner[3]; /* counter-clockwise, seen from outside */
    vec normal;
    double offset;
    double inverse[3][3]; /* of the matrix of the corners: weights of a direction */
} face;

struct ap_sphere {
    size_t real, count; /* directions, also with ghosts */
    vec *point;
    face *faces;
    size_t face_count;
    size_t (*edge)[2]; /* scratch: edges of the faces that a point sees */
};

static double dot(const double *a, const double *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void cross(const double *a, const double *b, double *out)
{
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}

static void normalize(double *a)
{
    double length = sqrt(dot(a, a));
    for (int i = 0; i < 3; i++)
        a[i] /= length;
}

/* ---- points */

static void add_ghost(ap_sphere *s, double z)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->point[i][2] * z > GHOST_COSINE)
            return;
    memcpy(s->point[s->count++], (vec){0, 0, z}, sizeof(vec));
}

static void jitter(ap_sphere *s)
{
    uint32_t state = 1;
    for (size_t i = 0; i < s->count; i++) {
        for (int k = 0; k < 3; k++) {
            state = state * 1664525 + 1013904223; /* Numerical Recipes */
            s->point[i][k] += JITTER * ((double)(state >> 8) * 0x1p-23 - 1);
        }
        normalize(s->point[i]);
    }
}

/* ---- the hull */

static void add_face(ap_sphere *s, size_t a, size_t b, size_t c)
{
    face *f = &s->faces[s->face_count++];
    vec ab, ac;
    for (int i = 0; i < 3; i++) {
        ab[i] = s->point[b][i] - s->point[a][i];
        ac[i] = s->point[c][i] - s->point[a][i];
    }
    *f = (face){.corner = {a, b, c}};
    cross(ab, ac, f->normal);
    f->offset = dot(f->normal, s->point[a]);
}

static bool sees(const ap_sphere *s, size_t point, const face *f)
{
    return dot(f->normal, s->point[point]) > f->offset;
}

/* Removes the faces that the point sees; their edges go to s->edge. */
static size_t remove_visible(ap_sphere *s, size_t point)
{
    size_t edges = 0;
    for (size_t i = 0; i < s->face_count;) {
        const face *f = &s->faces[i];
        if (!sees(s, point, f)) {
            i++;
            continue;
        }
        for (int k = 0; k < 3; k++, edges++) {
            s->edge[edges][0] = f->corner[k];
            s->edge[edges][1] = f->corner[(k + 1) % 3];
        }
        s->faces[i] = s->faces[--s->face_count];
    }
    return edges;
}

/* An edge between two faces that are both gone appears in both directions. */
static bool is_rim(const ap_sphere *s, size_t edges, size_t at)
{
    for (size_t i = 0; i < edges; i++)
        if (s->edge[i][0] == s->edge[at][1] && s->edge[i][1] == s->edge[at][0])
            return false;
    return true;
}

static void add_point(ap_sphere *s, size_t point)
{
    size_t edges = remove_visible(s, point);
    for (size_t i = 0; i < edges; i++)
        if (is_rim(s, edges, i))
            add_face(s, s->edge[i][0], s->edge[i][1], point);
}

/* Four points that are not in a plane, first in order. false if there are none. */
static bool find_tetrahedron(const ap_sphere *s, size_t *order)
{
    double best = 0;
    for (size_t k = 1; k < 4; k++) {
        size_t pick = k;
        best = 0;
        for (size_t i = k; i < s->count; i++) {
            const double *o = s->point[order[0]], *p = s->point[order[i]];
            vec a, b, c, n;
            for (int j = 0; j < 3; j++) {
                a[j] = s->point[order[1]][j] - o[j];
                b[j] = s->point[order[2]][j] - o[j];
                c[j] = p[j] - o[j];
            }
            cross(a, k == 2 ? c : b, n);
            double size = k == 1 ? dot(c, c) : k == 2 ? dot(n, n) : fabs(dot(n, c));
            if (size > best)
                best = size, pick = i;
        }
        size_t swap = order[k];
        order[k] = order[pick];
        order[pick] = swap;
    }
    return best > 1e-3;
}

/* In random order few faces are seen by the next point, so few are replaced. */
static void shuffle(size_t *order, size_t count)
{
    uint32_t state = 7;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count - 1; i > 0; i--) {
        state = state * 1664525 + 1013904223;
        size_t k = (state >> 8) % (i + 1), swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
}

static bool grow_hull(ap_sphere *s)
{
    size_t *o = malloc(s->count * sizeof *o);
    if (!o)
        return false;
    shuffle(o, s->count);
    bool fine = s->count >= 4 && find_tetrahedron(s, o);
    if (fine) {
        for (int k = 0; k < 4; k++) { /* each face turns its back on the point that it leaves out */
            size_t p = o[(k + 1) % 4], q = o[(k + 2) % 4], r = o[(k + 3) % 4];
            add_face(s, p, q, r);
            if (!sees(s, o[k], &s->faces[k]))
                continue;
            s->face_count--;
            add_face(s, p, r, q);
        }
        for (size_t i = 4; i < s->count; i++)
            add_point(s, o[i]);
    }
    free(o);
    return fine;
}

static void invert(const ap_sphere *s, face *f)
{
    const double *a = s->point[f->corner[0]], *b = s->point[f->corner[1]], *c = s->point[f->corner[2]];
    cross(b, c, f->inverse[0]);
    cross(c, a, f->inverse[1]);
    cross(a, b, f->inverse[2]);
    double determinant = dot(a, f->inverse[0]);
    for (int i = 0; i < 9; i++)
        f->inverse[i / 3][i % 3] /= determinant;
}

void ap_sphere_free(ap_sphere *s)
{
    if (!s)
        return;
    free(s->point);
    free(s->faces);
    free(s->edge);
    free(s);
}

ap_sphere *ap_sphere_new(const double (*direction)[3], size_t count)
{
    ap_sphere *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->real = s->count = count;
    s->point = malloc((count + 2) * sizeof *s->point);
    s->faces = malloc((2 * (count + 2)) * sizeof *s->faces);
    s->edge = malloc((6 * (count + 2)) * sizeof *s->edge);
    if (!s->point || !s->faces || !s->edge)
        goto fail;
    memcpy(s->point, direction, count * sizeof *s->point);
    add_ghost(s, 1);
    add_ghost(s, -1);
    jitter(s);
    if (!grow_hull(s))
        s->face_count = 0;
    for (size_t i = 0; i < s->face_count; i++)
        invert(s, &s->faces[i]);
    return s;
fail:
    ap_sphere_free(s);
    return NULL;
}

/* ---- lookup */

/* The least of the three weights of a direction in a face; inside it none is negative. */
static double weigh(const face *f, const double *d, double weight[3])
{
    for (int i = 0; i < 3; i++)
        weight[i] = dot(f->inverse[i], d);
    return fmin(weight[0], fmin(weight[1], weight[2]));
}

static void nearest(const ap_sphere *s, const double *d, ap_corners *out)
{
    size_t best = 0;
    for (size_t i = 1; i < s->real; i++)
        if (dot(s->point[i], d) > dot(s->point[best], d))
            best = i;
    *out = (ap_corners){.count = 1, .index = {best}, .weight = {1}};
}

/* Keeps the corners that have data and count; their weights add up to 1. */
static void choose(const ap_sphere *s, const face *f, const double weight[3], ap_corners *out)
{
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        if (f->corner[i] >= s->real || weight[i] < NEGLIGIBLE)
            continue;
        out->index[out->count] = f->corner[i];
        out->weight[out->count++] = weight[i];
        sum += weight[i];
    }
    for (size_t i = 0; i < out->count; i++)
        out->weight[i] /= sum;
}

void ap_sphere_find(const ap_sphere *s, const double direction[3], size_t *hint, ap_corners *out)
{
    double weight[3];
    if (*hint >= s->face_count || weigh(&s->faces[*hint], direction, weight) < 0)
        for (*hint = 0; *hint < s->face_count; ++*hint)
            if (weigh(&s->faces[*hint], direction, weight) >= -TOLERANCE)
                break;
    out->count = 0;
    if (*hint < s->face_count)
        choose(s, &s->faces[*hint], weight, out);
    if (!out->count) /* a ghost, or outside of a set that covers a part of the sphere */
        nearest(s, direction, out);
}

void ap_sphere_areas(const ap_sphere *s, double *area)
{
    for (size_t i = 0; i < s->real; i++)
        area[i] = s->face_count ? 0 : 1;
    for (size_t i = 0; i < s->face_count; i++) {
        const face *f = &s->faces[i];
        for (int k = 0; k < 3; k++)
            if (f->corner[k] < s->real)
                area[f->corner[k]] += sqrt(dot(f->normal, f->normal)) / 6;
    }
}
