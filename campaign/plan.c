#include "campaign/plan.h"

#include <assert.h>
#include <stdlib.h>

#include "campaign/setting.h"
#include "common/base/memory.h"
#include "common/time/vtime.h"

void fault_plan_init(struct fault_plan *plan, uint64_t seed, uint32_t validators) {
    *plan = (struct fault_plan){.seed = seed,
                                .validators = validators,
                                .faults_max = quorum_faults_max(validators),
                                .chain = setting_defaults(),
                                .first_proposer = VALIDATORS_MAX,
                                .heights_after = 3,
                                .restart_stopped = true,
                                .client_interval_ns = 300 * VTIME_NS_PER_MS,
                                .fault_ns = 2500 * VTIME_NS_PER_MS};
    plan->steps = memory_grow(NULL, PLAN_STEPS_MAX, sizeof *plan->steps, "campaign plan");
    random_init(&plan->random, seed, 0, RANDOM_CAMPAIGN | UINT64_C(3) << 32);
    plan->quality = (struct network_quality){.delay_least_ns = 10 * VTIME_NS_PER_MS,
                                             .delay_most_ns = 60 * VTIME_NS_PER_MS,
                                             .tail_ns = 200 * VTIME_NS_PER_MS};
    if (random_chance(&plan->random, 0.3))
        plan->chain.block_rate_hz = 5;
    if (random_chance(&plan->random, 0.2))
        plan->chain.durability = CHAIN_PROCESS; /* must survive every death but that of the power */
    plan->chain.exclude_accused = random_chance(&plan->random, 0.3);
    if (random_chance(&plan->random, 0.25))
        plan->chain.time = CHAIN_TIME_PROPOSER;
}

void fault_plan_close(struct fault_plan *plan) {
    free(plan->steps);
    *plan = (struct fault_plan){0};
}

struct fault_step *fault_plan_add(struct fault_plan *plan, int64_t at_ns, enum fault_op op, uint32_t member) {
    assert(plan->step_count < PLAN_STEPS_MAX);
    struct fault_step *step = &plan->steps[plan->step_count++];
    *step = (struct fault_step){.at_ns = at_ns, .op = op, .member = member};
    return step;
}

uint32_t plan_below(struct fault_plan *plan, uint32_t bound) {
    return (uint32_t)random_below(&plan->random, bound);
}

int64_t plan_between_ns(struct fault_plan *plan, int64_t least_ns, int64_t most_ns) {
    return least_ns + (int64_t)random_below(&plan->random, (uint64_t)(most_ns - least_ns) + 1);
}

uint32_t plan_pick(struct fault_plan *plan, uint64_t except) {
    for (uint32_t i = 0; i < plan->twins; i++)
        except |= UINT64_C(1) << plan->twin_of[i];
    for (uint32_t i = 0; i < plan->validators; i++)
        if (plan->behaviours[i] != 0)
            except |= UINT64_C(1) << i;
    for (;;) {
        uint32_t member = plan_below(plan, plan->validators);
        if ((except >> member & 1) == 0)
            return member;
    }
}

uint64_t plan_pick_faulty(struct fault_plan *plan, uint32_t count) {
    uint64_t picked = 0;
    for (uint32_t i = 0; i < count; i++)
        picked |= UINT64_C(1) << plan_pick(plan, picked);
    return picked;
}

struct network_links plan_heard_by(const struct fault_plan *plan, uint64_t ears) {
    struct network_links links = {{0}};
    uint32_t client = plan->validators + plan->twins;
    for (uint32_t i = 0; i <= client; i++) {
        links.open[i] = (uint32_t)(ears & ((UINT64_C(1) << client) - 1)) | 1u << i | 1u << client;
        links.open[client] |= 1u << i;
    }
    return links;
}

const char *fault_op_name(enum fault_op op) {
    static const char *const names[FAULT_OP_COUNT] = {
        [FAULT_KILL] = "kill",
        [FAULT_KILL_KEEP] = "kill for long",
        [FAULT_START] = "start",
        [FAULT_HUNG] = "hang",
        [FAULT_LINKS] = "links",
        [FAULT_HEAL_LINKS] = "heal links",
        [FAULT_QUALITY] = "quality",
        [FAULT_CRASH_POINT] = "crash point",
        [FAULT_SEND_CRASH] = "crash between sends",
        [FAULT_DISK] = "disk fault",
        [FAULT_DISK_COPY] = "copy disk",
        [FAULT_DISK_RESTORE] = "restore disk",
        [FAULT_DISK_WIPE] = "wipe disk",
        [FAULT_POWER] = "lose power",
        [FAULT_FLIP] = "flip bit",
        [FAULT_ZERO] = "zero page",
        [FAULT_TRUNCATE] = "truncate file",
        [FAULT_UNLINK] = "unlink file",
        [FAULT_SKEW] = "skew clock",
        [FAULT_SLOW_DISK] = "slow disk",
        [FAULT_SLOW_LINKS] = "slow links",
        [FAULT_STALL_BEGIN] = "stall begins",
        [FAULT_STALL_END] = "stall ends",
        [FAULT_FLOOD] = "flood",
    };
    return op > 0 && op < FAULT_OP_COUNT && names[op] != NULL ? names[op] : "?";
}
