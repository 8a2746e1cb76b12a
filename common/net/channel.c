#include "common/net/channel.h"

#include <math.h>
#include <string.h>

#include "common/model/radio.h"

/* A state drawn from the stationary distribution. */
static uint32_t draw_state(struct random_stream *stream, const double *transition) {
    double stationary[SCENARIO_STATES];
    if (!channel_markov_stationary(transition, SCENARIO_STATES, stationary))
        return (uint32_t)random_below(stream, SCENARIO_STATES);
    double u = random_uniform(stream);
    uint32_t state = 0;
    while (state + 1 < SCENARIO_STATES && u >= stationary[state])
        u -= stationary[state++];
    while (stationary[state] <= 0.0) /* rounding must not pick a state that never occurs */
        state = (state + 1) % SCENARIO_STATES;
    return state;
}

static enum status init_markov3(struct channel *channel, const struct scenario_link *config,
                                struct error *error) {
    if (!channel_markov_valid(&config->transition[0][0], SCENARIO_STATES))
        return error_set(
            error, STATUS_INVALID,
            "link %s -> %s: transition is no stochastic matrix; each row needs probabilities that "
            "add up to 1",
            config->from, config->to);
    channel->state_count = SCENARIO_STATES;
    memcpy(channel->gain, config->gain, sizeof config->gain);
    memcpy(channel->transition, config->transition, sizeof config->transition);
    channel->state = draw_state(&channel->stream, &config->transition[0][0]);
    return STATUS_OK;
}

static void init_levels10(struct channel *channel, double unit_gain) {
    channel->state_count = CHANNEL_LEVELS;
    for (uint32_t level = 0; level < CHANNEL_LEVELS; level++)
        channel->gain[level] = unit_gain * channel_level_gain(level);
    channel->state = (uint32_t)random_below(&channel->stream, CHANNEL_LEVELS);
}

enum status channel_init(struct channel *channel, const struct scenario_link *config,
                         const struct random_stream *stream, struct error *error) {
    *channel = (struct channel){.kind = config->channel, .state_count = 1, .stream = *stream};
    switch (config->channel) {
    case CHANNEL_FIXED:
        channel->gain[0] = config->gain[0];
        break;
    case CHANNEL_MARKOV3:
        TRY(init_markov3(channel, config, error));
        break;
    case CHANNEL_LEVELS10:
        init_levels10(channel, config->gain[0]);
        break;
    case CHANNEL_PATH_LOSS:
        if (!(config->distance_m > 0.0 && isfinite(config->distance_m)))
            return error_set(error, STATUS_INVALID,
                             "link %s -> %s: distance %g m; the path loss needs more than 0 m", config->from,
                             config->to, config->distance_m);
        channel->gain[0] = radio_path_loss_gain(config->path_loss_g0, CHANNEL_REFERENCE_M, config->distance_m,
                                                config->path_loss_exponent);
        break;
    }
    for (uint32_t state = 0; state < channel->state_count; state++)
        if (!(channel->gain[state] >= 0.0 && isfinite(channel->gain[state])))
            return error_set(error, STATUS_INVALID,
                             "link %s -> %s: gain %g of state %u; give a finite gain, 0 or more",
                             config->from, config->to, channel->gain[state], state);
    return STATUS_OK;
}

bool channel_step(struct channel *channel) {
    uint32_t before = channel->state;
    if (channel->kind == CHANNEL_MARKOV3)
        channel->state = (uint32_t)channel_markov_step(&channel->transition[0][0], SCENARIO_STATES, before,
                                                       random_uniform(&channel->stream));
    else if (channel->kind == CHANNEL_LEVELS10)
        channel->state = channel_level_step(before, random_uniform(&channel->stream));
    return channel->state != before;
}

double channel_gain(const struct channel *channel) {
    return channel->gain[channel->state];
}

double channel_gain_best(const struct channel *channel) {
    double best = channel->gain[0];
    for (uint32_t state = 1; state < channel->state_count; state++)
        best = fmax(best, channel->gain[state]);
    return best;
}
