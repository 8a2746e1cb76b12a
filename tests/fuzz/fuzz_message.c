/* Fuzzes every message decoder: the first byte picks the type, the rest is the payload. Whatever is accepted
 * must encode to the very same bytes; nothing may read past the end or trip a sanitizer. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/message_chain.h"
#include "common/net/message_slot.h"

#define SAMPLES_MAX 4096
#define BYTES_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct bytes_writer *writer, const uint8_t *data, size_t size) {
    if (writer->failed || writer->used != size || memcmp(writer->data, data, size) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int16_t samples[SAMPLES_MAX];
    static uint8_t again[BYTES_MAX];
    if (size == 0)
        return 0;
    struct bytes_writer writer = bytes_writer_over(again, sizeof again);
    uint32_t device, slot;
    unsigned type = data[0] % MESSAGE_COUNT;
    data++;
    size--;
    (void)message_task_identity((enum message_type)type, data, size, &device, &slot);
    switch (type) {
    case MESSAGE_TASK: {
        struct message_task message;
        if (message_decode_task(data, size, samples, SAMPLES_MAX, &message) != STATUS_OK)
            return 0;
        message_encode_task(&writer, &message);
        break;
    }
    case MESSAGE_OFFLOAD: {
        struct message_offload message;
        if (message_decode_offload(data, size, samples, SAMPLES_MAX, &message) != STATUS_OK)
            return 0;
        message_encode_offload(&writer, &message);
        break;
    }
#define PLAIN(id, name)                                                                                      \
    case MESSAGE_##id: {                                                                                     \
        struct message_##name message;                                                                       \
        if (message_decode_##name(data, size, &message) != STATUS_OK)                                        \
            return 0;                                                                                        \
        message_encode_##name(&writer, &message);                                                            \
        break;                                                                                               \
    }
        PLAIN(RESULT, result)
        PLAIN(ANSWER, answer)
        PLAIN(LINK_STATE, link_state)
        PLAIN(ALLOCATE, allocate)
        PLAIN(REFUSED, refused)
        PLAIN(REPORT, report)
        PLAIN(DECISION, decision)
        PLAIN(WORKLOAD, workload)
        PLAIN(COMPLETION, completion)
        PLAIN(OUTCOME, outcome)
        PLAIN(HELLO, hello)
        PLAIN(TX, tx)
        PLAIN(PROPOSAL, proposal)
        PLAIN(BLOCK_PART, block_part)
        PLAIN(VOTE, vote)
        PLAIN(STATUS, status)
        PLAIN(WANT, want)
        PLAIN(COMMIT_CERT, commit_cert)
        PLAIN(CATCHUP_REQ, catchup_req)
        PLAIN(CATCHUP_RESP, catchup_resp)
        PLAIN(SNAP_REQ, snap_req)
        PLAIN(SNAP_META, snap_meta)
        PLAIN(SNAP_CHUNK, snap_chunk)
        PLAIN(BLOB_REQ, blob_req)
        PLAIN(BLOB_RESP, blob_resp)
        PLAIN(PROOF, proof)
        PLAIN(MODEL, model)
    default:
        abort();
    }
    check(&writer, data, size);
    return 0;
}
