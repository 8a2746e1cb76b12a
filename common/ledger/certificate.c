/* certificate.c: the proof that a quorum of validators committed a block (block.h). */
#include "common/base/mutate.h"
#include "common/ledger/block.h"
#include "common/ledger/fields.h"

#define CERTIFICATE_BYTES_MIN (32u + 8u + 4u + 32u + 8u)

static uint32_t signature_count(uint64_t bitmap) {
    return (uint32_t)__builtin_popcountll(bitmap);
}

size_t certificate_bytes(const struct certificate *certificate) {
    return CERTIFICATE_BYTES_MIN + (size_t)SIGNATURE_BYTES * signature_count(certificate->bitmap);
}

void certificate_encode(struct bytes_writer *writer, const struct certificate *certificate) {
    fields_put_hash(writer, &certificate->chain_id);
    bytes_put_u64(writer, certificate->height);
    bytes_put_u32(writer, certificate->round);
    fields_put_hash(writer, &certificate->block_id);
    bytes_put_u64(writer, certificate->bitmap);
    bytes_put(writer, certificate->signatures,
              (size_t)SIGNATURE_BYTES * signature_count(certificate->bitmap));
}

enum status certificate_decode(struct bytes_reader *reader, struct certificate *certificate) {
    *certificate = (struct certificate){.chain_id = fields_get_hash(reader)};
    certificate->height = bytes_get_u64(reader);
    certificate->round = bytes_get_u32(reader);
    certificate->block_id = fields_get_hash(reader);
    certificate->bitmap = bytes_get_u64(reader);
    fields_get(reader, certificate->signatures,
               (size_t)SIGNATURE_BYTES * signature_count(certificate->bitmap));
    bool formed = certificate->height > 0 && certificate->round <= INT32_MAX && certificate->bitmap != 0 &&
                  !hash_is_zero(&certificate->block_id);
    return !reader->failed && formed ? STATUS_OK : STATUS_INVALID;
}

struct hash certificate_hash(const struct certificate *certificate) {
    uint8_t data[CERTIFICATE_BYTES_MAX];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    certificate_encode(&writer, certificate);
    return hash_of("crt", data, writer.used);
}

static bool precommitted(const struct genesis *genesis, const struct certificate *certificate,
                         const struct signature *signature, uint16_t validator) {
    struct vote vote = {.type = VOTE_PRECOMMIT,
                        .height = certificate->height,
                        .round = certificate->round,
                        .validator = validator,
                        .block_id = certificate->block_id,
                        .signature = *signature};
    if (vote_valid(genesis, &vote))
        return true;
    vote.block_id = (struct hash){0};
    return MUTATE(NIL_CERTIFICATE, false, vote_valid(genesis, &vote));
}

/* Counting messages would take one validator's precommit for several. */
static bool signed_by(const struct genesis *genesis, const struct certificate *certificate,
                      const struct signature *signature, uint16_t validator) {
    uint16_t first = MUTATE(COUNT_MESSAGES, validator, 0);
    uint16_t last = MUTATE(COUNT_MESSAGES, validator, (uint16_t)(genesis->validator_count - 1));
    for (uint16_t i = first; i <= last; i++)
        if (precommitted(genesis, certificate, signature, i))
            return true;
    return false;
}

bool certificate_valid(const struct genesis *genesis, const struct certificate *certificate) {
    uint32_t quorum = quorum_size(genesis->validator_count);
    uint32_t count = 0;
    if (!hash_equal(&certificate->chain_id, &genesis->chain_id) || hash_is_zero(&certificate->block_id) ||
        signature_count(certificate->bitmap) < MUTATE(QUORUM_LESS_ONE, quorum, quorum - 1))
        return false;
    for (uint16_t i = 0; i < VALIDATORS_MAX; i++) {
        if ((certificate->bitmap >> i & 1) == 0)
            continue;
        if (i >= genesis->validator_count ||
            !signed_by(genesis, certificate, &certificate->signatures[count], i))
            return false;
        count++;
    }
    return true;
}
