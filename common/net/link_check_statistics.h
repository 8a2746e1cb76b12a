/* link_check_statistics: intervals for what a simulation measures.
 *
 * Means of correlated series by the method of batch means: the series is cut into LINK_CHECK_BATCHES equal
 * parts whose means are nearly independent and normal, so that Student's t with one degree of freedom less
 * holds. Shares of independent trials by Wilson's score interval. `confidence` is two-sided, below 1. */
#ifndef TIERBED_NET_LINK_CHECK_STATISTICS_H
#define TIERBED_NET_LINK_CHECK_STATISTICS_H

#include <stdint.h>

#define LINK_CHECK_BATCHES 30

struct interval {
    double low, high;
};

struct batch_means {
    double sum[LINK_CHECK_BATCHES];
    uint64_t batch_size;
    uint64_t seen;
};

/* Room for `count` values (at least one a batch); the rest of count / LINK_CHECK_BATCHES is dropped at the
 * end. */
void batch_means_init(struct batch_means *means, uint64_t count);

static inline void batch_means_add(struct batch_means *means, double value) {
    uint64_t batch = means->seen++ / means->batch_size;
    if (batch < LINK_CHECK_BATCHES)
        means->sum[batch] += value;
}

/* Mean over all batches and its standard error. Every batch must be full (assert). */
double batch_means_mean(const struct batch_means *means);
double batch_means_error(const struct batch_means *means);

/* The t with P(|T| <= t) = confidence for `freedom` >= 1 degrees of freedom (Abramowitz and
 * Stegun 26.7.3, 26.7.4, inverted by bisection), and the same for the normal distribution. */
double student_quantile(double confidence, uint32_t freedom);
double normal_quantile(double confidence);

/* Wilson (1927): the shares p for which `hits` out of `trials` > 0 is no surprise at this confidence. */
struct interval wilson_interval(uint64_t hits, uint64_t trials, double confidence);

#endif
