/* sample_run: a made-up but plausible run, for tests of the record: 4 gateways with 5 devices each, one edge server, a
 * crash, a restart and a partition. Everything follows from the seed, so tests can count on its numbers. */
#ifndef TIERBED_TESTS_RECORD_SAMPLE_RUN_H
#define TIERBED_TESTS_RECORD_SAMPLE_RUN_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/random.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"
#include "common/record/record.h"
#include "common/time/vtime.h"

#define SAMPLE_GATEWAYS 4u
#define SAMPLE_DEVICES_PER_GATEWAY 5u
#define SAMPLE_DEVICES (SAMPLE_GATEWAYS * SAMPLE_DEVICES_PER_GATEWAY)
#define SAMPLE_NODES (1u + SAMPLE_GATEWAYS + SAMPLE_DEVICES)
#define SAMPLE_LINKS (2u * (SAMPLE_GATEWAYS + SAMPLE_DEVICES))
#define SAMPLE_EDGE (SAMPLE_NODES - 1u)

struct sample_run {
    struct scenario scenario;
    struct scenario_group groups[3];
    struct scenario_link links[4];
    struct scenario_fault faults[3];
    struct topology topology;
    struct topology_node nodes[SAMPLE_NODES];
    struct topology_link topology_links[SAMPLE_LINKS];
    struct record_config config;
    struct record_outcome outcome;
    uint64_t done, dropped; /* counted while the rows are made */
};

static inline void sample_group(struct scenario_group *group, const char *name, enum node_role role) {
    *group = (struct scenario_group){.role = role};
    snprintf(group->name, sizeof group->name, "%s", name);
}

static inline void sample_scenario_link(struct scenario_link *link, const char *from, const char *to,
                                        enum link_kind kind) {
    *link = (struct scenario_link){.kind = kind, .rate_bps = 100e6, .delay_ns = 100000, .queue_max = 64};
    snprintf(link->from, sizeof link->from, "%s", from);
    snprintf(link->to, sizeof link->to, "%s", to);
    if (kind == LINK_LTE_M) {
        link->bandwidth_hz = 5e6;
        link->delay_ns = 1000000;
    }
}

/* Numbers that a scenario file must give and that no test here depends on: in range, so that the printed file loads. */
static inline void sample_models(struct scenario *scenario) {
    scenario->task.bits = 64000;
    scenario->task.sample_rate_hz = 4000;
    scenario->task.window_ns = VTIME_NS_PER_S;
    scenario->task.answer_timeout_ns = 2 * VTIME_NS_PER_S;
    scenario->compute = (struct scenario_compute){.gateway_flops = 768e9,
                                                  .edge_flops = 20.31e12,
                                                  .intensity_flop_per_bit = 3.12e6,
                                                  .pruning = 0.7,
                                                  .edge_work_flop = 1e10,
                                                  .gateway_power_w = 15,
                                                  .edge_power_w = 250,
                                                  .gateway_queue_max = 64,
                                                  .edge_queue_max = 64,
                                                  .collect_window_ns = 10 * VTIME_NS_PER_MS};
    scenario->data.shaft_hz = 29.95;
    scenario->superdense_max = 64;
}

static inline void sample_scenario(struct sample_run *run, uint64_t seed, uint32_t slots) {
    struct scenario *scenario = &run->scenario;
    static const double deadlines_s[6] = {1, 0.82, 0.64, 0.46, 0.28, 0.1};
    *scenario = (struct scenario){.seed = seed, .slot_ns = VTIME_NS_PER_S, .slots = slots, .drain_ns = VTIME_NS_PER_S};
    snprintf(scenario->name, sizeof scenario->name, "quickstart");
    snprintf(scenario->description, sizeof scenario->description,
             "Four gateways with five vibration sensors each <and> one edge server over LTE-M");
    scenario->policy.kind = POLICY_GREEDY;
    scenario->task.level_count = 6;
    for (uint32_t level = 0; level < 6; level++) {
        scenario->task.criticality[level] = 0.2 * level;
        scenario->task.deadline_ns[level] = vtime_from_s(deadlines_s[level]);
    }
    sample_models(scenario);
    sample_group(&run->groups[0], "gateway", ROLE_GATEWAY);
    sample_group(&run->groups[1], "sensor", ROLE_DEVICE);
    sample_group(&run->groups[2], "edge", ROLE_EDGE);
    sample_scenario_link(&run->links[0], "sensor", "gateway", LINK_WIRED);
    sample_scenario_link(&run->links[1], "gateway", "sensor", LINK_WIRED);
    sample_scenario_link(&run->links[2], "gateway", "edge", LINK_LTE_M);
    sample_scenario_link(&run->links[3], "edge", "gateway", LINK_WIRED);
    run->faults[0] = (struct scenario_fault){
        .kind = FAULT_PARTITION, .at_ns = 4 * VTIME_NS_PER_S, .until_ns = 6 * VTIME_NS_PER_S, .from = "gateway-2", .to = "edge"};
    run->faults[1] = (struct scenario_fault){
        .kind = FAULT_CRASH, .at_ns = 8 * VTIME_NS_PER_S, .until_ns = VTIME_NEVER, .node = "gateway-3"};
    run->faults[2] = (struct scenario_fault){
        .kind = FAULT_RESTART, .at_ns = 9 * VTIME_NS_PER_S, .until_ns = VTIME_NEVER, .node = "gateway-3"};
    scenario->groups = run->groups;
    scenario->group_count = 3;
    scenario->links = run->links;
    scenario->link_count = 4;
    scenario->faults = run->faults;
    scenario->fault_count = 3;
}

static inline void sample_node(struct sample_run *run, uint32_t id, uint32_t group, uint32_t parent, const char *name) {
    struct topology_node *node = &run->nodes[id];
    *node = (struct topology_node){.role = run->groups[group].role, .group = group, .parent = parent};
    snprintf(node->name, sizeof node->name, "%s", name);
}

/* Gateways, then devices, then the edge server. */
static inline void sample_topology(struct sample_run *run) {
    char name[SCENARIO_NAME_MAX];
    uint32_t link = 0;
    for (uint32_t g = 0; g < SAMPLE_GATEWAYS; g++) {
        snprintf(name, sizeof name, "gateway-%u", g + 1);
        sample_node(run, g, 0, SAMPLE_EDGE, name);
    }
    for (uint32_t d = 0; d < SAMPLE_DEVICES; d++) {
        uint32_t gateway = d / SAMPLE_DEVICES_PER_GATEWAY;
        snprintf(name, sizeof name, "sensor-%u-%u", gateway + 1, d % SAMPLE_DEVICES_PER_GATEWAY + 1);
        sample_node(run, SAMPLE_GATEWAYS + d, 1, gateway, name);
    }
    sample_node(run, SAMPLE_EDGE, 2, TOPOLOGY_NONE, "edge");
    for (uint32_t id = 0; id < SAMPLE_EDGE; id++) {
        bool uplink = id < SAMPLE_GATEWAYS;
        run->topology_links[link++] =
            (struct topology_link){.from = id, .to = run->nodes[id].parent, .config = &run->links[uplink ? 2 : 0]};
        run->topology_links[link++] =
            (struct topology_link){.from = run->nodes[id].parent, .to = id, .config = &run->links[uplink ? 3 : 1]};
    }
    run->topology = (struct topology){.nodes = run->nodes,
                                      .node_count = SAMPLE_NODES,
                                      .links = run->topology_links,
                                      .link_count = SAMPLE_LINKS};
}

static inline void sample_open(struct sample_run *run, const char *dir, uint64_t seed, uint32_t slots) {
    memset(run, 0, sizeof *run);
    sample_scenario(run, seed, slots);
    sample_topology(run);
    run->config = (struct record_config){.dir = dir,
                                         .scenario = &run->scenario,
                                         .topology = &run->topology,
                                         .transport = "mpi",
                                         .processes = 4,
                                         .clock = "virtual",
                                         .speed = 1,
                                         .command_line = "tierbed run experiments/factory/quickstart.yaml",
                                         .durable = true};
    run->outcome = (struct record_outcome){.status = STATUS_OK,
                                           .message = "",
                                           .digest = {random_mix(seed), random_mix(seed + 1), random_mix(seed + 2), 7},
                                           .virtual_ns = ((int64_t)slots + 1) * VTIME_NS_PER_S,
                                           .wall_s = 0.412,
                                           .startup_s = 0.87,
                                           .events = 40ull * SAMPLE_DEVICES * slots,
                                           .windows = 30ull * slots};
}

/* One gateway in one slot: what is free when. */
struct sample_slot {
    int64_t uplink_free_ns, air_ns;
    bool cut, down;
};

static inline void sample_at_edge(struct sample_slot *slot, struct row_task *row) {
    struct task_header *at = &row->task;
    row->place = PLACE_EDGE;
    at->uplink_start_ns = at->decided_ns > slot->uplink_free_ns ? at->decided_ns : slot->uplink_free_ns;
    at->uplink_end_ns = at->uplink_start_ns + slot->air_ns;
    slot->uplink_free_ns = at->uplink_end_ns;
    at->compute_start_ns = at->uplink_end_ns + VTIME_NS_PER_MS;
    at->compute_end_ns = at->compute_start_ns + 1969000;
    row->closed_form_ns = at->uplink_end_ns - at->decided_ns + 1969000;
    row->energy_uplink_j = vtime_to_s(slot->air_ns);
    row->energy_edge_j = 250 * 0.001969;
    row->answered_ns = at->compute_end_ns + VTIME_NS_PER_MS;
}

static inline void sample_at_gateway(struct row_task *row, int64_t batch_ns) {
    struct task_header *at = &row->task;
    row->place = PLACE_GATEWAY;
    at->compute_start_ns = at->decided_ns;
    at->compute_end_ns = at->decided_ns + batch_ns;
    row->closed_form_ns = batch_ns;
    row->energy_gateway_j = 15 * vtime_to_s(batch_ns) / 2;
    row->answered_ns = at->compute_end_ns + VTIME_NS_PER_MS;
}

static inline void sample_verdict(struct sample_run *run, struct random_stream *random, struct row_task *row) {
    bool right = random_chance(random, 0.96);
    row->class = right ? row->task.true_class : (uint8_t)((row->task.true_class + 1 + random_below(random, 3)) % 4);
    row->confidence = 0.6 + 0.4 * random_uniform(random);
    if (row->answered_ns - row->task.born_ns > row->deadline_ns)
        row->drop = DROP_DEADLINE;
    run->done += row->drop == DROP_NONE;
    run->dropped += row->drop != DROP_NONE;
}

static inline struct row sample_task(struct sample_run *run, struct random_stream *random, struct sample_slot *slot,
                                     uint32_t device, uint32_t number) {
    struct row row = {.kind = ROW_TASK};
    struct row_task *task = &row.as.task;
    int64_t born_ns = (int64_t)number * VTIME_NS_PER_S;
    uint16_t level = (uint16_t)random_below(random, 6);
    task->task = (struct task_header){.device = device,
                                      .slot = number,
                                      .level = level,
                                      .true_class = (uint8_t)random_below(random, 4),
                                      .born_ns = born_ns,
                                      .gathered_ns = VTIME_NEVER,
                                      .decided_ns = VTIME_NEVER,
                                      .uplink_start_ns = VTIME_NEVER,
                                      .uplink_end_ns = VTIME_NEVER,
                                      .compute_start_ns = VTIME_NEVER,
                                      .compute_end_ns = VTIME_NEVER};
    task->closed_form_ns = VTIME_NEVER;
    task->deadline_ns = run->scenario.task.deadline_ns[level];
    task->energy_device_j = 0.001;
    bool offload = level >= 2 || random_chance(random, 0.3);
    if (!slot->down) {
        task->task.gathered_ns = born_ns + 740000;
        task->task.decided_ns = born_ns + 750000;
    }
    if (slot->down || (slot->cut && offload)) {
        task->drop = DROP_UNANSWERED;
        task->answered_ns = born_ns + 2 * VTIME_NS_PER_S;
        run->dropped++;
        return row;
    }
    if (offload)
        sample_at_edge(slot, task);
    else
        sample_at_gateway(task, 156 * VTIME_NS_PER_MS);
    sample_verdict(run, random, task);
    return row;
}

static inline enum status sample_tasks(struct sample_run *run, struct record *record, struct error *error) {
    static const int64_t air_ms[3] = {32, 58, 90};
    struct random_stream random;
    random_init(&random, run->scenario.seed, 0, RANDOM_TEST);
    for (uint32_t number = 0; number < run->scenario.slots; number++) {
        for (uint32_t gateway = 0; gateway < SAMPLE_GATEWAYS; gateway++) {
            struct sample_slot slot = {.uplink_free_ns = (int64_t)number * VTIME_NS_PER_S,
                                       .air_ns = air_ms[random_below(&random, 3)] * VTIME_NS_PER_MS,
                                       .cut = gateway == 1 && number >= 4 && number < 6,
                                       .down = gateway == 2 && number == 8};
            for (uint32_t i = 0; i < SAMPLE_DEVICES_PER_GATEWAY; i++) {
                uint32_t device = SAMPLE_GATEWAYS + gateway * SAMPLE_DEVICES_PER_GATEWAY + i;
                struct row row = sample_task(run, &random, &slot, device, number);
                TRY(record_row(record, &row, error));
            }
        }
    }
    return STATUS_OK;
}

static inline enum status sample_nodes(struct sample_run *run, struct record *record, struct error *error) {
    for (uint32_t id = 0; id < SAMPLE_NODES; id++) {
        struct row row = {.kind = ROW_NODE};
        int64_t share = id < SAMPLE_GATEWAYS ? 310 : id == SAMPLE_EDGE ? 12 : 0; /* thousandths of the run */
        row.as.node = (struct row_node){.node = id,
                                        .events = 100 + id,
                                        .sent = 50,
                                        .received = 50,
                                        .crashes = id == 2,
                                        .restarts = id == 2,
                                        .digest = random_mix(id),
                                        .busy_ns = run->outcome.virtual_ns / 1000 * share};
        TRY(record_row(record, &row, error));
    }
    return STATUS_OK;
}

static inline enum status sample_links(struct sample_run *run, struct record *record, struct error *error) {
    for (uint32_t id = 0; id < SAMPLE_LINKS; id++) {
        const struct topology_link *link = &run->topology_links[id];
        bool uplink = link->config->kind == LINK_LTE_M;
        uint64_t packets = run->scenario.slots * (uplink ? 4u : 1u);
        struct row row = {.kind = ROW_LINK};
        row.as.link = (struct row_link){.link = id,
                                        .from = link->from,
                                        .to = link->to,
                                        .offered = packets,
                                        .departed = packets,
                                        .delivered = packets - (uplink ? 2 : 0),
                                        .cut = uplink ? 2 : 0,
                                        .bits = packets * 64000,
                                        .busy_ns = (int64_t)packets * (uplink ? 60 : 1) * VTIME_NS_PER_MS,
                                        .air_s = (double)packets * (uplink ? 0.055 : 0.00064),
                                        .energy_j = uplink ? (double)packets * 0.055 : 0,
                                        .queue_area_s = (double)packets * 0.07,
                                        .wait_s = (double)packets * 0.07,
                                        .queue_peak = uplink ? 4 : 1};
        TRY(record_row(record, &row, error));
    }
    return STATUS_OK;
}

static inline enum status sample_fault(struct record *record, uint32_t fault, uint32_t node, int64_t at_s, bool begin,
                                       struct error *error) {
    struct row row = {.kind = ROW_FAULT,
                      .as.fault = {.at_ns = at_s * VTIME_NS_PER_S,
                                   .fault = fault,
                                   .node = node,
                                   .begin = begin,
                                   .lost = begin ? 3 : 0}};
    return record_row(record, &row, error);
}

static inline enum status sample_rest(struct sample_run *run, struct record *record, struct error *error) {
    TRY(sample_nodes(run, record, error));
    TRY(sample_links(run, record, error));
    TRY(sample_fault(record, 0, 1, 4, true, error));
    TRY(sample_fault(record, 0, 1, 6, false, error));
    TRY(sample_fault(record, 1, 2, 8, true, error));
    TRY(sample_fault(record, 2, 2, 9, true, error));
    for (uint32_t rank = 0; rank < run->config.processes; rank++) {
        struct row row = {.kind = ROW_PROCESS};
        row.as.process = (struct row_process){.rank = rank,
                                              .nodes = rank == 0 ? 1 : 8,
                                              .events = run->outcome.events / 4,
                                              .windows = run->outcome.windows / (rank + 1),
                                              .batches_sent = 900,
                                              .bytes_sent = 12345678,
                                              .busy_s = 0.2 + 0.05 * rank,
                                              .wait_s = 0.2 - 0.05 * rank,
                                              .peak_rss_bytes = 31000000};
        TRY(record_row(record, &row, error));
    }
    return STATUS_OK;
}

/* A whole run in `dir`; `run` keeps what the record borrows. */
static inline enum status sample_write(struct sample_run *run, const char *dir, uint64_t seed, uint32_t slots,
                                       struct error *error) {
    struct record *record = NULL;
    sample_open(run, dir, seed, slots);
    TRY(record_open(&run->config, &record, error));
    enum status status = sample_tasks(run, record, error);
    if (status == STATUS_OK)
        status = sample_rest(run, record, error);
    run->outcome.status = status;
    enum status closed = record_close(record, &run->outcome, error);
    return status != STATUS_OK ? status : closed;
}

#endif
