/* validator_proofs: what convinces those who submitted that their transaction is on chain, and those who
 * serve models that one is accepted. */
#include <stdlib.h>
#include <string.h>

#include "common/ledger/proof.h"
#include "nodes/chain/validator_state.h"

#define SCAN_HEIGHTS_MAX 256u /* how far back an old transaction is looked for */

/* ---- where transactions stand ---- */

static uint64_t fingerprint(const struct hash *id) {
    uint64_t word;
    memcpy(&word, id->bytes, sizeof word);
    return word;
}

static struct validator_place *place_of(struct validator *validator, const struct hash *id) {
    return &validator->places[fingerprint(id) & (VALIDATOR_PLACES_MAX - 1)];
}

/* One of a few neighbouring places; a mark is cleared when its proof is sent, so that marks of transactions
 * that wait are not overwritten by those that come after. */
#define DIRECT_PROBES 8u

static uint64_t *direct_place(const struct validator *validator, uint64_t mark, uint64_t wanted) {
    for (uint64_t i = 0; i < DIRECT_PROBES; i++) {
        uint64_t *place = &validator->direct[(mark + i) & (VALIDATOR_PLACES_MAX - 1)];
        if (*place == wanted)
            return place;
    }
    return NULL;
}

void validator_note_direct(struct validator *validator, const struct hash *id) {
    uint64_t mark = fingerprint(id), *place = direct_place(validator, mark, mark);
    if (place == NULL)
        place = direct_place(validator, mark, 0);
    if (place == NULL)
        place = &validator->direct[mark & (VALIDATOR_PLACES_MAX - 1)];
    *place = mark;
}

static bool take_direct(struct validator *validator, const struct hash *id) {
    uint64_t mark = fingerprint(id), *place = direct_place(validator, mark, mark);
    if (place != NULL)
        *place = 0;
    return place != NULL;
}

void validator_remember_block(struct validator *validator, const struct block *block) {
    for (uint32_t i = 0; i < block->header.tx_count; i++) {
        struct hash id = transaction_id(block->txs[i].data, block->txs[i].bytes);
        *place_of(validator, &id) =
            (struct validator_place){.id = id, .height = block->header.height, .index = i};
    }
}

/* ---- trees ---- */

/* All levels of the tree of RFC 6962 over the transactions of a block, so that each proof costs its length: a
 * last node without a partner goes up as it is, which is the split at the largest power of two. */
struct tree {
    struct hash *nodes; /* owned; level after level */
    uint32_t begin[MERKLE_PATH_MAX], size[MERKLE_PATH_MAX];
    uint32_t levels;
};

static enum status grow_tree(struct tree *tree, const struct block *block) {
    uint32_t count = block->header.tx_count;
    *tree = (struct tree){.nodes = malloc(((size_t)count * 2 + MERKLE_PATH_MAX) * sizeof *tree->nodes)};
    if (tree->nodes == NULL)
        return STATUS_MEMORY;
    block_tx_leaves(block, tree->nodes);
    tree->size[0] = count;
    tree->levels = 1;
    while (tree->size[tree->levels - 1] > 1) {
        uint32_t below = tree->begin[tree->levels - 1], size = tree->size[tree->levels - 1];
        uint32_t begin = below + size;
        tree->begin[tree->levels] = begin;
        tree->size[tree->levels] = (size + 1) / 2;
        for (uint32_t i = 0; i < size; i += 2)
            tree->nodes[begin + i / 2] =
                i + 1 < size ? merkle_node(&tree->nodes[below + i], &tree->nodes[below + i + 1])
                             : tree->nodes[below + i];
        tree->levels++;
    }
    return STATUS_OK;
}

static uint32_t path_of(const struct tree *tree, uint32_t index, struct hash path[MERKLE_PATH_MAX]) {
    uint32_t length = 0;
    for (uint32_t level = 0; level + 1 < tree->levels; level++, index /= 2) {
        uint32_t sibling = index ^ 1u;
        if (sibling < tree->size[level])
            path[length++] = tree->nodes[tree->begin[level] + sibling];
    }
    return length;
}

/* ---- sending ---- */

static void send_proof(struct validator *validator, uint32_t node, const struct light_proof *proof) {
    size_t bytes = light_proof_bytes(proof);
    if (bytes > MESSAGE_PROOF_MAX ||
        topology_link_between(validator->env->topology, validator->env->self, node) == TOPOLOGY_NONE)
        return;
    struct bytes_writer writer = outbox_reserve(validator->out, bytes + 1);
    if (writer.data == NULL)
        return; /* the outbox remembers why */
    bytes_put_u8(&writer, MESSAGE_VERSION);
    light_proof_encode(&writer, proof);
    outbox_send_reserved(validator->out, node, MESSAGE_PROOF, &writer, 0, VALIDATOR_ORDINARY);
}

/* Transaction `index` of a block, proven to `node`. */
struct recipient {
    uint32_t node, index;
};

static bool decode(const struct block_tx *encoded, struct transaction *tx) {
    return transaction_decode(encoded->data, encoded->bytes, tx) == STATUS_OK;
}

static void send_transaction_proof(struct validator *validator, const struct block *block,
                                   const struct certificate *certificate, const struct tree *tree,
                                   struct recipient to) {
    struct light_proof proof = {.kind = PROOF_TRANSACTION,
                                .header = block->header,
                                .certificate = *certificate,
                                .index = to.index,
                                .count = block->header.tx_count,
                                .leaf_bytes = block->txs[to.index].bytes,
                                .leaf = block->txs[to.index].data};
    proof.length = path_of(tree, to.index, proof.path);
    send_proof(validator, to.node, &proof);
}

enum status validator_send_proofs(struct validator *validator, const struct block *block,
                                  const struct certificate *certificate) {
    struct tree tree = {.nodes = NULL};
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < block->header.tx_count && status == STATUS_OK; i++) {
        struct hash id = transaction_id(block->txs[i].data, block->txs[i].bytes);
        if (!take_direct(validator, &id))
            continue;
        if (tree.nodes == NULL)
            status = grow_tree(&tree, block);
        struct transaction tx;
        if (status == STATUS_OK && decode(&block->txs[i], &tx) && tx.sender >= validator->count)
            send_transaction_proof(validator, block, certificate, &tree,
                                   (struct recipient){validator->chain->node_of_sender[tx.sender], i});
    }
    free(tree.nodes);
    return status;
}

/* ---- models ---- */

/* The registry as `state` has it, under the header that follows that state. */
static void send_model_proof(struct validator *validator, const struct ledger_state *state,
                             const struct ledger_model *model, const struct light_proof *under,
                             uint32_t node) {
    uint8_t leaf[LEDGER_MODEL_BYTES_MAX];
    struct light_proof proof = *under;
    if (light_proof_of_model(&proof, state, &model->tx_id, leaf) == STATUS_OK)
        send_proof(validator, node, &proof);
}

void validator_send_model_proofs(struct validator *validator, const struct block_header *header,
                                 const struct certificate *certificate) {
    const struct ledger_state *state = &validator->state;
    struct light_proof under = {.kind = PROOF_MODEL, .header = *header, .certificate = *certificate};
    for (uint32_t i = 0; i < state->model_count; i++) {
        const struct ledger_model *model = &state->models[i];
        if (model->status != MODEL_ACCEPTED || model->decided_height != validator->committed)
            continue;
        for (uint32_t sender = validator->count; sender < validator->genesis->sender_count; sender++)
            send_model_proof(validator, state, model, &under, validator->chain->node_of_sender[sender]);
    }
}

/* Only the header after a state proves it: the tip proves the state before the tip. What that cannot show, or
 * was lost with a crash, the next block will: one is made even if nothing else waits. */
static void prove_model_again(struct validator *validator, uint32_t node, const struct hash *id) {
    const struct ledger_model *now = ledger_state_model(&validator->state, id);
    if (now == NULL || now->status != MODEL_ACCEPTED)
        return;
    const struct ledger_model *before =
        validator->before.genesis != NULL ? ledger_state_model(&validator->before, id) : NULL;
    if (before == NULL || before->status != MODEL_ACCEPTED) {
        validator->header_due = true;
        validator_wake(validator);
        return;
    }
    struct light_proof under = {
        .kind = PROOF_MODEL, .header = validator->tip, .certificate = validator->tip_certificate};
    send_model_proof(validator, &validator->before, before, &under, node);
}

/* ---- again ---- */

/* Proves a transaction if it stands in the block of `height`. */
static enum status prove_from(struct validator *validator, uint64_t height, const struct hash *id,
                              uint32_t node, bool *found) {
    uint8_t *data = NULL;
    size_t bytes;
    struct certificate certificate;
    struct block block = {.txs = NULL};
    struct tree tree = {.nodes = NULL};
    enum status status = ledger_store_get_block(validator->store, height, &data, &bytes, &certificate);
    if (status == STATUS_FAILED)
        catch_up_damaged(&validator->catch_up, height, validator->now_ns, validator->out);
    if (status != STATUS_OK) /* below a checkpoint, or damaged */
        return status == STATUS_MEMORY || status == STATUS_IO ? status : STATUS_OK;
    validator->read_bytes += bytes;
    status = block_open(data, bytes, validator->block_bytes_max, &block);
    for (uint32_t i = 0; status == STATUS_OK && i < block.header.tx_count && !*found; i++) {
        struct hash of = transaction_id(block.txs[i].data, block.txs[i].bytes);
        *found = hash_equal(&of, id);
        if (*found && (status = grow_tree(&tree, &block)) == STATUS_OK)
            send_transaction_proof(validator, &block, &certificate, &tree, (struct recipient){node, i});
    }
    free(tree.nodes);
    block_close(&block);
    free(data);
    return status == STATUS_MEMORY ? status : STATUS_OK;
}

static enum status find_and_prove(struct validator *validator, const struct hash *id, uint32_t node,
                                  bool *found) {
    const struct validator_place *place = place_of(validator, id);
    if (hash_equal(&place->id, id))
        return prove_from(validator, place->height, id, node, found);
    if (validator->scans == 0)
        return STATUS_OK;
    validator->scans--;
    uint64_t least = validator->committed > SCAN_HEIGHTS_MAX ? validator->committed - SCAN_HEIGHTS_MAX : 0;
    for (uint64_t height = validator->committed; height > least && !*found; height--)
        TRY(prove_from(validator, height, id, node, found));
    return STATUS_OK;
}

enum status validator_prove_again(struct validator *validator, uint32_t node, const uint8_t *data,
                                  size_t bytes) {
    struct hash id = transaction_id(data, bytes);
    bool found = false;
    TRY(find_and_prove(validator, &id, node, &found));
    if (found)
        prove_model_again(validator, node, &id);
    return STATUS_OK;
}
