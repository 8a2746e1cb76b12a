/* kinds_disk: disks that lose, damage and refuse (rows 27 to 36, 40). */
#include <stdio.h>

#include "campaign/kinds.h"
#include "common/time/vtime.h"

#define MS(n) ((n)*VTIME_NS_PER_MS)

/* Kills `member`, does `op` to its disk while it is down, starts it again. */
static struct fault_step *while_down(struct fault_plan *plan, int64_t at_ns, uint32_t member,
                                     enum fault_op op) {
    fault_plan_add(plan, at_ns, FAULT_KILL_KEEP, member);
    fault_plan_add(plan, at_ns + MS(200) + plan_between_ns(plan, 0, MS(300)), FAULT_START, member);
    return fault_plan_add(plan, at_ns + MS(100), op, member);
}

/* Row 27, one validator. */
static void write_empty_one(struct fault_plan *plan) {
    uint32_t member = plan_pick(plan, 0);
    while_down(plan, plan_between_ns(plan, MS(400), MS(1200)), member, FAULT_DISK_WIPE);
    plan->forgetful |= UINT64_C(1) << member;
}

/* Row 28. */
static void write_rollback(struct fault_plan *plan) {
    uint32_t member = plan_pick(plan, 0);
    fault_plan_add(plan, plan_between_ns(plan, MS(100), MS(700)), FAULT_DISK_COPY, member);
    while_down(plan, plan_between_ns(plan, MS(900), MS(1500)), member, FAULT_DISK_RESTORE);
    plan->forgetful |= UINT64_C(1) << member;
}

static const char *draw_file(struct fault_plan *plan) {
    static const char *const files[] = {"votes.db", "votes.db-wal", "chain.db",    "chain.db-wal",
                                        "blobs.db", "sentinel",     "blobs.db-wal"};
    return files[plan_below(plan, 7)];
}

/* Row 29: what happens to the log of votes while the validator is down. */
static void write_votes_log(struct fault_plan *plan) {
    static const enum fault_op ops[] = {FAULT_UNLINK, FAULT_TRUNCATE, FAULT_FLIP};
    uint32_t member = plan_pick(plan, 0);
    struct fault_step *step =
        while_down(plan, plan_between_ns(plan, MS(400), MS(1500)), member, ops[plan_below(plan, 3)]);
    snprintf(step->text, sizeof step->text, "votes.db-wal");
    step->value = step->op == FAULT_TRUNCATE ? plan_below(plan, 1000) : random_next(&plan->random);
    plan->forgetful |= UINT64_C(1) << member;
}

/* Rows 30 and 31: damage at rest, of any file. Another validator that is behind asks for what may be damaged.
 */
static void write_damaged_files(struct fault_plan *plan) {
    uint32_t member = plan_pick(plan, 0), other = plan_pick(plan, UINT64_C(1) << member);
    int64_t at_ns = plan_between_ns(plan, MS(900), MS(1500));
    for (uint32_t i = 0; i < 1 + plan_below(plan, 4); i++) {
        struct fault_step *step =
            while_down(plan, at_ns, member, plan_below(plan, 2) == 0 ? FAULT_FLIP : FAULT_ZERO);
        snprintf(step->text, sizeof step->text, "%s", draw_file(plan));
        step->value = random_next(&plan->random);
    }
    if (plan_below(plan, 2) == 0) {
        fault_plan_add(plan, MS(200), FAULT_KILL_KEEP, other);
        fault_plan_add(plan, MS(2000), FAULT_START, other);
    }
    plan->forgetful |= UINT64_C(1) << member;
}

/* Rows 32 and 33: writes and syncs that fail, for a while. */
static void write_refusing_disk(struct fault_plan *plan) {
    static const enum ledger_disk_fault faults[] = {DISK_FULL, DISK_FAIL_WRITE, DISK_FAIL_SYNC};
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t member = plan_pick(plan, 0);
        int64_t at_ns = MS(700) * (int64_t)i + plan_between_ns(plan, MS(100), MS(400));
        struct fault_step *step = fault_plan_add(plan, at_ns, FAULT_DISK, member);
        step->disk = faults[plan_below(plan, 3)];
        step->value = step->disk == DISK_FULL ? plan_below(plan, 65536) : plan_below(plan, 12);
        fault_plan_add(plan, at_ns + plan_between_ns(plan, MS(100), MS(600)), FAULT_DISK, member)->disk =
            DISK_SOUND;
    }
}

/* Row 34. */
static void write_unlinked(struct fault_plan *plan) {
    uint32_t member = plan_pick(plan, 0);
    struct fault_step *step =
        fault_plan_add(plan, plan_between_ns(plan, MS(400), MS(1500)), FAULT_UNLINK, member);
    snprintf(step->text, sizeof step->text, "%s", draw_file(plan));
    plan->forgetful |= UINT64_C(1) << member;
}

/* Row 35: with durability power nothing that was acknowledged may be lost. */
static void write_power(struct fault_plan *plan) {
    plan->chain.durability = CHAIN_POWER;
    bool all = plan_below(plan, 3) == 0;
    for (uint32_t i = 0; i < 3; i++) {
        int64_t at_ns = MS(700) * (int64_t)i + plan_between_ns(plan, MS(100), MS(500));
        uint32_t one = plan_pick(plan, 0);
        for (uint32_t member = 0; member < plan->validators; member++)
            if (all || member == one)
                fault_plan_add(plan, at_ns, FAULT_POWER, member)->value = random_next(&plan->random);
    }
}

/* Row 36: at most f disks lie about sync. */
static void write_lying_sync(struct fault_plan *plan) {
    plan->chain.durability = CHAIN_POWER;
    uint64_t liars = plan_pick_faulty(plan, plan->faults_max);
    for (uint32_t member = 0; member < plan->validators; member++) {
        if ((liars >> member & 1) == 0)
            continue;
        fault_plan_add(plan, 0, FAULT_DISK, member)->disk = DISK_LYING_SYNC;
        fault_plan_add(plan, plan_between_ns(plan, MS(600), MS(2000)), FAULT_POWER, member)->value =
            random_next(&plan->random);
    }
    plan->faulty = liars;
}

/* Row 40: f validators are far behind and catch up through checkpoints, dying now and then. */
static void write_catch_up(struct fault_plan *plan) {
    uint32_t member = plan_pick(plan, 0);
    plan->chain.checkpoint_interval =
        1 + plan_below(plan, 2); /* four of them behind: a checkpoint is fetched */
    plan->chain.models_kept = 1;
    plan->chain.empty_blocks = true;
    plan->chain.block_rate_hz = 0;
    fault_plan_add(plan, plan_between_ns(plan, MS(50), MS(300)), FAULT_KILL_KEEP, member);
    fault_plan_add(plan, MS(4500), FAULT_START, member);
    for (uint32_t i = 0; i < 3; i++)
        fault_plan_add(plan, MS(4500) + plan_between_ns(plan, MS(50), MS(700)), FAULT_SEND_CRASH, member)
            ->value = plan_below(plan, 6);
    static const char *const points[] = {"chain-inside", "chain-committed", "chain-sentinel"};
    struct fault_step *step =
        fault_plan_add(plan, MS(4500) + plan_between_ns(plan, MS(50), MS(500)), FAULT_CRASH_POINT, member);
    snprintf(step->text, sizeof step->text, "%s", points[plan_below(plan, 3)]);
    plan->fault_ns = MS(5500);
}

const struct kind kinds_disk[] = {
    {"empty-one", "27", "one validator comes back with an empty directory", 4, write_empty_one},
    {"rollback", "28", "one validator comes back with an old copy of its directory", 4, write_rollback},
    {"votes-log", "29", "the log of votes is lost, cut or damaged", 4, write_votes_log},
    {"damaged-files", "30,31", "a bit is flipped or a page zeroed in any file", 5, write_damaged_files},
    {"refusing-disk", "32,33", "disk full, writes and syncs that fail", 5, write_refusing_disk},
    {"unlinked", "34", "a file is deleted while it is open", 2, write_unlinked},
    {"power", "35", "power fails at one validator or at all", 5, write_power},
    {"lying-sync", "36", "f disks say sync and do nothing, then power fails", 3, write_lying_sync},
    {"catch-up", "40", "a validator far behind catches up and dies on the way", 3, write_catch_up},
    {NULL, NULL, NULL, 0, NULL},
};
