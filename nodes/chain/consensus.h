/* consensus: the engine that brings validators to one block per height. Pure: no time, no keys, no bytes of
 * blocks, no network.
 *
 * Tendermint, Algorithm 1 of Buchman, Kwon and Milosevic (2018), with (i) round skip on f + 1 distinct
 * validators, (ii) a value proposed again with its proof of lock, (iii) linear, capped time-outs T(r) =
 * min(T0 + delta r, cap). Line numbers in consensus*.c are those of Algorithm 1. Quorums are those of
 * common/ledger/quorum.h.
 *
 * The caller verifies signatures before it hands anything in, and carries out the actions in order. The own
 * messages come back in: after CONSENSUS_DO_VOTE the caller signs, makes durable, sends, then hands the vote
 * to consensus_on_vote; after CONSENSUS_DO_PROPOSE likewise the proposal (consensus_on_proposal) and its
 * value (consensus_on_value). Actions are appended to `out`: the caller sets its count to 0 first.
 *
 * Memory is bounded: votes are held for the current round and a few before it, the locked and the valid
 * round, the round whose polka the current proposal refers to, and one future round per peer; of each
 * validator at most two conflicting votes per round and type, counted for either value. What is dropped and
 * why nothing waits for it: consensus_state.h. It asks this of the caller, as votes may get lost: every
 * validator sends its last signed message again to peers that lack it, also to those in an earlier round
 * (they see by it that the sender is done with theirs), and the prevotes of its valid round to those who
 * lack them (consensus_wants_polka). Repeated votes are handed in like any other: only the engine knows
 * which of them count. */
#ifndef TIERBED_NODES_CHAIN_CONSENSUS_H
#define TIERBED_NODES_CHAIN_CONSENSUS_H

#include "common/ledger/evidence.h"
#include "common/ledger/vote.h"

enum consensus_step {
    CONSENSUS_PROPOSE = 1, /* waits for the proposal */
    CONSENSUS_PREVOTE,
    CONSENSUS_PRECOMMIT,
    CONSENSUS_DECIDED /* committed; waits for consensus_enter_height */
};

struct consensus_config {
    uint32_t validator_count;
    uint16_t self;
    int64_t timeout_ns, timeout_step_ns, timeout_max_ns; /* T0, delta, cap */
    bool observer; /* never asks for signatures: amnesia, or no validator at all */
};

enum consensus_action_kind {
    CONSENSUS_DO_PROPOSE = 1, /* round; value: to propose again with valid_round, or zero: make a new block */
    CONSENSUS_DO_VOTE,    /* type, round, value (zero: nil). Lock and valid value are as in the struct now */
    CONSENSUS_DO_TIMEOUT, /* step, round, delay_ns: hand back by consensus_on_timeout after that long */
    CONSENSUS_DO_NEED_VALUE, /* round, value: a quorum speaks of a block that is not here: fetch it */
    CONSENSUS_DO_COMMIT,     /* round, value: decided; the precommits are consensus_certificate */
    CONSENSUS_DO_EVIDENCE,   /* evidence */
    CONSENSUS_DO_ROUND       /* round was entered (for the log and for STATUS) */
};

struct consensus_action {
    enum consensus_action_kind kind;
    uint32_t round;
    int32_t valid_round;
    enum vote_type type;      /* CONSENSUS_DO_VOTE */
    enum consensus_step step; /* CONSENSUS_DO_TIMEOUT */
    int64_t delay_ns;
    struct hash value;
    struct evidence evidence;
};

#define CONSENSUS_ACTIONS_MAX 256u
struct consensus_actions {
    struct consensus_action items[CONSENSUS_ACTIONS_MAX];
    uint32_t count;
};

/* Votes of one round and type. */
struct vote_set {
    uint64_t seen;        /* who voted */
    uint64_t conflicting; /* who voted twice, differently */
    struct vote *first;   /* [validator_count] */
    struct vote *second;  /* [validator_count]; of those in `conflicting` */
};

struct consensus; /* opaque here only in size: defined in consensus_state.h for tests and the oracle */

enum status consensus_open(const struct consensus_config *config, struct consensus **consensus);
void consensus_close(struct consensus *consensus);

/* Of the heights entered or resumed from now on: validators who do not propose (bitmap); their turn goes to
 * the next in order. Excluding all excludes none. All validators must say the same at the same height. */
void consensus_exclude(struct consensus *consensus, uint64_t excluded);

/* Starts round 0 of `height` with nothing locked. `first_proposer` proposes in round 0, the next in order of
 * index in each further round. `wait_ns`: how long the block of this height takes to be generated (T_gen):
 * the propose time-out of round 0 is that much longer; the proposer itself is asked at once by
 * CONSENSUS_DO_PROPOSE and waits in the caller. */
void consensus_enter_height(struct consensus *consensus, uint64_t height, uint16_t first_proposer,
                            int64_t wait_ns, struct consensus_actions *out);

/* Back after a crash within `height`: lock, valid value and polka as persisted, round and step of the last
 * own signature (step 0: none at this height). Resumes at that (round, step): what is signed already is not
 * asked for again; the caller hands the last own vote (or proposal) in again and sends it again. A time-out
 * runs at once for the proposal, and for the later steps as soon as q validators are done with the step.
 * `polka` are prevotes for valid value at valid_round (may be NULL). */
struct consensus_resume {
    uint64_t height;
    uint16_t first_proposer;
    uint32_t round;
    uint8_t step; /* enum vote_type of the last own signature, 0: none */
    int32_t locked_round, valid_round;
    struct hash locked_value, valid_value;
    const struct vote *polka;
    uint32_t polka_count;
};
void consensus_resume(struct consensus *consensus, const struct consensus_resume *from,
                      struct consensus_actions *out);

/* A proposal of this height whose signature and proposer were verified. Proposals of other heights are the
 * caller's business; one of a future round counts for the round skip and is kept when the round is entered
 * next by this peer's slot. A second, different proposal of the same round gives CONSENSUS_DO_EVIDENCE. */
void consensus_on_proposal(struct consensus *consensus, const struct proposal *proposal,
                           struct consensus_actions *out);
/* The block `value` is here, whole, and `valid` or not (line 22 ff: valid(v)). */
void consensus_on_value(struct consensus *consensus, const struct hash *value, bool valid,
                        struct consensus_actions *out);
/* A verified vote of this height. */
void consensus_on_vote(struct consensus *consensus, const struct vote *vote, struct consensus_actions *out);
void consensus_on_timeout(struct consensus *consensus, uint64_t height, uint32_t round,
                          enum consensus_step step, struct consensus_actions *out);

/* What it knows, for STATUS, retransmission, persistence and logs. */
uint64_t consensus_height(const struct consensus *consensus);
uint32_t consensus_round(const struct consensus *consensus);
enum consensus_step consensus_step_now(const struct consensus *consensus);
int32_t consensus_locked_round(const struct consensus *consensus);
int32_t consensus_valid_round(const struct consensus *consensus);
struct hash consensus_locked_value(const struct consensus *consensus);
struct hash consensus_valid_value(const struct consensus *consensus);
uint16_t consensus_proposer(const struct consensus *consensus, uint32_t round);
/* The accepted proposal of a round that is held, or NULL. */
const struct proposal *consensus_proposal(const struct consensus *consensus, uint32_t round);
/* Who has voted in a round that is held (0 when it is not), and the votes themselves (NULL when not held). */
uint64_t consensus_voted(const struct consensus *consensus, uint32_t round, enum vote_type type);
const struct vote_set *consensus_votes(const struct consensus *consensus, uint32_t round,
                                       enum vote_type type);
/* Who of them voted for `value`, and such a vote (NULL: not held). */
uint64_t consensus_voted_for(const struct consensus *consensus, uint32_t round, enum vote_type type,
                             const struct hash *value);
const struct vote *consensus_vote_for(const struct consensus *consensus, uint32_t round, enum vote_type type,
                                      const struct hash *value, uint16_t validator);
/* The polka this validator waits for in order to prevote (line 28): the proposal of its round says that
 * `value` had one in `round`; `held` are those of it that are here. false: it waits for none. A prevote of
 * that round for another value does not stand for one of these: a liar may have given each peer another, so
 * whoever holds the polka sends what is not in `held`, whatever else the peer has of those validators. */
struct consensus_polka_wanted {
    uint32_t round;
    struct hash value;
    uint64_t held;
};
bool consensus_wants_polka(const struct consensus *consensus, struct consensus_polka_wanted *wanted);
/* After CONSENSUS_DO_COMMIT: the precommits for the decided value, at least q. false: not decided. */
struct certificate;
bool consensus_certificate(const struct consensus *consensus, const struct hash *chain_id,
                           struct certificate *certificate);
/* Bytes held, for the bound under flood (I15). */
size_t consensus_memory(const struct consensus *consensus);

/* T(r), chain.md 1.4. */
int64_t consensus_timeout_ns(const struct consensus_config *config, uint32_t round);

#endif
