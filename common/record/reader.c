#include "common/record/reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/record/durable.h"
#include "common/record/names.h"
#include "common/record/schema.h"
#include "common/record/store.h"
#include "common/time/vtime.h"

static enum status take_version(sqlite3_stmt *row, void *context) {
    *(int *)context = sqlite3_column_int(row, 0);
    return STATUS_OK;
}

static enum status check_schema(sqlite3 *db, const char *dir, struct error *error) {
    int version = 0;
    TRY(reader_each(db, "PRAGMA user_version", take_version, &version, error));
    if (version != SCHEMA_VERSION)
        return error_set(
            error, STATUS_INVALID,
            "%s/%s has schema version %d, this build reads version %d: use the build that made the run", dir,
            STORE_FILE, version, SCHEMA_VERSION);
    return STATUS_OK;
}

/* A file: URI needs these escaped; the rest of a path may stand as it is. */
static void write_uri(char *uri, size_t size, const char *path) {
    size_t used = (size_t)snprintf(uri, size, "file:");
    for (; *path != '\0' && used + 16 < size; path++) {
        if (*path == '%' || *path == '?' || *path == '#')
            used += (size_t)snprintf(uri + used, size - used, "%%%02X", (unsigned)*path);
        else
            uri[used++] = *path;
    }
    snprintf(uri + used, size - used, "?immutable=1");
}

static enum status try_open(const char *name, const char *dir, sqlite3 **db, struct error *error) {
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    enum status status = STATUS_OK;
    if (sqlite3_open_v2(name, db, flags, NULL) != SQLITE_OK)
        status = store_failure(*db, "opening it", error);
    if (status == STATUS_OK) {
        sqlite3_busy_timeout(*db, 5000);
        status = check_schema(*db, dir, error);
    }
    if (status != STATUS_OK) {
        sqlite3_close(*db);
        *db = NULL;
    }
    return status;
}

enum status reader_open(const char *dir, sqlite3 **db, struct error *error) {
    char path[DURABLE_PATH_MAX], wal[DURABLE_PATH_MAX], uri[3 * DURABLE_PATH_MAX + 32];
    *db = NULL;
    TRY(durable_path(path, dir, STORE_FILE, error));
    TRY(durable_path(wal, dir, STORE_FILE "-wal", error));
    if (access(path, R_OK) != 0)
        return error_set_errno(error, STATUS_IO, "cannot read %s", path);
    enum status status = try_open(path, dir, db, error);
    if (status != STATUS_IO || access(wal, F_OK) == 0)
        return status;
    /* A database that was left in WAL mode, in a folder that cannot be written: it has no WAL, so nobody
     * changes it. */
    write_uri(uri, sizeof uri, path);
    return try_open(uri, dir, db, error);
}

enum status reader_each(sqlite3 *db, const char *sql, reader_visit visit, void *context,
                        struct error *error) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return store_failure(db, "reading it", error);
    enum status status = STATUS_OK;
    int code = SQLITE_ROW;
    while (status == STATUS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = visit(statement, context);
    if (status == STATUS_OK && code != SQLITE_DONE)
        status = store_failure(db, "reading it", error);
    else if (status == STATUS_MEMORY)
        error_set(error, status, "%s: no memory for its rows", STORE_FILE);
    sqlite3_finalize(statement);
    return status;
}

struct table_search {
    const char *table;
    bool *has;
};

static enum status take_table(sqlite3_stmt *row, void *context) {
    const struct table_search *search = context;
    const unsigned char *name = sqlite3_column_text(row, 0);
    *search->has = *search->has || (name != NULL && strcmp((const char *)name, search->table) == 0);
    return STATUS_OK;
}

enum status reader_has_table(sqlite3 *db, const char *table, bool *has, struct error *error) {
    struct table_search search = {.table = table, .has = has};
    *has = false;
    return reader_each(db, "SELECT name FROM sqlite_master", take_table, &search, error);
}

int64_t reader_time(sqlite3_stmt *row, int column) {
    return sqlite3_column_type(row, column) == SQLITE_NULL ? VTIME_NEVER : sqlite3_column_int64(row, column);
}

double reader_real(sqlite3_stmt *row, int column) {
    return sqlite3_column_type(row, column) == SQLITE_NULL ? NAN : sqlite3_column_double(row, column);
}

void reader_text(sqlite3_stmt *row, int column, char *text, size_t size) {
    const unsigned char *value = sqlite3_column_text(row, column);
    snprintf(text, size, "%s", value != NULL ? (const char *)value : "");
}

uint64_t reader_count(sqlite3_stmt *row, int column) {
    int64_t value = sqlite3_column_int64(row, column);
    return value > 0 ? (uint64_t)value : 0;
}

struct task_visit {
    reader_visit_task visit;
    void *context;
};

static uint8_t word(int index, uint8_t fallback) {
    return index < 0 ? fallback : (uint8_t)index;
}

static const char *text_at(sqlite3_stmt *row, int column) {
    return (const char *)sqlite3_column_text(row, column);
}

static enum status visit_task(sqlite3_stmt *row, void *context) {
    const struct task_visit *to = context;
    struct row_task task = {.task = {.device = (uint32_t)sqlite3_column_int64(row, 0),
                                     .slot = (uint32_t)sqlite3_column_int64(row, 1),
                                     .level = (uint16_t)sqlite3_column_int(row, 2),
                                     .true_class = word(class_by_name(text_at(row, 3)), UINT8_MAX),
                                     .born_ns = reader_time(row, 4),
                                     .gathered_ns = reader_time(row, 5),
                                     .decided_ns = reader_time(row, 6),
                                     .uplink_start_ns = reader_time(row, 7),
                                     .uplink_end_ns = reader_time(row, 8),
                                     .compute_start_ns = reader_time(row, 9),
                                     .compute_end_ns = reader_time(row, 10)},
                            .answered_ns = reader_time(row, 11),
                            .place = word(place_by_name(text_at(row, 12)), PLACE_NONE),
                            .drop = word(drop_by_name(text_at(row, 13)), DROP_UNANSWERED),
                            .class = word(class_by_name(text_at(row, 14)), UINT8_MAX),
                            .confidence = reader_real(row, 15),
                            .energy_device_j = reader_real(row, 16),
                            .energy_gateway_j = reader_real(row, 17),
                            .energy_uplink_j = reader_real(row, 18),
                            .energy_edge_j = reader_real(row, 19),
                            .closed_form_ns = reader_time(row, 20),
                            .deadline_ns = reader_time(row, 21)};
    return to->visit(&task, to->context);
}

enum status reader_each_task(sqlite3 *db, reader_visit_task visit, void *context, struct error *error) {
    struct task_visit to = {.visit = visit, .context = context};
    return reader_each(
        db,
        "SELECT device_id, slot, level, true_class, born_ns, gathered_ns, decided_ns, uplink_start_ns,"
        " uplink_end_ns, compute_start_ns, compute_end_ns, answered_ns, place, drop_reason, class,"
        " confidence, energy_device_j, energy_gateway_j, energy_uplink_j, energy_edge_j, closed_form_ns,"
        " deadline_ns FROM tasks ORDER BY device_id, slot, born_ns",
        visit_task, &to, error);
}
