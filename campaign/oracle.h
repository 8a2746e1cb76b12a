/* oracle: what must hold (chain.md 3.2), checked from outside: from the wire, from what is durable, and from
 * what was acknowledged as committed, across restarts.
 *
 * It believes no validator. Quorum, sign bytes and certificates are computed here a second time. The rules of
 * state (state.h) are those of the ledger, run again from genesis over the blocks that were committed. I11,
 * I12 belong to whoever runs the world (run.c) and are only reported here. */
#ifndef TIERBED_CAMPAIGN_ORACLE_H
#define TIERBED_CAMPAIGN_ORACLE_H

#include "campaign/network.h"
#include "campaign/signed_set.h"
#include "common/ledger/proof.h"
#include "common/ledger/state.h"
#include "common/ledger/store.h"

enum invariant {
    INVARIANT_NONE = 0,
    I1_AGREEMENT,
    I2_VALIDITY,
    I3_CHAIN,
    I4_CERTIFICATE,
    I5_NO_DOUBLE_SIGN,
    I6_LOCK,
    I7_DURABILITY,
    I8_PERSIST_BEFORE_SEND,
    I9_EVIDENCE_SOUND,
    I10_EVIDENCE_COMPLETE,
    I11_LIVENESS,
    I12_CONVERGENCE,
    I13_REGISTRY,
    I14_LIGHT_CLIENT,
    I15_BOUNDED,
    I16_EXACTLY_ONCE,
    INVARIANT_RUNAWAY, /* the world did not end within its bounds */
    INVARIANT_COUNT
};
const char *invariant_name(enum invariant invariant);

struct violation {
    enum invariant invariant;
    uint64_t height;
    char text[240];
};
#define ORACLE_VIOLATIONS_MAX 8u

struct oracle_block {
    struct hash id, state; /* state: of the dump after it */
    uint8_t *data;         /* owned */
    size_t bytes;
    struct certificate certificate;
};

/* What one instance of a validator has done. */
struct oracle_member {
    uint32_t node;
    bool honest, forgetful; /* forgetful: its disk may lose things, no I7 */
    uint64_t acked;         /* highest height it had committed */
    uint64_t lock_height;   /* of its last precommit for a block */
    uint32_t lock_round;
    struct hash lock_value;
};

/* An equivocation that an honest member has seen whole. */
struct oracle_offence {
    uint64_t height;
    uint32_t round;
    uint8_t type;
    uint16_t accused;
    uint32_t member, incarnation;     /* who saw it */
    uint64_t seen_first, seen_second; /* signatures of the two, hashed; second 0: not yet */
    bool on_chain, lapsed;            /* lapsed: who saw it died before it could tell */
};

/* A header that is certified ahead of what honest validators have committed. */
struct oracle_claim {
    uint64_t height;
    enum invariant invariant; /* that is broken if the height gets another */
    struct hash id;
};
#define ORACLE_CLAIMS_MAX 64u

struct oracle {
    const struct genesis *genesis; /* borrowed */
    struct signed_set *signatures; /* borrowed */
    uint32_t quorum, faults_max;
    struct oracle_member members[NETWORK_MEMBERS_MAX];
    uint32_t member_count;
    uint64_t byzantine; /* validators that may do anything */
    bool expect_fork, forked;
    bool broken;                 /* a block was not valid: states after it are not known */
    struct oracle_block *blocks; /* owned; by height - 1 */
    uint64_t tip, capacity;
    struct ledger_state state; /* after the tip */
    struct merkle_frontier history;
    struct hash *tx_ids; /* owned; open table */
    uint32_t tx_count, tx_mask;
    struct oracle_offence *offences; /* owned */
    uint32_t offence_count, offence_capacity;
    struct hash certificates_seen[64];
    struct oracle_claim claims[ORACLE_CLAIMS_MAX];
    uint32_t claim_count;
    struct violation violations[ORACLE_VIOLATIONS_MAX];
    uint32_t violation_count;
    uint64_t checks[INVARIANT_COUNT]; /* how often each was looked at */
};

enum status oracle_init(struct oracle *oracle, const struct genesis *genesis, struct signed_set *signatures);
void oracle_close(struct oracle *oracle);
void oracle_add_member(struct oracle *oracle, uint32_t node, bool honest, bool forgetful);

void oracle_violation(struct oracle *oracle, enum invariant invariant, uint64_t height, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));

/* `member` has made this signature durable. */
void oracle_persisted(struct oracle *oracle, uint32_t member, const struct ledger_votes *votes);
/* `member` sends this vote or proposal, its own or another's. */
void oracle_sends_vote(struct oracle *oracle, uint32_t member, const struct vote *vote);
void oracle_sends_proposal(struct oracle *oracle, uint32_t member, const struct proposal *proposal);
/* A certificate on the wire; `header` may be NULL. */
void oracle_sees_certificate(struct oracle *oracle, const struct certificate *certificate,
                             const struct block_header *header);
/* `member` gets a vote while it works on (height, round). */
void oracle_gets_vote(struct oracle *oracle, uint32_t member, uint32_t incarnation, const struct vote *vote,
                      uint64_t height, uint32_t round);
void oracle_gets_proposal(struct oracle *oracle, uint32_t member, uint32_t incarnation,
                          const struct proposal *proposal, uint64_t height, uint32_t round);
void oracle_member_died(struct oracle *oracle, uint32_t member, uint32_t incarnation);

/* `member` has committed `block` at `height`, and says so. `state`: its dump of the state after that height
 * (NULL: not known). */
struct oracle_commit {
    uint64_t height;
    const uint8_t *block;
    size_t block_bytes;
    const struct certificate *certificate;
    const uint8_t *state;
    size_t state_bytes;
};
void oracle_committed(struct oracle *oracle, uint32_t member, const struct oracle_commit *commit);
/* `member` is back with a chain of `height`. */
void oracle_restarted(struct oracle *oracle, uint32_t member, uint64_t height);

/* What is left at the end: I10, and the verdict on a fork (I9). */
void oracle_finish(struct oracle *oracle);

/* Somebody holds a header as committed: it must be the one of its height, now or once that is committed. */
void oracle_certified(struct oracle *oracle, enum invariant invariant, uint64_t height,
                      const struct hash *id);

/* Independent of common/ledger: at least q distinct validators whose precommits verify. */
bool oracle_certificate_valid(const struct oracle *oracle, const struct certificate *certificate);
/* Who must have broken the rules, given all signatures: signed twice, or voted against its lock without a
 * polka (the two theorems of accountable safety). */
uint64_t oracle_culprits(const struct oracle *oracle);

/* ---- between the files of the oracle ---- */
void oracle_check_light(struct oracle *oracle, const struct oracle_block *block, uint64_t height);
void oracle_note_evidence(struct oracle *oracle, const struct block *block);
void oracle_check_lock(struct oracle *oracle, struct oracle_member *member, const struct vote *vote);
bool oracle_lock_excused(const struct oracle *oracle, const struct vote *prevote, uint32_t lock_round);

#endif
