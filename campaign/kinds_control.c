/* kinds_control: what must go wrong, so that the oracle is known to look (rows 19 and 27). */
#include "campaign/kinds.h"
#include "common/time/vtime.h"

#define MS(n) ((n)*VTIME_NS_PER_MS)

/* Row 19: f + 1 keys with two instances each. One instance of each on either side, the honest shared out, so
 * that both sides reach a quorum. */
static void write_too_many_twins(struct fault_plan *plan) {
    plan->twins = plan->faults_max + 1;
    while (plan->twins + (plan->validators - plan->twins) / 2 < quorum_size(plan->validators))
        plan->twins++;
    uint64_t twins = plan_pick_faulty(plan, plan->twins);
    uint8_t sets[NETWORK_MEMBERS_MAX] = {0};
    uint32_t honest = 0;
    for (uint32_t i = 0, t = 0; i < plan->validators; i++) {
        if (twins >> i & 1) {
            plan->twin_of[t] = i;
            sets[plan->validators + t++] = 1;
        } else {
            sets[i] = (uint8_t)(honest++ % 2);
        }
    }
    uint32_t client = plan->validators + plan->twins;
    struct fault_step *step = fault_plan_add(plan, 0, FAULT_LINKS, 0);
    network_partition(&step->links, sets, client + 1);
    for (uint32_t i = 0; i <= client; i++) {
        step->links.open[i] |= 1u << client;
        step->links.open[client] |= 1u << i;
    }
    plan->outcome = PLAN_FORK;
    plan->fault_ns = MS(4000);
}

/* Row 27: more than f come back with nothing. */
static void write_empty_many(struct fault_plan *plan) {
    uint64_t empty = plan_pick_faulty(plan, plan->validators - quorum_size(plan->validators) + 1);
    int64_t at_ns = plan_between_ns(plan, MS(600), MS(1200));
    for (uint32_t i = 0; i < plan->validators; i++) {
        if ((empty >> i & 1) == 0)
            continue;
        fault_plan_add(plan, at_ns, FAULT_KILL_KEEP, i);
        fault_plan_add(plan, at_ns + MS(100), FAULT_DISK_WIPE, i);
        fault_plan_add(plan, at_ns + plan_between_ns(plan, MS(200), MS(600)), FAULT_START, i);
    }
    fault_plan_add(plan, at_ns + MS(400), FAULT_STALL_BEGIN, 0);
    fault_plan_add(plan, MS(3900), FAULT_STALL_END, 0);
    plan->forgetful |= empty;
    plan->outcome = PLAN_STALL;
    plan->fault_ns = MS(4000);
}

const struct kind kinds_control[] = {
    {"too-many-twins", "19", "f + 1 twins: a fork must be found and the guilty named", 2,
     write_too_many_twins},
    {"empty-many", "27", "more than f have forgotten everything: a stall, no fork", 2, write_empty_many},
    {NULL, NULL, NULL, 0, NULL},
};
