#include "nodes/run_resume.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/model/topology.h"
#include "common/record/durable.h"
#include "nodes/edge/coordinator_durable.h"
#include "nodes/hosting.h"
#include "nodes/node.h"

/* The run that is gone on with. */
struct earlier {
    const char *dir;
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    uint32_t first_slot; /* where its checkpoints go on; UINT32_MAX: none was read yet */
};

static enum status load_scenario(struct earlier *earlier, struct run_options *options, struct error *error) {
    struct scenario_problems *problems = arena_alloc(&earlier->arena, sizeof *problems);
    int length =
        snprintf(options->resume_scenario, sizeof options->resume_scenario, "%s/scenario.yaml", earlier->dir);
    if (length < 0 || (size_t)length >= sizeof options->resume_scenario)
        return error_set(error, STATUS_INVALID, "--resume: the path %.80s... is too long", earlier->dir);
    if (access(options->resume_scenario, R_OK) != 0)
        return error_set(error, STATUS_INVALID, "--resume: %s is no run directory: it holds no scenario.yaml",
                         earlier->dir);
    enum status status =
        scenario_load_file(options->resume_scenario, options->overrides, options->override_count,
                           &earlier->arena, &earlier->scenario, problems);
    if (status != STATUS_OK)
        return error_set(error, status, "--resume: %s: %s", options->resume_scenario,
                         problems->items[0].text);
    if (earlier->scenario.scheme == 0)
        return error_set(
            error, STATUS_INVALID,
            "--resume: the run in %s has no scheme, so there is no learning to go on with; run its "
            "scenario.yaml again instead",
            earlier->dir);
    for (uint32_t i = 0; i < earlier->scenario.group_count; i++)
        if (earlier->scenario.groups[i].role == ROLE_CHAIN)
            return error_set(
                error, STATUS_UNSUPPORTED,
                "--resume: the run in %s has validators, and a ledger is not gone on with in another "
                "run; run its scenario.yaml again instead, or give `training.resume` in a scenario "
                "with validators to take over only what was learnt",
                earlier->dir);
    return topology_build(&earlier->scenario, &earlier->arena, &earlier->topology, error);
}

/* Starts the node from its checkpoint, as the run will, and forgets it again. */
static enum status try_start(struct earlier *earlier, uint32_t node, const uint8_t *data, size_t bytes,
                             struct error *error) {
    const struct node_class *class = node_class_of(&earlier->topology, node);
    struct error reason = {0};
    struct node_env env = {
        .self = node, .scenario = &earlier->scenario, .topology = &earlier->topology, .error = &reason};
    struct outbox out;
    void *state = calloc(1, class->state_bytes);
    if (state == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the state of a node");
    outbox_init(&out);
    enum status status =
        class->on_restart(state, &env, scenario_begin_ns(&earlier->scenario), data, bytes, &out);
    class->close(state);
    free(state);
    outbox_close(&out);
    return status == STATUS_OK ? status
                               : error_set(error, status, "--resume: node %s of %s: %s",
                                           earlier->topology.nodes[node].name, earlier->dir, reason.text);
}

/* Every edge server must have stopped at the same slot, and the run must have some left. */
static enum status take_slot(struct earlier *earlier, const char *name, uint32_t next_slot,
                             struct error *error) {
    if (earlier->first_slot != UINT32_MAX && earlier->first_slot != next_slot)
        return error_set(
            error, STATUS_INVALID,
            "--resume: the checkpoints in %s do not belong together: node %s goes on with slot %u, "
            "another with slot %u",
            earlier->dir, name, next_slot, earlier->first_slot);
    if (next_slot >= earlier->scenario.slots)
        return error_set(error, STATUS_INVALID,
                         "--resume: the run in %s is complete, all %u slots; `--set slots=N` gives it more",
                         earlier->dir, earlier->scenario.slots);
    earlier->first_slot = earlier->scenario.training.first_slot = next_slot;
    return STATUS_OK;
}

static enum status look_at(struct earlier *earlier, uint32_t node, struct error *error) {
    const char *name = earlier->topology.nodes[node].name;
    struct coordinator_checkpoint checkpoint;
    struct error reason = {0};
    char path[DURABLE_PATH_MAX], *data;
    size_t bytes;
    int length = hosting_durable_path(earlier->dir, name, path, sizeof path);
    if (length < 0 || (size_t)length >= sizeof path)
        return error_set(error, STATUS_INVALID, "--resume: the path %.80s... is too long", earlier->dir);
    if (access(path, F_OK) != 0)
        return error_set(error, STATUS_INVALID,
                         "--resume: there is no checkpoint in %s: %s is missing; the scenario key "
                         "`training.checkpoint` makes a run store some",
                         earlier->dir, path);
    TRY(durable_read(path, OUTBOX_BYTES_MAX, &data, &bytes, error));
    enum status status = coordinator_checkpoint_read((const uint8_t *)data, bytes, &checkpoint, &reason);
    if (status != STATUS_OK)
        error_set(error, status, "--resume: %s: %s", path, reason.text);
    if (status == STATUS_OK)
        status = take_slot(earlier, name, checkpoint.next_slot, error);
    if (status == STATUS_OK)
        status = try_start(earlier, node, (const uint8_t *)data, bytes, error);
    free(data);
    return status;
}

static enum status look_at_all(struct earlier *earlier, struct run_options *options, struct error *error) {
    TRY(load_scenario(earlier, options, error));
    for (uint32_t id = 0; id < earlier->topology.node_count; id++)
        if (node_class_of(&earlier->topology, id) == &coordinator_class)
            TRY(look_at(earlier, id, error));
    return STATUS_OK;
}

enum status run_resume(struct run_options *options, struct error *error) {
    char dir[PATH_MAX];
    if (options->resume_dir == NULL)
        return STATUS_OK;
    if (realpath(options->resume_dir, dir) == NULL)
        return error_set_errno(error, STATUS_IO, "--resume: cannot find %s", options->resume_dir);
    if (options->override_count + 2 > RUN_OVERRIDES_MAX)
        return error_set(error, STATUS_INVALID, "--resume needs two of the %d --set options",
                         RUN_OVERRIDES_MAX);
    struct earlier *earlier = calloc(1, sizeof *earlier); /* large */
    if (earlier == NULL)
        return error_set(error, STATUS_MEMORY, "no memory to look at %s", dir);
    earlier->dir = dir;
    earlier->first_slot = UINT32_MAX;
    arena_init(&earlier->arena);
    enum status status = look_at_all(earlier, options, error);
    snprintf(options->resume_from, sizeof options->resume_from, "training.resume=%s", dir);
    snprintf(options->resume_slot, sizeof options->resume_slot, "training.first_slot=%u",
             earlier->first_slot);
    options->scenario_path = options->resume_scenario;
    options->overrides[options->override_count++].assignment = options->resume_from;
    options->overrides[options->override_count++].assignment = options->resume_slot;
    arena_close(&earlier->arena);
    free(earlier);
    return status;
}
