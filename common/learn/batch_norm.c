#include "common/learn/batch_norm.h"

#include <assert.h>
#include <string.h>

enum { SUM_ROWS = 128, CHUNK = 64 /* channels at a time */ };

/* What is summed over rows, for channels [first, first + count) of one row. */
struct sums {
    real a[CHUNK], b[CHUNK];
};

typedef void row_function(const struct batch_norm *norm, const real *x, const real *dy, size_t first,
                          size_t count, struct sums *sums);

/* Sums over rows in pieces of SUM_ROWS, so that many rows lose no digits. */
static struct sums over_rows(const struct batch_norm *norm, const struct batch_norm_pass *pass,
                             const real *dy, size_t first, row_function *row_add) {
    struct sums total = {{0}, {0}};
    size_t count = norm->channels - first < CHUNK ? norm->channels - first : CHUNK;
    for (size_t begin = 0; begin < pass->rows; begin += SUM_ROWS) {
        struct sums piece = {{0}, {0}};
        for (size_t row = begin; row < pass->rows && row < begin + SUM_ROWS; row++) {
            size_t at = row * norm->channels + first;
            row_add(norm, pass->x + at, dy + at, first, count, &piece);
        }
        for (size_t channel = 0; channel < count; channel++) {
            total.a[channel] += piece.a[channel];
            total.b[channel] += piece.b[channel];
        }
    }
    return total;
}

static void add_value(const struct batch_norm *norm, const real *x, const real *dy, size_t first,
                      size_t count, struct sums *sums) {
    (void)norm, (void)dy, (void)first;
    for (size_t channel = 0; channel < count; channel++)
        sums->a[channel] += x[channel];
}

static void add_deviation(const struct batch_norm *norm, const real *x, const real *dy, size_t first,
                          size_t count, struct sums *sums) {
    (void)dy;
    for (size_t channel = 0; channel < count; channel++) {
        real deviation = x[channel] - norm->mean[first + channel];
        sums->a[channel] += deviation * deviation;
    }
}

static void add_gradient(const struct batch_norm *norm, const real *x, const real *dy, size_t first,
                         size_t count, struct sums *sums) {
    for (size_t channel = 0; channel < count; channel++) {
        real normalised = (x[channel] - norm->mean[first + channel]) * norm->scale[first + channel];
        sums->a[channel] += dy[channel] * normalised;
        sums->b[channel] += dy[channel];
    }
}

static void normalise(const struct batch_norm *norm, const real *x, size_t rows, real *y) {
    for (size_t row = 0; row < rows; row++, x += norm->channels, y += norm->channels)
        for (size_t channel = 0; channel < norm->channels; channel++)
            y[channel] = (x[channel] - norm->mean[channel]) * norm->scale[channel] * norm->gamma[channel] +
                         norm->beta[channel];
}

static real scale_of(const struct batch_norm *norm, real variance) {
    return 1 / real_sqrt(variance + (real)norm->epsilon);
}

void batch_norm_train(struct batch_norm *norm, const real *x, size_t rows, real *running[2], real *y) {
    assert(rows >= 2);
    const real momentum = (real)norm->momentum, unbiased = (real)rows / (real)(rows - 1);
    struct batch_norm_pass pass = {.x = x, .rows = rows};
    norm->training = true;
    for (size_t first = 0; first < norm->channels; first += CHUNK) {
        size_t count = norm->channels - first < CHUNK ? norm->channels - first : CHUNK;
        struct sums sums = over_rows(norm, &pass, x, first, add_value);
        for (size_t i = 0; i < count; i++)
            norm->mean[first + i] = sums.a[i] / (real)rows;
        sums = over_rows(norm, &pass, x, first, add_deviation);
        for (size_t i = 0; i < count; i++) {
            real variance = sums.a[i] / (real)rows, *mean = &running[0][first + i],
                 *spread = &running[1][first + i];
            norm->scale[first + i] = scale_of(norm, variance);
            *mean = (1 - momentum) * *mean + momentum * norm->mean[first + i];
            *spread = (1 - momentum) * *spread + momentum * variance * unbiased;
        }
    }
    normalise(norm, x, rows, y);
}

void batch_norm_evaluate(struct batch_norm *norm, const real *x, size_t rows, const real *const running[2],
                         real *y) {
    norm->training = false;
    memcpy(norm->mean, running[0], norm->channels * sizeof *norm->mean);
    for (size_t channel = 0; channel < norm->channels; channel++)
        norm->scale[channel] = scale_of(norm, running[1][channel]);
    normalise(norm, x, rows, y);
}

/* dx = gamma scale (dy - mean(dy) - normalised mean(dy normalised)); without the means after an evaluation.
 */
static void gradient_rows(const struct batch_norm *norm, const struct batch_norm_pass *pass, const real *dy,
                          real *dx) {
    const real *x = pass->x, share = norm->training ? 1 / (real)pass->rows : 0;
    for (size_t row = 0; row < pass->rows;
         row++, x += norm->channels, dy += norm->channels, dx += norm->channels)
        for (size_t channel = 0; channel < norm->channels; channel++) {
            real normalised = (x[channel] - norm->mean[channel]) * norm->scale[channel];
            real rest = dy[channel] - share * (pass->dbeta[channel] + normalised * pass->dgamma[channel]);
            dx[channel] = norm->gamma[channel] * norm->scale[channel] * rest;
        }
}

void batch_norm_backward(const struct batch_norm *norm, const struct batch_norm_pass *pass, const real *dy,
                         real *dx) {
    for (size_t first = 0; first < norm->channels; first += CHUNK) {
        size_t count = norm->channels - first < CHUNK ? norm->channels - first : CHUNK;
        struct sums sums = over_rows(norm, pass, dy, first, add_gradient);
        memcpy(pass->dgamma + first, sums.a, count * sizeof *sums.a);
        memcpy(pass->dbeta + first, sums.b, count * sizeof *sums.b);
    }
    if (dx != NULL)
        gradient_rows(norm, pass, dy, dx);
}
