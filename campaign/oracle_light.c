/* oracle_light: a light client must take what was committed, and nothing that was bent since (I14). */
#include <stdlib.h>

#include "campaign/oracle.h"
#include "common/base/memory.h"

static bool accepts(const struct oracle *oracle, const struct light_proof *proof) {
    struct light_client client;
    light_client_init(&client, oracle->genesis);
    return light_client_check(&client, proof, NULL) == STATUS_OK;
}

/* A proof of one transaction of the block; false: it has none. */
static bool prove(const struct block *block, const struct certificate *certificate,
                  struct light_proof *proof) {
    if (block->header.tx_count == 0)
        return false;
    uint32_t index = (uint32_t)block->header.height % block->header.tx_count;
    struct hash *leaves = memory_grow(NULL, block->header.tx_count, sizeof *leaves, "campaign leaves");
    block_tx_leaves(block, leaves);
    *proof = (struct light_proof){.kind = PROOF_TRANSACTION,
                                  .header = block->header,
                                  .certificate = *certificate,
                                  .index = index,
                                  .count = block->header.tx_count,
                                  .leaf = block->txs[index].data,
                                  .leaf_bytes = block->txs[index].bytes};
    proof->length = merkle_inclusion(leaves, block->header.tx_count, index, proof->path);
    free(leaves);
    return true;
}

/* The certificate without its last signatures, down to q - 1. */
static void thin(const struct oracle *oracle, struct certificate *certificate) {
    for (int bit = 63; bit >= 0; bit--)
        if ((uint32_t)__builtin_popcountll(certificate->bitmap) >= oracle->quorum)
            certificate->bitmap &= ~(UINT64_C(1) << bit);
}

/* One signature in the place of all others. */
static void repeat(struct certificate *certificate) {
    for (uint32_t i = 1; i < VALIDATORS_MAX; i++)
        certificate->signatures[i] = certificate->signatures[0];
}

static void expect_refusal(struct oracle *oracle, const struct light_proof *proof, uint64_t height,
                           const char *what) {
    oracle->checks[I14_LIGHT_CLIENT]++;
    if (accepts(oracle, proof))
        oracle_violation(oracle, I14_LIGHT_CLIENT, height, "a light client takes %s", what);
}

void oracle_check_light(struct oracle *oracle, const struct oracle_block *committed, uint64_t height) {
    struct block block = {0};
    struct light_proof *proof = memory_grow(NULL, 1, sizeof *proof, "campaign proof");
    if (block_open(committed->data, committed->bytes, committed->bytes, &block) == STATUS_OK &&
        prove(&block, &committed->certificate, proof)) {
        oracle->checks[I14_LIGHT_CLIENT]++;
        if (!accepts(oracle, proof))
            oracle_violation(oracle, I14_LIGHT_CLIENT, height, "a light client refuses a committed header");
        struct light_proof good = *proof;
        thin(oracle, &proof->certificate);
        expect_refusal(oracle, proof, height, "q - 1 signatures");
        *proof = good;
        repeat(&proof->certificate);
        expect_refusal(oracle, proof, height, "one signature many times");
        *proof = good;
        proof->header.time_ms++;
        expect_refusal(oracle, proof, height, "another header");
        *proof = good;
        proof->certificate.round++;
        expect_refusal(oracle, proof, height, "a certificate of another round");
    }
    free(proof);
    block_close(&block);
}
