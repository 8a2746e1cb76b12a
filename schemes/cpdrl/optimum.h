/* optimum: the exhaustive method (TEM) of CPDRL made exact, and searches that are compared with it.
 *
 * For a given mask (who offloads) the rest is convex: local clocks and powers have closed forms, bandwidth is
 * a water-filling. So the best decision is the best of 2^n masks. Decisions are ordered by (lateness,
 * objective, mask as a number with bit n = device n), where lateness is sum_n max(0, T_n - tau): when no
 * decision meets every deadline (C1), the result is the one of least total lateness, cheapest among equals,
 * and `feasible` is false. Only lateness above CPDRL_LATENESS_MAX_S per device counts. */
#ifndef TIERBED_SCHEMES_CPDRL_OPTIMUM_H
#define TIERBED_SCHEMES_CPDRL_OPTIMUM_H

#include <stdint.h>

#include "schemes/cpdrl/instance.h"

struct cpdrl_optimum {
    uint32_t mask; /* bit n: device n offloads */
    struct cpdrl_decision decision;
    struct cpdrl_outcome outcome; /* of cpdrl_evaluate */
    uint64_t masks_examined; /* 2^n for the exhaustive method: what its running time is proportional to */
    uint64_t masks_filled;   /* those for which C1 binds, so that bandwidth had to be found by iteration */
};

/* The best decision for one mask; entries of the result as above, masks_examined = 1. */
struct cpdrl_optimum cpdrl_optimum_of_mask(const struct cpdrl_instance *instance, uint32_t mask);

/* The exhaustive method over all 2^n masks. 16384 masks (n = 14) take about a millisecond where C1 does not
 * bind. */
struct cpdrl_optimum cpdrl_optimum_exhaustive(const struct cpdrl_instance *instance);

/* From `mask`, flips the one device that helps most until none helps; masks_examined counts evaluations. */
struct cpdrl_optimum cpdrl_optimum_one_flip(const struct cpdrl_instance *instance, uint32_t mask);

/* Nobody or everybody offloads, each with the best allocation ("local-opt" and "offload-opt" of Fig. 6). */
struct cpdrl_optimum cpdrl_optimum_local(const struct cpdrl_instance *instance);
struct cpdrl_optimum cpdrl_optimum_offload(const struct cpdrl_instance *instance);

/* argmin over the box of (l1 + l2 p) / log2(1 + p g / sigma^2), in W: independent of bandwidth and task. */
double cpdrl_best_power_w(const struct cpdrl_limits *limits, double gain);

/* argmin over the box of l1 D C / f + l2 kappa D C f^2 in Hz, raised where the deadline asks for it. */
double cpdrl_best_clock_hz(const struct cpdrl_limits *limits, double cycles);

#endif
