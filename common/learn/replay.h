/* replay: a bounded ring of transitions (s, a, r, s', terminal) in flat arrays.
 *
 * The oldest transition gives way to the newest. A transition is known by its slot, a number below `capacity`
 * that stays the same until it is overwritten, so that priorities (priority.h) can be kept beside the ring.
 *
 * With `chained`, s' is not stored: it is the state of the following slot. Where the state of a push is not,
 * bit for bit, the s' of the push before (a new episode), the slot that holds that s' is given up and never
 * sampled. An episode of T steps takes T + 1 slots then, and the newest s' takes one more; it pays for long
 * episodes and wide states. Both ways of storing give back the same transitions. */
#ifndef TIERBED_LEARN_REPLAY_H
#define TIERBED_LEARN_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/random.h"
#include "common/learn/real.h"

struct replay_config {
    uint32_t capacity; /* slots, >= 1; chained: >= 2 */
    uint32_t state_size, action_size;
    uint32_t
        reward_size; /* rewards and terminals of a transition: one per agent that learns from this ring */
    bool chained;
};

struct replay {
    struct replay_config config;
    uint32_t head;  /* slot written next; chained: the slot that holds the newest s' */
    uint32_t used;  /* slots ever written, at most capacity */
    uint32_t count; /* transitions that can be sampled */
    /* Owned, in one block: */
    real *states;       /* [capacity][state_size] */
    real *next_states;  /* [capacity][state_size]; NULL when chained */
    real *actions;      /* [capacity][action_size] */
    real *rewards;      /* [capacity][reward_size] */
    uint8_t *terminals; /* [capacity][reward_size], 0 or 1 */
    uint8_t *valid;     /* [capacity], 1: a transition */
    void *block;
};

enum status replay_init(struct replay *replay, const struct replay_config *config);
void replay_close(struct replay *replay); /* safe on zeros */
void replay_clear(struct replay *replay); /* forgets all transitions */

/* One transition to be stored; all borrowed. terminal: the episode ended in s' and nothing follows (not: was
 * cut off by a step limit; then s' counts). */
struct replay_transition {
    const real *state, *action, *reward, *next_state;
    const uint8_t *terminal; /* [reward_size] */
};

/* Copies the transition into the ring and returns its slot. */
uint32_t replay_push(struct replay *replay, const struct replay_transition *transition);

/* Draws `batch` slots, uniformly and with replacement, from the transitions there are (at least one). */
void replay_sample(const struct replay *replay, struct random_stream *stream, uint32_t batch,
                   uint32_t *slots);

/* Copy a field of `batch` slots, row k to out + k * stride (stride >= the row's size). A slot must hold a
 * transition. */
void replay_states(const struct replay *replay, const uint32_t *slots, uint32_t batch, real *out,
                   size_t stride);
void replay_next_states(const struct replay *replay, const uint32_t *slots, uint32_t batch, real *out,
                        size_t stride);
void replay_actions(const struct replay *replay, const uint32_t *slots, uint32_t batch, real *out,
                    size_t stride);

static inline const real *replay_reward(const struct replay *replay, uint32_t slot) {
    return replay->rewards + (size_t)slot * replay->config.reward_size;
}
static inline const uint8_t *replay_terminal(const struct replay *replay, uint32_t slot) {
    return replay->terminals + (size_t)slot * replay->config.reward_size;
}
/* s' of a slot that holds a transition: [state_size], borrowed. */
static inline const real *replay_next_state(const struct replay *replay, uint32_t slot) {
    if (!replay->config.chained)
        return replay->next_states + (size_t)slot * replay->config.state_size;
    uint32_t next = slot + 1 == replay->config.capacity ? 0 : slot + 1;
    return replay->states + (size_t)next * replay->config.state_size;
}

/* Everything, head and fill included; only slots in use are written. load: into a ring of the same shape;
 * STATUS_INVALID when shape or content cannot be, and the ring is empty then. */
size_t replay_saved_bytes(const struct replay *replay);
void replay_save(const struct replay *replay, struct bytes_writer *writer);
enum status replay_load(struct replay *replay, struct bytes_reader *reader);

#endif
