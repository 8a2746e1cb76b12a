/* channel: how radio gains change from slot to slot. Random numbers come from the caller. */
#ifndef TIERBED_MODEL_CHANNEL_H
#define TIERBED_MODEL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANNEL_STATES_MAX 64

/* Is `transition` (state_count x state_count, row-major, from row to column) a stochastic matrix: entries in
 * [0, 1], rows that add up to 1 within THRESHOLD_TOLERANCE? */
bool channel_markov_valid(const double *transition, size_t state_count);

/* JOPA Eq. (4), (28): the state that follows `state` in the Markov chain. `uniform` in [0, 1) picks the
 * column whose cumulated probability first exceeds it. */
size_t channel_markov_step(const double *transition, size_t state_count, size_t state, double uniform);

/* JOPA Eq. (28): the stationary distribution pi = pi P, sum pi = 1, by elimination with pivoting.
 * 1 <= state_count <= CHANNEL_STATES_MAX; writes stationary[state_count]. False when it is not unique (the
 * chain has several closed classes). */
bool channel_markov_stationary(const double *transition, size_t state_count, double *stationary);

/* IPOR 1.2: ten gain levels h = 0.3, 0.6, ... 3.0; level in 0..9. */
#define CHANNEL_LEVELS 10
double channel_level_gain(uint32_t level);

/* IPOR 1.2 (calibrated): one step down, none or one up with probability 1/4, 1/2, 1/4, clipped at the ends.
 * uniform in [0, 1). */
uint32_t channel_level_step(uint32_t level, double uniform);

#endif
