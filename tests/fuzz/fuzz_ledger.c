/* Fuzzes the decoders of the ledger: the first byte picks one, the rest is its input. Whatever is accepted
 * must encode to the very same bytes; checks that verify signatures and roots may refuse, never crash. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/ledger/block.h"
#include "common/ledger/evidence.h"
#include "common/ledger/transaction.h"

#define BYTES_MAX (1u << 20)

enum { VOTE, PROPOSAL, CERTIFICATE, HEADER, TRANSACTION, ATTESTATION, EVIDENCE, BLOCK, GENESIS, DECODERS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds) {
    if (!holds)
        abort();
}

static uint8_t again[BYTES_MAX + 1024];

static struct bytes_writer rewrite(void) {
    return bytes_writer_over(again, sizeof again);
}

static void expect_same(const struct bytes_writer *writer, const uint8_t *data, size_t size) {
    expect(!writer->failed && writer->used == size && memcmp(again, data, size) == 0);
}

/* A chain of four with keys that sign nothing: what is checked against it is refused. */
static const struct genesis *genesis_here(void) {
    static struct public_key senders[6];
    static struct genesis genesis = {.validator_count = 4,
                                     .sender_count = 6,
                                     .senders = senders,
                                     .params = {.block_txs_max = 100, .blob_bytes_max = 1000}};
    return &genesis;
}

static void try_fixed(uint8_t which, const uint8_t *data, size_t size) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct bytes_writer writer = rewrite();
    struct vote vote;
    struct proposal proposal;
    struct certificate certificate;
    struct block_header header;
    enum status status = which == VOTE          ? vote_decode(&reader, &vote)
                         : which == PROPOSAL    ? proposal_decode(&reader, &proposal)
                         : which == CERTIFICATE ? certificate_decode(&reader, &certificate)
                                                : block_header_decode(&reader, &header);
    if (status != STATUS_OK)
        return;
    if (which == VOTE) {
        vote_encode(&writer, &vote);
        expect(!vote_valid(genesis_here(), &vote));
    } else if (which == PROPOSAL) {
        proposal_encode(&writer, &proposal);
        expect(!proposal_valid(genesis_here(), &proposal));
    } else if (which == CERTIFICATE) {
        certificate_encode(&writer, &certificate);
        expect(!certificate_valid(genesis_here(), &certificate));
    } else {
        block_header_encode(&writer, &header);
    }
    expect_same(&writer, data, reader.used);
}

static void try_transaction(const uint8_t *data, size_t size) {
    struct bytes_writer writer = rewrite();
    struct transaction tx;
    if (transaction_decode(data, size, &tx) != STATUS_OK)
        return;
    transaction_encode(&writer, &tx);
    expect_same(&writer, data, size);
    expect(transaction_weight(&tx) > 0);
    expect(transaction_check(genesis_here(), &tx, data, size) != STATUS_OK);
}

static void try_attestation(const uint8_t *data, size_t size) {
    struct bytes_writer writer = rewrite();
    struct attestation attestation;
    if (attestation_decode(data, size, &attestation) != STATUS_OK)
        return;
    attestation_encode(&writer, &attestation);
    expect_same(&writer, data, size);
}

static void try_evidence(const uint8_t *data, size_t size) {
    struct bytes_writer writer = rewrite();
    struct evidence evidence;
    if (evidence_decode(data, size, &evidence) != STATUS_OK)
        return;
    evidence_encode(&writer, &evidence);
    expect_same(&writer, data, size);
    expect(!evidence_valid(genesis_here(), &evidence));
    (void)evidence_key(&evidence);
}

static void try_block(const uint8_t *data, size_t size) {
    struct block block;
    if (block_open(data, size, BYTES_MAX, &block) == STATUS_OK) {
        struct block_header header = block.header;
        uint8_t *built = NULL;
        size_t built_bytes = 0;
        expect(block_build(&header, block.txs, header.tx_count, block.has_prev_cert ? &block.prev_cert : NULL,
                           &built, &built_bytes) == STATUS_OK);
        expect(built_bytes == size && memcmp(built, data, size) == 0);
        free(built);
    }
    block_close(&block);
}

static void try_genesis(const uint8_t *data, size_t size) {
    static struct public_key senders[SUBMITTERS_MAX];
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct bytes_writer writer = rewrite();
    struct genesis genesis;
    if (genesis_decode(&reader, senders, SUBMITTERS_MAX, &genesis) != STATUS_OK)
        return;
    expect(genesis_bytes(&genesis) == reader.used);
    genesis_encode(&writer, &genesis);
    expect_same(&writer, data, reader.used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > BYTES_MAX)
        return 0;
    uint8_t which = data[0] % DECODERS;
    data++;
    size--;
    if (which <= HEADER)
        try_fixed(which, data, size);
    else if (which == TRANSACTION)
        try_transaction(data, size);
    else if (which == ATTESTATION)
        try_attestation(data, size);
    else if (which == EVIDENCE)
        try_evidence(data, size);
    else if (which == BLOCK)
        try_block(data, size);
    else
        try_genesis(data, size);
    return 0;
}
