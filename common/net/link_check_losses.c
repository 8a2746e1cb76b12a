/* What happens to packets on the way: shares of lost, duplicated, corrupted and held-back packets against the
 * probabilities asked for, and the length of loss bursts. The link is driven with equal packets, one after
 * the other. */
#include <stdio.h>

#include "common/net/link_check.h"
#include "common/time/vtime.h"

#define PACKET_BITS 10000 /* 1 ms on the wired link */

/* A link under test; every call of `next` sends one packet, back to back with the one before. */
struct sender {
    struct link *link;
    int64_t now_ns;
};

static enum status sender_open(struct sender *sender, const struct scenario_link *config,
                               const struct link_check_report *report,
                               const struct link_check_options *options, struct error *error) {
    sender->now_ns = 0;
    return link_open(config, 0.0, options->seed, 1000 + report->count, &sender->link, error);
}

static struct link_departure next(struct sender *sender) {
    struct link_departure departure = {0};
    if (link_offer(sender->link, (struct link_packet){.bits = PACKET_BITS}, sender->now_ns) == STATUS_OK)
        link_start(sender->link, sender->now_ns, &departure);
    sender->now_ns = departure.end_ns;
    return departure;
}

/* Does this departure count for the share that a check measures? */
typedef bool (*property)(const struct link_departure *departure);

static bool is_lost(const struct link_departure *departure) {
    return departure->fate == LINK_LOST;
}

static bool is_cut(const struct link_departure *departure) {
    return departure->fate == LINK_CUT;
}

static bool is_corrupted(const struct link_departure *departure) {
    return departure->fate == LINK_CORRUPTED;
}

static bool is_duplicated(const struct link_departure *departure) {
    return departure->duplicate_ns != VTIME_NEVER;
}

static bool is_held(const struct link_departure *departure) {
    return departure->arrival_ns - departure->end_ns > link_check_wired().delay_ns;
}

struct share_check {
    const char *name;
    struct scenario_link config;
    struct link_fault fault;
    property counts;
    double expected;
};

static enum status check_share(struct link_check_report *report, const struct share_check *check,
                               const struct link_check_options *options, struct error *error) {
    struct sender sender;
    uint64_t trials = options->quick ? 100000 : 2000000, hits = 0;
    TRY(sender_open(&sender, &check->config, report, options, error));
    link_set_fault(sender.link, &check->fault);
    for (uint64_t i = 0; i < trials; i++) {
        struct link_departure departure = next(&sender);
        hits += check->counts(&departure);
    }
    link_check_share(report, hits, trials, check->expected, check->name);
    link_close(sender.link);
    return STATUS_OK;
}

static enum status check_shares(struct link_check_report *report, const struct link_check_options *options,
                                struct error *error) {
    const struct link_fault none = {.rate_factor = 1.0};
    struct scenario_link plain = link_check_wired(), bernoulli = plain, copies = plain, flips = plain,
                         holds = plain;
    bernoulli.loss = LOSS_BERNOULLI;
    bernoulli.loss_probability = 0.02;
    copies.duplicate_probability = 0.03;
    flips.corrupt_probability = 0.01;
    holds.reorder_probability = 0.05;
    const struct share_check checks[] = {
        {"Bernoulli: lost", bernoulli, none, is_lost, 0.02},
        {"Bernoulli and a loss fault: lost",
         bernoulli,
         {.loss = 0.1, .rate_factor = 1.0},
         is_lost,
         0.02 + 0.98 * 0.1},
        {"duplicated", copies, none, is_duplicated, 0.03},
        {"duplicated, by a fault", plain, {.duplicate = 0.2, .rate_factor = 1.0}, is_duplicated, 0.2},
        {"corrupted", flips, none, is_corrupted, 0.01},
        {"corrupted, with a fault",
         flips,
         {.corrupt = 0.1, .rate_factor = 1.0},
         is_corrupted,
         0.01 + 0.99 * 0.1},
        {"held back for reordering", holds, none, is_held, 0.05},
        {"held back, by a fault", plain, {.reorder = 0.1, .rate_factor = 1.0}, is_held, 0.1}};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        TRY(check_share(report, &checks[i], options, error));
    return STATUS_OK;
}

/* A partition loses everything, without exception. */
static enum status check_cut(struct link_check_report *report, const struct link_check_options *options,
                             struct error *error) {
    struct sender sender;
    struct scenario_link config = link_check_wired();
    uint64_t cut = 0;
    TRY(sender_open(&sender, &config, report, options, error));
    link_set_fault(sender.link, &(struct link_fault){.cut = true, .rate_factor = 1.0});
    for (int i = 0; i < 1000; i++) {
        struct link_departure departure = next(&sender);
        cut += is_cut(&departure);
    }
    struct link_check_row *row = link_check_exact(report, "loss", "", "cut by a partition");
    row->expected = 1000.0;
    row->measured = (double)cut;
    row->samples = 1000;
    link_close(sender.link);
    return STATUS_OK;
}

/* A packet that is held back is overtaken by its successor unless that one is held back too: p (1 - p). */
static enum status check_overtaken(struct link_check_report *report, const struct link_check_options *options,
                                   struct error *error) {
    struct sender sender;
    struct scenario_link config = link_check_wired();
    struct batch_means overtaken;
    uint64_t packets = options->quick ? 100000 : 2000000;
    config.reorder_probability = 0.05;
    TRY(sender_open(&sender, &config, report, options, error));
    batch_means_init(&overtaken, packets);
    int64_t before_ns = next(&sender).arrival_ns;
    for (uint64_t i = 0; i < packets; i++) {
        int64_t arrival_ns = next(&sender).arrival_ns;
        batch_means_add(&overtaken, arrival_ns < before_ns);
        before_ns = arrival_ns;
    }
    link_check_mean(report, &overtaken, 0.05 * 0.95, "loss", "overtaken by the next packet");
    link_close(sender.link);
    return STATUS_OK;
}

/* Mean number of losses in a row: each burst has one beginning, so it is P(lost) / P(lost after not lost). */
static double burst_mean(const struct scenario_link *config, double pi_bad) {
    double p[2] = {config->loss_probability, config->loss_probability_bad};
    double stay[2] = {1.0 - config->loss_good_to_bad, 1.0 - config->loss_bad_to_good};
    double pi[2] = {1.0 - pi_bad, pi_bad};
    double lost = 0.0, begins = 0.0;
    for (int state = 0; state < 2; state++) {
        lost += pi[state] * p[state];
        begins +=
            pi[state] * (1.0 - p[state]) * (stay[state] * p[state] + (1.0 - stay[state]) * p[1 - state]);
    }
    return lost / begins;
}

/* Losses come in bursts: their share by batches of packets, their length by batches of bursts. */
static enum status check_bursts(struct link_check_report *report, const struct scenario_link *config,
                                const char *name, const struct link_check_options *options,
                                struct error *error) {
    struct sender sender;
    struct batch_means losses, bursts;
    double pi_bad = config->loss_good_to_bad / (config->loss_good_to_bad + config->loss_bad_to_good);
    double rate = (1.0 - pi_bad) * config->loss_probability + pi_bad * config->loss_probability_bad;
    uint64_t packets = options->quick ? 300000 : 6000000, burst_count = packets / 600;
    TRY(sender_open(&sender, config, report, options, error));
    batch_means_init(&losses, packets);
    batch_means_init(&bursts, burst_count);
    uint64_t run = 0;
    for (uint64_t i = 0; i < packets || bursts.seen < burst_count; i++) {
        struct link_departure departure = next(&sender);
        bool lost = is_lost(&departure);
        batch_means_add(&losses, lost);
        if (!lost && run > 0)
            batch_means_add(&bursts, (double)run);
        run = lost ? run + 1 : 0;
    }
    link_close(sender.link);
    struct link_check_row *row = link_check_mean(report, &losses, rate, "loss", name);
    snprintf(row->name, sizeof row->name, "%s: lost", name);
    row = link_check_mean(report, &bursts, burst_mean(config, pi_bad), "loss", name);
    snprintf(row->name, sizeof row->name, "%s: mean burst", name);
    row->unit = "packets";
    return STATUS_OK;
}

/* Jitter: uniform, and never a change of order. */
static enum status check_jitter(struct link_check_report *report, const struct link_check_options *options,
                                struct error *error) {
    struct sender sender;
    struct scenario_link config = link_check_wired();
    struct batch_means extra_s;
    uint64_t packets = options->quick ? 100000 : 1000000, out_of_order = 0;
    config.jitter_ns = 5 * VTIME_NS_PER_MS; /* five packets long: order would be lost at once */
    TRY(sender_open(&sender, &config, report, options, error));
    int64_t before_ns = 0;
    for (uint64_t i = 0; i < packets; i++) {
        struct link_departure departure = next(&sender);
        int64_t extra_ns = departure.arrival_ns - departure.end_ns - config.delay_ns;
        out_of_order += departure.arrival_ns < before_ns || extra_ns < 0 || extra_ns > config.jitter_ns;
        before_ns = departure.arrival_ns;
    }
    struct link_check_row *row =
        link_check_exact(report, "loss", "", "jitter in order: early, late or overtaking");
    row->measured = (double)out_of_order;
    row->samples = packets;
    batch_means_init(&extra_s, packets);
    for (uint64_t i = 0; i < packets; i++) { /* far apart: the order asks for nothing */
        sender.now_ns += config.jitter_ns;
        struct link_departure departure = next(&sender);
        batch_means_add(&extra_s, vtime_to_s(departure.arrival_ns - departure.end_ns - config.delay_ns));
    }
    row = link_check_mean(report, &extra_s, 0.5 * vtime_to_s(config.jitter_ns), "loss", "jitter: mean");
    row->unit = "s";
    link_close(sender.link);
    return STATUS_OK;
}

enum status link_check_losses(struct link_check_report *report, const struct link_check_options *options,
                              struct error *error) {
    struct scenario_link gilbert = link_check_wired();
    gilbert.loss = LOSS_GILBERT_ELLIOTT;
    gilbert.loss_probability_bad = 1.0;
    gilbert.loss_good_to_bad = 0.005;
    gilbert.loss_bad_to_good = 0.2; /* bursts of 5 packets */
    struct scenario_link elliott = gilbert;
    elliott.loss_probability = 0.001;
    elliott.loss_probability_bad = 0.5;
    TRY(check_shares(report, options, error));
    TRY(check_cut(report, options, error));
    TRY(check_overtaken(report, options, error));
    TRY(check_bursts(report, &gilbert, "Gilbert", options, error));
    TRY(check_bursts(report, &elliott, "Gilbert-Elliott", options, error));
    return check_jitter(report, options, error);
}
