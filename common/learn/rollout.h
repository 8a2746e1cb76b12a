/* rollout: the steps an on-policy learner has made since its last update, in order, in flat arrays. */
#ifndef TIERBED_LEARN_ROLLOUT_H
#define TIERBED_LEARN_ROLLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/learn/agent.h"
#include "common/learn/gae.h"

struct rollout {
    uint32_t capacity, fill;
    uint32_t observation_size, discrete_count, continuous_count;
    /* Owned, [capacity] rows each: */
    real *observations;      /* [observation_size], as observed */
    uint32_t *discrete;      /* [discrete_count] */
    real *continuous;        /* [continuous_count], unclipped */
    real *log_probabilities; /* of the whole action when it was drawn */
    real *rewards;           /* as observed */
    real *final_values;      /* V(next observation) where it will be needed, else 0 */
    uint8_t *terminated, *truncated;
};

enum status rollout_init(struct rollout *rollout, const struct agent_space *space, uint32_t capacity);
void rollout_close(struct rollout *rollout); /* safe on zeros */

static inline bool rollout_full(const struct rollout *rollout) {
    return rollout->fill == rollout->capacity;
}
static inline void rollout_clear(struct rollout *rollout) {
    rollout->fill = 0;
}

/* Whether the value of next_observation will be needed when `transition` is added now: an episode was
 * truncated, or the rollout becomes full within one. */
bool rollout_wants_value(const struct rollout *rollout, const struct agent_transition *transition);

/* Copies the transition; final_value: V(next_observation) if wanted, else 0. Not when full. */
void rollout_add(struct rollout *rollout, const struct agent_transition *transition, real final_value);

/* The steps so far as gae.h wants them; `rewards` and `values` [fill] are borrowed. */
struct gae_steps rollout_steps(const struct rollout *rollout, const real *rewards, const real *values);

size_t rollout_saved_bytes(const struct rollout *rollout);
void rollout_save(const struct rollout *rollout, struct bytes_writer *writer);
/* Into a rollout of the same shape; choices must be below `space`'s sizes. */
enum status rollout_load(struct rollout *rollout, const struct agent_space *space,
                         struct bytes_reader *reader);

#endif
