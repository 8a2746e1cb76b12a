/* state_tree: the canonical encoding of the state and the tree over its leaves.
 *
 * The dump is u16 version, the leaf of the nonces, u32 count of models, the leaf of each, the leaf of the
 * evidence. Leaves delimit themselves:
 *   nonces    u8 1 | height u64 | transactions_total u64 | count u32 | nonce u64 ...
 *   model     u8 2 | tx_id | status u8 | task_id, sender, arch_id, sample_count u32 | height, fl_round,
 *             blob_bytes u64 | blob_hash | chunk_root | metric_input_hash | claimed i64 x 4 | attested u64 |
 *             open: value i64 x 4 of each validator in attested; accepted: decided_height u64, median i64 x 4
 *   evidence  u8 3 | accused u64 | accepted_total, rejected_total u64 | count u32 | (key | height u64 |
 *             accused u16) ... */
#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/ledger/fields.h"
#include "common/ledger/state_parts.h"

#define STATE_VERSION 1u
#define OFFENCE_BYTES (32u + 8u + 2u)
#define METRICS_BYTES (8u * METRIC_COUNT)
#define MODEL_FIXED_BYTES (1u + 32u + 1u + 4u * 4u + 3u * 8u + 3u * 32u + METRICS_BYTES + 8u)

/* ---- writing ---- */

static void put_metrics(struct bytes_writer *writer, const int64_t *metrics) {
    for (uint32_t i = 0; i < METRIC_COUNT; i++)
        bytes_put_i64(writer, metrics[i]);
}

static size_t nonces_bytes(const struct ledger_state *state) {
    return 1u + 8u + 8u + 4u + 8u * (size_t)state->genesis->sender_count;
}

static size_t model_bytes(const struct ledger_model *model) {
    size_t attested = (size_t)__builtin_popcountll(model->attested);
    return MODEL_FIXED_BYTES +
           (model->status == MODEL_OPEN ? attested * METRICS_BYTES : 8u + (size_t)METRICS_BYTES);
}

static size_t evidence_leaf_bytes(const struct ledger_state *state) {
    return 1u + 3u * 8u + 4u + (size_t)state->offence_count * OFFENCE_BYTES;
}

static void encode_nonces(struct bytes_writer *writer, const struct ledger_state *state) {
    bytes_put_u8(writer, STATE_LEAF_NONCES);
    bytes_put_u64(writer, state->height);
    bytes_put_u64(writer, state->transactions_total);
    bytes_put_u32(writer, state->genesis->sender_count);
    for (uint32_t i = 0; i < state->genesis->sender_count; i++)
        bytes_put_u64(writer, state->nonces[i]);
}

static void encode_model(struct bytes_writer *writer, const struct ledger_model *model) {
    bytes_put_u8(writer, STATE_LEAF_MODEL);
    fields_put_hash(writer, &model->tx_id);
    bytes_put_u8(writer, model->status);
    bytes_put_u32(writer, model->task_id);
    bytes_put_u32(writer, model->sender);
    bytes_put_u32(writer, model->arch_id);
    bytes_put_u32(writer, model->sample_count);
    bytes_put_u64(writer, model->height);
    bytes_put_u64(writer, model->fl_round);
    bytes_put_u64(writer, model->blob_bytes);
    fields_put_hash(writer, &model->blob_hash);
    fields_put_hash(writer, &model->chunk_root);
    fields_put_hash(writer, &model->metric_input_hash);
    put_metrics(writer, model->claimed_q32);
    bytes_put_u64(writer, model->attested);
    if (model->status == MODEL_ACCEPTED) {
        bytes_put_u64(writer, model->decided_height);
        put_metrics(writer, model->median_q32);
        return;
    }
    for (uint32_t validator = 0; validator < VALIDATORS_MAX; validator++)
        if ((model->attested >> validator & 1) != 0)
            put_metrics(writer, model->values + (size_t)validator * METRIC_COUNT);
}

static void encode_evidence(struct bytes_writer *writer, const struct ledger_state *state) {
    bytes_put_u8(writer, STATE_LEAF_EVIDENCE);
    bytes_put_u64(writer, state->accused);
    bytes_put_u64(writer, state->accepted_total);
    bytes_put_u64(writer, state->rejected_total);
    bytes_put_u32(writer, state->offence_count);
    for (uint32_t i = 0; i < state->offence_count; i++) {
        fields_put_hash(writer, &state->offences[i].key);
        bytes_put_u64(writer, state->offences[i].height);
        bytes_put_u16(writer, state->offences[i].accused);
    }
}

size_t ledger_state_bytes(const struct ledger_state *state) {
    size_t bytes = 2u + nonces_bytes(state) + 4u + evidence_leaf_bytes(state);
    for (uint32_t i = 0; i < state->model_count; i++)
        bytes += model_bytes(&state->models[i]);
    return bytes;
}

void ledger_state_encode(struct bytes_writer *writer, const struct ledger_state *state) {
    bytes_put_u16(writer, STATE_VERSION);
    encode_nonces(writer, state);
    bytes_put_u32(writer, state->model_count);
    for (uint32_t i = 0; i < state->model_count; i++)
        encode_model(writer, &state->models[i]);
    encode_evidence(writer, state);
}

/* ---- the tree ---- */

static struct hash model_leaf(const struct ledger_model *model) {
    uint8_t bytes[LEDGER_MODEL_BYTES_MAX];
    struct bytes_writer writer = bytes_writer_over(bytes, sizeof bytes);
    encode_model(&writer, model);
    assert(!writer.failed && writer.used == model_bytes(model));
    return merkle_leaf(bytes, writer.used);
}

/* The leaf of everything that `encode` writes, `bytes` long. */
static struct hash large_leaf(const struct ledger_state *state, size_t bytes,
                              void (*encode)(struct bytes_writer *writer, const struct ledger_state *state)) {
    uint8_t *data = memory_grow(NULL, bytes, 1, "a leaf of the ledger's state");
    struct bytes_writer writer = bytes_writer_over(data, bytes);
    encode(&writer, state);
    assert(!writer.failed && writer.used == bytes);
    struct hash leaf = merkle_leaf(data, bytes);
    free(data);
    return leaf;
}

static struct hash nonces_leaf(const struct ledger_state *state) {
    return large_leaf(state, nonces_bytes(state), encode_nonces);
}

static struct hash evidence_leaf(const struct ledger_state *state) {
    return large_leaf(state, evidence_leaf_bytes(state), encode_evidence);
}

static struct hash known_leaf(const struct ledger_model *model) {
    return model->leaf_known ? model->leaf : model_leaf(model);
}

static struct hash root_of(const struct ledger_state *state,
                           struct hash (*leaf_of)(const struct ledger_model *model)) {
    struct merkle_frontier frontier = {0};
    struct hash leaf = nonces_leaf(state);
    merkle_frontier_add(&frontier, &leaf);
    for (uint32_t i = 0; i < state->model_count; i++) {
        leaf = leaf_of(&state->models[i]);
        merkle_frontier_add(&frontier, &leaf);
    }
    leaf = evidence_leaf(state);
    merkle_frontier_add(&frontier, &leaf);
    return merkle_frontier_root(&frontier);
}

struct hash state_root_naive(const struct ledger_state *state) {
    return root_of(state, model_leaf);
}

struct hash ledger_state_root(const struct ledger_state *state) {
    return state->root_known ? state->root : root_of(state, known_leaf);
}

void state_tree_refresh(struct ledger_state *state) {
    for (uint32_t i = 0; i < state->model_count; i++) {
        struct ledger_model *model = &state->models[i];
        if (model->leaf_known)
            continue;
        model->leaf = model_leaf(model);
        model->leaf_known = true;
    }
    state->root = root_of(state, known_leaf);
    state->root_known = true;
}

enum status ledger_state_prove(const struct ledger_state *state, const struct hash *tx_id,
                               struct bytes_writer *leaf, uint64_t *index, uint64_t *count,
                               struct hash path[MERKLE_PATH_MAX], uint32_t *length) {
    bool found;
    uint32_t place = state_model_place(state, tx_id, &found);
    if (!found)
        return STATUS_INVALID;
    *index = place + UINT64_C(1);
    *count = state->model_count + UINT64_C(2);
    struct hash *leaves = malloc(*count * sizeof *leaves);
    if (leaves == NULL)
        return STATUS_MEMORY;
    leaves[0] = nonces_leaf(state);
    for (uint32_t i = 0; i < state->model_count; i++)
        leaves[i + 1] = known_leaf(&state->models[i]);
    leaves[*count - 1] = evidence_leaf(state);
    *length = merkle_inclusion(leaves, *count, *index, path);
    free(leaves);
    encode_model(leaf, &state->models[place]);
    return leaf->failed ? STATUS_FULL : STATUS_OK;
}

/* ---- reading ---- */

static void get_metrics(struct bytes_reader *reader, int64_t *metrics) {
    for (uint32_t i = 0; i < METRIC_COUNT; i++)
        metrics[i] = bytes_get_i64(reader);
}

/* Everything but the values of an open model. */
static bool decode_model(struct bytes_reader *reader, struct ledger_model *model) {
    *model = (struct ledger_model){0};
    if (bytes_get_u8(reader) != STATE_LEAF_MODEL)
        return false;
    model->tx_id = fields_get_hash(reader);
    model->status = bytes_get_u8(reader);
    model->task_id = bytes_get_u32(reader);
    model->sender = bytes_get_u32(reader);
    model->arch_id = bytes_get_u32(reader);
    model->sample_count = bytes_get_u32(reader);
    model->height = bytes_get_u64(reader);
    model->fl_round = bytes_get_u64(reader);
    model->blob_bytes = bytes_get_u64(reader);
    model->blob_hash = fields_get_hash(reader);
    model->chunk_root = fields_get_hash(reader);
    model->metric_input_hash = fields_get_hash(reader);
    get_metrics(reader, model->claimed_q32);
    model->attested = bytes_get_u64(reader);
    if (model->status == MODEL_ACCEPTED) {
        model->decided_height = bytes_get_u64(reader);
        get_metrics(reader, model->median_q32);
    }
    return !reader->failed && (model->status == MODEL_ACCEPTED || model->status == MODEL_OPEN);
}

enum status ledger_model_decode(const uint8_t *leaf, size_t size, struct ledger_model *model) {
    struct bytes_reader reader = bytes_reader_over(leaf, size);
    if (!decode_model(&reader, model))
        return STATUS_INVALID;
    if (model->status == MODEL_OPEN)
        bytes_get(&reader, (size_t)__builtin_popcountll(model->attested) * METRICS_BYTES);
    return bytes_done(&reader) ? STATUS_OK : STATUS_INVALID;
}

static bool decode_nonces(struct bytes_reader *reader, struct ledger_state *state) {
    uint32_t count = state->genesis->sender_count;
    if (bytes_get_u8(reader) != STATE_LEAF_NONCES)
        return false;
    state->height = bytes_get_u64(reader);
    state->transactions_total = bytes_get_u64(reader);
    if (bytes_get_u32(reader) != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        state->nonces[i] = bytes_get_u64(reader);
    return !reader->failed;
}

/* Could the rules have brought a model like this into a state of this height? */
static bool model_plausible(const struct ledger_state *state, const struct ledger_model *model) {
    const struct genesis *genesis = state->genesis;
    uint32_t validators = genesis->validator_count;
    uint32_t attested = (uint32_t)__builtin_popcountll(model->attested);
    if (model->task_id >= LEDGER_TASKS_MAX || model->sender >= genesis->sender_count ||
        model->blob_bytes > genesis->params.blob_bytes_max || model->height > state->height ||
        model->height == 0 || (validators < 64 && model->attested >> validators != 0))
        return false;
    if (model->status == MODEL_OPEN)
        return attested < quorum_size(validators) &&
               state->height - model->height <= genesis->params.evidence_age;
    return attested >= quorum_size(validators) && model->decided_height >= model->height &&
           model->decided_height <= state->height;
}

static enum status decode_one_model(struct bytes_reader *reader, struct ledger_state *state) {
    struct ledger_model model;
    uint32_t before = state->model_count;
    if (!decode_model(reader, &model) || !model_plausible(state, &model))
        return STATUS_INVALID;
    if (before > 0 && hash_compare(&state->models[before - 1].tx_id, &model.tx_id) >= 0)
        return STATUS_INVALID;
    if (model.status == MODEL_OPEN) {
        if (state->open_count >= state->genesis->params.open_models_max)
            return STATUS_INVALID;
        model.values = state_values_new(state->genesis);
        if (model.values == NULL)
            return STATUS_MEMORY;
        for (uint32_t validator = 0; validator < state->genesis->validator_count; validator++)
            if ((model.attested >> validator & 1) != 0)
                get_metrics(reader, model.values + (size_t)validator * METRIC_COUNT);
    }
    enum status status = reader->failed ? STATUS_INVALID : state_model_insert(state, &model);
    if (status != STATUS_OK)
        free(model.values);
    return status;
}

/* Of no task are there more accepted models than are kept. */
static bool tasks_bounded(const struct ledger_state *state) {
    uint32_t *counts = memory_grow(NULL, LEDGER_TASKS_MAX, sizeof *counts, "models by task");
    bool bounded = true;
    memset(counts, 0, LEDGER_TASKS_MAX * sizeof *counts);
    for (uint32_t i = 0; i < state->model_count; i++)
        if (state->models[i].status == MODEL_ACCEPTED &&
            ++counts[state->models[i].task_id] > state->genesis->params.models_kept)
            bounded = false;
    free(counts);
    return bounded;
}

static enum status decode_models(struct bytes_reader *reader, struct ledger_state *state) {
    uint32_t count = bytes_get_u32(reader);
    if (count > bytes_left(reader) / MODEL_FIXED_BYTES)
        return STATUS_INVALID;
    for (uint32_t i = 0; i < count; i++)
        TRY(decode_one_model(reader, state));
    return tasks_bounded(state) ? STATUS_OK : STATUS_INVALID;
}

static enum status decode_offence(struct bytes_reader *reader, struct ledger_state *state) {
    uint32_t before = state->offence_count;
    struct ledger_offence offence = {.key = fields_get_hash(reader)};
    offence.height = bytes_get_u64(reader);
    offence.accused = bytes_get_u16(reader);
    if (reader->failed || offence.height > state->height || offence.accused >= VALIDATORS_MAX ||
        state->height - offence.height >= state->genesis->params.evidence_age ||
        (state->accused >> offence.accused & 1) == 0)
        return STATUS_INVALID;
    if (before > 0 && hash_compare(&state->offences[before - 1].key, &offence.key) >= 0)
        return STATUS_INVALID;
    return state_offence_insert(state, &offence);
}

static enum status decode_evidence(struct bytes_reader *reader, struct ledger_state *state) {
    uint32_t validators = state->genesis->validator_count;
    if (bytes_get_u8(reader) != STATE_LEAF_EVIDENCE)
        return STATUS_INVALID;
    state->accused = bytes_get_u64(reader);
    state->accepted_total = bytes_get_u64(reader);
    state->rejected_total = bytes_get_u64(reader);
    uint32_t count = bytes_get_u32(reader);
    if (count > bytes_left(reader) / OFFENCE_BYTES || (validators < 64 && state->accused >> validators != 0))
        return STATUS_INVALID;
    for (uint32_t i = 0; i < count; i++)
        TRY(decode_offence(reader, state));
    return STATUS_OK;
}

static enum status decode_parts(struct bytes_reader *reader, struct ledger_state *state) {
    if (bytes_get_u16(reader) != STATE_VERSION || !decode_nonces(reader, state))
        return STATUS_INVALID;
    TRY(decode_models(reader, state));
    TRY(decode_evidence(reader, state));
    return bytes_done(reader) ? STATUS_OK : STATUS_INVALID;
}

enum status ledger_state_decode(struct ledger_state *state, const struct genesis *genesis,
                                const uint8_t *data, size_t size) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    *state = (struct ledger_state){.genesis = genesis};
    state->nonces = calloc(genesis->sender_count, sizeof *state->nonces);
    enum status status = state->nonces == NULL ? STATUS_MEMORY : decode_parts(&reader, state);
    if (status != STATUS_OK)
        ledger_state_close(state);
    else
        state_tree_refresh(state);
    return status;
}
