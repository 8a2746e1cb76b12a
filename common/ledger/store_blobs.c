/* blobs.db: models by the hash of their bytes (specs/chain.md, 1.8 and 1.10). */
#include <string.h>

#include "common/ledger/store_parts.h"
#include "common/ledger/transaction.h"

enum { SQL_PUT_BLOB = 2, SQL_GET_BLOB, SQL_HAS_BLOB, SQL_DROP_BLOB, SQL_SHRINK };

static const char *const blobs_sql[] = {
    [SQL_BEGIN] = SQL_BEGIN_TEXT,
    [SQL_COMMIT] = SQL_COMMIT_TEXT,
    [SQL_PUT_BLOB] = "INSERT INTO blobs(hash, data) VALUES(?1, ?2)",
    [SQL_GET_BLOB] = "SELECT data FROM blobs WHERE hash = ?1",
    [SQL_HAS_BLOB] = "SELECT 1 FROM blobs WHERE hash = ?1",
    [SQL_DROP_BLOB] = "DELETE FROM blobs WHERE hash = ?1",
    [SQL_SHRINK] = "PRAGMA incremental_vacuum(64)", /* pages given back for each blob that goes */
};

static const struct store_db_config blobs_config = {
    .name = "blobs.db",
    .schema = "CREATE TABLE blobs(hash BLOB PRIMARY KEY NOT NULL, data BLOB NOT NULL);",
    .sql = blobs_sql,
    .sql_count = sizeof blobs_sql / sizeof *blobs_sql,
    .page_bytes = 8192,
    .checkpoint_pages = 1000,
    .shrinks = true,
};

static const char *const put_points[3] = {"blob-inside", "blob-after", NULL};
static const char *const drop_points[3] = {"drop-inside", "drop-after", NULL};

enum status store_blobs_open(struct ledger_store *store, struct error *error) {
    return store_db_open(&store->blobs_db, &blobs_config, &store->files, error);
}

/* A view copies the blobs once one is asked for: they may be many. */
static struct store_db *opened_blobs(struct ledger_store *store) {
    if (store->files.view && !store->blobs_viewed) {
        store->blobs_viewed = true;
        if (store_view_copy(&store->view, blobs_config.name, NULL) == STATUS_OK)
            (void)store_blobs_open(store, NULL);
    }
    return &store->blobs_db;
}

enum status store_blobs_remove(const struct store_files *files) {
    return store_db_remove(&blobs_config, files);
}

static enum status write_blob(struct ledger_store *store, const struct hash *hash, const uint8_t *data,
                              size_t size) {
    struct store_db *db = &store->blobs_db;
    if (store_dies(store, "blob-before"))
        return STATUS_STOPPED;
    TRY(store_begin(store, db));
    sqlite3_stmt *put = store_db_statement(db, SQL_PUT_BLOB);
    store_db_bind(put, 1, hash->bytes, HASH_BYTES);
    store_db_bind(put, 2, data, size);
    TRY(store_db_run(db, put));
    return store_commit(store, db, put_points);
}

enum status ledger_store_put_blob(struct ledger_store *store, const struct hash *hash, const uint8_t *data,
                                  size_t size) {
    TRY(store_writable(store));
    if (ledger_store_has_blob(store, hash))
        return STATUS_OK;
    struct hash found = blob_hash(data, size);
    if (!hash_equal(&found, hash))
        return store_refuse(store, STATUS_INVALID, "the blob has another hash");
    enum status status = write_blob(store, hash, data, size);
    return status == STATUS_OK ? STATUS_OK : store_fail(store, &store->blobs_db, status, "blob not written");
}

bool ledger_store_has_blob(struct ledger_store *store, const struct hash *hash) {
    if (store->crashed)
        return false;
    struct store_db *db = opened_blobs(store);
    sqlite3_stmt *row = store_db_statement(db, SQL_HAS_BLOB);
    store_db_bind(row, 1, hash->bytes, HASH_BYTES);
    bool there = store_db_step(db, row) == SQLITE_ROW;
    sqlite3_reset(row);
    return there;
}

enum status ledger_store_get_blob(struct ledger_store *store, const struct hash *hash, uint8_t **data,
                                  size_t *size) {
    if (store->crashed)
        return STATUS_STOPPED;
    struct store_db *db = opened_blobs(store);
    sqlite3_stmt *row = store_db_statement(db, SQL_GET_BLOB);
    store_db_bind(row, 1, hash->bytes, HASH_BYTES);
    int result = store_db_step(db, row);
    enum status status = result == SQLITE_DONE ? STATUS_INVALID : store_db_status(result);
    if (result == SQLITE_ROW) {
        const void *bytes = sqlite3_column_blob(row, 0);
        size_t count = (size_t)sqlite3_column_bytes(row, 0);
        struct hash found = blob_hash(bytes, count);
        status = hash_equal(&found, hash) ? store_copy_out(bytes, count, data, size) : STATUS_FAILED;
    }
    sqlite3_reset(row);
    if (status == STATUS_INVALID)
        return store_refuse(store, status, "the blob is not there");
    if (status != STATUS_FAILED)
        return status;
    (void)ledger_store_drop_blob(store, hash); /* its failure closes the store; the next open says why */
    return store_refuse(store, status, "the blob is damaged%s",
                        store->files.view ? "" : " and was forgotten");
}

static enum status write_drop(struct ledger_store *store, const struct hash *hash) {
    struct store_db *db = &store->blobs_db;
    TRY(store_begin(store, db));
    sqlite3_stmt *drop = store_db_statement(db, SQL_DROP_BLOB);
    store_db_bind(drop, 1, hash->bytes, HASH_BYTES);
    TRY(store_db_run(db, drop));
    sqlite3_stmt *shrink = store_db_statement(db, SQL_SHRINK);
    int result = store_db_step(db, shrink);
    while (result == SQLITE_ROW)
        result = sqlite3_step(shrink);
    sqlite3_reset(shrink);
    if (result != SQLITE_DONE)
        return store_db_status(result);
    return store_commit(store, db, drop_points);
}

enum status ledger_store_drop_blob(struct ledger_store *store, const struct hash *hash) {
    TRY(store_writable(store));
    if (!ledger_store_has_blob(store, hash))
        return STATUS_OK;
    enum status status = write_drop(store, hash);
    return status == STATUS_OK ? STATUS_OK : store_fail(store, &store->blobs_db, status, "blob not dropped");
}
