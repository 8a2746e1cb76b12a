/* Goal: each open model gets this validator's attestation on chain, once, whatever is lost on the way; a
 * model is evaluated once. Method: a chain of ledger_rig with models whose blobs state their metrics; the
 * transactions that attest_next makes are put on chain, dropped, or overtaken by another nonce. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/ledger/disk.h"
#include "nodes/chain/attest.h"
#include "tests/lib/ledger_rig.h"

#define SELF 2u

static struct ledger_rig rig;
static struct ledger_disk *disk;
static struct ledger_store *store;
static struct attest attest;
static uint64_t next_nonce;
static const struct attestor *const attestors[] = {&attestor_stated};

static void open_attest(void) {
    struct attest_config config = {.genesis = &rig.genesis,
                                   .store = store,
                                   .key = &rig.keys[SELF],
                                   .self = SELF,
                                   .attestors = attestors,
                                   .attestor_count = 1,
                                   .expiry = 4};
    assert_int_equal(attest_init(&attest, &config), STATUS_OK);
}

static int open_all(void **state) {
    (void)state;
    struct error error;
    next_nonce = 1;
    ledger_rig_open(&rig, &(struct ledger_rig_config){.validators = 4, .edges = 1});
    assert_int_equal(ledger_disk_open(&disk), STATUS_OK);
    struct ledger_store_config config = {.disk = disk, .durability = DURABILITY_PROCESS};
    assert_int_equal(ledger_store_open(&config, &store, &error), STATUS_OK);
    open_attest();
    return 0;
}

static int close_all(void **state) {
    (void)state;
    attest_close(&attest);
    ledger_store_close(store);
    ledger_disk_close(disk);
    ledger_rig_close(&rig);
    return 0;
}

/* A model on chain; its blob states `metrics` (4 x i64), the transaction claims the same. */
static struct hash add_model(uint32_t arch_id, const int64_t metrics[METRIC_COUNT], bool stored) {
    uint8_t blob[8 * METRIC_COUNT + 1] = {0};
    struct bytes_writer writer = bytes_writer_over(blob, sizeof blob);
    struct transaction tx = ledger_rig_tx(&rig, TX_MODEL_UPDATE, 4);
    for (uint32_t i = 0; i < METRIC_COUNT; i++)
        bytes_put_i64(&writer, metrics[i]);
    bytes_put_u8(&writer, (uint8_t)tx.nonce);
    memcpy(tx.metric_q32, metrics, sizeof tx.metric_q32);
    tx.arch_id = arch_id;
    tx.sample_count = 1;
    tx.blob_hash = blob_hash(blob, sizeof blob);
    tx.blob_bytes = sizeof blob;
    tx.chunk_root = blob_chunk_root(blob, sizeof blob);
    if (stored)
        assert_int_equal(ledger_store_put_blob(store, &tx.blob_hash, blob, sizeof blob), STATUS_OK);
    return ledger_rig_add(&rig, &tx);
}

static const int64_t metrics[METRIC_COUNT] = {-5, 7, INT64_C(1) << 33, INT64_C(1) << 31};

static uint8_t made[ATTEST_TX_BYTES];
static struct transaction tx;
static struct attestation attestation;

/* The transaction that is due, checked and taken apart; false: none is. */
static bool next(void) {
    struct bytes_writer writer = bytes_writer_over(made, sizeof made);
    enum status status = attest_next(&attest, &rig.state, &next_nonce, &writer);
    if (status != STATUS_OK) {
        assert_int_equal(status, STATUS_STOPPED);
        assert_int_equal(writer.used, 0);
        return false;
    }
    assert_int_equal(transaction_decode(made, writer.used, &tx), STATUS_OK);
    assert_int_equal(transaction_check(&rig.genesis, &tx, made, writer.used), STATUS_OK);
    assert_int_equal(ledger_state_check(&rig.state, &tx, rig.state.height + 1), STATUS_OK);
    assert_int_equal(attestation_decode(tx.ext, tx.ext_bytes, &attestation), STATUS_OK);
    assert_int_equal(tx.sender, SELF);
    return true;
}

static void an_open_model_is_attested_with_what_was_recomputed(void **state) {
    (void)state;
    assert_false(next());
    struct hash id = add_model(ATTESTOR_STATED_ARCH, metrics, true);
    assert_false(next()); /* not on chain yet */
    ledger_rig_commit(&rig);
    assert_true(next());
    assert_true(hash_equal(&attestation.tx_id, &id));
    assert_int_equal(attestation.verdict, 1);
    assert_memory_equal(attestation.metric_q32, metrics, sizeof metrics);
    struct hash tool = hash_of("tool", "stated/1", 8);
    assert_true(hash_equal(&attestation.tool_hash, &tool));
    assert_int_equal(tx.nonce, 1);
    assert_false(next()); /* it is on its way */
    ledger_rig_add(&rig, &tx);
    ledger_rig_commit(&rig);
    assert_false(next());
    assert_int_equal(attest.count, 0);
    assert_int_equal(next_nonce, 2);
}

static void q_attestations_of_the_same_decide_a_model(void **state) {
    (void)state;
    struct hash id = add_model(ATTESTOR_STATED_ARCH, metrics, true);
    ledger_rig_commit(&rig);
    for (uint32_t validator = 0; validator < 3; validator++) {
        attest_close(&attest);
        open_attest();
        attest.config.self = validator;
        attest.config.key = &rig.keys[validator];
        struct bytes_writer writer = bytes_writer_over(made, sizeof made);
        uint64_t nonce = 1;
        assert_int_equal(attest_next(&attest, &rig.state, &nonce, &writer), STATUS_OK);
        assert_int_equal(transaction_decode(made, writer.used, &tx), STATUS_OK);
        ledger_rig_add(&rig, &tx);
    }
    ledger_rig_commit(&rig);
    const struct ledger_model *model = ledger_state_model(&rig.state, &id);
    assert_non_null(model);
    assert_int_equal(model->status, MODEL_ACCEPTED);
    assert_memory_equal(model->median_q32, metrics, sizeof metrics);
}

static void what_nobody_here_can_evaluate_is_said_to_be_so(void **state) {
    (void)state;
    static const int64_t zeros[METRIC_COUNT];
    add_model(77, metrics, true);
    ledger_rig_commit(&rig);
    assert_true(next());
    assert_int_equal(attestation.verdict, 0);
    assert_memory_equal(attestation.metric_q32, zeros, sizeof zeros);
}

static void a_model_waits_for_its_blob_and_says_which(void **state) {
    (void)state;
    const struct ledger_model *missing = NULL;
    struct hash first = add_model(ATTESTOR_STATED_ARCH, metrics, false);
    struct hash second = add_model(ATTESTOR_STATED_ARCH, metrics, false);
    ledger_rig_commit(&rig);
    assert_false(next());
    assert_true(attest_missing_blob(&attest, &rig.state, NULL, &missing));
    struct hash found = missing->tx_id;
    assert_true(hash_equal(&found, &first) || hash_equal(&found, &second));
    assert_true(attest_missing_blob(&attest, &rig.state, &found, &missing));
    assert_false(hash_equal(&found, &missing->tx_id));
    found = missing->tx_id;
    assert_false(attest_missing_blob(&attest, &rig.state, &found, &missing));
}

static void a_lost_nonce_or_an_expired_one_is_replaced_without_evaluating_again(void **state) {
    (void)state;
    add_model(ATTESTOR_STATED_ARCH, metrics, true);
    ledger_rig_commit(&rig);
    assert_true(next());
    assert_int_equal(tx.nonce, 1);
    ledger_rig_records(&rig, SELF, 1); /* takes nonce 1 */
    ledger_rig_commit(&rig);
    assert_true(next());
    assert_int_equal(tx.nonce, 2);
    uint64_t expiry = tx.expiry_height;
    while (rig.state.height < expiry) {
        assert_false(next());
        ledger_rig_commit(&rig);
    }
    assert_true(next());
    assert_int_equal(tx.nonce, 3);
    assert_int_equal(attest.evaluated, 1);
}

static void after_a_restart_it_is_made_again_above_what_the_chain_has_seen(void **state) {
    (void)state;
    add_model(ATTESTOR_STATED_ARCH, metrics, true);
    ledger_rig_records(&rig, SELF, 5);
    ledger_rig_commit(&rig);
    attest_close(&attest);
    open_attest();
    next_nonce = 0;
    assert_true(next());
    assert_int_equal(tx.nonce, 6);
    assert_int_equal(next_nonce, 7);
}

static void several_models_are_attested_one_by_one(void **state) {
    (void)state;
    struct hash ids[3];
    for (int i = 0; i < 3; i++)
        ids[i] = add_model(ATTESTOR_STATED_ARCH, metrics, true);
    ledger_rig_commit(&rig);
    uint32_t found = 0;
    while (next())
        for (uint32_t i = 0; i < 3; i++)
            found |= hash_equal(&attestation.tx_id, &ids[i]) ? 1u << i : 0;
    assert_int_equal(found, 7);
    assert_int_equal(next_nonce, 4);
}

static void a_blob_too_short_to_state_metrics_gets_verdict_0(void **state) {
    (void)state;
    int64_t out[METRIC_COUNT];
    struct hash input = {0};
    uint8_t blob[8 * METRIC_COUNT] = {1};
    assert_true(attestor_stated.evaluate(NULL, blob, sizeof blob, &input, out));
    assert_int_equal(out[0], 1);
    assert_false(attestor_stated.evaluate(NULL, blob, sizeof blob - 1, &input, out));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define ATTEST_TEST(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)
        ATTEST_TEST(an_open_model_is_attested_with_what_was_recomputed),
        ATTEST_TEST(q_attestations_of_the_same_decide_a_model),
        ATTEST_TEST(what_nobody_here_can_evaluate_is_said_to_be_so),
        ATTEST_TEST(a_model_waits_for_its_blob_and_says_which),
        ATTEST_TEST(a_lost_nonce_or_an_expired_one_is_replaced_without_evaluating_again),
        ATTEST_TEST(after_a_restart_it_is_made_again_above_what_the_chain_has_seen),
        ATTEST_TEST(several_models_are_attested_one_by_one),
        ATTEST_TEST(a_blob_too_short_to_state_metrics_gets_verdict_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
