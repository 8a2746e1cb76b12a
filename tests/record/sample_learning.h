/* sample_learning: two more made-up runs. One whose nodes learn: curves of every kind (spanning decades,
 * negative, of one node, a few and many, a diverging one, a single value) and figures. One without any
 * gateway: devices directly below the edge server, a third of the tasks computed by the device itself. */
#ifndef TIERBED_TESTS_RECORD_SAMPLE_LEARNING_H
#define TIERBED_TESTS_RECORD_SAMPLE_LEARNING_H

#include <math.h>
#include <stdlib.h>

#include "tests/record/sample_run.h"

static inline enum status sample_value(struct record *record, uint32_t node, const char *name, uint32_t step,
                                       double value, struct error *error) {
    struct row row = {.kind = ROW_SERIES, .as.series = {.node = node, .step = step, .value = value}};
    snprintf(row.as.series.name, sizeof row.as.series.name, "%s", name);
    return record_row(record, &row, error);
}

static inline enum status sample_figure(struct record *record, uint32_t node, const char *name,
                                        const char *unit, double value, struct error *error) {
    struct row row = {.kind = ROW_RESULT, .as.result = {.node = node, .value = value}};
    snprintf(row.as.result.name, sizeof row.as.result.name, "%s", name);
    snprintf(row.as.result.unit, sizeof row.as.result.unit, "%s", unit);
    return record_row(record, &row, error);
}

static inline enum status sample_curves_of_many(struct record *record, struct random_stream *random,
                                                struct error *error) {
    for (uint32_t device = SAMPLE_GATEWAYS; device < SAMPLE_EDGE; device++) {
        for (uint32_t step = 0; step < 2500; step++) {
            double noise = random_uniform(random), at = step;
            TRY(sample_value(record, device, "training_loss", step,
                             12 * exp(-at / 280.0) * (0.5 + noise) + 0.002 * (0.5 + noise), error));
            if (step % 50 == 0)
                TRY(sample_value(record, device, "accuracy_test", step,
                                 1 - 0.75 * exp(-at / 500.0) - 0.08 * noise, error));
        }
        TRY(sample_figure(record, device, "accuracy_last", "%", 90 + 9 * random_uniform(random), error));
    }
    return STATUS_OK;
}

static inline enum status sample_curves_of_few(struct record *record, struct random_stream *random,
                                               struct error *error) {
    for (uint32_t step = 0; step < 600; step++) {
        double noise = random_uniform(random) - 0.5, at = step;
        for (uint32_t gateway = 0; gateway < SAMPLE_GATEWAYS; gateway++)
            TRY(sample_value(record, gateway, "reward", step,
                             -260 + 300 * (1 - exp(-at / (60.0 + 40 * gateway))) + 40 * noise, error));
        TRY(sample_value(record, SAMPLE_EDGE, "exploration", step, fmax(0.02, 1 - at / 400.0), error));
        TRY(sample_value(record, SAMPLE_EDGE, "q_largest", 250000 * step,
                         step < 480 ? 2e4 * exp(at / 120.0) + 3e4 * noise : NAN, error));
        TRY(sample_value(record, SAMPLE_EDGE, "learning_rate", step, 3e-4 / (1 + at / 200.0), error));
    }
    for (uint32_t step = 100; step < 112; step++)
        TRY(sample_value(record, step % 2, "round_time_s", step, 3 + 0.25 * sin(step), error));
    return sample_value(record, SAMPLE_EDGE, "checkpoint", 17, 0.5, error);
}

static inline enum status sample_figures(struct record *record, struct error *error) {
    TRY(sample_figure(record, SAMPLE_EDGE, "energy_per_task", "J", 0.183467, error));
    TRY(sample_figure(record, SAMPLE_EDGE, "parameters", "", 84213, error));
    TRY(sample_figure(record, SAMPLE_EDGE, "model_bytes", "B", 1347408, error));
    TRY(sample_figure(record, SAMPLE_EDGE, "gap_to_optimum", "%", -3.25e-6, error));
    return sample_figure(record, SAMPLE_EDGE, "bound_of_regret", "", INFINITY, error);
}

static inline enum status sample_learning_rows(struct record *record, uint64_t seed, struct error *error) {
    struct random_stream random;
    random_init(&random, seed, 1, RANDOM_TEST);
    TRY(sample_curves_of_many(record, &random, error));
    TRY(sample_curves_of_few(record, &random, error));
    return sample_figures(record, error);
}

/* As sample_write, of nodes that learn. */
static inline enum status sample_learning_write(struct sample_run *run, const char *dir, uint64_t seed,
                                                struct error *error) {
    struct record *record = NULL;
    sample_open(run, dir, seed, 12);
    TRY(record_open(&run->config, &record, error));
    enum status status = sample_tasks(run, record, error);
    if (status == STATUS_OK)
        status = sample_rest(run, record, error);
    if (status == STATUS_OK)
        status = sample_learning_rows(record, seed, error);
    run->outcome.status = status;
    enum status closed = record_close(record, &run->outcome, error);
    return status != STATUS_OK ? status : closed;
}

/* ---- no gateway ---- */

static inline void sample_direct_topology(struct sample_run *run, uint32_t devices,
                                          struct topology_node *nodes, struct topology_link *links) {
    sample_group(&run->groups[0], "sensor", ROLE_DEVICE);
    sample_group(&run->groups[1], "edge", ROLE_EDGE);
    run->scenario.group_count = 2;
    run->scenario.link_count = 2;
    run->scenario.fault_count = 0;
    sample_scenario_link(&run->links[0], "sensor", "edge", LINK_LTE_M);
    sample_scenario_link(&run->links[1], "edge", "sensor", LINK_WIRED);
    for (uint32_t id = 0; id < devices; id++) {
        nodes[id] = (struct topology_node){.role = ROLE_DEVICE, .group = 0, .parent = devices};
        snprintf(nodes[id].name, sizeof nodes[id].name, "sensor-%u", id + 1);
        links[2 * id] = (struct topology_link){.from = id, .to = devices, .config = &run->links[0]};
        links[2 * id + 1] = (struct topology_link){.from = devices, .to = id, .config = &run->links[1]};
    }
    nodes[devices] = (struct topology_node){.role = ROLE_EDGE, .group = 1, .parent = TOPOLOGY_NONE};
    snprintf(nodes[devices].name, sizeof nodes[devices].name, "edge");
    run->topology = (struct topology){
        .nodes = nodes, .node_count = devices + 1, .links = links, .link_count = 2 * devices};
}

static inline struct row sample_direct_task(struct sample_run *run, struct random_stream *random,
                                            uint32_t device, uint32_t number) {
    struct sample_slot slot = {.uplink_free_ns = 0, .air_ns = 40 * VTIME_NS_PER_MS, .down = true};
    struct row row =
        sample_task(run, random, &slot, device, number); /* unanswered: nothing happened to it yet */
    struct row_task *task = &row.as.task;
    run->dropped--;
    task->drop = DROP_NONE;
    task->task.decided_ns = task->task.born_ns;
    if (random_chance(random, 1.0 / 3)) {
        task->place = PLACE_DEVICE;
        task->task.compute_start_ns = task->task.born_ns;
        task->task.compute_end_ns =
            task->task.born_ns + (200 + (int64_t)random_below(random, 300)) * VTIME_NS_PER_MS;
        task->answered_ns = task->task.compute_end_ns;
        task->closed_form_ns = VTIME_NEVER;
    } else {
        sample_at_edge(&slot, task);
    }
    sample_verdict(run, random, task);
    return row;
}

static inline enum status sample_direct_rows(struct sample_run *run, struct record *record, uint32_t devices,
                                             struct error *error) {
    struct random_stream random;
    random_init(&random, run->scenario.seed, 2, RANDOM_TEST);
    for (uint32_t number = 0; number < run->scenario.slots; number++) {
        for (uint32_t device = 0; device < devices; device++) {
            struct row row = sample_direct_task(run, &random, device, number);
            TRY(record_row(record, &row, error));
        }
    }
    for (uint32_t id = 0; id < 2 * devices; id += 2) {
        struct row row = {.kind = ROW_LINK,
                          .as.link = {.link = id, .from = id / 2, .to = devices, .busy_ns = VTIME_NS_PER_S}};
        TRY(record_row(record, &row, error));
    }
    return STATUS_OK;
}

/* A run of `devices` directly below one edge server. */
static inline enum status sample_direct_write(struct sample_run *run, const char *dir, uint32_t devices,
                                              uint32_t slots, struct error *error) {
    struct record *record = NULL;
    struct topology_node *nodes = calloc(devices + 1, sizeof *nodes);
    struct topology_link *links = calloc(2 * devices, sizeof *links);
    if (nodes == NULL || links == NULL) {
        free(nodes);
        free(links);
        return STATUS_MEMORY;
    }
    sample_open(run, dir, 11, slots);
    sample_direct_topology(run, devices, nodes, links);
    enum status status = record_open(&run->config, &record, error);
    if (status == STATUS_OK) {
        status = sample_direct_rows(run, record, devices, error);
        run->outcome.status = status;
        enum status closed = record_close(record, &run->outcome, error);
        status = status != STATUS_OK ? status : closed;
    }
    free(nodes);
    free(links);
    return status;
}

#endif
