#include "campaign/run.h"

#include <inttypes.h>
#include <stdlib.h>

#include "campaign/byzantine.h"
#include "campaign/run_parts.h"
#include "common/base/memory.h"
#include "nodes/chain/pacing.h"

#define SLICE_NS (50 * VTIME_NS_PER_MS)
#define STALL_NS (3000 * VTIME_NS_PER_MS) /* how long a stall is watched */

/* ---- before ---- */

static void write_plan(struct run *run, const struct campaign_options *options, uint64_t seed,
                       const struct kind *kind) {
    struct fault_plan *plan = &run->plan;
    fault_plan_init(plan, seed, options->validators);
    plan->chain.empty_blocks = plan_below(plan, 10) < 7;
    kind->write(plan);
}

static enum status make_world(struct run *run, const struct campaign_options *options, struct error *error) {
    const struct fault_plan *plan = &run->plan;
    struct world_config config = {.seed = plan->seed,
                                  .validators = plan->validators,
                                  .twins = plan->twins,
                                  .setting = {.seed = plan->seed,
                                              .validators = plan->validators,
                                              .chain = plan->chain,
                                              .first_proposer = plan->first_proposer},
                                  .trace = options->trace};
    memcpy(config.twin_of, plan->twin_of, sizeof config.twin_of);
    TRY(world_open(&run->world, &config, error));
    struct world *world = &run->world;
    if (oracle_init(&run->oracle, &world->setting.chain.genesis, &world->signatures) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for the oracle");
    uint64_t twins = 0;
    for (uint32_t i = 0; i < plan->twins; i++)
        twins |= UINT64_C(1) << plan->twin_of[i];
    for (uint32_t i = 0; i < world->client; i++) {
        struct member *member = &world->members[i];
        bool honest =
            plan->behaviours[member->node] == 0 && ((twins | plan->faulty) >> member->node & 1) == 0;
        oracle_add_member(&run->oracle, member->node, honest, (plan->forgetful >> member->node & 1) != 0);
        if (plan->behaviours[member->node] != 0)
            member->byzantine = byzantine_open(plan->behaviours[member->node], plan->seed + i);
    }
    run->oracle.expect_fork = plan->outcome == PLAN_FORK;
    world->config.class = node_class_of(&world->setting.topology, 0);
    world->watch = run_watch(run);
    world->restart_stopped = plan->restart_stopped;
    world->network.quality = plan->quality;
    world->network.phase_count = plan->phase_count;
    world->network.by_class = plan->by_class;
    memcpy(world->network.phases, plan->phases, sizeof plan->phases);
    client_init(&run->client, world, &run->oracle, plan->client_lies);
    return STATUS_OK;
}

static void post_plan(struct run *run) {
    for (uint32_t i = 0; i < run->plan.step_count; i++)
        world_post_step(&run->world, run->plan.steps[i].at_ns, i);
    world_post_step(&run->world, 20 * VTIME_NS_PER_MS, STEP_CLIENT);
}

/* ---- after the faults ---- */

struct spread {
    uint64_t least, most;
};

/* Heights of the honest validators; least 0 when one is down. */
static struct spread core_heights(const struct run *run) {
    struct spread spread = {.least = UINT64_MAX};
    for (uint32_t i = 0; i < run->world.client; i++) {
        const struct member *member = &run->world.members[i];
        if (!run->oracle.members[i].honest)
            continue;
        uint64_t height = member->mode == MEMBER_UP ? member->height : 0;
        if (height < spread.least)
            spread.least = height;
        if (height > spread.most)
            spread.most = height;
    }
    return spread;
}

/* B: how long k new heights may take. The rounds that run when the faults end may be at the cap of the
 * time-outs; then each height needs at most f + 1 proposers and one round in which all are together. */
static int64_t liveness_bound_ns(const struct fault_plan *plan) {
    const struct scenario_chain *chain = &plan->chain;
    int64_t rounds = (int64_t)plan->faults_max + 2;
    int64_t timeout_ns = chain->timeout_ns + chain->timeout_step_ns * rounds;
    if (timeout_ns > chain->timeout_max_ns)
        timeout_ns = chain->timeout_max_ns;
    int64_t wait_ns = chain->block_rate_hz > 0 ? vtime_from_s(PACING_TRUNCATION / chain->block_rate_hz) : 0;
    int64_t first_ns = 3 * (rounds + 4) * chain->timeout_max_ns;
    int64_t each_ns = 3 * rounds * timeout_ns + wait_ns + 2 * chain->status_interval_ns;
    return first_ns + ((int64_t)plan->heights_after + 2) * each_ns + 20 * chain->status_interval_ns;
}

static void describe_stall(struct run *run, uint64_t target) {
    char text[200];
    size_t used = 0;
    for (uint32_t i = 0; i < run->world.client; i++) {
        const struct member *member = &run->world.members[i];
        if (used >= sizeof text)
            break;
        int more = snprintf(text + used, sizeof text - used, " %u:%" PRIu64 "%s", member->node,
                            member->height, member->mode == MEMBER_UP ? "" : " down");
        used += more > 0 ? (size_t)more : 0;
    }
    const struct spread spread = core_heights(run);
    bool apart = spread.least >= target && spread.least != 0;
    oracle_violation(&run->oracle, apart ? I12_CONVERGENCE : I11_LIVENESS, run->oracle.tip,
                     "height %" PRIu64 " not reached by all within the bound:%s", target, text);
}

static enum status liveness_phase(struct run *run) {
    struct world *world = &run->world;
    uint64_t target = core_heights(run).most + run->plan.heights_after;
    int64_t end_ns = world->now_ns + liveness_bound_ns(&run->plan);
    run_heal(run);
    run->oracle.checks[I11_LIVENESS]++;
    run->oracle.checks[I12_CONVERGENCE]++;
    while (world->now_ns < end_ns && run->oracle.violation_count == 0) {
        TRY(world_advance(world, world->now_ns + SLICE_NS));
        struct spread spread = core_heights(run);
        if (spread.least >= target && spread.most - spread.least <= 1)
            return STATUS_OK;
    }
    if (run->oracle.violation_count == 0)
        describe_stall(run, target);
    return STATUS_OK;
}

static enum status stall_phase(struct run *run) {
    uint64_t tip = run->oracle.tip;
    run_heal(run);
    TRY(world_advance(&run->world, run->world.now_ns + STALL_NS));
    if (run->oracle.tip != tip)
        oracle_violation(&run->oracle, I5_NO_DOUBLE_SIGN, run->oracle.tip,
                         "more than f have lost their memory, and heights are committed");
    return STATUS_OK;
}

static enum status fault_phase(struct run *run) {
    int64_t end_ns = run->plan.fault_ns;
    while (run->world.now_ns < end_ns && run->oracle.violation_count == 0) {
        int64_t next_ns = run->world.now_ns + SLICE_NS;
        TRY(world_advance(&run->world, next_ns < end_ns ? next_ns : end_ns));
        if (run->plan.outcome == PLAN_FORK && run->oracle.forked)
            break;
    }
    return STATUS_OK;
}

static enum status run_phases(struct run *run, struct error *error) {
    TRY(world_start(&run->world, error));
    post_plan(run);
    enum status status = fault_phase(run);
    if (status == STATUS_OK && run->oracle.violation_count == 0 && run->plan.outcome == PLAN_LIVE)
        status = liveness_phase(run);
    else if (status == STATUS_OK && run->plan.outcome == PLAN_STALL)
        status = stall_phase(run);
    if (status == STATUS_LIMIT)
        oracle_violation(&run->oracle, INVARIANT_RUNAWAY, run->oracle.tip, "more than %u events",
                         WORLD_EVENTS_MAX);
    run_end(run);
    oracle_finish(&run->oracle);
    return STATUS_OK;
}

static void take_result(struct run *run, struct campaign_result *result) {
    const struct oracle *oracle = &run->oracle;
    result->violation_count = oracle->violation_count;
    memcpy(result->violations, oracle->violations, sizeof result->violations);
    memcpy(result->checks, oracle->checks, sizeof result->checks);
    result->forked = oracle->forked;
    result->digest = run->world.digest;
    result->events = run->world.handled;
    result->heights = oracle->tip;
    result->proofs = run->client.proofs;
    result->virtual_ns = run->world.now_ns;
    result->memory_max = run->memory_max;
    result->peer_memory_max = run->peer_memory_max;
    result->evidence = (uint64_t)__builtin_popcountll(oracle->state.accused);
    for (uint32_t i = 0; i < run->world.client; i++)
        result->restarts += run->world.members[i].restarts;
}

enum status campaign_run(const struct campaign_options *options, uint64_t seed,
                         struct campaign_result *result, struct error *error) {
    struct run *run = memory_grow(NULL, 1, sizeof *run, "campaign run");
    memset(run, 0, sizeof *run);
    *result = (struct campaign_result){.seed = seed};
    result->kind = options->kind != NULL ? options->kind : kind_draw(seed);
    write_plan(run, options, seed, result->kind);
    enum status status = make_world(run, options, error);
    if (status == STATUS_OK)
        status = run_phases(run, error);
    take_result(run, result);
    client_close(&run->client);
    oracle_close(&run->oracle);
    world_close(&run->world);
    fault_plan_close(&run->plan);
    free(run);
    return status;
}
