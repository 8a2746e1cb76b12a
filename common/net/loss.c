#include "common/net/loss.h"

#include <math.h>

static enum status check(const struct scenario_link *config, const char *name, double p,
                         struct error *error) {
    if (p >= 0.0 && p <= 1.0)
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "link %s -> %s: %s = %g is no probability; give one from 0 to 1",
                     config->from, config->to, name, p);
}

static double bad_share(const struct loss *loss) {
    double moves = loss->good_to_bad + loss->bad_to_good;
    return moves > 0.0 ? loss->good_to_bad / moves : 0.0;
}

enum status loss_init(struct loss *loss, const struct scenario_link *config,
                      const struct random_stream *stream, struct error *error) {
    *loss = (struct loss){.kind = config->loss, .stream = *stream};
    if (config->loss == LOSS_NONE)
        return STATUS_OK;
    TRY(check(config, "loss_probability", config->loss_probability, error));
    loss->probability = config->loss_probability;
    if (config->loss == LOSS_BERNOULLI)
        return STATUS_OK;
    TRY(check(config, "loss_probability_bad", config->loss_probability_bad, error));
    TRY(check(config, "loss_good_to_bad", config->loss_good_to_bad, error));
    TRY(check(config, "loss_bad_to_good", config->loss_bad_to_good, error));
    loss->probability_bad = config->loss_probability_bad;
    loss->good_to_bad = config->loss_good_to_bad;
    loss->bad_to_good = config->loss_bad_to_good;
    loss->bad = random_chance(&loss->stream, bad_share(loss));
    return STATUS_OK;
}

bool loss_step(struct loss *loss) {
    if (loss->kind == LOSS_NONE)
        return false;
    if (loss->kind == LOSS_BERNOULLI)
        return random_chance(&loss->stream, loss->probability);
    bool lost = random_chance(&loss->stream, loss->bad ? loss->probability_bad : loss->probability);
    bool moves = random_chance(&loss->stream, loss->bad ? loss->bad_to_good : loss->good_to_bad);
    loss->bad = loss->bad != moves;
    return lost;
}

double loss_rate(const struct loss *loss) {
    if (loss->kind == LOSS_GILBERT_ELLIOTT)
        return (1.0 - bad_share(loss)) * loss->probability + bad_share(loss) * loss->probability_bad;
    return loss->probability;
}

/* P(a packet and the next one are both lost). */
static double both_lost(const struct loss *loss) {
    if (loss->kind == LOSS_BERNOULLI)
        return loss->probability * loss->probability;
    double good = (1.0 - bad_share(loss)) * loss->probability;
    double bad = bad_share(loss) * loss->probability_bad;
    return good *
               ((1.0 - loss->good_to_bad) * loss->probability + loss->good_to_bad * loss->probability_bad) +
           bad * (loss->bad_to_good * loss->probability + (1.0 - loss->bad_to_good) * loss->probability_bad);
}

double loss_burst_mean(const struct loss *loss) {
    double rate = loss_rate(loss);
    if (loss->kind == LOSS_NONE || rate == 0.0)
        return 0.0;
    double begins = rate - both_lost(loss);
    return begins > 0.0 ? rate / begins : INFINITY;
}
