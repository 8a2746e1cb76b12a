#include "nodes/chain/chain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/ledger/transaction.h"

#define VERIFIED_ENTRIES 16384u /* signatures of some hundred heights of the largest set; half a megabyte */

void chain_key_seed(uint64_t seed, uint32_t node, uint8_t out[32]) {
    uint8_t data[12];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    bytes_put_u64(&writer, seed);
    bytes_put_u32(&writer, node);
    struct hash hash = hash_of("tierbed-node-key", data, sizeof data);
    memcpy(out, hash.bytes, 32);
}

static struct chain_params params_of(const struct scenario *scenario) {
    const struct scenario_chain *rules = &scenario->chain;
    struct chain_params params = {.block_txs_max = rules->block_txs_max,
                                  .block_bytes_max = rules->block_bytes_max,
                                  .blob_bytes_max = rules->blob_bytes_max,
                                  .evidence_age = rules->evidence_age,
                                  .checkpoint_interval = rules->checkpoint_interval,
                                  .models_kept = rules->models_kept,
                                  .open_models_max = rules->open_models_max,
                                  .block_rate_hz = rules->block_rate_hz,
                                  .seed = scenario->seed};
    bool fits = metric_to_q32(rules->epsilon, &params.epsilon_q32);
    assert(fits); /* the scenario's range is far below what Q32.32 holds */
    (void)fits;
    return params;
}

static uint32_t count_roles(const struct topology *topology, enum node_role role) {
    uint32_t count = 0;
    for (uint32_t id = 0; id < topology->node_count; id++)
        count += topology->nodes[id].role == role;
    return count;
}

/* Gives every node of `role` the next sender index and its key. */
static void add_senders(struct chain *chain, const struct scenario *scenario, const struct topology *topology,
                        enum node_role role) {
    for (uint32_t id = 0; id < topology->node_count; id++) {
        uint8_t seed[32];
        if (topology->nodes[id].role != role)
            continue;
        uint32_t sender = chain->genesis.sender_count++;
        chain_key_seed(scenario->seed, id, seed);
        signing_key_from_seed(seed, &chain->keys[id]);
        chain->senders[sender] = chain->keys[id].public;
        chain->node_of_sender[sender] = id;
        chain->sender_of_node[id] = sender;
        if (role == ROLE_CHAIN)
            chain->genesis.validators[chain->genesis.validator_count++] = chain->keys[id].public;
    }
}

static enum status chain_fill(struct chain *chain, const struct scenario *scenario,
                              const struct topology *topology, uint32_t senders) {
    uint32_t nodes = topology->node_count;
    chain->senders = calloc(senders, sizeof *chain->senders);
    chain->node_of_sender = calloc(senders, sizeof *chain->node_of_sender);
    chain->sender_of_node = calloc(nodes, sizeof *chain->sender_of_node);
    chain->keys = calloc(nodes, sizeof *chain->keys);
    if (chain->senders == NULL || chain->node_of_sender == NULL || chain->sender_of_node == NULL ||
        chain->keys == NULL)
        return STATUS_MEMORY;
    TRY(signature_cache_init(&chain->verified, VERIFIED_ENTRIES));
    memset(chain->sender_of_node, 0xff, nodes * sizeof *chain->sender_of_node);
    add_senders(chain, scenario, topology, ROLE_CHAIN);
    add_senders(chain, scenario, topology, ROLE_EDGE);
    chain->genesis.senders = chain->senders;
    chain->genesis.params = params_of(scenario);
    chain->genesis.verified = &chain->verified;
    genesis_seal(&chain->genesis);
    return STATUS_OK;
}

enum status chain_open(const struct scenario *scenario, const struct topology *topology, struct chain **chain,
                       struct error *error) {
    uint32_t validators = count_roles(topology, ROLE_CHAIN), edges = count_roles(topology, ROLE_EDGE);
    *chain = NULL;
    if (validators == 0)
        return STATUS_OK;
    assert(validators <= VALIDATORS_MAX && validators + edges <= SUBMITTERS_MAX); /* topology.h */
    *chain = calloc(1, sizeof **chain);
    if (*chain != NULL && chain_fill(*chain, scenario, topology, validators + edges) == STATUS_OK)
        return STATUS_OK;
    chain_close(*chain);
    *chain = NULL;
    return error_set(error, STATUS_MEMORY, "no memory for the keys of a chain with %u validators",
                     validators);
}

void chain_close(struct chain *chain) {
    if (chain == NULL)
        return;
    signature_cache_close(&chain->verified);
    free(chain->senders);
    free(chain->node_of_sender);
    free(chain->sender_of_node);
    free(chain->keys);
    free(chain);
}
