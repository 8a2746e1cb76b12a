/* priority: prioritised experience replay (Schaul et al. 2016, proportional variant) over the slots of a
 * ring.
 *
 * A transition is drawn with probability P(i) = p_i^alpha / sum p^alpha, where p_i = magnitude + floor > 0; a
 * batch takes one draw from each of `batch` equal strata of the total. Importance weights w_i = (N
 * P(i))^-beta, N the current fill, are divided by their maximum. The magnitude is |delta| (never weighted by
 * w), or a mixture with the reward. What is new gets the largest priority seen so far, so that everything is
 * drawn soon. The sums lie in a binary tree of doubles whose inner nodes are always computed from their
 * children: no drift. */
#ifndef TIERBED_LEARN_PRIORITY_H
#define TIERBED_LEARN_PRIORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/random.h"
#include "common/learn/real.h"

struct priority_config {
    uint32_t capacity; /* slots, >= 1 */
    double alpha;      /* 0: uniform; 1: proportional */
    double beta;       /* 0: no correction; 1: full correction */
    double floor;      /* > 0, added to every magnitude */
    bool over_buffer;  /* divide weights by the maximum over the buffer rather than over the batch */
};

/* alpha 0.6, beta 0.4, floor 1e-6, weights over the maximum of the batch. */
struct priority_config priority_default(uint32_t capacity);

struct priority {
    struct priority_config config; /* beta may be changed between draws (annealing) */
    uint32_t leaves;               /* power of two >= capacity */
    uint32_t count;                /* slots with a priority: N */
    double largest;                /* p given to what is new, 1 at first */
    double *sums;   /* owned, [2 leaves]: root at 1, leaf of slot i at leaves + i, p^alpha, 0: empty */
    double *minima; /* owned, same order, smallest p^alpha that is not empty (else infinity) */
};

enum status priority_init(struct priority *priority, const struct priority_config *config);
void priority_close(struct priority *priority); /* safe on zeros */
void priority_clear(struct priority *priority);

/* A new transition lies in `slot`: it gets the largest priority so far. */
void priority_insert(struct priority *priority, uint32_t slot);
/* `slot` holds nothing that may be drawn. */
void priority_remove(struct priority *priority, uint32_t slot);
/* p = magnitude + floor for each of `count` slots; what is not a finite magnitude >= 0 counts as the largest
 * so far. Slots that are empty stay empty. */
void priority_update(struct priority *priority, const uint32_t *slots, const real *magnitudes,
                     uint32_t count);

static inline bool priority_holds(const struct priority *priority, uint32_t slot) {
    return priority->sums[priority->leaves + (size_t)slot] > 0.0;
}
double priority_total(const struct priority *priority);
double priority_probability(const struct priority *priority, uint32_t slot);
/* The first slot whose running sum of p^alpha exceeds `mass`; never an empty one, whatever rounding does to
 * `mass`. Not all are empty. */
uint32_t priority_find(const struct priority *priority, double mass);

/* One slot from stratum k of `batch`: mass (k + u) total / batch, u in [0, 1). */
uint32_t priority_stratum(const struct priority *priority, uint32_t k, uint32_t batch, double u);
/* Weights [batch] of slots drawn. */
void priority_weights(const struct priority *priority, const uint32_t *slots, uint32_t batch, real *weights);
/* Both: a stratified batch of slots and their weights. At least one slot is not empty. */
void priority_sample(const struct priority *priority, struct random_stream *stream, uint32_t batch,
                     uint32_t *slots, real *weights);

/* Leaves, largest and beta. load: into one of the same capacity, alpha and floor; STATUS_INVALID when the
 * content cannot be, and it is empty then. */
size_t priority_saved_bytes(const struct priority *priority);
void priority_save(const struct priority *priority, struct bytes_writer *writer);
enum status priority_load(struct priority *priority, struct bytes_reader *reader);

#endif
