/* Goal: an edge server that decides by a scheme takes each slot through report, decision, computation and
 * outcome once, whatever is late, doubled, foreign, missing or malformed; a scheme gets what was measured,
 * and what it says is cut to what there is; a checkpoint brings everything back. Method: the state machine
 * alone with a scheme of this test's own (its registry takes the place of schemes/registry.c); its outbox is
 * looked at. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "common/time/vtime.h"
#include "nodes/edge/coordinator.h"
#include "nodes/edge/coordinator_durable.h"
#include "nodes/task.h"
#include "tests/lib/factory_rig.h"

#define SLOT MS(10000)
#define N RIG_TERMINALS

/* ---- a scheme that says what the test wants and keeps what it is told ---- */

struct fake {
    struct scheme_env env;
    uint32_t decided, settled, finished; /* calls */
    uint64_t learnt;                     /* what a checkpoint must bring back */
    struct scheme_slot slot;             /* of the last call */
    struct scheme_task tasks[N];
    struct scheme_decision carried_out[N];
    struct scheme_outcome outcomes[N];
};

struct fake_options {
    struct scheme_decision wanted[N];
    bool refuse_open, refuse_load;
};

static enum status fake_open(void *state, const struct scheme_env *env, struct error *error) {
    struct fake *fake = state;
    const struct fake_options *options = env->options;
    fake->env = *env;
    return options->refuse_open ? error_set(error, STATUS_INVALID, "not today") : STATUS_OK;
}

static void fake_close(void *state) {
    (void)state;
}

static void remember(struct fake *fake, const struct scheme_slot *slot) {
    fake->slot = *slot;
    memcpy(fake->tasks, slot->tasks, sizeof fake->tasks);
}

static void fake_decide(void *state, const struct scheme_slot *slot, struct scheme_decision *decisions) {
    struct fake *fake = state;
    const struct fake_options *options = fake->env.options;
    remember(fake, slot);
    fake->decided++;
    memcpy(decisions, options->wanted, sizeof options->wanted);
}

static void fake_settle(void *state, const struct scheme_slot *slot, const struct scheme_decision *decisions,
                        const struct scheme_outcome *outcomes, const struct scheme_log *log) {
    struct fake *fake = state;
    remember(fake, slot);
    fake->settled++;
    fake->learnt = fake->learnt * 31 + slot->slot + 1;
    memcpy(fake->carried_out, decisions, sizeof fake->carried_out);
    memcpy(fake->outcomes, outcomes, sizeof fake->outcomes);
    log->series(log->context, "learnt", (double)fake->learnt);
    log->series(log->context, "nothing", NAN);
}

static void fake_finish(void *state, const struct scheme_log *log) {
    struct fake *fake = state;
    fake->finished++;
    log->result(log->context, "learnt", "", (double)fake->learnt);
}

static size_t fake_saved_bytes(const void *state) {
    (void)state;
    return 8;
}

static void fake_save(const void *state, struct bytes_writer *writer) {
    bytes_put_u64(writer, ((const struct fake *)state)->learnt);
}

static enum status fake_load(void *state, struct bytes_reader *reader) {
    struct fake *fake = state;
    fake->learnt = bytes_get_u64(reader);
    return ((const struct fake_options *)fake->env.options)->refuse_load ? STATUS_INVALID : STATUS_OK;
}

static const struct scheme fake_scheme = {.state_bytes = sizeof(struct fake),
                                          .open = fake_open,
                                          .close = fake_close,
                                          .decide = fake_decide,
                                          .settle = fake_settle,
                                          .finish = fake_finish,
                                          .saved_bytes = fake_saved_bytes,
                                          .save = fake_save,
                                          .load = fake_load};

const char *const scheme_names[] = {"none", "fake", "other", NULL};
const char *const scheme_docs[] = {"", "", "", NULL};

const struct scheme *scheme_of(unsigned number) {
    (void)number;
    return &fake_scheme;
}

const struct scheme_options *scheme_options_of(unsigned number) {
    return &scheme_of(number)->options;
}

/* ---- the bench ---- */

struct bench {
    struct factory_rig rig;
    struct fake_options options;
};

static const struct scheme_decision local = {.clock_hz = 1.5e9};
static const struct scheme_decision offload = {.offload = true, .bandwidth_hz = 1e6, .power_w = 0.5};

static void bench_init(struct bench *bench) {
    memset(bench, 0, sizeof *bench);
    rig_init_scheme(&bench->rig, RIG_EDGE);
    bench->rig.scenario.scheme_options = &bench->options;
    bench->rig.scenario.training.evaluate_slots = 5;
    bench->options.wanted[0] = local;
    bench->options.wanted[1] = bench->options.wanted[2] = offload;
}

static const struct coordinator *edge_of(const struct bench *bench) {
    return bench->rig.state;
}

static const struct fake *fake_of(const struct bench *bench) {
    return edge_of(bench)->scheme_state;
}

static struct message_report report_of(uint32_t device, uint32_t slot) {
    return (struct message_report){.slot = slot,
                                   .bits = 200000 + 50000 * device,
                                   .cycles_per_bit = 600 + 100 * device,
                                   .deadline_ns = MS(500),
                                   .gain = 1e-6 / (device + 1),
                                   .born_ns = SLOT * slot};
}

static enum status send_report(struct bench *bench, struct message_report report, uint32_t source,
                               int64_t now_ns) {
    uint8_t data[128];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_report(&writer, &report);
    return rig_message(&bench->rig, now_ns, MESSAGE_REPORT, source, &writer);
}

/* The scheme decides, then decisions go out: two events in the moment in which they were asked for. */
static void decide(struct bench *bench, int64_t now_ns) {
    const struct action *due = rig_action(&bench->rig, ACTION_TIMER, COORDINATOR_TIMER_DECIDE, 0);
    assert_non_null(due);
    assert_int_equal(due->at_ns, now_ns);
    assert_int_equal(rig_fire(&bench->rig, due), STATUS_OK);
    assert_int_equal(rig_count(&bench->rig, ACTION_SEND, MESSAGE_DECISION), 0);
    due = rig_action(&bench->rig, ACTION_TIMER, COORDINATOR_TIMER_TELL, 0);
    assert_non_null(due);
    assert_int_equal(due->at_ns, now_ns);
    assert_int_equal(rig_fire(&bench->rig, due), STATUS_OK);
}

/* All devices report `slot` at its begin, and it is decided. */
static void report_all(struct bench *bench, uint32_t slot) {
    int64_t now_ns = SLOT * slot + 10000;
    for (uint32_t d = 0; d < N; d++)
        assert_int_equal(send_report(bench, report_of(d, slot), RIG_TERMINAL(d), now_ns), STATUS_OK);
    decide(bench, now_ns);
}

static enum status send_workload(struct bench *bench, uint32_t device, uint32_t slot, uint32_t source,
                                 int64_t now_ns) {
    uint8_t data[128];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    struct message_workload message = {.task = task_header_of(device, slot)};
    message_encode_workload(&writer, &message);
    struct node_event event = {.now_ns = now_ns,
                               .type = MESSAGE_WORKLOAD,
                               .source = source,
                               .start_ns = now_ns - MS(30),
                               .air_ns = MS(29)};
    return rig_message_on_air(&bench->rig, event, &writer);
}

static enum status send_outcome(struct bench *bench, struct message_outcome outcome, uint32_t source,
                                int64_t now_ns) {
    uint8_t data[128];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_outcome(&writer, &outcome);
    return rig_message(&bench->rig, now_ns, MESSAGE_OUTCOME, source, &writer);
}

static struct message_outcome outcome_of(uint32_t slot) {
    return (struct message_outcome){
        .slot = slot, .delay_ns = MS(300), .uplink_ns = MS(100), .compute_ns = MS(200), .energy_j = 0.01};
}

static void settle_all(struct bench *bench, uint32_t slot) {
    for (uint32_t d = 0; d < N; d++)
        assert_int_equal(send_outcome(bench, outcome_of(slot), RIG_TERMINAL(d), SLOT * slot + MS(400)),
                         STATUS_OK);
}

static struct message_decision told(const struct bench *bench, uint32_t n) {
    struct message_decision decision;
    const struct action *action = rig_action(&bench->rig, ACTION_SEND, MESSAGE_DECISION, n);
    assert_non_null(action);
    assert_int_equal(action->node, RIG_TERMINAL(n));
    assert_int_equal(message_decode_decision(rig_payload(&bench->rig, action), action->bytes, &decision),
                     STATUS_OK);
    return decision;
}

static struct message_allocate granted(const struct bench *bench, uint32_t n) {
    struct message_allocate allocate;
    const struct action *action = rig_action(&bench->rig, ACTION_SEND, MESSAGE_ALLOCATE, n);
    assert_non_null(action);
    assert_int_equal(action->node, RIG_TERMINAL(n));
    assert_int_equal(message_decode_allocate(rig_payload(&bench->rig, action), action->bytes, &allocate),
                     STATUS_OK);
    return allocate;
}

static struct row recorded(const struct bench *bench, enum row_kind kind, uint32_t n) {
    struct row row;
    const struct action *action = rig_action(&bench->rig, ACTION_RECORD, kind, n);
    assert_non_null(action);
    struct bytes_reader reader = bytes_reader_over(rig_payload(&bench->rig, action), action->bytes);
    assert_int_equal(row_decode(&reader, &row), STATUS_OK);
    return row;
}

/* ---- one slot as it should be ---- */

static void when_all_have_reported_the_scheme_decides_and_each_is_granted_then_told(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    assert_int_equal(fake_of(&bench)->env.device_count, N);
    assert_true(fake_of(&bench)->env.bandwidth_hz == 5e6 && fake_of(&bench)->env.noise_w == 1e-13);
    assert_int_equal(send_report(&bench, report_of(1, 0), RIG_TERMINAL(1), 10000), STATUS_OK);
    assert_int_equal(rig_action(&bench.rig, ACTION_TIMER, COORDINATOR_TIMER_COLLECT, 0)->at_ns,
                     MS(50) + 10000);
    assert_int_equal(rig_action(&bench.rig, ACTION_TIMER, COORDINATOR_TIMER_SETTLE, 0)->at_ns, SLOT - 1);
    assert_int_equal(send_report(&bench, report_of(0, 0), RIG_TERMINAL(0), 10000), STATUS_OK);
    assert_int_equal(fake_of(&bench)->decided, 0);
    assert_int_equal(send_report(&bench, report_of(2, 0), RIG_TERMINAL(2), 10001), STATUS_OK);
    assert_int_equal(fake_of(&bench)->decided, 0);
    decide(&bench, 10001);
    assert_int_equal(fake_of(&bench)->decided, 1);
    assert_int_equal(fake_of(&bench)->slot.phase, SCHEME_TRAIN);
    for (uint32_t d = 0; d < N; d++) {
        const struct scheme_task *task = &fake_of(&bench)->tasks[d];
        assert_true(task->present && task->bits == report_of(d, 0).bits &&
                    task->gain == report_of(d, 0).gain);
        assert_true(task->cycles_per_bit == report_of(d, 0).cycles_per_bit && task->deadline_s == 0.5);
        struct message_decision decision = told(&bench, d);
        struct message_allocate allocate = granted(&bench, d);
        assert_int_equal(decision.slot, 0);
        assert_int_equal(decision.offload, d > 0);
        assert_int_equal(decision.offload_count, 2);
        assert_true(decision.clock_hz == (d > 0 ? 0 : 1.5e9));
        assert_true(decision.bandwidth_hz == (d > 0 ? 1e6 : 0) && decision.power_w == (d > 0 ? 0.5 : 0));
        assert_true(allocate.bandwidth_hz == decision.bandwidth_hz && allocate.power_w == decision.power_w);
        assert_ptr_equal(rig_action(&bench.rig, ACTION_SEND, MESSAGE_DECISION, d),
                         rig_action(&bench.rig, ACTION_SEND, MESSAGE_ALLOCATE, d) + 1);
    }
    rig_close(&bench.rig);
}

static void data_is_computed_with_its_part_of_the_clock_and_answered(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    report_all(&bench, 0);
    assert_int_equal(send_workload(&bench, RIG_TERMINAL(1), 0, RIG_TERMINAL(1), MS(60)), STATUS_OK);
    const struct message_report task = report_of(1, 0);
    int64_t compute_ns = vtime_from_s((double)task.bits * task.cycles_per_bit * 2 / 15e9);
    struct action computed = *rig_action(&bench.rig, ACTION_TIMER, COORDINATOR_TIMER_COMPUTED, 0);
    assert_int_equal(computed.at_ns, MS(60) + compute_ns);
    assert_int_equal(rig_fire(&bench.rig, &computed), STATUS_OK);
    struct message_completion completion;
    const struct action *answer = rig_action(&bench.rig, ACTION_SEND, MESSAGE_COMPLETION, 0);
    assert_non_null(answer);
    assert_int_equal(answer->node, RIG_TERMINAL(1));
    assert_int_equal(message_decode_completion(rig_payload(&bench.rig, answer), answer->bytes, &completion),
                     STATUS_OK);
    assert_int_equal(completion.drop, DROP_NONE);
    assert_int_equal(completion.task.uplink_start_ns, MS(30));
    assert_int_equal(completion.task.uplink_end_ns, MS(59));
    assert_int_equal(completion.task.compute_start_ns, MS(60));
    assert_int_equal(completion.task.compute_end_ns, computed.at_ns);
    struct row_node totals = {0};
    bench.rig.class->totals(bench.rig.state, &totals);
    assert_int_equal(totals.busy_ns, compute_ns / 2);
    assert_int_equal(rig_fire(&bench.rig, &computed), STATUS_OK);
    rig_close(&bench.rig);
}

static void the_last_outcome_settles_the_slot_with_what_was_measured(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    report_all(&bench, 0);
    struct message_outcome late = outcome_of(0), lost = outcome_of(0);
    late.drop = DROP_DEADLINE;
    lost.drop = DROP_UPLINK_FULL;
    assert_int_equal(send_outcome(&bench, late, RIG_TERMINAL(2), MS(400)), STATUS_OK);
    assert_int_equal(send_outcome(&bench, outcome_of(0), RIG_TERMINAL(0), MS(401)), STATUS_OK);
    assert_int_equal(fake_of(&bench)->settled, 0);
    assert_int_equal(send_outcome(&bench, lost, RIG_TERMINAL(1), MS(402)), STATUS_OK);
    const struct fake *fake = fake_of(&bench);
    assert_int_equal(fake->settled, 1);
    assert_true(fake->outcomes[0].delay_s == vtime_to_s(MS(300)) && fake->outcomes[0].energy_j == 0.01);
    assert_true(fake->outcomes[0].uplink_s == vtime_to_s(MS(100)) &&
                fake->outcomes[0].compute_s == vtime_to_s(MS(200)));
    assert_true(fake->outcomes[2].delay_s == vtime_to_s(MS(300)) && fake->outcomes[2].drop == DROP_DEADLINE);
    assert_true(fake->outcomes[1].delay_s == 10 && fake->outcomes[1].energy_j == 0);
    assert_int_equal(fake->outcomes[1].drop, DROP_UPLINK_FULL);
    assert_int_equal(rig_count(&bench.rig, ACTION_RECORD, ROW_SERIES),
                     1); /* the value that is none is left out */
    struct row row = recorded(&bench, ROW_SERIES, 0);
    assert_string_equal(row.as.series.name, "learnt");
    assert_int_equal(row.as.series.step, 0);
    assert_int_equal(rig_timer(&bench.rig, SLOT - 1, COORDINATOR_TIMER_SETTLE, 0), STATUS_OK);
    assert_int_equal(fake_of(&bench)->settled, 1);
    rig_close(&bench.rig);
}

static void the_last_slots_evaluate_and_the_end_brings_the_results(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    struct action finish = *rig_action(&bench.rig, ACTION_TIMER, COORDINATOR_TIMER_FINISH, 0);
    assert_int_equal(finish.at_ns, SLOT * 20 - 1);
    for (uint32_t slot = 0; slot < 20; slot++) {
        report_all(&bench, slot);
        assert_int_equal(fake_of(&bench)->slot.phase, slot < 15 ? SCHEME_TRAIN : SCHEME_EVALUATE);
        if (slot < 19)
            settle_all(&bench, slot);
        assert_int_equal(fake_of(&bench)->finished, 0);
    }
    assert_int_equal(rig_fire(&bench.rig, &finish), STATUS_OK); /* before the timer that settles the slot */
    assert_int_equal(fake_of(&bench)->settled, 20);
    assert_int_equal(fake_of(&bench)->finished, 1);
    struct row row = recorded(&bench, ROW_RESULT, 0);
    assert_string_equal(row.as.result.name, "learnt");
    assert_true(row.as.result.value == (double)fake_of(&bench)->learnt);
    assert_int_equal(rig_timer(&bench.rig, SLOT * 20 - 1, COORDINATOR_TIMER_SETTLE, 19), STATUS_OK);
    assert_int_equal(fake_of(&bench)->settled, 20);
    rig_close(&bench.rig);
}

/* ---- what is missing ---- */

static void a_device_that_does_not_report_is_left_out_after_the_window(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    assert_int_equal(send_report(&bench, report_of(0, 0), RIG_TERMINAL(0), 10000), STATUS_OK);
    struct action collect = *rig_action(&bench.rig, ACTION_TIMER, COORDINATOR_TIMER_COLLECT, 0);
    assert_int_equal(send_report(&bench, report_of(1, 0), RIG_TERMINAL(1), 10000), STATUS_OK);
    assert_int_equal(rig_fire(&bench.rig, &collect), STATUS_OK);
    decide(&bench, collect.at_ns);
    assert_int_equal(rig_count(&bench.rig, ACTION_SEND, MESSAGE_DECISION), 2);
    assert_int_equal(told(&bench, 1).offload_count, 1); /* the absent one wanted to offload as well */
    assert_false(fake_of(&bench)->tasks[2].present);
    assert_int_equal(send_report(&bench, report_of(2, 0), RIG_TERMINAL(2), MS(70)), STATUS_OK); /* too late */
    assert_int_equal(bench.rig.out.count, 0);
    assert_int_equal(edge_of(&bench)->stale, 1);
    assert_int_equal(send_outcome(&bench, outcome_of(0), RIG_TERMINAL(2), MS(70)), STATUS_OK);
    assert_int_equal(edge_of(&bench)->stale, 2);
    assert_int_equal(send_outcome(&bench, outcome_of(0), RIG_TERMINAL(0), MS(400)), STATUS_OK);
    assert_int_equal(send_outcome(&bench, outcome_of(0), RIG_TERMINAL(1), MS(400)), STATUS_OK);
    assert_int_equal(fake_of(&bench)->settled, 1);
    assert_int_equal(fake_of(&bench)->outcomes[2].drop, DROP_NONE);
    assert_true(fake_of(&bench)->outcomes[2].delay_s == 0);
    rig_close(&bench.rig);
}

static void outcomes_that_do_not_come_are_unanswered_when_the_slot_ends_or_the_next_begins(void **state) {
    (void)state;
    for (int next = 0; next <= 1; next++) {
        struct bench bench;
        bench_init(&bench);
        assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
        report_all(&bench, 0);
        assert_int_equal(send_outcome(&bench, outcome_of(0), RIG_TERMINAL(1), MS(400)), STATUS_OK);
        if (next)
            assert_int_equal(send_report(&bench, report_of(0, 1), RIG_TERMINAL(0), SLOT + 10000), STATUS_OK);
        else
            assert_int_equal(rig_timer(&bench.rig, SLOT - 1, COORDINATOR_TIMER_SETTLE, 0), STATUS_OK);
        const struct fake *fake = fake_of(&bench);
        assert_int_equal(fake->settled, 1);
        assert_int_equal(fake->outcomes[0].drop, DROP_UNANSWERED);
        assert_true(fake->outcomes[0].delay_s == 10);
        assert_int_equal(fake->outcomes[1].drop, DROP_NONE);
        rig_close(&bench.rig);
    }
}

static void slots_without_reports_are_not_settled_and_the_end_comes_all_the_same(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    bench.rig.scenario.training.checkpoint_slots = 7;
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    report_all(&bench, 3);
    settle_all(&bench, 3);
    assert_int_equal(rig_count(&bench.rig, ACTION_PERSIST, 0), 0);
    report_all(&bench, 6);
    settle_all(&bench, 6);
    assert_int_equal(rig_count(&bench.rig, ACTION_PERSIST, 0), 1);
    assert_int_equal(rig_timer(&bench.rig, SLOT * 20 - 1, COORDINATOR_TIMER_FINISH, 0), STATUS_OK);
    assert_int_equal(fake_of(&bench)->settled, 2);
    assert_int_equal(fake_of(&bench)->finished, 1);
    assert_int_equal(rig_count(&bench.rig, ACTION_PERSIST, 0), 1);
    rig_close(&bench.rig);
}

/* ---- a scheme that says too much ---- */

static void decisions_are_cut_to_what_there_is(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    bench.options.wanted[0] = (struct scheme_decision){.clock_hz = NAN, .bandwidth_hz = 1e9, .power_w = 9};
    bench.options.wanted[1] =
        (struct scheme_decision){.offload = true, .bandwidth_hz = INFINITY, .power_w = NAN};
    bench.options.wanted[2] =
        (struct scheme_decision){.offload = true, .bandwidth_hz = 5e6, .power_w = 1e9, .clock_hz = 3e9};
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    report_all(&bench, 0);
    assert_true(told(&bench, 0).clock_hz == 1e9 && told(&bench, 0).bandwidth_hz == 0 &&
                told(&bench, 0).power_w == 0);
    assert_true(told(&bench, 1).bandwidth_hz == 2.5e6 && told(&bench, 1).power_w == 1e-3);
    assert_true(told(&bench, 2).bandwidth_hz == 2.5e6 && told(&bench, 2).power_w == 1);
    assert_true(told(&bench, 2).clock_hz == 0);
    settle_all(&bench, 0);
    assert_true(fake_of(&bench)->carried_out[2].power_w == 1); /* the scheme learns from what was done */
    bench.options.wanted[0].clock_hz = 1e12;
    bench.options.wanted[1].bandwidth_hz = NAN;
    bench.options.wanted[2].bandwidth_hz = -1;
    report_all(&bench, 1);
    assert_true(told(&bench, 0).clock_hz == 2e9);
    for (uint32_t d = 1; d < N; d++) { /* without band there is no offloading */
        assert_int_equal(told(&bench, d).offload, 0);
        assert_int_equal(told(&bench, d).offload_count, 0);
        assert_true(told(&bench, d).clock_hz == (d == 1 ? 1e9 : 2e9));
    }
    rig_close(&bench.rig);
}

static void a_scheme_that_cannot_open_stops_the_start_with_its_reason(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    bench.options.refuse_open = true;
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_INVALID);
    assert_string_equal(bench.rig.error.text, "not today");
    rig_close(&bench.rig);
}

/* ---- what is late, doubled, foreign or malformed ---- */

static void reports_that_do_not_fit_change_nothing(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    int64_t now_ns = SLOT * 2 + 10000;
    struct message_report good = report_of(0, 2), bad[] = {good, good, good, good, good, good, good};
    bad[0].slot = 3; /* has not begun */
    bad[1].slot = 4000000000u;
    bad[2].bits = 100000;
    bad[3].bits = 500000;
    bad[4].cycles_per_bit = 1e300;
    bad[5].deadline_ns = VTIME_NEVER;
    bad[6].deadline_ns = MS(1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(send_report(&bench, bad[i], RIG_TERMINAL(0), now_ns), STATUS_INVALID);
    assert_int_equal(send_report(&bench, good, RIG_EDGE, now_ns), STATUS_INVALID);
    assert_int_equal(send_report(&bench, good, 7, now_ns), STATUS_INVALID);
    assert_int_equal(send_report(&bench, good, UINT32_MAX, now_ns), STATUS_INVALID);
    assert_false(edge_of(&bench)->running);
    assert_int_equal(send_report(&bench, report_of(0, 1), RIG_TERMINAL(0), now_ns), STATUS_OK); /* over */
    assert_int_equal(bench.rig.out.count, 0);
    assert_int_equal(edge_of(&bench)->stale, 1);
    assert_int_equal(send_report(&bench, good, RIG_TERMINAL(0), now_ns), STATUS_OK);
    assert_int_equal(send_report(&bench, good, RIG_TERMINAL(0), now_ns), STATUS_OK); /* a duplicate */
    assert_int_equal(bench.rig.out.count, 0);
    assert_int_equal(edge_of(&bench)->reported_count, 1);
    assert_int_equal(send_report(&bench, report_of(1, 2), RIG_TERMINAL(1), now_ns), STATUS_OK);
    assert_int_equal(send_report(&bench, report_of(2, 2), RIG_TERMINAL(2), now_ns), STATUS_OK);
    decide(&bench, now_ns);
    assert_int_equal(fake_of(&bench)->decided, 1);
    assert_int_equal(send_report(&bench, good, RIG_TERMINAL(0), now_ns), STATUS_OK);
    assert_int_equal(edge_of(&bench)->stale, 3);
    rig_close(&bench.rig);
}

static void data_that_does_not_fit_is_not_computed(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    assert_int_equal(send_workload(&bench, RIG_TERMINAL(1), 0, RIG_TERMINAL(1), MS(60)),
                     STATUS_OK); /* idle */
    assert_int_equal(bench.rig.out.count, 0);
    report_all(&bench, 0);
    assert_int_equal(send_workload(&bench, RIG_TERMINAL(1), 0, RIG_TERMINAL(2), MS(60)), STATUS_INVALID);
    assert_int_equal(send_workload(&bench, RIG_EDGE, 0, RIG_EDGE, MS(60)), STATUS_INVALID);
    assert_int_equal(send_workload(&bench, RIG_TERMINAL(0), 0, RIG_TERMINAL(0), MS(60)),
                     STATUS_OK); /* local */
    assert_int_equal(send_workload(&bench, RIG_TERMINAL(1), 1, RIG_TERMINAL(1), MS(60)),
                     STATUS_OK); /* slot */
    assert_int_equal(bench.rig.out.count, 0);
    assert_int_equal(send_workload(&bench, RIG_TERMINAL(1), 0, RIG_TERMINAL(1), MS(60)), STATUS_OK);
    struct action computed = *rig_action(&bench.rig, ACTION_TIMER, COORDINATOR_TIMER_COMPUTED, 0);
    assert_int_equal(send_workload(&bench, RIG_TERMINAL(1), 0, RIG_TERMINAL(1), MS(61)), STATUS_OK);
    assert_int_equal(bench.rig.out.count, 0);
    assert_int_equal(rig_fire(&bench.rig, &computed), STATUS_OK);
    assert_int_equal(rig_count(&bench.rig, ACTION_SEND, MESSAGE_COMPLETION), 1);
    assert_int_equal(send_workload(&bench, RIG_TERMINAL(1), 0, RIG_TERMINAL(1), MS(99)),
                     STATUS_OK); /* served */
    assert_int_equal(bench.rig.out.count, 0);
    assert_int_equal(rig_fire(&bench.rig, &computed), STATUS_OK);
    assert_int_equal(bench.rig.out.count, 0);
    assert_int_equal(edge_of(&bench)->stale, 5);
    rig_close(&bench.rig);
}

static void outcomes_that_do_not_fit_are_not_learnt_from(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    assert_int_equal(send_outcome(&bench, outcome_of(0), RIG_TERMINAL(0), MS(1)), STATUS_OK); /* idle */
    assert_int_equal(send_report(&bench, report_of(0, 0), RIG_TERMINAL(0), 10000), STATUS_OK);
    assert_int_equal(send_outcome(&bench, outcome_of(0), RIG_TERMINAL(0), MS(1)), STATUS_OK); /* undecided */
    assert_int_equal(send_report(&bench, report_of(1, 0), RIG_TERMINAL(1), 10000), STATUS_OK);
    assert_int_equal(send_report(&bench, report_of(2, 0), RIG_TERMINAL(2), 10000), STATUS_OK);
    decide(&bench, 10000);
    struct message_outcome bad[] = {outcome_of(0), outcome_of(0), outcome_of(0), outcome_of(0)};
    bad[0].delay_ns = VTIME_NEVER;
    bad[1].uplink_ns = VTIME_NEVER;
    bad[2].compute_ns = SLOT + 1;
    bad[3].energy_j = 1e300;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(send_outcome(&bench, bad[i], RIG_TERMINAL(0), MS(400)), STATUS_INVALID);
    assert_int_equal(send_outcome(&bench, outcome_of(0), 9, MS(400)), STATUS_INVALID);
    assert_int_equal(send_outcome(&bench, outcome_of(1), RIG_TERMINAL(0), MS(400)), STATUS_OK);
    assert_int_equal(edge_of(&bench)->stale, 3);
    assert_int_equal(edge_of(&bench)->settled_count, 0);
    assert_int_equal(send_outcome(&bench, outcome_of(0), RIG_TERMINAL(0), MS(400)), STATUS_OK);
    assert_int_equal(send_outcome(&bench, outcome_of(0), RIG_TERMINAL(0), MS(400)), STATUS_OK);
    assert_int_equal(edge_of(&bench)->settled_count, 1);
    assert_int_equal(edge_of(&bench)->stale, 4);
    rig_close(&bench.rig);
}

static void a_flood_is_counted_and_takes_no_memory_and_no_timers(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    report_all(&bench, 0);
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(send_report(&bench, report_of(0, 0), RIG_TERMINAL(0), MS(5)), STATUS_OK);
        assert_int_equal(bench.rig.out.count, 0);
        assert_int_equal(send_workload(&bench, RIG_TERMINAL(1), 7, RIG_TERMINAL(1), MS(60)), STATUS_OK);
        assert_int_equal(bench.rig.out.count, 0);
    }
    assert_int_equal(edge_of(&bench)->stale, 20000);
    rig_close(&bench.rig);
}

static void garbage_of_any_length_is_a_protocol_error(void **state) {
    (void)state;
    static const enum message_type types[] = {MESSAGE_REPORT, MESSAGE_WORKLOAD, MESSAGE_OUTCOME,
                                              MESSAGE_LINK_STATE, MESSAGE_REFUSED};
    struct bench bench;
    uint8_t garbage[200];
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    for (int fill = 0; fill < 256; fill += 85) {
        memset(garbage, fill, sizeof garbage);
        for (size_t size = 0; size <= sizeof garbage; size++)
            for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
                struct bytes_writer writer = {.data = garbage, .capacity = sizeof garbage, .used = size};
                assert_int_equal(rig_message(&bench.rig, MS(1), types[i], RIG_TERMINAL(0), &writer),
                                 STATUS_INVALID);
                assert_int_equal(bench.rig.out.count, 0);
            }
    }
    assert_int_equal(rig_timer(&bench.rig, MS(2), 77, 0), STATUS_INVALID);
    rig_close(&bench.rig);
}

static void after_a_hang_over_slots_what_is_over_is_stale_and_the_running_slot_begins(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    assert_int_equal(send_report(&bench, report_of(0, 0), RIG_TERMINAL(0), 10000), STATUS_OK);
    int64_t now_ns = SLOT * 3 + MS(10); /* everything that came meanwhile is delivered now, in order */
    assert_int_equal(rig_timer(&bench.rig, now_ns, COORDINATOR_TIMER_COLLECT, 0), STATUS_OK);
    decide(&bench, now_ns);
    assert_int_equal(rig_count(&bench.rig, ACTION_SEND, MESSAGE_DECISION), 1);
    assert_int_equal(rig_timer(&bench.rig, now_ns, COORDINATOR_TIMER_SETTLE, 0), STATUS_OK);
    assert_int_equal(fake_of(&bench)->settled, 1);
    assert_int_equal(send_report(&bench, report_of(0, 1), RIG_TERMINAL(0), now_ns), STATUS_OK);
    assert_int_equal(send_report(&bench, report_of(0, 2), RIG_TERMINAL(0), now_ns), STATUS_OK);
    assert_int_equal(bench.rig.out.count, 0); /* no timer in the past */
    assert_int_equal(edge_of(&bench)->stale, 2);
    assert_int_equal(send_report(&bench, report_of(0, 3), RIG_TERMINAL(0), now_ns), STATUS_OK);
    for (uint32_t i = 0; i < bench.rig.out.count; i++)
        assert_true(bench.rig.out.actions[i].at_ns >= now_ns);
    assert_int_equal(edge_of(&bench)->slot, 3);
    rig_close(&bench.rig);
}

/* ---- checkpoints ---- */

/* Runs slots [first, first + count) as they should be. */
static void run_slots(struct bench *bench, uint32_t first, uint32_t count) {
    for (uint32_t slot = first; slot < first + count; slot++) {
        report_all(bench, slot);
        settle_all(bench, slot);
    }
}

static void back_from_a_crash_the_scheme_knows_what_the_last_checkpoint_knew(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    bench.rig.scenario.training.checkpoint_slots = 2;
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    run_slots(&bench, 0, 2);
    uint64_t at_checkpoint = fake_of(&bench)->learnt;
    run_slots(&bench, 2, 1);
    assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 3 + MS(5)), STATUS_OK);
    assert_int_equal(fake_of(&bench)->learnt, at_checkpoint);
    assert_int_equal(rig_count(&bench.rig, ACTION_PERSIST, 0), 0);
    assert_int_equal(rig_action(&bench.rig, ACTION_TIMER, COORDINATOR_TIMER_FINISH, 0)->at_ns, SLOT * 20 - 1);
    assert_int_equal(send_report(&bench, report_of(0, 2), RIG_TERMINAL(0), SLOT * 3 + MS(6)), STATUS_OK);
    assert_int_equal(edge_of(&bench)->stale, 1);
    run_slots(&bench, 4, 1);
    assert_int_equal(recorded(&bench, ROW_SERIES, 0).as.series.step,
                     4); /* steps are slots, also after a crash */
    assert_int_equal(fake_of(&bench)->learnt, at_checkpoint * 31 + 5);
    rig_close(&bench.rig);
}

static void a_slot_that_was_settled_before_the_crash_is_not_run_again(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    bench.rig.scenario.training.checkpoint_slots = 1;
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    run_slots(&bench, 0, 3);
    assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 2 + MS(900)), STATUS_OK);
    assert_int_equal(send_report(&bench, report_of(0, 2), RIG_TERMINAL(0), SLOT * 2 + MS(901)), STATUS_OK);
    assert_int_equal(edge_of(&bench)->stale, 1);
    assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 20 + MS(1)), STATUS_OK); /* the run is over */
    assert_int_equal(bench.rig.out.count, 0);
    rig_close(&bench.rig);
}

static void a_new_run_goes_on_with_the_timeline_or_begins_one_and_counts_steps_on(void **state) {
    (void)state;
    for (int continued = 0; continued <= 1; continued++) {
        struct bench bench;
        bench_init(&bench);
        bench.rig.scenario.training.checkpoint_slots = 6;
        assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
        run_slots(&bench, 0, 6);
        uint64_t learnt = fake_of(&bench)->learnt;
        uint32_t first = continued ? 6 : 0;
        bench.rig.scenario.training.first_slot = first;
        assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * first),
                         STATUS_OK); /* a start from a store */
        assert_int_equal(fake_of(&bench)->learnt, learnt);
        assert_int_equal(rig_count(&bench.rig, ACTION_PERSIST, 0), 1); /* a crash now must not lose it */
        run_slots(&bench, first, 1);
        assert_int_equal(recorded(&bench, ROW_SERIES, 0).as.series.step, 6);
        assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * first + MS(500)), STATUS_OK);
        assert_int_equal(fake_of(&bench)->learnt, learnt);
        run_slots(&bench, first + 1, 1);
        assert_int_equal(recorded(&bench, ROW_SERIES, 0).as.series.step, 7);
        rig_close(&bench.rig);
    }
}

static void a_checkpoint_that_does_not_fit_is_refused_with_a_reason(void **state) {
    (void)state;
    struct bench bench;
    bench_init(&bench);
    bench.rig.scenario.training.checkpoint_slots = 2;
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    run_slots(&bench, 0, 2);
    bench.rig.scenario.training.first_slot = 3;
    assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 3), STATUS_INVALID);
    assert_non_null(strstr(bench.rig.error.text, "slot 2"));
    bench.rig.scenario.training.first_slot = 2;
    bench.options.refuse_load = true;
    assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 2), STATUS_INVALID);
    assert_non_null(strstr(bench.rig.error.text, "options"));
    bench.options.refuse_load = false;
    bench.rig.scenario.scheme = 2;
    assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 2), STATUS_INVALID);
    assert_non_null(strstr(bench.rig.error.text, "another scheme"));
    bench.rig.scenario.scheme = 1;
    bench.rig.nodes[RIG_EDGE].child_count = 2;
    assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 2), STATUS_INVALID);
    assert_non_null(strstr(bench.rig.error.text, "3 devices"));
    bench.rig.nodes[RIG_EDGE].child_count = 3;
    assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 2), STATUS_OK);
    rig_close(&bench.rig);
}

static void a_checkpoint_with_any_byte_changed_or_missing_is_refused(void **state) {
    (void)state;
    struct bench bench;
    uint8_t whole[128];
    bench_init(&bench);
    bench.rig.scenario.training.checkpoint_slots = 2;
    assert_int_equal(rig_start(&bench.rig, 0), STATUS_OK);
    run_slots(&bench, 0, 2);
    size_t size = bench.rig.durable_bytes;
    assert_in_range(size, 20, sizeof whole);
    memcpy(whole, bench.rig.durable, size);
    for (bench.rig.durable_bytes = 1; bench.rig.durable_bytes < size; bench.rig.durable_bytes++)
        assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 2), STATUS_INVALID);
    bench.rig.durable_bytes = size;
    for (size_t at = 0; at < size; at++) {
        memcpy(bench.rig.durable, whole, size);
        bench.rig.durable[at] ^= 0x10;
        bench.rig.error.text[0] = '\0';
        assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 2), STATUS_INVALID);
        assert_int_not_equal(strlen(bench.rig.error.text), 0);
    }
    memcpy(bench.rig.durable, whole, size);
    assert_int_equal(rig_crash_and_restart(&bench.rig, SLOT * 2), STATUS_OK);
    rig_close(&bench.rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_all_have_reported_the_scheme_decides_and_each_is_granted_then_told),
        cmocka_unit_test(data_is_computed_with_its_part_of_the_clock_and_answered),
        cmocka_unit_test(the_last_outcome_settles_the_slot_with_what_was_measured),
        cmocka_unit_test(the_last_slots_evaluate_and_the_end_brings_the_results),
        cmocka_unit_test(a_device_that_does_not_report_is_left_out_after_the_window),
        cmocka_unit_test(outcomes_that_do_not_come_are_unanswered_when_the_slot_ends_or_the_next_begins),
        cmocka_unit_test(slots_without_reports_are_not_settled_and_the_end_comes_all_the_same),
        cmocka_unit_test(decisions_are_cut_to_what_there_is),
        cmocka_unit_test(a_scheme_that_cannot_open_stops_the_start_with_its_reason),
        cmocka_unit_test(reports_that_do_not_fit_change_nothing),
        cmocka_unit_test(data_that_does_not_fit_is_not_computed),
        cmocka_unit_test(outcomes_that_do_not_fit_are_not_learnt_from),
        cmocka_unit_test(a_flood_is_counted_and_takes_no_memory_and_no_timers),
        cmocka_unit_test(garbage_of_any_length_is_a_protocol_error),
        cmocka_unit_test(after_a_hang_over_slots_what_is_over_is_stale_and_the_running_slot_begins),
        cmocka_unit_test(back_from_a_crash_the_scheme_knows_what_the_last_checkpoint_knew),
        cmocka_unit_test(a_slot_that_was_settled_before_the_crash_is_not_run_again),
        cmocka_unit_test(a_new_run_goes_on_with_the_timeline_or_begins_one_and_counts_steps_on),
        cmocka_unit_test(a_checkpoint_that_does_not_fit_is_refused_with_a_reason),
        cmocka_unit_test(a_checkpoint_with_any_byte_changed_or_missing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
