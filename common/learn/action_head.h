/* action_head: what stands between the outputs of an actor and the action that critic and environment get.
 *
 * An actor with a deterministic policy puts out raw numbers in [-1, 1] (tanh). The head turns them into the
 * action, exactly hard where the action is hard (a choice, a mask), and passes gradients back as if it had
 * been a soft function: the straight-through estimator (Bengio et al. 2013). Exploration noise joins the raw
 * numbers before the head, replay stores the action behind it, and target actors go through it too, so that a
 * critic sees only actions that can be carried out.
 *
 * An action is coded as one flat row: each choice one-hot, head after head, then the continuous numbers. */
#ifndef TIERBED_LEARN_ACTION_HEAD_H
#define TIERBED_LEARN_ACTION_HEAD_H

#include <stdint.h>

#include "common/learn/agent.h"
#include "common/learn/real.h"

struct action_head {
    void *context; /* of the functions, borrowed; they depend on nothing else, and change nothing */
    uint32_t raw_size, action_size;
    /* raw [batch][raw_size] -> action [batch][action_size]. */
    void (*forward)(const struct action_head *head, const real *raw, uint32_t batch, real *action);
    /* The gradient in the action -> the gradient in raw (overwritten). */
    void (*backward)(const struct action_head *head, const real *raw, const real *d_action, uint32_t batch,
                     real *d_raw);
    /* A loss on the raw numbers themselves: returns its mean over the batch and adds weight times its
     * gradient to d_raw (NULL: not wanted). May be NULL: none. */
    double (*auxiliary)(const struct action_head *head, const real *raw, uint32_t batch, double weight,
                        real *d_raw);
    double auxiliary_weight;
};

/* action = raw. */
struct action_head action_head_identity(uint32_t size);

/* One-hot argmax (ties to the lowest index) for every choice of `space`, gradient of softmax(sharpness raw);
 * identity for its continuous numbers. `space` is borrowed as context. */
#define ACTION_HEAD_SHARPNESS 3.0
struct action_head action_head_choices(struct agent_space *space);

/* Length of the code of an action. */
uint32_t action_code_size(const struct agent_space *space);
/* continuous numbers are clipped to [-1, 1]. */
void action_encode(const struct agent_space *space, const struct agent_action *action, real *code);
/* The largest entry of each head is the choice, ties to the lowest index; log_probability 0. */
void action_decode(const struct agent_space *space, const real *code, struct agent_action *action);

#endif
