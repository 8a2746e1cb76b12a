/* validator_status: what this validator holds, told to all; and what a peer that told the same lacks, sent.
 *
 * The proof of the protocol assumes that votes arrive eventually; links lose messages; so everything that may
 * matter is sent again to whoever shows that it lacks it: the votes of its round, the last own vote to those
 * in an earlier round, the polka that its proposal refers to, the proposal, parts, the certificate of a
 * height that is decided. The author of a vote always does so; of the rest of the peers some take turns. */
#include <string.h>

#include "nodes/chain/validator_state.h"

#define HELPERS 3u /* peers that answer a STATUS in full, in turn */
#define SOFTWARE_VERSION 1u
#define SCANS_PER_BEACON 2u

/* ---- telling ---- */

/* The block that is being waited for, else that of the round. */
static const struct proposed *block_to_tell(struct validator *validator) {
    for (uint32_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++)
        if (validator->blocks[i].wanted && validator->blocks[i].state <= PROPOSED_PARTIAL &&
            validator->blocks[i].state != PROPOSED_FREE)
            return &validator->blocks[i];
    const struct proposal *now =
        consensus_proposal(validator->consensus, consensus_round(validator->consensus));
    return now != NULL ? validator_find_block(validator, &now->block_id) : NULL;
}

static struct message_status describe(struct validator *validator) {
    const struct consensus *consensus = validator->consensus;
    uint32_t round = consensus_round(consensus);
    struct message_status status = {.height = validator->committed + 1,
                                    .round = round,
                                    .step = (uint8_t)consensus_step_now(consensus),
                                    .locked_round = consensus_locked_round(consensus),
                                    .valid_round = consensus_valid_round(consensus),
                                    .committed = validator->committed,
                                    .nonce = validator->ask_nonce + validator->beacon,
                                    .prevotes = consensus_voted(consensus, round, VOTE_PREVOTE),
                                    .precommits = consensus_voted(consensus, round, VOTE_PRECOMMIT)};
    struct consensus_polka_wanted wanted;
    const struct proposed *block = block_to_tell(validator);
    if (consensus_proposal(consensus, round) != NULL)
        status.flags |= MESSAGE_STATUS_PROPOSAL;
    if (validator->amnesia)
        status.flags |= MESSAGE_STATUS_ASKS;
    if (block != NULL) {
        status.block_id = block->id;
        status.parts = block->held;
    }
    if (consensus_wants_polka(consensus, &wanted)) {
        status.valid_round = (int32_t)wanted.round;
        status.valid_prevotes = wanted.held;
        status.block_id = wanted.value;
    } else if (status.valid_round >= 0) {
        status.valid_prevotes = consensus_voted(consensus, (uint32_t)status.valid_round, VOTE_PREVOTE);
    }
    return status;
}

static void send_to(struct validator *validator, uint32_t to, const struct message_status *status) {
    struct bytes_writer writer = outbox_reserve(validator->out, message_info(MESSAGE_STATUS)->bytes_max);
    if (writer.data == NULL || to == validator->self || !validator->peers[to].linked)
        return;
    message_encode_status(&writer, status);
    outbox_send_reserved(validator->out, validator->nodes[to], MESSAGE_STATUS, &writer, 0, VALIDATOR_PROMPT);
}

void validator_send_status(struct validator *validator) {
    struct message_status status = describe(validator);
    for (uint32_t i = 0; i < validator->count; i++)
        send_to(validator, i, &status);
}

void validator_send_hello(struct validator *validator) {
    struct message_hello hello = {.chain_id = validator->genesis->chain_id,
                                  .validators_hash = validator->genesis->validators_hash,
                                  .params_hash = validator->genesis->params_hash,
                                  .validator = validator->self,
                                  .software = SOFTWARE_VERSION,
                                  .height = validator->committed};
    uint8_t signed_bytes[MESSAGE_HELLO_SIGN_BYTES], data[256];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_hello_sign_bytes(&hello, signed_bytes);
    hello.signature = signature_make(validator->key, signed_bytes, sizeof signed_bytes);
    message_encode_hello(&writer, &hello);
    validator_send_all(validator, MESSAGE_HELLO, data, writer.used, VALIDATOR_PROMPT);
}

/* ---- the beacon ---- */

/* What a peer may ask for until the next one: a block and a half. */
static void renew_credit(struct validator *validator) {
    for (uint32_t i = 0; i < validator->count; i++)
        validator->peers[i].credit =
            validator->block_bytes_max + validator->block_bytes_max / 2 + PART_BYTES_MAX;
    validator->scans = SCANS_PER_BEACON;
}

enum status validator_on_beacon(struct validator *validator) {
    validator->beacon++;
    renew_credit(validator);
    validator_send_status(validator);
    if (validator->beacon_committed == validator->committed)
        validator_gossip_again(validator);
    validator->beacon_committed = validator->committed;
    validator->own_due = true;
    TRY(validator_give_up_models(validator));
    outbox_timer(validator->out, validator->now_ns + validator->rules->status_interval_ns,
                 VALIDATOR_TIMER_STATUS, 0);
    return STATUS_OK;
}

/* ---- answering ---- */

/* Is it this validator's turn to help peer `from` at its beacon number `turn`? */
static bool is_helper(const struct validator *validator, uint32_t from, uint64_t turn) {
    uint32_t others = validator->count - 1;
    uint32_t place = (validator->self + validator->count - from - 1) % validator->count;
    return (place + others - (uint32_t)(turn % others)) % others < HELPERS;
}

static void send_tip_certificate(struct validator *validator, uint32_t to) {
    struct message_commit_cert message = {.certificate = validator->tip_certificate};
    uint8_t data[1 + CERTIFICATE_BYTES_MAX];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_commit_cert(&writer, &message);
    validator_send(validator, to, MESSAGE_COMMIT_CERT, data, writer.used, VALIDATOR_PROMPT);
}

/* The own vote of the latest round and step at this height. */
static void gather_own(const struct validator *validator, struct message_vote *message) {
    uint32_t round = consensus_round(validator->consensus), count = message->count;
    uint64_t own = UINT64_C(1) << validator->self;
    validator_gather_votes(validator, round, VOTE_PRECOMMIT, own, message);
    if (message->count == count)
        validator_gather_votes(validator, round, VOTE_PREVOTE, own, message);
    if (message->count == count &&
        round > 0) /* signed nothing in this round yet: the one before shows that */
        validator_gather_votes(validator, round - 1, VOTE_PRECOMMIT, own, message);
}

static void help_with_votes(struct validator *validator, uint32_t from, const struct message_status *status,
                            bool helper) {
    struct message_vote votes = {.count = 0};
    uint64_t who = helper ? UINT64_MAX : UINT64_C(1) << validator->self;
    validator_gather_votes(validator, status->round, VOTE_PREVOTE, who & ~status->prevotes, &votes);
    validator_gather_votes(validator, status->round, VOTE_PRECOMMIT, who & ~status->precommits, &votes);
    if (status->round < consensus_round(validator->consensus))
        gather_own(validator, &votes);
    validator_send_votes(validator, &votes, from);
    votes.count = 0;
    /* block_id is the value of the polka that the peer waits for */
    if (status->valid_round >= 0 && helper)
        validator_gather_polka(validator, (uint32_t)status->valid_round, &status->block_id,
                               ~status->valid_prevotes, &votes);
    validator_send_votes(validator, &votes, from);
}

static void send_proposal(struct validator *validator, const struct proposal *proposal, uint32_t to) {
    struct message_proposal message = {.proposal = *proposal};
    uint8_t data[1 + PROPOSAL_BYTES];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_proposal(&writer, &message);
    validator_send(validator, to, MESSAGE_PROPOSAL, data, writer.used, VALIDATOR_PROMPT);
}

static void help_with_block(struct validator *validator, uint32_t from, const struct message_status *status) {
    const struct proposal *proposal = consensus_proposal(validator->consensus, status->round);
    if ((status->flags & MESSAGE_STATUS_PROPOSAL) == 0 && proposal != NULL) {
        send_proposal(validator, proposal, from); /* it asks for the parts when it has this */
        return;
    }
    const struct proposed *block = validator_find_block(validator, &status->block_id);
    struct message_parts wanted = {.count = status->parts.count};
    if (block == NULL || status->parts.count != block->part_count)
        return;
    for (uint32_t i = 0; i < wanted.count; i++)
        if (!message_parts_has(&status->parts, i))
            message_parts_add(&wanted, i);
    validator_send_block(validator, from, block, &wanted);
}

static void answer_question(struct validator *validator, uint32_t to, uint64_t nonce) {
    struct message_status status = describe(validator);
    if (!validator_may_sign(validator))
        return; /* what it once knew is what is asked for: votes, or blocks below its own last vote */
    status.flags |= MESSAGE_STATUS_ANSWERS;
    status.nonce = nonce;
    if (validator->committed > 0) {
        status.flags |= MESSAGE_STATUS_PROVEN;
        status.certificate = validator->tip_certificate;
    }
    send_to(validator, to, &status);
}

/* A peer that is one height ahead for no longer than a beacon is only quicker: what it has comes by itself.
 */
static void hear_height(struct validator *validator, uint32_t from, uint64_t committed) {
    bool stuck = validator->beacon_committed == validator->committed;
    if (committed > validator->committed + 1 || (committed > validator->committed && stuck))
        catch_up_heard(&validator->catch_up, (uint16_t)from, committed, validator->now_ns, validator->out);
}

enum status validator_on_status(struct validator *validator, uint32_t from, const uint8_t *payload,
                                size_t bytes) {
    struct message_status status;
    TRY(message_decode_status(payload, bytes, &status));
    if (status.flags & MESSAGE_STATUS_ASKS)
        answer_question(validator, from, status.nonce);
    if (status.flags & MESSAGE_STATUS_ANSWERS)
        TRY(validator_on_claim(validator, from, &status));
    hear_height(validator, from, status.committed);
    if (status.height == validator->committed && validator->committed > 0)
        send_tip_certificate(validator, from);
    if (status.height != validator->committed + 1)
        return STATUS_OK;
    bool helper = is_helper(validator, from, status.nonce);
    help_with_votes(validator, from, &status, helper);
    if (helper)
        help_with_block(validator, from, &status);
    return STATUS_OK;
}

/* ---- WANT ---- */

static void send_last_block(struct validator *validator, uint32_t to, const struct message_want *want) {
    if (validator->last_block == NULL || !hash_equal(&want->block_id, &validator->tip_id))
        return;
    if (want->flags & MESSAGE_WANT_PROPOSAL && validator->last_proposal.height == want->height)
        send_proposal(validator, &validator->last_proposal, to);
    struct validator_parts parts = {.data = validator->last_block, .bytes = validator->last_block_bytes};
    parts.count = block_part_count(parts.bytes);
    parts.leaves = validator_last_leaves(validator);
    if (want->flags & MESSAGE_WANT_PARTS && parts.leaves != NULL)
        validator_send_parts(validator, to, &parts, want->height, want->round, &want->parts);
}

static void send_wanted(struct validator *validator, uint32_t to, const struct message_want *want) {
    const struct proposed *block = validator_find_block(validator, &want->block_id);
    struct message_vote votes = {.count = 0};
    if (want->flags & MESSAGE_WANT_PROPOSAL && block != NULL && block->has_proposal)
        send_proposal(validator, &block->proposal, to);
    if (want->flags & MESSAGE_WANT_PARTS && block != NULL)
        validator_send_block(validator, to, block, &want->parts);
    if (want->flags & MESSAGE_WANT_VOTES) {
        validator_gather_votes(validator, want->round, VOTE_PREVOTE, ~want->prevotes, &votes);
        validator_gather_votes(validator, want->round, VOTE_PRECOMMIT, ~want->precommits, &votes);
        validator_send_votes(validator, &votes, to);
    }
}

enum status validator_on_want(struct validator *validator, uint32_t from, const uint8_t *payload,
                              size_t bytes) {
    struct message_want want;
    TRY(message_decode_want(payload, bytes, &want));
    if (want.height == validator->committed + 1)
        send_wanted(validator, from, &want);
    else if (want.height == validator->committed && want.height > 0)
        send_last_block(validator, from, &want);
    else
        validator->drops.stale++;
    return STATUS_OK;
}

enum status validator_on_hello(struct validator *validator, uint32_t from, const uint8_t *payload,
                               size_t bytes) {
    struct message_hello hello;
    uint8_t signed_bytes[MESSAGE_HELLO_SIGN_BYTES];
    TRY(message_decode_hello(payload, bytes, &hello));
    message_hello_sign_bytes(&hello, signed_bytes);
    if (hello.validator != from || !hash_equal(&hello.chain_id, &validator->genesis->chain_id) ||
        !signature_valid(&hello.signature, &validator->genesis->validators[from], signed_bytes,
                         sizeof signed_bytes)) {
        validator->drops.foreign++;
        return STATUS_INVALID;
    }
    hear_height(validator, from, hello.height);
    struct message_status status = describe(validator);
    send_to(validator, from, &status);
    return STATUS_OK;
}
