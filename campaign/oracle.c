/* oracle: the book of violations, members, and what becomes of committed blocks. */
#include "campaign/oracle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/ledger/merkle.h"
#include "common/time/vtime.h"

#define TX_TABLE_FIRST 1024u

const char *invariant_name(enum invariant invariant) {
    static const char *const names[INVARIANT_COUNT] = {
        "none",
        "I1 agreement",
        "I2 validity",
        "I3 chain",
        "I4 certificate",
        "I5 no double sign",
        "I6 lock rule",
        "I7 durability",
        "I8 persist before send",
        "I9 evidence soundness",
        "I10 evidence completeness",
        "I11 liveness",
        "I12 convergence",
        "I13 registry",
        "I14 light client",
        "I15 bounded memory",
        "I16 exactly once",
        "bounds of the simulation",
    };
    return invariant < INVARIANT_COUNT ? names[invariant] : "?";
}

enum status oracle_init(struct oracle *oracle, const struct genesis *genesis, struct signed_set *signatures) {
    uint32_t count = genesis->validator_count;
    *oracle = (struct oracle){.genesis = genesis, .signatures = signatures};
    oracle->faults_max = (count - 1) / 3;
    oracle->quorum = (count + oracle->faults_max) / 2 + 1;
    oracle->tx_mask = TX_TABLE_FIRST - 1;
    oracle->tx_ids = memory_grow(NULL, TX_TABLE_FIRST, sizeof *oracle->tx_ids, "campaign transactions");
    memset(oracle->tx_ids, 0, TX_TABLE_FIRST * sizeof *oracle->tx_ids);
    return ledger_state_init(&oracle->state, genesis);
}

void oracle_close(struct oracle *oracle) {
    for (uint64_t i = 0; i < oracle->tip; i++)
        free(oracle->blocks[i].data);
    free(oracle->blocks);
    free(oracle->tx_ids);
    free(oracle->offences);
    ledger_state_close(&oracle->state);
    *oracle = (struct oracle){0};
}

void oracle_add_member(struct oracle *oracle, uint32_t node, bool honest, bool forgetful) {
    assert(oracle->member_count < NETWORK_MEMBERS_MAX);
    oracle->members[oracle->member_count++] =
        (struct oracle_member){.node = node, .honest = honest, .forgetful = forgetful};
    if (!honest)
        oracle->byzantine |= UINT64_C(1) << node;
}

void oracle_violation(struct oracle *oracle, enum invariant invariant, uint64_t height, const char *format,
                      ...) {
    if (oracle->violation_count++ >= ORACLE_VIOLATIONS_MAX)
        return;
    struct violation *violation = &oracle->violations[oracle->violation_count - 1];
    *violation = (struct violation){.invariant = invariant, .height = height};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(violation->text, sizeof violation->text, format, arguments);
    va_end(arguments);
}

/* ---- certificates ---- */

bool oracle_certificate_valid(const struct oracle *oracle, const struct certificate *certificate) {
    const struct genesis *genesis = oracle->genesis;
    uint32_t count = 0, place = 0;
    if (!hash_equal(&certificate->chain_id, &genesis->chain_id) || hash_is_zero(&certificate->block_id))
        return false;
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++) {
        if ((certificate->bitmap >> i & 1) == 0)
            continue;
        struct vote vote = {.type = VOTE_PRECOMMIT,
                            .height = certificate->height,
                            .round = certificate->round,
                            .validator = (uint16_t)i,
                            .block_id = certificate->block_id,
                            .signature = certificate->signatures[place++]};
        if (!signed_vote_valid(genesis, &vote))
            return false;
        count++;
    }
    return count >= oracle->quorum;
}

/* Two blocks of one height, both with a quorum: the fork that must not be, or must in a control run. */
static void fork_found(struct oracle *oracle, uint64_t height, const struct hash *a, const struct hash *b) {
    char first[HASH_TEXT_BYTES], second[HASH_TEXT_BYTES];
    oracle->forked = true;
    if (oracle->expect_fork)
        return;
    hash_text(a, first);
    hash_text(b, second);
    oracle_violation(oracle, I1_AGREEMENT, height, "two blocks: %.12s and %.12s", first, second);
}

void oracle_certified(struct oracle *oracle, enum invariant invariant, uint64_t height,
                      const struct hash *id) {
    if (oracle->forked)
        return;
    if (height > oracle->tip) {
        for (uint32_t i = 0; i < oracle->claim_count; i++)
            if (oracle->claims[i].height == height && hash_equal(&oracle->claims[i].id, id))
                return;
        if (oracle->claim_count < ORACLE_CLAIMS_MAX)
            oracle->claims[oracle->claim_count++] =
                (struct oracle_claim){.height = height, .invariant = invariant, .id = *id};
        return;
    }
    const struct hash *committed = &oracle->blocks[height - 1].id;
    if (hash_equal(committed, id))
        return;
    if (invariant == I1_AGREEMENT || oracle->expect_fork)
        fork_found(oracle, height, committed, id);
    else
        oracle_violation(oracle, invariant, height, "a header is taken that is not the one committed");
}

/* Claims about heights that are committed by now. */
static void settle_claims(struct oracle *oracle) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < oracle->claim_count; i++) {
        struct oracle_claim claim = oracle->claims[i];
        if (claim.height > oracle->tip)
            oracle->claims[left++] = claim;
        else
            oracle_certified(oracle, claim.invariant, claim.height, &claim.id);
    }
    oracle->claim_count = left;
}

void oracle_sees_certificate(struct oracle *oracle, const struct certificate *certificate,
                             const struct block_header *header) {
    struct hash id = certificate_hash(certificate);
    struct hash *seen = &oracle->certificates_seen[id.bytes[0] % 64];
    if (hash_equal(seen, &id))
        return;
    *seen = id;
    bool valid = oracle_certificate_valid(oracle, certificate);
    oracle->checks[I4_CERTIFICATE]++;
    if (certificate_valid(oracle->genesis, certificate) != valid)
        oracle_violation(oracle, I4_CERTIFICATE, certificate->height,
                         "certificate_valid says %s of a certificate that is %s", valid ? "no" : "yes",
                         valid ? "good" : "forged");
    if (!valid)
        return;
    oracle_certified(oracle, I1_AGREEMENT, certificate->height, &certificate->block_id);
    (void)header;
}

/* ---- transactions ---- */

static bool put_tx(struct oracle *oracle, const struct hash *id) {
    uint32_t place;
    memcpy(&place, id->bytes, sizeof place);
    for (place &= oracle->tx_mask; !hash_is_zero(&oracle->tx_ids[place]);
         place = (place + 1) & oracle->tx_mask)
        if (hash_equal(&oracle->tx_ids[place], id))
            return false;
    oracle->tx_ids[place] = *id;
    oracle->tx_count++;
    return true;
}

static void grow_txs(struct oracle *oracle) {
    uint32_t old_mask = oracle->tx_mask;
    struct hash *old = oracle->tx_ids;
    oracle->tx_mask = old_mask * 2 + 1;
    oracle->tx_ids = memory_grow(NULL, oracle->tx_mask + 1, sizeof *oracle->tx_ids, "campaign transactions");
    memset(oracle->tx_ids, 0, (oracle->tx_mask + (size_t)1) * sizeof *oracle->tx_ids);
    oracle->tx_count = 0;
    for (uint32_t i = 0; i <= old_mask; i++)
        if (!hash_is_zero(&old[i]))
            (void)put_tx(oracle, &old[i]);
    free(old);
}

static void check_once(struct oracle *oracle, const struct block *block) {
    oracle->checks[I16_EXACTLY_ONCE]++;
    for (uint32_t i = 0; i < block->header.tx_count; i++) {
        struct hash id = transaction_id(block->txs[i].data, block->txs[i].bytes);
        if (oracle->tx_count * 2 > oracle->tx_mask)
            grow_txs(oracle);
        if (!put_tx(oracle, &id))
            oracle_violation(oracle, I16_EXACTLY_ONCE, block->header.height, "transaction %u stands twice",
                             i);
    }
}

/* ---- blocks ---- */

static void add_block(struct oracle *oracle, const struct oracle_commit *commit, const struct hash *id) {
    if (oracle->tip == oracle->capacity) {
        oracle->capacity = oracle->capacity ? oracle->capacity * 2 : 64;
        oracle->blocks =
            memory_grow(oracle->blocks, oracle->capacity, sizeof *oracle->blocks, "campaign blocks");
    }
    struct oracle_block *block = &oracle->blocks[oracle->tip++];
    *block =
        (struct oracle_block){.id = *id, .bytes = commit->block_bytes, .certificate = *commit->certificate};
    block->data = memory_grow(NULL, commit->block_bytes, 1, "campaign block");
    memcpy(block->data, commit->block, commit->block_bytes);
    struct hash leaf = merkle_leaf(id->bytes, HASH_BYTES);
    merkle_frontier_add(&oracle->history, &leaf);
}

static struct hash dump_hash(const struct ledger_state *state) {
    size_t bytes = ledger_state_bytes(state);
    uint8_t *data = memory_grow(NULL, bytes, 1, "campaign state");
    struct bytes_writer writer = bytes_writer_over(data, bytes);
    ledger_state_encode(&writer, state);
    struct hash hash = hash_of("dump", data, writer.used);
    free(data);
    return hash;
}

/* Whether the first block of a height stands on what was committed before it. */
static void replay(struct oracle *oracle, const struct oracle_commit *commit, const struct block *block) {
    struct ledger_state next = {0};
    struct error why = {0};
    struct block tip = {0};
    struct block_context context = {.genesis = oracle->genesis, .state = &oracle->state};
    if (oracle->broken)
        return;
    if (oracle->tip > 0) {
        const struct oracle_block *last = &oracle->blocks[oracle->tip - 1];
        if (block_open(last->data, last->bytes, last->bytes, &tip) == STATUS_OK)
            context.tip = &tip.header;
    }
    context.history_root = merkle_frontier_root(&oracle->history);
    oracle->checks[I2_VALIDITY]++;
    oracle->checks[I3_CHAIN]++;
    if (block_valid_on(&context, block, &next, &why) != STATUS_OK) {
        oracle->broken = true;
        bool chain = context.tip != NULL &&
                     (!hash_equal(&block->header.prev_block_id, &oracle->blocks[oracle->tip - 1].id) ||
                      !hash_equal(&block->header.history_root, &context.history_root));
        oracle_violation(oracle, chain ? I3_CHAIN : I2_VALIDITY, commit->height, "%.200s", why.text);
        ledger_state_close(&next);
    } else {
        ledger_state_close(&oracle->state);
        oracle->state = next;
    }
    block_close(&tip);
    if (block->has_prev_cert && !oracle_certificate_valid(oracle, &block->prev_cert))
        oracle_violation(oracle, I4_CERTIFICATE, commit->height, "the certificate inside the block is none");
}

static void first_commit(struct oracle *oracle, const struct oracle_commit *commit) {
    struct block block = {0};
    if (block_open(commit->block, commit->block_bytes, commit->block_bytes, &block) != STATUS_OK) {
        oracle_violation(oracle, I2_VALIDITY, commit->height, "a committed block does not decode");
        block_close(&block);
        return;
    }
    struct hash id = block_id_of(&block.header);
    if (!hash_equal(&id, &commit->certificate->block_id))
        oracle_violation(oracle, I4_CERTIFICATE, commit->height, "the certificate is for another block");
    replay(oracle, commit, &block);
    check_once(oracle, &block);
    oracle_note_evidence(oracle, &block);
    add_block(oracle, commit, &id);
    oracle->blocks[oracle->tip - 1].state = dump_hash(&oracle->state);
    block_close(&block);
    settle_claims(oracle);
    if (commit->height % 4 == 0)
        oracle_check_light(oracle, &oracle->blocks[oracle->tip - 1], commit->height);
}

void oracle_committed(struct oracle *oracle, uint32_t member_index, const struct oracle_commit *commit) {
    struct oracle_member *member = &oracle->members[member_index];
    if (!member->honest || (oracle->expect_fork && oracle->forked))
        return;
    oracle->checks[I4_CERTIFICATE]++;
    if (commit->certificate->height != commit->height ||
        !oracle_certificate_valid(oracle, commit->certificate))
        oracle_violation(oracle, I4_CERTIFICATE, commit->height, "%u commits without a quorum", member->node);
    if (commit->height == oracle->tip + 1) {
        first_commit(oracle, commit);
    } else if (commit->height > oracle->tip) {
        oracle_violation(oracle, I3_CHAIN, commit->height, "%u commits, and nobody %" PRIu64, member->node,
                         oracle->tip + 1);
        return;
    }
    if (commit->height > oracle->tip)
        return;
    oracle->checks[I1_AGREEMENT]++;
    const struct oracle_block *block = &oracle->blocks[commit->height - 1];
    if (!hash_equal(&block->id, &commit->certificate->block_id))
        fork_found(oracle, commit->height, &block->id, &commit->certificate->block_id);
    else if (commit->state != NULL && !oracle->broken) {
        struct hash state = hash_of("dump", commit->state, commit->state_bytes);
        oracle->checks[I13_REGISTRY]++;
        if (!hash_equal(&state, &block->state))
            oracle_violation(oracle, I13_REGISTRY, commit->height, "%u has another state", member->node);
    }
    if (commit->height > member->acked)
        member->acked = commit->height;
}

void oracle_restarted(struct oracle *oracle, uint32_t member_index, uint64_t height) {
    struct oracle_member *member = &oracle->members[member_index];
    if (!member->honest)
        return;
    oracle->checks[I7_DURABILITY]++;
    if (height < member->acked && !member->forgetful)
        oracle_violation(oracle, I7_DURABILITY, member->acked, "%u is back with height %" PRIu64,
                         member->node, height);
    member->acked = height;
}
