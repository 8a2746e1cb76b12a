#include "nodes/labelled.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "nodes/task.h"

/* Slots beyond any run (at most 10 million of them). */
#define FIRST_LEARNT 0x40000000u
#define FIRST_JUDGED 0x60000000u

static bool is_machine(const struct topology *topology, uint32_t id, uint32_t edge) {
    const struct topology_node *node = &topology->nodes[id];
    if (node->role != ROLE_DEVICE || node->parent == TOPOLOGY_NONE ||
        topology->nodes[node->parent].role != ROLE_GATEWAY)
        return false;
    return edge == TOPOLOGY_NONE || topology->nodes[node->parent].parent == edge;
}

static uint32_t list_machines(const struct topology *topology, uint32_t edge, uint32_t *machines) {
    uint32_t count = 0;
    for (uint32_t id = 0; id < topology->node_count; id++) {
        if (!is_machine(topology, id, edge))
            continue;
        if (machines != NULL)
            machines[count] = id;
        count++;
    }
    return count;
}

void labelled_close(struct labelled *labelled) {
    free(labelled->labels);
    *labelled = (struct labelled){0};
}

struct work {
    const struct node_env *env;
    struct diagnosis_plan *plan;
    uint32_t *machines;
    uint32_t machine_count, first_slot;
    int16_t *samples;
    uint32_t sample_count;
};

/* Window `index` is of each machine in turn. */
static enum status measure(const struct work *work, uint32_t index, struct diagnosis_label *label) {
    bearing_source_window(work->env->bearings, work->machines[index % work->machine_count],
                          work->first_slot + index, work->samples, work->sample_count, &label->truth);
    TRY(diagnosis_measure(work->plan, work->samples, work->sample_count));
    label->features = *diagnosis_last_features(work->plan);
    return STATUS_OK;
}

static enum status open_work(struct work *work, const struct node_env *env, uint32_t edge) {
    const struct scenario *scenario = env->scenario;
    *work = (struct work){.env = env,
                          .first_slot = edge == TOPOLOGY_NONE ? FIRST_JUDGED : FIRST_LEARNT,
                          .machine_count = list_machines(env->topology, edge, NULL),
                          .sample_count = task_sample_count(scenario)};
    if (work->machine_count == 0 || env->bearings == NULL)
        return STATUS_INVALID;
    work->machines = memory_grow(NULL, work->machine_count, sizeof *work->machines, "names of machines");
    work->samples = memory_grow(NULL, work->sample_count, sizeof *work->samples, "a labelled window");
    list_machines(env->topology, edge, work->machines);
    return diagnosis_open(work->sample_count, scenario->task.sample_rate_hz, scenario->data.shaft_hz,
                          &work->plan, NULL);
}

static void close_work(struct work *work) {
    diagnosis_close(work->plan);
    free(work->machines);
    free(work->samples);
}

enum status labelled_extend(struct labelled *labelled, const struct node_env *env, uint32_t edge,
                            uint32_t count) {
    struct work work;
    if (count <= labelled->count)
        return STATUS_OK;
    enum status status = open_work(&work, env, edge);
    if (status == STATUS_OK)
        labelled->labels = memory_grow(labelled->labels, count, sizeof *labelled->labels, "labelled windows");
    while (status == STATUS_OK && labelled->count < count) {
        status = measure(&work, labelled->count, &labelled->labels[labelled->count]);
        labelled->count += status == STATUS_OK;
    }
    close_work(&work);
    return status;
}

struct hash labelled_judged_hash(const struct scenario *scenario) {
    uint8_t data[16];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    bytes_put_u64(&writer, scenario->seed);
    bytes_put_u32(&writer, FIRST_JUDGED);
    bytes_put_u32(&writer, LABELLED_JUDGED);
    return hash_of("tierbed-labelled-v1", data, writer.used);
}

bool labelled_models_offered(const struct scenario *scenario, const struct topology *topology) {
    if (scenario->chain.model_slots == 0)
        return false;
    for (uint32_t id = 0; id < topology->node_count; id++)
        if (topology->nodes[id].role == ROLE_CHAIN)
            return list_machines(topology, TOPOLOGY_NONE, NULL) > 0;
    return false;
}

bool labelled_wanted(const struct scenario *scenario, const struct topology *topology, uint32_t node) {
    if (node_class_of(topology, node) == &device_class)
        return true;
    enum node_role role = topology->nodes[node].role;
    return (role == ROLE_EDGE || role == ROLE_CHAIN) && labelled_models_offered(scenario, topology);
}
