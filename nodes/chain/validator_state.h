/* validator_state: what a validator holds, and what its files call of each other. Internal to
 * nodes/chain/validator*.c and their tests.
 *
 * Each entry point of the class sets now_ns, env and out, lets one of the feed functions look at what came,
 * and ends with validator_settle, which carries out what the engine asks until nothing is left to do. */
#ifndef TIERBED_NODES_CHAIN_VALIDATOR_STATE_H
#define TIERBED_NODES_CHAIN_VALIDATOR_STATE_H

#include "common/base/random.h"
#include "common/ledger/merkle.h"
#include "common/ledger/state.h"
#include "common/ledger/store.h"
#include "common/net/message_chain.h"
#include "common/time/vtime.h"
#include "nodes/chain/attest_diagnosis.h"
#include "nodes/chain/blobs.h"
#include "nodes/chain/catch_up.h"
#include "nodes/chain/chain.h"
#include "nodes/chain/consensus.h"
#include "nodes/chain/mempool.h"
#include "nodes/chain/pacing.h"
#include "nodes/chain/validator.h"
#include "nodes/outbox.h"

enum validator_timer {
    VALIDATOR_TIMER_STEP = 1, /* a time-out of the engine; cookie: height, round, step */
    VALIDATOR_TIMER_READY,    /* W_h is over; cookie: height */
    VALIDATOR_TIMER_STATUS,   /* the beacon */
    VALIDATOR_TIMER_VERIFIED, /* T_cv of a block is over; cookie: its serial number */
    VALIDATOR_TIMER_PULL,     /* a block should be whole by now; cookie: its serial number */
    VALIDATOR_TIMER_WAKE,     /* something is due in blobs or catch_up */
    VALIDATOR_TIMER_OWN,      /* the own proposal has left: it is taken in; cookie: height */
    VALIDATOR_TIMER_LOAD      /* a transaction of chain.load is due */
};

/* ---- blocks of the height, on their way or whole ---- */

#define VALIDATOR_BLOCKS_MAX 6u

enum proposed_state {
    PROPOSED_FREE = 0,
    PROPOSED_WANTED,    /* a quorum speaks of it; nothing is known but its id */
    PROPOSED_PARTIAL,   /* a signed proposal says what its parts hash to */
    PROPOSED_VERIFYING, /* whole; T_cv runs */
    PROPOSED_BLOBLESS,  /* verified but for models whose bytes are still to come */
    PROPOSED_VALID,
    PROPOSED_INVALID
};

struct proposed {
    enum proposed_state state;
    uint64_t serial; /* of the timers about it */
    struct hash id;
    struct hash parts_root;
    uint32_t part_count;
    size_t bytes;
    struct proposal proposal; /* the last one that named it; without has_proposal only its round is set */
    bool has_proposal;
    bool wanted;         /* a quorum speaks of it */
    bool followed;       /* parts are being waited for */
    uint8_t *data;       /* owned; `bytes` */
    struct hash *leaves; /* owned; part_count */
    struct message_parts held;
    uint32_t held_count;
    uint32_t pulls;           /* how often parts were asked for */
    struct block block;       /* PROPOSED_BLOBLESS, _VALID: taken apart */
    struct ledger_state next; /* the same: the state after it */
};

/* A whole block and the tree over its parts; all borrowed. */
struct validator_parts {
    const uint8_t *data;
    size_t bytes;
    const struct hash *leaves;
    uint32_t count;
};

/* ---- peers ---- */

/* Messages of the next height, from peers that are there already: kept as they came, replayed when this
 * validator gets there. */
struct validator_later {
    uint8_t *data; /* owned: u16 type, u32 bytes, i64 time by the clock here, payload; back to back */
    size_t used, read, capacity;
    uint32_t count;
    uint64_t height;
};

struct validator_peer {
    uint32_t node;
    bool linked;
    struct validator_later later;
    size_t credit; /* bytes that it may still ask for until the next beacon */
    bool proven;   /* amnesia: it has answered with a claim that proves itself */
    uint64_t claim;
};

/* ---- proofs to submitters ---- */

#define VALIDATOR_PLACES_MAX 4096u /* a power of two */
struct validator_place {
    struct hash id; /* of a committed transaction */
    uint64_t height;
    uint32_t index;
};

/* ---- evidence to be put on chain ---- */

#define VALIDATOR_OFFENCES_MAX 16u
struct validator_offence {
    struct evidence evidence;
    uint64_t nonce; /* of the transaction made last */
};

/* What a node has had read and sent for it, less what time has forgiven (validator_asked.c). */
struct validator_asked {
    uint64_t bytes, begin; /* begin: of the present call */
    int64_t since_ns;
};

/* The last proposal of a validator for this height: its round, and when it came by the clock here. */
struct validator_receipt {
    bool held;
    uint32_t round;
    int64_t clock_ns;
    uint32_t passed_round, passed; /* the latest round of which some were passed on, and how many */
};

/* Of one sender: the model update that is first in its line and whose bytes nobody has. */
struct validator_vain {
    uint64_t nonce;          /* 0: none */
    int64_t since_ns;        /* it has been waited for since then */
    int64_t refuse_until_ns; /* given up: not taken again before that */
};

/* When things happened at this height; VTIME_NEVER: not yet. */
struct validator_times {
    int64_t newheight_ns, propose_ns, complete_ns, prevote_ns, polka_ns, precommit_ns, all_ns;
};

/* The votes of the height before, for evidence that comes late and for t_all. */
struct validator_past {
    uint64_t height;
    uint32_t round;
    struct vote *votes[2]; /* owned; [validator_count] prevotes, precommits */
    uint64_t seen[2];
    bool all_recorded;
};

struct validator {
    /* of the present call */
    int64_t now_ns;
    const struct node_env *env;
    struct outbox *out;
    int64_t came_ns; /* by the clock here, when what is looked at came; earlier than now if it was kept */
    /* fixed */
    const struct chain *chain;
    const struct genesis *genesis;
    const struct scenario_chain *rules;
    const struct signing_key *key;
    struct ledger_store *store;
    uint16_t self;
    uint32_t count, quorum; /* N, q */
    size_t block_bytes_max; /* of an encoded block */
    uint32_t nodes[VALIDATORS_MAX];
    struct validator_peer peers[VALIDATORS_MAX];
    /* the chain so far */
    uint64_t committed;
    struct hash tip_id;                 /* zero at 0 */
    struct block_header tip;            /* at committed > 0 */
    struct certificate tip_certificate; /* the same */
    struct merkle_frontier history;     /* over ids 1 .. committed */
    struct ledger_state state;          /* after the tip */
    struct ledger_state before;         /* after the block before the tip; genesis NULL: not known */
    bool header_due;                    /* somebody asks for a proof that the next header gives */
    /* the height: committed + 1 */
    struct consensus *consensus;
    struct consensus_actions actions;
    uint32_t action_next;
    bool decided;
    struct hash decided_value;
    int64_t ready_ns, wait_ns;
    bool awake;              /* not dormant */
    int64_t held_timeout_ns; /* of the dormant height; 0: none */
    bool proposing;          /* asked for a new block in `propose_round` and not there yet */
    uint32_t propose_round;
    int64_t date_ns; /* when its clock is looked at again to date a block; past: no such timer */
    struct validator_receipt receipts[VALIDATORS_MAX]; /* by proposer */
    struct proposal own;                               /* sent, to be taken in; height 0: none */
    struct proposed blocks[VALIDATOR_BLOCKS_MAX];
    uint64_t serial;
    struct validator_times times;
    struct validator_past past;
    uint8_t *last_block; /* owned; the committed one, for peers that still want its parts */
    size_t last_block_bytes;
    struct hash *last_leaves;      /* owned */
    struct proposal last_proposal; /* of it; height 0: none */
    /* own signatures */
    bool amnesia;
    bool observer;      /* how the engine was opened */
    uint64_t sign_from; /* least height at which it may sign; VTIME_NEVER in amnesia */
    struct ledger_votes votes;
    struct hash kept_block; /* whose bytes are with the votes on disk */
    uint64_t ask_nonce;     /* of this life: the first nonce of its questions */
    /* the rest */
    struct mempool mempool;
    struct blobs blobs;
    struct blob_keeper keeper;
    struct catch_up catch_up;
    struct attest attest;
    struct attest_diagnosis judge; /* context of its attestors */
    uint64_t next_nonce;           /* of own transactions */
    bool status_due;               /* a round was entered: told when all that has come is worked off */
    bool own_due;                  /* something has happened that may ask for one */
    struct random_stream load;     /* of chain.load */
    struct validator_offence offences[VALIDATOR_OFFENCES_MAX];
    uint32_t offence_count;
    struct validator_place *places; /* owned; VALIDATOR_PLACES_MAX, by the first bytes of the id */
    struct validator_asked *asked;  /* owned; by sender */
    uint64_t read_bytes;            /* of the store, to prove old transactions */
    uint32_t scans;                 /* searches of old blocks that are left until the next beacon */
    uint64_t *direct;               /* owned; the same: ids that an edge server submitted here */
    struct validator_vain *vain;    /* owned; by sender */
    uint64_t beacon;                /* beacons of this life */
    uint64_t beacon_committed;      /* committed at the last one */
    uint32_t gossip_next;           /* index into the mempool of what is sent again next */
    int64_t wake_ns;                /* when TIMER_WAKE is due; VTIME_NEVER: not armed */
    int64_t busy_ns;                /* T_cv, added up */
    struct validator_drops drops;
    uint64_t untimely; /* fresh proposals that got nil for their time */
    uint64_t forks;    /* certified blocks that do not stand on this chain */
};

/* A store that fails ends this life of the validator (fail-stop). */
#define VALIDATOR_STORE(call)                                                                                \
    do {                                                                                                     \
        if ((call) != STATUS_OK)                                                                             \
            return STATUS_IO;                                                                                \
    } while (0)

/* ---- validator.c ---- */
/* Index of the validator that `node` is, or CHAIN_NONE. */
uint32_t validator_of_node(const struct validator *validator, uint32_t node);
/* Sends to peer `index`, or to all of them; nothing where there is no link. */
void validator_send(struct validator *validator, uint32_t index, enum message_type type, const void *payload,
                    size_t bytes, uint32_t urgency);
void validator_send_all(struct validator *validator, enum message_type type, const void *payload,
                        size_t bytes, uint32_t urgency);
#define VALIDATOR_URGENT 2u   /* votes */
#define VALIDATOR_PROMPT 1u   /* proposals, certificates */
#define VALIDATOR_ORDINARY 0u /* bulk */
/* Does everything that has become possible: actions, commits, messages kept for later, catch-up. */
enum status validator_settle(struct validator *validator);

/* ---- validator_asked.c: how much one node may ask for ---- */
/* Before what a node sends is answered. false: it asks too much, and gets nothing for now. */
bool validator_may_ask(struct validator *validator, uint32_t node);
/* After the answer, if it might. */
void validator_charge(struct validator *validator, uint32_t node);

/* ---- validator_height.c: from one commit to the proposal of the next block ---- */
enum status validator_enter_height(struct validator *validator);
/* Forgets the height before; the caller starts or resumes the engine. */
void validator_begin_height(struct validator *validator, struct pacing *pacing);
/* Something is going on at this height: its time-outs run from now on. */
void validator_wake(struct validator *validator);
/* Is there anything for a block? */
bool validator_has_work(struct validator *validator);
/* Makes a block if it has been asked for one and can. */
enum status validator_try_propose(struct validator *validator);
enum status validator_on_ready(struct validator *validator, uint64_t height);

/* ---- validator_consensus.c: what the engine asks for ---- */
enum status validator_carry_out(struct validator *validator);
enum status validator_feed_vote(struct validator *validator, uint32_t from, const uint8_t *payload,
                                size_t bytes);
void validator_arm_step(struct validator *validator, int64_t at_ns, uint32_t round, enum consensus_step step);
enum status validator_on_step_timer(struct validator *validator, uint64_t cookie);
/* Signs, makes durable and sends; it is taken in when it has left. */
enum status validator_cast_proposal(struct validator *validator, struct proposal *proposal);
enum status validator_on_own_proposal(struct validator *validator, uint64_t height);
/* After a crash: the own proposal of the round again. */
enum status validator_repeat_proposal(struct validator *validator, const struct proposal *proposal);
/* Append those of `wanted` to a batch: first votes of `round`; prevotes of `round` for `value`. */
void validator_gather_votes(const struct validator *validator, uint32_t round, enum vote_type type,
                            uint64_t wanted, struct message_vote *message);
void validator_gather_polka(const struct validator *validator, uint32_t round, const struct hash *value,
                            uint64_t wanted, struct message_vote *message);
/* Nothing is sent for an empty batch. */
void validator_send_votes(struct validator *validator, const struct message_vote *message, uint32_t to);
void validator_send_all_votes(struct validator *validator, const struct message_vote *message);

/* ---- validator_blocks.c: proposals and their parts ---- */
enum status validator_feed_proposal(struct validator *validator, uint32_t from, const uint8_t *payload,
                                    size_t bytes);
enum status validator_feed_part(struct validator *validator, uint32_t from, const uint8_t *payload,
                                size_t bytes);
struct proposed *validator_find_block(struct validator *validator, const struct hash *id);
struct proposed *validator_block_of_serial(struct validator *validator, uint64_t serial);
/* The place of the block that a proposal names, made if there is none. NULL: too large, or no room. */
struct proposed *validator_open_block(struct validator *validator, const struct proposal *proposal);
/* A place for a block that is whole; `data` is taken over, also on failure (NULL). */
struct proposed *validator_place_block(struct validator *validator, uint8_t *data, size_t bytes,
                                       const struct hash *id);
void validator_drop_block(struct proposed *block);
void validator_drop_blocks(struct validator *validator);
/* A quorum speaks of a block: fetch it from those who voted for it. */
enum status validator_need_block(struct validator *validator, uint32_t round, const struct hash *id);
/* A round was entered: see to the block of the proposal that the engine holds for it, if any. */
void validator_follow_proposal(struct validator *validator, uint32_t round);
enum status validator_on_pull_timer(struct validator *validator, uint64_t serial);
/* An own proposal, encoded, and the parts of its block go down the tree. */
void validator_spread(struct validator *validator, const struct proposal *proposal, const uint8_t *payload,
                      size_t bytes, const struct proposed *block);
/* Sends the parts that are wanted (count 0: all) to a peer, as far as its credit goes. */
void validator_send_parts(struct validator *validator, uint32_t to, const struct validator_parts *parts,
                          uint64_t height, uint32_t round, const struct message_parts *wanted);
/* Leaves of the block committed last, computed when first asked for; NULL: no memory. */
const struct hash *validator_last_leaves(struct validator *validator);
/* The same of a block of this height; nothing if it is not whole. */
void validator_send_block(struct validator *validator, uint32_t to, const struct proposed *block,
                          const struct message_parts *wanted);

/* ---- validator_verify.c: is a block valid? ---- */
/* All parts are here: T_cv begins. */
enum status validator_verify(struct validator *validator, struct proposed *block, bool free_of_charge);
enum status validator_on_verified(struct validator *validator, uint64_t serial);
/* A model has come, or one is found to be a lie: see to the blocks that waited. */
enum status validator_blob_came(struct validator *validator);
enum status validator_accept_blobless(struct validator *validator, struct proposed *block, uint32_t round);
/* Takes a block apart and computes the state after it. STATUS_INVALID: not valid on this chain; nothing to
 * close then. */
enum status validator_check_block(struct validator *validator, const uint8_t *data, size_t bytes,
                                  struct block *block, struct ledger_state *next);

/* ---- validator_time.c: the clock of this validator ---- */
int64_t validator_clock_ns(const struct validator *validator);
void validator_note_receipt(struct validator *validator, const struct proposal *proposal);
/* May the fresh proposal of `round` for `value` be prevoted, as far as its time goes? */
bool validator_finds_timely(struct validator *validator, uint32_t round, const struct hash *value);
/* The time of the block it makes. false: its clock is behind the chain; a timer asks again. */
bool validator_dates_block(struct validator *validator, uint64_t *time_ms);

/* ---- validator_apply.c: commit ---- */
/* The engine has decided. */
enum status validator_commit_decided(struct validator *validator);
/* One block or checkpoint that catch-up has ready; *progress: there was one. */
enum status validator_take_caught_up(struct validator *validator, bool *progress);
enum status validator_feed_certificate(struct validator *validator, uint32_t from, const uint8_t *payload,
                                       size_t bytes);

/* ---- validator_past.c: votes of the height before ---- */
void validator_past_keep(struct validator *validator);
void validator_late_vote(struct validator *validator, const struct vote *vote);
void validator_late_proposal(struct validator *validator, const struct proposal *proposal);
enum status validator_past_init(struct validator_past *past, uint32_t validator_count);
void validator_past_close(struct validator_past *past);

/* ---- validator_proofs.c: what submitters get ---- */
/* Where each transaction of a committed block stands. */
void validator_remember_block(struct validator *validator, const struct block *block);
/* To the edge servers that gave this validator transactions of the block. */
enum status validator_send_proofs(struct validator *validator, const struct block *block,
                                  const struct certificate *certificate);
/* An edge server submits a transaction whose nonce is used: its proofs again, if it is on chain. */
enum status validator_prove_again(struct validator *validator, uint32_t node, const uint8_t *data,
                                  size_t bytes);
/* Models decided by the present state, proven by the header that follows it, to all edge servers here. */
void validator_send_model_proofs(struct validator *validator, const struct block_header *header,
                                 const struct certificate *certificate);
void validator_note_direct(struct validator *validator, const struct hash *id);

/* ---- validator_transactions.c ---- */
enum status validator_on_tx(struct validator *validator, uint32_t node, const uint8_t *payload, size_t bytes);
/* Attestations that are due, evidence that is not on chain yet, models that are missing. */
enum status validator_own_transactions(struct validator *validator);
void validator_accuse(struct validator *validator, const struct evidence *evidence);
/* Gives up model updates whose bytes nobody has delivered: what their senders submitted after them gets its
 * turn. */
enum status validator_give_up_models(struct validator *validator);
/* Takes an own transaction and tells all. */
void validator_submit(struct validator *validator, const struct bytes_writer *tx);
/* Least nonce for the next own transaction; the caller counts validator->next_nonce up by its weight. */
uint64_t validator_next_nonce(struct validator *validator);
/* Sends some of what waits to one peer again: gossip may have been lost. */
void validator_gossip_again(struct validator *validator);
bool validator_blob_held(void *validator, const struct transaction *tx);
/* Forgets the waiting models that say this of their blob: it was found to be a lie. */
void validator_drop_claims(struct validator *validator, const struct blob_claim *claim);
/* Wants a model: from `node`, from the edge server that made it, from all others. */
void validator_want_blob(struct validator *validator, const struct blob_claim *claim, uint32_t node,
                         uint32_t sender);

/* ---- validator_load.c: chain.load ---- */
void validator_load_start(struct validator *validator);
/* When the next one is due. */
void validator_load_arm(struct validator *validator);
enum status validator_on_load(struct validator *validator);

/* ---- validator_status.c ---- */
void validator_send_status(struct validator *validator);
enum status validator_on_status(struct validator *validator, uint32_t from, const uint8_t *payload,
                                size_t bytes);
enum status validator_on_want(struct validator *validator, uint32_t from, const uint8_t *payload,
                              size_t bytes);
enum status validator_on_hello(struct validator *validator, uint32_t from, const uint8_t *payload,
                               size_t bytes);
void validator_send_hello(struct validator *validator);
enum status validator_on_beacon(struct validator *validator);

/* ---- validator_recover.c ---- */
/* Opens everything from the store, which its host has told whether this node ran before. */
enum status validator_recover(struct validator *validator);
/* Reads the chain's end from the store. */
enum status validator_load_chain(struct validator *validator);
bool validator_may_sign(const struct validator *validator);
/* Before a height is entered: opens the engine anew if it may sign now and might not before, and tells it who
 * may propose. */
enum status validator_open_engine(struct validator *validator);
/* Back at a height where it signed before the crash. *resumed: the engine has been resumed. */
enum status validator_resume(struct validator *validator, bool *resumed);
/* A peer answers a question of this life. */
enum status validator_on_claim(struct validator *validator, uint32_t from,
                               const struct message_status *status);

/* ---- validator_later.c ---- */
/* Keeps a message of the next height. */
void validator_keep(struct validator *validator, uint32_t from, enum message_type type, uint64_t height,
                    const uint8_t *payload, size_t bytes);
/* Feeds one that is due; *progress: there was one. */
enum status validator_replay(struct validator *validator, bool *progress);
void validator_later_close(struct validator_later *later);

#endif
