/* Goal: an edge server gets its models on chain whatever is lost, believes only proofs, and hands the best
 * accepted model to its gateways. Method: one edge server of a small factory with validators, fed by hand;
 * blocks, certificates and proofs are made by a chain on the bench that has the same keys. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/net/message_chain.h"
#include "common/time/vtime.h"
#include "nodes/chain/attest_diagnosis.h"
#include "nodes/edge/edge.h"
#include "tests/lib/model_rig.h"

static const char text[] = "name: models\nseed: 3\nslot: 1 s\nslots: 40\n"
                           "nodes:\n"
                           "  - {name: edge, role: edge, count: 2}\n"
                           "  - {name: gateway, role: gateway, parent: edge, per_parent: 2}\n"
                           "  - {name: sensor, role: device, parent: gateway, per_parent: 2}\n"
                           "  - {name: validator, role: chain, count: 4}\n"
                           "links:\n"
                           "  - {from: sensor, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
                           "  - {from: gateway, to: sensor, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
                           "  - {from: gateway, to: edge, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"
                           "  - {from: edge, to: gateway, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"
                           "  - {from: edge, to: validator, kind: wired, rate: 1 Gbit/s, delay: 1 ms}\n"
                           "  - {from: validator, to: edge, kind: wired, rate: 1 Gbit/s, delay: 1 ms}\n"
                           "  - {from: validator, to: validator, kind: wired, rate: 1 Gbit/s, delay: 1 ms}\n"
                           "policy: {kind: offload}\n"
                           "chain: {model_slots: 2, timeout: 500 ms}\n";

enum { EDGE = 0, OTHER_EDGE = 1, GATEWAY = 2, SENSOR = 6, VALIDATOR = 14, NODES = 18 };
static const uint32_t members[] = {VALIDATOR, VALIDATOR + 1, VALIDATOR + 2, VALIDATOR + 3, EDGE, OTHER_EDGE};

#define S INT64_C(1000000000)

struct fixture {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct bearing_source *bearings;
    struct model_rig rig;
    struct node_env env;
    void *state;
    struct outbox out;
    uint8_t durable[MODEL_RIG_MESSAGE_MAX];
    size_t durable_bytes;
};

/* ---- the edge server ---- */

static void keep_durable(struct fixture *fixture) {
    for (uint32_t i = 0; i < fixture->out.count; i++) {
        const struct action *action = &fixture->out.actions[i];
        if (action->kind != ACTION_PERSIST)
            continue;
        assert_true(action->bytes <= sizeof fixture->durable);
        memcpy(fixture->durable, fixture->out.bytes + action->offset, action->bytes);
        fixture->durable_bytes = action->bytes;
    }
}

static void start(struct fixture *fixture, int64_t now_ns, bool again) {
    if (fixture->state != NULL) {
        edge_class.close(fixture->state);
        free(fixture->state);
    }
    fixture->state = calloc(1, edge_class.state_bytes);
    assert_non_null(fixture->state);
    outbox_reset(&fixture->out);
    assert_int_equal(again ? edge_class.on_restart(fixture->state, &fixture->env, now_ns, fixture->durable,
                                                   fixture->durable_bytes, &fixture->out)
                           : edge_class.on_start(fixture->state, &fixture->env, now_ns, &fixture->out),
                     STATUS_OK);
}

static void fire(struct fixture *fixture, int64_t now_ns, uint32_t timer, uint64_t cookie) {
    struct node_event event = {.now_ns = now_ns, .timer = timer, .cookie = cookie};
    outbox_reset(&fixture->out);
    assert_int_equal(edge_class.on_timer(fixture->state, &fixture->env, &event, &fixture->out), STATUS_OK);
}

static enum status hand(struct fixture *fixture, int64_t now_ns, enum message_type type, uint32_t source,
                        const struct bytes_writer *payload) {
    struct node_event event = {.now_ns = now_ns,
                               .type = type,
                               .source = source,
                               .payload = payload->data,
                               .payload_bytes = payload->used};
    outbox_reset(&fixture->out);
    enum status status = edge_class.on_message[type](fixture->state, &fixture->env, &event, &fixture->out);
    keep_durable(fixture);
    return status;
}

static const struct action *find(const struct fixture *fixture, enum action_kind kind, uint32_t type,
                                 uint32_t nth) {
    for (uint32_t i = 0; i < fixture->out.count; i++) {
        const struct action *action = &fixture->out.actions[i];
        uint32_t of = kind == ACTION_TIMER ? action->node : action->type;
        if (action->kind == kind && of == type && nth-- == 0)
            return action;
    }
    return NULL;
}

static uint32_t count(const struct fixture *fixture, enum message_type type) {
    uint32_t found = 0;
    while (find(fixture, ACTION_SEND, type, found) != NULL)
        found++;
    return found;
}

/* Fires the timer for sending again that the last event asked for. */
static int64_t fire_again(struct fixture *fixture) {
    const struct action *timer = find(fixture, ACTION_TIMER, MODEL_TIMER_AGAIN, 0);
    assert_non_null(timer);
    int64_t at_ns = timer->at_ns;
    fire(fixture, at_ns, MODEL_TIMER_AGAIN, timer->bits);
    return at_ns;
}

static double recorded(const struct fixture *fixture, const char *name) {
    for (uint32_t i = 0;; i++) {
        const struct action *action = find(fixture, ACTION_RECORD, ROW_SERIES, i);
        assert_non_null(action);
        struct bytes_reader reader = bytes_reader_over(fixture->out.bytes + action->offset, action->bytes);
        struct row row;
        assert_int_equal(row_decode(&reader, &row), STATUS_OK);
        if (strcmp(row.as.series.name, name) == 0)
            return row.as.series.value;
    }
}

static int open_fixture(void **state) {
    static struct fixture fixture;
    struct scenario_problems problems;
    struct error error = {0};
    fixture = (struct fixture){.state = NULL};
    *state = &fixture;
    arena_init(&fixture.arena);
    outbox_init(&fixture.out);
    if (scenario_load_text(text, sizeof text - 1, "text", NULL, 0, &fixture.arena, &fixture.scenario,
                           &problems) != STATUS_OK)
        fail_msg("%s", problems.items[0].text);
    assert_int_equal(topology_build(&fixture.scenario, &fixture.arena, &fixture.topology, &error), STATUS_OK);
    assert_int_equal(task_open_bearings(&fixture.scenario, &fixture.bearings, &error), STATUS_OK);
    model_rig_open(&fixture.rig, members, NODES);
    fixture.topology.nodes[EDGE].may_crash = true; /* so that it persists */
    fixture.env = (struct node_env){.self = EDGE,
                                    .scenario = &fixture.scenario,
                                    .topology = &fixture.topology,
                                    .bearings = fixture.bearings,
                                    .chain = &fixture.rig.chain};
    start(&fixture, 0, false);
    return 0;
}

static int close_fixture(void **state) {
    struct fixture *fixture = *state;
    edge_class.close(fixture->state);
    free(fixture->state);
    model_rig_close(&fixture->rig);
    bearing_source_close(fixture->bearings);
    outbox_close(&fixture->out);
    arena_close(&fixture->arena);
    return 0;
}

/* ---- what it offers ---- */

struct offered {
    uint8_t tx[AUTHOR_TX_BYTES];
    struct transaction decoded;
};

/* The transaction it sends to validator `nth` of those it sends to. */
static struct offered offer(const struct fixture *fixture, uint32_t nth) {
    struct offered offered;
    struct message_tx message;
    const struct action *action = find(fixture, ACTION_SEND, MESSAGE_TX, nth);
    assert_non_null(action);
    assert_int_equal(message_decode_tx(fixture->out.bytes + action->offset, action->bytes, &message),
                     STATUS_OK);
    assert_int_equal(message.bytes, sizeof offered.tx);
    memcpy(offered.tx, message.data, sizeof offered.tx);
    assert_int_equal(transaction_decode(offered.tx, sizeof offered.tx, &offered.decoded), STATUS_OK);
    return offered;
}

static struct offered round_of(struct fixture *fixture, uint32_t round) {
    fire(fixture, 2 * S * round, MODEL_TIMER_ROUND, round);
    return offer(fixture, 0);
}

/* Its blob, as a validator gets it. */
static void fetch(struct fixture *fixture, const struct hash *hash, uint8_t blob[DIAGNOSIS_MODEL_BYTES]) {
    uint8_t data[64];
    struct message_blob_resp response;
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_blob_req(&writer, &(struct message_blob_req){.blob_hash = *hash, .count = 8});
    assert_int_equal(hand(fixture, 3 * S, MESSAGE_BLOB_REQ, VALIDATOR, &writer), STATUS_OK);
    const struct action *action = find(fixture, ACTION_SEND, MESSAGE_BLOB_RESP, 0);
    assert_non_null(action);
    assert_int_equal(action->node, VALIDATOR);
    assert_int_equal(message_decode_blob_resp(fixture->out.bytes + action->offset, action->bytes, &response),
                     STATUS_OK);
    assert_int_equal(response.total, DIAGNOSIS_MODEL_BYTES);
    struct hash of = blob_hash(response.data, response.bytes);
    assert_true(hash_equal(&of, hash));
    memcpy(blob, response.data, response.bytes);
}

/* Puts its first offer on chain and accepts it; returns the MODEL payload. */
static size_t accept_offer(struct fixture *fixture, const struct offered *offered,
                           uint8_t model[MODEL_RIG_MESSAGE_MAX]) {
    uint8_t blob[DIAGNOSIS_MODEL_BYTES];
    fetch(fixture, &offered->decoded.blob_hash, blob);
    return model_rig_accept(&fixture->rig, offered->tx, sizeof offered->tx, blob, model);
}

static void hand_proof(struct fixture *fixture, int64_t now_ns, const uint8_t *payload, size_t bytes) {
    struct bytes_writer writer = {.data = (uint8_t *)payload, .used = bytes};
    assert_int_equal(hand(fixture, now_ns, MESSAGE_PROOF, VALIDATOR, &writer), STATUS_OK);
}

static void a_round_offers_a_model_to_all_validators_that_measures_as_it_claims(void **state) {
    struct fixture *fixture = *state;
    struct attest_diagnosis judge;
    int64_t metric_q32[METRIC_COUNT];
    uint8_t blob[DIAGNOSIS_MODEL_BYTES];
    assert_int_equal(find(fixture, ACTION_TIMER, MODEL_TIMER_ROUND, 0)->at_ns, 2 * S);
    struct offered offered = round_of(fixture, 1);
    assert_int_equal(count(fixture, MESSAGE_TX), 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(find(fixture, ACTION_SEND, MESSAGE_TX, i)->node, VALIDATOR + i);
    double accuracy = recorded(fixture, "model_accuracy");
    assert_true(accuracy > 0.8);
    assert_int_equal(
        transaction_check(&fixture->rig.chain.genesis, &offered.decoded, offered.tx, sizeof offered.tx),
        STATUS_OK);
    fetch(fixture, &offered.decoded.blob_hash, blob);
    attest_diagnosis_init(&judge, &fixture->env);
    assert_true(attestor_diagnosis.evaluate(&judge, blob, sizeof blob, &offered.decoded.metric_input_hash,
                                            metric_q32));
    assert_memory_equal(metric_q32, offered.decoded.metric_q32, sizeof metric_q32);
    assert_true(fabs(metric_from_q32(metric_q32[METRIC_ACCURACY]) - accuracy) < 1e-9);
    struct hash other = {{1}};
    assert_false(attestor_diagnosis.evaluate(&judge, blob, sizeof blob, &other, metric_q32));
    blob[0] ^= 1;
    assert_false(attestor_diagnosis.evaluate(&judge, blob, sizeof blob, &offered.decoded.metric_input_hash,
                                             metric_q32));
    attest_diagnosis_close(&judge);
}

static void it_sends_again_until_a_proof_shows_it_in_a_block(void **state) {
    struct fixture *fixture = *state;
    uint8_t model[MODEL_RIG_MESSAGE_MAX], proof[MODEL_RIG_MESSAGE_MAX];
    struct offered offered = round_of(fixture, 1), again;
    assert_int_equal(fire_again(fixture), 3 * S); /* two time-outs later */
    again = offer(fixture, 3);
    assert_memory_equal(again.tx, offered.tx, sizeof again.tx);
    struct action timer = *find(fixture, ACTION_TIMER, MODEL_TIMER_AGAIN, 0);
    accept_offer(fixture, &offered, model);
    size_t bytes = model_rig_inclusion(&fixture->rig, proof);
    for (size_t at = 3; at < bytes; at += 7) { /* false ones change nothing */
        uint8_t changed[MODEL_RIG_MESSAGE_MAX];
        memcpy(changed, proof, bytes);
        changed[at] ^= 1;
        struct bytes_writer writer = {.data = changed, .used = bytes};
        (void)hand(fixture, 3 * S + 1, MESSAGE_PROOF, VALIDATOR, &writer);
        assert_int_equal(fixture->out.count, 0);
    }
    hand_proof(fixture, 3 * S + S / 2, proof, bytes);
    assert_true(fabs(recorded(fixture, "model_included_s") - 1.5) < 1e-12);
    fire(fixture, timer.at_ns, MODEL_TIMER_AGAIN, timer.bits);
    assert_int_equal(count(fixture, MESSAGE_TX), 1); /* for the proof that it is accepted: one is asked */
    assert_int_equal(find(fixture, ACTION_SEND, MESSAGE_TX, 0)->node, VALIDATOR + 2);
    fire_again(fixture);
    assert_int_equal(find(fixture, ACTION_SEND, MESSAGE_TX, 0)->node, VALIDATOR + 3); /* then the next */
}

static void an_accepted_model_of_its_own_goes_to_its_gateways_at_once(void **state) {
    struct fixture *fixture = *state;
    uint8_t model[MODEL_RIG_MESSAGE_MAX], proof[MODEL_RIG_MESSAGE_MAX];
    struct offered offered = round_of(fixture, 1);
    size_t bytes = accept_offer(fixture, &offered, model);
    hand_proof(fixture, 3 * S, proof, model_rig_proof_of(model, bytes, proof));
    assert_true(fabs(recorded(fixture, "model_accepted_s") - 1.0) < 1e-12);
    assert_int_equal(count(fixture, MESSAGE_MODEL), 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct action *sent = find(fixture, ACTION_SEND, MESSAGE_MODEL, i);
        assert_int_equal(sent->node, GATEWAY + i);
        assert_int_equal(sent->bytes, bytes);
        assert_memory_equal(fixture->out.bytes + sent->offset, model, bytes);
    }
    assert_int_equal(count(fixture, MESSAGE_TX), 0);
    hand_proof(fixture, 3 * S, proof, model_rig_proof_of(model, bytes, proof)); /* from the next validator */
    assert_int_equal(fixture->out.count, 0);
    fire(fixture, 4 * S, MODEL_TIMER_ROUND, 2); /* again, for those that missed it */
    assert_int_equal(count(fixture, MESSAGE_MODEL), 2);
}

/* A model of the other edge server, better than all. */
static size_t foreign(struct fixture *fixture, uint8_t model[MODEL_RIG_MESSAGE_MAX]) {
    return model_rig_add(&fixture->rig,
                         &(struct model_rig_model){.edge = 1,
                                                   .arch = DIAGNOSIS_MODEL_ARCH,
                                                   .accuracy = 1.0,
                                                   .line_threshold = 5,
                                                   .impulse_threshold = 0.3,
                                                   .accepted = true},
                         model);
}

static struct bytes_writer blob_response(const struct message_model *model, const struct hash *hash,
                                         uint8_t data[256]) {
    struct bytes_writer writer = bytes_writer_over(data, 256);
    message_encode_blob_resp(&writer, &(struct message_blob_resp){.blob_hash = *hash,
                                                                  .total = model->blob_bytes,
                                                                  .data = model->blob,
                                                                  .bytes = model->blob_bytes});
    assert_false(writer.failed);
    return writer;
}

static void a_model_of_another_is_fetched_from_one_validator_after_the_other(void **state) {
    struct fixture *fixture = *state;
    uint8_t model[MODEL_RIG_MESSAGE_MAX], proof[MODEL_RIG_MESSAGE_MAX], data[256];
    struct message_model parts;
    size_t bytes = foreign(fixture, model);
    assert_int_equal(message_decode_model(model, bytes, &parts), STATUS_OK);
    struct hash hash = blob_hash(parts.blob, parts.blob_bytes);
    hand_proof(fixture, S, proof, model_rig_proof_of(model, bytes, proof));
    assert_int_equal(count(fixture, MESSAGE_BLOB_REQ), 1);
    assert_int_equal(find(fixture, ACTION_SEND, MESSAGE_BLOB_REQ, 0)->node, VALIDATOR);
    assert_int_equal(fire_again(fixture), 2 * S);
    assert_int_equal(find(fixture, ACTION_SEND, MESSAGE_BLOB_REQ, 0)->node, VALIDATOR + 1);
    struct bytes_writer response = blob_response(&parts, &hash, data);
    data[response.used - 1] ^= 1;
    assert_int_equal(hand(fixture, 2 * S, MESSAGE_BLOB_RESP, VALIDATOR + 1, &response), STATUS_INVALID);
    assert_int_equal(count(fixture, MESSAGE_MODEL), 0);
    data[response.used - 1] ^= 1;
    assert_int_equal(hand(fixture, 2 * S, MESSAGE_BLOB_RESP, VALIDATOR + 1, &response), STATUS_OK);
    assert_int_equal(count(fixture, MESSAGE_MODEL), 2);
    assert_int_equal(hand(fixture, 2 * S, MESSAGE_BLOB_RESP, VALIDATOR, &response), STATUS_OK); /* late */
    assert_int_equal(fixture->out.count, 0);
    uint8_t blob[DIAGNOSIS_MODEL_BYTES];
    fetch(fixture, &hash, blob); /* it serves what it holds */
}

static void what_it_does_not_have_it_says(void **state) {
    struct fixture *fixture = *state;
    uint8_t data[64];
    struct message_blob_resp response;
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_blob_req(&writer, &(struct message_blob_req){.blob_hash = {{7}}, .count = 1});
    assert_int_equal(hand(fixture, S, MESSAGE_BLOB_REQ, VALIDATOR, &writer), STATUS_OK);
    const struct action *action = find(fixture, ACTION_SEND, MESSAGE_BLOB_RESP, 0);
    assert_int_equal(message_decode_blob_resp(fixture->out.bytes + action->offset, action->bytes, &response),
                     STATUS_OK);
    assert_int_equal(response.total, 0);
}

static void back_from_a_crash_it_makes_the_same_bytes_and_holds_the_same_model(void **state) {
    struct fixture *fixture = *state;
    uint8_t model[MODEL_RIG_MESSAGE_MAX], proof[MODEL_RIG_MESSAGE_MAX];
    struct offered first = round_of(fixture, 1);
    size_t bytes = accept_offer(fixture, &first, model);
    hand_proof(fixture, 3 * S, proof, model_rig_proof_of(model, bytes, proof));
    assert_int_equal(fixture->durable_bytes, bytes);
    struct offered second = round_of(fixture, 2);
    start(fixture, 5 * S, true); /* within round 2 */
    struct offered again = offer(fixture, 0);
    assert_memory_equal(again.tx, second.tx, sizeof again.tx);
    assert_int_equal(find(fixture, ACTION_TIMER, MODEL_TIMER_ROUND, 0)->at_ns, 6 * S);
    assert_true(((struct edge *)fixture->state)->models.holder.holds);
    fixture->durable[9] ^= 1; /* a store that is not what was written */
    fixture->durable_bytes -= 1;
    struct outbox out;
    outbox_init(&out);
    void *other = calloc(1, edge_class.state_bytes);
    assert_int_equal(
        edge_class.on_restart(other, &fixture->env, 5 * S, fixture->durable, fixture->durable_bytes, &out),
        STATUS_INVALID);
    edge_class.close(other);
    free(other);
    outbox_close(&out);
}

static void offers_wait_for_each_other_and_no_more_than_a_few(void **state) {
    struct fixture *fixture = *state;
    const struct model_author *author = &((struct edge *)fixture->state)->models.author;
    struct offered first = round_of(fixture, 1);
    for (uint32_t round = 2; round <= 6; round++) {
        fire(fixture, 2 * S * round, MODEL_TIMER_ROUND, round);
        assert_int_equal(count(fixture, MESSAGE_TX), 0); /* the first is still being sent */
    }
    assert_int_equal(author->count, AUTHOR_OFFERS_MAX);
    assert_int_equal(author->skipped, 2);
    uint8_t model[MODEL_RIG_MESSAGE_MAX], proof[MODEL_RIG_MESSAGE_MAX];
    accept_offer(fixture, &first, model);
    hand_proof(fixture, 13 * S, proof, model_rig_inclusion(&fixture->rig, proof));
    assert_int_equal(count(fixture, MESSAGE_TX), 4); /* the second goes out */
    assert_int_equal(offer(fixture, 0).decoded.nonce, 2);
}

static void without_validators_it_offers_nothing_and_takes_no_proof(void **state) {
    struct fixture *fixture = *state;
    uint8_t model[MODEL_RIG_MESSAGE_MAX], proof[MODEL_RIG_MESSAGE_MAX];
    size_t bytes = foreign(fixture, model);
    fixture->env.chain = NULL;
    start(fixture, 0, false);
    assert_int_equal(fixture->out.count, 0);
    struct bytes_writer writer = {.data = proof, .used = model_rig_proof_of(model, bytes, proof)};
    assert_int_equal(hand(fixture, S, MESSAGE_PROOF, VALIDATOR, &writer), STATUS_INVALID);
}

#define FIXTURE_TEST(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_round_offers_a_model_to_all_validators_that_measures_as_it_claims),
        FIXTURE_TEST(it_sends_again_until_a_proof_shows_it_in_a_block),
        FIXTURE_TEST(an_accepted_model_of_its_own_goes_to_its_gateways_at_once),
        FIXTURE_TEST(a_model_of_another_is_fetched_from_one_validator_after_the_other),
        FIXTURE_TEST(what_it_does_not_have_it_says),
        FIXTURE_TEST(back_from_a_crash_it_makes_the_same_bytes_and_holds_the_same_model),
        FIXTURE_TEST(offers_wait_for_each_other_and_no_more_than_a_few),
        FIXTURE_TEST(without_validators_it_offers_nothing_and_takes_no_proof)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
