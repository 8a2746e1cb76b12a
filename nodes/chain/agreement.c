#include "nodes/chain/agreement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ledger/state.h"
#include "common/record/durable.h"
#include "nodes/chain/chain.h"
#include "nodes/hosting_ledger.h"

/* One ledger that could be read. */
struct told {
    uint32_t node;
    struct ledger_store *store;
    uint64_t height;
};

struct hearing {
    const struct topology *topology;
    const char *run_dir;
    struct chain *chain;
    struct told told[VALIDATORS_MAX];
    uint32_t count, longest; /* longest: index in told */
    agreement_row take;
    void *context;
};

static void hear(struct hearing *hearing, uint32_t node) {
    char path[DURABLE_PATH_MAX];
    struct error reason = {0};
    struct told *told = &hearing->told[hearing->count];
    int length =
        hosting_ledger_path(hearing->run_dir, hearing->topology->nodes[node].name, path, sizeof path);
    if (length < 0 || (size_t)length >= sizeof path || access(path, R_OK) != 0)
        return;
    struct ledger_store_config config = {.dir = path, .durability = DURABILITY_PROCESS, .read_only = true};
    if (ledger_store_open(&config, &told->store, &reason) != STATUS_OK)
        return;
    told->node = node;
    told->height = ledger_store_height(told->store);
    if (told->height > hearing->told[hearing->longest].height)
        hearing->longest = hearing->count;
    hearing->count++;
}

/* The first height up to both tips where the two differ, 0: none. Ids below a checkpoint are there too. */
static uint64_t differs_at(const struct told *a, const struct told *b) {
    uint64_t common = a->height < b->height ? a->height : b->height;
    for (uint64_t height = 1; height <= common; height++) {
        struct hash left, right;
        if (ledger_store_get_block_id(a->store, height, &left) == STATUS_OK &&
            ledger_store_get_block_id(b->store, height, &right) == STATUS_OK && !hash_equal(&left, &right))
            return height;
    }
    return 0;
}

static bool tip_certified(const struct hearing *hearing, const struct told *told) {
    uint8_t *data = NULL;
    size_t size;
    struct hash id;
    struct certificate *certificate = calloc(1, sizeof *certificate);
    bool good = certificate != NULL &&
                ledger_store_get_block(told->store, told->height, &data, &size, certificate) == STATUS_OK &&
                ledger_store_get_block_id(told->store, told->height, &id) == STATUS_OK &&
                certificate->height == told->height && hash_equal(&certificate->block_id, &id) &&
                certificate_valid(&hearing->chain->genesis, certificate);
    free(data);
    free(certificate);
    return good;
}

static enum status tell(const struct hearing *hearing, uint32_t node, const char *name, const char *unit,
                        double value, struct error *error) {
    struct row row = {.kind = ROW_RESULT, .as.result = {.node = node, .value = value}};
    snprintf(row.as.result.name, sizeof row.as.result.name, "%s", name);
    snprintf(row.as.result.unit, sizeof row.as.result.unit, "%s", unit);
    return hearing->take(hearing->context, &row, error);
}

static enum status tell_state(const struct hearing *hearing, const struct told *told, struct error *error) {
    struct ledger_state state;
    uint8_t *data = NULL;
    size_t size;
    if (told->height == 0 || ledger_store_get_state(told->store, told->height, &data, &size) != STATUS_OK)
        return STATUS_OK;
    enum status status = ledger_state_decode(&state, &hearing->chain->genesis, data, size);
    free(data);
    if (status != STATUS_OK)
        return STATUS_OK; /* `tierbed ledger verify` says more */
    status = tell(hearing, told->node, "ledger_transactions", "", (double)state.transactions_total, error);
    if (status == STATUS_OK)
        status = tell(hearing, told->node, "ledger_models_accepted", "", (double)state.accepted_total, error);
    if (status == STATUS_OK)
        status = tell(hearing, told->node, "ledger_accused", "", (double)__builtin_popcountll(state.accused),
                      error);
    ledger_state_close(&state);
    return status;
}

static enum status compare(const struct hearing *hearing, const struct told *told,
                           struct agreement *agreement, struct error *error) {
    const struct told *longest = &hearing->told[hearing->longest];
    uint64_t fork = differs_at(told, longest);
    if (fork != 0 && (agreement->fork_height == 0 || fork < agreement->fork_height)) {
        agreement->fork_height = fork;
        agreement->fork_nodes[0] = told->node;
        agreement->fork_nodes[1] = longest->node;
    }
    if (told->height < agreement->least_height)
        agreement->least_height = told->height;
    TRY(tell(hearing, told->node, "ledger_height", "blocks", (double)told->height, error));
    TRY(tell(hearing, told->node, "ledger_agrees", "", fork == 0, error));
    return tell_state(hearing, told, error);
}

static enum status judge(const struct hearing *hearing, struct agreement *agreement, struct error *error) {
    const struct topology_node *nodes = hearing->topology->nodes;
    agreement->read = hearing->count;
    agreement->most_height = agreement->least_height =
        hearing->count > 0 ? hearing->told[hearing->longest].height : 0;
    for (uint32_t i = 0; i < hearing->count; i++)
        TRY(compare(hearing, &hearing->told[i], agreement, error));
    if (agreement->fork_height != 0)
        return error_set(error, STATUS_FAILED,
                         "the ledgers of %s and %s hold different blocks at height %" PRIu64
                         "; look at them with `tierbed ledger show`",
                         nodes[agreement->fork_nodes[0]].name, nodes[agreement->fork_nodes[1]].name,
                         agreement->fork_height);
    for (uint32_t i = 0; i < hearing->count; i++)
        if (hearing->told[i].height > 0 && !tip_certified(hearing, &hearing->told[i]))
            return error_set(
                error, STATUS_FAILED,
                "the block at height %" PRIu64
                " of the ledger of %s is damaged or not certified; `tierbed ledger verify` says more",
                hearing->told[i].height, nodes[hearing->told[i].node].name);
    return STATUS_OK;
}

enum status agreement_check(const struct scenario *scenario, const struct topology *topology,
                            const char *run_dir, agreement_row take, void *context,
                            struct agreement *agreement, struct error *error) {
    struct hearing hearing = {.topology = topology, .run_dir = run_dir, .take = take, .context = context};
    *agreement = (struct agreement){0};
    TRY(chain_open(scenario, topology, &hearing.chain, error));
    if (hearing.chain == NULL)
        return STATUS_OK;
    agreement->validators = hearing.chain->genesis.validator_count;
    for (uint32_t i = 0; i < agreement->validators; i++)
        hear(&hearing, hearing.chain->node_of_sender[i]);
    enum status status = judge(&hearing, agreement, error);
    for (uint32_t i = 0; i < hearing.count; i++)
        ledger_store_close(hearing.told[i].store);
    chain_close(hearing.chain);
    return status;
}
