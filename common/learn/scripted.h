/* scripted: agents that learn nothing. "random" draws every action uniformly; "scripted" asks a callback or
 * plays a list, so that baselines and tests act through the same interface as learners. */
#ifndef TIERBED_LEARN_SCRIPTED_H
#define TIERBED_LEARN_SCRIPTED_H

#include "common/learn/agent.h"

/* Writes an action for `observation`; pure but for `context`. */
typedef void (*scripted_callback)(void *context, const real *observation, struct agent_action *action);

struct scripted_config {
    scripted_callback callback; /* NULL: the list is played */
    void *context;              /* borrowed as long as the agent lives; not part of a checkpoint */
    /* Borrowed as long as the agent lives: [list_count] rows, played in order and from the start again.
     * Without callback and list every choice is 0 and every number 0. */
    const uint32_t *list_discrete; /* [list_count][discrete_count]; NULL: 0 */
    const real *list_continuous;   /* [list_count][continuous_count]; NULL: 0 */
    uint32_t list_count;
};

extern const struct agent_class scripted_class;

/* Its "greedy" action is drawn too (from RANDOM_EVALUATE): no action is better than another. log_probability
 * is the uniform one. No configuration. */
extern const struct agent_class random_class;

/* A uniform action of `space` from `stream`; also what learners do while they warm up. */
void action_uniform(const struct agent_space *space, struct random_stream *stream,
                    struct agent_action *action);

#endif
