/* noise: Gaussian exploration noise with a scale that is constant or falls linearly. */
#ifndef TIERBED_LEARN_NOISE_H
#define TIERBED_LEARN_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/random.h"
#include "common/learn/real.h"

struct noise_config {
    double begin, end; /* standard deviation at step 0 and from step `steps` on */
    uint32_t steps;    /* actions over which it falls; 0: constant at `begin` */
    bool each_episode; /* starts at `begin` again in every episode */
};

struct noise {
    struct noise_config config;
    uint64_t step; /* actions so far (in this episode) */
};

double noise_scale(const struct noise *noise);
/* raw = clip(raw + N(0, scale), -1, 1), `count` numbers. */
void noise_apply(double scale, struct random_stream *stream, real *raw, size_t count);
/* One action further. */
void noise_advance(struct noise *noise);
/* The episode is over. */
void noise_episode(struct noise *noise);

#endif
