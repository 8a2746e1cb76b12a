#include "nodes/director/session.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/record/durable.h"
#include "common/record/record.h"
#include "common/record/report.h"
#include "common/time/wall.h"
#include "nodes/chain/agreement.h"
#include "nodes/director/admission.h"
#include "nodes/rank.h"
#include "nodes/task.h"

#define FLUSH_EVERY_S 0.5 /* how much of a run a power cut may cost */
#define PROGRESS_EVERY_S 0.1

struct session {
    const struct session_config *config;
    struct session_result *result;
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct placement placement;
    struct setup setup;
    struct record *record;
    struct member member; /* when rank 0 hosts nodes */
    struct director director;
    struct admission admission;          /* when the run needs a join */
    uint8_t nonce[IDENTITY_NONCE_BYTES]; /* of the run */
    uint64_t *node_digests;
    uint32_t digest_count;
    uint64_t events;
    int64_t end_ns;
    double flushed_s, progressed_s;
    char *text;
};

void session_digest(const uint64_t *node_digests, uint32_t node_count, uint64_t digest[4]) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    for (uint32_t id = 0; id < node_count; id++) {
        uint8_t raw[12];
        struct bytes_writer writer = bytes_writer_over(raw, sizeof raw);
        bytes_put_u32(&writer, id);
        bytes_put_u64(&writer, node_digests[id]);
        crypto_generichash_update(&state, raw, sizeof raw);
    }
    crypto_generichash_final(&state, (unsigned char *)digest, 32);
}

/* ---- callbacks of the director ---- */

static enum status take_row(struct session *session, const struct row *row, struct error *error) {
    if (row->kind == ROW_NODE && row->as.node.node < session->topology.node_count) {
        session->node_digests[row->as.node.node] = row->as.node.digest;
        session->digest_count++;
    }
    if (row->kind == ROW_PROCESS)
        session->events += row->as.process.events;
    return record_row(session->record, row, error);
}

static enum status on_rows(void *context, const uint8_t *data, size_t size, struct error *error) {
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct row row;
    while (bytes_left(&reader) > 0) {
        if (row_decode(&reader, &row) != STATUS_OK)
            return error_set(error, STATUS_INVALID, "a process sent a malformed row of the record");
        TRY(take_row(context, &row, error));
    }
    return STATUS_OK;
}

static enum status on_final(void *context, uint32_t rank, const uint8_t *data, size_t size,
                            struct error *error) {
    (void)rank;
    return on_rows(context, data, size, error);
}

static void on_progress(void *context, int64_t now_ns) {
    struct session *session = context;
    const struct session_config *config = session->config;
    double now_s = wall_now_s();
    if (now_s > session->flushed_s + FLUSH_EVERY_S) {
        struct error error = {0};
        if (record_flush(session->record, &error) != STATUS_OK)
            director_stop(&session->director, error.status, error.text);
        session->flushed_s = now_s;
    }
    if (config->on_progress == NULL || now_s < session->progressed_s + PROGRESS_EVERY_S)
        return;
    session->progressed_s = now_s;
    config->on_progress(config->context, now_ns, session->end_ns, now_s - session->director.first_grant_s);
}

static void on_join(void *context, uint32_t rank, const uint8_t *data, size_t size) {
    admission_take(&((struct session *)context)->admission, rank, data, size);
}

static const uint8_t *admission(void *context, size_t *size) {
    return admission_result(&((struct session *)context)->admission, size);
}

static void describe(void *context, uint32_t rank, char *text, size_t size) {
    struct session *session = context;
    placement_describe(&session->placement, &session->topology, rank, text, size);
}

enum status session_check_data(const struct scenario *scenario, struct error *error) {
    struct bearing_source *bearings = NULL;
    if (scenario->data.source != DATA_RECORDS)
        return STATUS_OK;
    enum status status = task_open_bearings(scenario, &bearings, error);
    bearing_source_close(bearings);
    return status;
}

/* ---- the run directory ---- */

enum status session_default_dir(const struct scenario *scenario, char *path, size_t size,
                                struct error *error) {
    char stamp[32];
    time_t now = time(NULL);
    struct tm parts;
    localtime_r(&now, &parts);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts);
    TRY(durable_make_dirs("runs", error));
    for (int attempt = 1; attempt <= 1000; attempt++) {
        int length = snprintf(path, size, "runs/%s-s%" PRIu64 "-%s", scenario->name, scenario->seed, stamp);
        if (attempt > 1)
            snprintf(path + length, size - (size_t)length, "-%d", attempt);
        if (mkdir(path, 0777) == 0)
            return STATUS_OK;
        if (errno != EEXIST)
            return error_set_errno(
                error, STATUS_IO,
                "cannot create the run directory %s; choose a writable place with --out DIR", path);
    }
    return error_set(error, STATUS_IO,
                     "no free name for a run directory below runs/; choose one with --out DIR");
}

static bool is_empty(const char *dir) {
    DIR *stream = opendir(dir);
    int entries = 0;
    while (stream != NULL && readdir(stream) != NULL)
        entries++;
    if (stream != NULL)
        closedir(stream);
    return entries <= 2; /* "." and ".." */
}

enum status session_prepare_dir(const char *dir, struct error *error) {
    TRY(durable_make_dirs(dir, error));
    if (!is_empty(dir))
        return error_set(error, STATUS_INVALID,
                         "the run directory %s is not empty; choose another with --out DIR, or remove it",
                         dir);
    char probe[DURABLE_PATH_MAX];
    TRY(durable_path(probe, dir, "probe", error));
    enum status status = durable_write_unsynced(probe, "", 0, error);
    unlink(probe);
    return status;
}

static enum status open_record(struct session *session, struct error *error) {
    const struct session_config *config = session->config;
    char dir[4096];
    if (config->options->out_dir != NULL)
        snprintf(dir, sizeof dir, "%s", config->options->out_dir);
    else
        TRY(session_default_dir(&session->scenario, dir, sizeof dir, error));
    struct record_config record = {.dir = dir,
                                   .scenario = &session->scenario,
                                   .topology = &session->topology,
                                   .transport = config->transport,
                                   .processes = bus_size(config->bus),
                                   .clock = config->options->wall_clock ? "wall" : "virtual",
                                   .speed = config->options->speed,
                                   .command_line = config->command_line,
                                   .durable = !config->options->relaxed};
    TRY(record_open(&record, &session->record, error));
    if (realpath(dir, session->result->run_dir) == NULL)
        return error_set_errno(error, STATUS_IO, "cannot resolve the run directory %s", dir);
    char pid_path[DURABLE_PATH_MAX], pid[32];
    TRY(durable_path(pid_path, session->result->run_dir, "director.pid", error));
    int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    return durable_write(pid_path, pid, (size_t)length, error);
}

/* ---- stages ---- */

static enum status open_admission(struct session *session, struct error *error) {
    struct keyring_config config = {.scenario = &session->scenario,
                                    .topology = &session->topology,
                                    .rank_of_node = session->placement.rank_of_node,
                                    .rank_count = bus_size(session->config->bus)};
    randombytes_buf(session->nonce, sizeof session->nonce);
    memcpy(config.nonce, session->nonce, sizeof config.nonce);
    return keyring_must_join(&config) ? admission_open(&session->admission, &config, error) : STATUS_OK;
}

static enum status load(struct session *session, struct error *error) {
    const struct run_options *options = session->config->options;
    struct scenario_problems *problems = &session->result->problems;
    enum status status =
        scenario_load_file(options->scenario_path, options->overrides, options->override_count,
                           &session->arena, &session->scenario, problems);
    if (status != STATUS_OK)
        return error_set(error, status, "%s: the scenario was not accepted; nothing was started",
                         options->scenario_path);
    TRY(topology_build(&session->scenario, &session->arena, &session->topology, error));
    TRY(session_check_data(&session->scenario, error));
    enum placement_kind kind = options->placement;
    uint32_t ranks = bus_size(session->config->bus);
    if (kind == PLACEMENT_SINGLE && (options->processes > 0 || ranks == 1))
        kind = PLACEMENT_BLOCK;
    TRY(placement_init(&session->placement, kind, ranks, &session->topology, error));
    TRY(open_admission(session, error));
    session->node_digests =
        arena_alloc_array(&session->arena, session->topology.node_count, sizeof(uint64_t));
    session->end_ns = session->scenario.slot_ns * session->scenario.slots + session->scenario.drain_ns;
    session->text = scenario_print(&session->scenario, &session->arena, NULL);
    return STATUS_OK;
}

static enum status prepare(struct session *session, struct error *error) {
    const struct run_options *options = session->config->options;
    TRY(load(session, error));
    TRY(open_record(session, error));
    session->setup = (struct setup){.placement = session->placement.kind,
                                    .trace = options->trace,
                                    .speed = options->wall_clock ? options->speed : 0.0,
                                    .run_dir = session->result->run_dir,
                                    .scenario_text = session->text};
    memcpy(session->setup.nonce, session->nonce, sizeof session->nonce);
    return setup_send(session->config->bus, &session->setup);
}

static enum status direct(struct session *session, struct error *error) {
    const struct session_config *config = session->config;
    bool hosts = session->placement.first_rank == 0;
    bool children = bus_size(config->bus) > 1 || strcmp(config->transport, "mpi") == 0;
    struct rank_run run = {.member = hosts ? &session->member : NULL};
    if (hosts)
        TRY(member_open(&session->member, &session->setup, 0, bus_size(config->bus), children, error));
    director_init(&session->director,
                  &(struct director_config){.bus = config->bus,
                                            .first_rank = session->placement.first_rank,
                                            .begin_ns = scenario_begin_ns(&session->scenario),
                                            .end_ns = session->end_ns,
                                            .chunk_ns = session->scenario.slot_ns,
                                            .speed = session->setup.speed,
                                            .context = session,
                                            .on_join = session->admission.nodes != NULL ? on_join : NULL,
                                            .admission = session->admission.nodes != NULL ? admission : NULL,
                                            .on_rows = on_rows,
                                            .on_final = on_final,
                                            .on_progress = on_progress,
                                            .describe = describe});
    enum status status = rank_run(&run, config->bus, &session->director, config->stopped, error);
    if (status == STATUS_OK && session->director.status != STATUS_OK) {
        *error = session->director.error;
        status = session->director.status;
    }
    return status;
}

static enum status merge_traces(struct session *session, struct error *error) {
    uint32_t ranks = bus_size(session->config->bus);
    char csv[DURABLE_PATH_MAX];
    const char **paths = arena_alloc_array(&session->arena, ranks, sizeof *paths);
    size_t count = 0;
    for (uint32_t rank = session->placement.first_rank; rank < ranks; rank++) {
        char path[DURABLE_PATH_MAX];
        setup_trace_path(&session->setup, rank, path, sizeof path);
        if (access(path, R_OK) == 0)
            paths[count++] = arena_copy_text(&session->arena, path);
    }
    TRY(durable_path(csv, session->result->run_dir, "trace.csv", error));
    TRY(trace_merge(paths, count, csv, &session->topology, error));
    for (size_t i = 0; i < count; i++)
        unlink(paths[i]);
    return STATUS_OK;
}

static enum status on_agreement(void *context, const struct row *row, struct error *error) {
    return record_row(((struct session *)context)->record, row, error);
}

/* Validators that hold different blocks make a run that was fine until then a failed one. */
static enum status hear_validators(struct session *session, enum status status, struct error *error) {
    struct agreement agreement;
    struct error reason = {0};
    enum status found = agreement_check(&session->scenario, &session->topology, session->result->run_dir,
                                        on_agreement, session, &agreement, &reason);
    if (status != STATUS_OK || found == STATUS_OK)
        return status;
    *error = reason;
    return found;
}

static enum status close_books(struct session *session, enum status status, struct error *error) {
    const struct director *director = &session->director;
    struct session_result *result = session->result;
    struct error late = {0};
    if (status == STATUS_OK && session->digest_count == session->topology.node_count)
        session_digest(session->node_digests, session->topology.node_count, result->digest);
    status = hear_validators(session, status, error);
    double now_s = wall_now_s();
    bool began = director->first_grant_s > 0.0;
    struct record_outcome outcome = {.status = status,
                                     .message = status == STATUS_OK ? "" : error->text,
                                     .virtual_ns = director->now_ns,
                                     .wall_s = began ? now_s - director->first_grant_s : 0.0,
                                     .startup_s = (began ? director->first_grant_s : now_s) -
                                                  session->config->launched_s,
                                     .events = session->events,
                                     .windows = director->rounds};
    memcpy(outcome.digest, result->digest, sizeof outcome.digest);
    enum status closed = record_close(session->record, &outcome, &late);
    if (closed == STATUS_OK && session->setup.trace)
        closed = merge_traces(session, &late);
    if (closed == STATUS_OK && !session->config->options->no_report)
        closed = report_write(result->run_dir, &late);
    if (status == STATUS_OK && closed != STATUS_OK)
        *error = late;
    return status == STATUS_OK ? closed : status;
}

enum status session_run(const struct session_config *config, struct session_result *result) {
    struct session *session = calloc(1, sizeof *session);
    struct error error = {0};
    if (session == NULL)
        return STATUS_MEMORY;
    memset(result, 0, sizeof *result);
    session->config = config;
    session->result = result;
    arena_init(&session->arena);
    enum status status = prepare(session, &error);
    if (status == STATUS_OK)
        status = direct(session, &error);
    else
        setup_call_off(config->bus);
    if (session->member.host.nodes != NULL || session->member.trace != NULL)
        member_close(&session->member, NULL);
    if (session->record != NULL)
        status = close_books(session, status, &error);
    result->status = status;
    snprintf(result->message, sizeof result->message, "%s", error.text);
    if (session->director.peers != NULL)
        director_close(&session->director);
    admission_close(&session->admission);
    placement_close(&session->placement);
    arena_close(&session->arena);
    free(session);
    return status;
}
