#include "cli/run_mpi.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/launch.h"
#include "common/record/durable.h"
#include "common/record/record.h"
#include "common/record/report.h"
#include "nodes/director/session.h"

#define BLOCKS_MAX 64
#define ARGUMENTS_MAX (2 * RUN_OVERRIDES_MAX + 16)
#define MANIFEST_BYTES_MAX ((size_t)1 << 20)

/* The line of one run; everything it points to lies in the arena. */
struct line {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct scenario_problems problems;
    struct launch_block blocks[BLOCKS_MAX];
    size_t block_count;
    const char *arguments[ARGUMENTS_MAX + 1];
};

static enum status add_block(struct line *line, const char *program, uint32_t count,
                             const char *const *arguments, struct error *error) {
    char path[4096];
    if (line->block_count == BLOCKS_MAX)
        return error_set(
            error, STATUS_LIMIT,
            "the nodes change role more than %d times; list nodes of one role together, or use --processes",
            BLOCKS_MAX);
    TRY(launch_find_program(program, path, sizeof path, error));
    line->blocks[line->block_count++] = (struct launch_block){
        .program = arena_copy_text(&line->arena, path), .count = count, .arguments = arguments};
    return STATUS_OK;
}

/* One program per role, in the order of node ids: rank 0 directs, rank i + 1 plays node i. */
static enum status add_roles(struct line *line, struct error *error) {
    TRY(add_block(line, "tierbed-director", 1, line->arguments, error));
    const struct topology *topology = &line->topology;
    for (uint32_t first = 0, next; first < topology->node_count; first = next) {
        char program[64];
        enum node_role role = topology->nodes[first].role;
        for (next = first; next < topology->node_count && topology->nodes[next].role == role;)
            next++;
        snprintf(program, sizeof program, "tierbed-%s", node_role_name(role));
        TRY(add_block(line, program, next - first, NULL, error));
    }
    return STATUS_OK;
}

static enum status compose(struct run_request *request, struct line *line, struct error *error) {
    const struct run_options *options = &request->options;
    size_t count = run_options_arguments(options, &line->arena, line->arguments, ARGUMENTS_MAX);
    line->arguments[count] = NULL;
    if (options->processes > 0)
        return add_block(line, "tierbed-packed", options->processes, line->arguments, error);
    return add_roles(line, error);
}

/* Everything that can be wrong with the scenario is found here, before any process starts. */
static enum status line_load(struct run_request *request, struct line *line, struct error *error) {
    const struct run_options *options = &request->options;
    arena_init(&line->arena);
    enum status status =
        scenario_load_file(options->scenario_path, options->overrides, options->override_count, &line->arena,
                           &line->scenario, &line->problems);
    if (status != STATUS_OK) {
        scenario_problems_print(&line->problems, stderr);
        return error_set(error, status, "%s: the scenario was not accepted; nothing was started",
                         options->scenario_path);
    }
    TRY(topology_build(&line->scenario, &line->arena, &line->topology, error));
    return session_check_data(&line->scenario, error);
}

int run_mpi_dry(struct run_request *request) {
    struct line *line = calloc(1, sizeof *line);
    struct error error = {0};
    if (line == NULL)
        return 4;
    enum status status = line_load(request, line, &error);
    if (status == STATUS_OK)
        status = compose(request, line, &error);
    if (status == STATUS_OK) {
        struct launch_plan plan = {
            .blocks = line->blocks, .block_count = line->block_count, .hostfile = request->hostfile};
        launch_print(&plan, stdout);
    } else {
        fprintf(stderr, "tierbed run: %s\n", error.text);
    }
    arena_close(&line->arena);
    free(line);
    return status_exit_code(status);
}

/* The director leaves "now_ns end_ns wall_s" in the run directory. */
static void on_tick(void *context) {
    struct run_request *request = context;
    char path[sizeof request->run_dir + 16];
    int64_t now_ns, end_ns;
    double wall_s;
    snprintf(path, sizeof path, "%s/progress", request->run_dir);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    int got = fscanf(file, "%" SCNd64 " %" SCNd64 " %lf", &now_ns, &end_ns, &wall_s);
    fclose(file);
    if (got != 3)
        return;
    if (!request->progress_begun)
        progress_init(&request->progress, stderr, end_ns, request->options.quiet || request->json);
    request->progress_begun = true;
    progress_update(&request->progress, now_ns, wall_s);
}

static enum status status_named(const char *name) {
    for (enum status status = STATUS_OK; name != NULL && status <= STATUS_FAILED; status++)
        if (strcmp(status_name(status), name) == 0)
            return status;
    return STATUS_FAILED;
}

/* The inverse of status_exit_code, as far as it can be told. */
static enum status status_of_exit(int exit_code, enum status otherwise) {
    for (enum status status = STATUS_INVALID; status <= STATUS_FAILED; status++)
        if (exit_code > 1 && status_exit_code(status) == exit_code)
            return status;
    return otherwise;
}

/* The director was killed before it could write how the run ended. */
static void say_for_director(const struct run_request *request, const struct error *error) {
    struct error unwritten;
    const char *run_dir = request->run_dir;
    if (record_abandon(run_dir, error->status, error->text, &unwritten) != STATUS_OK ||
        (!request->options.no_report && report_write(run_dir, &unwritten) != STATUS_OK))
        fprintf(stderr, "tierbed run: %s\n", unwritten.text);
}

/* What the director wrote about the end is nearer to the truth than mpirun's exit code. */
static enum status read_outcome(struct run_request *request, const struct launch_result *launched,
                                enum status status, struct error *error) {
    char path[DURABLE_PATH_MAX];
    json_error_t json_error;
    TRY(durable_path(path, request->run_dir, "manifest.json", error));
    json_t *manifest = json_load_file(path, 0, &json_error);
    const char *said = json_string_value(json_object_get(manifest, "status"));
    const char *message = json_string_value(json_object_get(manifest, "message"));
    if (said == NULL) {
        request->run_dir[0] = '\0';
        status = status == STATUS_OK ? STATUS_FAILED : status_of_exit(launched->exit_code, status);
    } else if (strcmp(said, "finished") == 0) {
        status = STATUS_OK;
    } else if (strcmp(said, "running") != 0) {
        status = status_named(json_string_value(json_object_get(manifest, "reason")));
        error_set(error, status, "%s", message ? message : "the run ended early");
    } else {
        if (status != STATUS_STOPPED && status != STATUS_PEER)
            status = error_set(error, STATUS_PEER,
                               "the director (rank 0) died before it could say how the run ended; "
                               "what was recorded until then is kept");
        say_for_director(request, error);
    }
    json_decref(manifest);
    return status;
}

static enum status start(struct run_request *request, struct line *line, struct error *error) {
    struct run_options *options = &request->options;
    if (options->out_dir == NULL) {
        TRY(session_default_dir(&line->scenario, request->run_dir, sizeof request->run_dir, error));
        options->out_dir = request->run_dir;
    } else {
        TRY(session_prepare_dir(options->out_dir, error));
        snprintf(request->run_dir, sizeof request->run_dir, "%s", options->out_dir);
    }
    TRY(compose(request, line, error));
    char launched[64];
    snprintf(launched, sizeof launched, "%.9f", request->launched_s);
    setenv("TIERBED_LAUNCHED_S", launched, 1);
    static const char *const exports[] = {"TIERBED_LAUNCHED_S", NULL};
    struct launch_plan plan = {.blocks = line->blocks,
                               .block_count = line->block_count,
                               .hostfile = request->hostfile,
                               .exports = exports,
                               .quiet = options->quiet || request->json,
                               .output_to_stderr = true,
                               .on_tick = on_tick,
                               .context = request};
    struct launch_result result;
    enum status status = launch_run(&plan, &result, error);
    if (request->progress_begun)
        progress_done(&request->progress);
    return read_outcome(request, &result, status, error);
}

enum status run_mpi(struct run_request *request, struct error *error) {
    struct line *line = calloc(1, sizeof *line);
    if (line == NULL)
        return error_set(error, STATUS_MEMORY, "no memory to compose a run");
    enum status status = line_load(request, line, error);
    if (status == STATUS_OK)
        status = start(request, line, error);
    arena_close(&line->arena);
    free(line);
    return status;
}
