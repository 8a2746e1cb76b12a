#include "nodes/chain/chain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/ledger/transaction.h"
#include "common/net/identity.h"

#define VERIFIED_ENTRIES 16384u /* signatures of some hundred heights of the largest set; half a megabyte */

/* The key of the node's certificate, checked against the authority and the scenario. Without a sound one the
 * key stays zero, a point of small order that no signature verifies under: the node cannot take part in the
 * chain, and the director, who looks at the same files, does not admit it and says so. */
static void certified_key(const struct identity_authority *authority, const struct scenario *scenario,
                          const struct topology_node *node, struct public_key *key) {
    struct identity_certificate certificate = {.bytes = 0};
    struct identity_subject subject;
    struct error reason;
    if (identity_load_certificate(scenario->identity.keys, node->name, &certificate, &reason) == STATUS_OK &&
        identity_check(authority, certificate.data, certificate.bytes, &subject) == IDENTITY_SOUND &&
        strcmp(subject.name, node->name) == 0 && strcmp(subject.role, node_role_name(node->role)) == 0)
        memcpy(key->bytes, subject.key, sizeof key->bytes);
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
                                  .seed = scenario->seed,
                                  .exclude_accused = rules->exclude_accused};
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

/* Gives every node of `role` the next sender index and its public key. `authority` NULL: keys from the seed,
 * all of which are known here. */
static void add_senders(struct chain *chain, const struct scenario *scenario, const struct topology *topology,
                        enum node_role role, const struct identity_authority *authority) {
    for (uint32_t id = 0; id < topology->node_count; id++) {
        uint8_t seed[32];
        if (topology->nodes[id].role != role)
            continue;
        uint32_t sender = chain->genesis.sender_count++;
        struct public_key *key = &chain->senders[sender];
        if (authority != NULL) {
            certified_key(authority, scenario, &topology->nodes[id], key);
        } else {
            identity_key_seed(scenario->seed, id, seed);
            signing_key_from_seed(seed, &chain->keys[id]);
            *key = chain->keys[id].public;
        }
        chain->node_of_sender[sender] = id;
        chain->sender_of_node[id] = sender;
        if (role == ROLE_CHAIN)
            chain->genesis.validators[chain->genesis.validator_count++] = *key;
    }
}

static enum status add_all(struct chain *chain, const struct scenario *scenario,
                           const struct topology *topology, struct error *error) {
    struct identity_authority *authority = NULL;
    if (scenario->identity.keys[0] != '\0')
        TRY(identity_load_authority(scenario->identity.keys, &authority, error));
    add_senders(chain, scenario, topology, ROLE_CHAIN, authority);
    add_senders(chain, scenario, topology, ROLE_EDGE, authority);
    identity_authority_close(authority);
    return STATUS_OK;
}

static enum status chain_fill(struct chain *chain, const struct scenario *scenario,
                              const struct topology *topology, uint32_t senders, struct error *error) {
    uint32_t nodes = topology->node_count;
    chain->senders = calloc(senders, sizeof *chain->senders);
    chain->node_of_sender = calloc(senders, sizeof *chain->node_of_sender);
    chain->sender_of_node = calloc(nodes, sizeof *chain->sender_of_node);
    chain->keys = calloc(nodes, sizeof *chain->keys);
    if (chain->senders == NULL || chain->node_of_sender == NULL || chain->sender_of_node == NULL ||
        chain->keys == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the keys of %u senders", senders);
    if (signature_cache_init(&chain->verified, VERIFIED_ENTRIES) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for a cache of signatures");
    memset(chain->sender_of_node, 0xff, nodes * sizeof *chain->sender_of_node);
    TRY(add_all(chain, scenario, topology, error));
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
    if (*chain == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for a chain");
    enum status status = chain_fill(*chain, scenario, topology, validators + edges, error);
    if (status == STATUS_OK)
        return STATUS_OK;
    chain_close(*chain);
    *chain = NULL;
    return status;
}

void chain_take_key(struct chain *chain, const struct scenario *scenario, const struct topology *topology,
                    uint32_t node) {
    uint8_t seed[IDENTITY_KEY_BYTES];
    struct signing_key key;
    struct error reason;
    if (chain == NULL || scenario->identity.keys[0] == '\0' || chain->sender_of_node[node] == CHAIN_NONE ||
        identity_load_key(scenario->identity.keys, topology->nodes[node].name, seed, &reason) != STATUS_OK)
        return;
    signing_key_from_seed(seed, &key);
    if (memcmp(&chain->senders[chain->sender_of_node[node]], &key.public, sizeof key.public) == 0)
        chain->keys[node] = key;
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
