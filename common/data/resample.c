#include "common/data/resample.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
#define RATIO_MAX 4096
#define RATIO_ERROR 1e-7
#define STOP_DB 80.0
#define PASS_EDGE 0.925 /* of the lower Nyquist frequency */

struct ratio {
    size_t up, down;
};

/* The simplest fraction near `value`, by its continued fraction. */
static bool ratio_find(double value, struct ratio *ratio) {
    double rest = value;
    size_t p0 = 1, q0 = 0, p1 = (size_t)floor(rest), q1 = 1;
    if (!(value > 1e-4 && value < (double)RATIO_MAX))
        return false;
    while (p1 == 0 || fabs((double)p1 / (double)q1 - value) > RATIO_ERROR * value) {
        rest = 1.0 / (rest - floor(rest));
        if (!isfinite(rest) || rest > 1e9)
            return false;
        size_t a = (size_t)floor(rest), p2 = a * p1 + p0, q2 = a * q1 + q0;
        if (p2 > RATIO_MAX || q2 > RATIO_MAX)
            return false;
        p0 = p1, q0 = q1, p1 = p2, q1 = q2;
    }
    *ratio = (struct ratio){p1, q1};
    return true;
}

/* Modified Bessel function of the first kind, order 0, by its power series. */
static double bessel_i0(double x) {
    double term = 1.0, sum = 1.0;
    for (int k = 1; k < 64 && term > 1e-17 * sum; k++) {
        term *= (x / (2.0 * k)) * (x / (2.0 * k));
        sum += term;
    }
    return sum;
}

/* A filter of `half` input samples to either side, tabulated for `up` positions between two input samples.
 * Row r holds the weights of inputs k - half + 1 .. k + half for an output r / up after input k; each row
 * sums to 1. */
struct filter {
    size_t half, up;
    double *weights; /* [up][2 half] */
};

static double filter_weight(double distance, double half, double cut, double beta) {
    double across = distance / half;
    if (fabs(across) >= 1.0)
        return 0.0;
    double x = PI * 2.0 * cut * distance;
    double sinc = fabs(x) < 1e-12 ? 1.0 : sin(x) / x;
    return sinc * bessel_i0(beta * sqrt(1.0 - across * across));
}

/* Kaiser's formulas for the window's shape and length from attenuation and transition width. */
static enum status filter_open(struct filter *filter, struct ratio ratio, struct error *error) {
    double slower = ratio.up < ratio.down ? (double)ratio.up / (double)ratio.down : 1.0;
    double stop = 0.5 * slower, pass = PASS_EDGE * stop; /* cycles per input sample */
    double beta = 0.1102 * (STOP_DB - 8.7);
    filter->half = (size_t)ceil((STOP_DB - 7.95) / (14.36 * (stop - pass)) / 2.0) + 1;
    filter->up = ratio.up;
    size_t taps = 2 * filter->half;
    filter->weights = calloc(ratio.up * taps, sizeof(*filter->weights));
    if (filter->weights == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for a filter of %zu weights", ratio.up * taps);
    for (size_t r = 0; r < ratio.up; r++) {
        double *row = filter->weights + r * taps, sum = 0.0;
        for (size_t t = 0; t < taps; t++) {
            double distance = (double)t - (double)(filter->half - 1) - (double)r / (double)ratio.up;
            row[t] = filter_weight(distance, (double)filter->half, 0.5 * (pass + stop), beta);
            sum += row[t];
        }
        for (size_t t = 0; t < taps; t++)
            row[t] /= sum;
    }
    return STATUS_OK;
}

/* Output n stands at input position (half - 1) + n down / up. Returns how many have their whole filter
 * inside. */
static size_t output_count(const struct filter *filter, struct ratio ratio, size_t count) {
    if (count < 2 * filter->half)
        return 0;
    return (count - 2 * filter->half) * ratio.up / ratio.down + 1;
}

static void filter_run(const struct filter *filter, struct ratio ratio, const float *in, float *out,
                       size_t out_count) {
    size_t taps = 2 * filter->half;
    for (size_t n = 0; n < out_count; n++) {
        size_t position = n * ratio.down, start = position / ratio.up;
        const double *row = filter->weights + (position % ratio.up) * taps;
        double sum = 0.0;
        for (size_t t = 0; t < taps; t++)
            sum += row[t] * (double)in[start + t];
        out[n] = (float)sum;
    }
}

static enum status resample_by(const float *in, size_t count, struct ratio ratio, float **out,
                               size_t *out_count, struct error *error) {
    struct filter filter = {0};
    TRY(filter_open(&filter, ratio, error));
    size_t made = output_count(&filter, ratio, count);
    float *values = made > 0 ? malloc(made * sizeof(*values)) : NULL;
    enum status status = STATUS_OK;
    if (made == 0)
        status =
            error_set(error, STATUS_INVALID, "%zu samples are too few to resample (the filter takes %zu)",
                      count, 2 * filter.half);
    else if (values == NULL)
        status = error_set(error, STATUS_MEMORY, "no memory for %zu samples", made);
    else
        filter_run(&filter, ratio, in, values, made);
    free(filter.weights);
    *out = values;
    *out_count = made;
    return status;
}

enum status resample(const float *in, size_t count, double rate_in_hz, double rate_out_hz, float **out,
                     size_t *out_count, struct error *error) {
    assert(rate_in_hz > 0.0 && rate_out_hz > 0.0);
    struct ratio ratio;
    *out = NULL;
    *out_count = 0;
    if (!ratio_find(rate_out_hz / rate_in_hz, &ratio))
        return error_set(error, STATUS_INVALID,
                         "cannot go from %g Hz to %g Hz by a ratio of integers up to %d", rate_in_hz,
                         rate_out_hz, RATIO_MAX);
    if (ratio.up != ratio.down)
        return resample_by(in, count, ratio, out, out_count, error);
    if (count == 0 || (*out = malloc(count * sizeof(**out))) == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for %zu samples", count);
    memcpy(*out, in, count * sizeof(*in));
    *out_count = count;
    return STATUS_OK;
}
