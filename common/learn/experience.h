/* experience: what an off-policy agent remembers and when it learns from it: a replay ring, priorities if
 * wanted, the stream of minibatches, and the count of updates that are due. */
#ifndef TIERBED_LEARN_EXPERIENCE_H
#define TIERBED_LEARN_EXPERIENCE_H

#include "common/learn/priority.h"
#include "common/learn/replay.h"

struct experience_config {
    struct replay_config replay;
    bool prioritised;
    struct priority_config priority; /* its capacity is the ring's */
    uint32_t batch;
    uint32_t warm_up;      /* transitions before the first update; at least `batch` are waited for */
    uint32_t update_every; /* transitions for each update, >= 1 */
};

struct experience {
    struct experience_config config;
    struct replay replay;
    struct priority priority;
    struct random_stream stream; /* of minibatches */
    uint64_t seen;               /* transitions ever */
    uint64_t pending; /* transitions since the last update that was due, at most the ring's capacity */
    uint32_t *slots;  /* owned, [batch]: the minibatch drawn last */
    real *weights;    /* owned, [batch]: its importance weights, all 1 without priorities */
};

enum status experience_open(struct experience *experience, const struct experience_config *config,
                            const struct random_stream *stream);
void experience_close(struct experience *experience); /* safe on zeros */

void experience_push(struct experience *experience, const struct replay_transition *transition);
/* Whether an update is due; if so it is taken off the account. */
bool experience_take_update(struct experience *experience);
/* Fills slots and weights: uniform with replacement, or stratified by priority. */
void experience_draw(struct experience *experience);
/* New magnitudes [batch] of what was drawn last; nothing without priorities. */
void experience_rate(struct experience *experience, const real *magnitudes);

size_t experience_saved_bytes(const struct experience *experience);
void experience_save(const struct experience *experience, struct bytes_writer *writer);
/* STATUS_INVALID too when priorities and ring do not belong together. */
enum status experience_load(struct experience *experience, struct bytes_reader *reader);

#endif
