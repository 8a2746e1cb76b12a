/* squashed: a Gaussian behind a tanh, a = tanh(u), u ~ N(mean, exp(log_std)), element by element independent.
 *
 * u is kept; nothing here ever inverts a tanh. log(1 - tanh^2 u) = 2 (log 2 - u - softplus(-2u)), exact for
 * any u (Haarnoja et al. 2018, appendix C, in the form that does not cancel). An action scaled further, c a +
 * d, has log-probability less by sum log|c|. */
#ifndef TIERBED_LEARN_SQUASHED_H
#define TIERBED_LEARN_SQUASHED_H

#include <stddef.h>

#include "common/learn/real.h"

/* log |da/du| at u. */
static inline real squashed_log_slope(real u) {
    real softplus = real_max(-2 * u, 0) + real_log1p(real_exp(-2 * real_abs(u)));
    return 2 * ((real)0.69314718055994530942 - u - softplus);
}

/* log pi(tanh u) of `count` elements together, nat. */
double squashed_log_probability(const real *u, const real *mean, const real *log_std, size_t count);

/* Its derivatives in mean and log_std for u that is given (not drawn through them). */
void squashed_score(const real *u, const real *mean, const real *log_std, size_t count, real *d_mean,
                    real *d_log_std);

/* sum log|c|, nat: what scaling by c takes off the log-probability. */
double squashed_log_scale(const real *scale, size_t count);

#endif
