/* kinds_byzantine: f validators that lie (rows 16 to 18, 20 to 25, 37, 39). */
#include <assert.h>
#include <string.h>

#include "campaign/byzantine.h"
#include "campaign/kinds.h"
#include "common/time/vtime.h"

#define MS(n) ((n)*VTIME_NS_PER_MS)

/* f validators with the same behaviours. */
static void lie(struct fault_plan *plan, uint32_t behaviours) {
    uint64_t liars = plan_pick_faulty(plan, plan->faults_max);
    for (uint32_t i = 0; i < plan->validators; i++)
        if (liars >> i & 1)
            plan->behaviours[i] = behaviours;
}

/* Row 16: evidence must stand on the chain within its age (I10). */
static void write_two_proposals(struct fault_plan *plan) {
    lie(plan, BYZANTINE_EQUIVOCATE_PROPOSAL);
    plan->heights_after = plan->chain.evidence_age + 1;
    plan->fault_ns = MS(1500);
}

/* Row 17. */
static void write_two_votes(struct fault_plan *plan) {
    lie(plan, BYZANTINE_EQUIVOCATE_VOTE | (plan_below(plan, 2) ? BYZANTINE_EQUIVOCATE_PROPOSAL : 0));
    plan->heights_after = plan->chain.evidence_age + 1;
    plan->fault_ns = MS(1500);
}

/* Row 18: N = 4, one twin: number of the scenario from the seed. Per round one of the 16 ways to split five
 * members in two, over 4 rounds, and who proposes first; other N are sampled. */
static void write_twins(struct fault_plan *plan) {
    plan->twins = plan->faults_max;
    uint64_t twins = plan_pick_faulty(plan, plan->twins);
    for (uint32_t i = 0, t = 0; i < plan->validators; i++)
        if (twins >> i & 1)
            plan->twin_of[t++] = i;
    uint32_t members = plan->validators + plan->twins;
    assert(members >= 4 && members <= NETWORK_MEMBERS_MAX);
    plan->phase_count = 4 + plan_below(plan, 4);
    uint64_t scenario = plan->validators == 4 ? plan->seed : random_next(&plan->random);
    plan->first_proposer = (uint32_t)(scenario % plan->validators);
    scenario /= plan->validators;
    for (uint32_t round = 0; round < plan->phase_count; round++) {
        uint8_t sets[NETWORK_MEMBERS_MAX] = {0};
        uint64_t ways = UINT64_C(1) << (members - 1);
        uint64_t way =
            round < 4 && plan->validators == 4 ? scenario % ways : random_below(&plan->random, ways);
        scenario /= ways;
        for (uint32_t i = 1; i < members; i++)
            sets[i] = (uint8_t)(way >> (i - 1) & 1);
        network_partition(&plan->phases[round], sets, members + 1);
        plan->phases[round].open[members] = UINT32_MAX;
        for (uint32_t i = 0; i < members; i++)
            plan->phases[round].open[i] |= 1u << members;
    }
    plan->chain.timeout_ns = MS(150);
    plan->chain.timeout_step_ns = MS(50);
    plan->chain.block_rate_hz = 0;
    plan->fault_ns = MS(4000);
}

/* Row 20. */
static void write_small_mutations(struct fault_plan *plan) {
    lie(plan, BYZANTINE_MUTATE);
}

/* Row 21. */
static void write_bad_proposer(struct fault_plan *plan) {
    static const uint32_t behaviours[] = {BYZANTINE_SILENT_PROPOSER, BYZANTINE_WITHHOLD_PARTS,
                                          BYZANTINE_WRONG_PARTS, BYZANTINE_MUTE};
    lie(plan, behaviours[plan_below(plan, 4)]);
}

/* Row 22. */
static void write_invalid_block(struct fault_plan *plan) {
    lie(plan, BYZANTINE_INVALID_BLOCK);
}

/* Row 23. */
static void write_far_rounds(struct fault_plan *plan) {
    lie(plan, BYZANTINE_FAR_ROUNDS);
}

/* Row 24: somebody has to catch up while a liar answers. */
static void write_liar(struct fault_plan *plan) {
    lie(plan, BYZANTINE_LYING_STATUS | BYZANTINE_LYING_CATCHUP);
    uint32_t member = plan_pick(plan, 0);
    fault_plan_add(plan, plan_between_ns(plan, MS(100), MS(600)), FAULT_KILL_KEEP, member);
    fault_plan_add(plan, plan_between_ns(plan, MS(1200), MS(2000)), FAULT_START, member);
}

/* Row 42. */
static void write_attester(struct fault_plan *plan) {
    lie(plan, BYZANTINE_LYING_ATTEST);
    plan->client_lies = true;
    plan->client_interval_ns = MS(80);
}

/* Row 25. */
static void write_forged(struct fault_plan *plan) {
    lie(plan, BYZANTINE_FORGED_CERTIFICATE | BYZANTINE_EQUIVOCATE_VOTE);
    plan->quality.loss = 0.1;
}

/* Rows 12 and 20, against a lock. Round 0: too few honest validators hear the proposal for a polka; the liar
 * has a prevote of its own that makes one, and keeps it to itself. Round 1: honest validators lock on another
 * value, but one that misses a prevote. From then on only liars are heard to propose: they propose the old
 * value with its old polka, until in the last round everybody is heard again. */
static void write_stale_polka(struct fault_plan *plan) {
    kind_find("phases")->write(plan);
    lie(plan, BYZANTINE_STALE_POLKA);
    uint32_t count = plan->validators, rounds = count < 7 ? count + 3 : NETWORK_PHASES_MAX / 3;
    uint64_t liars = 0, ears;
    for (uint32_t i = 0; i < count; i++)
        liars |= (uint64_t)(plan->behaviours[i] != 0) << i;
    plan->phase_count = rounds * 3;
    plan->chain.exclude_accused = false; /* it is to have its turn */
    plan->quality.delay_least_ns = MS(3);
    plan->quality.delay_most_ns = MS(20);
    plan->chain.timeout_ns = MS(200);
    plan->chain.timeout_step_ns = MS(30);
    for (uint32_t i = 0; i < plan->phase_count; i++)
        plan->phases[i] = plan_heard_by(plan, UINT64_MAX);
    ears = liars | plan_pick_faulty(plan, quorum_size(count) - plan->faults_max);
    plan->phases[0] = plan_heard_by(plan, ears);
    uint32_t victim = plan_pick(plan, 0);
    for (uint32_t i = 0; i < count - quorum_size(count); i++)
        network_cut_one_way(&plan->phases[4], plan_pick(plan, UINT64_C(1) << victim), victim);
    plan->phases[5] = plan_heard_by(plan, ~liars); /* or a liar would decide with the vote that it keeps */
    for (uint32_t round = 2; round + 1 < rounds; round++)
        for (uint32_t i = 0; i < count; i++)
            if ((liars >> i & 1) == 0)
                plan->phases[3 * round].open[i] = 1u << i | 1u << count;
    plan->fault_ns = MS(6000);
}

/* Any lies, in any network, with deaths of honest validators between. */
static void write_chaos(struct fault_plan *plan) {
    static const char *const networks[] = {"phases", "odd-links", "lossy", "replay", "minority"};
    kind_find(networks[plan_below(plan, 5)])->write(plan);
    uint32_t behaviours = 0;
    for (uint32_t i = 0; i < 3; i++)
        behaviours |= 1u << plan_below(plan, 12);
    lie(plan, behaviours);
    for (uint32_t i = 0; i < 2; i++)
        fault_plan_add(plan, plan_between_ns(plan, MS(100), MS(2000)), FAULT_KILL, plan_pick(plan, 0));
}

const struct kind kinds_byzantine[] = {
    {"two-proposals", "16", "a proposer that says A to half and B to half", 5, write_two_proposals},
    {"two-votes", "17", "a voter that votes both ways", 5, write_two_votes},
    {"twins", "18,37", "two instances of f keys, partitions by round", 10, write_twins},
    {"small-mutations", "20", "rounds and heights off by one, nil for a value, old values", 6,
     write_small_mutations},
    {"bad-proposer", "21,39", "silence, withheld parts, wrong parts", 4, write_bad_proposer},
    {"invalid-block", "22", "blocks that are not valid", 3, write_invalid_block},
    {"far-rounds", "23", "votes for rounds and heights far ahead", 3, write_far_rounds},
    {"liar", "24", "lies in STATUS and in catch-up", 4, write_liar},
    {"attester", "42", "attestations and edge servers that lie about models", 3, write_attester},
    {"forged", "25", "forged certificates", 3, write_forged},
    {"stale-polka", "12,20", "proposals with polkas older than locks", 10, write_stale_polka},
    {"chaos", "11,12,13,16,17,20,21,23,24", "any lies, any network, deaths", 8, write_chaos},
    {NULL, NULL, NULL, 0, NULL},
};
