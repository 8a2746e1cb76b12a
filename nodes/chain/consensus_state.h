/* consensus_state: what the consensus engine holds, for its own files, its tests and the oracle.
 *
 * What is kept of the rounds of one height, and what is dropped (chain.md, 1.4):
 *   - a record of every vote and the proposal for the current round, the CONSENSUS_PAST_ROUNDS before it, the
 *     locked round, the valid round and the round of the polka that the current proposal refers to;
 *   - of rounds to come one slot per validator, for the highest round it has signed for.
 * Votes of other rounds are dropped. Nothing waits for them: a polka that matters is the valid round of
 * whoever proposes again, and is sent with that proposal; a decision whose precommits are forgotten here is
 * a decision somewhere, and arrives as a certificate; a validator that lags sees by the slots that others are
 * done with its round (consensus_rules.c). */
#ifndef TIERBED_NODES_CHAIN_CONSENSUS_STATE_H
#define TIERBED_NODES_CHAIN_CONSENSUS_STATE_H

#include "nodes/chain/consensus.h"

#define CONSENSUS_PAST_ROUNDS 3u
#define CONSENSUS_RECORDS (1u + CONSENSUS_PAST_ROUNDS + 3u)
#define CONSENSUS_VALUES 16u
#define CONSENSUS_ROUND_MAX ((uint32_t)INT32_MAX - 1) /* valid_round is an i32 */

/* Who voted for one value. */
struct tally {
    struct hash value; /* zero: nil */
    uint64_t voters;
    uint32_t messages; /* with repetitions: what a mutant counts */
};

struct round_votes {
    struct vote_set set;
    struct tally *tallies; /* [2 validator_count]; none with no voter */
    uint32_t tally_count;
};

struct round_record {
    bool held;
    uint32_t round;
    bool has_proposal, proposal_conflict;
    struct proposal proposal;
    struct round_votes votes[2];         /* prevotes, precommits */
    bool prevote_timer, precommit_timer; /* lines 34 and 47 happened */
    bool polka_seen;                     /* line 36 happened */
    bool asked[2];                       /* for the value of a quorum, since the current round began */
};

/* What one validator signed for a round to come. */
struct future_slot {
    bool used;
    uint32_t round;
    bool has_proposal, proposal_conflict;
    struct proposal proposal;
    uint8_t vote_count[2];
    struct vote votes[2][2];
};

enum validity { VALUE_UNKNOWN = 0, VALUE_VALID, VALUE_INVALID };

struct known_value {
    struct hash value;
    enum validity validity;
};

struct consensus {
    struct consensus_config config;
    uint32_t quorum, faults_max;
    uint64_t height;
    uint16_t first_proposer;
    uint64_t proposers; /* bitmap of those who may */
    int64_t wait_ns;
    uint32_t round;
    enum consensus_step step;
    int32_t locked_round, valid_round;
    struct hash locked_value, valid_value;
    uint32_t decided_round; /* step CONSENSUS_DECIDED */
    struct hash decided_value;
    struct round_record records[CONSENSUS_RECORDS];
    struct known_value values[CONSENSUS_VALUES]; /* a ring; the next to go at value_next */
    uint32_t value_next;
    struct future_slot *future; /* [validator_count] */
    struct vote *votes;         /* of all records: [records][2 types][first, second][validator_count] */
    struct tally *tallies;
};

/* consensus_votes.c: what is held. */
static inline uint32_t vote_index(enum vote_type type) {
    return type == VOTE_PRECOMMIT;
}
struct consensus_action *consensus_emit(struct consensus_actions *out, enum consensus_action_kind kind,
                                        uint32_t round);
/* NULL: not held, and for `find` not to be held. */
struct round_record *consensus_record(const struct consensus *consensus, uint32_t round);
struct round_record *consensus_find_record(struct consensus *consensus, uint32_t round);
void consensus_forget(struct consensus *consensus); /* everything of this height */
void consensus_add_vote(struct consensus *consensus, const struct vote *vote, struct consensus_actions *out);
void consensus_add_proposal(struct consensus *consensus, const struct proposal *proposal,
                            struct consensus_actions *out);
/* The slots of rounds that are no longer to come go into the records; records no longer needed are freed. */
void consensus_advance(struct consensus *consensus, struct consensus_actions *out);
/* Validators that have signed for a round above the current one. */
uint64_t consensus_ahead(const struct consensus *consensus);
/* The highest round that f + 1 distinct validators have reached, of those above the current; else that. */
uint32_t consensus_skip_round(const struct consensus *consensus);
uint64_t consensus_voters(const struct round_votes *votes, const struct hash *value);
/* A value (not nil) with a quorum of votes, or NULL. */
const struct hash *consensus_quorum_value(const struct consensus *consensus,
                                          const struct round_record *record, enum vote_type type);
bool consensus_has_quorum(const struct consensus *consensus, const struct round_record *record,
                          enum vote_type type, const struct hash *value);
void consensus_learn_value(struct consensus *consensus, const struct hash *value, enum validity validity);
enum validity consensus_validity(const struct consensus *consensus, const struct hash *value);

/* consensus_rules.c: the upon-rules. */
void consensus_start_round(struct consensus *consensus, uint32_t round, struct consensus_actions *out);
void consensus_cast(struct consensus *consensus, enum vote_type type, const struct hash *value,
                    struct consensus_actions *out);
void consensus_evaluate(struct consensus *consensus, struct consensus_actions *out);

#endif
