/* reinforce: the policy gradient over whole episodes (Williams 1992), optionally with a learnt baseline.
 *
 * An update uses the returns of `episodes` whole episodes, or what fits into `horizon` steps (an episode cut
 * off there counts as truncated). As usual the factor gamma^t of a step is left out. */
#ifndef TIERBED_LEARN_REINFORCE_H
#define TIERBED_LEARN_REINFORCE_H

#include "common/learn/optimiser.h"
#include "common/learn/policy_gradient.h"

struct reinforce_config {
    struct policy_gradient_config core;
    uint32_t episodes; /* per update */
    double actor_rate; /* of Adam, for actor and baseline */
};

struct reinforce {
    struct policy_gradient core; /* begins with struct agent */
    struct reinforce_config config;
    struct optimiser optimiser;
    uint32_t episodes; /* ended since the last update */
};

extern const struct agent_class reinforce_class;

#endif
