#include "common/learn/statistics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/random.h"

/* Of the stream that all intervals share; no run has this seed's bootstrap stream. */
#define BOOTSTRAP_SEED 20210830u

double statistics_mean(const double *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return count > 0 ? sum / (double)count : NAN;
}

double statistics_deviation(const double *values, size_t count) {
    if (count < 2)
        return NAN;
    double mean = statistics_mean(values, count), sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sqrt(sum / (double)(count - 1));
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Seeds are few: insertion beats qsort's calls, and one resample is sorted for every figure. */
static void sort(double *values, size_t count) {
    if (count > 64) {
        qsort(values, count, sizeof *values, ascending);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        double moved = values[i];
        size_t to = i;
        for (; to > 0 && values[to - 1] > moved; to--)
            values[to] = values[to - 1];
        values[to] = moved;
    }
}

double statistics_interquartile_mean(double *values, size_t count) {
    sort(values, count);
    size_t dropped = count / 4;
    return statistics_mean(values + dropped, count - 2 * dropped);
}

double statistics_median(double *values, size_t count) {
    sort(values, count);
    if (count == 0)
        return NAN;
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Position of the quantile by nearest rank, as an index. */
static size_t rank_of(double quantile) {
    double rank = ceil(quantile * STATISTICS_RESAMPLES - 1e-9);
    return rank < 1 ? 0 : (size_t)rank - 1;
}

struct statistics_interval statistics_bootstrap(statistics_figure figure, const void *context, size_t count) {
    assert(count > 0 && count <= UINT32_MAX);
    uint32_t *chosen = memory_grow(NULL, count, sizeof *chosen, "a bootstrap");
    double *figures = memory_grow(NULL, STATISTICS_RESAMPLES, sizeof *figures, "a bootstrap");
    for (size_t i = 0; i < count; i++)
        chosen[i] = (uint32_t)i;
    struct statistics_interval interval = {.value = figure(chosen, count, context), .count = count};
    struct random_stream stream;
    random_init(&stream, BOOTSTRAP_SEED, 0, RANDOM_BOOTSTRAP);
    size_t undefined = isnan(interval.value) ? 1u : 0u;
    for (uint32_t resample = 0; resample < STATISTICS_RESAMPLES; resample++) {
        for (size_t i = 0; i < count; i++)
            chosen[i] = (uint32_t)random_below(&stream, count);
        figures[resample] = figure(chosen, count, context);
        undefined += isnan(figures[resample]) ? 1u : 0u;
    }
    if (undefined == 0) {
        qsort(figures, STATISTICS_RESAMPLES, sizeof *figures, ascending);
        interval.low = figures[rank_of((1 - STATISTICS_LEVEL) / 2)];
        interval.high = figures[rank_of((1 + STATISTICS_LEVEL) / 2)];
    } else {
        interval.value = interval.low = interval.high = NAN;
    }
    free(chosen);
    free(figures);
    return interval;
}

struct summary_context {
    const double *values;
    double *scratch;
};

static double figure_of_values(const uint32_t *chosen, size_t count, const void *context) {
    const struct summary_context *of = context;
    for (size_t i = 0; i < count; i++)
        of->scratch[i] = of->values[chosen[i]];
    return statistics_interquartile_mean(of->scratch, count);
}

struct statistics_interval statistics_summary(const double *values, size_t count) {
    if (count == 0)
        return (struct statistics_interval){.value = NAN, .low = NAN, .high = NAN};
    double *scratch = memory_grow(NULL, count, sizeof *scratch, "a bootstrap");
    struct summary_context context = {.values = values, .scratch = scratch};
    struct statistics_interval interval = statistics_bootstrap(figure_of_values, &context, count);
    free(scratch);
    return interval;
}
