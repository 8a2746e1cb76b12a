#include "common/record/store.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/model/scheme_options.h"
#include "common/record/durable.h"
#include "common/record/manifest.h"
#include "common/record/names.h"
#include "common/record/schema.h"
#include "common/record/store_bind.h"
#include "common/time/vtime.h"

enum status store_failure(sqlite3 *db, const char *doing, struct error *error) {
    int code = db == NULL ? SQLITE_NOMEM : sqlite3_errcode(db);
    const char *text = db == NULL ? "out of memory" : sqlite3_errmsg(db);
    const char *advice = "";
    enum status status = STATUS_IO;
    switch (code & 0xff) {
    case SQLITE_FULL:
        advice = "; free some space: what was committed before is kept";
        break;
    case SQLITE_IOERR:
        advice = "; check the disk: what was committed before is kept";
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        advice = "; check that the folder exists and may be written";
        break;
    case SQLITE_NOMEM:
        status = STATUS_MEMORY;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
        status = STATUS_INVALID;
        break; /* ERROR: a table or column that is not there */
    default:
        break;
    }
    return error_set(error, status, "%s: %s: %s%s", STORE_FILE, doing, text, advice);
}

static enum status execute(sqlite3 *db, const char *sql, const char *doing, struct error *error) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? STATUS_OK : store_failure(db, doing, error);
}

static enum status prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement, struct error *error) {
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
        return store_failure(db, "preparing an insert", error);
    return STATUS_OK;
}

static enum status step(struct binder *binder, sqlite3 *db, const char *doing, struct error *error) {
    int code = sqlite3_step(binder->statement);
    enum status status = code == SQLITE_DONE ? STATUS_OK : store_failure(db, doing, error);
    sqlite3_reset(binder->statement);
    sqlite3_clear_bindings(binder->statement);
    return status;
}

enum status store_row(struct store *store, const struct record_config *config, const struct row *row,
                      struct error *error) {
    if (store->pending == 0)
        TRY(execute(store->db, "BEGIN", "starting a transaction", error));
    store->pending++;
    struct binder to = {.statement = store->insert[row->kind]};
    bind_row(&to, config, row);
    TRY(step(&to, store->db, "adding a row", error));
    return store->pending >= STORE_COMMIT_ROWS ? store_flush(store, error) : STATUS_OK;
}

enum status store_flush(struct store *store, struct error *error) {
    if (store->pending == 0)
        return STATUS_OK;
    if (sqlite3_get_autocommit(store->db)) { /* a failed write can end the transaction of itself */
        store->pending = 0;
        return error_set(error, STATUS_IO, "%s: no room; the last %u rows or fewer were rolled back",
                         STORE_FILE, STORE_COMMIT_ROWS);
    }
    TRY(execute(store->db, "COMMIT", "committing rows", error));
    store->pending = 0;
    return STATUS_OK;
}

static enum status set_text(struct store *store, const char *key, const char *value, struct error *error) {
    struct binder to = {.statement = store->set_meta};
    bind_text(&to, key);
    bind_text(&to, value);
    return step(&to, store->db, "writing meta", error);
}

static enum status set_integer(struct store *store, const char *key, int64_t value, struct error *error) {
    struct binder to = {.statement = store->set_meta};
    bind_text(&to, key);
    bind_integer(&to, value);
    return step(&to, store->db, "writing meta", error);
}

static enum status set_real(struct store *store, const char *key, double value, struct error *error) {
    struct binder to = {.statement = store->set_meta};
    bind_text(&to, key);
    bind_real(&to, value);
    return step(&to, store->db, "writing meta", error);
}

/* What the formulas for the time of a block need (summary.h); rates and delays are in the table links. */
static enum status write_chain_meta(struct store *store, const struct scenario_chain *chain,
                                    struct error *error) {
    TRY(set_real(store, "chain_block_rate_hz", chain->block_rate_hz, error));
    TRY(set_real(store, "chain_verify_cycles_per_bit", chain->verify_cycles_per_bit, error));
    TRY(set_real(store, "chain_clock_hz", chain->validator_clock_hz, error));
    return set_real(store, "chain_clock_spread", chain->clock_spread, error);
}

static bool has_validators(const struct topology *topology) {
    for (uint32_t i = 0; i < topology->node_count; i++)
        if (topology->nodes[i].role == ROLE_CHAIN)
            return true;
    return false;
}

static enum status write_meta(struct store *store, const struct record_config *config, struct error *error) {
    const struct scenario *scenario = config->scenario;
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, scenario->seed);
    TRY(set_integer(store, "schema_version", SCHEMA_VERSION, error));
    TRY(set_text(store, "scenario", scenario->name, error));
    TRY(set_text(store, "description", scenario->description, error));
    TRY(set_text(store, "seed", seed, error));
    TRY(set_integer(store, "slot_ns", scenario->slot_ns, error));
    TRY(set_integer(store, "slots", scenario->slots, error));
    TRY(set_integer(store, "drain_ns", scenario->drain_ns, error));
    TRY(set_text(store, "policy", name_of_policy(scenario->policy.kind), error));
    TRY(set_text(store, "scheme", scheme_names[scenario->scheme], error));
    TRY(set_integer(store, "begin_ns", scenario_begin_ns(scenario), error));
    TRY(set_text(store, "data_source", scenario->data.source == DATA_RECORDS ? "records" : "generator",
                 error));
    TRY(set_text(store, "transport", config->transport, error));
    TRY(set_integer(store, "processes", config->processes, error));
    TRY(set_text(store, "clock", config->clock, error));
    TRY(set_real(store, "speed", config->speed, error));
    if (has_validators(config->topology))
        TRY(write_chain_meta(store, &scenario->chain, error));
    return set_text(store, "status", "running", error);
}

static enum status write_levels(struct store *store, const struct scenario_task *task, struct error *error) {
    struct binder to = {0};
    enum status status = prepare(store->db, "INSERT INTO levels VALUES (?,?,?)", &to.statement, error);
    for (uint32_t level = 0; status == STATUS_OK && level < task->level_count; level++) {
        to.column = 0;
        bind_integer(&to, level);
        bind_real(&to, task->criticality[level]);
        bind_time(&to, task->deadline_ns[level]);
        status = step(&to, store->db, "writing levels", error);
    }
    sqlite3_finalize(to.statement);
    return status;
}

static enum status write_nodes(struct store *store, const struct record_config *config, struct error *error) {
    struct binder to = {0};
    enum status status = prepare(store->db, "INSERT INTO nodes VALUES (?,?,?,?,?)", &to.statement, error);
    for (uint32_t id = 0; status == STATUS_OK && id < config->topology->node_count; id++) {
        const struct topology_node *node = &config->topology->nodes[id];
        to.column = 0;
        bind_integer(&to, id);
        bind_text(&to, node->name);
        bind_text(&to, node_role_name(node->role));
        bind_text(&to, config->scenario->groups[node->group].name);
        bind_id(&to, node->parent);
        status = step(&to, store->db, "writing nodes", error);
    }
    sqlite3_finalize(to.statement);
    return status;
}

static enum status write_links(struct store *store, const struct record_config *config, struct error *error) {
    struct binder to = {0};
    const struct topology *topology = config->topology;
    const struct scenario_group *groups = config->scenario->groups;
    enum status status =
        prepare(store->db, "INSERT INTO links VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", &to.statement, error);
    for (uint32_t id = 0; status == STATUS_OK && id < topology->link_count; id++) {
        const struct topology_link *link = &topology->links[id];
        const struct topology_node *from = &topology->nodes[link->from], *end = &topology->nodes[link->to];
        to.column = 0;
        bind_integer(&to, id);
        bind_integer(&to, link->from);
        bind_integer(&to, link->to);
        bind_text(&to, from->name);
        bind_text(&to, end->name);
        bind_text(&to, groups[from->group].name);
        bind_text(&to, groups[end->group].name);
        bind_text(&to, name_of_link_kind(link->config->kind));
        bind_time(&to, link->config->delay_ns);
        bind_real(&to, link->config->rate_bps);
        bind_real(&to, link->config->bandwidth_hz);
        bind_integer(&to, link->config->queue_max);
        status = step(&to, store->db, "writing links", error);
    }
    sqlite3_finalize(to.statement);
    return status;
}

static enum status create(struct store *store, const struct record_config *config, struct error *error) {
    char version[64];
    sqlite3_busy_timeout(store->db, 5000); /* a reader of the live page may hold a lock for a moment */
    const char *synchronous = config->durable ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=OFF";
    TRY(execute(store->db, synchronous, "setting synchronous", error));
    TRY(execute(store->db, "PRAGMA journal_mode=WAL", "switching to WAL", error));
    TRY(execute(store->db, "BEGIN", "starting a transaction", error));
    snprintf(version, sizeof version, "PRAGMA user_version=%d", SCHEMA_VERSION);
    TRY(execute(store->db, version, "writing the schema version", error));
    for (size_t i = 0; schema_statements[i] != NULL; i++)
        TRY(execute(store->db, schema_statements[i], "creating a table", error));
    for (int kind = ROW_TASK; kind < ROW_KIND_COUNT; kind++)
        TRY(prepare(store->db, bind_insert_sql[kind], &store->insert[kind], error));
    TRY(prepare(store->db, "INSERT OR REPLACE INTO meta VALUES (?,?)", &store->set_meta, error));
    TRY(write_meta(store, config, error));
    TRY(write_levels(store, &config->scenario->task, error));
    TRY(write_nodes(store, config, error));
    TRY(write_links(store, config, error));
    return execute(store->db, "COMMIT", "committing the schema", error);
}

enum status store_open(struct store *store, const struct record_config *config, struct error *error) {
    char path[DURABLE_PATH_MAX];
    *store = (struct store){0};
    TRY(durable_path(path, config->dir, STORE_FILE, error));
    enum status status = STATUS_OK;
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        status = store_failure(store->db, "creating it", error);
    if (status == STATUS_OK)
        status = create(store, config, error);
    if (status != STATUS_OK)
        store_close(store);
    return status;
}

static enum status read_last(struct store *store, int64_t *last_ns, struct error *error) {
    sqlite3_stmt *statement;
    TRY(prepare(store->db, "SELECT COALESCE(MAX(answered_ns), 0) FROM tasks", &statement, error));
    enum status status = STATUS_OK;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *last_ns = sqlite3_column_int64(statement, 0);
    else
        status = store_failure(store->db, "reading its tasks", error);
    sqlite3_finalize(statement);
    return status;
}

enum status store_reopen(struct store *store, const char *dir, int64_t *last_ns, struct error *error) {
    char path[DURABLE_PATH_MAX];
    *store = (struct store){0};
    TRY(durable_path(path, dir, STORE_FILE, error));
    enum status status = STATUS_OK;
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        status = store_failure(store->db, "opening it", error);
    if (status == STATUS_OK)
        status = prepare(store->db, "INSERT OR REPLACE INTO meta VALUES (?,?)", &store->set_meta, error);
    if (status == STATUS_OK)
        status = read_last(store, last_ns, error);
    if (status != STATUS_OK)
        store_close(store);
    return status;
}

static enum status write_outcome(struct store *store, const struct record_outcome *outcome,
                                 struct error *error) {
    char digest[DIGEST_TEXT_SIZE];
    digest_text(outcome->digest, digest);
    TRY(set_text(store, "status", manifest_status_name(outcome->status), error));
    TRY(set_text(store, "message", outcome->message != NULL ? outcome->message : "", error));
    TRY(set_text(store, "digest", digest, error));
    TRY(set_integer(store, "virtual_ns", outcome->virtual_ns, error));
    TRY(set_real(store, "wall_s", outcome->wall_s, error));
    TRY(set_real(store, "startup_s", outcome->startup_s, error));
    TRY(set_integer(store, "events", (int64_t)outcome->events, error));
    return set_integer(store, "windows", (int64_t)outcome->windows, error);
}

static enum status write_end(struct store *store, const struct record_outcome *outcome, struct error *error) {
    TRY(execute(store->db, "BEGIN", "starting a transaction", error));
    TRY(write_outcome(store, outcome, error));
    for (size_t i = 0; schema_indexes[i] != NULL; i++)
        TRY(execute(store->db, schema_indexes[i], "making an index", error));
    return execute(store->db, "COMMIT", "committing the outcome", error);
}

static void finalize(struct store *store) {
    for (int kind = ROW_TASK; kind < ROW_KIND_COUNT; kind++) {
        sqlite3_finalize(store->insert[kind]);
        store->insert[kind] = NULL;
    }
    sqlite3_finalize(store->set_meta);
    store->set_meta = NULL;
}

static void roll_back(struct store *store) {
    if (store->db != NULL && !sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

enum status store_finish(struct store *store, const struct record_outcome *outcome, struct error *error) {
    TRY(store_flush(store, error));
    enum status status = write_end(store, outcome, error);
    if (status != STATUS_OK) {
        roll_back(store);
        return status;
    }
    /* One file is easier to copy than three. A reader that is just looking prevents this; the WAL then stays,
     * and everything is readable all the same. */
    sqlite3_exec(store->db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
    finalize(store);
    sqlite3_exec(store->db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    return STATUS_OK;
}

void store_close(struct store *store) {
    finalize(store);
    roll_back(store);
    sqlite3_close(store->db);
    *store = (struct store){0};
}
