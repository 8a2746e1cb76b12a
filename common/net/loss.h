/* loss: does the next packet get lost? Independent losses (Bernoulli), or bursts (Gilbert-Elliott).
 *
 * Gilbert-Elliott (Gilbert 1960, Elliott 1963): a two-state chain steps once per packet; each state loses
 * packets with its own probability. The chain starts in its stationary distribution, so no packet is special.
 */
#ifndef TIERBED_NET_LOSS_H
#define TIERBED_NET_LOSS_H

#include <stdbool.h>

#include "common/base/random.h"
#include "common/model/scenario.h"

struct loss {
    enum link_loss kind;
    bool bad;               /* state of the chain */
    double probability;     /* Bernoulli, or in the good state */
    double probability_bad; /* in the bad state */
    double good_to_bad, bad_to_good;
    struct random_stream stream;
};

/* STATUS_INVALID when a probability lies outside [0, 1]. `stream` is copied. */
enum status loss_init(struct loss *loss, const struct scenario_link *config,
                      const struct random_stream *stream, struct error *error);

/* One packet further: true when it is lost. */
bool loss_step(struct loss *loss);

/* Long-run share of lost packets. Gilbert-Elliott: (1 - w) p + w p_bad with w = good_to_bad / (good_to_bad +
 * bad_to_good), 0 for a chain that never moves. */
double loss_rate(const struct loss *loss);

/* Mean number of consecutive losses, counted in packets: P(lost) / P(lost, and the one before it was not). 0
 * when nothing is ever lost, INFINITY when everything is. */
double loss_burst_mean(const struct loss *loss);

#endif
