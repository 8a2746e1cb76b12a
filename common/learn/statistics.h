/* statistics: what results over seeds are described by: interquartile mean, spread, and bootstrap intervals.
 *
 * All in double: values come from the record, not from a network. Everything is deterministic: sums run in a
 * fixed order, and every interval draws its resamples from the same fixed stream, so the same values give the
 * same interval wherever and whenever it is computed. */
#ifndef TIERBED_LEARN_STATISTICS_H
#define TIERBED_LEARN_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

/* NAN without values. */
double statistics_mean(const double *values, size_t count);

/* Sample standard deviation (divides by count - 1); NAN for fewer than two values. */
double statistics_deviation(const double *values, size_t count);

/* These two sort `values` in place, ascending. NAN without values; no value may be NAN.
 * Interquartile mean: the mean of what is left when floor(count / 4) values are dropped at each end
 * (specs: Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", 2021). */
double statistics_interquartile_mean(double *values, size_t count);
double statistics_median(double *values, size_t count);

/* A figure over `count` independent samples with its interval. */
struct statistics_interval {
    double value;     /* of the samples themselves */
    double low, high; /* 95 % percentile bootstrap; equal to value for a single sample */
    size_t count;
};

#define STATISTICS_RESAMPLES 2000u /* of one interval */
#define STATISTICS_LEVEL 0.95

/* A figure of the samples chosen[0..count), indexes into what `context` holds, with repetitions. NAN: it has
 * none for them. */
typedef double (*statistics_figure)(const uint32_t *chosen, size_t count, const void *context);

/* Percentile bootstrap (Efron and Tibshirani, 1993, section 13.3): STATISTICS_RESAMPLES times `count` samples
 * are drawn with replacement, the figure of each draw is taken, and the interval reaches from the 2.5 % to
 * the 97.5 % quantile of these (nearest rank). `count` > 0. value, low and high are NAN as soon as one figure
 * is. */
struct statistics_interval statistics_bootstrap(statistics_figure figure, const void *context, size_t count);

/* The interquartile mean of `values` (not sorted, kept) with its interval. All NAN without values. */
struct statistics_interval statistics_summary(const double *values, size_t count);

#endif
