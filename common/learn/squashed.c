#include "common/learn/squashed.h"

#define HALF_LOG_2_PI 0.91893853320467274178

double squashed_log_probability(const real *u, const real *mean, const real *log_std, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        real z = (u[i] - mean[i]) * real_exp(-log_std[i]);
        sum += (double)(-z * z / 2 - log_std[i] - squashed_log_slope(u[i])) - HALF_LOG_2_PI;
    }
    return sum;
}

void squashed_score(const real *u, const real *mean, const real *log_std, size_t count, real *d_mean,
                    real *d_log_std) {
    for (size_t i = 0; i < count; i++) {
        real precision = real_exp(-log_std[i]), z = (u[i] - mean[i]) * precision;
        d_mean[i] = z * precision;
        d_log_std[i] = z * z - 1;
    }
}

double squashed_log_scale(const real *scale, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)real_log(real_abs(scale[i]));
    return sum;
}
