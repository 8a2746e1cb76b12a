#include "common/net/link_check_statistics.h"

#include <assert.h>
#include <math.h>

void batch_means_init(struct batch_means *means, uint64_t count) {
    assert(count >= LINK_CHECK_BATCHES);
    *means = (struct batch_means){.batch_size = count / LINK_CHECK_BATCHES};
}

double batch_means_mean(const struct batch_means *means) {
    assert(means->seen >= means->batch_size * LINK_CHECK_BATCHES);
    double total = 0.0;
    for (int i = 0; i < LINK_CHECK_BATCHES; i++)
        total += means->sum[i];
    return total / ((double)means->batch_size * LINK_CHECK_BATCHES);
}

double batch_means_error(const struct batch_means *means) {
    double mean = batch_means_mean(means);
    double squares = 0.0;
    for (int i = 0; i < LINK_CHECK_BATCHES; i++) {
        double deviation = means->sum[i] / (double)means->batch_size - mean;
        squares += deviation * deviation;
    }
    return sqrt(squares / (LINK_CHECK_BATCHES - 1) / LINK_CHECK_BATCHES);
}

/* P(|T| <= t): a finite sum in the angle whose tangent is t / sqrt(freedom). */
static double student_inside(double t, uint32_t freedom) {
    double angle = atan(t / sqrt(freedom));
    double cosine = cos(angle);
    double term = freedom % 2 == 1 ? cosine : 1.0;
    double sum = freedom == 1 ? 0.0 : term;
    for (uint32_t i = freedom % 2 == 1 ? 3 : 2; i < freedom; i += 2) {
        term *= cosine * cosine * (double)(i - 1) / (double)i;
        sum += term;
    }
    if (freedom % 2 == 1)
        return (angle + sin(angle) * sum) * M_2_PI;
    return sin(angle) * sum;
}

/* The point where a function that grows from 0 towards 1 reaches `confidence`; freedom 0 stands for the
 * normal. */
static double invert(double confidence, uint32_t freedom) {
    assert(confidence > 0.0 && confidence < 1.0);
    double low = 0.0, high = 1e6;
    for (int i = 0; i < 200; i++) {
        double middle = 0.5 * (low + high);
        double inside = freedom == 0 ? erf(middle * M_SQRT1_2) : student_inside(middle, freedom);
        if (inside < confidence)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double student_quantile(double confidence, uint32_t freedom) {
    assert(freedom >= 1);
    return invert(confidence, freedom);
}

double normal_quantile(double confidence) {
    return invert(confidence, 0);
}

struct interval wilson_interval(uint64_t hits, uint64_t trials, double confidence) {
    assert(trials > 0 && hits <= trials);
    double n = (double)trials;
    double share = (double)hits / n;
    double z = normal_quantile(confidence);
    double centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    double half = z / (1.0 + z * z / n) * sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n));
    /* At the ends the bound is 0 or 1 exactly, which rounding would miss. */
    return (struct interval){hits == 0 ? 0.0 : fmax(centre - half, 0.0),
                             hits == trials ? 1.0 : fmin(centre + half, 1.0)};
}
