#include "common/ledger/block.h"

#include <assert.h>
#include <stdlib.h>

#include "common/ledger/fields.h"
#include "common/ledger/merkle.h"
#include "common/ledger/transaction.h"

#define TYPE_OFFSET 2 /* of a transaction's type in its encoding */

void block_header_encode(struct bytes_writer *writer, const struct block_header *header) {
    bytes_put_u16(writer, BLOCK_VERSION);
    fields_put_hash(writer, &header->chain_id);
    bytes_put_u64(writer, header->height);
    fields_put_hash(writer, &header->prev_block_id);
    fields_put_hash(writer, &header->prev_cert_hash);
    fields_put_hash(writer, &header->txs_root);
    bytes_put_u32(writer, header->tx_count);
    bytes_put_u64(writer, header->body_bytes);
    fields_put_hash(writer, &header->evidence_root);
    fields_put_hash(writer, &header->state_root);
    fields_put_hash(writer, &header->history_root);
    fields_put_hash(writer, &header->validators_hash);
    fields_put_hash(writer, &header->params_hash);
    bytes_put_u16(writer, header->proposer);
    bytes_put_u64(writer, header->time_ms);
}

enum status block_header_decode(struct bytes_reader *reader, struct block_header *header) {
    uint16_t version = bytes_get_u16(reader);
    *header = (struct block_header){.chain_id = fields_get_hash(reader)};
    header->height = bytes_get_u64(reader);
    header->prev_block_id = fields_get_hash(reader);
    header->prev_cert_hash = fields_get_hash(reader);
    header->txs_root = fields_get_hash(reader);
    header->tx_count = bytes_get_u32(reader);
    header->body_bytes = bytes_get_u64(reader);
    header->evidence_root = fields_get_hash(reader);
    header->state_root = fields_get_hash(reader);
    header->history_root = fields_get_hash(reader);
    header->validators_hash = fields_get_hash(reader);
    header->params_hash = fields_get_hash(reader);
    header->proposer = bytes_get_u16(reader);
    header->time_ms = bytes_get_u64(reader);
    bool formed = version == BLOCK_VERSION && header->height > 0 && header->tx_count <= BLOCK_TXS_MAX &&
                  header->proposer < VALIDATORS_MAX;
    return !reader->failed && formed ? STATUS_OK : STATUS_INVALID;
}

struct hash block_id_of(const struct block_header *header) {
    uint8_t data[BLOCK_HEADER_BYTES];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    block_header_encode(&writer, header);
    assert(!writer.failed && writer.used == sizeof data);
    return hash_of("blk", data, sizeof data);
}

/* The fields of a header that follow from the body. */
static void commit_to_body(struct block_header *header, const struct block_tx *txs, uint32_t tx_count,
                           const struct certificate *prev_cert) {
    struct merkle_frontier all = {0}, evidence = {0};
    for (uint32_t i = 0; i < tx_count; i++) {
        struct hash leaf = merkle_leaf(txs[i].data, txs[i].bytes);
        merkle_frontier_add(&all, &leaf);
        if (txs[i].data[TYPE_OFFSET] == TX_EVIDENCE)
            merkle_frontier_add(&evidence, &leaf);
    }
    header->tx_count = tx_count;
    header->txs_root = merkle_frontier_root(&all);
    header->evidence_root = merkle_frontier_root(&evidence);
    memset(&header->prev_cert_hash, 0, sizeof header->prev_cert_hash);
    if (prev_cert != NULL)
        header->prev_cert_hash = certificate_hash(prev_cert);
}

enum status block_build(struct block_header *header, const struct block_tx *txs, uint32_t tx_count,
                        const struct certificate *prev_cert, uint8_t **data, size_t *size) {
    assert(tx_count <= BLOCK_TXS_MAX && (prev_cert == NULL) == (header->height == 1));
    size_t cert_bytes = prev_cert == NULL ? 0 : certificate_bytes(prev_cert);
    size_t body_bytes = 4 + 4 + cert_bytes;
    for (uint32_t i = 0; i < tx_count; i++) {
        assert(txs[i].bytes >= TRANSACTION_BYTES_MIN);
        body_bytes += 4 + (size_t)txs[i].bytes;
    }
    commit_to_body(header, txs, tx_count, prev_cert);
    header->body_bytes = body_bytes;
    *size = BLOCK_HEADER_BYTES + body_bytes;
    *data = malloc(*size);
    if (*data == NULL)
        return STATUS_MEMORY;
    struct bytes_writer writer = bytes_writer_over(*data, *size);
    block_header_encode(&writer, header);
    bytes_put_u32(&writer, tx_count);
    for (uint32_t i = 0; i < tx_count; i++) {
        bytes_put_u32(&writer, txs[i].bytes);
        bytes_put(&writer, txs[i].data, txs[i].bytes);
    }
    bytes_put_u32(&writer, (uint32_t)cert_bytes);
    if (prev_cert != NULL)
        certificate_encode(&writer, prev_cert);
    assert(!writer.failed && writer.used == *size);
    return STATUS_OK;
}

/* Room for the transactions is taken only when that many fit into what is left. */
static enum status open_txs(struct bytes_reader *reader, struct block *block) {
    uint32_t count = bytes_get_u32(reader);
    if (reader->failed || count != block->header.tx_count ||
        count > bytes_left(reader) / (4 + TRANSACTION_BYTES_MIN))
        return STATUS_INVALID;
    if (count == 0)
        return STATUS_OK;
    block->txs = calloc(count, sizeof *block->txs);
    if (block->txs == NULL)
        return STATUS_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bytes = bytes_get_u32(reader);
        block->txs[i] = (struct block_tx){.data = bytes_get(reader, bytes), .bytes = bytes};
        if (reader->failed || bytes < TRANSACTION_BYTES_MIN)
            return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status open_prev_cert(struct bytes_reader *reader, struct block *block) {
    uint32_t bytes = bytes_get_u32(reader);
    if (reader->failed || bytes != bytes_left(reader))
        return STATUS_INVALID;
    block->has_prev_cert = block->header.height > 1;
    if (!block->has_prev_cert)
        return bytes == 0 ? STATUS_OK : STATUS_INVALID;
    TRY(certificate_decode(reader, &block->prev_cert));
    return bytes_done(reader) ? STATUS_OK : STATUS_INVALID;
}

static bool committed_to_body(const struct block *block) {
    struct block_header expected = block->header;
    commit_to_body(&expected, block->txs, block->header.tx_count,
                   block->has_prev_cert ? &block->prev_cert : NULL);
    return hash_equal(&expected.txs_root, &block->header.txs_root) &&
           hash_equal(&expected.evidence_root, &block->header.evidence_root) &&
           hash_equal(&expected.prev_cert_hash, &block->header.prev_cert_hash);
}

enum status block_open(const uint8_t *data, size_t size, size_t bytes_max, struct block *block) {
    *block = (struct block){0};
    if (size > bytes_max)
        return STATUS_INVALID;
    struct bytes_reader reader = bytes_reader_over(data, size);
    TRY(block_header_decode(&reader, &block->header));
    if (block->header.body_bytes != bytes_left(&reader))
        return STATUS_INVALID;
    TRY(open_txs(&reader, block));
    TRY(open_prev_cert(&reader, block));
    return committed_to_body(block) ? STATUS_OK : STATUS_INVALID;
}

void block_close(struct block *block) {
    free(block->txs);
    block->txs = NULL;
}

void block_tx_leaves(const struct block *block, struct hash *leaves) {
    for (uint32_t i = 0; i < block->header.tx_count; i++)
        leaves[i] = merkle_leaf(block->txs[i].data, block->txs[i].bytes);
}

uint32_t block_part_count(uint64_t block_bytes) {
    assert(block_bytes <= UINT32_MAX);
    return (uint32_t)((block_bytes + PART_BYTES_MAX - 1) / PART_BYTES_MAX);
}

struct hash block_part_leaves(const uint8_t *data, size_t size, struct hash *leaves) {
    uint32_t count = block_part_count(size);
    for (uint32_t i = 0; i < count; i++) {
        size_t at = (size_t)i * PART_BYTES_MAX, left = size - at;
        leaves[i] = merkle_leaf(data + at, left < PART_BYTES_MAX ? left : PART_BYTES_MAX);
    }
    return merkle_root(leaves, count);
}
