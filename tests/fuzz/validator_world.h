/* validator_world: what is the same for every input of fuzz_validator: a genesis with all keys, a chain that
 * the others have in full and a validator's disk that has the beginning of it, other blocks that could come
 * next, and transactions. */
#ifndef TIERBED_TESTS_FUZZ_VALIDATOR_WORLD_H
#define TIERBED_TESTS_FUZZ_VALIDATOR_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "common/ledger/disk.h"
#include "nodes/chain/validator_state.h"

#define SELF 0u
#define VALIDATORS 4u
#define BASE 3u     /* heights committed here */
#define HEIGHTS 6u  /* heights that the others may have */
#define VARIANTS 4u /* of the block at BASE + 1: small (the one of the chain), two parts, empty, invalid */
#define TXS 4u

static const char text[] =
    "name: fuzz\nseed: 12\nnodes:\n  - {name: edge, role: edge, count: 2}\n"
    "  - {name: validator, role: chain, count: 4}\nlinks:\n"
    "  - {from: validator, to: validator, kind: ideal, delay: 1 ms}\n"
    "  - {from: edge, to: validator, kind: ideal, delay: 1 ms}\n"
    "  - {from: validator, to: edge, kind: ideal, delay: 1 ms}\n"
    "chain: {timeout: 100 ms, timeout_step: 50 ms, timeout_max: 1 s, status_interval: 50 ms, block_rate: 0 "
    "Hz, "
    "block_size: 80 kB, blob_size: 1 kB, mempool: 400, checkpoint: 2, empty_blocks: true}\n";

struct made {
    uint8_t *data;
    size_t bytes;
    struct hash id, parts_root, leaves[2];
    struct block_header header;
    struct certificate certificate;
    struct ledger_state state; /* after it */
};

struct world {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct chain *chain;
    const struct genesis *genesis;
    struct merkle_frontier history;
    struct made blocks[HEIGHTS + 1]; /* by height; 0: nothing but the state */
    struct made variants[VARIANTS];
    struct block_tx txs[TXS];
    uint8_t blob[64];
    struct ledger_disk *disk;
};

static struct world world;

static void check(bool fine) {
    if (!fine)
        abort();
}

static const struct signing_key *key_of(uint32_t sender) {
    return &world.chain->keys[world.chain->node_of_sender[sender]];
}

static struct block_tx make_tx(struct transaction tx, uint32_t sender) {
    static uint8_t data[TXS][70000];
    static uint32_t next;
    struct bytes_writer writer = bytes_writer_over(data[next++], sizeof *data);
    tx.chain_id = world.genesis->chain_id;
    tx.sender = sender;
    tx.expiry_height = 1000;
    transaction_sign(key_of(sender), &tx);
    transaction_encode(&writer, &tx);
    check(!writer.failed);
    return (struct block_tx){writer.data, (uint32_t)writer.used};
}

static struct block_tx make_records(uint16_t count, uint16_t record_bytes, uint64_t nonce) {
    static uint8_t ext[65535];
    struct bytes_writer writer = bytes_writer_over(ext, sizeof ext);
    bytes_put_u16(&writer, count);
    bytes_put_u16(&writer, record_bytes);
    return make_tx((struct transaction){.type = TX_RECORDS,
                                        .nonce = nonce,
                                        .ext = ext,
                                        .ext_bytes = (uint16_t)(writer.used + (size_t)count * record_bytes)},
                   VALIDATORS);
}

static void make_txs(void) {
    struct transaction model = {.type = TX_MODEL_UPDATE,
                                .nonce = 1,
                                .task_id = 1,
                                .sample_count = 10,
                                .blob_hash = blob_hash(world.blob, sizeof world.blob),
                                .blob_bytes = sizeof world.blob,
                                .chunk_root = blob_chunk_root(world.blob, sizeof world.blob)};
    world.txs[0] = make_records(2, 4, 1);
    world.txs[1] = make_records(200, 300, 3);
    world.txs[2] = make_records(20, 300, 203);
    world.txs[3] = make_tx(model, VALIDATORS + 1);
}

/* Ed25519 gives one signature for one message: what was signed once need not be signed again. */
static struct signature sign(uint32_t validator, const uint8_t bytes[SIGN_BYTES]) {
    static struct known {
        struct hash probe;
        struct signature signature;
    } known[4096];
    struct hash probe = hash_of(NULL, bytes, SIGN_BYTES);
    probe.bytes[0] ^= (uint8_t)(validator << 4);
    struct known *entry = &known[(probe.bytes[0] | probe.bytes[1] << 8) % 4096];
    if (!hash_equal(&entry->probe, &probe))
        *entry = (struct known){probe, signature_make(key_of(validator), bytes, SIGN_BYTES)};
    return entry->signature;
}

static struct vote make_vote(enum vote_type type, uint32_t validator, uint64_t height, uint32_t round,
                             const struct hash *value, uint32_t signer) {
    struct vote vote = {
        .type = type, .height = height, .round = round, .validator = (uint16_t)validator, .block_id = *value};
    uint8_t bytes[SIGN_BYTES];
    vote_sign_bytes(&world.genesis->chain_id, &vote, bytes);
    vote.signature = sign(signer, bytes);
    return vote;
}

static struct certificate certify(uint64_t height, uint32_t round, const struct hash *id, uint64_t bitmap) {
    struct certificate certificate = {.chain_id = world.genesis->chain_id,
                                      .height = height,
                                      .round = round,
                                      .block_id = *id,
                                      .bitmap = bitmap};
    uint32_t count = 0;
    for (uint32_t i = 0; i < VALIDATORS; i++)
        if (bitmap >> i & 1)
            certificate.signatures[count++] = make_vote(VOTE_PRECOMMIT, i, height, round, id, i).signature;
    return certificate;
}

/* A block on top of `before`, with transactions [first, first + count). */
static void make_block(struct made *made, const struct made *before, uint32_t first, uint32_t count,
                       bool sound) {
    uint64_t height = before->header.height + 1;
    struct hash root = merkle_frontier_root(&world.history);
    made->header = (struct block_header){.chain_id = world.genesis->chain_id,
                                         .height = height,
                                         .prev_block_id = before->id,
                                         .state_root = ledger_state_root(&before->state),
                                         .history_root = root,
                                         .validators_hash = world.genesis->validators_hash,
                                         .params_hash = world.genesis->params_hash,
                                         .proposer = (uint16_t)(height % VALIDATORS),
                                         .time_ms = 1000 * height};
    made->header.state_root.bytes[0] ^= !sound;
    check(block_build(&made->header, world.txs + first, count, height == 1 ? NULL : &before->certificate,
                      &made->data, &made->bytes) == STATUS_OK);
    made->id = block_id_of(&made->header);
    check(block_part_count(made->bytes) <= 2);
    made->parts_root = block_part_leaves(made->data, made->bytes, made->leaves);
    made->certificate = certify(height, 0, &made->id, 0xe);
    struct block_context context = {.genesis = world.genesis,
                                    .state = &before->state,
                                    .tip = height == 1 ? NULL : &before->header,
                                    .history_root = root};
    struct block block;
    check(block_open(made->data, made->bytes, made->bytes, &block) == STATUS_OK);
    check(!sound || block_valid_on(&context, &block, &made->state, NULL) == STATUS_OK);
    block_close(&block);
}

static void commit(struct ledger_store *store, const struct made *made) {
    uint8_t *state = malloc(ledger_state_bytes(&made->state));
    struct bytes_writer writer = bytes_writer_over(state, ledger_state_bytes(&made->state));
    ledger_state_encode(&writer, &made->state);
    struct ledger_commit decision = {.height = made->header.height,
                                     .block_id = made->id,
                                     .block = made->data,
                                     .block_bytes = made->bytes,
                                     .certificate = &made->certificate,
                                     .state = state,
                                     .state_bytes = writer.used};
    check(ledger_store_commit(store, &decision) == STATUS_OK);
    free(state);
}

static void make_chain(struct ledger_store *store) {
    check(ledger_state_init(&world.blocks[0].state, world.genesis) == STATUS_OK);
    for (uint64_t height = 1; height <= HEIGHTS; height++) {
        const struct made *before = &world.blocks[height - 1];
        make_block(&world.blocks[height], before, 0, height == BASE + 1, true);
        if (height == BASE + 1) {
            world.variants[0] = world.blocks[height];
            make_block(&world.variants[1], before, 1, 2, true);
            make_block(&world.variants[2], before, 0, 0, true);
            make_block(&world.variants[3], before, 0, 1, false);
        }
        if (height <= BASE)
            commit(store, &world.blocks[height]);
        struct hash leaf = merkle_leaf(world.blocks[height].id.bytes, HASH_BYTES);
        merkle_frontier_add(&world.history, &leaf);
    }
}

static void make_world(void) {
    static struct scenario_problems problems;
    struct ledger_store_config config = {.durability = DURABILITY_PROCESS};
    struct ledger_store *store;
    arena_init(&world.arena);
    check(scenario_load_text(text, sizeof text - 1, "text", NULL, 0, &world.arena, &world.scenario,
                             &problems) == STATUS_OK);
    check(topology_build(&world.scenario, &world.arena, &world.topology, NULL) == STATUS_OK);
    check(chain_open(&world.scenario, &world.topology, &world.chain, NULL) == STATUS_OK);
    world.genesis = &world.chain->genesis;
    /* else every input would begin with a proposal on disk */
    check(pacing_of(world.genesis->params.seed, BASE + 1, VALIDATORS, 0).first_proposer != SELF);
    make_txs();
    check(ledger_disk_open(&world.disk) == STATUS_OK);
    config.disk = world.disk;
    check(ledger_store_open(&config, &store, NULL) == STATUS_OK);
    make_chain(store);
    check(ledger_store_checkpoint(store) == STATUS_OK);
    ledger_store_close(store);
}

#endif
