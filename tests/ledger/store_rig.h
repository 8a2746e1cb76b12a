/* store_rig: a store on a disk in memory, and a validator's writing to it in miniature: at each height a
 * proposal, a prevote, a precommit with its lock, a model and the commit. What was acknowledged is remembered
 * outside, so that it can be asked for after whatever happened. */
#ifndef TIERBED_TESTS_LEDGER_STORE_RIG_H
#define TIERBED_TESTS_LEDGER_STORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/ledger/disk.h"
#include "common/ledger/store.h"
#include "common/ledger/transaction.h"

#define RIG_HEIGHTS_MAX 128u
#define RIG_BLOB_BYTES 700u

struct rig_block {
    struct hash id;
    uint8_t *data;
    size_t size;
    struct certificate certificate;
    uint8_t state[300];
};

struct rig {
    size_t block_bytes;
    struct rig_block blocks[RIG_HEIGHTS_MAX + 1]; /* by height; made when first asked for */
    struct ledger_disk *disk;
    struct ledger_store_config config;
    struct ledger_store *store;
    struct error error;
    /* acknowledged */
    uint64_t height;
    uint64_t signed_height;
    uint8_t signed_step;
};

static inline const struct rig_block *rig_block(struct rig *rig, uint64_t height) {
    assert_in_range(height, 1, RIG_HEIGHTS_MAX);
    struct rig_block *block = &rig->blocks[height];
    if (block->data != NULL)
        return block;
    struct block_header header = {.height = height, .time_ms = height};
    if (height > 1)
        header.prev_block_id = rig_block(rig, height - 1)->id;
    block->size = rig->block_bytes;
    block->data = malloc(block->size);
    assert_non_null(block->data);
    struct bytes_writer writer = bytes_writer_over(block->data, block->size);
    block_header_encode(&writer, &header);
    assert_false(writer.failed);
    for (size_t i = writer.used; i < block->size; i++)
        block->data[i] = (uint8_t)(i * (height + 3) + (i >> 8));
    block->id = block_id_of(&header);
    block->certificate = (struct certificate){.height = height, .block_id = block->id, .bitmap = 7};
    memset(block->certificate.signatures, (int)height, 3 * sizeof *block->certificate.signatures);
    memset(block->state, (int)height, sizeof block->state);
    return block;
}

static inline struct rig *rig_new(size_t block_bytes, enum ledger_durability durability) {
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig->block_bytes = block_bytes;
    assert_int_equal(ledger_disk_open(&rig->disk), STATUS_OK);
    rig->config =
        (struct ledger_store_config){.disk = rig->disk, .durability = durability, .restarted = false};
    return rig;
}

/* As a crash of the process: the disk stays. */
static inline void rig_kill(struct rig *rig) {
    ledger_store_close(rig->store);
    rig->store = NULL;
}

static inline void rig_free(struct rig *rig) {
    rig_kill(rig);
    ledger_disk_close(rig->disk);
    for (uint64_t height = 0; height <= RIG_HEIGHTS_MAX; height++)
        free(rig->blocks[height].data);
    free(rig);
}

/* Everything forgotten, as for a new validator; the blocks that were made are kept. */
static inline void rig_reset(struct rig *rig) {
    rig_kill(rig);
    ledger_disk_set_fault(rig->disk, DISK_SOUND, 0);
    ledger_disk_wipe(rig->disk);
    rig->height = rig->signed_height = 0;
    rig->signed_step = 0;
}

static inline enum status rig_open(struct rig *rig) {
    rig_kill(rig);
    return ledger_store_open(&rig->config, &rig->store, &rig->error);
}

static inline void rig_must_open(struct rig *rig, enum ledger_condition condition) {
    if (rig_open(rig) != STATUS_OK)
        fail_msg("%s", rig->error.text);
    assert_int_equal(ledger_store_condition(rig->store), condition);
}

/* The own message of (height, 0, step) with the lock that goes with it. */
static inline struct ledger_votes rig_votes(struct rig *rig, uint64_t height, uint8_t step) {
    const struct rig_block *block = rig_block(rig, height);
    struct ledger_votes votes = {.height = height, .step = step, .locked_round = -1, .valid_round = -1};
    memset(votes.sign_bytes, (int)(height * 4 + step), SIGN_BYTES);
    memset(votes.signature.bytes, step, SIGNATURE_BYTES);
    if (step == VOTE_PROPOSAL)
        votes.proposal = (struct proposal){.height = height,
                                           .valid_round = -1,
                                           .block_id = block->id,
                                           .part_count = 1,
                                           .block_bytes = block->size};
    if (step == VOTE_PRECOMMIT) {
        votes.locked_round = votes.valid_round = 0;
        votes.locked_block_id = votes.valid_block_id = block->id;
        votes.polka_bitmap = 11;
        memset(votes.polka, 5, 4 * sizeof *votes.polka);
    }
    return votes;
}

static inline enum status rig_vote(struct rig *rig, uint64_t height, uint8_t step) {
    const struct rig_block *block = rig_block(rig, height);
    struct ledger_votes votes = rig_votes(rig, height, step);
    enum status status = step == VOTE_PRECOMMIT
                             ? ledger_store_put_votes(rig->store, &votes, block->data, block->size)
                             : ledger_store_put_votes(rig->store, &votes, NULL, 0);
    if (status == STATUS_OK) {
        rig->signed_height = height;
        rig->signed_step = step;
    }
    return status;
}

static inline struct ledger_commit rig_commit_of(struct rig *rig, uint64_t height) {
    const struct rig_block *block = rig_block(rig, height);
    return (struct ledger_commit){.height = height,
                                  .block_id = block->id,
                                  .block = block->data,
                                  .block_bytes = block->size,
                                  .certificate = &block->certificate,
                                  .state = block->state,
                                  .state_bytes = sizeof block->state};
}

static inline enum status rig_commit(struct rig *rig, uint64_t height) {
    struct ledger_commit commit = rig_commit_of(rig, height);
    enum status status = ledger_store_commit(rig->store, &commit);
    if (status == STATUS_OK && height > rig->height)
        rig->height = height;
    return status;
}

static inline struct hash rig_blob(uint64_t height, uint8_t data[RIG_BLOB_BYTES]) {
    memset(data, (int)height, RIG_BLOB_BYTES);
    return blob_hash(data, RIG_BLOB_BYTES);
}

static inline enum status rig_put_blob(struct rig *rig, uint64_t height) {
    uint8_t data[RIG_BLOB_BYTES];
    struct hash hash = rig_blob(height, data);
    return ledger_store_put_blob(rig->store, &hash, data, sizeof data);
}

/* Goes on from where the store stands, up to and with `last`; stops at the first call that does not succeed.
 */
static inline enum status rig_work(struct rig *rig, uint64_t last) {
    for (uint64_t height = ledger_store_height(rig->store) + 1; height <= last; height++) {
        struct ledger_votes votes = {0};
        if (ledger_store_get_votes(rig->store, &votes) != STATUS_OK)
            votes.height = 0;
        for (uint8_t step = VOTE_PROPOSAL; step <= VOTE_PRECOMMIT; step++)
            if (votes.height < height || (votes.height == height && votes.step <= step))
                TRY(rig_vote(rig, height, step));
        TRY(rig_put_blob(rig, height));
        TRY(rig_commit(rig, height));
        if (height % 3 == 0) {
            uint8_t data[RIG_BLOB_BYTES];
            struct hash hash = rig_blob(height - 1, data);
            TRY(ledger_store_checkpoint(rig->store));
            TRY(ledger_store_drop_blob(rig->store, &hash));
        }
    }
    return STATUS_OK;
}

/* A life of `last` heights from the beginning. */
static inline void rig_live(struct rig *rig, uint64_t last) {
    rig_reset(rig);
    rig_must_open(rig, LEDGER_FRESH);
    assert_int_equal(rig_work(rig, last), STATUS_OK);
    rig_kill(rig);
}

/* Nothing that was acknowledged is missing, nothing is there that was not written. */
static inline void rig_check(struct rig *rig) {
    struct ledger_votes votes = {0};
    uint64_t tip = ledger_store_height(rig->store);
    assert_in_range(tip, rig->height, rig->height + 1);
    for (uint64_t height = 1; height <= tip; height++) {
        const struct rig_block *block = rig_block(rig, height);
        struct certificate certificate;
        uint8_t *data;
        size_t size;
        if (ledger_store_get_block(rig->store, height, &data, &size, &certificate) != STATUS_OK)
            fail_msg("%s", ledger_store_reason(rig->store));
        assert_int_equal(size, block->size);
        assert_memory_equal(data, block->data, size);
        assert_memory_equal(&certificate, &block->certificate, sizeof certificate);
        free(data);
    }
    if (rig->signed_height == 0)
        return;
    assert_int_equal(ledger_store_get_votes(rig->store, &votes), STATUS_OK);
    assert_true(votes.height > rig->signed_height ||
                (votes.height == rig->signed_height && votes.step >= rig->signed_step));
    struct ledger_votes written = rig_votes(rig, votes.height, votes.step);
    assert_memory_equal(votes.sign_bytes, written.sign_bytes, SIGN_BYTES);
    assert_true(hash_equal(&votes.locked_block_id, &written.locked_block_id));
    if (votes.step == VOTE_PRECOMMIT) {
        uint8_t *data;
        size_t size;
        assert_int_equal(ledger_store_get_proposal_block(rig->store, &votes.valid_block_id, &data, &size),
                         STATUS_OK);
        assert_memory_equal(data, rig_block(rig, votes.height)->data, size);
        free(data);
    }
}

#endif
