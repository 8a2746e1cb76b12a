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
 * from the scenario's seed; with `identity.keys`, public keys come from the certificates there and
 * signing keys by chain_take_key. NULL where the scenario has no validators.
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

/* Reads the signing key of a node hosted here from `identity.keys`; nothing to do without that directory, or
 * for a node that signs nothing. Stays zero when it is not there or not that of the node's certificate: then
 * the node is not admitted to the run either. */
void chain_take_key(struct chain *chain, const struct scenario *scenario, const struct topology *topology,
                    uint32_t node);

#endif
