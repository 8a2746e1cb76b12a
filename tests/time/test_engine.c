/* Goal: the engine executes in the one order, bounds zero-delay loops and refuses malformed batches.
 * Method: small handlers that note what they see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/time/engine.h"

struct log {
    uint32_t nodes[64];
    uint32_t steps[64];
    uint32_t count;
    bool ping_pong;
};

static enum status deliver(void *context, struct engine *engine, const struct engine_event *event) {
    struct log *log = context;
    if (log->count < 64) {
        log->nodes[log->count] = event->node;
        log->steps[log->count] = event_order_step(event->key.order);
    }
    log->count++;
    if (log->ping_pong)
        engine_post(engine, event->node, 1 - event->node, event->key.time_ns, NULL, 0);
    return STATUS_OK;
}

static void open_engine(struct engine *engine, struct log *log, const uint32_t *rank_of_node) {
    memset(log, 0, sizeof *log);
    engine_init(engine, &(struct engine_config){.node_count = 4,
                                                .rank_count = rank_of_node ? 2 : 1,
                                                .rank_of_node = rank_of_node,
                                                .step_max = 200,
                                                .deliver = deliver,
                                                .context = log});
}

static void events_before_the_bound_run_and_the_rest_stay(void **state) {
    (void)state;
    struct engine engine;
    struct log log;
    open_engine(&engine, &log, NULL);
    engine_post(&engine, 0, 3, 30, NULL, 0);
    engine_post(&engine, 0, 2, 20, NULL, 0);
    engine_post(&engine, 0, 1, 10, NULL, 0);
    assert_int_equal(engine_run(&engine, (struct event_key){30, 0}, NULL), STATUS_OK);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.nodes[0], 1);
    assert_int_equal(log.nodes[1], 2);
    assert_int_equal(engine_next(&engine).time_ns, 30);
    engine_close(&engine);
}

static void a_zero_delay_loop_stops_with_an_error_that_names_it(void **state) {
    (void)state;
    struct engine engine;
    struct log log;
    struct error error = {0};
    open_engine(&engine, &log, NULL);
    log.ping_pong = true;
    engine_post(&engine, 0, 1, 5, NULL, 0);
    assert_int_equal(engine_run(&engine, EVENT_KEY_NEVER, &error), STATUS_LIMIT);
    assert_int_equal(log.count, 201);
    assert_non_null(strstr(error.text, "node 0 -> node 1"));
    assert_non_null(strstr(error.text, "node 1 -> node 0"));
    engine_close(&engine);
}

static void zero_delay_takes_the_next_step_of_the_same_time(void **state) {
    (void)state;
    struct engine engine;
    struct log log;
    struct error error = {0};
    open_engine(&engine, &log, NULL);
    log.ping_pong = true;
    engine_post(&engine, 0, 1, 5, NULL, 0);
    (void)engine_run(&engine, (struct event_key){5, event_order(3, 0, 0)}, &error);
    assert_int_equal(log.count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(log.steps[i], i);
    engine_close(&engine);
}

static void remote_events_cross_in_a_batch_and_malformed_batches_are_refused(void **state) {
    (void)state;
    struct engine here, there;
    struct log log_here, log_there;
    const uint32_t rank_of_node[] = {0, 0, 1, 1};
    open_engine(&here, &log_here, rank_of_node);
    open_engine(&there, &log_there, rank_of_node);
    there.config.rank = 1;
    engine_post(&here, 0, 2, 40, "body", 5);
    const struct engine_batch *batch = &here.batches[1];
    assert_int_equal(batch->used, ENGINE_BATCH_HEADER_BYTES + ENGINE_RECORD_HEADER_BYTES + 5);
    const uint8_t *records = batch->data + ENGINE_BATCH_HEADER_BYTES;
    size_t size = batch->used - ENGINE_BATCH_HEADER_BYTES;
    assert_int_equal(batch->earliest.time_ns, 40);
    for (size_t cut = 1; cut < size; cut++)
        assert_int_equal(engine_ingest(&there, records, cut), STATUS_INVALID);
    assert_int_equal(engine_ingest(&here, records, size), STATUS_INVALID); /* not for this rank */
    uint8_t wrong[64];
    memcpy(wrong, records, size);
    memset(wrong + 16, 0xff, 4); /* a node that does not exist */
    assert_int_equal(engine_ingest(&there, wrong, size), STATUS_INVALID);
    assert_int_equal(engine_ingest(&there, records, size), STATUS_OK);
    assert_int_equal(engine_run(&there, EVENT_KEY_NEVER, NULL), STATUS_OK);
    assert_int_equal(log_there.count, 1);
    assert_int_equal(log_there.nodes[0], 2);
    engine_close(&here);
    engine_close(&there);
}

static void emission_adds_the_lookahead_or_takes_a_step(void **state) {
    (void)state;
    struct event_key next = {100, event_order(2, 7, 7)};
    assert_int_equal(engine_emission(next, 5).time_ns, 105);
    assert_int_equal(engine_emission(next, 0).time_ns, 100);
    assert_int_equal(event_order_step(engine_emission(next, 0).order), 3);
    assert_int_equal(engine_emission(next, VTIME_NEVER).time_ns, VTIME_NEVER);
    assert_int_equal(engine_emission(EVENT_KEY_NEVER, 5).time_ns, VTIME_NEVER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_before_the_bound_run_and_the_rest_stay),
        cmocka_unit_test(a_zero_delay_loop_stops_with_an_error_that_names_it),
        cmocka_unit_test(zero_delay_takes_the_next_step_of_the_same_time),
        cmocka_unit_test(remote_events_cross_in_a_batch_and_malformed_batches_are_refused),
        cmocka_unit_test(emission_adds_the_lookahead_or_takes_a_step)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
