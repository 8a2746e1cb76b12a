#include "common/record/record.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/record/durable.h"
#include "common/record/manifest.h"
#include "common/record/store.h"

/* Room kept aside from the start, given back before the last files are written: a run that filled the disk
 * can still say so in its manifest. */
#define RESERVE_FILE ".reserve"
#define RESERVE_BYTES ((size_t)256 * 1024)

struct record {
    struct record_config config; /* dir is a copy; scenario and topology are borrowed until record_close */
    char *dir;
    struct store store;
    json_t *manifest;
    struct error failure; /* sticky: the first failure of a row; later rows are refused with it */
};

/* A folder that holds anything is somebody's result. */
static enum status check_empty(const char *dir, struct error *error) {
    DIR *folder = opendir(dir);
    if (folder == NULL)
        return error_set_errno(error, STATUS_IO, "cannot open the folder %s", dir);
    const struct dirent *entry;
    bool empty = true;
    while ((entry = readdir(folder)) != NULL)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    closedir(folder);
    if (!empty)
        return error_set(error, STATUS_INVALID,
                         "%s is not empty: name another folder for the run, or remove this one", dir);
    return STATUS_OK;
}

/* The first files of a run. */
static enum status write_first(const struct record_config *config, const char *name, const void *data,
                               size_t size, struct error *error) {
    char path[DURABLE_PATH_MAX];
    TRY(durable_path(path, config->dir, name, error));
    return config->durable ? durable_write(path, data, size, error)
                           : durable_write_unsynced(path, data, size, error);
}

static enum status write_reserve(const struct record_config *config, struct error *error) {
    char *zeros = calloc(1, RESERVE_BYTES);
    if (zeros == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the record");
    enum status status = write_first(config, RESERVE_FILE, zeros, RESERVE_BYTES, error);
    free(zeros);
    return status;
}

static void release_reserve(const char *dir) {
    char path[DURABLE_PATH_MAX];
    if (durable_path(path, dir, RESERVE_FILE, NULL) == STATUS_OK)
        unlink(path);
}

static enum status write_scenario(const struct record_config *config, struct error *error) {
    struct arena arena;
    size_t size = 0;
    arena_init(&arena);
    const char *text = scenario_print(config->scenario, &arena, &size);
    enum status status = write_first(config, "scenario.yaml", text, size, error);
    arena_close(&arena);
    return status;
}

static void record_free(struct record *record) {
    store_close(&record->store);
    json_decref(record->manifest);
    free(record->dir);
    free(record);
}

static enum status record_create(struct record *record, struct error *error) {
    const struct record_config *config = &record->config;
    TRY(durable_make_dirs(config->dir, error));
    TRY(check_empty(config->dir, error));
    TRY(write_reserve(config, error));
    TRY(write_scenario(config, error));
    record->manifest = manifest_start(config);
    if (record->manifest == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the manifest");
    TRY(manifest_write(record->manifest, config->dir, config->durable, error));
    return store_open(&record->store, config, error);
}

enum status record_open(const struct record_config *config, struct record **record, struct error *error) {
    assert(config->dir != NULL && config->scenario != NULL && config->topology != NULL);
    assert(config->transport != NULL && config->clock != NULL);
    *record = NULL;
    struct record *made = calloc(1, sizeof *made);
    if (made == NULL || (made->dir = strdup(config->dir)) == NULL) {
        free(made);
        return error_set(error, STATUS_MEMORY, "no memory for the record");
    }
    made->config = *config;
    made->config.dir = made->dir;
    enum status status = record_create(made, error);
    if (status != STATUS_OK) {
        record_free(made);
        return status;
    }
    *record = made;
    return STATUS_OK;
}

/* Rows may have crossed a process: ids outside the scenario are refused, not believed. */
static bool row_fits(const struct record *record, const struct row *row) {
    const struct topology *topology = record->config.topology;
    switch (row->kind) {
    case ROW_TASK:
        return row->as.task.task.device < topology->node_count;
    case ROW_NODE:
        return row->as.node.node < topology->node_count;
    case ROW_LINK:
        return row->as.link.link < topology->link_count;
    case ROW_FAULT:
        return row->as.fault.fault < record->config.scenario->fault_count &&
               (row->as.fault.node == TOPOLOGY_NONE || row->as.fault.node < topology->node_count);
    case ROW_PROCESS:
        return true;
    case ROW_SERIES:
        return row->as.series.node < topology->node_count;
    case ROW_RESULT:
        return row->as.result.node < topology->node_count;
    case ROW_HANDLER:
        return row->as.handler.node < topology->node_count;
    case ROW_KIND_COUNT:
        break;
    }
    return false;
}

/* Keeps the first failure and passes it on. */
static enum status remember(struct record *record, enum status status, struct error *error) {
    if (record->failure.status != STATUS_OK && error != NULL)
        *error = record->failure;
    return status;
}

enum status record_row(struct record *record, const struct row *row, struct error *error) {
    if (record->failure.status != STATUS_OK)
        return remember(record, record->failure.status, error);
    if (!row_fits(record, row))
        return error_set(error, STATUS_INVALID,
                         "a row of kind %d names a node, link or fault that is not there", (int)row->kind);
    return remember(record, store_row(&record->store, &record->config, row, &record->failure), error);
}

enum status record_flush(struct record *record, struct error *error) {
    if (record->failure.status != STATUS_OK)
        return remember(record, record->failure.status, error);
    return remember(record, store_flush(&record->store, &record->failure), error);
}

/* A run whose rows could not all be written is not a finished one, whatever the engine thought. */
static struct record_outcome outcome_to_write(const struct record *record,
                                              const struct record_outcome *outcome) {
    struct record_outcome written = *outcome;
    if (record->failure.status != STATUS_OK && outcome->status == STATUS_OK) {
        written.status = record->failure.status;
        written.message = record->failure.text;
    }
    return written;
}

static enum status write_manifest(struct record *record, const struct record_outcome *outcome,
                                  struct error *error) {
    struct record_outcome written = outcome_to_write(record, outcome);
    TRY(manifest_finish(record->manifest, &written, error));
    return manifest_write(record->manifest, record->dir, true, error);
}

/* On a full disk the reserve goes to the manifest first, and what is left of it to the rows before the
 * failure. */
enum status record_close(struct record *record, const struct record_outcome *outcome, struct error *error) {
    if (record == NULL)
        return STATUS_OK;
    if (record->failure.status == STATUS_OK)
        store_finish(&record->store, outcome, &record->failure);
    release_reserve(record->dir);
    if (!record->config.durable) { /* from here on it is */
        record->config.durable = true;
        write_scenario(&record->config, NULL);
    }
    enum status status = write_manifest(record, outcome, error);
    if (record->failure.status != STATUS_OK) {
        struct record_outcome written = outcome_to_write(record, outcome);
        store_finish(&record->store, &written, NULL);
        status = remember(record, record->failure.status, error);
    }
    record_free(record);
    return status;
}

enum status record_abandon(const char *dir, enum status reason, const char *message, struct error *error) {
    struct record_outcome outcome = {.status = reason, .message = message, .wall_s = NAN, .startup_s = NAN};
    struct store store;
    json_t *manifest = NULL;
    TRY(store_reopen(&store, dir, &outcome.virtual_ns, error));
    enum status status = store_finish(&store, &outcome, error);
    store_close(&store);
    if (status == STATUS_OK)
        status = manifest_load(dir, &manifest, error);
    if (status == STATUS_OK)
        status = manifest_finish(manifest, &outcome, error);
    if (status == STATUS_OK)
        status = manifest_write(manifest, dir, true, error);
    json_decref(manifest);
    return status;
}
