/* replay_priority: how likely a stored experience is drawn again. */
#ifndef TIERBED_MODEL_REPLAY_PRIORITY_H
#define TIERBED_MODEL_REPLAY_PRIORITY_H

#include <stddef.h>

struct replay_priority_weights {
    double floor;    /* eps, keeps every experience drawable */
    double reward;   /* v_r */
    double td_error; /* v_d; v_r + v_d = 1 */
};

/* UCMS Eq. (27)-(29): eta = v_r (|r| + eps) + v_d (|delta| + eps). */
double replay_priority(const struct replay_priority_weights *weights, double reward, double td_error);

/* UCMS Eq. (30): prob_i = eta_i / sum eta over the whole buffer (calibrated; over the batch would be
 * circular). Arrays of count; the priorities are >= 0 and not all 0. */
void replay_probabilities(const double *priority, size_t count, double *probability);

#endif
