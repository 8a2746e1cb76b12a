/* validator_blocks: proposals of the height and the parts of their blocks.
 *
 * A block is looked after under (id, parts_root): a proposer that signs the id of one block over the parts of
 * another harms nobody but itself. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "nodes/chain/dissemination.h"
#include "nodes/chain/validator_state.h"

#define SPREAD_BYTES_MAX (OUTBOX_BYTES_MAX / 2)
#define PULLS_MAX 64u   /* then the next STATUS brings what is missing */
#define PULL_FRACTION 4 /* of T0: how long parts may take before they are asked for */
#define PROPOSAL_ROUNDS_AHEAD 1u
#define PROPOSALS_PASSED_ON 2u /* of one proposer and round */

/* ---- places ---- */

void validator_drop_block(struct proposed *block) {
    block_close(&block->block);
    ledger_state_close(&block->next);
    free(block->data);
    free(block->leaves);
    *block = (struct proposed){.state = PROPOSED_FREE};
}

void validator_drop_blocks(struct validator *validator) {
    for (uint32_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++)
        validator_drop_block(&validator->blocks[i]);
}

/* The one that is best known, of several under one id. */
struct proposed *validator_find_block(struct validator *validator, const struct hash *id) {
    struct proposed *best = NULL;
    for (uint32_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++) {
        struct proposed *block = &validator->blocks[i];
        bool usable = block->state != PROPOSED_FREE && block->state != PROPOSED_INVALID;
        if (usable && hash_equal(&block->id, id) && (best == NULL || block->state > best->state))
            best = block;
    }
    return best;
}

static struct proposed *find_serial(struct validator *validator, uint64_t serial) {
    for (uint32_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++)
        if (validator->blocks[i].state != PROPOSED_FREE && validator->blocks[i].serial == serial)
            return &validator->blocks[i];
    return NULL;
}

struct proposed *validator_block_of_serial(struct validator *validator, uint64_t serial) {
    return find_serial(validator, serial);
}

/* Locked and valid values and the proposal of the round stay, and what a quorum asked for, as long as there
 * is other room: it is asked for again when the next round begins. */
static bool is_bound(const struct validator *validator, const struct proposed *block) {
    const struct consensus *consensus = validator->consensus;
    struct hash locked = consensus_locked_value(consensus), valid = consensus_valid_value(consensus);
    const struct proposal *now = consensus_proposal(consensus, consensus_round(consensus));
    bool decided = consensus_step_now(consensus) == CONSENSUS_DECIDED; /* for one that is valid */
    return (decided && block->state == PROPOSED_VALID) || hash_equal(&block->id, &locked) ||
           hash_equal(&block->id, &valid) ||
           (now != NULL && hash_equal(&block->id, &now->block_id) &&
            hash_equal(&block->parts_root, &now->parts_root));
}

static bool goes_before(const struct proposed *a, const struct proposed *b) {
    return a->wanted != b->wanted ? b->wanted : a->serial < b->serial;
}

/* An empty place, or that of the block that was proposed longest ago and is of least use now. */
static struct proposed *take_place(struct validator *validator) {
    struct proposed *oldest = NULL;
    for (uint32_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++) {
        struct proposed *block = &validator->blocks[i];
        if (block->state == PROPOSED_FREE) {
            oldest = block;
            break;
        }
        if (!is_bound(validator, block) && (oldest == NULL || goes_before(block, oldest)))
            oldest = block;
    }
    if (oldest == NULL) {
        validator->drops.crowded++;
        return NULL;
    }
    validator_drop_block(oldest);
    oldest->serial = ++validator->serial;
    return oldest;
}

static bool make_room(struct proposed *block, size_t bytes, uint32_t parts) {
    block->data = malloc(bytes);
    block->leaves = malloc(parts * sizeof *block->leaves);
    return block->data != NULL && block->leaves != NULL;
}

static void name_block(struct proposed *block, const struct proposal *proposal) {
    block->proposal = *proposal;
    block->id = proposal->block_id;
    block->parts_root = proposal->parts_root;
    block->part_count = proposal->part_count;
    block->bytes = (size_t)proposal->block_bytes;
}

static struct proposed *place_of(struct validator *validator, const struct proposal *proposal) {
    for (uint32_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++) {
        struct proposed *block = &validator->blocks[i];
        if (block->state == PROPOSED_FREE || !hash_equal(&block->id, &proposal->block_id))
            continue;
        if (block->state == PROPOSED_WANTED || hash_equal(&block->parts_root, &proposal->parts_root))
            return block;
    }
    return take_place(validator);
}

struct proposed *validator_open_block(struct validator *validator, const struct proposal *proposal) {
    if (proposal->block_bytes > validator->block_bytes_max || proposal->part_count > MESSAGE_PARTS_MAX)
        return NULL;
    struct proposed *block = place_of(validator, proposal);
    if (block == NULL)
        return NULL;
    if (block->state == PROPOSED_FREE || block->state == PROPOSED_WANTED) {
        if (!make_room(block, (size_t)proposal->block_bytes, proposal->part_count)) {
            validator_drop_block(block);
            return NULL;
        }
        block->state = PROPOSED_PARTIAL;
        block->held.count = (uint16_t)proposal->part_count;
    } else if (block->has_proposal && proposal->round < block->proposal.round) {
        return block;
    }
    name_block(block, proposal);
    block->has_proposal = true;
    return block;
}

struct proposed *validator_place_block(struct validator *validator, uint8_t *data, size_t bytes,
                                       const struct hash *id) {
    uint32_t parts = block_part_count(bytes);
    struct proposed *block = bytes <= validator->block_bytes_max ? take_place(validator) : NULL;
    struct hash *leaves = block != NULL ? malloc(parts * sizeof *leaves) : NULL;
    if (leaves == NULL) {
        free(data);
        return NULL;
    }
    block->id = *id;
    block->data = data;
    block->bytes = bytes;
    block->leaves = leaves;
    block->parts_root = block_part_leaves(data, bytes, leaves);
    block->part_count = block->held_count = parts;
    block->held.count = (uint16_t)parts;
    for (uint32_t i = 0; i < parts; i++)
        message_parts_add(&block->held, i);
    block->state = PROPOSED_VERIFYING;
    return block;
}

/* ---- asking ---- */

static void send_want(struct validator *validator, const struct proposed *block, uint32_t to) {
    struct message_want want = {.flags = MESSAGE_WANT_PROPOSAL | MESSAGE_WANT_PARTS,
                                .height = validator->committed + 1,
                                .round = block->proposal.round,
                                .block_id = block->id};
    if (block->state == PROPOSED_PARTIAL) {
        want.flags = MESSAGE_WANT_PARTS;
        want.parts.count = (uint16_t)block->part_count;
        for (uint32_t i = 0; i < block->part_count; i++)
            if (!message_parts_has(&block->held, i))
                message_parts_add(&want.parts, i);
    }
    uint8_t data[256];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_want(&writer, &want);
    validator_send(validator, to, MESSAGE_WANT, data, writer.used, VALIDATOR_PROMPT);
}

/* Those who voted for it have it, or say so; else its proposer, then everybody in turn. */
static uint32_t whom_to_ask(const struct validator *validator, const struct proposed *block) {
    uint64_t voters =
        consensus_voted_for(validator->consensus, block->proposal.round, VOTE_PREVOTE, &block->id) |
        consensus_voted_for(validator->consensus, block->proposal.round, VOTE_PRECOMMIT, &block->id);
    voters &= ~(UINT64_C(1) << validator->self);
    uint32_t first = block->has_proposal ? block->proposal.proposer : validator->self;
    if (voters == 0)
        return (first + block->pulls) % validator->count;
    for (uint32_t i = 0; i < validator->count; i++) {
        uint32_t index = (first + block->pulls + i) % validator->count;
        if (voters >> index & 1)
            return index;
    }
    return first;
}

static void pull(struct validator *validator, struct proposed *block) {
    if (block->pulls >= PULLS_MAX)
        return;
    uint32_t to = whom_to_ask(validator, block);
    block->pulls++;
    if (to == validator->self)
        to = whom_to_ask(validator, block);
    send_want(validator, block, to);
}

static void arm_pull(struct validator *validator, const struct proposed *block) {
    outbox_timer(validator->out, validator->now_ns + validator->rules->timeout_ns / PULL_FRACTION,
                 VALIDATOR_TIMER_PULL, block->serial);
}

enum status validator_on_pull_timer(struct validator *validator, uint64_t serial) {
    struct proposed *block = find_serial(validator, serial);
    if (block == NULL || (block->state != PROPOSED_PARTIAL && block->state != PROPOSED_WANTED))
        return STATUS_OK;
    pull(validator, block);
    if (block->pulls < PULLS_MAX)
        arm_pull(validator, block);
    return STATUS_OK;
}

enum status validator_need_block(struct validator *validator, uint32_t round, const struct hash *id) {
    struct proposed *block = validator_find_block(validator, id);
    if (block != NULL && block->state == PROPOSED_BLOBLESS)
        return validator_accept_blobless(validator, block, round);
    if (block != NULL && block->state >= PROPOSED_VERIFYING)
        return STATUS_OK;
    if (block == NULL) {
        block = take_place(validator);
        if (block == NULL)
            return STATUS_OK;
        block->state = PROPOSED_WANTED;
        block->id = *id;
        block->proposal.round = round;
        arm_pull(validator, block);
    }
    block->wanted = true;
    pull(validator, block);
    return STATUS_OK;
}

/* ---- passing on ---- */

static void pass_on(struct validator *validator, uint16_t root, enum message_type type,
                    const uint8_t *payload, size_t bytes, uint32_t urgency) {
    uint16_t children[DISSEMINATION_CHILDREN_MAX];
    uint32_t count =
        dissemination_children(validator->count, validator->committed + 1, root, validator->self, children);
    for (uint32_t i = 0; i < count; i++)
        validator_send(validator, children[i], type, payload, bytes, urgency);
}

/* Encodes part `index` of a whole block. `data` has room for a message; returns its size. */
static size_t encode_part(uint64_t height, uint32_t round, const struct validator_parts *parts,
                          uint32_t index, uint8_t *data, size_t capacity) {
    struct message_block_part message = {
        .height = height, .round = round, .index = index, .count = parts->count};
    size_t begin = (size_t)index * PART_BYTES_MAX, left = parts->bytes - begin;
    struct hash path[MERKLE_PATH_MAX];
    message.length = merkle_inclusion(parts->leaves, parts->count, index, path);
    assert(message.length <= MESSAGE_PATH_MAX);
    memcpy(message.path, path, message.length * sizeof *path);
    message.data = parts->data + begin;
    message.bytes = (uint32_t)(left < PART_BYTES_MAX ? left : PART_BYTES_MAX);
    struct bytes_writer writer = bytes_writer_over(data, capacity);
    message_encode_block_part(&writer, &message);
    assert(!writer.failed);
    return writer.used;
}

#define PART_MESSAGE_BYTES ((size_t)PART_BYTES_MAX + 512)

static struct validator_parts parts_of(const struct proposed *block) {
    return (struct validator_parts){block->data, block->bytes, block->leaves, block->part_count};
}

void validator_spread(struct validator *validator, const struct proposal *proposal, const uint8_t *payload,
                      size_t bytes, const struct proposed *block) {
    pass_on(validator, validator->self, MESSAGE_PROPOSAL, payload, bytes, VALIDATOR_PROMPT);
    uint8_t *data = block != NULL ? malloc(PART_MESSAGE_BYTES) : NULL;
    for (uint32_t i = 0; data != NULL && i < block->part_count; i++) {
        struct validator_parts parts = parts_of(block);
        if (validator->out->bytes_used > SPREAD_BYTES_MAX)
            break; /* the rest is asked for */
        size_t size = encode_part(proposal->height, proposal->round, &parts, i, data, PART_MESSAGE_BYTES);
        pass_on(validator, validator->self, MESSAGE_BLOCK_PART, data, size, VALIDATOR_ORDINARY);
    }
    free(data);
}

/* A peer gets what it asks for as long as its credit lasts. */
void validator_send_parts(struct validator *validator, uint32_t to, const struct validator_parts *parts,
                          uint64_t height, uint32_t round, const struct message_parts *wanted) {
    uint8_t *data = malloc(PART_MESSAGE_BYTES);
    for (uint32_t i = 0; data != NULL && i < parts->count; i++) {
        if (wanted->count != 0 && !message_parts_has(wanted, i))
            continue;
        size_t size = encode_part(height, round, parts, i, data, PART_MESSAGE_BYTES);
        if (size > validator->peers[to].credit) {
            validator->drops.crowded++;
            break;
        }
        validator->peers[to].credit -= size;
        validator_send(validator, to, MESSAGE_BLOCK_PART, data, size, VALIDATOR_ORDINARY);
    }
    free(data);
}

void validator_send_block(struct validator *validator, uint32_t to, const struct proposed *block,
                          const struct message_parts *wanted) {
    if (block->state < PROPOSED_VERIFYING || block->state == PROPOSED_INVALID)
        return;
    struct validator_parts parts = parts_of(block);
    validator_send_parts(validator, to, &parts, validator->committed + 1, block->proposal.round, wanted);
}

const struct hash *validator_last_leaves(struct validator *validator) {
    if (validator->last_leaves == NULL && validator->last_block != NULL) {
        uint32_t count = block_part_count(validator->last_block_bytes);
        validator->last_leaves = malloc(count * sizeof *validator->last_leaves);
        if (validator->last_leaves != NULL)
            (void)block_part_leaves(validator->last_block, validator->last_block_bytes,
                                    validator->last_leaves);
    }
    return validator->last_leaves;
}

/* ---- proposals ---- */

/* The block that the accepted proposal of a round is about. */
static void follow(struct validator *validator, const struct proposal *proposal) {
    struct proposed *block = validator_open_block(validator, proposal);
    if (block == NULL)
        return;
    if (block->state == PROPOSED_VALID)
        consensus_on_value(validator->consensus, &block->id, true, &validator->actions);
    if (block->state != PROPOSED_PARTIAL || block->followed)
        return;
    block->followed = true;
    arm_pull(validator, block);
    if (proposal->valid_round >= 0 || block->wanted) /* no parts come by themselves */
        pull(validator, block);
}

void validator_follow_proposal(struct validator *validator, uint32_t round) {
    const struct proposal *held = consensus_proposal(validator->consensus, round);
    if (held == NULL || round != consensus_round(validator->consensus))
        return;
    struct proposal proposal = *held;
    follow(validator, &proposal);
}

/* Is this what the engine holds for its round, or may come to hold, or what a quorum asked for? */
static bool worth_following(struct validator *validator, const struct proposal *proposal) {
    const struct proposed *block = validator_find_block(validator, &proposal->block_id);
    if (block != NULL && block->wanted)
        return true;
    const struct proposal *held = consensus_proposal(validator->consensus, proposal->round);
    uint32_t round = consensus_round(validator->consensus);
    if (held != NULL)
        return proposal->round == round && hash_equal(&held->block_id, &proposal->block_id) &&
               hash_equal(&held->parts_root, &proposal->parts_root);
    return proposal->round > round && proposal->round <= round + PROPOSAL_ROUNDS_AHEAD;
}

static bool is_held(const struct validator *validator, const struct proposal *proposal) {
    const struct proposal *held = consensus_proposal(validator->consensus, proposal->round);
    return held != NULL && memcmp(&held->signature, &proposal->signature, sizeof held->signature) == 0 &&
           hash_equal(&held->block_id, &proposal->block_id);
}

/* One, and another that shows it to be false; a liar has no more than that carried through the tree. */
static bool may_pass_on(struct validator *validator, const struct proposal *proposal) {
    struct validator_receipt *receipt = &validator->receipts[proposal->proposer];
    bool far = proposal->round > consensus_round(validator->consensus) + PROPOSAL_ROUNDS_AHEAD;
    if (far || proposal->proposer == validator->self || proposal->round < receipt->passed_round)
        return false;
    if (proposal->round > receipt->passed_round)
        receipt->passed = 0;
    receipt->passed_round = proposal->round;
    return receipt->passed++ < PROPOSALS_PASSED_ON;
}

enum status validator_feed_proposal(struct validator *validator, uint32_t from, const uint8_t *payload,
                                    size_t bytes) {
    struct message_proposal message;
    const struct proposal *proposal = &message.proposal;
    TRY(message_decode_proposal(payload, bytes, &message));
    if (proposal->height > validator->committed + 1) {
        validator_keep(validator, from, MESSAGE_PROPOSAL, proposal->height, payload, bytes);
        return STATUS_OK;
    }
    if (proposal->height <= validator->committed) {
        validator_late_proposal(validator, proposal);
        return STATUS_OK;
    }
    if (proposal->proposer != consensus_proposer(validator->consensus, proposal->round) ||
        !proposal_valid(validator->genesis, proposal))
        return STATUS_INVALID;
    validator_wake(validator);
    bool known = is_held(validator, proposal);
    validator_note_receipt(validator, proposal);
    consensus_on_proposal(validator->consensus, proposal, &validator->actions);
    if (known)
        validator->drops.duplicate++;
    else if (proposal->valid_round < 0 && may_pass_on(validator, proposal))
        pass_on(validator, proposal->proposer, MESSAGE_PROPOSAL, payload, bytes, VALIDATOR_PROMPT);
    if (worth_following(validator, proposal))
        follow(validator, proposal);
    return STATUS_OK;
}

/* ---- parts ---- */

/* The block that this part belongs to by its own proof; NULL: none that waits for it. */
static struct proposed *owner_of_part(struct validator *validator, const struct message_block_part *part,
                                      const struct hash *leaf) {
    for (uint32_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++) {
        struct proposed *block = &validator->blocks[i];
        if (block->state != PROPOSED_PARTIAL || block->part_count != part->count ||
            message_parts_has(&block->held, part->index))
            continue;
        size_t left = block->bytes - (size_t)part->index * PART_BYTES_MAX;
        if (part->bytes == (left < PART_BYTES_MAX ? left : PART_BYTES_MAX) &&
            merkle_inclusion_valid(&block->parts_root, leaf, part->index, part->count, part->path,
                                   part->length))
            return block;
    }
    return NULL;
}

static bool is_expected(const struct validator *validator, const struct message_block_part *part) {
    for (uint32_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++) {
        const struct proposed *block = &validator->blocks[i];
        if (block->state == PROPOSED_PARTIAL && block->part_count == part->count &&
            !message_parts_has(&block->held, part->index))
            return true;
    }
    return false;
}

static enum status take_part(struct validator *validator, struct proposed *block,
                             const struct message_block_part *part, const struct hash *leaf) {
    memcpy(block->data + (size_t)part->index * PART_BYTES_MAX, part->data, part->bytes);
    block->leaves[part->index] = *leaf;
    message_parts_add(&block->held, part->index);
    if (++block->held_count < block->part_count)
        return STATUS_OK;
    if (validator->times.complete_ns == VTIME_NEVER)
        validator->times.complete_ns = validator->now_ns;
    return validator_verify(validator, block, false);
}

enum status validator_feed_part(struct validator *validator, uint32_t from, const uint8_t *payload,
                                size_t bytes) {
    struct message_block_part part;
    TRY(message_decode_block_part(payload, bytes, &part));
    if (part.height > validator->committed + 1) {
        validator_keep(validator, from, MESSAGE_BLOCK_PART, part.height, payload, bytes);
        return STATUS_OK;
    }
    if (part.height <= validator->committed) {
        validator->drops.stale++;
        return STATUS_OK;
    }
    if (!is_expected(validator, &part)) { /* held already, or its proposal is still to come */
        validator->drops.duplicate++;
        return STATUS_OK;
    }
    struct hash leaf = merkle_leaf(part.data, part.bytes);
    struct proposed *block = owner_of_part(validator, &part, &leaf);
    if (block == NULL)
        return STATUS_INVALID;
    if (block->proposal.valid_round < 0)
        pass_on(validator, block->proposal.proposer, MESSAGE_BLOCK_PART, payload, bytes, VALIDATOR_ORDINARY);
    return take_part(validator, block, &part, &leaf);
}
