/* gae: both run backward, in double. */
#include "common/learn/gae.h"

#include <stdbool.h>

void gae_advantages(const struct gae_steps *steps, double gamma, double lambda, real *advantages,
                    real *returns) {
    double next_value = steps->value_after_last, advantage = 0;
    for (uint32_t t = steps->count; t-- > 0;) {
        bool terminated = steps->terminated[t] != 0, ended = terminated || steps->truncated[t] != 0;
        if (ended) {
            next_value = terminated ? 0.0 : (double)steps->final_values[t];
            advantage = 0;
        }
        double value = (double)steps->values[t];
        double delta = (double)steps->rewards[t] + gamma * next_value - value;
        advantage = delta + gamma * lambda * advantage;
        advantages[t] = (real)advantage;
        returns[t] = (real)(advantage + value);
        next_value = value;
    }
}

void gae_returns(const struct gae_steps *steps, double gamma, real *returns) {
    double following = steps->value_after_last;
    for (uint32_t t = steps->count; t-- > 0;) {
        if (steps->terminated[t] != 0)
            following = 0;
        else if (steps->truncated[t] != 0)
            following = (double)steps->final_values[t];
        following = (double)steps->rewards[t] + gamma * following;
        returns[t] = (real)following;
    }
}
