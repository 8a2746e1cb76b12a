/* chain_rig: a few validators and edge servers in one process, for tests of the node class: real stores on
 * disks in memory, messages that take 1 ms, and knobs for loss, cuts, death and rebirth. The simulator of
 * campaign/ does this thoroughly; here it fits on a page. Edge servers are the test itself: it submits
 * transactions, and what they would get is checked as a device would (light proofs).
 *
 * Every failure is a failed assertion of cmocka's kind. */
#ifndef TIERBED_TESTS_CHAIN_RIG_H
#define TIERBED_TESTS_CHAIN_RIG_H

#include "common/base/random.h"
#include "common/ledger/disk.h"
#include "common/ledger/proof.h"
#include "nodes/chain/chain.h"
#include "nodes/chain/validator.h"
#include "nodes/outbox.h"

#define CHAIN_RIG_VALIDATORS_MAX 64u
#define CHAIN_RIG_EDGES 2u

struct chain_rig_event {
    int64_t at_ns;
    uint64_t order;
    uint32_t node, source; /* node ids; a timer: source UINT32_MAX */
    uint32_t type;         /* message, or number of the timer */
    uint32_t life;         /* timers die with their life */
    uint64_t cookie;
    uint8_t *payload; /* owned */
    size_t bytes;
};

struct chain_rig_validator {
    void *state; /* NULL: dead */
    struct ledger_disk *disk;
    struct ledger_store *store;
    uint32_t life;
    uint64_t committed_most;        /* over all lives */
    uint64_t proposals, votes_sent; /* messages it sent */
};

struct chain_rig {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct chain *chain;
    uint32_t count, first_node; /* of the validators */
    struct chain_rig_validator validators[CHAIN_RIG_VALIDATORS_MAX];
    struct chain_rig_event *events; /* owned; a heap */
    size_t event_count, event_capacity;
    uint64_t order;
    int64_t now_ns, delay_ns;
    struct random_stream random;
    double loss;
    bool cut[CHAIN_RIG_VALIDATORS_MAX][CHAIN_RIG_VALIDATORS_MAX];
    struct outbox out;
    uint64_t nonces[CHAIN_RIG_EDGES]; /* the last one used */
    /* what came to the edge servers, checked under the genesis alone */
    struct light_client clients[CHAIN_RIG_EDGES];
    uint64_t proofs[CHAIN_RIG_EDGES], models[CHAIN_RIG_EDGES];
    struct hash proven; /* tx_id of the last proof of a transaction */
    /* what edge server 0 serves */
    uint8_t blob[64];
    struct transaction model;
    bool lying_hash;          /* the next model is not what its hash says */
    struct proposal proposal; /* the last one that a validator sent */
    uint64_t rows;            /* series rows recorded */
    uint64_t protocol_errors;
    /* Looks at each message on its way (NULL: nobody); false: it is lost. */
    bool (*watch)(struct chain_rig *rig, uint32_t from, uint32_t to, uint32_t type, uint8_t *payload,
                  size_t bytes);
};

/* `chain` are lines for the scenario's `chain:` map, as "timeout: 100 ms, block_rate: 0 Hz". */
void chain_rig_open(struct chain_rig *rig, uint32_t validators, const char *chain);
void chain_rig_close(struct chain_rig *rig);
void chain_rig_start_all(struct chain_rig *rig);

/* Carries out everything up to `until_ns`. */
void chain_rig_run(struct chain_rig *rig, int64_t until_ns);
/* Runs until all validators that live have committed `height`; fails after `most_ns` more. */
void chain_rig_reach(struct chain_rig *rig, uint64_t height, int64_t most_ns);

void chain_rig_kill(struct chain_rig *rig, uint32_t index);
void chain_rig_restart(struct chain_rig *rig, uint32_t index);
void chain_rig_partition(struct chain_rig *rig, uint32_t set); /* bit i: side of validator i; 0: healed */

/* A transaction of records of edge server `edge`, to validator `to`. Returns its id. */
struct hash chain_rig_submit(struct chain_rig *rig, uint32_t edge, uint32_t to, uint16_t records);
/* The same bytes again. */
void chain_rig_submit_bytes(struct chain_rig *rig, uint32_t edge, uint32_t to, const uint8_t *data,
                            size_t bytes);
/* Edge server 0 offers a model whose metrics a validator can recompute (attestor_stated). */
struct hash chain_rig_offer_model(struct chain_rig *rig, uint32_t to);
/* A message out of nowhere. */
void chain_rig_inject(struct chain_rig *rig, uint32_t from, uint32_t to, enum message_type type,
                      const uint8_t *payload, size_t bytes);

uint64_t chain_rig_least(const struct chain_rig *rig); /* committed by all that live */
uint64_t chain_rig_most(const struct chain_rig *rig);
/* All ledgers tell one story, as far as they go. */
void chain_rig_check(struct chain_rig *rig);

#endif
