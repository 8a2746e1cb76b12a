/* proof_make: light proofs as bytes, and where they come from. */
#include <stdlib.h>

#include "common/ledger/fields.h"
#include "common/ledger/proof.h"

size_t light_proof_bytes(const struct light_proof *proof) {
    return 1u + BLOCK_HEADER_BYTES + certificate_bytes(&proof->certificate) + 8u + 8u + 4u +
           (size_t)HASH_BYTES * proof->length + 4u + proof->leaf_bytes;
}

void light_proof_encode(struct bytes_writer *writer, const struct light_proof *proof) {
    bytes_put_u8(writer, proof->kind);
    block_header_encode(writer, &proof->header);
    certificate_encode(writer, &proof->certificate);
    bytes_put_u64(writer, proof->index);
    bytes_put_u64(writer, proof->count);
    bytes_put_u32(writer, proof->length);
    for (uint32_t i = 0; i < proof->length; i++)
        fields_put_hash(writer, &proof->path[i]);
    bytes_put_u32(writer, proof->leaf_bytes);
    bytes_put(writer, proof->leaf, proof->leaf_bytes);
}

enum status light_proof_decode(struct bytes_reader *reader, struct light_proof *proof) {
    *proof = (struct light_proof){.kind = bytes_get_u8(reader)};
    if (proof->kind != PROOF_TRANSACTION && proof->kind != PROOF_MODEL)
        return STATUS_INVALID;
    TRY(block_header_decode(reader, &proof->header));
    TRY(certificate_decode(reader, &proof->certificate));
    proof->index = bytes_get_u64(reader);
    proof->count = bytes_get_u64(reader);
    proof->length = bytes_get_u32(reader);
    if (reader->failed || proof->length > MERKLE_PATH_MAX)
        return STATUS_INVALID;
    for (uint32_t i = 0; i < proof->length; i++)
        proof->path[i] = fields_get_hash(reader);
    proof->leaf_bytes = bytes_get_u32(reader);
    if (reader->failed || proof->leaf_bytes == 0 || proof->leaf_bytes > LIGHT_PROOF_LEAF_BYTES_MAX)
        return STATUS_INVALID;
    proof->leaf = bytes_get(reader, proof->leaf_bytes);
    return proof->leaf == NULL ? STATUS_INVALID : STATUS_OK;
}

enum status light_proof_of_transaction(struct light_proof *proof, const struct block *block, uint32_t index) {
    uint32_t count = block->header.tx_count;
    if (index >= count)
        return STATUS_INVALID;
    struct hash *leaves = malloc(count * sizeof *leaves);
    if (leaves == NULL)
        return STATUS_MEMORY;
    block_tx_leaves(block, leaves);
    proof->kind = PROOF_TRANSACTION;
    proof->header = block->header;
    proof->index = index;
    proof->count = count;
    proof->length = merkle_inclusion(leaves, count, index, proof->path);
    proof->leaf = block->txs[index].data;
    proof->leaf_bytes = block->txs[index].bytes;
    free(leaves);
    return STATUS_OK;
}

enum status light_proof_of_model(struct light_proof *proof, const struct ledger_state *state,
                                 const struct hash *tx_id, uint8_t leaf[LEDGER_MODEL_BYTES_MAX]) {
    struct bytes_writer writer = bytes_writer_over(leaf, LEDGER_MODEL_BYTES_MAX);
    struct hash root = ledger_state_root(state);
    if (!hash_equal(&root, &proof->header.state_root))
        return STATUS_INVALID;
    proof->kind = PROOF_MODEL;
    TRY(ledger_state_prove(state, tx_id, &writer, &proof->index, &proof->count, proof->path, &proof->length));
    proof->leaf = leaf;
    proof->leaf_bytes = (uint32_t)writer.used;
    return STATUS_OK;
}
