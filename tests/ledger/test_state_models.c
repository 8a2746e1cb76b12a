/* Goal: models are decided by the median rule of chain.md 1.6 in integers, and f liars cannot move a median
 * beyond what honest validators measured; what is decided or too old leaves the registry as state.h says.
 * Method: attestations are applied to a state directly (no signatures are looked at there), with random
 * values and random liars for several N; the rest on chains of ledger_rig. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/base/random.h"
#include "common/ledger/state_parts.h"
#include "tests/lib/ledger_rig.h"

#define EDGE 4u

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

/* ---- straight into a state ---- */

static struct hash apply_model(struct ledger_rig *rig, const int64_t claimed[METRIC_COUNT]) {
    struct transaction tx = ledger_rig_tx(rig, TX_MODEL_UPDATE, rig->genesis.validator_count);
    struct hash id = hash_of("model", &tx.nonce, sizeof tx.nonce);
    memcpy(tx.metric_q32, claimed, sizeof tx.metric_q32);
    assert_int_equal(ledger_state_apply_tx(&rig->state, &tx, &id, rig->state.height + 1), STATUS_OK);
    return id;
}

static void apply_attestation(struct ledger_rig *rig, uint32_t validator, const struct hash *model,
                              uint8_t verdict, const int64_t values[METRIC_COUNT]) {
    uint8_t ext[ATTESTATION_BYTES];
    struct bytes_writer writer = bytes_writer_over(ext, sizeof ext);
    struct attestation attestation = {.tx_id = *model, .verdict = verdict};
    struct transaction tx = ledger_rig_tx(rig, TX_METRIC_ATTEST, validator);
    struct hash id = {{0}};
    memcpy(attestation.metric_q32, values, sizeof attestation.metric_q32);
    attestation_encode(&writer, &attestation);
    tx.ext = ext;
    tx.ext_bytes = sizeof ext;
    assert_int_equal(ledger_state_apply_tx(&rig->state, &tx, &id, rig->state.height + 1), STATUS_OK);
}

static void end_block(struct ledger_rig *rig) {
    ledger_state_end_block(&rig->state, rig->state.height + 1);
}

/* The same value for every metric. */
static const int64_t *all(int64_t value) {
    static int64_t values[METRIC_COUNT];
    for (uint32_t i = 0; i < METRIC_COUNT; i++)
        values[i] = value;
    return values;
}

static int64_t lie(struct random_stream *random) {
    switch (random_below(random, 4)) {
    case 0:
        return INT64_MAX;
    case 1:
        return INT64_MIN;
    case 2:
        return (int64_t)random_next(random);
    default:
        return (int64_t)random_below(random, 2000) - 1000;
    }
}

/* One model under `count` validators, the first `liars` of a random order lying. */
static void median_stays_honest(uint32_t validators, struct random_stream *random) {
    struct ledger_rig *rig = calloc(1, sizeof *rig);
    struct chain_params params = ledger_rig_params();
    uint32_t order[VALIDATORS_MAX], quorum = quorum_size(validators), faults = quorum_faults_max(validators);
    uint32_t count = quorum + (uint32_t)random_below(random, validators - quorum + 1);
    int64_t low = INT64_MAX, high = INT64_MIN;
    params.epsilon_q32 = INT64_MAX;
    ledger_rig_open(rig, &(struct ledger_rig_config){validators, 1, &params});
    struct hash id = apply_model(rig, all(0));
    for (uint32_t i = 0; i < validators; i++) {
        uint32_t at = (uint32_t)random_below(random, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        int64_t value = (int64_t)random_below(random, 200) - 100;
        if (i < faults) {
            uint8_t verdict = (uint8_t)random_below(random, 2);
            apply_attestation(rig, order[i], &id, verdict, all(verdict == 1 ? lie(random) : 0));
            continue;
        }
        low = value < low ? value : low;
        high = value > high ? value : high;
        apply_attestation(rig, order[i], &id, 1, all(value));
    }
    end_block(rig);
    const struct ledger_model *model = ledger_state_model(&rig->state, &id);
    assert_non_null(model);
    assert_int_equal(model->status, MODEL_ACCEPTED);
    for (uint32_t i = 0; i < METRIC_COUNT; i++)
        assert_true(model->median_q32[i] >= low && model->median_q32[i] <= high);
    ledger_rig_close(rig);
    free(rig);
}

static void f_liars_cannot_move_the_median_beyond_honest_values(void **state) {
    static const uint32_t sizes[] = {4, 5, 6, 7, 8, 10, 16, 31, 64};
    struct random_stream random;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint64_t seed = 0; seed < 40; seed++) {
            random_init(&random, seed, sizes[i], RANDOM_TEST);
            median_stays_honest(sizes[i], &random);
        }
}

static void a_claim_is_accepted_up_to_epsilon_from_the_median_and_no_further(void **state) {
    struct ledger_rig *rig = *state;
    int64_t epsilon = rig->genesis.params.epsilon_q32;
    for (uint32_t metric = 0; metric < METRIC_COUNT; metric++) {
        for (int side = -1; side <= 1; side += 2) {
            int64_t at_edge[METRIC_COUNT] = {0}, beyond[METRIC_COUNT] = {0};
            at_edge[metric] = side * epsilon;
            beyond[metric] = side * (epsilon + 1);
            struct hash good = apply_model(rig, at_edge), bad = apply_model(rig, beyond);
            for (uint32_t i = 0; i < 3; i++) {
                apply_attestation(rig, i, &good, 1, all(0));
                apply_attestation(rig, i, &bad, 1, all(0));
            }
            end_block(rig);
            assert_non_null(ledger_state_model(&rig->state, &good));
            assert_null(ledger_state_model(&rig->state, &bad));
        }
    }
    assert_int_equal(rig->state.accepted_total, 2 * METRIC_COUNT);
    assert_int_equal(rig->state.rejected_total, 2 * METRIC_COUNT);
}

static void distances_do_not_overflow(void **state) {
    struct ledger_rig *rig = *state;
    struct hash id = apply_model(rig, all(INT64_MAX));
    for (uint32_t i = 0; i < 3; i++)
        apply_attestation(rig, i, &id, 1, all(INT64_MIN + 1));
    end_block(rig);
    assert_null(ledger_state_model(&rig->state, &id));
    assert_int_equal(rig->state.rejected_total, 1);
}

static void the_median_of_an_even_count_is_the_lower_of_the_two(void **state) {
    struct ledger_rig *rig = *state;
    static const int64_t values[] = {40, 10, 30, 20};
    struct hash id = apply_model(rig, all(25));
    for (uint32_t i = 0; i < 4; i++)
        apply_attestation(rig, i, &id, 1, all(values[i]));
    end_block(rig);
    assert_int_equal(ledger_state_model(&rig->state, &id)->median_q32[METRIC_LOSS], 20);
}

static void less_than_q_attestations_decide_nothing(void **state) {
    struct ledger_rig *rig = *state;
    struct hash id = apply_model(rig, all(0));
    for (uint32_t i = 0; i < 2; i++)
        apply_attestation(rig, i, &id, 1, all(0));
    end_block(rig);
    assert_int_equal(ledger_state_model(&rig->state, &id)->status, MODEL_OPEN);
    apply_attestation(rig, 3, &id, 1, all(0));
    end_block(rig);
    assert_int_equal(ledger_state_model(&rig->state, &id)->status, MODEL_ACCEPTED);
    assert_int_equal(ledger_state_model(&rig->state, &id)->decided_height, 2);
    assert_null(ledger_state_model(&rig->state, &id)->values);
}

static void a_model_that_a_quorum_cannot_evaluate_is_rejected_whatever_it_claims(void **state) {
    struct ledger_rig *rig = *state;
    static const int64_t claims[] = {INT64_MIN, 0, 1, INT64_MAX}; /* the first is what verdict 0 counts as */
    for (uint32_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        struct hash id = apply_model(rig, all(claims[i]));
        for (uint32_t j = 0; j < 3; j++)
            apply_attestation(rig, j, &id, 0, all(0));
        end_block(rig);
        assert_null(ledger_state_model(&rig->state, &id));
        assert_int_equal(rig->state.rejected_total, i + 1);
    }
}

static void one_validator_that_cannot_evaluate_a_model_does_not_stop_it(void **state) {
    struct ledger_rig *rig = *state;
    struct hash id = apply_model(rig, all(50));
    apply_attestation(rig, 0, &id, 0, all(0));
    apply_attestation(rig, 1, &id, 1, all(50));
    apply_attestation(rig, 2, &id, 1, all(50));
    end_block(rig);
    assert_int_equal(ledger_state_model(&rig->state, &id)->status, MODEL_ACCEPTED);
    assert_int_equal(ledger_state_model(&rig->state, &id)->median_q32[METRIC_ACCURACY], 50);
}

/* ---- on a chain ---- */

static struct hash accepted_model(struct ledger_rig *rig, uint32_t task, double metric) {
    struct hash id = ledger_rig_model(rig, EDGE, task, metric);
    ledger_rig_commit(rig);
    ledger_rig_attest_all(rig, &id);
    ledger_rig_commit(rig);
    assert_int_equal(ledger_state_model(&rig->state, &id)->status, MODEL_ACCEPTED);
    return id;
}

static void an_open_model_is_forgotten_after_evidence_age(void **state) {
    struct ledger_rig *rig = *state;
    struct hash id = ledger_rig_model(rig, EDGE, 0, 0.5);
    for (uint32_t i = 0; i <= rig->genesis.params.evidence_age; i++) {
        ledger_rig_commit(rig);
        assert_non_null(ledger_state_model(&rig->state, &id));
    }
    ledger_rig_commit(rig);
    assert_null(ledger_state_model(&rig->state, &id));
    assert_int_equal(rig->state.open_count, 0);
    assert_int_equal(rig->state.rejected_total, 0);
}

static void only_the_last_accepted_models_of_each_task_are_kept(void **state) {
    struct ledger_rig *rig = *state;
    struct hash other = accepted_model(rig, 7, 0.1);
    struct hash ids[4];
    for (uint32_t i = 0; i < 4; i++)
        ids[i] = accepted_model(rig, 3, 0.5);
    assert_null(ledger_state_model(&rig->state, &ids[0]));
    assert_null(ledger_state_model(&rig->state, &ids[1]));
    assert_non_null(ledger_state_model(&rig->state, &ids[2]));
    assert_non_null(ledger_state_model(&rig->state, &ids[3]));
    assert_non_null(ledger_state_model(&rig->state, &other));
}

static void more_models_than_are_kept_may_be_accepted_in_one_block(void **state) {
    struct ledger_rig *rig = *state;
    struct hash ids[4];
    for (uint32_t i = 0; i < 4; i++)
        ids[i] = ledger_rig_model(rig, EDGE, 3, 0.5);
    ledger_rig_commit(rig);
    for (uint32_t i = 0; i < 4; i++)
        ledger_rig_attest_all(rig, &ids[i]);
    ledger_rig_commit(rig);
    assert_int_equal(rig->state.accepted_total, 4);
    assert_int_equal(rig->state.model_count, rig->genesis.params.models_kept);
    for (uint32_t i = 0; i < rig->state.model_count; i++) /* of those decided together, the greater ids */
        for (uint32_t j = 0; j < 4; j++)
            if (ledger_state_model(&rig->state, &ids[j]) == NULL)
                assert_true(hash_compare(&ids[j], &rig->state.models[i].tx_id) < 0);
}

static void the_best_model_has_the_greatest_accuracy_then_the_least_loss_then_age(void **state) {
    struct ledger_rig *rig = *state;
    struct ledger_model models[4] = {{.tx_id = {{1}}}, {.tx_id = {{2}}}, {.tx_id = {{3}}}, {.tx_id = {{4}}}};
    static const int64_t accuracy[] = {5, 9, 9, 9}, loss[] = {0, 3, 2, 2};
    assert_null(ledger_state_best(&rig->state, 1));
    for (uint32_t i = 0; i < 4; i++) {
        models[i].status = MODEL_ACCEPTED;
        models[i].task_id = 1;
        models[i].decided_height = 10 - i;
        models[i].median_q32[METRIC_ACCURACY] = accuracy[i];
        models[i].median_q32[METRIC_LOSS] = loss[i];
        assert_int_equal(state_model_insert(&rig->state, &models[i]), STATUS_OK);
    }
    assert_int_equal(ledger_state_best(&rig->state, 1)->tx_id.bytes[0], 4);
    rig->state.models[3].decided_height = 11;
    assert_int_equal(ledger_state_best(&rig->state, 1)->tx_id.bytes[0], 3);
    rig->state.models[2].status = MODEL_OPEN;
    rig->state.models[3].task_id = 2;
    assert_int_equal(ledger_state_best(&rig->state, 1)->tx_id.bytes[0], 2);
    assert_null(ledger_state_best(&rig->state, 0));
}

static void blobs_of_kept_and_open_models_are_needed_and_no_others(void **state) {
    struct ledger_rig *rig = *state;
    struct hash needed[16];
    accepted_model(rig, 3, 0.5);
    accepted_model(rig, 3, 0.5);
    accepted_model(rig, 3, 0.5);
    ledger_rig_model(rig, EDGE, 0, 0.5);
    ledger_rig_commit(rig);
    assert_false(ledger_state_needs_blob(&rig->state, &rig->blobs[0].hash));
    for (uint32_t i = 1; i < 4; i++)
        assert_true(ledger_state_needs_blob(&rig->state, &rig->blobs[i].hash));
    assert_int_equal(ledger_state_blobs(&rig->state, needed), 3);
    assert_true(hash_compare(&needed[0], &needed[1]) < 0 && hash_compare(&needed[1], &needed[2]) < 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(ledger_state_needs_blob(&rig->state, &needed[i]));
}

static void a_blob_of_two_models_is_named_once(void **state) {
    struct ledger_rig *rig = *state;
    struct ledger_model models[2] = {{.tx_id = {{1}}}, {.tx_id = {{2}}}};
    struct hash needed[2];
    models[0].status = models[1].status = MODEL_ACCEPTED;
    assert_int_equal(state_model_insert(&rig->state, &models[0]), STATUS_OK);
    assert_int_equal(state_model_insert(&rig->state, &models[1]), STATUS_OK);
    assert_int_equal(ledger_state_blobs(&rig->state, needed), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_liars_cannot_move_the_median_beyond_honest_values),
        cmocka_unit_test_setup_teardown(a_claim_is_accepted_up_to_epsilon_from_the_median_and_no_further,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(distances_do_not_overflow, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(the_median_of_an_even_count_is_the_lower_of_the_two, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(less_than_q_attestations_decide_nothing, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_model_that_a_quorum_cannot_evaluate_is_rejected_whatever_it_claims,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(one_validator_that_cannot_evaluate_a_model_does_not_stop_it, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(an_open_model_is_forgotten_after_evidence_age, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(only_the_last_accepted_models_of_each_task_are_kept, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(more_models_than_are_kept_may_be_accepted_in_one_block, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(the_best_model_has_the_greatest_accuracy_then_the_least_loss_then_age,
                                        open_rig, close_rig),
        cmocka_unit_test_setup_teardown(blobs_of_kept_and_open_models_are_needed_and_no_others, open_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(a_blob_of_two_models_is_named_once, open_rig, close_rig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
