#include "campaign/sight.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/net/message_chain.h"

static void see_certificate(const struct certificate *certificate, const struct block_header *header,
                            sight_each each, void *context) {
    each(context, &(struct sight){.kind = SIGHT_CERTIFICATE, .certificate = certificate, .header = header});
}

static void see_proposal(const uint8_t *payload, size_t bytes, sight_each each, void *context) {
    struct message_proposal message;
    if (message_decode_proposal(payload, bytes, &message) == STATUS_OK)
        each(context, &(struct sight){.kind = SIGHT_PROPOSAL, .proposal = &message.proposal});
}

static void see_votes(const uint8_t *payload, size_t bytes, sight_each each, void *context) {
    struct message_vote message;
    if (message_decode_vote(payload, bytes, &message) != STATUS_OK)
        return;
    for (uint32_t i = 0; i < message.count; i++)
        each(context, &(struct sight){.kind = SIGHT_VOTE, .vote = &message.votes[i]});
}

static void see_status(const uint8_t *payload, size_t bytes, sight_each each, void *context) {
    struct message_status message;
    if (message_decode_status(payload, bytes, &message) == STATUS_OK &&
        (message.flags & MESSAGE_STATUS_PROVEN) != 0)
        see_certificate(&message.certificate, NULL, each, context);
}

static void see_commit(const uint8_t *payload, size_t bytes, sight_each each, void *context) {
    struct message_commit_cert message;
    if (message_decode_commit_cert(payload, bytes, &message) == STATUS_OK)
        see_certificate(&message.certificate, NULL, each, context);
}

static void see_headers(const uint8_t *payload, size_t bytes, sight_each each, void *context) {
    struct message_catchup_resp message;
    if (message_decode_catchup_resp(payload, bytes, &message) != STATUS_OK ||
        message.kind != MESSAGE_CATCHUP_HEADERS)
        return;
    struct bytes_reader reader = bytes_reader_over(message.data, message.bytes);
    for (uint64_t i = 0; i < message.total; i++) {
        struct block_header header;
        struct certificate certificate;
        if (block_header_decode(&reader, &header) != STATUS_OK ||
            certificate_decode(&reader, &certificate) != STATUS_OK)
            return;
        see_certificate(&certificate, &header, each, context);
    }
}

static void see_snapshot(const uint8_t *payload, size_t bytes, sight_each each, void *context) {
    struct message_snap_meta message;
    if (message_decode_snap_meta(payload, bytes, &message) == STATUS_OK)
        see_certificate(&message.certificate, &message.header, each, context);
}

void sight_message(uint16_t type, const uint8_t *payload, size_t bytes, sight_each each, void *context) {
    switch (type) {
    case MESSAGE_PROPOSAL:
        see_proposal(payload, bytes, each, context);
        break;
    case MESSAGE_VOTE:
        see_votes(payload, bytes, each, context);
        break;
    case MESSAGE_STATUS:
        see_status(payload, bytes, each, context);
        break;
    case MESSAGE_COMMIT_CERT:
        see_commit(payload, bytes, each, context);
        break;
    case MESSAGE_CATCHUP_RESP:
        see_headers(payload, bytes, each, context);
        break;
    case MESSAGE_SNAP_META:
        see_snapshot(payload, bytes, each, context);
        break;
    default:
        break;
    }
}

static enum network_class class_of_votes(const uint8_t *payload, size_t bytes, uint64_t *height,
                                         uint32_t *round) {
    struct message_vote message;
    if (message_decode_vote(payload, bytes, &message) != STATUS_OK)
        return NETWORK_OTHER;
    *height = message.votes[0].height;
    *round = message.votes[0].round;
    return message.votes[0].type == VOTE_PREVOTE ? NETWORK_PREVOTE : NETWORK_PRECOMMIT;
}

enum network_class sight_class(uint16_t type, const uint8_t *payload, size_t bytes, uint64_t *height,
                               uint32_t *round) {
    if (type == MESSAGE_VOTE)
        return class_of_votes(payload, bytes, height, round);
    if (type == MESSAGE_PROPOSAL) {
        struct message_proposal message;
        if (message_decode_proposal(payload, bytes, &message) != STATUS_OK)
            return NETWORK_OTHER;
        *height = message.proposal.height;
        *round = message.proposal.round;
        return NETWORK_PROPOSAL;
    }
    if (type == MESSAGE_BLOCK_PART) {
        struct message_block_part message;
        if (message_decode_block_part(payload, bytes, &message) != STATUS_OK)
            return NETWORK_OTHER;
        *height = message.height;
        *round = message.round;
        return NETWORK_PROPOSAL;
    }
    return NETWORK_OTHER;
}

static void value_text(const struct hash *value, char text[HASH_TEXT_BYTES]) {
    hash_text(value, text);
    snprintf(text + 8, HASH_TEXT_BYTES - 8, "%s", "");
    if (hash_is_zero(value))
        snprintf(text, HASH_TEXT_BYTES, "nil");
}

struct lines {
    char *text;
    size_t size, used;
};

static void add_text(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_text(struct lines *lines, const char *format, ...) {
    if (lines->used >= lines->size)
        return;
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(lines->text + lines->used, lines->size - lines->used, format, arguments);
    va_end(arguments);
    lines->used += more > 0 ? (size_t)more : 0;
}

static void add_sight(void *context, const struct sight *sight) {
    char value[HASH_TEXT_BYTES];
    if (sight->kind == SIGHT_VOTE) {
        const struct vote *vote = sight->vote;
        value_text(&vote->block_id, value);
        add_text(context, " %s %" PRIu64 "/%u of %u: %s",
                 vote->type == VOTE_PREVOTE ? "prevote" : "precommit", vote->height, vote->round,
                 vote->validator, value);
    } else if (sight->kind == SIGHT_PROPOSAL) {
        const struct proposal *proposal = sight->proposal;
        value_text(&proposal->block_id, value);
        add_text(context, " %" PRIu64 "/%u of %u, valid round %d: %s", proposal->height, proposal->round,
                 proposal->proposer, proposal->valid_round, value);
    } else {
        value_text(&sight->certificate->block_id, value);
        add_text(context, " certificate %" PRIu64 "/%u: %s", sight->certificate->height,
                 sight->certificate->round, value);
    }
}

void sight_text(uint16_t type, const uint8_t *payload, size_t bytes, char *text, size_t size) {
    const struct message_info *info = message_info(type);
    struct lines lines = {.size = size};
    lines.text = text;
    add_text(&lines, "%s", info == NULL ? "unknown" : info->name);
    if (type == MESSAGE_STATUS) {
        struct message_status status;
        if (message_decode_status(payload, bytes, &status) == STATUS_OK)
            add_text(&lines, " %" PRIu64 "/%u step %u, lock %d, valid %d, votes %" PRIx64 " %" PRIx64,
                     status.height, status.round, status.step, status.locked_round, status.valid_round,
                     status.prevotes, status.precommits);
    }
    sight_message(type, payload, bytes, add_sight, &lines);
}
