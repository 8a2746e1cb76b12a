#include "common/ledger/genesis.h"

#include <assert.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>

#include "common/base/memory.h"

#define GENESIS_VERSION 1u
#define GENESIS_VERSION_FLAGS 2u /* has flags, of which at least one is set: one encoding of each value */
#define FLAGS_BYTES 4u
#define FLAG_EXCLUDE_ACCUSED 1u
#define PARAMS_BYTES (7u * 4u + 8u + 8u + 8u)

static uint32_t flags_of(const struct chain_params *params) {
    return params->exclude_accused ? FLAG_EXCLUDE_ACCUSED : 0;
}

static void params_encode(struct bytes_writer *writer, const struct chain_params *params) {
    bytes_put_u32(writer, params->block_txs_max);
    bytes_put_u32(writer, params->block_bytes_max);
    bytes_put_u32(writer, params->blob_bytes_max);
    bytes_put_u32(writer, params->evidence_age);
    bytes_put_u32(writer, params->checkpoint_interval);
    bytes_put_u32(writer, params->models_kept);
    bytes_put_u32(writer, params->open_models_max);
    bytes_put_i64(writer, params->epsilon_q32);
    bytes_put_f64(writer, params->block_rate_hz);
    bytes_put_u64(writer, params->seed);
    if (flags_of(params) != 0)
        bytes_put_u32(writer, flags_of(params));
}

/* false: no encoding of any rules. */
static bool params_decode(struct bytes_reader *reader, uint16_t version, struct chain_params *params) {
    params->block_txs_max = bytes_get_u32(reader);
    params->block_bytes_max = bytes_get_u32(reader);
    params->blob_bytes_max = bytes_get_u32(reader);
    params->evidence_age = bytes_get_u32(reader);
    params->checkpoint_interval = bytes_get_u32(reader);
    params->models_kept = bytes_get_u32(reader);
    params->open_models_max = bytes_get_u32(reader);
    params->epsilon_q32 = bytes_get_i64(reader);
    params->block_rate_hz = bytes_get_f64(reader);
    params->seed = bytes_get_u64(reader);
    params->exclude_accused = version == GENESIS_VERSION_FLAGS;
    return !params->exclude_accused || bytes_get_u32(reader) == FLAG_EXCLUDE_ACCUSED;
}

/* One encoding of each value: no NaN, no negative zero. */
static bool params_valid(const struct chain_params *params) {
    return params->block_txs_max > 0 && params->block_bytes_max > 0 && params->checkpoint_interval > 0 &&
           params->epsilon_q32 >= 0 && isfinite(params->block_rate_hz) && !signbit(params->block_rate_hz);
}

size_t genesis_bytes(const struct genesis *genesis) {
    return 2u + 4u + 4u + (size_t)PUBLIC_KEY_BYTES * genesis->sender_count + PARAMS_BYTES +
           (flags_of(&genesis->params) != 0 ? FLAGS_BYTES : 0);
}

/* The validators are the first senders, so their keys are written once. */
void genesis_encode(struct bytes_writer *writer, const struct genesis *genesis) {
    uint32_t submitters = genesis->sender_count - genesis->validator_count;
    bytes_put_u16(writer, flags_of(&genesis->params) != 0 ? GENESIS_VERSION_FLAGS : GENESIS_VERSION);
    bytes_put_u32(writer, genesis->validator_count);
    bytes_put_u32(writer, submitters);
    bytes_put(writer, genesis->validators, (size_t)PUBLIC_KEY_BYTES * genesis->validator_count);
    if (submitters > 0)
        bytes_put(writer, genesis->senders + genesis->validator_count, (size_t)PUBLIC_KEY_BYTES * submitters);
    params_encode(writer, &genesis->params);
}

void genesis_seal(struct genesis *genesis) {
    assert(genesis->validator_count > 0 && genesis->validator_count <= VALIDATORS_MAX);
    assert(genesis->sender_count >= genesis->validator_count && genesis->sender_count <= SUBMITTERS_MAX);
    assert(genesis->params.checkpoint_interval > 0);
    uint8_t params[PARAMS_BYTES + FLAGS_BYTES];
    struct bytes_writer writer = bytes_writer_over(params, sizeof params);
    params_encode(&writer, &genesis->params);
    genesis->params_hash = hash_of("prm", params, writer.used);
    genesis->validators_hash =
        hash_of("val", genesis->validators, (size_t)PUBLIC_KEY_BYTES * genesis->validator_count);
    size_t bytes = genesis_bytes(genesis);
    uint8_t *data = memory_grow(NULL, bytes, 1, "a genesis");
    writer = bytes_writer_over(data, bytes);
    genesis_encode(&writer, genesis);
    assert(!writer.failed && writer.used == bytes);
    genesis->chain_id = hash_of(NULL, data, bytes);
    free(data);
}

/* A key stands for one validator, and no submitter votes. */
static bool keys_distinct(const struct genesis *genesis) {
    for (uint32_t i = 0; i < genesis->validator_count; i++)
        for (uint32_t j = i + 1; j < genesis->sender_count; j++)
            if (memcmp(&genesis->senders[i], &genesis->senders[j], sizeof *genesis->senders) == 0)
                return false;
    return true;
}

enum status genesis_decode(struct bytes_reader *reader, struct public_key *senders, uint32_t capacity,
                           struct genesis *genesis) {
    *genesis = (struct genesis){.senders = senders};
    uint16_t version = bytes_get_u16(reader);
    uint32_t validators = bytes_get_u32(reader), submitters = bytes_get_u32(reader);
    if (reader->failed || version < GENESIS_VERSION || version > GENESIS_VERSION_FLAGS || validators == 0 ||
        validators > VALIDATORS_MAX || submitters > SUBMITTERS_MAX - validators ||
        validators + submitters > capacity)
        return STATUS_INVALID;
    genesis->validator_count = validators;
    genesis->sender_count = validators + submitters;
    size_t bytes = (size_t)PUBLIC_KEY_BYTES * genesis->sender_count;
    const uint8_t *keys = bytes_get(reader, bytes);
    bool rules = params_decode(reader, version, &genesis->params);
    if (keys == NULL || !rules || reader->failed || !params_valid(&genesis->params))
        return STATUS_INVALID;
    memcpy(senders, keys, bytes);
    memcpy(genesis->validators, keys, (size_t)PUBLIC_KEY_BYTES * validators);
    if (!keys_distinct(genesis))
        return STATUS_INVALID;
    genesis_seal(genesis);
    return STATUS_OK;
}

void signing_key_from_seed(const uint8_t seed[32], struct signing_key *key) {
    _Static_assert(sizeof key->secret == crypto_sign_SECRETKEYBYTES, "libsodium's form of a secret key");
    _Static_assert(crypto_sign_SEEDBYTES == 32 && SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");
    crypto_sign_seed_keypair(key->public.bytes, key->secret, seed);
}

struct signature signature_make(const struct signing_key *key, const void *data, size_t size) {
    struct signature signature;
    crypto_sign_detached(signature.bytes, NULL, data, size, key->secret);
    return signature;
}

bool signature_valid(const struct signature *signature, const struct public_key *key, const void *data,
                     size_t size) {
    return crypto_sign_verify_detached(signature->bytes, data, size, key->bytes) == 0;
}
