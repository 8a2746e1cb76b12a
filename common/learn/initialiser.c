/* initialiser: uniform ranges, and orthonormal vectors by Gram-Schmidt from normal ones. */
#include "common/learn/initialiser.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

static double dot(const double *a, const double *b, size_t length) {
    double sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Takes out of `vector` what lies along the `count` orthonormal vectors of `basis`; returns the norm that is
 * left. */
static double project_out(const double *basis, size_t count, size_t length, double *vector) {
    for (size_t k = 0; k < count; k++) {
        const double *other = basis + k * length;
        double along = dot(other, vector, length);
        for (size_t i = 0; i < length; i++)
            vector[i] -= along * other[i];
    }
    return sqrt(dot(vector, vector, length));
}

/* Row `row` of `basis` becomes a unit vector in a direction uniform among those orthogonal to the rows before
 * it. */
static void draw_orthonormal(double *basis, size_t row, size_t length, struct random_stream *stream) {
    double *vector = basis + row * length;
    double before, after;
    do {
        for (size_t i = 0; i < length; i++)
            vector[i] = random_normal(stream);
        before = project_out(basis, row, length, vector);
        after = project_out(basis, row, length, vector); /* twice is enough (Kahan) */
    } while (before < 1e-6 || after < 0.5 * before);     /* nearly dependent: draw again */
    for (size_t i = 0; i < length; i++)
        vector[i] /= after;
}

static void fill_orthogonal(double gain, size_t in, size_t out, struct random_stream *stream, real *weight) {
    size_t count = in < out ? in : out, length = in < out ? out : in;
    double *basis = memory_grow(NULL, count * length, sizeof *basis, "orthogonal initialisation");
    for (size_t row = 0; row < count; row++)
        draw_orthonormal(basis, row, length, stream);
    for (size_t i = 0; i < in; i++)
        for (size_t o = 0; o < out; o++)
            weight[i * out + o] = (real)(gain * (in < out ? basis[i * length + o] : basis[o * length + i]));
    free(basis);
}

static void fill_uniform(double bound, size_t count, struct random_stream *stream, real *values) {
    for (size_t i = 0; values != NULL && i < count; i++)
        values[i] = (real)(bound * (2 * random_uniform(stream) - 1));
}

void initialiser_fill(const struct initialiser *initialiser, size_t in, size_t out,
                      struct random_stream *stream, real *weight, real *bias) {
    assert(in > 0 && out > 0);
    double gain = initialiser->gain;
    if (bias != NULL)
        memset(bias, 0, out * sizeof *bias);
    switch (initialiser->kind) {
    case INITIALISER_ORTHOGONAL:
        fill_orthogonal(gain, in, out, stream, weight);
        return;
    case INITIALISER_HE:
        fill_uniform(gain * sqrt(6.0 / (double)in), in * out, stream, weight);
        return;
    case INITIALISER_XAVIER:
        fill_uniform(gain * sqrt(6.0 / (double)(in + out)), in * out, stream, weight);
        return;
    case INITIALISER_FAN_IN:
        gain /= sqrt((double)in);
        break;
    case INITIALISER_UNIFORM:
        break;
    }
    fill_uniform(gain, in * out, stream, weight);
    fill_uniform(gain, out, stream, bias);
}
