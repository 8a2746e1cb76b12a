/* Goal: a node behaves the same in this process and in a child process, survives SIGKILL with its durable
 * store only, and an unplanned death is told apart. Method: the real gateway class of a small scenario,
 * hosted both ways; this test program is its own child program. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/time/vtime.h"
#include "nodes/hosting.h"

static const char text[] = "name: hosting\nseed: 1\nslot: 1 s\nslots: 2\n"
                           "nodes:\n"
                           "  - {name: edge, role: edge}\n"
                           "  - {name: gateway, role: gateway, parent: edge}\n"
                           "  - {name: sensor, role: device, parent: gateway, per_parent: 2}\n"
                           "links:\n"
                           "  - {from: sensor, to: gateway, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
                           "  - {from: gateway, to: sensor, kind: wired, rate: 100 Mbit/s, delay: 10 us}\n"
                           "  - {from: gateway, to: edge, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"
                           "  - {from: edge, to: gateway, kind: wired, rate: 10 Mbit/s, delay: 1 ms}\n"
                           "policy: {kind: local}\n"
                           "faults:\n"
                           "  - {kind: crash, at: 500 ms, node: gateway}\n"
                           "  - {kind: restart, at: 600 ms, node: gateway}\n";

struct bench {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct outbox out;
    struct error error;
    char dir[64], durable[96];
};

static void bench_open(struct bench *bench) {
    struct scenario_problems problems;
    memset(bench, 0, sizeof *bench);
    arena_init(&bench->arena);
    outbox_init(&bench->out);
    if (scenario_load_text(text, sizeof text - 1, "text", NULL, 0, &bench->arena, &bench->scenario,
                           &problems) != STATUS_OK)
        fail_msg("%s", problems.items[0].text);
    assert_int_equal(topology_build(&bench->scenario, &bench->arena, &bench->topology, &bench->error),
                     STATUS_OK);
    strcpy(bench->dir, "/tmp/tierbed-hosting-XXXXXX");
    assert_non_null(mkdtemp(bench->dir));
    snprintf(bench->durable, sizeof bench->durable, "%s/gateway.durable", bench->dir);
}

static void bench_close(struct bench *bench) {
    unlink(bench->durable);
    rmdir(bench->dir);
    outbox_close(&bench->out);
    arena_close(&bench->arena);
}

static struct hosting hosting_of(const struct bench *bench, bool child) {
    uint32_t id = topology_node_by_name(&bench->topology, "gateway");
    return (struct hosting){.env = {.self = id, .scenario = &bench->scenario, .topology = &bench->topology},
                            .class = &gateway_class,
                            .child_text = child ? text : NULL,
                            .durable_path = bench->durable};
}

/* A window with an impulse train from sensor `index`; returns its encoded size. */
static size_t encode_window(const struct bench *bench, uint32_t index, uint8_t *data, size_t room) {
    static int16_t samples[4000];
    for (uint32_t i = 0; i < 4000; i++)
        samples[i] = (int16_t)(i % 37 == 0 ? 20000 : (i * 7919) % 200);
    char name[32];
    snprintf(name, sizeof name, "sensor-1-%u", index);
    struct message_task message = {.task = {.device = topology_node_by_name(&bench->topology, name),
                                            .gathered_ns = VTIME_NEVER,
                                            .decided_ns = VTIME_NEVER,
                                            .uplink_start_ns = VTIME_NEVER,
                                            .uplink_end_ns = VTIME_NEVER,
                                            .compute_start_ns = VTIME_NEVER,
                                            .compute_end_ns = VTIME_NEVER},
                                   .sample_rate_hz = 4000,
                                   .sample_count = 4000,
                                   .samples = samples};
    struct bytes_writer writer = bytes_writer_over(data, room);
    message_encode_task(&writer, &message);
    assert_false(writer.failed);
    return writer.used;
}

static enum status give_window(struct bench *bench, struct hosting *hosting, uint32_t index) {
    static uint8_t data[16384];
    size_t bytes = encode_window(bench, index, data, sizeof data);
    char name[32];
    snprintf(name, sizeof name, "sensor-1-%u", index);
    struct node_event event = {.now_ns = 1000000 * index,
                               .type = MESSAGE_TASK,
                               .source = topology_node_by_name(&bench->topology, name),
                               .payload = data,
                               .payload_bytes = bytes,
                               .bits = 64000};
    return hosting_call(hosting, HOSTING_MESSAGE, &event, &bench->out, &bench->error);
}

static void drive(struct bench *bench, bool child, struct outbox *seen) {
    struct hosting hosting = hosting_of(bench, child);
    struct node_event start = {.now_ns = 0};
    assert_int_equal(hosting_call(&hosting, HOSTING_START, &start, &bench->out, &bench->error), STATUS_OK);
    for (uint32_t index = 1; index <= 2; index++)
        assert_int_equal(give_window(bench, &hosting, index), STATUS_OK);
    *seen = bench->out;
    outbox_init(&bench->out);
    hosting_close(&hosting);
}

static void a_child_answers_with_the_same_outbox_as_the_same_node_here(void **state) {
    (void)state;
    struct bench bench;
    struct outbox here, there;
    bench_open(&bench);
    drive(&bench, false, &here);
    drive(&bench, true, &there);
    assert_true(here.count > 0);
    assert_int_equal(here.count, there.count);
    assert_int_equal(here.bytes_used, there.bytes_used);
    assert_memory_equal(here.bytes, there.bytes, here.bytes_used);
    for (uint32_t i = 0; i < here.count; i++) {
        assert_int_equal(here.actions[i].kind, there.actions[i].kind);
        assert_int_equal(here.actions[i].at_ns, there.actions[i].at_ns);
        assert_int_equal(here.actions[i].node, there.actions[i].node);
    }
    outbox_close(&here);
    outbox_close(&there);
    bench_close(&bench);
}

static void a_killed_child_comes_back_from_its_durable_store(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct hosting hosting = hosting_of(&bench, true);
    struct node_event at = {.now_ns = 0};
    assert_int_equal(hosting_call(&hosting, HOSTING_START, &at, &bench.out, &bench.error), STATUS_OK);
    for (uint32_t index = 1; index <= 2; index++) /* the batch is complete: accepted tasks are on disk */
        assert_int_equal(give_window(&bench, &hosting, index), STATUS_OK);
    assert_int_equal(access(bench.durable, R_OK), 0); /* persisted before its answer */
    pid_t first = hosting.child;
    hosting_kill(&hosting);
    assert_int_equal(kill(first, 0), -1);
    at.now_ns = 5000000;
    assert_int_equal(hosting_call(&hosting, HOSTING_RESTART, &at, &bench.out, &bench.error), STATUS_OK);
    assert_int_not_equal(hosting.child, first);
    hosting_close(&hosting);
    bench_close(&bench);
}

static void a_death_that_no_fault_asked_for_is_reported_with_its_signal(void **state) {
    (void)state;
    struct bench bench;
    bench_open(&bench);
    struct hosting hosting = hosting_of(&bench, true);
    struct node_event at = {.now_ns = 0};
    assert_int_equal(hosting_call(&hosting, HOSTING_START, &at, &bench.out, &bench.error), STATUS_OK);
    kill(hosting.child, SIGKILL);
    assert_int_equal(give_window(&bench, &hosting, 1), STATUS_PEER);
    assert_non_null(strstr(bench.error.text, "gateway"));
    assert_non_null(strstr(bench.error.text, "signal 9"));
    hosting_close(&hosting);
    bench_close(&bench);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], HOSTING_CHILD_OPTION) == 0)
        return hosting_child_main(atoi(argv[2]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_answers_with_the_same_outbox_as_the_same_node_here),
        cmocka_unit_test(a_killed_child_comes_back_from_its_durable_store),
        cmocka_unit_test(a_death_that_no_fault_asked_for_is_reported_with_its_signal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
