#include "common/record/report_data.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/topology.h"
#include "common/record/manifest.h"
#include "common/record/reader.h"
#include "common/time/vtime.h"

static enum status take_task(const struct row_task *task, void *context) {
    struct report_data *data = context;
    if (task->task.device >= data->node_count || task->task.level >= SCENARIO_LEVELS_MAX)
        return STATUS_INVALID;
    if (data->task_count == data->task_capacity) {
        size_t capacity = data->task_capacity == 0 ? 4096 : 2 * data->task_capacity;
        struct row_task *tasks = realloc(data->tasks, capacity * sizeof *tasks);
        if (tasks == NULL)
            return STATUS_MEMORY;
        data->tasks = tasks;
        data->task_capacity = capacity;
    }
    data->tasks[data->task_count++] = *task;
    data->at_devices = data->at_devices || task->place == PLACE_DEVICE;
    return STATUS_OK;
}

static enum status take_node(sqlite3_stmt *row, void *context) {
    struct report_data *data = context;
    if (reader_count(row, 0) != data->node_count)
        return STATUS_INVALID; /* ids are dense */
    struct report_node *nodes = realloc(data->nodes, (data->node_count + 1) * sizeof *nodes);
    if (nodes == NULL)
        return STATUS_MEMORY;
    data->nodes = nodes;
    struct report_node *node = &nodes[data->node_count++];
    int64_t parent = reader_time(row, 3);
    reader_text(row, 1, node->name, sizeof node->name);
    reader_text(row, 2, node->role, sizeof node->role);
    node->parent = parent >= 0 && parent < TOPOLOGY_NONE ? (uint32_t)parent : TOPOLOGY_NONE;
    return STATUS_OK;
}

static enum status take_level(sqlite3_stmt *row, void *context) {
    struct report_data *data = context;
    if (data->level_count == SCENARIO_LEVELS_MAX)
        return STATUS_INVALID;
    data->levels[data->level_count++] =
        (struct report_level){.criticality = reader_real(row, 0), .deadline_ns = reader_time(row, 1)};
    return STATUS_OK;
}

static enum status take_fault(sqlite3_stmt *row, void *context) {
    struct report_data *data = context;
    struct report_fault *faults = realloc(data->faults, (data->fault_count + 1) * sizeof *faults);
    if (faults == NULL)
        return STATUS_MEMORY;
    data->faults = faults;
    struct report_fault *fault = &faults[data->fault_count++];
    fault->fault = (uint32_t)reader_count(row, 0);
    reader_text(row, 1, fault->kind, sizeof fault->kind);
    reader_text(row, 2, fault->target, sizeof fault->target);
    fault->value = reader_real(row, 3);
    fault->begin_ns = reader_time(row, 4);
    fault->end_ns = reader_time(row, 5);
    fault->lost = reader_count(row, 6);
    fault->nodes = (uint32_t)reader_count(row, 7);
    return STATUS_OK;
}

static enum status take_concern(sqlite3_stmt *row, void *context) {
    struct report_data *data = context;
    struct report_concern *concerns = realloc(data->concerns, (data->concern_count + 1) * sizeof *concerns);
    if (concerns == NULL)
        return STATUS_MEMORY;
    data->concerns = concerns;
    concerns[data->concern_count++] = (struct report_concern){.fault = (uint32_t)reader_count(row, 0),
                                                              .node = (uint32_t)reader_count(row, 1)};
    return STATUS_OK;
}

/* A crash lasts until a restart of the same target. */
static void pair_crashes(struct report_data *data) {
    for (size_t i = 0; i < data->fault_count; i++) {
        struct report_fault *crash = &data->faults[i];
        if (strcmp(crash->kind, "crash") != 0)
            continue;
        for (size_t j = 0; j < data->fault_count; j++) {
            const struct report_fault *restart = &data->faults[j];
            if (strcmp(restart->kind, "restart") == 0 && strcmp(restart->target, crash->target) == 0 &&
                restart->begin_ns >= crash->begin_ns && restart->begin_ns < crash->end_ns)
                crash->end_ns = restart->begin_ns;
        }
    }
}

bool report_is_role(const struct report_data *data, uint32_t node, enum node_role role) {
    return node < data->node_count && strcmp(data->nodes[node].role, node_role_name(role)) == 0;
}

static void count_direct(struct report_data *data) {
    for (uint32_t id = 0; id < data->node_count; id++)
        data->direct +=
            report_is_role(data, id, ROLE_DEVICE) && report_is_role(data, data->nodes[id].parent, ROLE_EDGE);
}

static enum status load_all(struct report_data *data, const char *dir, struct error *error) {
    TRY(manifest_load(dir, &data->manifest, error));
    TRY(summary_load(dir, &data->summary, error));
    TRY(reader_open(dir, &data->db, error));
    TRY(reader_each(data->db, "SELECT node_id, name, role, parent_id FROM nodes ORDER BY node_id", take_node,
                    data, error));
    TRY(reader_each(data->db, "SELECT criticality, deadline_ns FROM levels ORDER BY level", take_level, data,
                    error));
    TRY(reader_each(data->db,
                    "SELECT fault, kind, CASE WHEN COUNT(DISTINCT target) > 1 THEN MIN(target) || ' and ' ||"
                    " (COUNT(DISTINCT target) - 1) || ' more' ELSE MIN(target) END, MAX(value), MIN(at_ns),"
                    " MAX(CASE phase WHEN 'ends' THEN at_ns END), SUM(lost_count), COUNT(DISTINCT node_id)"
                    " FROM faults GROUP BY fault ORDER BY fault",
                    take_fault, data, error));
    TRY(reader_each(
        data->db,
        "SELECT DISTINCT fault, node_id FROM faults WHERE node_id IS NOT NULL ORDER BY fault, node_id",
        take_concern, data, error));
    pair_crashes(data);
    count_direct(data);
    return reader_each_task(data->db, take_task, data, error);
}

static void move(int64_t *time_ns, int64_t by_ns) {
    if (*time_ns != VTIME_NEVER)
        *time_ns = *time_ns > by_ns ? *time_ns - by_ns : 0;
}

/* Times count from the begin of the run, which may lie later on its timeline. */
static void rebase(struct report_data *data) {
    int64_t begin_ns = (int64_t)llround(data->summary.begin_s * 1e9);
    for (size_t i = 0; begin_ns > 0 && i < data->task_count; i++) {
        struct row_task *row = &data->tasks[i];
        int64_t *times[] = {&row->task.born_ns,         &row->task.gathered_ns,   &row->task.decided_ns,
                            &row->task.uplink_start_ns, &row->task.uplink_end_ns, &row->task.compute_start_ns,
                            &row->task.compute_end_ns,  &row->answered_ns};
        for (size_t t = 0; t < sizeof times / sizeof *times; t++)
            move(times[t], begin_ns);
    }
    for (size_t i = 0; begin_ns > 0 && i < data->fault_count; i++) {
        move(&data->faults[i].begin_ns, begin_ns);
        move(&data->faults[i].end_ns, begin_ns);
    }
}

enum status report_data_load(struct report_data *data, const char *dir, struct error *error) {
    *data = (struct report_data){0};
    if (error != NULL)
        error->text[0] = '\0';
    enum status status = load_all(data, dir, error);
    if (status == STATUS_INVALID && error != NULL && error->text[0] == '\0')
        error_set(error, status, "%s: nodes, levels or tasks do not fit together", dir);
    rebase(data);
    data->end_ns = (int64_t)llround(data->summary.virtual_s * 1e9);
    data->slot_ns = (int64_t)llround(data->summary.slot_s * 1e9);
    if (data->slot_ns < 1)
        data->slot_ns = 1;
    if (data->end_ns < data->slot_ns) /* a run that was killed never wrote how far it came */
        data->end_ns = data->slot_ns * (int64_t)(data->summary.slots > 0 ? data->summary.slots : 1);
    if (status != STATUS_OK)
        report_data_close(data);
    return status;
}

void report_data_close(struct report_data *data) {
    json_decref(data->manifest);
    sqlite3_close(data->db);
    free(data->tasks);
    free(data->nodes);
    free(data->faults);
    free(data->concerns);
    *data = (struct report_data){0};
}

uint32_t report_parent_of(const struct report_data *data, const struct row_task *task) {
    assert(task->task.device < data->node_count);
    uint32_t parent = data->nodes[task->task.device].parent;
    return parent < data->node_count ? parent : TOPOLOGY_NONE;
}

bool report_concerns_parent(const struct report_data *data, const struct report_fault *fault,
                            uint32_t parent) {
    for (size_t i = 0; i < data->concern_count; i++) {
        uint32_t node = data->concerns[i].node;
        if (data->concerns[i].fault != fault->fault || node >= data->node_count)
            continue;
        bool own_device = data->nodes[node].parent == parent && report_is_role(data, node, ROLE_DEVICE);
        if (node == parent || own_device || node == data->nodes[parent].parent)
            return true;
    }
    return false;
}
