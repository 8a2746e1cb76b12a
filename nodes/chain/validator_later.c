/* validator_later: messages of the next height, from peers that are there already. Each peer has a bounded
 * share; what does not fit is dropped, and sent again when this validator's STATUS shows the lack. */
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "nodes/chain/validator_state.h"

#define LATER_SLACK_BYTES                                                                                    \
    ((size_t)256 << 10) /* votes and proposals, and what parts cost beside their bytes */
#define LATER_MESSAGES_MAX 2048u
#define LATER_HEAD_BYTES 14u

void validator_later_close(struct validator_later *later) {
    free(later->data);
    *later = (struct validator_later){0};
}

static void forget(struct validator_later *later) {
    later->used = later->read = later->count = 0;
    later->height = 0;
}

void validator_keep(struct validator *validator, uint32_t from, enum message_type type, uint64_t height,
                    const uint8_t *payload, size_t bytes) {
    struct validator_later *later = &validator->peers[from].later;
    if (height != validator->committed + 2) {
        validator->drops.early++;
        return;
    }
    if (later->height != height)
        forget(later);
    size_t need = later->used + LATER_HEAD_BYTES + bytes;
    if (need > validator->block_bytes_max + LATER_SLACK_BYTES || later->count == LATER_MESSAGES_MAX) {
        validator->drops.crowded++;
        return;
    }
    if (need > later->capacity) {
        later->capacity = need * 2;
        later->data = memory_grow(later->data, later->capacity, 1, "messages of the next height");
    }
    struct bytes_writer writer = bytes_writer_over(later->data, later->capacity);
    writer.used = later->used;
    bytes_put_u16(&writer, (uint16_t)type);
    bytes_put_u32(&writer, (uint32_t)bytes);
    bytes_put_i64(&writer, validator->came_ns);
    bytes_put(&writer, payload, bytes);
    later->used = writer.used;
    later->height = height;
    later->count++;
}

static enum status feed(struct validator *validator, uint32_t from, enum message_type type,
                        const uint8_t *payload, size_t bytes) {
    switch (type) {
    case MESSAGE_PROPOSAL:
        return validator_feed_proposal(validator, from, payload, bytes);
    case MESSAGE_BLOCK_PART:
        return validator_feed_part(validator, from, payload, bytes);
    default:
        return validator_feed_vote(validator, from, payload, bytes);
    }
}

/* It came when it came, by whatever clock. */
static enum status feed_next(struct validator *validator, uint32_t from, struct validator_later *later) {
    struct bytes_reader reader = bytes_reader_over(later->data, later->used);
    reader.used = later->read;
    uint16_t type = bytes_get_u16(&reader);
    uint32_t bytes = bytes_get_u32(&reader);
    int64_t came_ns = bytes_get_i64(&reader), call_came_ns = validator->came_ns;
    const uint8_t *payload = bytes_get(&reader, bytes);
    later->read = reader.used;
    validator->came_ns = came_ns;
    enum status status = feed(validator, from, (enum message_type)type, payload, bytes);
    validator->came_ns = call_came_ns;
    return status;
}

enum status validator_replay(struct validator *validator, bool *progress) {
    *progress = false;
    for (uint32_t i = 0; i < validator->count; i++) {
        struct validator_later *later = &validator->peers[i].later;
        if (later->height == 0 || later->height > validator->committed + 1)
            continue;
        if (later->height <= validator->committed || later->read == later->used) {
            forget(later);
            continue;
        }
        *progress = true;
        enum status status = feed_next(validator, i, later);
        if (status != STATUS_INVALID)
            return status;
        validator->drops.invalid++;
        return STATUS_OK;
    }
    return STATUS_OK;
}
