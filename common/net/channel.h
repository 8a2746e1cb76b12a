/* channel: the gain of a radio link, which may change at every slot.
 *
 * Four kinds: a fixed gain; the three-state Markov chain of JOPA Eq. (4), (28) (bad, normal, good, one gain
 * each); the ten quantised levels of IPOR (.3, .6, ... 3.0 times gain[0], a step down, none or up with
 * probability 1/4, 1/2, 1/4, a step beyond either end staying there); a fixed gain from distance, DyNN Eq.
 * (1) with reference distance 1 m. Chains start in their stationary distribution (uniform where it is not
 * unique), so that no slot is special. */
#ifndef TIERBED_NET_CHANNEL_H
#define TIERBED_NET_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/random.h"
#include "common/model/channel.h"
#include "common/model/scenario.h"

#define CHANNEL_REFERENCE_M 1.0 /* l0 of the path loss */

struct channel {
    enum link_channel kind;
    uint32_t state; /* 0..2 of markov3, 0..9 of levels10, else 0 */
    uint32_t state_count;
    double gain[CHANNEL_LEVELS]; /* linear, by state */
    double transition[SCENARIO_STATES][SCENARIO_STATES];
    struct random_stream stream;
};

/* STATUS_INVALID when a markov3 row is not a distribution, a gain is negative or a distance not positive.
 * `stream` is copied and drives the chain. */
enum status channel_init(struct channel *channel, const struct scenario_link *config,
                         const struct random_stream *stream, struct error *error);

/* One slot further. True when the state changed. */
bool channel_step(struct channel *channel);

/* Gain now, and the greatest gain over all states (psi_G of JOPA's R_max). */
double channel_gain(const struct channel *channel);
double channel_gain_best(const struct channel *channel);

#endif
