/* Goal: the state has one dump and one root: the dump loads to the same state and nothing else does, the
 * remembered leaves give the root that the content alone gives, a copy is its own, and the proof of a model
 * leads to the root.
 * Method: a chain of ledger_rig with open, attested and accepted models and evidence; at every height the
 * fast root is compared with the naive one; every byte of the dump is changed in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/base/random.h"
#include "common/ledger/state_parts.h"
#include "tests/lib/ledger_rig.h"

#define EDGE 4u

static void assert_roots_agree(const struct ledger_state *state) {
    struct hash fast = ledger_state_root(state), naive = state_root_naive(state);
    assert_memory_equal(&fast, &naive, sizeof fast);
}

static struct hash accept_one(struct ledger_rig *rig, uint32_t task) {
    struct hash id = ledger_rig_model(rig, EDGE, task, 0.5);
    ledger_rig_commit(rig);
    ledger_rig_attest_all(rig, &id);
    ledger_rig_commit(rig);
    return id;
}

/* Two accepted models, one open with an attestation, one without, two offences, records. */
static int open_rich_rig(void **state) {
    struct ledger_rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    ledger_rig_open(rig, &(struct ledger_rig_config){.validators = 4, .edges = 2});
    accept_one(rig, 0);
    accept_one(rig, 1);
    struct hash open = ledger_rig_model(rig, EDGE, 2, 0.5);
    ledger_rig_model(rig, EDGE + 1, 2, 0.25);
    ledger_rig_evidence(rig, 0, 3, 1, 0);
    ledger_rig_commit(rig);
    ledger_rig_attest(rig, 2, &open, 0.5);
    ledger_rig_records(rig, EDGE, 17);
    ledger_rig_evidence(rig, 0, 1, 2, 0);
    ledger_rig_commit(rig);
    *state = rig;
    return 0;
}

static int close_rig(void **state) {
    ledger_rig_close(*state);
    free(*state);
    return 0;
}

static void the_fast_root_is_the_naive_root_after_every_block(void **state) {
    struct ledger_rig *rig = *state;
    struct random_stream random;
    random_init(&random, 1, 0, RANDOM_TEST);
    for (uint32_t i = 0; i < 40; i++) {
        if (random_chance(&random, 0.5))
            ledger_rig_records(rig, EDGE, (uint16_t)(1 + random_below(&random, 50)));
        if (rig->state.open_count < rig->genesis.params.open_models_max)
            ledger_rig_model(rig, EDGE + (uint32_t)random_below(&random, 2),
                             (uint32_t)random_below(&random, 3), 0.5);
        for (uint32_t j = 0; j < rig->state.model_count; j++) {
            const struct ledger_model *model = &rig->state.models[j];
            uint32_t validator = (uint32_t)random_below(&random, 4);
            if (model->status == MODEL_OPEN && (model->attested >> validator & 1) == 0)
                ledger_rig_attest(rig, validator, &model->tx_id, random_chance(&random, 0.8) ? 0.5 : 0.1);
        }
        ledger_rig_commit(rig);
        assert_roots_agree(&rig->state);
    }
    assert_true(rig->state.accepted_total > 4);
}

static void the_root_within_a_block_is_right_too(void **state) {
    struct ledger_rig *rig = *state;
    struct hash before = ledger_state_root(&rig->state), id = {{9}};
    struct transaction tx = ledger_rig_tx(rig, TX_MODEL_UPDATE, EDGE);
    assert_int_equal(ledger_state_apply_tx(&rig->state, &tx, &id, rig->state.height + 1), STATUS_OK);
    struct hash after = ledger_state_root(&rig->state);
    assert_memory_not_equal(&before, &after, sizeof before);
    assert_roots_agree(&rig->state);
}

static void a_dump_loads_to_the_same_state(void **state) {
    struct ledger_rig *rig = *state;
    const struct ledger_rig_block *last = &rig->blocks[rig->block_count - 1];
    struct ledger_state loaded;
    assert_int_equal(ledger_state_decode(&loaded, &rig->genesis, last->state, last->state_bytes), STATUS_OK);
    struct hash root = ledger_state_root(&rig->state), again = ledger_state_root(&loaded);
    assert_memory_equal(&root, &again, sizeof root);
    assert_int_equal(loaded.height, rig->state.height);
    assert_int_equal(loaded.open_count, 2);
    assert_int_equal(loaded.offence_count, 2);
    size_t bytes = ledger_state_bytes(&loaded);
    uint8_t *dump = malloc(bytes);
    assert_non_null(dump);
    struct bytes_writer writer = bytes_writer_over(dump, bytes);
    ledger_state_encode(&writer, &loaded);
    assert_int_equal(bytes, last->state_bytes);
    assert_memory_equal(dump, last->state, bytes);
    free(dump);
    ledger_state_close(&loaded);
}

/* A changed dump is refused, or it is the dump of another state: with another root, and itself canonical. */
static void every_changed_byte_is_refused_or_changes_the_root(void **state) {
    struct ledger_rig *rig = *state;
    const struct ledger_rig_block *last = &rig->blocks[rig->block_count - 1];
    struct hash root = ledger_state_root(&rig->state);
    uint8_t *dump = malloc(last->state_bytes), *again = malloc(last->state_bytes);
    uint32_t refused = 0;
    assert_true(dump != NULL && again != NULL);
    memcpy(dump, last->state, last->state_bytes);
    for (size_t i = 0; i < last->state_bytes; i++) {
        struct ledger_state loaded;
        dump[i] ^= 0x81;
        if (ledger_state_decode(&loaded, &rig->genesis, dump, last->state_bytes) != STATUS_OK) {
            refused++;
        } else {
            struct bytes_writer writer = bytes_writer_over(again, last->state_bytes);
            struct hash other = ledger_state_root(&loaded);
            assert_memory_not_equal(&other, &root, sizeof root);
            ledger_state_encode(&writer, &loaded);
            assert_false(writer.failed);
            assert_memory_equal(again, dump, last->state_bytes);
            ledger_state_close(&loaded);
        }
        dump[i] ^= 0x81;
    }
    assert_true(refused > 50); /* tags, counts, order, statuses, bounds */
    free(again);
    free(dump);
}

static void a_dump_cut_short_or_with_more_behind_it_is_refused(void **state) {
    struct ledger_rig *rig = *state;
    const struct ledger_rig_block *last = &rig->blocks[rig->block_count - 1];
    uint8_t *longer = calloc(1, last->state_bytes + 1);
    struct ledger_state loaded;
    assert_non_null(longer);
    memcpy(longer, last->state, last->state_bytes);
    for (size_t i = 0; i < last->state_bytes; i++)
        assert_int_equal(ledger_state_decode(&loaded, &rig->genesis, last->state, i), STATUS_INVALID);
    assert_int_equal(ledger_state_decode(&loaded, &rig->genesis, longer, last->state_bytes + 1),
                     STATUS_INVALID);
    free(longer);
}

static void a_dump_of_another_number_of_senders_is_refused(void **state) {
    struct ledger_rig *rig = *state;
    const struct ledger_rig_block *last = &rig->blocks[rig->block_count - 1];
    struct genesis other = rig->genesis;
    struct ledger_state loaded;
    other.sender_count--;
    assert_int_equal(ledger_state_decode(&loaded, &other, last->state, last->state_bytes), STATUS_INVALID);
}

/* ---- states that no chain leads to ---- */

static struct ledger_model *first_of(struct ledger_state *state, uint8_t status) {
    for (uint32_t i = 0; i < state->model_count; i++)
        if (state->models[i].status == status)
            return &state->models[i];
    fail_msg("no model of status %u", status);
    return NULL;
}

static void spoil_nothing(struct ledger_state *state) {
    (void)state;
}
static void spoil_task(struct ledger_state *state) {
    state->models[0].task_id = LEDGER_TASKS_MAX;
}
static void spoil_sender(struct ledger_state *state) {
    state->models[0].sender = state->genesis->sender_count;
}
static void spoil_blob_bytes(struct ledger_state *state) {
    state->models[0].blob_bytes = (uint64_t)state->genesis->params.blob_bytes_max + 1;
}
static void spoil_height_zero(struct ledger_state *state) {
    state->models[0].height = 0;
}
static void spoil_height_to_come(struct ledger_state *state) {
    first_of(state, MODEL_OPEN)->height = state->height + 1;
}
static void spoil_decided_to_come(struct ledger_state *state) {
    first_of(state, MODEL_ACCEPTED)->decided_height = state->height + 1;
}
static void spoil_decided_before_made(struct ledger_state *state) {
    struct ledger_model *model = first_of(state, MODEL_ACCEPTED);
    model->decided_height = model->height - 1;
}
static void spoil_attested_by_none(struct ledger_state *state) {
    first_of(state, MODEL_ACCEPTED)->attested = 0x3;
}
static void spoil_attested_by_strangers(struct ledger_state *state) {
    first_of(state, MODEL_ACCEPTED)->attested = 0x17;
}
static void spoil_open_with_quorum(struct ledger_state *state) {
    first_of(state, MODEL_OPEN)->attested = 0x7;
}
static void spoil_open_count(struct ledger_state *state) {
    for (uint8_t i = 0; i < 3; i++) {
        struct ledger_model model = {.tx_id = {{i}}, .status = MODEL_OPEN, .height = state->height};
        model.values = state_values_new(state->genesis);
        assert_int_equal(state_model_insert(state, &model), STATUS_OK);
    }
}
static void spoil_kept_count(struct ledger_state *state) {
    for (uint8_t i = 0; i < 2; i++) {
        struct ledger_model model = *first_of(state, MODEL_ACCEPTED);
        model.tx_id = (struct hash){{i}};
        assert_int_equal(state_model_insert(state, &model), STATUS_OK);
    }
}
static void spoil_open_age(struct ledger_state *state) {
    state->height += state->genesis->params.evidence_age;
    state->offence_count = 0;
    first_of(state, MODEL_OPEN)->height = state->height - state->genesis->params.evidence_age - 1;
}
static void spoil_accused(struct ledger_state *state) {
    state->accused &= ~(UINT64_C(1) << state->offences[0].accused);
}
static void spoil_accused_stranger(struct ledger_state *state) {
    state->accused |= UINT64_C(1) << 4;
}
static void spoil_offence_height(struct ledger_state *state) {
    state->offences[0].height = state->height + 1;
}
static void spoil_offence_order(struct ledger_state *state) {
    struct ledger_offence first = state->offences[0];
    state->offences[0] = state->offences[1];
    state->offences[1] = first;
}
static void spoil_offence_twice(struct ledger_state *state) {
    state->offences[1] = state->offences[0];
}
static void spoil_model_order(struct ledger_state *state) {
    struct ledger_model first = state->models[0];
    state->models[0] = state->models[1];
    state->models[1] = first;
}

static void (*const spoils[])(struct ledger_state *state) = {spoil_task,
                                                             spoil_sender,
                                                             spoil_blob_bytes,
                                                             spoil_height_zero,
                                                             spoil_height_to_come,
                                                             spoil_decided_to_come,
                                                             spoil_decided_before_made,
                                                             spoil_attested_by_none,
                                                             spoil_attested_by_strangers,
                                                             spoil_open_with_quorum,
                                                             spoil_open_count,
                                                             spoil_kept_count,
                                                             spoil_open_age,
                                                             spoil_accused,
                                                             spoil_accused_stranger,
                                                             spoil_offence_height,
                                                             spoil_offence_order,
                                                             spoil_offence_twice,
                                                             spoil_model_order};

static enum status load_spoilt(const struct ledger_rig *rig, void (*spoil)(struct ledger_state *state)) {
    struct ledger_state spoilt, loaded;
    assert_int_equal(ledger_state_copy(&spoilt, &rig->state), STATUS_OK);
    spoil(&spoilt);
    size_t bytes = ledger_state_bytes(&spoilt);
    uint8_t *dump = malloc(bytes);
    assert_non_null(dump);
    struct bytes_writer writer = bytes_writer_over(dump, bytes);
    ledger_state_encode(&writer, &spoilt);
    enum status status = ledger_state_decode(&loaded, &rig->genesis, dump, bytes);
    ledger_state_close(&loaded); /* after a failure too */
    ledger_state_close(&spoilt);
    free(dump);
    return status;
}

static void a_dump_that_the_rules_cannot_have_led_to_is_refused(void **state) {
    struct ledger_rig *rig = *state;
    assert_int_equal(load_spoilt(rig, spoil_nothing), STATUS_OK);
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++)
        if (load_spoilt(rig, spoils[i]) != STATUS_INVALID)
            fail_msg("spoil %zu was taken", i);
}

static void a_copy_and_its_origin_do_not_share_anything(void **state) {
    struct ledger_rig *rig = *state;
    struct ledger_state copy;
    struct hash before = ledger_state_root(&rig->state);
    assert_int_equal(ledger_state_copy(&copy, &rig->state), STATUS_OK);
    struct hash copied = ledger_state_root(&copy);
    assert_memory_equal(&before, &copied, sizeof before);
    for (uint32_t i = 0; i < copy.model_count; i++) {
        copy.models[i].claimed_q32[0] ^= 1;
        copy.models[i].leaf_known = false;
        if (copy.models[i].values != NULL)
            copy.models[i].values[0] ^= 1;
    }
    copy.nonces[0]++;
    copy.offences[0].height ^= 1;
    struct hash after = state_root_naive(&rig->state);
    assert_memory_equal(&before, &after, sizeof before);
    ledger_state_close(&copy);
    after = state_root_naive(&rig->state);
    assert_memory_equal(&before, &after, sizeof before);
}

static void a_copy_grows_on_its_own(void **state) {
    struct ledger_rig *rig = *state;
    struct ledger_state copy;
    assert_int_equal(ledger_state_copy(&copy, &rig->state), STATUS_OK);
    for (uint8_t i = 0; i < 40; i++) {
        struct ledger_model model = {.tx_id = {{i, 7}}, .status = MODEL_ACCEPTED};
        struct ledger_offence offence = {.key = {{i, 7}}};
        assert_int_equal(state_model_insert(&copy, &model), STATUS_OK);
        assert_int_equal(state_offence_insert(&copy, &offence), STATUS_OK);
    }
    assert_int_equal(copy.model_count, rig->state.model_count + 40);
    assert_roots_agree(&rig->state);
    ledger_state_close(&copy);
}

static void the_proof_of_each_model_leads_to_the_root(void **state) {
    struct ledger_rig *rig = *state;
    struct hash root = ledger_state_root(&rig->state), path[MERKLE_PATH_MAX];
    for (uint32_t i = 0; i < rig->state.model_count; i++) {
        const struct ledger_model *model = &rig->state.models[i];
        uint8_t bytes[LEDGER_MODEL_BYTES_MAX];
        struct bytes_writer leaf = bytes_writer_over(bytes, sizeof bytes);
        struct ledger_model decoded;
        uint64_t index, count;
        uint32_t length;
        assert_int_equal(ledger_state_prove(&rig->state, &model->tx_id, &leaf, &index, &count, path, &length),
                         STATUS_OK);
        struct hash hash = merkle_leaf(bytes, leaf.used);
        assert_true(merkle_inclusion_valid(&root, &hash, index, count, path, length));
        assert_int_equal(ledger_model_decode(bytes, leaf.used, &decoded), STATUS_OK);
        assert_memory_equal(&decoded.tx_id, &model->tx_id, sizeof decoded.tx_id);
        assert_int_equal(decoded.status, model->status);
        assert_int_equal(ledger_model_decode(bytes, leaf.used - 1, &decoded), STATUS_INVALID);
    }
}

static void what_is_not_in_the_registry_has_no_proof(void **state) {
    struct ledger_rig *rig = *state;
    uint8_t bytes[LEDGER_MODEL_BYTES_MAX];
    struct bytes_writer leaf = bytes_writer_over(bytes, sizeof bytes);
    struct hash path[MERKLE_PATH_MAX], unknown = {{1}};
    uint64_t index, count;
    uint32_t length;
    assert_int_equal(ledger_state_prove(&rig->state, &unknown, &leaf, &index, &count, path, &length),
                     STATUS_INVALID);
}

/* 64 validators, all but one of a quorum attested: the largest leaf there is. */
static void the_largest_model_fits_its_bound(void **state) {
    struct ledger_rig *rig = calloc(1, sizeof *rig);
    struct hash id = {{1}}, path[MERKLE_PATH_MAX];
    uint8_t bytes[LEDGER_MODEL_BYTES_MAX];
    struct bytes_writer leaf = bytes_writer_over(bytes, sizeof bytes);
    uint64_t index, count;
    uint32_t length;
    (void)state;
    ledger_rig_open(rig, &(struct ledger_rig_config){.validators = 64, .edges = 1});
    struct transaction tx = ledger_rig_tx(rig, TX_MODEL_UPDATE, 64);
    assert_int_equal(ledger_state_apply_tx(&rig->state, &tx, &id, 1), STATUS_OK);
    rig->state.models[0].attested = UINT64_MAX;
    assert_int_equal(ledger_state_prove(&rig->state, &id, &leaf, &index, &count, path, &length), STATUS_OK);
    assert_true(leaf.used > 2048);
    ledger_rig_close(rig);
    free(rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_fast_root_is_the_naive_root_after_every_block, open_rich_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(the_root_within_a_block_is_right_too, open_rich_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_dump_loads_to_the_same_state, open_rich_rig, close_rig),
        cmocka_unit_test_setup_teardown(every_changed_byte_is_refused_or_changes_the_root, open_rich_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(a_dump_cut_short_or_with_more_behind_it_is_refused, open_rich_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(a_dump_of_another_number_of_senders_is_refused, open_rich_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(a_dump_that_the_rules_cannot_have_led_to_is_refused, open_rich_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(a_copy_and_its_origin_do_not_share_anything, open_rich_rig,
                                        close_rig),
        cmocka_unit_test_setup_teardown(a_copy_grows_on_its_own, open_rich_rig, close_rig),
        cmocka_unit_test_setup_teardown(the_proof_of_each_model_leads_to_the_root, open_rich_rig, close_rig),
        cmocka_unit_test_setup_teardown(what_is_not_in_the_registry_has_no_proof, open_rich_rig, close_rig),
        cmocka_unit_test(the_largest_model_fits_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
