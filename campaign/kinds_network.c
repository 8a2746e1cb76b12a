/* kinds_network: partitions, loss, damage, slow links (rows 9 to 15, 26, 38, 41, 43, 44). */
#include <string.h>

#include "campaign/kinds.h"
#include "common/time/vtime.h"

#define MS(n) ((n)*VTIME_NS_PER_MS)

/* The client, the last member of a world without twins, reaches all in every partition. */
static void reach_client(struct fault_plan *plan, struct network_links *links) {
    uint32_t client = plan->validators + plan->twins;
    for (uint32_t i = 0; i <= client; i++) {
        links->open[client] |= 1u << i;
        links->open[i] |= 1u << client;
    }
}

/* `inside` bits are one set, the rest the other. */
static struct network_links split(struct fault_plan *plan, uint64_t inside) {
    uint8_t sets[NETWORK_MEMBERS_MAX] = {0};
    struct network_links links;
    for (uint32_t i = 0; i < plan->validators; i++)
        sets[i] = (uint8_t)(inside >> i & 1);
    network_partition(&links, sets, plan->validators + plan->twins + 1);
    reach_client(plan, &links);
    return links;
}

/* Row 9: no side has a quorum. */
static void write_halves(struct fault_plan *plan) {
    int64_t at_ns = plan_between_ns(plan, MS(100), MS(900));
    uint32_t least = plan->validators - quorum_size(plan->validators) + 1;
    struct fault_step *step = fault_plan_add(plan, at_ns, FAULT_LINKS, 0);
    step->links = split(plan, plan_pick_faulty(plan, least));
    fault_plan_add(plan, at_ns + MS(200), FAULT_STALL_BEGIN, 0);
    fault_plan_add(plan, at_ns + MS(1500), FAULT_STALL_END, 0);
    fault_plan_add(plan, at_ns + MS(1500), FAULT_HEAL_LINKS, 0);
}

/* Row 10. */
static void write_minority(struct fault_plan *plan) {
    int64_t at_ns = plan_between_ns(plan, MS(100), MS(600));
    fault_plan_add(plan, at_ns, FAULT_LINKS, 0)->links =
        split(plan, plan_pick_faulty(plan, plan->faults_max));
    fault_plan_add(plan, at_ns + plan_between_ns(plan, MS(800), MS(1800)), FAULT_HEAL_LINKS, 0);
}

static struct network_links draw_links(struct fault_plan *plan) {
    uint32_t members = plan->validators + plan->twins + 1;
    uint8_t sets[NETWORK_MEMBERS_MAX];
    struct network_links links;
    for (uint32_t i = 0; i < members; i++)
        sets[i] = (uint8_t)plan_below(plan, 2);
    switch (plan_below(plan, 5)) {
    case 0:
        network_bridge(&links, sets, plan_below(plan, plan->validators), members);
        break;
    case 1:
        network_ring(&links, plan->validators, members);
        break;
    case 2:
        memset(&links, 0xff, sizeof links);
        for (uint32_t i = 0; i < 1 + plan_below(plan, plan->validators); i++)
            network_cut_one_way(&links, plan_below(plan, plan->validators),
                                plan_below(plan, plan->validators));
        break;
    default:
        network_partition(&links, sets, members);
    }
    reach_client(plan, &links);
    return links;
}

/* Row 11, swizzle-clog: links are clogged one by one and freed in another order. */
static void write_odd_links(struct fault_plan *plan) {
    for (uint32_t i = 0; i < 4; i++) {
        int64_t at_ns = MS(550) * (int64_t)i + plan_between_ns(plan, MS(50), MS(250));
        if (plan_below(plan, 3) > 0) {
            fault_plan_add(plan, at_ns, FAULT_LINKS, 0)->links = draw_links(plan);
            continue;
        }
        for (uint32_t member = 0; member < plan->validators; member++) {
            fault_plan_add(plan, at_ns + plan_between_ns(plan, 0, MS(200)), FAULT_SLOW_LINKS, member)->value =
                random_next(&plan->random);
            fault_plan_add(plan, at_ns + plan_between_ns(plan, MS(200), MS(500)), FAULT_SLOW_LINKS, member)
                ->value = 0;
        }
    }
}

/* Each validator hears a quorum of the others, each another one: the least with which rounds go on, so that
 * some see a polka or a decision and some do not. */
static struct network_links hear_quorum(struct fault_plan *plan) {
    struct network_links links = plan_heard_by(plan, UINT64_MAX);
    uint32_t missing = plan->validators - quorum_size(plan->validators);
    for (uint32_t to = 0; to < plan->validators; to++)
        for (uint32_t i = 0; i < missing; i++)
            network_cut_one_way(&links, (to + 1 + plan_below(plan, plan->validators - 1)) % plan->validators,
                                to);
    return links;
}

/* Three phases of one round: proposal, prevotes, precommits. */
static void write_round(struct fault_plan *plan, struct network_links *phases) {
    uint64_t all = (UINT64_C(1) << plan->validators) - 1;
    phases[0] = plan_heard_by(plan, all & ~(UINT64_C(1) << plan_below(plan, plan->validators)));
    for (uint32_t i = 1; i < 3; i++)
        phases[i] = hear_quorum(plan);
    switch (plan_below(plan, 10)) {
    case 0: /* some see the polka and lock, nobody sees the precommits: nothing goes on at this height */
        phases[1] = plan_heard_by(plan, random_next(&plan->random) & all);
        phases[2] = plan_heard_by(plan, 0);
        break;
    case 1: /* all lock, few see that it is decided */
        phases[2] = plan_heard_by(plan, UINT64_C(1) << plan_below(plan, plan->validators));
        break;
    case 2:
        for (uint32_t i = 0; i < 3; i++)
            phases[i] = split(plan, random_next(&plan->random));
        break;
    case 3: /* the proposal is heard by any */
        phases[0] = plan_heard_by(plan, random_next(&plan->random) & all);
        break;
    default:
        break;
    }
}

/* Row 12: for each class of message of each round links of their own, so that validators lock on different
 * values. In every fifth round nothing is cut, or no height would ever end. */
static void write_phases(struct fault_plan *plan) {
    plan->by_class = true;
    plan->phase_count = 15;
    for (uint32_t round = 0; round < 4; round++)
        write_round(plan, plan->phases + 3 * (size_t)round);
    for (uint32_t i = 12; i < 15; i++)
        plan->phases[i] = plan_heard_by(plan, UINT64_MAX);
    plan->chain.timeout_ns = MS(150);
    plan->chain.timeout_step_ns = MS(50);
    plan->fault_ns = MS(5000);
    plan->chain.block_rate_hz = 0;
}

/* Row 13: each alone, and all. */
static void write_lossy(struct fault_plan *plan) {
    uint32_t which = plan_below(plan, 5);
    if (which == 0 || which == 4)
        plan->quality.loss = 0.3;
    if (which == 1 || which == 4)
        plan->quality.duplicate = 0.5;
    if (which == 2 || which == 4)
        plan->quality.reorder = 0.5;
    if (which == 3 || which == 4) {
        plan->quality.reorder = 0.3;
        plan->quality.tail_ns = MS(700);
    }
}

/* Row 14. */
static void write_damage(struct fault_plan *plan) {
    plan->quality.corrupt = 0.05 + 0.25 * random_uniform(&plan->random);
    plan->quality.truncate = 0.15 * random_uniform(&plan->random);
}

/* Row 15. */
static void write_replay(struct fault_plan *plan) {
    plan->quality.replay = 0.5;
    plan->quality.duplicate = 0.2;
    plan->quality.reorder = 0.3;
}

/* Row 26. Times that only increase: clocks may be anything, also after the faults, and nothing stops.
 * Times of proposers: up to f clocks are anything until they are set right, the rest differ by less than the
 * precision. */
static void write_skew(struct fault_plan *plan) {
    bool monotone = plan->chain.time == CHAIN_TIME_MONOTONE;
    uint64_t wrong = monotone ? UINT64_MAX : plan_pick_faulty(plan, plan->faults_max);
    int64_t far_ns = INT64_C(600) * VTIME_NS_PER_S, near_ns = plan->chain.precision_ns / 2;
    for (uint32_t i = 0; i < plan->validators; i++) {
        int64_t most_ns = wrong >> i & 1 ? far_ns : near_ns;
        fault_plan_add(plan, 0, FAULT_SKEW, i)->value = (uint64_t)plan_between_ns(plan, -most_ns, most_ns);
        for (uint32_t k = 0; k < plan_below(plan, 3);
             k++) /* jumps, also back; a frozen clock is many of them */
            fault_plan_add(plan, plan_between_ns(plan, MS(300), MS(2400)), FAULT_SKEW, i)->value =
                (uint64_t)plan_between_ns(plan, -most_ns, most_ns);
        if (!monotone)
            fault_plan_add(plan, MS(2500), FAULT_SKEW, i);
    }
}

/* Row 38. */
static void write_slow_disk(struct fault_plan *plan) {
    fault_plan_add(plan, MS(200), FAULT_SLOW_DISK, plan_pick(plan, 0))->value =
        (uint64_t)plan_between_ns(plan, MS(300), MS(2000));
}

/* Row 41. */
static void write_flood(struct fault_plan *plan) {
    plan->client_lies = true;
    plan->client_interval_ns = MS(30);
    for (uint32_t i = 0; i < 2; i++)
        fault_plan_add(plan, plan_between_ns(plan, MS(300), MS(2000)), FAULT_FLOOD, 0)->value =
            100 + plan_below(plan, 200);
}

/* Row 44: the proposer of round 0 is slow to be heard at every height. */
static void write_late_leader(struct fault_plan *plan) {
    plan->by_class = true;
    plan->phase_count = 30;
    uint32_t members = plan->validators + plan->twins + 1;
    uint8_t sets[NETWORK_MEMBERS_MAX];
    for (uint32_t i = 0; i < plan->phase_count; i++) {
        for (uint32_t m = 0; m < members; m++)
            sets[m] = i == 0 ? (uint8_t)m : 0; /* proposals of round 0 reach nobody */
        network_partition(&plan->phases[i], sets, members);
        reach_client(plan, &plan->phases[i]);
    }
    plan->chain.timeout_ns = MS(120);
    plan->fault_ns = MS(6000);
}

/* A calm run: what must work before anything else. */
static void write_calm(struct fault_plan *plan) {
    plan->client_interval_ns = MS(100);
}

const struct kind kinds_network[] = {
    {"calm", "", "no faults", 1, write_calm},
    {"halves", "9", "a partition without a quorum on any side", 3, write_halves},
    {"minority", "10", "f validators are cut off and catch up", 3, write_minority},
    {"odd-links", "11", "bridges, rings, one-way links, clogs", 4, write_odd_links},
    {"phases", "12", "links change with round and kind of vote", 10, write_phases},
    {"lossy", "13", "loss, duplication, reordering, tails", 5, write_lossy},
    {"damage", "14", "flipped bits, cut and grown messages", 4, write_damage},
    {"replay", "15", "old messages come again", 2, write_replay},
    {"skew", "26", "clocks that differ by minutes, and jump; both ways to time blocks", 3, write_skew},
    {"slow-disk", "38", "commits that take up to 2 s on one validator", 2, write_slow_disk},
    {"flood", "41,42", "floods, duplicates, one nonce twice", 3, write_flood},
    {"late-leader", "44", "the proposer of round 0 is never heard", 2, write_late_leader},
    {NULL, NULL, NULL, 0, NULL},
};
