/* Goal: gateways and devices use a model only when the chain has accepted it, provably, and it is better than
 * the one they have; what does not hold changes nothing and is counted. Method: models on a chain made by
 * hand; proofs and bytes changed one at a time; a gateway and a device on the bench. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nodes/device/device.h"
#include "nodes/gateway/gateway.h"
#include "nodes/model_holder.h"
#include "tests/lib/factory_rig.h"
#include "tests/lib/model_rig.h"

static const uint32_t nodes[] = {10, 11, 12,
                                 13, 0,  14}; /* validators, edge servers; not in the topology here */
#define NODES 15u

struct message {
    uint8_t data[MODEL_RIG_MESSAGE_MAX];
    size_t bytes;
};

static const struct model_rig_model good = {.arch = DIAGNOSIS_MODEL_ARCH,
                                            .accuracy = 0.9,
                                            .line_threshold = 6,
                                            .impulse_threshold = 0.4,
                                            .accepted = true};

static struct message add(struct model_rig *rig, struct model_rig_model model) {
    struct message message;
    message.bytes = model_rig_add(rig, &model, message.data);
    return message;
}

struct fixture {
    struct model_rig rig;
    struct node_env env;
    struct model_holder holder;
};

static int open_fixture(void **state) {
    static struct fixture fixture;
    *state = &fixture;
    fixture = (struct fixture){.holder = {.holds = false}};
    model_rig_open(&fixture.rig, nodes, NODES);
    fixture.env.chain = &fixture.rig.chain;
    model_holder_init(&fixture.holder, &fixture.env);
    return 0;
}

static int close_fixture(void **state) {
    struct fixture *fixture = *state;
    model_holder_close(&fixture->holder);
    model_rig_close(&fixture->rig);
    return 0;
}

static enum model_news take(struct fixture *fixture, const struct message *message) {
    return model_holder_take(&fixture->holder, message->data, message->bytes);
}

static void an_accepted_model_is_taken_once(void **state) {
    struct fixture *fixture = *state;
    struct message message = add(&fixture->rig, good);
    assert_int_equal(take(fixture, &message), MODEL_TAKEN);
    assert_true(fixture->holder.holds);
    assert_int_equal(fixture->holder.parameters.line_threshold_q32, (int64_t)6 << 32);
    assert_int_equal(fixture->holder.client.height, 3); /* update, attestations, the header that proves */
    assert_int_equal(take(fixture, &message), MODEL_KNOWN);
    assert_int_equal(fixture->holder.refused, 0);
}

static void only_a_better_model_takes_its_place(void **state) {
    struct fixture *fixture = *state;
    struct model_rig_model worse = good, better = good;
    worse.accuracy = 0.8;
    better.accuracy = 0.95;
    better.line_threshold = 3;
    struct message first = add(&fixture->rig, good), second = add(&fixture->rig, worse),
                   third = add(&fixture->rig, better);
    assert_int_equal(take(fixture, &first), MODEL_TAKEN);
    assert_int_equal(take(fixture, &second), MODEL_KNOWN);
    assert_int_equal(take(fixture, &third), MODEL_TAKEN);
    assert_int_equal(take(fixture, &first), MODEL_KNOWN); /* an old one again */
    assert_int_equal(fixture->holder.parameters.line_threshold_q32, (int64_t)3 << 32);
}

static void a_model_that_is_still_open_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct model_rig_model open = good;
    open.accepted = false;
    struct message message = add(&fixture->rig, open);
    assert_int_equal(take(fixture, &message), MODEL_REFUSED);
    assert_false(fixture->holder.holds);
    assert_int_equal(fixture->holder.refused, 1);
}

static void a_model_of_another_kind_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct model_rig_model other = good;
    other.arch = DIAGNOSIS_MODEL_ARCH + 1;
    struct message message = add(&fixture->rig, other);
    assert_int_equal(take(fixture, &message), MODEL_REFUSED);
}

static void no_changed_bit_and_no_shorter_message_is_taken(void **state) {
    struct fixture *fixture = *state;
    struct message message = add(&fixture->rig, good);
    uint64_t refused = 0;
    for (size_t at = 0; at < message.bytes; at++) {
        message.data[at] ^= (uint8_t)(1u << at % 8);
        assert_int_equal(take(fixture, &message), MODEL_REFUSED);
        message.data[at] ^= (uint8_t)(1u << at % 8);
        assert_int_equal(fixture->holder.refused, ++refused);
    }
    for (size_t bytes = 0; bytes < message.bytes; bytes++)
        assert_int_equal(model_holder_take(&fixture->holder, message.data, bytes), MODEL_REFUSED);
    assert_false(fixture->holder.holds);
    assert_int_equal(take(fixture, &message), MODEL_TAKEN);
}

static void a_model_of_another_chain_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct model_rig other;
    model_rig_open(&other, nodes, NODES);
    other.ledger.genesis.params.seed++; /* the same validators, another run */
    genesis_seal(&other.ledger.genesis);
    struct message message = add(&other, good);
    assert_int_equal(take(fixture, &message), MODEL_REFUSED);
    model_rig_close(&other);
}

static void without_a_chain_nothing_is_taken(void **state) {
    struct fixture *fixture = *state;
    struct message message = add(&fixture->rig, good);
    struct model_holder holder;
    model_holder_init(&holder, &(struct node_env){.chain = NULL});
    assert_int_equal(model_holder_take(&holder, message.data, message.bytes), MODEL_REFUSED);
    model_holder_close(&holder);
}

/* ---- nodes ---- */

static void hand_over(struct factory_rig *rig, const struct message *message, uint32_t source) {
    struct bytes_writer writer = {.data = (uint8_t *)message->data, .used = message->bytes};
    assert_int_equal(rig_message(rig, MS(3500), MESSAGE_MODEL, source, &writer), STATUS_OK);
}

/* How many windows of ten slots a gateway that diagnoses all itself finds to be of a faulty bearing. */
static uint32_t faults_found(struct fixture *fixture, const struct message *message) {
    struct factory_rig rig;
    uint32_t faults = 0;
    rig_init(&rig, RIG_GATEWAY(0));
    rig.env.chain = &fixture->rig.chain;
    rig.scenario.policy.kind = POLICY_LOCAL;
    assert_int_equal(rig_start(&rig, 0), STATUS_OK);
    if (message != NULL)
        hand_over(&rig, message, RIG_EDGE);
    for (uint32_t slot = 4; slot < 14; slot++) {
        for (uint32_t i = 0; i < RIG_DEVICES; i++)
            assert_int_equal(rig_send_task(&rig, RIG_DEVICE(0, i), slot, 0, MS(1000) * slot + MS(10)),
                             STATUS_OK);
        assert_int_equal(rig_fire(&rig, rig_action(&rig, ACTION_TIMER, GATEWAY_TIMER_CPU, 0)), STATUS_OK);
        for (uint32_t i = 0; i < RIG_DEVICES; i++)
            faults += rig_answer(&rig, i).class != BEARING_NORMAL;
    }
    rig_close(&rig);
    return faults;
}

static void a_gateway_diagnoses_with_the_model_it_holds(void **state) {
    struct fixture *fixture = *state;
    struct model_rig_model deaf = good; /* nothing is loud enough for it */
    deaf.line_threshold = deaf.impulse_threshold = DIAGNOSIS_THRESHOLD_MAX;
    struct message message = add(&fixture->rig, deaf), broken = message;
    broken.data[100] ^= 1;
    assert_true(faults_found(fixture, NULL) > 5);
    assert_int_equal(faults_found(fixture, &message), 0);
    assert_true(faults_found(fixture, &broken) > 5);
}

static void a_gateway_passes_on_what_holds(void **state) {
    struct fixture *fixture = *state;
    struct factory_rig rig;
    struct message message = add(&fixture->rig, good), broken = message;
    broken.data[100] ^= 1;
    rig_init(&rig, RIG_GATEWAY(0));
    rig.env.chain = &fixture->rig.chain;
    assert_int_equal(rig_start(&rig, 0), STATUS_OK);
    hand_over(&rig, &broken, RIG_EDGE);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_MODEL), 0);
    assert_int_equal(rig_count(&rig, ACTION_RECORD, ROW_RESULT), 1); /* models_refused */
    hand_over(&rig, &message, RIG_EDGE);
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_MODEL), RIG_DEVICES);
    const struct action *sent = rig_action(&rig, ACTION_SEND, MESSAGE_MODEL, 1);
    assert_int_equal(sent->bytes, message.bytes);
    assert_memory_equal(rig_payload(&rig, sent), message.data, message.bytes);
    hand_over(&rig, &message, RIG_EDGE); /* again, for devices that missed it */
    assert_int_equal(rig_count(&rig, ACTION_SEND, MESSAGE_MODEL), RIG_DEVICES);
    struct bytes_writer writer = bytes_writer_over(message.data, sizeof message.data);
    writer.used = message.bytes;
    assert_int_equal(rig_message(&rig, MS(3500), MESSAGE_MODEL, RIG_DEVICE(0, 0), &writer), STATUS_INVALID);
    rig_close(&rig);
}

static void a_device_takes_a_model_from_its_gateway_alone_and_says_at_which_height(void **state) {
    struct fixture *fixture = *state;
    struct factory_rig rig;
    struct message message = add(&fixture->rig, good);
    rig_init(&rig, RIG_DEVICE(0, 1));
    rig.env.chain = &fixture->rig.chain;
    assert_int_equal(rig_start(&rig, 0), STATUS_OK);
    struct bytes_writer writer = bytes_writer_over(message.data, sizeof message.data);
    writer.used = message.bytes;
    assert_int_equal(rig_message(&rig, MS(3500), MESSAGE_MODEL, RIG_GATEWAY(1), &writer), STATUS_INVALID);
    hand_over(&rig, &message, RIG_GATEWAY(0));
    const struct action *recorded = rig_action(&rig, ACTION_RECORD, ROW_SERIES, 0);
    assert_non_null(recorded);
    struct bytes_reader reader = bytes_reader_over(rig_payload(&rig, recorded), recorded->bytes);
    struct row row;
    assert_int_equal(row_decode(&reader, &row), STATUS_OK);
    assert_string_equal(row.as.series.name, "model_height");
    assert_int_equal(row.as.series.step, 3); /* slots of 1 s */
    assert_true(fabs(row.as.series.value - 3.0) == 0.0);
    rig_close(&rig);
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_accepted_model_is_taken_once),
        FIXTURE_TEST(only_a_better_model_takes_its_place),
        FIXTURE_TEST(a_model_that_is_still_open_is_refused),
        FIXTURE_TEST(a_model_of_another_kind_is_refused),
        FIXTURE_TEST(no_changed_bit_and_no_shorter_message_is_taken),
        FIXTURE_TEST(a_model_of_another_chain_is_refused),
        FIXTURE_TEST(without_a_chain_nothing_is_taken),
        FIXTURE_TEST(a_gateway_diagnoses_with_the_model_it_holds),
        FIXTURE_TEST(a_gateway_passes_on_what_holds),
        FIXTURE_TEST(a_device_takes_a_model_from_its_gateway_alone_and_says_at_which_height)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
