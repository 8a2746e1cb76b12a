#include "campaign/byzantine.h"

#include <stdlib.h>

#include "campaign/byzantine_parts.h"
#include "common/base/memory.h"

struct byzantine *byzantine_open(uint32_t behaviours, uint64_t seed) {
    struct byzantine *byzantine = memory_grow(NULL, 1, sizeof *byzantine, "campaign liar");
    *byzantine = (struct byzantine){.behaviours = behaviours};
    random_init(&byzantine->random, seed, 0, RANDOM_CAMPAIGN | UINT64_C(5) << 32);
    return byzantine;
}

void byzantine_close(struct byzantine *byzantine) {
    if (byzantine == NULL)
        return;
    free(byzantine->variant.data_b);
    free(byzantine);
}

const struct genesis *byzantine_genesis(const struct byzantine_call *call) {
    return &call->world->setting.chain.genesis;
}

const struct signing_key *byzantine_key(const struct byzantine_call *call) {
    return &call->world->setting.chain.keys[call->member->node];
}

bool byzantine_does(const struct byzantine_call *call, enum byzantine_behaviour behaviour) {
    return (call->self->behaviours & (uint32_t)behaviour) != 0;
}

bool byzantine_chance(const struct byzantine_call *call, double probability) {
    return random_chance(&call->self->random, probability);
}

uint32_t byzantine_below(const struct byzantine_call *call, uint32_t bound) {
    return (uint32_t)random_below(&call->self->random, bound);
}

bool byzantine_half(const struct byzantine_call *call, uint32_t node) {
    return ((node + call->member->node) & 1u) != 0;
}

void byzantine_pass(const struct byzantine_call *call) {
    world_say(call->world, call->member, call->to, call->type, call->payload, call->bytes);
}

void byzantine_say_votes(const struct byzantine_call *call, const struct message_vote *message) {
    uint8_t data[8 + MESSAGE_VOTES_MAX * VOTE_BYTES];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    if (message->count == 0)
        return;
    message_encode_vote(&writer, message);
    if (!writer.failed)
        world_say(call->world, call->member, call->to, MESSAGE_VOTE, data, writer.used);
}

void byzantine_say_vote(const struct byzantine_call *call, struct vote *vote) {
    struct message_vote message = {.count = 1};
    vote_sign(byzantine_genesis(call), byzantine_key(call), vote);
    message.votes[0] = *vote;
    byzantine_say_votes(call, &message);
}

void byzantine_say_proposal(const struct byzantine_call *call, struct proposal *proposal) {
    uint8_t data[8 + PROPOSAL_BYTES];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    proposal_sign(byzantine_genesis(call), byzantine_key(call), proposal);
    message_encode_proposal(&writer, &(struct message_proposal){.proposal = *proposal});
    if (!writer.failed)
        world_say(call->world, call->member, call->to, MESSAGE_PROPOSAL, data, writer.used);
}

void byzantine_say_part(const struct byzantine_call *call, const struct message_block_part *part) {
    size_t capacity = part->bytes + 64 + (size_t)part->length * HASH_BYTES;
    uint8_t *data = memory_grow(NULL, capacity, 1, "campaign part");
    struct bytes_writer writer = bytes_writer_over(data, capacity);
    message_encode_block_part(&writer, part);
    if (!writer.failed)
        world_say(call->world, call->member, call->to, MESSAGE_BLOCK_PART, data, writer.used);
    free(data);
}

void byzantine_send(struct byzantine *byzantine, struct world *world, struct member *member,
                    const struct action *action, const uint8_t *payload) {
    struct byzantine_call call = {.self = byzantine,
                                  .world = world,
                                  .member = member,
                                  .to = action->node,
                                  .type = action->type,
                                  .payload = payload,
                                  .bytes = action->bytes};
    bool said = byzantine_does(&call, BYZANTINE_MUTE);
    switch (said ? 0 : action->type) {
    case MESSAGE_PROPOSAL:
        said = byzantine_bend_proposal(&call);
        break;
    case MESSAGE_BLOCK_PART:
        said = byzantine_bend_part(&call);
        break;
    case MESSAGE_VOTE:
        said = byzantine_bend_votes(&call);
        break;
    case MESSAGE_STATUS:
        said = byzantine_bend_status(&call);
        break;
    case MESSAGE_CATCHUP_RESP:
    case MESSAGE_SNAP_META:
    case MESSAGE_SNAP_CHUNK:
    case MESSAGE_BLOB_RESP:
        said = byzantine_bend_catchup(&call);
        break;
    case MESSAGE_TX:
        said = byzantine_bend_tx(&call);
        break;
    default:
        break;
    }
    if (!said)
        byzantine_pass(&call);
}
