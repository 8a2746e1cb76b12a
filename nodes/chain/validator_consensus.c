/* validator_consensus: carries out what the engine asks for. Order of 1.8: decide, sign, make durable, send,
 * take in the own message. */
#include <string.h>

#include "nodes/chain/dissemination.h"
#include "nodes/chain/validator_state.h"

/* ---- time-outs ---- */

#define STEP_BITS 3u
#define ROUND_BITS 31u

void validator_arm_step(struct validator *validator, int64_t at_ns, uint32_t round,
                        enum consensus_step step) {
    uint64_t cookie = ((validator->committed + 1) << ROUND_BITS | round) << STEP_BITS | (uint64_t)step;
    outbox_timer(validator->out, at_ns, VALIDATOR_TIMER_STEP, cookie);
}

enum status validator_on_step_timer(struct validator *validator, uint64_t cookie) {
    uint64_t height = cookie >> (STEP_BITS + ROUND_BITS);
    uint32_t round = (uint32_t)(cookie >> STEP_BITS & ((UINT64_C(1) << ROUND_BITS) - 1));
    uint64_t mask = (UINT64_C(1) << (64 - STEP_BITS - ROUND_BITS)) - 1;
    if (height == ((validator->committed + 1) & mask))
        consensus_on_timeout(validator->consensus, validator->committed + 1, round,
                             (enum consensus_step)(cookie & ((1u << STEP_BITS) - 1)), &validator->actions);
    return STATUS_OK;
}

static void do_timeout(struct validator *validator, const struct consensus_action *action) {
    if (!validator->awake && action->step == CONSENSUS_PROPOSE && action->round == 0)
        validator->held_timeout_ns = action->delay_ns;
    else
        validator_arm_step(validator, validator->now_ns + action->delay_ns, action->round, action->step);
}

/* ---- own signatures ---- */

/* Prevotes for the valid value at the valid round, in the order of the bits. */
static void record_polka(const struct validator *validator, struct ledger_votes *votes) {
    votes->polka_bitmap = 0;
    if (votes->valid_round < 0)
        return;
    uint32_t round = (uint32_t)votes->valid_round, used = 0;
    for (uint16_t i = 0; i < validator->count; i++) {
        const struct vote *vote =
            consensus_vote_for(validator->consensus, round, VOTE_PREVOTE, &votes->valid_block_id, i);
        if (vote == NULL)
            continue;
        votes->polka_bitmap |= UINT64_C(1) << i;
        votes->polka[used++] = vote->signature;
    }
}

/* What is signed, and what it binds to, goes to disk before it goes anywhere else. */
static enum status make_durable(struct validator *validator, uint32_t round, enum vote_type step,
                                const struct proposal *proposal) {
    struct ledger_votes *votes = &validator->votes;
    votes->height = validator->committed + 1;
    votes->round = round;
    votes->step = (uint8_t)step;
    votes->signature = signature_make(validator->key, votes->sign_bytes, SIGN_BYTES);
    votes->proposal = proposal != NULL ? *proposal : (struct proposal){0};
    votes->proposal.signature = proposal != NULL ? votes->signature : (struct signature){{0}};
    votes->locked_round = consensus_locked_round(validator->consensus);
    votes->locked_block_id = consensus_locked_value(validator->consensus);
    votes->valid_round = consensus_valid_round(validator->consensus);
    votes->valid_block_id = consensus_valid_value(validator->consensus);
    record_polka(validator, votes);
    const struct proposed *kept = NULL;
    if (votes->valid_round >= 0 && !hash_equal(&votes->valid_block_id, &validator->kept_block))
        kept = validator_find_block(validator, &votes->valid_block_id);
    bool whole = kept != NULL && kept->state >= PROPOSED_VERIFYING;
    VALIDATOR_STORE(
        ledger_store_put_votes(validator->store, votes, whole ? kept->data : NULL, whole ? kept->bytes : 0));
    if (whole)
        validator->kept_block = votes->valid_block_id;
    return STATUS_OK;
}

static void send_votes(struct validator *validator, const struct message_vote *message, uint32_t to) {
    uint8_t data[2 + MESSAGE_VOTES_MAX * VOTE_BYTES];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    if (message->count == 0)
        return;
    message_encode_vote(&writer, message);
    if (to == VALIDATORS_MAX)
        validator_send_all(validator, MESSAGE_VOTE, data, writer.used, VALIDATOR_URGENT);
    else
        validator_send(validator, to, MESSAGE_VOTE, data, writer.used, VALIDATOR_URGENT);
}

void validator_send_votes(struct validator *validator, const struct message_vote *message, uint32_t to) {
    send_votes(validator, message, to);
}

void validator_send_all_votes(struct validator *validator, const struct message_vote *message) {
    send_votes(validator, message, VALIDATORS_MAX);
}

static void note_vote(struct validator *validator, const struct vote *vote) {
    int64_t *time =
        vote->type == VOTE_PREVOTE ? &validator->times.prevote_ns : &validator->times.precommit_ns;
    if (*time == VTIME_NEVER && !hash_is_zero(&vote->block_id))
        *time = validator->now_ns;
}

/* When a quorum, and when all, have prevoted for one value. */
static void note_polka(struct validator *validator, const struct vote *vote) {
    struct validator_times *times = &validator->times;
    if (vote->type != VOTE_PREVOTE || hash_is_zero(&vote->block_id))
        return;
    uint64_t voters = consensus_voted_for(validator->consensus, vote->round, VOTE_PREVOTE, &vote->block_id);
    uint32_t count = (uint32_t)__builtin_popcountll(voters);
    if (count >= validator->quorum && times->polka_ns == VTIME_NEVER)
        times->polka_ns = validator->now_ns;
    if (count == validator->count && times->all_ns == VTIME_NEVER)
        times->all_ns = validator->now_ns;
}

static void take_in_vote(struct validator *validator, const struct vote *vote) {
    consensus_on_vote(validator->consensus, vote, &validator->actions);
    note_polka(validator, vote);
}

/* What the engine asks for, or nil, which is always safe, for a proposal that is not timely. */
static struct hash value_to_vote(struct validator *validator, const struct consensus_action *action) {
    bool prevote = action->type == VOTE_PREVOTE && !hash_is_zero(&action->value);
    struct hash nil = {0};
    return !prevote || validator_finds_timely(validator, action->round, &action->value) ? action->value : nil;
}

static enum status do_vote(struct validator *validator, const struct consensus_action *action) {
    struct message_vote message = {.count = 1};
    struct vote *vote = &message.votes[0];
    *vote = (struct vote){.type = action->type,
                          .height = validator->committed + 1,
                          .round = action->round,
                          .validator = validator->self,
                          .block_id = value_to_vote(validator, action)};
    vote_sign_bytes(&validator->genesis->chain_id, vote, validator->votes.sign_bytes);
    TRY(make_durable(validator, action->round, action->type, NULL));
    vote->signature = validator->votes.signature;
    validator_wake(validator);
    validator_send_all_votes(validator, &message);
    note_vote(validator, vote);
    take_in_vote(validator, vote);
    return STATUS_OK;
}

enum status validator_cast_proposal(struct validator *validator, struct proposal *proposal) {
    struct message_proposal message;
    uint8_t data[1 + PROPOSAL_BYTES];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    proposal_sign_bytes(&validator->genesis->chain_id, proposal, validator->votes.sign_bytes);
    TRY(make_durable(validator, proposal->round, VOTE_PROPOSAL, proposal));
    proposal->signature = validator->votes.signature;
    message.proposal = *proposal;
    message_encode_proposal(&writer, &message);
    validator_wake(validator);
    if (validator->times.propose_ns == VTIME_NEVER)
        validator->times.propose_ns = validator->now_ns;
    struct proposed *block = validator_open_block(validator, proposal);
    validator_note_receipt(validator, proposal);
    if (proposal->valid_round < 0)
        validator_spread(validator, proposal, data, writer.used, block);
    else
        validator_send_all(validator, MESSAGE_PROPOSAL, data, writer.used, VALIDATOR_PROMPT);
    validator->own = *proposal;
    outbox_timer(validator->out, validator->now_ns, VALIDATOR_TIMER_OWN, proposal->height);
    return STATUS_OK;
}

/* What is sent leaves when a handler returns. The own prevote comes in the next one, so that nobody waits for
 * the proposal while it is being made durable. */
enum status validator_on_own_proposal(struct validator *validator, uint64_t height) {
    const struct proposal *own = &validator->own;
    if (height != validator->committed + 1 || own->height != height)
        return STATUS_OK;
    const struct proposed *block = validator_find_block(validator, &own->block_id);
    consensus_on_proposal(validator->consensus, own, &validator->actions);
    if (block != NULL && block->state == PROPOSED_VALID)
        consensus_on_value(validator->consensus, &own->block_id, true, &validator->actions);
    return STATUS_OK;
}

/* Others may have its block: it is pulled like that of anybody. */
enum status validator_repeat_proposal(struct validator *validator, const struct proposal *proposal) {
    struct message_proposal message = {.proposal = *proposal};
    uint8_t data[1 + PROPOSAL_BYTES];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_proposal(&writer, &message);
    validator_send_all(validator, MESSAGE_PROPOSAL, data, writer.used, VALIDATOR_PROMPT);
    validator_note_receipt(validator, proposal);
    consensus_on_proposal(validator->consensus, proposal, &validator->actions);
    validator_follow_proposal(validator, proposal->round);
    return STATUS_OK;
}

/* ---- proposing ---- */

void validator_gather_votes(const struct validator *validator, uint32_t round, enum vote_type type,
                            uint64_t wanted, struct message_vote *message) {
    const struct vote_set *votes = consensus_votes(validator->consensus, round, type);
    for (uint32_t i = 0; votes != NULL && i < validator->count; i++)
        if ((votes->seen & wanted) >> i & 1 && message->count < MESSAGE_VOTES_MAX)
            message->votes[message->count++] = votes->first[i];
}

void validator_gather_polka(const struct validator *validator, uint32_t round, const struct hash *value,
                            uint64_t wanted, struct message_vote *message) {
    for (uint16_t i = 0; i < validator->count && message->count < MESSAGE_VOTES_MAX; i++) {
        const struct vote *vote =
            wanted >> i & 1 ? consensus_vote_for(validator->consensus, round, VOTE_PREVOTE, value, i) : NULL;
        if (vote != NULL)
            message->votes[message->count++] = *vote;
    }
}

/* The value of a polka again, to everybody at once: most have the block. Then the polka, which one that has
 * forgotten its round has no place for before it knows the proposal. */
static enum status propose_again(struct validator *validator, const struct consensus_action *action) {
    const struct proposed *block = validator_find_block(validator, &action->value);
    if (block == NULL || block->state < PROPOSED_VERIFYING)
        return STATUS_OK; /* cannot be: what had a polka here was whole here. The time-out helps. */
    struct message_vote polka = {.count = 0};
    validator_gather_polka(validator, (uint32_t)action->valid_round, &action->value, UINT64_MAX, &polka);
    struct proposal proposal = {.height = validator->committed + 1,
                                .round = action->round,
                                .valid_round = action->valid_round,
                                .proposer = validator->self,
                                .block_id = action->value,
                                .parts_root = block->parts_root,
                                .part_count = block->part_count,
                                .block_bytes = block->bytes};
    TRY(validator_cast_proposal(validator, &proposal));
    validator_send_all_votes(validator, &polka);
    return STATUS_OK;
}

static enum status do_propose(struct validator *validator, const struct consensus_action *action) {
    if (action->round != consensus_round(validator->consensus) ||
        consensus_step_now(validator->consensus) != CONSENSUS_PROPOSE)
        return STATUS_OK; /* the engine went on meanwhile */
    if (!hash_is_zero(&action->value))
        return propose_again(validator, action);
    validator->proposing = true;
    validator->propose_round = action->round;
    if (action->round == 0 && validator->now_ns < validator->ready_ns)
        outbox_timer(validator->out, validator->ready_ns, VALIDATOR_TIMER_READY, validator->committed + 1);
    return validator_try_propose(validator);
}

/* ---- all of them ---- */

static enum status carry_out_one(struct validator *validator, const struct consensus_action *action) {
    switch (action->kind) {
    case CONSENSUS_DO_PROPOSE:
        return do_propose(validator, action);
    case CONSENSUS_DO_VOTE:
        return do_vote(validator, action);
    case CONSENSUS_DO_TIMEOUT:
        do_timeout(validator, action);
        break;
    case CONSENSUS_DO_NEED_VALUE:
        return validator_need_block(validator, action->round, &action->value);
    case CONSENSUS_DO_COMMIT:
        validator->decided = true;
        validator->decided_value = action->value;
        break;
    case CONSENSUS_DO_EVIDENCE:
        validator_accuse(validator, &action->evidence);
        break;
    case CONSENSUS_DO_ROUND:
        if (action->round > 0) {
            validator_wake(validator);
            validator->status_due = true;
        }
        validator_follow_proposal(validator, action->round);
        break;
    }
    return STATUS_OK;
}

enum status validator_carry_out(struct validator *validator) {
    struct consensus_actions *actions = &validator->actions;
    while (validator->action_next < actions->count) {
        struct consensus_action action = actions->items[validator->action_next++];
        if (validator->action_next == actions->count)
            validator->action_next = actions->count = 0;
        TRY(carry_out_one(validator, &action));
    }
    return STATUS_OK;
}

/* ---- votes of others ---- */

static enum status take_vote(struct validator *validator, const struct vote *vote) {
    if (vote->height <= validator->committed) {
        validator_late_vote(validator, vote);
        return STATUS_OK;
    }
    if (!vote_valid(validator->genesis, vote))
        return STATUS_INVALID;
    validator_wake(validator);
    take_in_vote(validator, vote);
    return STATUS_OK;
}

/* What a batch of votes brings about is carried out from time to time: each may begin a round. */
#define ACTIONS_WAITING_MAX (CONSENSUS_ACTIONS_MAX / 4)

/* All votes of a message are of one height. The engine may decide in the middle of them: the rest is of a
 * height that is over then, or of the rounds of this one, where it does no harm. Whoever sends a vote has
 * verified it: after one that does not hold nothing of the message is worth looking at. */
enum status validator_feed_vote(struct validator *validator, uint32_t from, const uint8_t *payload,
                                size_t bytes) {
    struct message_vote message;
    TRY(message_decode_vote(payload, bytes, &message));
    uint64_t height = message.votes[0].height;
    for (uint32_t i = 1; i < message.count; i++)
        if (message.votes[i].height != height)
            return STATUS_INVALID;
    if (height > validator->committed + 1) {
        validator_keep(validator, from, MESSAGE_VOTE, height, payload, bytes);
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < message.count; i++) {
        TRY(take_vote(validator, &message.votes[i]));
        if (validator->actions.count >= ACTIONS_WAITING_MAX)
            TRY(validator_carry_out(validator));
    }
    return STATUS_OK;
}
