#include "common/model/replay_priority.h"

#include <assert.h>
#include <math.h>

double replay_priority(const struct replay_priority_weights *weights, double reward, double td_error) {
    double by_reward = fabs(reward) + weights->floor;     /* Eq. (27) */
    double by_td_error = fabs(td_error) + weights->floor; /* Eq. (28) */
    return weights->reward * by_reward + weights->td_error * by_td_error;
}

void replay_probabilities(const double *priority, size_t count, double *probability) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++)
        total += priority[i];
    assert(count == 0 || total > 0.0);
    for (size_t i = 0; i < count; i++)
        probability[i] = priority[i] / total;
}
