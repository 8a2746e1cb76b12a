/* Goal: what waits for a block is checked, bounded and fair: a flood of one sender keeps nobody out, of two
 * bodies with one nonce the first stays, and every block that is picked may stand. Method: the pool is filled
 * through mempool_add only, blocks are picked from it and applied to the state (chain.md, 3.3 row 41). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nodes/chain/mempool.h"
#include "tests/lib/signer_rig.h"

#define EDGE 4u /* first sender that is no validator */
#define WAITING_MAX 100u

static struct signer_rig rig;
static struct ledger_state tip;
static struct mempool pool;

static int open_pool(void **state) {
    (void)state;
    signer_rig_open(&rig, 4, 4);
    rig.genesis.params.block_txs_max = 20;
    genesis_seal(&rig.genesis);
    struct mempool_config config = {
        .genesis = &rig.genesis, .txs_max = WAITING_MAX, .bytes_max = (size_t)1 << 20, .verified_max = 256};
    return mempool_init(&pool, &config) == STATUS_OK && ledger_state_init(&tip, &rig.genesis) == STATUS_OK
               ? 0
               : -1;
}

static int close_pool(void **state) {
    (void)state;
    mempool_close(&pool);
    ledger_state_close(&tip);
    return 0;
}

static enum mempool_verdict add(const struct transaction *tx) {
    struct block_tx encoded = signer_rig_encode(tx);
    enum mempool_verdict verdict = mempool_add(&pool, &tip, encoded.data, encoded.bytes);
    free((void *)encoded.data);
    return verdict;
}

static enum mempool_verdict add_records(uint32_t sender, uint64_t nonce, uint16_t records) {
    uint8_t *ext = malloc(4 + 4 * (size_t)records);
    assert_non_null(ext);
    struct transaction tx = signer_rig_records(&rig, sender, nonce, records, ext);
    enum mempool_verdict verdict = add(&tx);
    free(ext);
    return verdict;
}

static enum mempool_verdict add_model(uint32_t sender, uint64_t nonce, uint8_t content) {
    struct transaction tx = signer_rig_model(&rig, sender, nonce, &content, 1);
    return add(&tx);
}

static struct block_tx chosen[WAITING_MAX];

static struct mempool_pick pick_all(mempool_blob_held held, void *context) {
    struct mempool_pick pick = {.txs = chosen, .capacity = WAITING_MAX, .held = held, .context = context};
    assert_int_equal(mempool_pick(&pool, &tip, 0, &pick), STATUS_OK);
    return pick;
}

/* Applies what was picked, as the block of the next height. */
static void commit(const struct mempool_pick *pick) {
    for (uint32_t i = 0; i < pick->count; i++) {
        struct transaction tx;
        struct hash id = transaction_id(pick->txs[i].data, pick->txs[i].bytes);
        assert_int_equal(transaction_decode(pick->txs[i].data, pick->txs[i].bytes, &tx), STATUS_OK);
        assert_int_equal(ledger_state_check(&tip, &tx, tip.height + 1), STATUS_OK);
        assert_int_equal(ledger_state_apply_tx(&tip, &tx, &id, tip.height + 1), STATUS_OK);
    }
    ledger_state_end_block(&tip, tip.height + 1);
    mempool_committed(&pool, &tip);
}

static uint32_t sender_of(const struct block_tx *tx) {
    struct transaction decoded;
    assert_int_equal(transaction_decode(tx->data, tx->bytes, &decoded), STATUS_OK);
    return decoded.sender;
}

static void a_transaction_waits_is_picked_and_is_gone_when_committed(void **state) {
    (void)state;
    assert_false(mempool_pending(&pool));
    assert_int_equal(add_records(EDGE, 1, 3), MEMPOOL_NEW);
    assert_int_equal(add_records(EDGE, 4, 2), MEMPOOL_NEW);
    assert_true(mempool_pending(&pool));
    assert_int_equal(pool.weight, 5);
    struct mempool_pick pick = pick_all(NULL, NULL);
    assert_int_equal(pick.count, 2);
    commit(&pick);
    assert_int_equal(tip.nonces[EDGE], 5);
    assert_false(mempool_pending(&pool));
    assert_int_equal(pool.weight + pool.bytes, 0);
}

static void the_same_again_is_known_and_another_body_a_conflict(void **state) {
    (void)state;
    assert_int_equal(add_records(EDGE, 1, 3), MEMPOOL_NEW);
    assert_int_equal(add_records(EDGE, 1, 3), MEMPOOL_KNOWN);
    assert_int_equal(add_records(EDGE, 1, 4), MEMPOOL_CONFLICT);
    assert_int_equal(pool.count, 1);
    assert_int_equal(mempool_find(&pool, EDGE, 1)->weight, 3);
}

static void what_the_chain_has_seen_or_no_longer_takes_is_stale(void **state) {
    (void)state;
    assert_int_equal(add_records(EDGE, 1, 3), MEMPOOL_NEW);
    struct mempool_pick pick = pick_all(NULL, NULL);
    commit(&pick);
    assert_int_equal(add_records(EDGE, 1, 3), MEMPOOL_STALE);
    assert_int_equal(add_records(EDGE, 3, 1), MEMPOOL_STALE); /* the third record took nonce 3 */
    assert_int_equal(add_records(EDGE, 4, 1), MEMPOOL_NEW);
    uint8_t ext[8];
    struct transaction expired = signer_rig_records(&rig, EDGE, 5, 1, ext);
    expired.expiry_height = tip.height;
    transaction_sign(&rig.keys[EDGE], &expired);
    assert_int_equal(add(&expired), MEMPOOL_STALE);
}

static void what_expires_while_it_waits_is_forgotten(void **state) {
    (void)state;
    uint8_t ext[8];
    struct transaction tx = signer_rig_records(&rig, EDGE, 1, 1, ext);
    tx.expiry_height = 2;
    transaction_sign(&rig.keys[EDGE], &tx);
    assert_int_equal(add(&tx), MEMPOOL_NEW);
    struct mempool_pick none = {0};
    commit(&none);
    assert_int_equal(pool.count, 1); /* may stand in block 2 */
    commit(&none);
    assert_int_equal(pool.count, 0);
}

static void forgeries_and_strangers_are_invalid_and_take_no_room(void **state) {
    (void)state;
    uint8_t ext[8];
    struct transaction tx = signer_rig_records(&rig, EDGE, 1, 1, ext);
    tx.signature.bytes[0] ^= 1;
    assert_int_equal(add(&tx), MEMPOOL_INVALID);
    tx = signer_rig_records(&rig, EDGE, 1, 1, ext);
    tx.sender = rig.genesis.sender_count;
    assert_int_equal(add(&tx), MEMPOOL_INVALID);
    assert_int_equal(mempool_add(&pool, &tip, ext, sizeof ext), MEMPOOL_INVALID);
    assert_int_equal(pool.count, 0);
    assert_int_equal(pool.bytes, 0);
}

static void checked_transactions_are_remembered_by_id(void **state) {
    (void)state;
    uint8_t ext[8];
    struct transaction tx = signer_rig_records(&rig, EDGE, 1, 1, ext);
    struct block_tx encoded = signer_rig_encode(&tx);
    struct hash id = transaction_id(encoded.data, encoded.bytes);
    assert_false(mempool_verified(&pool, &id));
    assert_int_equal(add(&tx), MEMPOOL_NEW);
    assert_true(mempool_verified(&pool, &id));
    struct mempool_pick pick = pick_all(NULL, NULL);
    commit(&pick);
    assert_true(mempool_verified(&pool, &id)); /* others may propose it still */
    free((void *)encoded.data);
}

static void a_flood_of_one_sender_keeps_nobody_out(void **state) {
    (void)state;
    size_t memory = 0;
    for (uint64_t nonce = 1; nonce <= 1000; nonce++) {
        enum mempool_verdict verdict = add_records(EDGE, nonce, 1);
        assert_int_equal(verdict, nonce <= WAITING_MAX ? MEMPOOL_NEW : MEMPOOL_CROWDED);
        memory = nonce == WAITING_MAX ? mempool_memory(&pool) : memory;
    }
    assert_int_equal(mempool_memory(&pool), memory);
    for (uint32_t sender = EDGE + 1; sender < EDGE + 4; sender++)
        for (uint64_t nonce = 1; nonce <= WAITING_MAX / 4; nonce++)
            assert_int_equal(add_records(sender, nonce, 1), MEMPOOL_NEW);
    assert_int_equal(pool.weight, WAITING_MAX);
    assert_int_equal(pool.sender_weight[EDGE], WAITING_MAX / 4);
    assert_non_null(mempool_find(&pool, EDGE, WAITING_MAX / 4)); /* the last nonces went */
    assert_int_equal(add_records(EDGE + 1, 1000, 1), MEMPOOL_CROWDED);
    struct mempool_pick pick = pick_all(NULL, NULL);
    uint32_t of[8] = {0};
    for (uint32_t i = 0; i < pick.count; i++)
        of[sender_of(&pick.txs[i])]++;
    assert_int_equal(pick.count, 20);
    for (uint32_t sender = EDGE; sender < EDGE + 4; sender++)
        assert_int_equal(of[sender], 5);
}

static void a_flood_of_heavy_transactions_yields_to_light_ones(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(add_records(EDGE, 1 + 10 * i, 10), MEMPOOL_NEW);
    assert_int_equal(add_records(EDGE, 101, 10), MEMPOOL_CROWDED);
    assert_int_equal(add_records(EDGE + 1, 1, 1), MEMPOOL_NEW);
    assert_int_equal(pool.weight, 91);
    /* Too heavy to fit beside what the other may keep: nothing is thrown out for it in vain. */
    assert_int_equal(add_records(EDGE + 2, 1, 60), MEMPOOL_CROWDED);
    assert_int_equal(add_records(EDGE + 2, 1, 101), MEMPOOL_CROWDED);
    assert_int_equal(pool.weight, 91);
}

static void bytes_are_bounded_too(void **state) {
    (void)state;
    pool.config.bytes_max = 2000;
    uint64_t nonce = 1;
    while (add_records(EDGE, nonce, 1) == MEMPOOL_NEW)
        nonce++;
    assert_int_equal(nonce, 7); /* six of 326 bytes */
    assert_int_equal(add_records(EDGE + 1, 1, 1), MEMPOOL_NEW);
    assert_true(pool.bytes <= 2000);
    assert_int_equal(pool.count, 6);
}

static void a_block_keeps_within_its_weight_and_bytes(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(add_records(EDGE, 1 + 9 * i, 9), MEMPOOL_NEW);
    assert_int_equal(add_records(EDGE + 1, 1, 1), MEMPOOL_NEW);
    assert_int_equal(pick_all(NULL, NULL).count, 3); /* 9 + 9 + 1 of 20 */
    size_t two = 8 + 2 * (4 + TRANSACTION_BYTES_MIN + 4 + 9 * 4);
    rig.genesis.params.block_bytes_max = (uint32_t)two;
    mempool_drop(&pool, EDGE + 1, 1);
    struct mempool_pick pick = pick_all(NULL, NULL);
    assert_int_equal(pick.count, 2);
    rig.genesis.params.block_bytes_max = (uint32_t)two - 1;
    pick = pick_all(NULL, NULL);
    assert_int_equal(pick.count, 1);
    assert_int_equal(mempool_pick(&pool, &tip, 1000, &pick), STATUS_OK); /* the certificate takes it all */
    assert_int_equal(pick.count, 0);
}

static void nonces_of_a_sender_never_overtake_each_other(void **state) {
    (void)state;
    static const uint64_t shuffled[] = {7, 3, 9, 1, 5};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(add_records(EDGE, shuffled[i], 1), MEMPOOL_NEW);
    struct mempool_pick pick = pick_all(NULL, NULL);
    assert_int_equal(pick.count, 5);
    commit(&pick); /* asserts that each may stand after those before it */
    assert_int_equal(tip.nonces[EDGE], 9);
}

static bool never_held(void *context, const struct transaction *tx) {
    (void)tx;
    ++*(uint32_t *)context;
    return false;
}

static void a_model_waits_for_its_blob_and_its_sender_with_it(void **state) {
    (void)state;
    uint32_t asked = 0;
    assert_int_equal(add_model(EDGE, 1, 1), MEMPOOL_NEW);
    assert_int_equal(add_records(EDGE, 2, 1), MEMPOOL_NEW);
    assert_int_equal(add_records(EDGE + 1, 1, 1), MEMPOOL_NEW);
    struct mempool_pick pick = pick_all(never_held, &asked);
    assert_int_equal(asked, 1);
    assert_int_equal(pick.count, 1);
    assert_int_equal(sender_of(&pick.txs[0]), EDGE + 1);
    assert_int_equal(pool.count, 3);
    pick = pick_all(NULL, NULL);
    assert_int_equal(pick.count, 3);
}

static void a_model_waits_while_the_registry_is_full(void **state) {
    (void)state;
    rig.genesis.params.open_models_max = 1;
    assert_int_equal(add_model(EDGE, 1, 1), MEMPOOL_NEW);
    assert_int_equal(add_model(EDGE, 2, 2), MEMPOOL_NEW);
    assert_int_equal(add_model(EDGE + 1, 1, 3), MEMPOOL_NEW);
    struct mempool_pick pick = pick_all(NULL, NULL);
    assert_int_equal(pick.count, 1);
    commit(&pick);
    assert_int_equal(pool.count, 2);
    assert_int_equal(pick_all(NULL, NULL).count, 0);
    assert_int_equal(pool.count, 2);
}

/* An attestation of a model that nobody knows is used up, and what comes after it goes on. */
static void what_can_never_stand_is_forgotten_and_holds_up_nothing(void **state) {
    (void)state;
    uint8_t data[ATTESTATION_BYTES];
    struct attestation attestation = {.tx_id = signer_rig_hash(1), .verdict = 1};
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    attestation_encode(&writer, &attestation);
    struct transaction tx = {.type = TX_METRIC_ATTEST,
                             .chain_id = rig.genesis.chain_id,
                             .sender = 0,
                             .nonce = 1,
                             .expiry_height = 10,
                             .ext_bytes = sizeof data,
                             .ext = data};
    transaction_sign(&rig.keys[0], &tx);
    assert_int_equal(add(&tx), MEMPOOL_NEW);
    assert_int_equal(add_records(0, 2, 1), MEMPOOL_NEW);
    struct mempool_pick pick = pick_all(NULL, NULL);
    assert_int_equal(pick.count, 1);
    assert_int_equal(pool.count, 1);
    assert_null(mempool_find(&pool, 0, 1));
}

static void each_height_begins_with_another_sender(void **state) {
    (void)state;
    rig.genesis.params.block_txs_max = 1;
    uint32_t first[8] = {0};
    for (uint32_t sender = 0; sender < 8; sender++)
        for (uint64_t nonce = 1; nonce <= 2; nonce++)
            assert_int_equal(add_records(sender, nonce, 1), MEMPOOL_NEW);
    for (uint32_t height = 0; height < 8; height++) {
        struct mempool_pick pick = pick_all(NULL, NULL);
        assert_int_equal(pick.count, 1);
        first[sender_of(&pick.txs[0])]++;
        commit(&pick);
    }
    for (uint32_t sender = 0; sender < 8; sender++)
        assert_int_equal(first[sender], 1);
}

static void the_order_of_arrival_does_not_change_the_block(void **state) {
    (void)state;
    struct hash ids[2][12];
    for (uint32_t run = 0; run < 2; run++) {
        for (uint32_t i = 0; i < 12; i++) {
            uint32_t number = run == 0 ? i : 11 - i;
            assert_int_equal(add_records(EDGE + number % 4, 1 + number / 4, 1), MEMPOOL_NEW);
        }
        struct mempool_pick pick = pick_all(NULL, NULL);
        assert_int_equal(pick.count, 12);
        for (uint32_t i = 0; i < 12; i++)
            ids[run][i] = transaction_id(pick.txs[i].data, pick.txs[i].bytes);
        for (uint32_t i = 0; i < 12; i++)
            mempool_drop(&pool, EDGE + i % 4, 1 + i / 4);
        assert_int_equal(pool.count, 0);
    }
    assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define POOL_TEST(test) cmocka_unit_test_setup_teardown(test, open_pool, close_pool)
        POOL_TEST(a_transaction_waits_is_picked_and_is_gone_when_committed),
        POOL_TEST(the_same_again_is_known_and_another_body_a_conflict),
        POOL_TEST(what_the_chain_has_seen_or_no_longer_takes_is_stale),
        POOL_TEST(what_expires_while_it_waits_is_forgotten),
        POOL_TEST(forgeries_and_strangers_are_invalid_and_take_no_room),
        POOL_TEST(checked_transactions_are_remembered_by_id),
        POOL_TEST(a_flood_of_one_sender_keeps_nobody_out),
        POOL_TEST(a_flood_of_heavy_transactions_yields_to_light_ones),
        POOL_TEST(bytes_are_bounded_too),
        POOL_TEST(a_block_keeps_within_its_weight_and_bytes),
        POOL_TEST(nonces_of_a_sender_never_overtake_each_other),
        POOL_TEST(a_model_waits_for_its_blob_and_its_sender_with_it),
        POOL_TEST(a_model_waits_while_the_registry_is_full),
        POOL_TEST(what_can_never_stand_is_forgotten_and_holds_up_nothing),
        POOL_TEST(each_height_begins_with_another_sender),
        POOL_TEST(the_order_of_arrival_does_not_change_the_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
