/* gae: what an action was worth, from the rewards that followed it. */
#ifndef TIERBED_LEARN_GAE_H
#define TIERBED_LEARN_GAE_H

#include <stdint.h>

#include "common/learn/real.h"

/* A piece of experience of `count` consecutive steps, all [count], borrowed. Step t is the last of its
 * episode when terminated[t] or truncated[t]; both: terminated wins. */
struct gae_steps {
    uint32_t count;
    const real *rewards;
    const real *values;        /* V(s_t) */
    const real *final_values;  /* V of the last observation of a truncated episode; read there only */
    const uint8_t *terminated; /* the task ended: nothing follows, no bootstrap */
    const uint8_t *truncated;  /* cut off by time: bootstrap from final_values, carry nothing over */
    double value_after_last;   /* V(s_count), read when the last step ended no episode */
};

/* Generalised advantage estimation (Schulman et al. 2016, Eq. (16)): A_t = sum (gamma lambda)^k delta_{t+k}
 * within the episode, delta_t = r_t + gamma V(s_{t+1}) - V(s_t). returns = advantages + values; both [count].
 */
void gae_advantages(const struct gae_steps *steps, double gamma, double lambda, real *advantages,
                    real *returns);

/* n-step returns (Mnih et al. 2016, algorithm S3): R_t = r_t + gamma R_{t+1}, begun from a value where the
 * piece or a truncated episode ends and from 0 where a terminated one does. [count]. `values` is not read. */
void gae_returns(const struct gae_steps *steps, double gamma, real *returns);

#endif
