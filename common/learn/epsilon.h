/* epsilon: how often a value learner acts at random, and which of several equally good choices it takes.
 *
 * Value learners number actions through: the choices of all heads as one mixed-radix number, the first head
 * least. */
#ifndef TIERBED_LEARN_EPSILON_H
#define TIERBED_LEARN_EPSILON_H

#include <stdint.h>

#include "common/base/random.h"
#include "common/learn/agent.h"

struct epsilon_config {
    double begin,
        end;        /* probability of a random action at step 0 and from step `steps` on; linear in between */
    uint32_t steps; /* exploring actions; 0: `end` from the start */
};

/* At an action before which `step` exploring actions were taken. */
double epsilon_at(const struct epsilon_config *config, uint64_t step);

/* The action of the largest value, [count] >= 1; ties: drawn evenly from `stream`, or with NULL the lowest.
 */
uint32_t choice_best(const real *values, uint32_t count, struct random_stream *stream);

/* How many actions `space` has; 0: more than `most`, or some are numbers. */
uint32_t choice_count(const struct agent_space *space, uint32_t most);
uint32_t choice_index(const struct agent_space *space, const uint32_t *discrete);
void choice_split(const struct agent_space *space, uint32_t index, uint32_t *discrete);

#endif
