#include "tests/lib/factory_rig.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/radio.h"
#include "common/time/vtime.h"
#include "nodes/task.h"

static void fill_scenario(struct scenario *scenario) {
    static const double criticality[] = {0, .2, .4, .6, .8, 1};
    static const int64_t deadline_ms[] = {1000, 820, 640, 460, 280, 100};
    *scenario = (struct scenario){
        .name = "rig", .seed = 7, .slot_ns = VTIME_NS_PER_S, .slots = 50, .drain_ns = MS(3000)};
    scenario->task = (struct scenario_task){.bits = 64000,
                                            .sample_rate_hz = 4000,
                                            .window_ns = VTIME_NS_PER_S,
                                            .phase_ns = MS(10),
                                            .level_count = 6,
                                            .answer_timeout_ns = MS(2500)};
    for (uint32_t i = 0; i < 6; i++) {
        scenario->task.criticality[i] = criticality[i];
        scenario->task.deadline_ns[i] = MS(deadline_ms[i]);
    }
    scenario->compute = (struct scenario_compute){.gateway_flops = 768e9,
                                                  .edge_flops = 20.31e12,
                                                  .intensity_flop_per_bit = 3.12e6,
                                                  .pruning = 0.7,
                                                  .edge_work_flop = 1e10,
                                                  .gateway_power_w = 15,
                                                  .edge_power_w = 250,
                                                  .gateway_queue_max = 64,
                                                  .edge_queue_max = 64,
                                                  .collect_window_ns = MS(50)};
    scenario->policy = (struct scenario_policy){.kind = POLICY_LOCAL, .offload_probability = 0.5};
    scenario->data =
        (struct scenario_data){.source = DATA_GENERATOR, .shaft_hz = 29.95, .snr_db = 6, .slip = 0.01};
}

static void add_node(struct factory_rig *rig, uint32_t id, enum node_role role, uint32_t parent) {
    struct topology_node *node = &rig->nodes[id];
    *node = (struct topology_node){.role = role, .parent = parent};
    snprintf(node->name, sizeof node->name, "node-%u", id);
}

static void add_link(struct factory_rig *rig, uint32_t from, uint32_t to,
                     const struct scenario_link *config) {
    struct topology_node *node = &rig->nodes[from];
    uint32_t at = rig->topology.link_count++;
    if (node->link_count++ == 0)
        node->first_link = at;
    rig->links[at] =
        (struct topology_link){.from = from, .to = to, .config = config, .share = 1.0 / RIG_GATEWAYS};
}

/* Nodes, children and links in the order of ids, links sorted by (from, to). */
static void fill_topology(struct factory_rig *rig) {
    uint32_t child = 0;
    rig->topology = (struct topology){
        .nodes = rig->nodes, .node_count = RIG_NODES, .children = rig->children, .links = rig->links};
    add_node(rig, RIG_EDGE, ROLE_EDGE, TOPOLOGY_NONE);
    for (uint32_t g = 0; g < RIG_GATEWAYS; g++)
        add_node(rig, RIG_GATEWAY(g), ROLE_GATEWAY, RIG_EDGE);
    for (uint32_t i = 0; i < RIG_GATEWAYS * RIG_DEVICES; i++)
        add_node(rig, RIG_DEVICE(0, i), ROLE_DEVICE, RIG_GATEWAY(i / RIG_DEVICES));
    for (uint32_t id = 0; id < RIG_NODES; id++) {
        rig->nodes[id].first_child = child;
        for (uint32_t other = 0; other < RIG_NODES; other++)
            if (rig->nodes[other].parent == id)
                rig->children[child++] = other;
        rig->nodes[id].child_count = child - rig->nodes[id].first_child;
    }
    for (uint32_t from = 0; from < RIG_NODES; from++)
        for (uint32_t to = 0; to < RIG_NODES; to++)
            if (rig->nodes[from].parent == to || rig->nodes[to].parent == from)
                add_link(rig, from, to,
                         rig->nodes[from].role == ROLE_GATEWAY && to == RIG_EDGE ? &rig->radio : &rig->wire);
}

/* The node under test, its outbox, and where devices get their windows. */
static void put_on_bench(struct factory_rig *rig, uint32_t self) {
    outbox_init(&rig->out);
    assert_int_equal(bearing_source_open(&rig->scenario.data, 4000, 7, &rig->bearings, NULL), STATUS_OK);
    rig->env = (struct node_env){.self = self,
                                 .scenario = &rig->scenario,
                                 .topology = &rig->topology,
                                 .bearings = rig->bearings,
                                 .error = &rig->error};
    rig->class = node_class_of(&rig->topology, self);
    rig->state = calloc(1, rig->class->state_bytes);
}

void rig_init(struct factory_rig *rig, uint32_t self) {
    memset(rig, 0, sizeof *rig);
    fill_scenario(&rig->scenario);
    rig->wire =
        (struct scenario_link){.kind = LINK_WIRED, .rate_bps = 10e6, .delay_ns = 100000, .queue_max = 64};
    rig->radio = (struct scenario_link){.kind = LINK_LTE_M,
                                        .channel = CHANNEL_MARKOV3,
                                        .bandwidth_hz = 5e6,
                                        .power_w = 1,
                                        .noise_w_per_hz = 4e-20,
                                        .gain = {2e-13, 4e-13, 6e-13},
                                        .transition = {{.3, .7, 0}, {.25, .5, .25}, {0, .7, .3}},
                                        .mini_slot_bits = 64000,
                                        .delay_ns = 1000000,
                                        .queue_max = 64};
    fill_topology(rig);
    put_on_bench(rig, self);
}

static void fill_offloading(struct scenario *scenario) {
    scenario->slot_ns = MS(10000);
    scenario->slots = 20;
    scenario->scheme = 1;
    scenario->task.answer_timeout_ns = MS(9000);
    scenario->offloading = (struct scenario_offloading){.area_m = 300,
                                                        .bits = {2e5, 4e5},
                                                        .cycles_per_bit = {500, 1000},
                                                        .deadline_ns = MS(500),
                                                        .clock_hz = {1e9, 2e9},
                                                        .capacitance = 1e-28,
                                                        .power_w = {1e-3, 1},
                                                        .edge_clock_hz = 15e9,
                                                        .delay_weight = 1,
                                                        .energy_weight = 1};
}

void rig_init_scheme(struct factory_rig *rig, uint32_t self) {
    memset(rig, 0, sizeof *rig);
    fill_scenario(&rig->scenario);
    fill_offloading(&rig->scenario);
    rig->wire =
        (struct scenario_link){.kind = LINK_WIRED, .rate_bps = 1e9, .delay_ns = 10000, .queue_max = 64};
    rig->radio = (struct scenario_link){.kind = LINK_OFDMA_SHARE,
                                        .channel = CHANNEL_FIXED,
                                        .bandwidth_hz = 5e6,
                                        .power_w = 1,
                                        .noise_w = 1e-13,
                                        .gain = {1e-6},
                                        .delay_ns = 10000,
                                        .queue_max = 64};
    rig->topology = (struct topology){
        .nodes = rig->nodes, .node_count = 1 + RIG_TERMINALS, .children = rig->children, .links = rig->links};
    add_node(rig, RIG_EDGE, ROLE_EDGE, TOPOLOGY_NONE);
    rig->nodes[RIG_EDGE].child_count = RIG_TERMINALS;
    for (uint32_t d = 0; d < RIG_TERMINALS; d++) {
        add_node(rig, RIG_TERMINAL(d), ROLE_DEVICE, RIG_EDGE);
        rig->children[d] = RIG_TERMINAL(d);
        add_link(rig, RIG_EDGE, RIG_TERMINAL(d), &rig->wire);
    }
    for (uint32_t d = 0; d < RIG_TERMINALS; d++)
        add_link(rig, RIG_TERMINAL(d), RIG_EDGE, &rig->radio);
    put_on_bench(rig, self);
}

void rig_close(struct factory_rig *rig) {
    if (rig->class->close != NULL)
        rig->class->close(rig->state);
    free(rig->state);
    free(rig->durable);
    outbox_close(&rig->out);
    bearing_source_close(rig->bearings);
}

/* What the host does after a handler: the last thing persisted is what a crash leaves. */
static enum status settle(struct factory_rig *rig, enum status status) {
    assert_int_equal(rig->out.status, STATUS_OK);
    for (uint32_t i = 0; i < rig->out.count; i++) {
        const struct action *action = &rig->out.actions[i];
        if (action->kind != ACTION_PERSIST)
            continue;
        free(rig->durable);
        rig->durable = malloc(action->bytes + 1u);
        memcpy(rig->durable, rig_payload(rig, action), action->bytes);
        rig->durable_bytes = action->bytes;
    }
    return status;
}

enum status rig_start(struct factory_rig *rig, int64_t now_ns) {
    outbox_reset(&rig->out);
    return settle(rig, rig->class->on_start(rig->state, &rig->env, now_ns, &rig->out));
}

enum status rig_crash_and_restart(struct factory_rig *rig, int64_t now_ns) {
    if (rig->class->close != NULL)
        rig->class->close(rig->state);
    memset(rig->state, 0, rig->class->state_bytes);
    outbox_reset(&rig->out);
    return settle(rig, rig->class->on_restart(rig->state, &rig->env, now_ns, rig->durable, rig->durable_bytes,
                                              &rig->out));
}

enum status rig_timer(struct factory_rig *rig, int64_t now_ns, uint32_t timer, uint64_t cookie) {
    struct node_event event = {.now_ns = now_ns, .timer = timer, .cookie = cookie};
    outbox_reset(&rig->out);
    return settle(rig, rig->class->on_timer(rig->state, &rig->env, &event, &rig->out));
}

enum status rig_fire(struct factory_rig *rig, const struct action *timer) {
    assert_non_null(timer);
    struct action copy = *timer;
    return rig_timer(rig, copy.at_ns, copy.node, copy.bits);
}

enum status rig_message_on_air(struct factory_rig *rig, struct node_event event,
                               const struct bytes_writer *payload) {
    node_handler handler = rig->class->on_message[event.type];
    assert_non_null(handler);
    assert_false(payload->failed);
    event.payload_bytes = payload->used;
    event.bits = payload->used * 8;
    uint8_t *exact =
        malloc(payload->used + 1); /* a heap block of its own, so that a read past the end is caught */
    memcpy(exact, payload->data, payload->used);
    event.payload = exact;
    outbox_reset(&rig->out);
    enum status status = settle(rig, handler(rig->state, &rig->env, &event, &rig->out));
    free(exact);
    return status;
}

enum status rig_message(struct factory_rig *rig, int64_t now_ns, enum message_type type, uint32_t source,
                        const struct bytes_writer *payload) {
    struct node_event event = {
        .now_ns = now_ns, .type = type, .source = source, .start_ns = now_ns, .sent_ns = now_ns};
    return rig_message_on_air(rig, event, payload);
}

const struct action *rig_action(const struct factory_rig *rig, enum action_kind kind, uint32_t type,
                                uint32_t n) {
    for (uint32_t i = 0; i < rig->out.count; i++) {
        const struct action *action = &rig->out.actions[i];
        bool typed = kind == ACTION_SEND || kind == ACTION_RECORD;
        uint32_t of = kind == ACTION_TIMER ? action->node : action->type;
        if (action->kind == kind && ((!typed && kind != ACTION_TIMER) || of == type) && n-- == 0)
            return action;
    }
    return NULL;
}

uint32_t rig_count(const struct factory_rig *rig, enum action_kind kind, uint32_t type) {
    uint32_t count = 0;
    while (rig_action(rig, kind, type, count))
        count++;
    return count;
}

const uint8_t *rig_payload(const struct factory_rig *rig, const struct action *action) {
    return rig->out.bytes + action->offset;
}

struct message_answer rig_answer(const struct factory_rig *rig, uint32_t n) {
    struct message_answer answer;
    const struct action *action = rig_action(rig, ACTION_SEND, MESSAGE_ANSWER, n);
    assert_non_null(action);
    assert_int_equal(message_decode_answer(rig_payload(rig, action), action->bytes, &answer), STATUS_OK);
    assert_int_equal(action->node, answer.task.device);
    return answer;
}

struct message_result rig_result(const struct factory_rig *rig, uint32_t n) {
    struct message_result result;
    const struct action *action = rig_action(rig, ACTION_SEND, MESSAGE_RESULT, n);
    assert_non_null(action);
    assert_int_equal(message_decode_result(rig_payload(rig, action), action->bytes, &result), STATUS_OK);
    return result;
}

struct row_task rig_row(const struct factory_rig *rig, uint32_t n) {
    struct row row;
    const struct action *action = rig_action(rig, ACTION_RECORD, ROW_TASK, n);
    assert_non_null(action);
    struct bytes_reader reader = bytes_reader_over(rig_payload(rig, action), action->bytes);
    assert_int_equal(row_decode(&reader, &row), STATUS_OK);
    assert_int_equal(row.kind, ROW_TASK);
    return row.as.task;
}

enum status rig_send_task(struct factory_rig *rig, uint32_t device, uint32_t slot, uint16_t level,
                          int64_t now_ns) {
    int16_t samples[4000];
    uint8_t data[8192];
    enum bearing_class class;
    bearing_source_window(rig->bearings, device, slot, samples, 4000, &class);
    struct message_task task = {.task = task_header_of(device, slot),
                                .sample_rate_hz = 4000,
                                .sample_count = 4000,
                                .samples = samples};
    task.task.level = level;
    task.task.true_class = (uint8_t) class;
    task.task.born_ns = (int64_t)slot * rig->scenario.slot_ns;
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_task(&writer, &task);
    return rig_message(rig, now_ns, MESSAGE_TASK, device, &writer);
}

enum status rig_send_link_state(struct factory_rig *rig, uint32_t state, int64_t now_ns) {
    const struct scenario_link *radio = &rig->radio;
    double max_bps =
        radio_lte_m_rate_max_bps(radio->bandwidth_hz, radio->power_w, radio->gain[2], radio->noise_w_per_hz);
    double rate_bps = radio_lte_m_rate_bps(1.0 / RIG_GATEWAYS, radio->bandwidth_hz, radio->power_w,
                                           radio->gain[state], radio->noise_w_per_hz);
    struct message_link_state report = {.peer = RIG_EDGE,
                                        .state = state,
                                        .mini_slots = radio_mini_slots_per_task(max_bps, rate_bps),
                                        .mini_slot_ns =
                                            vtime_from_s(radio_mini_slot_s(radio->mini_slot_bits, max_bps)),
                                        .rate_bps = rate_bps};
    uint8_t data[64];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_link_state(&writer, &report);
    return rig_message(rig, now_ns, MESSAGE_LINK_STATE, rig->env.self, &writer);
}
