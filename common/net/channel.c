#include "common/net/channel.h"

#include <math.h>
#include <string.h>

#include "common/model/radio.h"

/* Weight of state `root` by the Markov chain tree theorem: the sum, over the three spanning trees directed to the
 * root, of the product of their transition probabilities. Exact, and without a linear solver. */
static double tree_weight(const double p[SCENARIO_STATES][SCENARIO_STATES], int root) {
    int a = (root + 1) % SCENARIO_STATES;
    int b = (root + 2) % SCENARIO_STATES;
    return p[a][root] * p[b][root] + p[a][b] * p[b][root] + p[b][a] * p[a][root];
}

void channel_stationary(const double transition[SCENARIO_STATES][SCENARIO_STATES],
                        double stationary[SCENARIO_STATES]) {
    double total = 0.0;
    for (int state = 0; state < SCENARIO_STATES; state++) {
        stationary[state] = tree_weight(transition, state);
        total += stationary[state];
    }
    for (int state = 0; state < SCENARIO_STATES; state++)
        stationary[state] = total > 0.0 ? stationary[state] / total : 1.0 / SCENARIO_STATES;
}

/* Index drawn from a distribution over the three states; rounding left over falls to the last possible state. */
static uint32_t draw(struct random_stream *stream, const double probability[SCENARIO_STATES]) {
    double u = random_uniform(stream);
    uint32_t last = 0;
    for (uint32_t state = 0; state < SCENARIO_STATES; state++) {
        if (probability[state] <= 0.0)
            continue;
        if (u < probability[state])
            return state;
        u -= probability[state];
        last = state;
    }
    return last;
}

static enum status check_rows(const struct scenario_link *config, struct error *error) {
    for (int row = 0; row < SCENARIO_STATES; row++) {
        double sum = 0.0;
        for (int column = 0; column < SCENARIO_STATES; column++) {
            double p = config->transition[row][column];
            if (!(p >= 0.0 && p <= 1.0))
                return error_set(error, STATUS_INVALID, "link %s -> %s: transition[%d][%d] = %g is no probability",
                                 config->from, config->to, row, column, p);
            sum += p;
        }
        if (!(fabs(sum - 1.0) <= CHANNEL_ROW_TOLERANCE))
            return error_set(error, STATUS_INVALID, "link %s -> %s: transition row %d sums to %.12g, not 1",
                             config->from, config->to, row, sum);
    }
    return STATUS_OK;
}

static enum status init_markov3(struct channel *channel, const struct scenario_link *config, struct error *error) {
    TRY(check_rows(config, error));
    channel->state_count = SCENARIO_STATES;
    memcpy(channel->gain, config->gain, sizeof config->gain);
    memcpy(channel->transition, config->transition, sizeof config->transition);
    double stationary[SCENARIO_STATES];
    channel_stationary(config->transition, stationary);
    channel->state = draw(&channel->stream, stationary);
    return STATUS_OK;
}

static void init_levels10(struct channel *channel) {
    channel->state_count = CHANNEL_LEVELS;
    for (int level = 0; level < CHANNEL_LEVELS; level++)
        channel->gain[level] = CHANNEL_LEVEL_STEP * (level + 1);
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
        init_levels10(channel);
        break;
    case CHANNEL_PATH_LOSS:
        if (!(config->distance_m > 0.0 && isfinite(config->distance_m)))
            return error_set(error, STATUS_INVALID, "link %s -> %s: distance %g m; the path loss needs more than 0 m",
                             config->from, config->to, config->distance_m);
        channel->gain[0] = radio_path_loss_gain(config->path_loss_g0, CHANNEL_REFERENCE_M, config->distance_m,
                                                config->path_loss_exponent);
        break;
    }
    for (uint32_t state = 0; state < channel->state_count; state++)
        if (!(channel->gain[state] >= 0.0 && isfinite(channel->gain[state])))
            return error_set(error, STATUS_INVALID, "link %s -> %s: gain %g of state %u; give a finite gain, 0 or more",
                             config->from, config->to, channel->gain[state], state);
    return STATUS_OK;
}

/* Steps are -1, 0, 0, +1 with equal probability; a step over the edge is not taken. */
static uint32_t next_level(struct channel *channel) {
    switch (random_below(&channel->stream, 4)) {
    case 0:
        return channel->state > 0 ? channel->state - 1 : 0;
    case 1:
        return channel->state + 1 < CHANNEL_LEVELS ? channel->state + 1 : channel->state;
    default:
        return channel->state;
    }
}

bool channel_step(struct channel *channel) {
    uint32_t before = channel->state;
    if (channel->kind == CHANNEL_MARKOV3)
        channel->state = draw(&channel->stream, channel->transition[before]);
    else if (channel->kind == CHANNEL_LEVELS10)
        channel->state = next_level(channel);
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
