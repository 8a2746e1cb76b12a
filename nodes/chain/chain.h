/* chain: what every node of a run with validators knows of the chain, opened once per process. */
#ifndef TIERBED_NODES_CHAIN_CHAIN_H
#define TIERBED_NODES_CHAIN_CHAIN_H

#include "common/ledger/genesis.h"
#include "common/ledger/signature_cache.h"
#include "common/ledger/store.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"

#define CHAIN_NONE UINT32_MAX

/* The genesis of a scenario: validators are the nodes of role chain in the order of their ids, senders the
 * validators and then the edge servers in the order of theirs. The seed in chain_params and every key come
 * from the scenario's seed (keys of `identity.keys` where given). NULL where the scenario has no validators.
 */
struct chain {
    struct genesis genesis;
    struct public_key *senders; /* owned; genesis borrows it */
    uint32_t *node_of_sender;   /* owned; node id by sender index; the first validator_count are validators */
    uint32_t *sender_of_node;   /* owned; by node id; CHAIN_NONE: none */
    struct signing_key *keys;   /* owned; by node id; zero for nodes that sign nothing */
    struct signature_cache verified; /* what this process has verified already; genesis borrows it */
};

enum status chain_open(const struct scenario *scenario, const struct topology *topology, struct chain **chain,
                       struct error *error);
void chain_close(struct chain *chain);

/* The seed of a node's Ed25519 key when no key directory is given: deterministic in (seed, node id). */
void chain_key_seed(uint64_t seed, uint32_t node, uint8_t out[32]);

#endif
