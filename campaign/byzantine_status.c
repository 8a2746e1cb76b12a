/* byzantine_status: lies about what is held and what was committed. */
#include <stdlib.h>

#include "campaign/byzantine_parts.h"
#include "common/base/memory.h"
#include "common/ledger/transaction.h"

bool byzantine_bend_status(const struct byzantine_call *call) {
    struct message_status status;
    if (!byzantine_does(call, BYZANTINE_LYING_STATUS) || !byzantine_chance(call, 0.7) ||
        message_decode_status(call->payload, call->bytes, &status) != STATUS_OK)
        return false;
    switch (byzantine_below(call, 6)) {
    case 0:
        status.committed += 1000;
        status.height = status.committed + 1;
        break;
    case 1:
        status.round += 1000;
        break;
    case 2:
        status.prevotes = status.precommits = status.valid_prevotes = 0;
        break;
    case 3:
        status.prevotes = status.precommits = UINT64_MAX;
        break;
    case 4:
        status.committed = 0;
        status.height = 1;
        break;
    default:
        status.valid_round = (int32_t)byzantine_below(call, 10) - 1;
        status.locked_round = status.valid_round;
    }
    size_t capacity = call->bytes + 256;
    uint8_t *data = memory_grow(NULL, capacity, 1, "campaign status");
    struct bytes_writer writer = bytes_writer_over(data, capacity);
    message_encode_status(&writer, &status);
    if (!writer.failed)
        world_say(call->world, call->member, call->to, MESSAGE_STATUS, data, writer.used);
    free(data);
    return true;
}

bool byzantine_bend_catchup(const struct byzantine_call *call) {
    if (!byzantine_does(call, BYZANTINE_LYING_CATCHUP))
        return false;
    uint32_t way = byzantine_below(call, 4);
    if (way == 0) /* slow drip: most answers never come */
        return true;
    if (way == 1 || call->bytes < 16)
        return false;
    uint8_t *data = memory_grow(NULL, call->bytes, 1, "campaign lie");
    memcpy(data, call->payload, call->bytes);
    /* 2: some byte of the content; 3: a field of the head (heights, tip, totals) */
    uint32_t place = way == 2 ? byzantine_below(call, (uint32_t)call->bytes) : 1 + byzantine_below(call, 15);
    data[place] ^= (uint8_t)(1u << byzantine_below(call, 8));
    world_say(call->world, call->member, call->to, call->type, data, call->bytes);
    free(data);
    return true;
}

/* Its attestations say something else than what it found. */
bool byzantine_bend_tx(const struct byzantine_call *call) {
    struct message_tx message;
    struct transaction tx;
    struct attestation attestation;
    if (!byzantine_does(call, BYZANTINE_LYING_ATTEST) ||
        message_decode_tx(call->payload, call->bytes, &message) != STATUS_OK ||
        transaction_decode(message.data, message.bytes, &tx) != STATUS_OK || tx.type != TX_METRIC_ATTEST ||
        tx.sender != call->member->node ||
        attestation_decode(tx.ext, tx.ext_bytes, &attestation) != STATUS_OK)
        return false;
    uint8_t ext[ATTESTATION_BYTES], data[2048];
    struct bytes_writer writer = bytes_writer_over(ext, sizeof ext);
    attestation.metric_q32[tx.nonce % METRIC_COUNT] += INT64_C(3) << 30; /* the same lie to everybody */
    attestation_encode(&writer, &attestation);
    tx.ext = ext;
    transaction_sign(byzantine_key(call), &tx);
    uint8_t encoded[1024];
    writer = bytes_writer_over(encoded, sizeof encoded);
    transaction_encode(&writer, &tx);
    struct bytes_writer whole = bytes_writer_over(data, sizeof data);
    message_encode_tx(&whole, &(struct message_tx){.data = encoded, .bytes = (uint32_t)writer.used});
    if (!writer.failed && !whole.failed)
        world_say(call->world, call->member, call->to, MESSAGE_TX, data, whole.used);
    return true;
}
