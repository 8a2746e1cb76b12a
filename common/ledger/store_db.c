#include "common/ledger/store_db.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* EXCLUSIVE before the first access: no shared memory file, and none is needed on a disk in memory. */
#define SETTINGS                                                                                             \
    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=%u; %s PRAGMA journal_mode=WAL; PRAGMA "                \
    "synchronous=%s; "                                                                                       \
    "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=OFF; "                                                   \
    "PRAGMA foreign_keys=OFF"

enum status store_db_status(int result) {
    int primary = result & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_FORMAT ? STATUS_FAILED
                                                                                             : STATUS_IO;
}

static enum status report(const struct store_db *db, int result, const char *what, struct error *error) {
    enum status status = store_db_status(result);
    return error_set(error, status, "%s: %s: %s%s", db->config->name, what,
                     db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(result),
                     status == STATUS_FAILED ? "" : "; see to the disk and start again");
}

static int first_number(struct store_db *db, const char *sql, int64_t *number) {
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
        *number = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
        result = result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
    }
    sqlite3_finalize(statement);
    return result;
}

static int create_schema(struct store_db *db) {
    int64_t version = 0;
    int result = first_number(db, "PRAGMA user_version", &version);
    if (result != SQLITE_OK || version == 1)
        return result;
    if (version != 0)
        return SQLITE_NOTADB;
    char sql[2048];
    int length =
        snprintf(sql, sizeof sql, "BEGIN IMMEDIATE; %s PRAGMA user_version=1; COMMIT", db->config->schema);
    assert(length > 0 && (size_t)length < sizeof sql);
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

/* In place of the automatic checkpoint, whose failure to sync SQLite keeps to itself: see
 * store_db_checkpoint. */
static int on_commit(void *context, sqlite3 *handle, const char *name, int pages) {
    struct store_db *db = context;
    (void)handle;
    (void)name;
    db->wal_pages = (uint32_t)pages;
    return SQLITE_OK;
}

static int settings(struct store_db *db) {
    char sql[512];
    const char *synchronous = !db->files->syncs ? "OFF" : db->config->full ? "FULL" : "NORMAL";
    int length = snprintf(sql, sizeof sql, SETTINGS, db->config->page_bytes,
                          db->config->shrinks ? "PRAGMA auto_vacuum=INCREMENTAL;" : "", synchronous);
    assert(length > 0 && (size_t)length < sizeof sql);
    int no_checkpoint = 0;
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &no_checkpoint);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_wal_hook(db->handle, on_commit, db);
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

/* SQLITE_CORRUPT when it says anything but "ok". */
static int quick_check(struct store_db *db) {
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
        if (result == SQLITE_ROW) {
            const char *answer = (const char *)sqlite3_column_text(statement, 0);
            result = answer != NULL && strcmp(answer, "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
        }
    }
    sqlite3_finalize(statement);
    return result;
}

static void remember_files(struct store_db *db) {
    char wal[64];
    snprintf(wal, sizeof wal, "%s-wal", db->config->name);
    (void)store_files_identity(db->files, db->config->name, &db->main);
    (void)store_files_identity(db->files, wal, &db->wal);
}

enum status store_db_open(struct store_db *db, const struct store_db_config *config,
                          const struct store_files *files, struct error *error) {
    char path[STORE_PATH_MAX];
    *db = (struct store_db){.config = config, .files = files};
    assert(config->sql_count <= STORE_STATEMENTS_MAX);
    store_files_path(files, config->name, path);
    struct file_identity before;
    bool existed = store_files_identity(files, config->name, &before);
    int result =
        sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        store_files_vfs(files));
    const char *what = "cannot be opened";
    if (result == SQLITE_OK)
        result = settings(db);
    if (result == SQLITE_OK)
        result = create_schema(db);
    if (result == SQLITE_OK && existed && !files->view) {
        result = quick_check(db);
        what = "is damaged";
    }
    enum status status = result == SQLITE_OK ? STATUS_OK : report(db, result, what, error);
    if (status != STATUS_OK)
        store_db_close(db);
    else
        remember_files(db);
    return status;
}

void store_db_close(struct store_db *db) {
    for (uint32_t i = 0; i < STORE_STATEMENTS_MAX; i++)
        sqlite3_finalize(db->statements[i]);
    memset(db->statements, 0, sizeof db->statements);
    sqlite3_close(db->handle);
    db->handle = NULL;
}

enum status store_db_remove(const struct store_db_config *config, const struct store_files *files) {
    static const char *const suffixes[] = {"-wal", "-journal", "-shm", ""};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", config->name, suffixes[i]);
        TRY(store_files_remove(files, name));
    }
    return store_files_sync_directory(files);
}

static bool same_file(const struct store_files *files, const char *name, const struct file_identity *known) {
    struct file_identity now;
    return store_files_identity(files, name, &now) && now.serial == known->serial &&
           now.birth_ns == known->birth_ns;
}

bool store_db_in_place(const struct store_db *db) {
    char wal[64];
    snprintf(wal, sizeof wal, "%s-wal", db->config->name);
    return same_file(db->files, db->config->name, &db->main) && same_file(db->files, wal, &db->wal);
}

sqlite3_stmt *store_db_statement(struct store_db *db, uint32_t index) {
    if (db->handle == NULL)
        return NULL; /* a view of a damaged database */
    assert(index < db->config->sql_count);
    sqlite3_stmt **statement = &db->statements[index];
    if (*statement == NULL) {
        if (sqlite3_prepare_v3(db->handle, db->config->sql[index], -1, SQLITE_PREPARE_PERSISTENT, statement,
                               NULL) != SQLITE_OK)
            return NULL;
        return *statement;
    }
    sqlite3_reset(*statement);
    sqlite3_clear_bindings(*statement);
    return *statement;
}

int store_db_step(struct store_db *db, sqlite3_stmt *statement) {
    if (statement != NULL)
        return sqlite3_step(statement);
    return db->handle != NULL ? sqlite3_errcode(db->handle) : SQLITE_NOTADB;
}

enum status store_db_run(struct store_db *db, sqlite3_stmt *statement) {
    int result = store_db_step(db, statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE || result == SQLITE_ROW ? STATUS_OK : store_db_status(result);
}

void store_db_bind(sqlite3_stmt *statement, int column, const void *data, size_t size) {
    if (statement != NULL)
        sqlite3_bind_blob64(statement, column, data != NULL ? data : "", size, SQLITE_STATIC);
}

bool store_db_column(sqlite3_stmt *statement, int column, void *data, size_t size) {
    if (sqlite3_column_type(statement, column) != SQLITE_BLOB ||
        (size_t)sqlite3_column_bytes(statement, column) != size)
        return false;
    memcpy(data, sqlite3_column_blob(statement, column), size);
    return true;
}

enum status store_db_checkpoint(struct store_db *db) {
    if (db->wal_pages < db->config->checkpoint_pages)
        return STATUS_OK;
    db->wal_pages = 0;
    int result = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return result == SQLITE_OK ? STATUS_OK : store_db_status(result);
}
