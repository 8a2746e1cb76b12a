/* Fuzzes the dump of the ledger's state. First byte even: the rest is a dump. Odd: the rest edits a true one,
 * three bytes each: where (two), what; a lone byte at the end cuts it short. What loads must dump to the same
 * bytes and go on: a block may end on it, and its root is the one its content gives. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/ledger/state_parts.h"
#include "tests/fuzz/edits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VALIDATORS 4u

struct truth {
    struct genesis genesis;
    struct public_key senders[VALIDATORS + 1];
    uint8_t dump[4096];
    size_t bytes;
};

static void make_genesis(struct truth *truth) {
    struct genesis *genesis = &truth->genesis;
    *genesis = (struct genesis){.validator_count = VALIDATORS,
                                .sender_count = VALIDATORS + 1,
                                .senders = truth->senders,
                                .params = {.block_txs_max = 10,
                                           .block_bytes_max = 1000,
                                           .blob_bytes_max = 1000,
                                           .evidence_age = 5,
                                           .checkpoint_interval = 1,
                                           .models_kept = 2,
                                           .open_models_max = 3}};
    for (uint8_t i = 0; i <= VALIDATORS; i++)
        truth->senders[i].bytes[0] = i;
    memcpy(genesis->validators, truth->senders, sizeof *truth->senders * VALIDATORS);
    genesis_seal(genesis);
}

static struct hash add_model(struct ledger_state *state, uint64_t nonce) {
    struct transaction tx = {.type = TX_MODEL_UPDATE, .sender = VALIDATORS, .nonce = nonce};
    struct hash id = hash_of("model", &nonce, sizeof nonce);
    demand(ledger_state_apply_tx(state, &tx, &id, state->height + 1) == STATUS_OK);
    return id;
}

static void attest(struct ledger_state *state, uint32_t validator, uint64_t nonce, const struct hash *model) {
    uint8_t ext[ATTESTATION_BYTES];
    struct attestation attestation = {.tx_id = *model, .verdict = 1};
    struct bytes_writer writer = bytes_writer_over(ext, sizeof ext);
    attestation_encode(&writer, &attestation);
    struct transaction tx = {
        .type = TX_METRIC_ATTEST, .sender = validator, .nonce = nonce, .ext = ext, .ext_bytes = sizeof ext};
    demand(ledger_state_apply_tx(state, &tx, model, state->height + 1) == STATUS_OK);
}

/* One model accepted, one attested by two, one by none; two offences. */
static void make_dump(struct truth *truth) {
    struct ledger_state state;
    make_genesis(truth);
    demand(ledger_state_init(&state, &truth->genesis) == STATUS_OK);
    struct hash first = add_model(&state, 1), second = add_model(&state, 2);
    add_model(&state, 3);
    for (uint32_t i = 0; i < 3; i++)
        attest(&state, i, 1, &first);
    attest(&state, 0, 2, &second);
    attest(&state, 2, 2, &second);
    for (uint8_t i = 0; i < 2; i++) {
        struct ledger_offence offence = {.key = hash_of("offence", &i, 1), .height = 1, .accused = i};
        state.accused |= UINT64_C(1) << i;
        demand(state_offence_insert(&state, &offence) == STATUS_OK);
    }
    ledger_state_end_block(&state, 1);
    struct bytes_writer writer = bytes_writer_over(truth->dump, sizeof truth->dump);
    ledger_state_encode(&writer, &state);
    demand(!writer.failed && writer.used == ledger_state_bytes(&state));
    truth->bytes = writer.used;
    ledger_state_close(&state);
}

static void check_root(const struct ledger_state *state) {
    struct hash fast = ledger_state_root(state), naive = state_root_naive(state);
    demand(hash_equal(&fast, &naive));
}

static void check(const struct truth *truth, const uint8_t *data, size_t size) {
    struct ledger_state state;
    struct ledger_model model;
    ledger_model_decode(data, size, &model);
    if (ledger_state_decode(&state, &truth->genesis, data, size) != STATUS_OK)
        return;
    uint8_t *again = malloc(size);
    demand(again != NULL && ledger_state_bytes(&state) == size);
    struct bytes_writer writer = bytes_writer_over(again, size);
    ledger_state_encode(&writer, &state);
    demand(!writer.failed && writer.used == size && memcmp(again, data, size) == 0);
    free(again);
    check_root(&state);
    if (state.height < UINT64_MAX) {
        ledger_state_end_block(&state, state.height + 1);
        check_root(&state);
    }
    ledger_state_close(&state);
}

static void check_edited(const struct truth *truth, const uint8_t *edits, size_t count) {
    uint8_t dump[sizeof truth->dump];
    memcpy(dump, truth->dump, truth->bytes);
    check(truth, dump, fuzz_edit(dump, truth->bytes, edits, count));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct truth truth;
    if (truth.bytes == 0)
        make_dump(&truth);
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        check(&truth, data + 1, size - 1);
    else
        check_edited(&truth, data + 1, size - 1);
    return 0;
}
