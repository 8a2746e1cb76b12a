/* Goal: one transaction may stand in the ledger where the rules of chain.md 1.6 and 1.9 say so, and does what
 * they say: nonces, expiry, records by weight, the registry's bounds, attestation, evidence.
 * Method: a chain of 4 validators and 2 edge servers from ledger_rig; each refusal is asked of
 * ledger_state_check beside a transaction that differs in one thing and is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/ledger/state_parts.h"
#include "tests/lib/ledger_rig.h"

#define EDGE 4u /* the first sender that is no validator */

static int open_rig(void **state) {
    struct ledger_rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    ledger_rig_open(rig, &(struct ledger_rig_config){.validators = 4, .edges = 2});
    *state = rig;
    return 0;
}

static int close_rig(void **state) {
    ledger_rig_close(*state);
    free(*state);
    return 0;
}

/* What ledger_state_check says of the transaction added last, at the height of the next block. */
static enum status check_last(const struct ledger_rig *rig) {
    struct transaction tx;
    const struct block_tx *last = &rig->pending[rig->pending_count - 1];
    assert_int_equal(transaction_decode(last->data, last->bytes, &tx), STATUS_OK);
    return ledger_state_check(&rig->state, &tx, rig->block_count + 1);
}

/* The same, and takes it out of the next block. */
static enum status check_and_drop(struct ledger_rig *rig) {
    enum status status = check_last(rig);
    free((void *)(uintptr_t)rig->pending[--rig->pending_count].data);
    return status;
}

static void a_nonce_used_before_is_refused_whatever_the_body(void **state) {
    struct ledger_rig *rig = *state;
    ledger_rig_model(rig, EDGE, 0, 0.5);
    ledger_rig_commit(rig);
    rig->nonces[EDGE] = 0; /* again nonce 1, another blob */
    ledger_rig_model(rig, EDGE, 0, 0.6);
    assert_int_equal(check_and_drop(rig), STATUS_INVALID);
    ledger_rig_model(rig, EDGE, 0, 0.6);
    assert_int_equal(check_and_drop(rig), STATUS_OK);
    rig->nonces[EDGE + 1] = 0; /* another sender's nonces are its own */
    ledger_rig_model(rig, EDGE + 1, 0, 0.6);
    assert_int_equal(check_last(rig), STATUS_OK);
}

static void the_same_bytes_cannot_stand_in_two_blocks(void **state) {
    struct ledger_rig *rig = *state;
    ledger_rig_records(rig, EDGE, 3);
    struct block_tx tx = rig->pending[0];
    uint8_t *copy = malloc(tx.bytes);
    assert_non_null(copy);
    memcpy(copy, tx.data, tx.bytes);
    ledger_rig_commit(rig);
    rig->pending[rig->pending_count++] = (struct block_tx){.data = copy, .bytes = tx.bytes};
    assert_int_equal(check_last(rig), STATUS_INVALID);
}

static void records_take_as_many_nonces_as_they_hold_and_leave_nothing_else(void **state) {
    struct ledger_rig *rig = *state;
    ledger_rig_records(rig, EDGE, 400);
    ledger_rig_commit(rig);
    assert_int_equal(rig->state.nonces[EDGE], 400);
    assert_int_equal(rig->state.transactions_total, 400);
    assert_int_equal(rig->state.model_count, 0);
    rig->nonces[EDGE] = 399;
    ledger_rig_records(rig, EDGE, 1);
    assert_int_equal(check_and_drop(rig), STATUS_INVALID);
    rig->nonces[EDGE] = 400;
    ledger_rig_records(rig, EDGE, 1);
    assert_int_equal(check_last(rig), STATUS_OK);
}

static void nonces_cannot_wrap_around(void **state) {
    struct ledger_rig *rig = *state;
    rig->nonces[EDGE] = UINT64_MAX - 2;
    ledger_rig_records(rig, EDGE, 3); /* would end at UINT64_MAX + 1 */
    assert_int_equal(check_last(rig), STATUS_INVALID);
}

static void a_transaction_is_good_up_to_its_expiry_height(void **state) {
    struct ledger_rig *rig = *state;
    struct transaction tx = ledger_rig_tx(rig, TX_RECORDS, EDGE);
    const uint8_t ext[] = {1, 0, 1, 0, 7};
    tx.ext = ext;
    tx.ext_bytes = sizeof ext;
    tx.expiry_height = 1;
    ledger_rig_add(rig, &tx);
    assert_int_equal(ledger_state_check(&rig->state, &tx, 1), STATUS_OK);
    assert_int_equal(ledger_state_check(&rig->state, &tx, 2), STATUS_INVALID);
}

static void an_unknown_sender_or_type_is_refused(void **state) {
    struct ledger_rig *rig = *state;
    struct transaction tx = ledger_rig_tx(rig, TX_RECORDS, EDGE);
    assert_int_equal(ledger_state_check(&rig->state, &tx, 1), STATUS_OK);
    tx.sender = rig->genesis.sender_count;
    assert_int_equal(ledger_state_check(&rig->state, &tx, 1), STATUS_INVALID);
    tx.sender = EDGE;
    tx.type = 5;
    assert_int_equal(ledger_state_check(&rig->state, &tx, 1), STATUS_INVALID);
}

static void the_registry_holds_no_more_open_models_than_genesis_says(void **state) {
    struct ledger_rig *rig = *state;
    struct hash first = {{0}};
    for (uint32_t i = 0; i < rig->genesis.params.open_models_max; i++) {
        struct hash id = ledger_rig_model(rig, EDGE, i, 0.5);
        first = i == 0 ? id : first;
    }
    ledger_rig_commit(rig);
    ledger_rig_model(rig, EDGE, 0, 0.5);
    assert_int_equal(check_and_drop(rig), STATUS_FULL);
    rig->nonces[EDGE]--;
    ledger_rig_attest_all(rig, &first);
    ledger_rig_commit(rig);
    ledger_rig_model(rig, EDGE, 0, 0.5);
    assert_int_equal(check_last(rig), STATUS_OK);
}

static void a_task_above_the_greatest_is_refused(void **state) {
    struct ledger_rig *rig = *state;
    ledger_rig_model(rig, EDGE, LEDGER_TASKS_MAX - 1, 0.5);
    assert_int_equal(check_and_drop(rig), STATUS_OK);
    ledger_rig_model(rig, EDGE, LEDGER_TASKS_MAX, 0.5);
    assert_int_equal(check_last(rig), STATUS_INVALID);
}

static void a_validator_attests_an_open_model_once(void **state) {
    struct ledger_rig *rig = *state;
    struct hash unknown = {{1}};
    struct hash id = ledger_rig_model(rig, EDGE, 0, 0.5);
    ledger_rig_attest(rig, 0, &id, 0.5);
    assert_int_equal(check_and_drop(rig),
                     STATUS_INVALID); /* not in the registry before its block is applied */
    ledger_rig_commit(rig);
    ledger_rig_attest(rig, 0, &unknown, 0.5);
    assert_int_equal(check_and_drop(rig), STATUS_INVALID);
    ledger_rig_attest(rig, 0, &id, 0.5);
    assert_int_equal(check_last(rig), STATUS_OK);
    ledger_rig_commit(rig);
    ledger_rig_attest(rig, 0, &id, 0.4);
    assert_int_equal(check_and_drop(rig), STATUS_INVALID);
    ledger_rig_attest(rig, 1, &id, 0.5);
    assert_int_equal(check_last(rig), STATUS_OK);
}

static void an_edge_server_cannot_attest(void **state) {
    struct ledger_rig *rig = *state;
    struct hash id = ledger_rig_model(rig, EDGE, 0, 0.5);
    ledger_rig_commit(rig);
    ledger_rig_attest(rig, EDGE + 1, &id, 0.5);
    assert_int_equal(check_last(rig), STATUS_INVALID);
}

static void a_decided_model_takes_no_further_attestation(void **state) {
    struct ledger_rig *rig = *state;
    struct hash id = ledger_rig_model(rig, EDGE, 0, 0.5);
    ledger_rig_commit(rig);
    for (uint32_t i = 0; i < 3; i++)
        ledger_rig_attest(rig, i, &id, 0.5);
    ledger_rig_commit(rig);
    assert_int_equal(ledger_state_model(&rig->state, &id)->status, MODEL_ACCEPTED);
    ledger_rig_attest(rig, 3, &id, 0.5);
    assert_int_equal(check_last(rig), STATUS_INVALID);
}

static void one_offence_is_accused_once_whichever_pair_shows_it(void **state) {
    struct ledger_rig *rig = *state;
    ledger_rig_commit(rig);
    ledger_rig_evidence(rig, 0, 3, 1, 0);
    ledger_rig_commit(rig);
    assert_int_equal(rig->state.accused, 1u << 3);
    ledger_rig_evidence(rig, 1, 3, 1, 0); /* another reporter */
    assert_int_equal(check_and_drop(rig), STATUS_INVALID);
    ledger_rig_evidence(rig, 1, 3, 1, 1); /* another round */
    assert_int_equal(check_and_drop(rig), STATUS_OK);
    ledger_rig_evidence(rig, 1, 2, 1, 0); /* another validator */
    assert_int_equal(check_last(rig), STATUS_OK);
}

static void evidence_must_be_young_and_not_of_a_height_to_come(void **state) {
    struct ledger_rig *rig = *state;
    uint32_t age = rig->genesis.params.evidence_age;
    for (uint32_t i = 0; i < age + 1; i++)
        ledger_rig_commit(rig);
    uint64_t next = age + 2;
    ledger_rig_evidence(rig, 0, 3, next - age, 0);
    assert_int_equal(check_and_drop(rig), STATUS_OK);
    ledger_rig_evidence(rig, 0, 3, next - age - 1, 0);
    assert_int_equal(check_and_drop(rig), STATUS_INVALID);
    ledger_rig_evidence(rig, 0, 3, next, 0);
    assert_int_equal(check_and_drop(rig), STATUS_OK);
    ledger_rig_evidence(rig, 0, 3, next + 1, 0);
    assert_int_equal(check_last(rig), STATUS_INVALID);
}

static void evidence_with_a_signature_that_does_not_hold_accuses_nobody(void **state) {
    struct ledger_rig *rig = *state;
    ledger_rig_evidence(rig, 0, 3, 1, 0);
    struct transaction tx;
    const struct block_tx *last = &rig->pending[0];
    assert_int_equal(transaction_decode(last->data, last->bytes, &tx), STATUS_OK);
    assert_int_equal(ledger_state_check(&rig->state, &tx, 1), STATUS_OK);
    ((uint8_t *)(uintptr_t)tx.ext)[tx.ext_bytes - 1] ^= 1;
    assert_int_equal(ledger_state_check(&rig->state, &tx, 1), STATUS_INVALID);
}

static void keys_of_old_evidence_are_forgotten_and_the_accusation_stays(void **state) {
    struct ledger_rig *rig = *state;
    ledger_rig_evidence(rig, 0, 3, 1, 0);
    ledger_rig_commit(rig);
    for (uint32_t i = 0; i < rig->genesis.params.evidence_age - 1; i++) {
        assert_int_equal(rig->state.offence_count, 1);
        ledger_rig_commit(rig);
    }
    ledger_rig_evidence(rig, 1, 3, 1, 0); /* still young: refused because it is known */
    assert_int_equal(check_and_drop(rig), STATUS_INVALID);
    assert_int_equal(rig->state.offence_count, 1);
    ledger_rig_commit(rig);
    assert_int_equal(rig->state.offence_count, 0);
    assert_int_equal(rig->state.accused, 1u << 3);
    ledger_rig_evidence(rig, 1, 3, 1, 0); /* forgotten, but now too old */
    assert_int_equal(check_last(rig), STATUS_INVALID);
}

static void offences_of_one_validator_are_bounded_and_hide_no_others(void **state) {
    struct ledger_rig *rig = *state;
    uint32_t most = LEDGER_OFFENCES_MAX * (rig->genesis.params.evidence_age + 1);
    for (uint32_t i = 0; i < most; i++)
        ledger_rig_evidence(rig, 0, 3, 1, i);
    ledger_rig_commit(rig);
    assert_int_equal(rig->state.offence_count, most);
    ledger_rig_evidence(rig, 0, 3, 1, most);
    assert_int_equal(check_and_drop(rig), STATUS_FULL);
    ledger_rig_evidence(rig, 0, 2, 1, most);
    assert_int_equal(check_last(rig), STATUS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_nonce_used_before_is_refused_whatever_the_body, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(the_same_bytes_cannot_stand_in_two_blocks, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(records_take_as_many_nonces_as_they_hold_and_leave_nothing_else,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(nonces_cannot_wrap_around, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_transaction_is_good_up_to_its_expiry_height, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(an_unknown_sender_or_type_is_refused, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(the_registry_holds_no_more_open_models_than_genesis_says, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(a_task_above_the_greatest_is_refused, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_validator_attests_an_open_model_once, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(an_edge_server_cannot_attest, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_decided_model_takes_no_further_attestation, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(one_offence_is_accused_once_whichever_pair_shows_it, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(evidence_must_be_young_and_not_of_a_height_to_come, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(evidence_with_a_signature_that_does_not_hold_accuses_nobody, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(keys_of_old_evidence_are_forgotten_and_the_accusation_stays, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(offences_of_one_validator_are_bounded_and_hide_no_others, open_rig,
                                        close_rig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
