/* Goal: the messages of the chain cross the wire unchanged, and nothing but what an encoder writes is
 * accepted. Method: round trips of random valid messages; every truncation, a trailing byte where the length
 * is fixed, changed bytes (refused, or decoded to what encodes to the same bytes); fields out of range one by
 * one; least and most sizes against the table. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/model/scenario.h"
#include "common/net/message_chain.h"

#define TYPES_BEGIN MESSAGE_HELLO
#define DATA_MAX 300
#define BYTES_MAX (1u << 20)

struct any {
    struct message_hello hello;
    struct message_tx tx;
    struct message_proposal proposal;
    struct message_block_part block_part;
    struct message_vote vote;
    struct message_status status;
    struct message_want want;
    struct message_commit_cert commit_cert;
    struct message_catchup_req catchup_req;
    struct message_catchup_resp catchup_resp;
    struct message_snap_req snap_req;
    struct message_snap_meta snap_meta;
    struct message_snap_chunk snap_chunk;
    struct message_blob_req blob_req;
    struct message_blob_resp blob_resp;
    struct message_proof proof;
    struct message_model model;
    uint8_t data[DATA_MAX];
};

#define CHAIN_MESSAGES(EACH)                                                                                 \
    EACH(HELLO, hello)                                                                                       \
    EACH(TX, tx)                                                                                             \
    EACH(PROPOSAL, proposal)                                                                                 \
    EACH(BLOCK_PART, block_part)                                                                             \
    EACH(VOTE, vote)                                                                                         \
    EACH(STATUS, status)                                                                                     \
    EACH(WANT, want)                                                                                         \
    EACH(COMMIT_CERT, commit_cert)                                                                           \
    EACH(CATCHUP_REQ, catchup_req)                                                                           \
    EACH(CATCHUP_RESP, catchup_resp)                                                                         \
    EACH(SNAP_REQ, snap_req)                                                                                 \
    EACH(SNAP_META, snap_meta)                                                                               \
    EACH(SNAP_CHUNK, snap_chunk)                                                                             \
    EACH(BLOB_REQ, blob_req)                                                                                 \
    EACH(BLOB_RESP, blob_resp)                                                                               \
    EACH(PROOF, proof)                                                                                       \
    EACH(MODEL, model)

static size_t encode(enum message_type type, const struct any *any, uint8_t *data, size_t capacity) {
    struct bytes_writer writer = bytes_writer_over(data, capacity);
    switch (type) {
#define ENCODE(id, name)                                                                                     \
    case MESSAGE_##id:                                                                                       \
        message_encode_##name(&writer, &any->name);                                                          \
        break;
        CHAIN_MESSAGES(ENCODE)
    default: /* a row of the table without a case here */
        fail();
    }
    assert_false(writer.failed);
    return writer.used;
}

/* What is decoded borrows from `end`, a block of exactly `size` bytes: a sanitizer sees any read past it. */
static enum status decode_in_place(enum message_type type, const uint8_t *end, size_t size, struct any *any) {
    switch (type) {
#define DECODE(id, name)                                                                                     \
    case MESSAGE_##id:                                                                                       \
        return message_decode_##name(end, size, &any->name);
        CHAIN_MESSAGES(DECODE)
    default:
        return STATUS_FAILED;
    }
}

/* Decodes and, where accepted, checks that the same bytes come out again. */
static enum status decode(enum message_type type, const uint8_t *data, size_t size) {
    struct any *got = malloc(sizeof *got);
    uint8_t *end = malloc(size ? size : 1), *again = malloc(size + 1);
    memcpy(end, data, size);
    enum status status = decode_in_place(type, end, size, got);
    if (status == STATUS_OK) {
        assert_int_equal(encode(type, got, again, size + 1), size);
        assert_memory_equal(again, data, size);
    }
    free(again);
    free(end);
    free(got);
    return status;
}

static void random_bytes(struct random_stream *stream, void *to, size_t size) {
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)to)[i] = (uint8_t)random_next(stream);
}

static void random_certificate(struct random_stream *stream, struct certificate *certificate) {
    memset(certificate, 0, sizeof *certificate);
    random_bytes(stream, &certificate->chain_id, HASH_BYTES);
    random_bytes(stream, &certificate->block_id, HASH_BYTES);
    certificate->height = 1 + random_below(stream, 1000);
    certificate->round = (uint32_t)random_below(stream, 9);
    certificate->bitmap = 1 + random_below(stream, 15);
    random_bytes(stream, certificate->signatures,
                 SIGNATURE_BYTES * (size_t)__builtin_popcountll(certificate->bitmap));
}

static struct vote random_vote(struct random_stream *stream) {
    struct vote vote = {.type = random_chance(stream, .5) ? VOTE_PREVOTE : VOTE_PRECOMMIT,
                        .height = 1 + random_below(stream, 1000),
                        .round = (uint32_t)random_below(stream, 9),
                        .validator = (uint16_t)random_below(stream, VALIDATORS_MAX)};
    random_bytes(stream, &vote.block_id, HASH_BYTES);
    random_bytes(stream, &vote.signature, SIGNATURE_BYTES);
    return vote;
}

static struct proposal random_proposal(struct random_stream *stream) {
    struct proposal proposal = {.height = 1 + random_below(stream, 1000),
                                .round = 3,
                                .valid_round = (int32_t)random_below(stream, 4) - 1,
                                .proposer = (uint16_t)random_below(stream, VALIDATORS_MAX),
                                .part_count = 2,
                                .block_bytes = PART_BYTES_MAX + 1 + random_below(stream, PART_BYTES_MAX)};
    random_bytes(stream, &proposal.block_id, HASH_BYTES);
    random_bytes(stream, &proposal.parts_root, HASH_BYTES);
    random_bytes(stream, &proposal.signature, SIGNATURE_BYTES);
    return proposal;
}

static void random_parts(struct random_stream *stream, struct message_parts *parts) {
    parts->count = (uint16_t)random_below(stream, 20);
    for (uint32_t i = 0; i < parts->count; i++)
        if (random_chance(stream, .5))
            message_parts_add(parts, i);
}

static void random_status(struct random_stream *stream, struct message_status *status) {
    *status = (struct message_status){.flags = (uint8_t)random_below(stream, MESSAGE_STATUS_FLAGS_MAX + 1),
                                      .step = (uint8_t)random_below(stream, 5),
                                      .height = random_next(stream),
                                      .round = (uint32_t)random_next(stream),
                                      .locked_round = (int32_t)random_below(stream, 5) - 1,
                                      .valid_round = (int32_t)random_below(stream, 5) - 1,
                                      .committed = random_next(stream),
                                      .nonce = random_next(stream),
                                      .prevotes = random_next(stream),
                                      .precommits = random_next(stream),
                                      .valid_prevotes = random_next(stream)};
    random_bytes(stream, &status->block_id, HASH_BYTES);
    random_parts(stream, &status->parts);
    random_certificate(stream, &status->certificate);
}

static void random_now(struct random_stream *stream, struct any *any) {
    any->hello = (struct message_hello){.validator = (uint16_t)random_below(stream, VALIDATORS_MAX),
                                        .software = (uint32_t)random_next(stream),
                                        .height = random_next(stream)};
    random_bytes(stream, &any->hello.chain_id, HASH_BYTES);
    any->tx = (struct message_tx){any->data, 1 + (uint32_t)random_below(stream, DATA_MAX)};
    any->proposal.proposal = random_proposal(stream);
    any->block_part = (struct message_block_part){.height = random_next(stream),
                                                  .round = (uint32_t)random_next(stream),
                                                  .index = 4,
                                                  .count = 5 + (uint32_t)random_below(stream, 9),
                                                  .length = (uint32_t)random_below(stream, 11),
                                                  .data = any->data,
                                                  .bytes = 1 + (uint32_t)random_below(stream, DATA_MAX)};
    random_bytes(stream, any->block_part.path, sizeof any->block_part.path);
    any->vote.count = 1 + (uint32_t)random_below(stream, 4);
    for (uint32_t i = 0; i < any->vote.count; i++)
        any->vote.votes[i] = random_vote(stream);
    random_status(stream, &any->status);
    any->want = (struct message_want){.flags = 1 + (uint8_t)random_below(stream, MESSAGE_WANT_FLAGS_MAX),
                                      .height = random_next(stream),
                                      .round = (uint32_t)random_next(stream),
                                      .prevotes = random_next(stream),
                                      .precommits = random_next(stream)};
    random_parts(stream, &any->want.parts);
    random_certificate(stream, &any->commit_cert.certificate);
}

static void random_header(struct random_stream *stream, struct block_header *header) {
    memset(header, 0, sizeof *header);
    random_bytes(stream, &header->chain_id, HASH_BYTES);
    random_bytes(stream, &header->txs_root, HASH_BYTES);
    header->height = 2 + random_below(stream, 1000);
    header->proposer = (uint16_t)random_below(stream, 4);
    header->time_ms = random_below(stream, 1000);
}

static void random_bulk(struct random_stream *stream, struct any *any) {
    uint32_t bytes = 1 + (uint32_t)random_below(stream, DATA_MAX);
    any->catchup_req = (struct message_catchup_req){.kind = (uint8_t)(1 + random_below(stream, 2)),
                                                    .from = 1 + random_below(stream, 1000),
                                                    .count = (uint32_t)random_next(stream),
                                                    .offset = random_next(stream)};
    any->catchup_resp = (struct message_catchup_resp){.kind = (uint8_t)(1 + random_below(stream, 2)),
                                                      .height = 1 + random_below(stream, 1000),
                                                      .tip = random_next(stream),
                                                      .total = random_next(stream),
                                                      .offset = random_next(stream),
                                                      .data = any->data,
                                                      .bytes = (uint32_t)random_below(stream, DATA_MAX)};
    any->snap_req = (struct message_snap_req){random_next(stream), (uint32_t)random_next(stream)};
    any->snap_meta = (struct message_snap_meta){.height = 1 + random_below(stream, 1000),
                                                .total = 2u * MESSAGE_CHUNK_MAX + 1 + random_below(stream, 9),
                                                .count = 3,
                                                .hashes = any->data};
    random_header(stream, &any->snap_meta.header);
    random_certificate(stream, &any->snap_meta.certificate);
    any->snap_chunk = (struct message_snap_chunk){random_next(stream), 77, any->data, bytes};
    any->blob_req.first = (uint32_t)random_next(stream);
    any->blob_req.count = 1 + (uint32_t)random_below(stream, 1000);
    random_bytes(stream, &any->blob_req.blob_hash, HASH_BYTES);
    any->blob_resp = (struct message_blob_resp){.total = MESSAGE_CHUNK_MAX + bytes,
                                                .index = 1,
                                                .length = (uint32_t)random_below(stream, 11),
                                                .data = any->data,
                                                .bytes = bytes};
    random_bytes(stream, any->blob_resp.path, sizeof any->blob_resp.path);
    any->proof = (struct message_proof){any->data, bytes};
    any->model = (struct message_model){
        .proof = any->data, .proof_bytes = bytes, .blob = any->data, .blob_bytes = bytes};
}

/* A struct too large for the stack of some systems: allocated, with what its pointers point to. */
static struct any *random_any(struct random_stream *stream) {
    struct any *any = calloc(1, sizeof *any);
    random_bytes(stream, any->data, sizeof any->data);
    random_now(stream, any);
    random_bulk(stream, any);
    return any;
}

static void every_message_survives_a_round_trip(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_TEST);
    uint8_t *data = malloc(BYTES_MAX);
    for (int round = 0; round < 200; round++) {
        struct any *sent = random_any(&stream), *got = calloc(1, sizeof *got);
        for (uint32_t type = TYPES_BEGIN; type < MESSAGE_COUNT; type++) {
            size_t size = encode((enum message_type)type, sent, data, BYTES_MAX);
            assert_int_equal(decode((enum message_type)type, data, size), STATUS_OK);
        }
        size_t size = encode(MESSAGE_STATUS, sent, data, BYTES_MAX);
        assert_int_equal(decode_in_place(MESSAGE_STATUS, data, size, got), STATUS_OK);
        assert_int_equal(got->status.locked_round, sent->status.locked_round);
        assert_int_equal(got->status.valid_prevotes, sent->status.valid_prevotes);
        assert_memory_equal(got->status.parts.bits, sent->status.parts.bits, sizeof got->status.parts.bits);
        size = encode(MESSAGE_BLOCK_PART, sent, data, BYTES_MAX);
        assert_int_equal(decode_in_place(MESSAGE_BLOCK_PART, data, size, got), STATUS_OK);
        assert_int_equal(got->block_part.bytes, sent->block_part.bytes);
        assert_memory_equal(got->block_part.data, sent->data, sent->block_part.bytes);
        free(got);
        free(sent);
    }
    free(data);
}

/* Messages that end with bytes of any length: one byte less or more is another message. */
static bool ends_open(uint32_t type) {
    return type == MESSAGE_TX || type == MESSAGE_BLOCK_PART || type == MESSAGE_CATCHUP_RESP ||
           type == MESSAGE_SNAP_CHUNK || type == MESSAGE_BLOB_RESP || type == MESSAGE_PROOF ||
           type == MESSAGE_MODEL;
}

static void truncated_and_extended_payloads_are_refused(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 2, 0, RANDOM_TEST);
    struct any *sent = random_any(&stream);
    uint8_t *data = calloc(1, BYTES_MAX);
    for (uint32_t type = TYPES_BEGIN; type < MESSAGE_COUNT; type++) {
        memset(data, 0, BYTES_MAX);
        size_t size = encode((enum message_type)type, sent, data, BYTES_MAX - 1);
        for (size_t cut = 0; cut < size; cut++) {
            enum status status = decode((enum message_type)type, data, cut);
            assert_true(status == STATUS_INVALID || (ends_open(type) && status == STATUS_OK));
        }
        if (!ends_open(type))
            assert_int_equal(decode((enum message_type)type, data, size + 1), STATUS_INVALID);
    }
    free(data);
    free(sent);
}

static void a_changed_byte_is_refused_or_means_what_it_says(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 3, 0, RANDOM_TEST);
    struct any *sent = random_any(&stream);
    uint8_t *data = malloc(BYTES_MAX);
    for (uint32_t type = TYPES_BEGIN; type < MESSAGE_COUNT; type++) {
        size_t size = encode((enum message_type)type, sent, data, BYTES_MAX);
        for (size_t at = 0; at < size; at++)
            for (int bit = 0; bit < 8; bit++) {
                data[at] ^= (uint8_t)(1 << bit);
                enum status status = decode((enum message_type)type, data, size);
                assert_true(status == STATUS_INVALID || (status == STATUS_OK && at > 0)); /* 0: the version */
                data[at] ^= (uint8_t)(1 << bit);
            }
    }
    free(data);
    free(sent);
}

static void values_out_of_range_are_refused(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 4, 0, RANDOM_TEST);
    struct any *good = random_any(&stream), *bad = malloc(sizeof *bad);
    uint8_t *data = malloc(BYTES_MAX);
#define REFUSED(type, change)                                                                                \
    do {                                                                                                     \
        *bad = *good;                                                                                        \
        change;                                                                                              \
        size_t size = encode(type, bad, data, BYTES_MAX);                                                    \
        assert_int_equal(decode(type, data, size), STATUS_INVALID);                                          \
    } while (0)
    REFUSED(MESSAGE_HELLO, bad->hello.validator = VALIDATORS_MAX);
    REFUSED(MESSAGE_BLOCK_PART, bad->block_part.index = bad->block_part.count);
    REFUSED(MESSAGE_BLOCK_PART, bad->block_part.count = MESSAGE_PARTS_MAX + 1);
    REFUSED(MESSAGE_STATUS, bad->status.step = 5);
    REFUSED(MESSAGE_STATUS, bad->status.flags = MESSAGE_STATUS_FLAGS_MAX + 1);
    REFUSED(MESSAGE_STATUS, bad->status.locked_round = -2);
    REFUSED(MESSAGE_STATUS, bad->status.valid_round = INT32_MIN);
    REFUSED(MESSAGE_STATUS, (bad->status.parts.count = 3, bad->status.parts.bits[0] = 8));
    REFUSED(MESSAGE_WANT, bad->want.flags = 0);
    REFUSED(MESSAGE_WANT, bad->want.flags = MESSAGE_WANT_FLAGS_MAX + 1);
    REFUSED(MESSAGE_CATCHUP_REQ, bad->catchup_req.kind = 0);
    REFUSED(MESSAGE_CATCHUP_REQ, bad->catchup_req.from = 0);
    REFUSED(MESSAGE_CATCHUP_RESP, bad->catchup_resp.kind = 3);
    REFUSED(MESSAGE_SNAP_META, bad->snap_meta.height = 0);
    REFUSED(MESSAGE_SNAP_META, bad->snap_meta.total = 3u * MESSAGE_CHUNK_MAX + 1);
    REFUSED(MESSAGE_SNAP_META, bad->snap_meta.total = 2u * MESSAGE_CHUNK_MAX);
    REFUSED(MESSAGE_SNAP_CHUNK, bad->snap_chunk.index = MESSAGE_SNAP_CHUNKS_MAX);
    REFUSED(MESSAGE_BLOB_REQ, bad->blob_req.count = 0);
    REFUSED(MESSAGE_BLOB_RESP, bad->blob_resp.total = MESSAGE_CHUNK_MAX);
    REFUSED(MESSAGE_BLOB_RESP, bad->blob_resp.index = 2);
    REFUSED(MESSAGE_BLOB_RESP, bad->blob_resp.total = 0);
#undef REFUSED
    free(data);
    free(bad);
    free(good);
}

/* The least of each kind. */
static void shrink(struct any *any) {
    any->tx.bytes = any->block_part.bytes = any->snap_chunk.bytes = any->proof.bytes = 1;
    any->model.proof_bytes = any->model.blob_bytes = 1;
    any->block_part.length = any->blob_resp.length = any->catchup_resp.bytes = any->blob_resp.bytes = 0;
    any->vote.count = any->snap_meta.count = 1;
    any->status.flags = 0;
    any->status.parts.count = any->want.parts.count = 0;
    any->commit_cert.certificate.bitmap = any->snap_meta.certificate.bitmap = 1;
}

/* The most; `bulk` is 1 MiB. */
static void swell(struct any *any, const uint8_t *bulk) {
    any->tx = (struct message_tx){bulk, MESSAGE_TX_MAX};
    any->block_part.length = any->blob_resp.length = MESSAGE_PATH_MAX;
    any->block_part.data = any->snap_chunk.data = any->blob_resp.data = any->catchup_resp.data = bulk;
    any->block_part.bytes = any->snap_chunk.bytes = any->blob_resp.bytes = MESSAGE_CHUNK_MAX;
    any->catchup_resp.bytes = MESSAGE_CATCHUP_DATA_MAX;
    any->vote.count = MESSAGE_VOTES_MAX;
    for (uint32_t i = 0; i < MESSAGE_VOTES_MAX; i++)
        any->vote.votes[i] = any->vote.votes[0];
    any->status.flags = MESSAGE_STATUS_FLAGS_MAX;
    any->status.parts.count = any->want.parts.count = MESSAGE_PARTS_MAX;
    any->status.certificate.bitmap = any->commit_cert.certificate.bitmap = any->snap_meta.certificate.bitmap =
        UINT64_MAX;
    any->snap_meta.count = MESSAGE_SNAP_CHUNKS_MAX;
    any->snap_meta.hashes = bulk;
    any->proof = (struct message_proof){bulk, MESSAGE_PROOF_MAX};
    any->model = (struct message_model){
        .proof = bulk, .proof_bytes = 1, .blob = bulk, .blob_bytes = BYTES_MAX - MESSAGE_MODEL_BYTES(1, 0)};
}

static void the_table_states_the_real_sizes_and_directions(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 5, 0, RANDOM_TEST);
    struct any *least = random_any(&stream), *most = random_any(&stream);
    uint8_t *data = malloc(BYTES_MAX), *bulk = calloc(1, BYTES_MAX);
    shrink(least);
    swell(most, bulk);
    for (uint32_t type = TYPES_BEGIN; type < MESSAGE_COUNT; type++) {
        const struct message_info *info = message_info(type);
        assert_int_equal(encode((enum message_type)type, least, data, BYTES_MAX), info->bytes_min);
        assert_int_equal(encode((enum message_type)type, most, data, BYTES_MAX), info->bytes_max);
        assert_true(info->bytes_max <= BYTES_MAX);
        bool by_validators = (info->from_roles & 1u << ROLE_CHAIN) != 0;
        assert_true(by_validators || type == MESSAGE_MODEL);
    }
    assert_int_equal(message_info(MESSAGE_VOTE)->from_roles, 1u << ROLE_CHAIN);
    assert_int_equal(message_info(MESSAGE_TX)->from_roles, 1u << ROLE_CHAIN | 1u << ROLE_EDGE);
    assert_int_equal(message_info(MESSAGE_PROOF)->to_roles, 1u << ROLE_EDGE);
    assert_int_equal(message_info(MESSAGE_MODEL)->to_roles, 1u << ROLE_GATEWAY | 1u << ROLE_DEVICE);
    free(bulk);
    free(data);
    free(most);
    free(least);
}

static void what_a_hello_signs_covers_every_field(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 6, 0, RANDOM_TEST);
    struct any *any = random_any(&stream);
    uint8_t before[MESSAGE_HELLO_SIGN_BYTES], after[MESSAGE_HELLO_SIGN_BYTES];
    message_hello_sign_bytes(&any->hello, before);
#define COVERED(change)                                                                                      \
    do {                                                                                                     \
        struct message_hello other = any->hello;                                                             \
        change;                                                                                              \
        message_hello_sign_bytes(&other, after);                                                             \
        assert_memory_not_equal(before, after, sizeof after);                                                \
    } while (0)
    COVERED(other.chain_id.bytes[31] ^= 1);
    COVERED(other.validators_hash.bytes[0] ^= 1);
    COVERED(other.params_hash.bytes[0] ^= 1);
    COVERED(other.validator ^= 1);
    COVERED(other.software ^= 1);
    COVERED(other.height ^= UINT64_C(1) << 63);
#undef COVERED
    free(any);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_survives_a_round_trip),
        cmocka_unit_test(truncated_and_extended_payloads_are_refused),
        cmocka_unit_test(a_changed_byte_is_refused_or_means_what_it_says),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(the_table_states_the_real_sizes_and_directions),
        cmocka_unit_test(what_a_hello_signs_covers_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
