#include "schemes/cpdrl/instance.h"

#include <assert.h>
#include <math.h>

#include "common/base/random.h"
#include "common/model/compute.h"
#include "common/model/cost.h"
#include "common/model/energy.h"
#include "common/model/radio.h"

#define SQUARE_M 300.0
#define PATH_EXPONENT (-3.0)
#define BOX_SLACK 1e-9 /* relative slack of C3 and C4 */

struct cpdrl_limits cpdrl_published_limits(void) {
    return (struct cpdrl_limits){.server_hz = 15e9,
                                 .bandwidth_hz = 5e6,
                                 .power_min_w = 1e-3,
                                 .power_max_w = 1.0,
                                 .clock_min_hz = 1e9,
                                 .clock_max_hz = 2e9,
                                 .capacitance = 1e-28,
                                 .noise_w = 1e-13,
                                 .deadline_s = 0.5,
                                 .delay_weight = 1.0,
                                 .energy_weight = 1.0};
}

double cpdrl_gain_at(double x_m, double y_m) {
    return radio_distance_gain(hypot(x_m - SQUARE_M / 2, y_m - SQUARE_M / 2), PATH_EXPONENT);
}

struct cpdrl_device cpdrl_draw_device(enum cpdrl_profile profile, uint64_t seed, uint32_t node) {
    struct random_stream place, task;
    random_init(&place, seed, node, RANDOM_CHANNEL);
    random_init(&task, seed, node, RANDOM_TASK);
    uint32_t kilo = profile == CPDRL_PAPER ? 8000 : 1000; /* bits in what the profile counts sizes in */
    struct cpdrl_device device;
    device.x_m = SQUARE_M * random_uniform(&place);
    device.y_m = SQUARE_M * random_uniform(&place);
    device.bits = 200.0 * kilo + (double)random_below(&task, 200 * (uint64_t)kilo + 1);
    device.cycles_per_bit = 500.0 + (double)random_below(&task, 501);
    device.gain = cpdrl_gain_at(device.x_m, device.y_m);
    return device;
}

struct cpdrl_instance cpdrl_draw_instance(enum cpdrl_profile profile, uint64_t seed, uint32_t count) {
    assert(count >= 1 && count <= CPDRL_DEVICES_MAX);
    struct cpdrl_instance instance = {.count = count, .limits = cpdrl_published_limits()};
    for (uint32_t n = 0; n < count; n++)
        instance.devices[n] = cpdrl_draw_device(profile, seed, n);
    return instance;
}

static bool within(double value, double low, double high) {
    return value >= low - BOX_SLACK * high && value <= high + BOX_SLACK * high;
}

/* Eq. (11), C3, C4: p > 0 suffices, the floor of the box is the agents' own. */
static bool consistent(const struct cpdrl_limits *limits, const struct cpdrl_decision *decision, uint32_t n) {
    if (decision->offloaded[n])
        return decision->clock_hz[n] == 0.0 && decision->bandwidth_hz[n] > 0.0 &&
               decision->power_w[n] > 0.0 && within(decision->power_w[n], 0.0, limits->power_max_w);
    return decision->bandwidth_hz[n] == 0.0 && decision->power_w[n] == 0.0 &&
           within(decision->clock_hz[n], limits->clock_min_hz, limits->clock_max_hz);
}

static void evaluate_device(const struct cpdrl_instance *instance, const struct cpdrl_decision *decision,
                            uint32_t n, uint32_t offloaded_count, struct cpdrl_outcome *outcome) {
    const struct cpdrl_device *device = &instance->devices[n];
    const struct cpdrl_limits *limits = &instance->limits;
    double bits = device->bits, cycles = device->cycles_per_bit, clock_hz = decision->clock_hz[n];
    if (!decision->offloaded[n]) {
        outcome->delay_s[n] = compute_delay_s(bits, cycles, clock_hz);                        /* Eq. (1) */
        outcome->energy_j[n] = energy_compute_j(limits->capacitance, bits, cycles, clock_hz); /* Eq. (2) */
        return;
    }
    double power_w = decision->power_w[n];
    double rate_bps = radio_shannon_rate_bps(decision->bandwidth_hz[n],
                                             power_w * device->gain / limits->noise_w); /* Eq. (3) */
    double transfer_s = radio_transfer_s(bits, rate_bps);                               /* Eq. (5) */
    outcome->energy_j[n] = energy_transmit_j(power_w, transfer_s);                      /* Eq. (6) */
    outcome->delay_s[n] = transfer_s + compute_shared_delay_s(bits, cycles, offloaded_count,
                                                              limits->server_hz); /* Eq. (7), (8) */
}

struct cpdrl_outcome cpdrl_evaluate(const struct cpdrl_instance *instance,
                                    const struct cpdrl_decision *decision) {
    const struct cpdrl_limits *limits = &instance->limits;
    struct cpdrl_outcome outcome = {.feasible = true};
    uint32_t offloaded_count = 0;
    double bandwidth_hz = 0.0;
    for (uint32_t n = 0; n < instance->count; n++) {
        offloaded_count += decision->offloaded[n];
        bandwidth_hz += decision->bandwidth_hz[n];
    }
    for (uint32_t n = 0; n < instance->count; n++) {
        evaluate_device(instance, decision, n, offloaded_count, &outcome);
        outcome.objective += cost_weighted(limits->delay_weight, outcome.delay_s[n], limits->energy_weight,
                                           outcome.energy_j[n]); /* Eq. (10) */
        double late_s = outcome.delay_s[n] - limits->deadline_s;
        outcome.lateness_s += late_s > CPDRL_LATENESS_MAX_S ? late_s : 0.0;
        outcome.feasible &= consistent(limits, decision, n);
    }
    outcome.feasible &= outcome.lateness_s == 0.0;                                            /* C1 */
    outcome.feasible &= bandwidth_hz <= limits->bandwidth_hz * (1.0 + CPDRL_BANDWIDTH_SLACK); /* C2 */
    return outcome;
}
