/* run_watch: from the world's events to the oracle's questions. */
#include <stdlib.h>

#include "campaign/run_parts.h"
#include "campaign/sight.h"
#include "nodes/chain/validator.h"

#define MEMORY_MAX ((size_t)4 << 20)      /* I15: what one validator may hold for others */
#define PEER_MEMORY_MAX ((size_t)1 << 20) /* of it, for one peer */

struct look {
    struct run *run;
    struct member *member;
};

static void on_persist(void *context, struct member *member) {
    struct run *run = context;
    struct ledger_votes votes;
    if (ledger_store_get_votes(member->store, &votes) == STATUS_OK)
        oracle_persisted(&run->oracle, member->index, &votes);
}

static void see_sent(void *context, const struct sight *sight) {
    const struct look *look = context;
    struct oracle *oracle = &look->run->oracle;
    if (sight->kind == SIGHT_VOTE)
        oracle_sends_vote(oracle, look->member->index, sight->vote);
    else if (sight->kind == SIGHT_PROPOSAL)
        oracle_sends_proposal(oracle, look->member->index, sight->proposal);
    else
        oracle_sees_certificate(oracle, sight->certificate, sight->header);
}

static void on_send(void *context, struct member *member, uint32_t to, uint16_t type, const uint8_t *payload,
                    size_t bytes) {
    struct run *run = context;
    (void)to;
    if (member->index != run->world.client)
        sight_message(type, payload, bytes, see_sent, &(struct look){run, member});
}

static void see_delivered(void *context, const struct sight *sight) {
    const struct look *look = context;
    struct member *member = look->member;
    uint64_t height = validator_height(member->state);
    uint32_t round = validator_round(member->state);
    if (sight->kind == SIGHT_VOTE)
        oracle_gets_vote(&look->run->oracle, member->index, member->incarnation, sight->vote, height, round);
    else if (sight->kind == SIGHT_PROPOSAL)
        oracle_gets_proposal(&look->run->oracle, member->index, member->incarnation, sight->proposal, height,
                             round);
}

static void on_deliver(void *context, struct member *member, uint16_t type, const uint8_t *payload,
                       size_t bytes) {
    struct run *run = context;
    if (run->oracle.byzantine != 0)
        sight_message(type, payload, bytes, see_delivered, &(struct look){run, member});
}

/* Tells the oracle of one committed height. */
static void report(struct run *run, struct member *member, uint64_t height, bool tip) {
    struct oracle_commit commit = {.height = height};
    struct certificate certificate;
    uint8_t *block = NULL, *state = NULL;
    if (ledger_store_get_block(member->store, height, &block, &commit.block_bytes, &certificate) != STATUS_OK)
        return; /* below a checkpoint it began with, or damaged: to be mended by peers */
    commit.block = block;
    commit.certificate = &certificate;
    if (tip && ledger_store_get_state(member->store, height, &state, &commit.state_bytes) == STATUS_OK)
        commit.state = state;
    oracle_committed(&run->oracle, member->index, &commit);
    free(block);
    free(state);
}

static void report_new(struct run *run, struct member *member) {
    uint64_t height = ledger_store_height(member->store);
    for (uint64_t h = run->reported[member->index] + 1; h <= height; h++)
        report(run, member, h, h == height);
    if (height > run->reported[member->index])
        world_trace(&run->world, member, "has height %llu", (unsigned long long)height);
    run->reported[member->index] = member->height = height;
}

static void check_bounds(struct run *run, const struct member *member) {
    size_t memory = validator_memory(member->state);
    run->oracle.checks[I15_BOUNDED]++;
    if (memory > run->memory_max)
        run->memory_max = memory;
    if (memory > MEMORY_MAX)
        oracle_violation(&run->oracle, I15_BOUNDED, member->height, "%u holds %zu bytes for others",
                         member->node, memory);
    for (uint32_t i = 0; i < run->plan.validators; i++) {
        size_t peer = validator_peer_memory(member->state, i);
        if (peer > run->peer_memory_max)
            run->peer_memory_max = peer;
        if (peer > PEER_MEMORY_MAX)
            oracle_violation(&run->oracle, I15_BOUNDED, member->height, "%u holds %zu bytes for %u",
                             member->node, peer, i);
    }
}

static void on_handled(void *context, struct member *member) {
    struct run *run = context;
    report_new(run, member);
    if (run->world.handled % 16 == 0)
        check_bounds(run, member);
}

static void on_start(void *context, struct member *member) {
    struct run *run = context;
    uint64_t height = ledger_store_height(member->store);
    if (run->oracle.members[member->index].honest && member->incarnation > 0)
        oracle_member_died(&run->oracle, member->index, member->incarnation - 1);
    oracle_restarted(&run->oracle, member->index, height);
    if (run->reported[member->index] > height)
        run->reported[member->index] = height;
    report_new(run, member);
}

static void on_step(void *context, uint32_t step) {
    run_step(context, step);
}

static void on_client(void *context, uint32_t from_node, uint16_t type, const uint8_t *payload,
                      size_t bytes) {
    struct run *run = context;
    client_on_message(&run->client, from_node, type, payload, bytes);
}

struct world_watch run_watch(struct run *run) {
    return (struct world_watch){.context = run,
                                .on_persist = on_persist,
                                .on_send = on_send,
                                .on_deliver = on_deliver,
                                .on_handled = on_handled,
                                .on_start = on_start,
                                .on_step = on_step,
                                .on_client = on_client};
}
