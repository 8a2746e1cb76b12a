/* LTE-M priorities and channels against jopa.md: Eq. (7) for the queueing delay of each criticality level,
 * Eq. (28) for the stationary distribution of the channel. */
#include <math.h>
#include <stdio.h>

#include "common/base/random.h"
#include "common/model/queue.h"
#include "common/net/link_check.h"
#include "common/time/vtime.h"

#define LEVELS 6
#define TASKS 20 /* of one gateway per slot: they fit into a slot in every channel state */
#define SHARE 0.2
#define EQ7_TOLERANCE_NS 1.000001 /* 1 ns: means over whole ns, the rest is for doubles */

/* The tasks of one slot. */
struct slot_tasks {
    double criticality[TASKS];
    uint8_t offloaded[TASKS];
    int64_t wait_ns[TASKS];
};

struct level_sums {
    uint64_t tasks;
    double expected_s, measured_s;
    double worst_ns; /* of any slot: mean over the level, against Eq. (7) */
};

static void draw_tasks(struct random_stream *stream, struct slot_tasks *tasks) {
    for (uint32_t i = 0; i < TASKS; i++) {
        tasks->criticality[i] = 0.2 * (double)random_below(stream, LEVELS);
        tasks->offloaded[i] = random_chance(stream, 0.8);
        tasks->wait_ns[i] = 0;
    }
}

/* All tasks of a slot are offered at its beginning, in the order of their number, and the link empties its
 * queue. */
static enum status send_tasks(struct link *link, struct slot_tasks *tasks, int64_t now_ns, bool urgent) {
    struct link_departure departure;
    for (uint32_t i = 0; i < TASKS; i++) {
        struct link_packet packet = {.bits = 64000, .handle = i};
        packet.urgency = urgent ? (uint32_t)lround(tasks->criticality[i] * 5.0) : 0;
        if (tasks->offloaded[i])
            TRY(link_offer(link, packet, now_ns));
    }
    for (int64_t next_ns = now_ns; link_next_ns(link) != VTIME_NEVER; next_ns = link_next_ns(link))
        if (link_start(link, next_ns, &departure))
            tasks->wait_ns[departure.packet.handle] = departure.start_ns - now_ns;
    return STATUS_OK;
}

/* Eq. (7) gives the mean over the orders of equal tasks: compare level by level. */
static void compare(const struct slot_tasks *tasks, double hold_s, struct level_sums *sums) {
    double expected_s[TASKS];
    queue_priority_waits_s(tasks->criticality, tasks->offloaded, TASKS, hold_s, expected_s);
    for (uint32_t level = 0; level < LEVELS; level++) {
        double expected = 0.0, measured_ns = 0.0;
        uint32_t count = 0;
        for (uint32_t i = 0; i < TASKS; i++) {
            if (!tasks->offloaded[i] || lround(tasks->criticality[i] * 5.0) != level)
                continue;
            count++;
            expected += expected_s[i];
            measured_ns += (double)tasks->wait_ns[i];
        }
        if (count == 0)
            continue;
        sums[level].tasks += count;
        sums[level].expected_s += expected;
        sums[level].measured_s += measured_ns * 1e-9;
        sums[level].worst_ns = fmax(sums[level].worst_ns, fabs(measured_ns - expected * 1e9) / count);
    }
}

static void file_levels(struct link_check_report *report, const struct level_sums *sums,
                        const char *profile) {
    double worst_ns = 0.0;
    uint64_t samples = 0;
    for (uint32_t level = 0; level < LEVELS; level++) {
        const struct level_sums *sum = &sums[level];
        double tasks = sum->tasks > 0 ? (double)sum->tasks : 1.0;
        struct link_check_row *row = link_check_exact(
            report, "priority", "s", "%s, criticality %.1f: mean wait", profile, 0.2 * level);
        row->expected = sum->expected_s / tasks;
        row->measured = sum->measured_s / tasks;
        row->tolerance = EQ7_TOLERANCE_NS * 1e-9;
        row->samples = sum->tasks;
        samples += sum->tasks;
        worst_ns = fmax(worst_ns, sum->worst_ns);
    }
    struct link_check_row *row =
        link_check_exact(report, "priority", "ns", "%s, any slot and level: greatest deviation", profile);
    row->measured = worst_ns;
    row->tolerance = EQ7_TOLERANCE_NS;
    row->samples = samples;
}

/* delta tau with tau = H / R_max not rounded; delta as the link reports it. */
static double hold_s(const struct scenario_link *config, const struct link *link) {
    double rate_max_bps =
        config->bandwidth_hz *
        log2(1.0 + config->power_w * config->gain[2] / (config->noise_w_per_hz * config->bandwidth_hz));
    return link_report(link).mini_slots * (config->mini_slot_bits / rate_max_bps);
}

static enum status check_profile(struct link_check_report *report, const struct scenario_link *config,
                                 const char *profile, const struct link_check_options *options, bool urgent,
                                 struct error *error) {
    struct link *link;
    struct random_stream stream;
    struct level_sums sums[LEVELS] = {{0}};
    struct slot_tasks tasks;
    uint32_t slots = options->quick ? 2000 : 20000;
    TRY(link_open(config, SHARE, options->seed, 2000, &link, error));
    random_init(&stream, options->seed, 2000, RANDOM_TEST);
    enum status status = STATUS_OK;
    for (uint32_t slot = 0; slot < slots && status == STATUS_OK; slot++) {
        int64_t now_ns = slot * 10 * VTIME_NS_PER_S;
        link_slot(link, now_ns);
        draw_tasks(&stream, &tasks);
        status = send_tasks(link, &tasks, now_ns, urgent);
        compare(&tasks, hold_s(config, link), sums);
    }
    link_close(link);
    file_levels(report, sums, profile);
    return status;
}

enum status link_check_priorities(struct link_check_report *report, const struct link_check_options *options,
                                  bool urgent, struct error *error) {
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    TRY(check_profile(report, &config, "calibrated", options, urgent, error));
    config.noise_w_per_hz = 1e-18; /* the printed profile: tau is no whole number of ns */
    return check_profile(report, &config, "paper", options, urgent, error);
}

/* Steps from one state to another; what cannot happen must not happen once. */
static void file_steps(struct link_check_report *report, uint64_t hits, uint64_t trials, double expected,
                       const char *name) {
    if (expected > 0.0) {
        link_check_share(report, hits, trials, expected, name)->group = "channel";
        return;
    }
    struct link_check_row *row = link_check_exact(report, "channel", "", "%s", name);
    row->measured = (double)hits;
    row->samples = trials;
}

static enum status check_markov3(struct link_check_report *report, const struct link_check_options *options,
                                 struct error *error) {
    static const double stationary[SCENARIO_STATES] = {5.0 / 24.0, 14.0 / 24.0, 5.0 / 24.0};
    static const char *const names[SCENARIO_STATES] = {"bad", "normal", "good"};
    struct scenario_link config = link_check_radio(LINK_LTE_M, CHANNEL_MARKOV3);
    uint64_t slots = options->quick ? 100000 : 3000000, steps[SCENARIO_STATES][SCENARIO_STATES] = {{0}};
    struct batch_means shares[SCENARIO_STATES];
    struct link *link;
    TRY(link_open(&config, SHARE, options->seed, 3000, &link, error));
    for (uint32_t state = 0; state < SCENARIO_STATES; state++)
        batch_means_init(&shares[state], slots);
    for (uint64_t slot = 0; slot < slots; slot++) {
        uint32_t before = link_report(link).state;
        for (uint32_t state = 0; state < SCENARIO_STATES; state++)
            batch_means_add(&shares[state], before == state);
        link_slot(link, (int64_t)slot * VTIME_NS_PER_S);
        steps[before][link_report(link).state]++;
    }
    link_close(link);
    char name[64];
    for (uint32_t from = 0; from < SCENARIO_STATES; from++) {
        snprintf(name, sizeof name, "Markov: share of slots in %s", names[from]);
        link_check_mean(report, &shares[from], stationary[from], "channel", name);
        uint64_t trials = steps[from][0] + steps[from][1] + steps[from][2];
        for (uint32_t to = 0; to < SCENARIO_STATES; to++) {
            snprintf(name, sizeof name, "Markov: from %s to %s", names[from], names[to]);
            file_steps(report, steps[from][to], trials, config.transition[from][to], name);
        }
    }
    return STATUS_OK;
}

/* Clipped at both ends, the walk over ten levels is uniform: mean gain 1.65; inside it goes up every fourth
 * time. */
static enum status check_levels10(struct link_check_report *report, const struct link_check_options *options,
                                  struct error *error) {
    struct scenario_link config = link_check_radio(LINK_OFDMA, CHANNEL_LEVELS10);
    uint64_t slots = options->quick ? 300000 : 6000000, inside = 0, up = 0, down = 0, jumps = 0;
    struct batch_means gain, lowest;
    struct link *link;
    TRY(link_open(&config, 0.0, options->seed, 3001, &link, error));
    batch_means_init(&gain, slots);
    batch_means_init(&lowest, slots);
    for (uint64_t slot = 0; slot < slots; slot++) {
        uint32_t before = link_report(link).state;
        batch_means_add(&gain, 0.3 * (before + 1));
        batch_means_add(&lowest, before == 0);
        link_slot(link, (int64_t)slot * VTIME_NS_PER_S);
        uint32_t after = link_report(link).state;
        bool interior = before > 0 && before < 9;
        inside += interior;
        up += interior && after == before + 1;
        down += interior && after + 1 == before;
        jumps += after > before + 1 || before > after + 1;
    }
    link_close(link);
    link_check_mean(report, &gain, 1.65, "channel", "ten levels: mean gain");
    link_check_mean(report, &lowest, 0.1, "channel", "ten levels: share of slots in the lowest");
    file_steps(report, up, inside, 0.25, "ten levels: one up");
    file_steps(report, down, inside, 0.25, "ten levels: one down");
    struct link_check_row *row = link_check_exact(report, "channel", "", "ten levels: jumps over a level");
    row->measured = (double)jumps;
    row->samples = slots;
    return STATUS_OK;
}

enum status link_check_channels(struct link_check_report *report, const struct link_check_options *options,
                                struct error *error) {
    TRY(check_markov3(report, options, error));
    return check_levels10(report, options, error);
}
