/* kinds_crash: processes die, at any moment and at the worst ones (rows 1 to 8). */
#include <stdio.h>

#include "campaign/kinds.h"
#include "common/time/vtime.h"

#define MS(n) ((n)*VTIME_NS_PER_MS)

/* Row 1. */
static void write_kill_one(struct fault_plan *plan) {
    uint32_t member = plan_pick(plan, 0);
    for (uint32_t i = 0; i < 1 + plan_below(plan, 3); i++)
        fault_plan_add(plan, plan_between_ns(plan, MS(100), MS(2300)), FAULT_KILL, member);
}

/* Row 2: any member may be the proposer; it dies after so many sends of its handler, again and again. */
static void write_kill_proposer(struct fault_plan *plan) {
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t member = plan_pick(plan, 0);
        struct fault_step *step = fault_plan_add(
            plan, plan_between_ns(plan, MS(100), MS(500)) + MS(500) * (int64_t)i, FAULT_SEND_CRASH, member);
        step->value = plan_below(plan, 2 * plan->validators);
    }
}

static void arm(struct fault_plan *plan, int64_t at_ns, uint32_t member, const char *point, uint32_t skip) {
    struct fault_step *step = fault_plan_add(plan, at_ns, FAULT_CRASH_POINT, member);
    snprintf(step->text, sizeof step->text, "%s", point);
    step->value = skip;
}

/* Row 3: before, inside and after the transaction that makes a signature durable; skip chooses whether it is
 * that of a proposal, a prevote or a precommit. */
static void write_crash_votes(struct fault_plan *plan) {
    static const char *const points[] = {"votes-before", "votes-inside", "votes-committed", "votes-sentinel"};
    for (uint32_t i = 0; i < 5; i++)
        arm(plan, MS(450) * (int64_t)i + plan_between_ns(plan, 0, MS(300)), plan_pick(plan, 0),
            points[plan_below(plan, 4)], plan_below(plan, 4));
}

/* Row 4. */
static void write_crash_commit(struct fault_plan *plan) {
    static const char *const points[] = {"blob-before",    "blob-after",  "chain-inside", "chain-committed",
                                         "chain-sentinel", "blob-inside", "drop-inside",  "drop-after"};
    for (uint32_t i = 0; i < 5; i++)
        arm(plan, MS(450) * (int64_t)i + plan_between_ns(plan, 0, MS(300)), plan_pick(plan, 0),
            points[plan_below(plan, 8)], plan_below(plan, 2));
}

/* Row 5: all at once, then all again, at once or one after another. */
static void write_kill_all(struct fault_plan *plan) {
    for (uint32_t i = 0; i < 1 + plan_below(plan, 3); i++) {
        int64_t at_ns = plan_between_ns(plan, MS(100), MS(700)) + MS(700) * (int64_t)i;
        bool together = plan_below(plan, 2) == 0;
        for (uint32_t member = 0; member < plan->validators; member++) {
            fault_plan_add(plan, at_ns, FAULT_KILL_KEEP, member);
            fault_plan_add(plan, at_ns + (together ? MS(50) : plan_between_ns(plan, MS(1), MS(600))),
                           FAULT_START, member);
        }
    }
}

/* Row 6: more than f are away: nothing is committed until one comes back. */
static void write_kill_many(struct fault_plan *plan) {
    uint64_t away = plan_pick_faulty(plan, plan->validators - quorum_size(plan->validators) + 1);
    int64_t at_ns = plan_between_ns(plan, MS(300), MS(800));
    uint32_t last = 0;
    for (uint32_t i = 0; i < plan->validators; i++)
        if (away >> i & 1) {
            fault_plan_add(plan, at_ns, FAULT_KILL_KEEP, i);
            last = i;
        }
    fault_plan_add(plan, at_ns + MS(200), FAULT_STALL_BEGIN, 0);
    fault_plan_add(plan, at_ns + MS(1400), FAULT_STALL_END, 0);
    fault_plan_add(plan, at_ns + MS(1400), FAULT_START, last);
}

/* Row 7. */
static void write_crash_loop(struct fault_plan *plan) {
    uint32_t member = plan_pick(plan, 0);
    for (uint32_t i = 0; i < 16; i++) {
        int64_t at_ns = MS(150) * (int64_t)(i + 1) + plan_between_ns(plan, 0, MS(40));
        fault_plan_add(plan, at_ns, FAULT_KILL_KEEP, member);
        fault_plan_add(plan, at_ns + plan_between_ns(plan, 0, MS(60)), FAULT_START, member);
    }
}

/* Row 8. */
static void write_hang(struct fault_plan *plan) {
    for (uint32_t i = 0; i < 1 + plan_below(plan, 2); i++)
        fault_plan_add(plan, plan_between_ns(plan, MS(200), MS(800)), FAULT_HUNG, plan_pick(plan, 0))->value =
            (uint64_t)plan_between_ns(plan, MS(500), MS(6000));
    plan->fault_ns = MS(7000);
    plan->chain.block_rate_hz = 3;
}

/* Rows 1 to 5, 10 and 13 together: everything that may happen to honest validators. */
static void write_everything(struct fault_plan *plan) {
    plan->quality.loss = 0.1 * random_uniform(&plan->random);
    plan->quality.duplicate = 0.2 * random_uniform(&plan->random);
    plan->quality.reorder = 0.2 * random_uniform(&plan->random);
    for (uint32_t i = 0; i < 8; i++) {
        int64_t at_ns = MS(280) * (int64_t)i + plan_between_ns(plan, 0, MS(200));
        uint32_t member = plan_pick(plan, 0);
        switch (plan_below(plan, 4)) {
        case 0:
            fault_plan_add(plan, at_ns, FAULT_KILL, member);
            break;
        case 1:
            fault_plan_add(plan, at_ns, FAULT_SEND_CRASH, member)->value = plan_below(plan, 8);
            break;
        case 2:
            arm(plan, at_ns, member, plan_below(plan, 2) ? "votes-committed" : "chain-committed",
                plan_below(plan, 3));
            break;
        default:
            fault_plan_add(plan, at_ns, FAULT_HUNG, member)->value =
                (uint64_t)plan_between_ns(plan, MS(50), MS(600));
        }
    }
}

const struct kind kinds_crash[] = {
    {"kill-one", "1", "one validator is killed and comes back", 3, write_kill_one},
    {"kill-proposer", "2", "validators die in the middle of their sends", 4, write_kill_proposer},
    {"crash-votes", "3", "death around the transaction that makes a signature durable", 6, write_crash_votes},
    {"crash-commit", "4", "death around the commit of a block", 5, write_crash_commit},
    {"kill-all", "5", "all validators are killed at once", 3, write_kill_all},
    {"kill-many", "6", "more than f are away, then one comes back", 2, write_kill_many},
    {"crash-loop", "7", "one validator dies every 150 ms", 2, write_crash_loop},
    {"hang", "8", "validators hang for seconds", 2, write_hang},
    {"everything", "1,2,3,4,8,13", "deaths, hangs and a bad network together", 6, write_everything},
    {NULL, NULL, NULL, 0, NULL},
};
