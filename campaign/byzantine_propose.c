/* byzantine_propose: two versions of a block, no block, wrong parts, an old polka. */
#include <stdlib.h>

#include "campaign/byzantine_parts.h"
#include "common/base/memory.h"

/* The only part of the block it proposes at (height, round), from the outbox that is being sent; false: the
 * block is not there, or has more parts. */
static bool find_part(const struct byzantine_call *call, const struct proposal *proposal,
                      struct message_block_part *part) {
    const struct outbox *out = &call->member->out;
    for (uint32_t i = 0; i < out->count; i++) {
        const struct action *action = &out->actions[i];
        if (action->kind == ACTION_SEND && action->type == MESSAGE_BLOCK_PART &&
            message_decode_block_part(out->bytes + action->offset, action->bytes, part) == STATUS_OK &&
            part->height == proposal->height && part->round == proposal->round && part->count == 1)
            return true;
    }
    return false;
}

static void bend_header(const struct byzantine_call *call, struct block_header *header) {
    if (!byzantine_does(call, BYZANTINE_INVALID_BLOCK)) {
        header->time_ms++;
        return;
    }
    switch (byzantine_below(call, 6)) {
    case 0:
        header->state_root.bytes[0] ^= 1;
        break;
    case 1:
        header->history_root.bytes[5] ^= 1;
        break;
    case 2:
        header->time_ms = 0;
        break;
    case 3:
        header->prev_block_id.bytes[9] ^= 1;
        break;
    case 4:
        header->txs_root.bytes[9] ^= 1;
        break;
    default:
        header->proposer = (uint16_t)(header->proposer + 1);
    }
}

/* Makes version B of its proposal; false: cannot. */
static bool make_variant(const struct byzantine_call *call, const struct proposal *proposal) {
    struct byzantine_variant *variant = &call->self->variant;
    if (variant->data_b != NULL && variant->height == proposal->height && variant->round == proposal->round)
        return true;
    struct message_block_part part;
    if (proposal->valid_round >= 0 || !find_part(call, proposal, &part))
        return false;
    struct block_header header;
    struct bytes_reader reader = bytes_reader_over(part.data, part.bytes);
    if (block_header_decode(&reader, &header) != STATUS_OK)
        return false;
    bend_header(call, &header);
    free(variant->data_b);
    *variant = (struct byzantine_variant){
        .height = proposal->height, .round = proposal->round, .a = *proposal, .b = *proposal};
    variant->data_b = memory_grow(NULL, part.bytes, 1, "campaign variant");
    variant->bytes_b = part.bytes;
    memcpy(variant->data_b, part.data, part.bytes);
    struct bytes_writer writer = bytes_writer_over(variant->data_b, part.bytes);
    block_header_encode(&writer, &header);
    struct hash leaf;
    variant->b.block_id = block_id_of(&header);
    variant->b.parts_root = block_part_leaves(variant->data_b, variant->bytes_b, &leaf);
    return true;
}

static void say_variant(const struct byzantine_call *call, uint32_t to) {
    struct byzantine_variant *variant = &call->self->variant;
    struct byzantine_call there = *call;
    there.to = to;
    byzantine_say_proposal(&there, &variant->b);
    struct message_block_part part = {.height = variant->height,
                                      .round = variant->round,
                                      .count = 1,
                                      .data = variant->data_b,
                                      .bytes = variant->bytes_b};
    byzantine_say_part(&there, &part);
}

static bool hears_variant(const struct byzantine_call *call, uint32_t node) {
    return byzantine_does(call, BYZANTINE_INVALID_BLOCK) || byzantine_half(call, node);
}

/* ---- a polka older than locks ---- */

static const struct signed_proposal *proposal_of(const struct signed_set *set, uint64_t height,
                                                 const struct hash *value) {
    for (uint32_t i = 0; i < set->proposal_count; i++)
        if (set->proposals[i].proposal.height == height &&
            hash_equal(&set->proposals[i].proposal.block_id, value))
            return &set->proposals[i];
    return NULL;
}

/* The oldest value with a quorum of prevotes before `round`. */
static const struct signed_proposal *find_polka(const struct byzantine_call *call, uint64_t height,
                                                uint32_t round, uint32_t *polka_round) {
    const struct signed_set *set = &call->world->signatures;
    uint32_t quorum = quorum_size(call->world->config.validators);
    for (uint32_t i = 0; i < set->vote_count; i++) {
        const struct vote *vote = &set->votes[i].vote;
        if (vote->height != height || vote->type != VOTE_PREVOTE || vote->round >= round ||
            hash_is_zero(&vote->block_id))
            continue;
        uint64_t voters = signed_set_voters(set, height, vote->round, VOTE_PREVOTE, &vote->block_id);
        const struct signed_proposal *found = proposal_of(set, height, &vote->block_id);
        if (found == NULL || (uint32_t)__builtin_popcountll(voters) < quorum)
            continue;
        *polka_round = vote->round;
        return found;
    }
    return NULL;
}

static void say_polka(const struct byzantine_call *call, uint64_t height, uint32_t round,
                      const struct hash *value) {
    const struct signed_set *set = &call->world->signatures;
    struct message_vote message = {0};
    for (uint32_t i = 0; i < call->world->config.validators; i++) {
        const struct signed_vote *found =
            signed_set_find(set, (uint16_t)i, height, round, VOTE_PREVOTE, value);
        if (found != NULL)
            message.votes[message.count++] = found->vote;
    }
    byzantine_say_votes(call, &message);
}

static bool say_stale(const struct byzantine_call *call, const struct proposal *proposal) {
    struct byzantine *self = call->self;
    if (self->stale_height == proposal->height && self->stale_round == proposal->round)
        return true;
    uint32_t polka_round = 0;
    const struct signed_proposal *found = find_polka(call, proposal->height, proposal->round, &polka_round);
    if (found == NULL)
        return false;
    struct proposal stale = found->proposal;
    stale.round = proposal->round;
    stale.valid_round = (int32_t)polka_round;
    stale.proposer = proposal->proposer;
    self->stale_height = proposal->height;
    self->stale_round = proposal->round;
    for (uint32_t node = 0; node < call->world->config.validators; node++) {
        struct byzantine_call there = *call;
        there.to = node;
        if (node == call->member->node)
            continue;
        byzantine_say_proposal(&there, &stale);
        say_polka(&there, stale.height, polka_round, &stale.block_id);
    }
    return true;
}

/* ---- */

static void mutate_proposal(const struct byzantine_call *call, struct proposal *proposal) {
    const struct signed_set *set = &call->world->signatures;
    switch (byzantine_below(call, 6)) {
    case 0:
        proposal->round++;
        break;
    case 1:
        proposal->round -= proposal->round > 0;
        proposal->valid_round = -1;
        break;
    case 2:
        proposal->valid_round = (int32_t)byzantine_below(call, proposal->round + 1) - 1;
        break;
    case 3:
        if (set->proposal_count > 0)
            proposal->block_id = set->proposals[byzantine_below(call, set->proposal_count)].proposal.block_id;
        break;
    case 4:
        proposal->part_count++;
        break;
    default:
        proposal->height++;
    }
}

bool byzantine_bend_proposal(const struct byzantine_call *call) {
    struct message_proposal message;
    if (message_decode_proposal(call->payload, call->bytes, &message) != STATUS_OK ||
        message.proposal.proposer != call->member->node)
        return false;
    const struct proposal *proposal = &message.proposal;
    if (byzantine_does(call, BYZANTINE_SILENT_PROPOSER))
        return true;
    if (byzantine_does(call, BYZANTINE_STALE_POLKA) && proposal->round > 0 && say_stale(call, proposal))
        return true;
    if (byzantine_does(call, BYZANTINE_MUTATE) && byzantine_chance(call, 0.4)) {
        struct proposal bent = *proposal;
        mutate_proposal(call, &bent);
        byzantine_say_proposal(call, &bent);
        return byzantine_chance(call, 0.5);
    }
    bool two =
        byzantine_does(call, BYZANTINE_EQUIVOCATE_PROPOSAL) || byzantine_does(call, BYZANTINE_INVALID_BLOCK);
    const struct byzantine_variant *variant = &call->self->variant;
    bool known =
        variant->data_b != NULL && variant->height == proposal->height && variant->round == proposal->round;
    if (!two || !make_variant(call, proposal))
        return false;
    for (uint32_t node = 0; !known && node < call->world->config.validators; node++)
        if (node != call->member->node && hears_variant(call, node))
            say_variant(call, node);
    return hears_variant(call, call->to);
}

bool byzantine_bend_part(const struct byzantine_call *call) {
    struct message_block_part part;
    if (message_decode_block_part(call->payload, call->bytes, &part) != STATUS_OK)
        return false;
    const struct byzantine_variant *variant = &call->self->variant;
    if (variant->data_b != NULL && part.height == variant->height && part.round == variant->round &&
        hears_variant(call, call->to))
        return true;
    if (byzantine_does(call, BYZANTINE_WITHHOLD_PARTS))
        return byzantine_half(call, call->to) || byzantine_chance(call, 0.3);
    if (!byzantine_does(call, BYZANTINE_WRONG_PARTS) || !byzantine_chance(call, 0.7))
        return false;
    uint8_t *data = memory_grow(NULL, part.bytes, 1, "campaign part");
    memcpy(data, part.data, part.bytes);
    part.data = data;
    switch (byzantine_below(call, 5)) {
    case 0:
        data[byzantine_below(call, part.bytes)] ^= 1;
        break;
    case 1:
        part.count++;
        part.index = part.count - 1;
        break;
    case 2:
        part.length = (part.length + 1) % MESSAGE_PATH_MAX;
        break;
    case 3:
        part.bytes = 1 + byzantine_below(call, part.bytes);
        break;
    default:
        part.round++;
    }
    byzantine_say_part(call, &part);
    free(data);
    return true;
}
