/* policy_head: the distribution of a hybrid action: several categorical choices and a diagonal Gaussian whose
 * standard deviation does not depend on the state.
 *
 * One output vector of a network describes it: the logits of head after head, then the means. log_std,
 * [continuous], are parameters of their own. Actions are never clipped here: the log-probability belongs to
 * what was drawn. */
#ifndef TIERBED_LEARN_POLICY_HEAD_H
#define TIERBED_LEARN_POLICY_HEAD_H

#include <stdint.h>

#include "common/base/random.h"
#include "common/learn/agent.h"
#include "common/learn/real.h"

struct policy_head {
    uint32_t discrete_count, discrete_sizes[AGENT_HEADS_MAX];
    uint32_t continuous_count;
    uint32_t logit_count; /* over all heads */
    uint32_t output_size; /* logit_count + continuous_count */
};

struct policy_head policy_head_of(const struct agent_space *space);

/* One state's distribution and an action in it; all borrowed. */
struct policy_point {
    const real *output;       /* [output_size] */
    const real *log_std;      /* [continuous_count] */
    const uint32_t *discrete; /* [discrete_count] */
    const real *continuous;   /* [continuous_count] */
};

/* Draws an action; stream NULL: the likeliest one (ties to the lowest index, means). Sets its
 * log_probability. */
void policy_sample(const struct policy_head *head, const real *output, const real *log_std,
                   struct random_stream *stream, struct agent_action *action);

/* log p(action), nat, summed over all parts of the action; from log-softmax, stable for any finite logits. */
double policy_log_probability(const struct policy_head *head, const struct policy_point *point);

/* Entropy of the whole action, nat (differential in the continuous part). The action of `point` is not read.
 */
double policy_entropy(const struct policy_head *head, const struct policy_point *point);

/* Both at once, for losses: the same to rounding, with one exponential a logit. */
struct policy_measure {
    double log_probability, entropy;
};

/* Leaves in `work` [output_size] what policy_backward needs. */
struct policy_measure policy_evaluate(const struct policy_head *head, const struct policy_point *point,
                                      real *work);

/* What the loss wants of one point: its derivative in the log-probability and in the entropy. */
struct policy_slope {
    double log_probability, entropy;
};

/* After policy_evaluate of the same point: what it left in `work` becomes the derivative in the output.
 * d_log_std [continuous_count] is added to (NULL only without numbers). */
void policy_backward(const struct policy_head *head, const struct policy_point *point,
                     const struct policy_slope *slope, real *work, real *d_log_std);

#endif
