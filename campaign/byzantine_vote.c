/* byzantine_vote: votes both ways, votes for far rounds, small mutations, forged certificates. */
#include "campaign/byzantine_parts.h"

static struct hash random_hash(const struct byzantine_call *call) {
    struct hash hash;
    for (uint32_t i = 0; i < HASH_BYTES; i += 8) {
        uint64_t word = random_next(&call->self->random);
        memcpy(hash.bytes + i, &word, 8);
    }
    return hash;
}

static const struct hash nil = {{0}};

/* What the other half is told. */
static struct hash other_value(const struct byzantine_call *call, const struct vote *vote) {
    const struct byzantine_variant *variant = &call->self->variant;
    bool known = variant->data_b != NULL && variant->height == vote->height && variant->round == vote->round;
    if (known && hash_equal(&vote->block_id, &variant->a.block_id))
        return variant->b.block_id;
    if (!hash_is_zero(&vote->block_id))
        return nil;
    return call->self->value_height == vote->height ? call->self->value : random_hash(call);
}

static void say_far(const struct byzantine_call *call, struct vote vote) {
    static const uint32_t ahead[] = {1, 2, 3, 1000000, 0x7ffffff0};
    static const uint64_t heights[] = {1, 2, 1000, UINT64_C(1) << 60};
    if (byzantine_chance(call, 0.5))
        vote.round = ahead[byzantine_below(call, 5)];
    else
        vote.height += heights[byzantine_below(call, 4)];
    if (byzantine_chance(call, 0.5))
        vote.block_id = random_hash(call);
    byzantine_say_vote(call, &vote);
}

static void mutate_vote(const struct byzantine_call *call, struct vote *vote) {
    const struct signed_set *set = &call->world->signatures;
    switch (byzantine_below(call, 7)) {
    case 0:
        vote->round++;
        break;
    case 1:
        vote->round -= vote->round > 0;
        break;
    case 2:
        vote->height++;
        break;
    case 3:
        vote->height -= vote->height > 1;
        break;
    case 4:
        vote->type = vote->type == VOTE_PREVOTE ? VOTE_PRECOMMIT : VOTE_PREVOTE;
        break;
    case 5:
        vote->block_id = other_value(call, vote);
        break;
    default:
        if (set->vote_count > 0)
            vote->block_id = set->votes[byzantine_below(call, set->vote_count)].vote.block_id;
    }
}

static void say_certificate(const struct byzantine_call *call, const struct certificate *certificate) {
    uint8_t data[8 + CERTIFICATE_BYTES_MAX];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_commit_cert(&writer, &(struct message_commit_cert){.certificate = *certificate});
    if (!writer.failed)
        world_say(call->world, call->member, call->to, MESSAGE_COMMIT_CERT, data, writer.used);
}

/* Signature of validator i in a forged certificate; false: leave it out. */
static bool forged_signature(const struct byzantine_call *call, uint32_t way, uint16_t validator,
                             const struct vote *own, struct signature *signature) {
    const struct signed_set *set = &call->world->signatures;
    const struct hash *value = way == 0 ? &nil : &call->self->value;
    const struct signed_vote *found =
        signed_set_find(set, validator, own->height, own->round, VOTE_PRECOMMIT, value);
    struct vote vote = *own;
    vote.block_id = call->self->value;
    switch (way) {
    case 0: /* precommits for nil, as if they were for the block */
    case 1: /* too few */
        if (found == NULL)
            return false;
        *signature = found->vote.signature;
        return true;
    case 2: /* its own, in the place of everybody's */
        vote_sign(byzantine_genesis(call), byzantine_key(call), &vote);
        *signature = vote.signature;
        return true;
    default: /* its own key under everybody's name */
        vote.validator = validator;
        vote_sign(byzantine_genesis(call), byzantine_key(call), &vote);
        *signature = vote.signature;
        return true;
    }
}

void byzantine_forge(const struct byzantine_call *call, const struct vote *precommit) {
    uint32_t quorum = quorum_size(call->world->config.validators);
    if (call->self->value_height != precommit->height)
        return;
    uint32_t way = byzantine_below(call, 4), count = 0;
    struct certificate certificate = {.chain_id = byzantine_genesis(call)->chain_id,
                                      .height = precommit->height,
                                      .round = precommit->round,
                                      .block_id = call->self->value};
    for (uint16_t i = 0; i < call->world->config.validators && count < quorum; i++) {
        if (way == 1 && count == quorum - 1)
            break;
        if (!forged_signature(call, way, i, precommit, &certificate.signatures[count]))
            continue;
        certificate.bitmap |= UINT64_C(1) << i;
        count++;
    }
    if (count > 0)
        say_certificate(call, &certificate);
}

/* Keeps its own vote for a block to itself and says nil: the polka that it makes is not seen by others. */
static void say_nil(const struct byzantine_call *call, const struct vote *own) {
    struct vote vote = *own;
    bool added;
    (void)signed_set_vote(&call->world->signatures, own, &added);
    vote.block_id = nil;
    byzantine_say_vote(call, &vote);
}

static void say_bent(const struct byzantine_call *call, const struct vote *own) {
    struct vote vote = *own;
    if (byzantine_does(call, BYZANTINE_STALE_POLKA)) {
        say_nil(call, own);
        return;
    }
    if (byzantine_does(call, BYZANTINE_FAR_ROUNDS) && byzantine_chance(call, 0.5))
        say_far(call, vote);
    if (byzantine_does(call, BYZANTINE_FORGED_CERTIFICATE) && own->type == VOTE_PRECOMMIT)
        byzantine_forge(call, own);
    if (byzantine_does(call, BYZANTINE_EQUIVOCATE_VOTE)) {
        bool both = byzantine_chance(call, 0.3);
        if (both || byzantine_half(call, call->to)) {
            vote.block_id = other_value(call, own);
            byzantine_say_vote(call, &vote);
        }
        if (!both && byzantine_half(call, call->to))
            return;
        vote = *own;
    }
    if (byzantine_does(call, BYZANTINE_MUTATE) && byzantine_chance(call, 0.3))
        mutate_vote(call, &vote);
    byzantine_say_vote(call, &vote);
}

bool byzantine_bend_votes(const struct byzantine_call *call) {
    struct message_vote message;
    uint32_t bend = BYZANTINE_FAR_ROUNDS | BYZANTINE_FORGED_CERTIFICATE | BYZANTINE_EQUIVOCATE_VOTE |
                    BYZANTINE_MUTATE | BYZANTINE_STALE_POLKA;
    if (message_decode_vote(call->payload, call->bytes, &message) != STATUS_OK)
        return false;
    uint32_t others = 0;
    for (uint32_t i = 0; i < message.count; i++) {
        const struct vote own = message.votes[i], *vote = &own;
        if (vote->validator != call->member->node) {
            message.votes[others++] = *vote;
            continue;
        }
        if (!hash_is_zero(&vote->block_id)) {
            call->self->value_height = vote->height;
            call->self->value = vote->block_id;
        }
        if ((call->self->behaviours & bend) == 0)
            return false;
        say_bent(call, vote);
    }
    message.count = others;
    byzantine_say_votes(call, &message);
    return true;
}
