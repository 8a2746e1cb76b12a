/* report_data: what the charts and tables of a report are drawn from, loaded once. */
#ifndef TIERBED_RECORD_REPORT_DATA_H
#define TIERBED_RECORD_REPORT_DATA_H

#include <jansson.h>
#include <sqlite3.h>

#include "common/model/scenario.h"
#include "common/model/topology.h"
#include "common/record/markup.h"
#include "common/record/rows.h"
#include "common/record/summary.h"
#include "common/record/svg.h"

struct report_node {
    char name[SCENARIO_NAME_MAX], role[16];
    uint32_t parent; /* TOPOLOGY_NONE for none */
};

struct report_level {
    double criticality;
    int64_t deadline_ns;
};

/* Which node a fault concerned. */
struct report_concern {
    uint32_t fault, node;
};

/* One line of the fault schedule, as it was carried out. */
struct report_fault {
    uint32_t fault, nodes; /* index in the schedule; nodes it concerned */
    char kind[16], target[160];
    double value;             /* NAN for none */
    int64_t begin_ns, end_ns; /* end VTIME_NEVER: to the end of the run, or of no duration (restart) */
    uint64_t lost;
};

struct report_data {
    struct summary summary;
    json_t *manifest;
    sqlite3 *db;
    struct row_task *tasks; /* by device, slot */
    size_t task_count, task_capacity;
    struct report_node *nodes; /* by id */
    size_t node_count;
    struct report_level levels[SCENARIO_LEVELS_MAX];
    uint32_t level_count;
    struct report_fault *faults; /* by fault */
    size_t fault_count;
    struct report_concern *concerns; /* by fault, node */
    size_t concern_count;
    bool at_devices;         /* some task was computed by its device */
    uint32_t direct;         /* devices directly below an edge server, without a gateway */
    int64_t end_ns, slot_ns; /* virtual time reached, length of a slot (at least 1) */
};

/* As report_write. After a failure everything is closed. */
enum status report_data_load(struct report_data *data, const char *dir, struct error *error);
void report_data_close(struct report_data *data);

bool report_is_role(const struct report_data *data, uint32_t node, enum node_role role);

/* Did this fault concern this node: the node itself, one of its devices, or its parent? */
bool report_concerns_parent(const struct report_data *data, const struct report_fault *fault,
                            uint32_t parent);

/* The parent of the task's device: its gateway, or an edge server; TOPOLOGY_NONE when there is none. */
uint32_t report_parent_of(const struct report_data *data, const struct row_task *task);

#endif
