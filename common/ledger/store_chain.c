/* chain.db: blocks with their certificates, and the state after the last of them (specs/chain.md, 1.8). */
#include <stdlib.h>
#include <string.h>

#include "common/ledger/store_parts.h"

#define STATE_TAG "state"
#define LINKS_CHECKED 8u /* blocks looked at by an open that is not deep */

enum {
    SQL_PUT_BLOCK = 2,
    SQL_GET_BLOCK,
    SQL_TIP,
    SQL_COUNT,
    SQL_PUT_STATE,
    SQL_GET_STATE,
    SQL_DROP_STATES,
    SQL_PUT_CHECKPOINT,
    SQL_DROP_CHECKPOINTS
};

static const char *const chain_sql[] = {
    [SQL_BEGIN] = SQL_BEGIN_TEXT,
    [SQL_COMMIT] = SQL_COMMIT_TEXT,
    [SQL_PUT_BLOCK] = ("INSERT OR REPLACE INTO blocks(height, block_id, certificate, sha256, block) "
                       "VALUES(?1, ?2, ?3, ?4, ?5)"),
    [SQL_GET_BLOCK] = "SELECT block_id, certificate, sha256, block FROM blocks WHERE height = ?1",
    [SQL_TIP] = "SELECT max(height) FROM blocks",
    [SQL_COUNT] = "SELECT count(*) FROM blocks",
    [SQL_PUT_STATE] = "INSERT OR REPLACE INTO states(height, sha256, state) VALUES(?1, ?2, ?3)",
    [SQL_GET_STATE] = "SELECT sha256, state FROM states WHERE height = ?1",
    [SQL_DROP_STATES] =
        "DELETE FROM states WHERE height <> ?1 AND height NOT IN (SELECT height FROM checkpoints)",
    [SQL_PUT_CHECKPOINT] = "INSERT OR IGNORE INTO checkpoints(height) VALUES(?1)",
    [SQL_DROP_CHECKPOINTS] = ("DELETE FROM checkpoints WHERE height NOT IN "
                              "(SELECT height FROM checkpoints ORDER BY height DESC LIMIT 3)"),
};

static const struct store_db_config chain_config = {
    .name = "chain.db",
    .schema = "CREATE TABLE blocks(height INTEGER PRIMARY KEY, block_id BLOB NOT NULL, "
              "certificate BLOB NOT NULL, sha256 BLOB NOT NULL, block BLOB); "
              "CREATE TABLE states(height INTEGER PRIMARY KEY, sha256 BLOB NOT NULL, state BLOB NOT NULL); "
              "CREATE TABLE checkpoints(height INTEGER PRIMARY KEY);",
    .sql = chain_sql,
    .sql_count = sizeof chain_sql / sizeof *chain_sql,
    .page_bytes = 8192,
    .checkpoint_pages = 1000,
    .full = true,
};

static const char *const points[3] = {"chain-inside", "chain-committed", "chain-sentinel"};
static const char *const quiet_points[3] = {"chain-inside", "chain-committed", NULL};

/* ------------------------------------------------------------------------------------------------- rows */

static enum status put_block_row(struct ledger_store *store, uint64_t height, const struct block_row *row) {
    struct hash digest = {0};
    if (row->block != NULL)
        digest = store_block_digest(store, row->block, row->block_bytes);
    struct hash hash = block_row_hash(height, row, &digest);
    sqlite3_stmt *put = store_db_statement(&store->chain_db, SQL_PUT_BLOCK);
    sqlite3_bind_int64(put, 1, (int64_t)height);
    store_db_bind(put, 2, row->block_id.bytes, HASH_BYTES);
    store_db_bind(put, 3, row->certificate, row->certificate_bytes);
    store_db_bind(put, 4, hash.bytes, HASH_BYTES);
    if (row->block != NULL)
        store_db_bind(put, 5, row->block, row->block_bytes);
    return store_db_run(&store->chain_db, put);
}

/* STATUS_INVALID: no such row. STATUS_FAILED: damaged. What `row` points to is SQLite's, until the caller has
 * reset `statement`. */
static enum status get_block_row(struct ledger_store *store, uint64_t height, struct block_row *row,
                                 sqlite3_stmt **statement) {
    struct store_db *db = &store->chain_db;
    struct hash stored = {0}, digest = {0};
    *row = (struct block_row){0};
    sqlite3_stmt *found = *statement = store_db_statement(db, SQL_GET_BLOCK);
    sqlite3_bind_int64(found, 1, (int64_t)height);
    int result = store_db_step(db, found);
    if (result == SQLITE_DONE)
        return STATUS_INVALID;
    if (result != SQLITE_ROW)
        return store_db_status(result);
    *row = (struct block_row){.certificate = sqlite3_column_blob(found, 1),
                              .certificate_bytes = (size_t)sqlite3_column_bytes(found, 1),
                              .block = sqlite3_column_blob(found, 3),
                              .block_bytes = (size_t)sqlite3_column_bytes(found, 3)};
    if (!store_db_column(found, 0, row->block_id.bytes, HASH_BYTES) ||
        !store_db_column(found, 2, stored.bytes, HASH_BYTES))
        return STATUS_FAILED;
    if (row->block != NULL)
        digest = hash_of(NULL, row->block, row->block_bytes);
    struct hash hash = block_row_hash(height, row, &digest);
    return hash_equal(&hash, &stored) ? STATUS_OK : STATUS_FAILED;
}

static struct hash state_hash(uint64_t height, const void *state, size_t size) {
    uint8_t data[8];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    bytes_put_u64(&writer, height);
    return hash_of_two(STATE_TAG, data, writer.used, state, size);
}

/* The state of `height` replaces those before it but the checkpoints. */
static enum status put_state(struct ledger_store *store, uint64_t height, const uint8_t *state, size_t size) {
    struct store_db *db = &store->chain_db;
    struct hash hash = state_hash(height, state, size);
    sqlite3_stmt *drop = store_db_statement(db, SQL_DROP_STATES);
    sqlite3_bind_int64(drop, 1, (int64_t)height);
    TRY(store_db_run(db, drop));
    sqlite3_stmt *put = store_db_statement(db, SQL_PUT_STATE);
    sqlite3_bind_int64(put, 1, (int64_t)height);
    store_db_bind(put, 2, hash.bytes, HASH_BYTES);
    store_db_bind(put, 3, state, size);
    return store_db_run(db, put);
}

/* ------------------------------------------------------------------------------------------------- open */

static enum status read_number(struct store_db *db, uint32_t sql, uint64_t *number) {
    sqlite3_stmt *statement = store_db_statement(db, sql);
    int result = store_db_step(db, statement);
    *number = result == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? STATUS_OK : store_db_status(result);
}

/* The block has the id of its row, its certificate is for it, and it follows `previous` (NULL: not known). */
static bool block_fits(const struct block_row *row, uint64_t height, const struct hash *previous) {
    struct block_header header;
    struct certificate certificate;
    struct bytes_reader reader = bytes_reader_over(row->block, row->block_bytes);
    if (block_header_decode(&reader, &header) != STATUS_OK)
        return false;
    struct hash id = block_id_of(&header);
    reader = bytes_reader_over(row->certificate, row->certificate_bytes);
    return hash_equal(&id, &row->block_id) && header.height == height &&
           (previous == NULL || hash_equal(previous, &header.prev_block_id)) &&
           certificate_decode(&reader, &certificate) == STATUS_OK && bytes_done(&reader) &&
           certificate.height == height && hash_equal(&certificate.block_id, &id);
}

/* Heights first .. tip are all there, sound and linked. The tip must be a whole block. */
static enum status check_links(struct ledger_store *store, uint64_t first) {
    struct hash previous;
    for (uint64_t height = first; height <= store->height; height++) {
        struct block_row row;
        sqlite3_stmt *statement;
        enum status status = get_block_row(store, height, &row, &statement);
        if (status == STATUS_INVALID || (status == STATUS_OK && row.block == NULL && height == store->height))
            status = STATUS_FAILED;
        if (status == STATUS_OK && row.block != NULL &&
            !block_fits(&row, height, height > first ? &previous : NULL))
            status = STATUS_FAILED;
        previous = row.block_id;
        sqlite3_reset(statement);
        TRY(status);
    }
    return STATUS_OK;
}

static enum status check_state(struct ledger_store *store, uint64_t height) {
    uint8_t *state = NULL;
    size_t size;
    enum status status = ledger_store_get_state(store, height, &state, &size);
    free(state);
    return status == STATUS_INVALID ? STATUS_FAILED : status;
}

static enum status check_chain(struct ledger_store *store, bool deep) {
    uint64_t count;
    TRY(read_number(&store->chain_db, SQL_TIP, &store->height));
    if (store->height == 0)
        return STATUS_OK;
    if (deep) {
        TRY(read_number(&store->chain_db, SQL_COUNT, &count));
        if (count != store->height)
            return STATUS_FAILED;
    }
    TRY(check_links(store, deep || store->height <= LINKS_CHECKED ? 1 : store->height - LINKS_CHECKED + 1));
    return check_state(store, store->height);
}

enum status store_chain_open(struct ledger_store *store, bool deep, struct error *error) {
    enum status status = store_db_open(&store->chain_db, &chain_config, &store->files, error);
    if (store->files.view) { /* what is damaged says so when it is asked for */
        (void)read_number(&store->chain_db, SQL_TIP, &store->height);
        return status == STATUS_FAILED ? STATUS_OK : status;
    }
    TRY(status);
    status = check_chain(store, deep);
    if (status == STATUS_OK)
        return STATUS_OK;
    store_db_close(&store->chain_db);
    return error_set(error, status,
                     "chain.db: a block, a certificate or the state near height %llu is damaged; it can be "
                     "rebuilt from the other validators",
                     (unsigned long long)store->height);
}

enum status store_chain_remove(const struct store_files *files) {
    return store_db_remove(&chain_config, files);
}

/* ----------------------------------------------------------------------------------------------- writes */

static enum status put_commit(struct ledger_store *store, const struct ledger_commit *commit) {
    uint8_t certificate[CERTIFICATE_BYTES_MAX];
    struct bytes_writer writer = bytes_writer_over(certificate, sizeof certificate);
    certificate_encode(&writer, commit->certificate);
    const struct block_row row = {.block_id = commit->block_id,
                                  .certificate = certificate,
                                  .certificate_bytes = writer.used,
                                  .block = commit->block,
                                  .block_bytes = commit->block_bytes};
    TRY(put_block_row(store, commit->height, &row));
    return put_state(store, commit->height, commit->state, commit->state_bytes);
}

/* Everything of one transaction; ids NULL: the next block, else all before it as well. */
static enum status write_commit(struct ledger_store *store, const struct ledger_commit *commit,
                                const struct hash *ids) {
    TRY(store_begin(store, &store->chain_db));
    for (uint64_t height = store->height + 1; ids != NULL && height < commit->height; height++) {
        const struct block_row row = {.block_id = ids[height - 1]};
        TRY(put_block_row(store, height, &row));
    }
    TRY(put_commit(store, commit));
    store->sentinel.chain_height = commit->height;
    TRY(store_commit(store, &store->chain_db, points));
    store->height = commit->height;
    return STATUS_OK;
}

static enum status check_commit(struct ledger_store *store, const struct ledger_commit *commit) {
    TRY(store_writable(store));
    if (commit->block != NULL && commit->block_bytes > 0 && commit->certificate != NULL &&
        commit->certificate->height == commit->height &&
        hash_equal(&commit->certificate->block_id, &commit->block_id))
        return STATUS_OK;
    return store_refuse(store, STATUS_INVALID, "height %llu: block and certificate do not belong together",
                        (unsigned long long)commit->height);
}

enum status ledger_store_commit(struct ledger_store *store, const struct ledger_commit *commit) {
    TRY(check_commit(store, commit));
    if (commit->height == store->height && commit->height > 0) {
        struct hash tip;
        TRY(ledger_store_get_block_id(store, store->height, &tip));
        if (hash_equal(&tip, &commit->block_id))
            return STATUS_OK;
    }
    if (commit->height != store->height + 1)
        return store_refuse(store, STATUS_INVALID, "height %llu does not follow %llu, or is another block",
                            (unsigned long long)commit->height, (unsigned long long)store->height);
    enum status status = write_commit(store, commit, NULL);
    return status == STATUS_OK ? STATUS_OK : store_fail(store, &store->chain_db, status, "block not written");
}

enum status ledger_store_adopt(struct ledger_store *store, const struct ledger_commit *commit,
                               const struct hash *ids) {
    TRY(check_commit(store, commit));
    if (commit->height <= store->height)
        return store_refuse(store, STATUS_INVALID, "the chain is at height %llu already",
                            (unsigned long long)store->height);
    if (store->height > 0) {
        struct hash tip;
        TRY(ledger_store_get_block_id(store, store->height, &tip));
        if (!hash_equal(&tip, &ids[store->height - 1]))
            return store_refuse(store, STATUS_FAILED, "the checkpoint has another block at height %llu",
                                (unsigned long long)store->height);
    }
    enum status status = write_commit(store, commit, ids);
    return status == STATUS_OK ? STATUS_OK
                               : store_fail(store, &store->chain_db, status, "checkpoint not adopted");
}

static enum status write_checkpoint(struct ledger_store *store) {
    struct store_db *db = &store->chain_db;
    TRY(store_begin(store, db));
    sqlite3_stmt *put = store_db_statement(db, SQL_PUT_CHECKPOINT);
    sqlite3_bind_int64(put, 1, (int64_t)store->height);
    TRY(store_db_run(db, put));
    TRY(store_db_run(db, store_db_statement(db, SQL_DROP_CHECKPOINTS)));
    sqlite3_stmt *drop = store_db_statement(db, SQL_DROP_STATES);
    sqlite3_bind_int64(drop, 1, (int64_t)store->height);
    TRY(store_db_run(db, drop));
    return store_commit(store, db, quiet_points);
}

enum status ledger_store_checkpoint(struct ledger_store *store) {
    TRY(store_writable(store));
    if (store->height == 0)
        return store_refuse(store, STATUS_INVALID, "the chain is empty");
    enum status status = write_checkpoint(store);
    return status == STATUS_OK ? STATUS_OK
                               : store_fail(store, &store->chain_db, status, "checkpoint not written");
}

/* The id by which a damaged block is known: of its row, or what the block after it says. */
static bool id_is_known(struct ledger_store *store, uint64_t height, const struct hash *id) {
    struct block_row row;
    struct block_header next;
    sqlite3_stmt *statement;
    enum status status = get_block_row(store, height, &row, &statement);
    bool known = (status == STATUS_OK || status == STATUS_FAILED) && statement != NULL &&
                 store_db_column(statement, 0, row.block_id.bytes, HASH_BYTES) &&
                 hash_equal(&row.block_id, id);
    if (!known && get_block_row(store, height + 1, &row, &statement) == STATUS_OK && row.block != NULL) {
        struct bytes_reader reader = bytes_reader_over(row.block, row.block_bytes);
        known = block_header_decode(&reader, &next) == STATUS_OK && hash_equal(&next.prev_block_id, id);
    }
    sqlite3_reset(statement);
    return known;
}

static enum status write_repair(struct ledger_store *store, uint64_t height, const struct block_row *row) {
    TRY(store_begin(store, &store->chain_db));
    TRY(put_block_row(store, height, row));
    return store_commit(store, &store->chain_db, quiet_points);
}

enum status ledger_store_repair_block(struct ledger_store *store, uint64_t height, const uint8_t *block,
                                      size_t block_bytes, const struct certificate *certificate) {
    TRY(store_writable(store));
    uint8_t encoded[CERTIFICATE_BYTES_MAX];
    struct bytes_writer writer = bytes_writer_over(encoded, sizeof encoded);
    certificate_encode(&writer, certificate);
    const struct block_row row = {.block_id = certificate->block_id,
                                  .certificate = encoded,
                                  .certificate_bytes = writer.used,
                                  .block = block,
                                  .block_bytes = block_bytes};
    if (height == 0 || height > store->height || !block_fits(&row, height, NULL) ||
        !id_is_known(store, height, &row.block_id))
        return store_refuse(store, STATUS_INVALID, "this is not the block of height %llu",
                            (unsigned long long)height);
    enum status status = write_repair(store, height, &row);
    return status == STATUS_OK ? STATUS_OK
                               : store_fail(store, &store->chain_db, status, "block not repaired");
}

/* ------------------------------------------------------------------------------------------------ reads */

uint64_t ledger_store_height(const struct ledger_store *store) {
    return store->height;
}

static enum status say_why(struct ledger_store *store, enum status status, const char *what,
                           uint64_t height) {
    if (status == STATUS_OK || status == STATUS_MEMORY)
        return status;
    return store_refuse(store, status, "%s of height %llu: %s", what, (unsigned long long)height,
                        status == STATUS_INVALID  ? "not there"
                        : status == STATUS_FAILED ? "damaged"
                                                  : "cannot be read");
}

enum status ledger_store_get_block(struct ledger_store *store, uint64_t height, uint8_t **data, size_t *size,
                                   struct certificate *certificate) {
    if (store->crashed)
        return STATUS_STOPPED;
    struct block_row row;
    sqlite3_stmt *statement;
    enum status status = get_block_row(store, height, &row, &statement);
    if (status == STATUS_OK && row.block == NULL)
        status = STATUS_INVALID;
    if (status == STATUS_OK && certificate != NULL) {
        struct bytes_reader reader = bytes_reader_over(row.certificate, row.certificate_bytes);
        if (certificate_decode(&reader, certificate) != STATUS_OK || !bytes_done(&reader))
            status = STATUS_FAILED;
    }
    if (status == STATUS_OK)
        status = store_copy_out(row.block, row.block_bytes, data, size);
    sqlite3_reset(statement);
    return say_why(store, status, "the block", height);
}

enum status ledger_store_get_block_id(struct ledger_store *store, uint64_t height, struct hash *block_id) {
    if (store->crashed)
        return STATUS_STOPPED;
    struct block_row row;
    sqlite3_stmt *statement;
    enum status status = get_block_row(store, height, &row, &statement);
    if (status == STATUS_OK)
        *block_id = row.block_id;
    sqlite3_reset(statement);
    return say_why(store, status, "the block id", height);
}

enum status ledger_store_get_state(struct ledger_store *store, uint64_t height, uint8_t **data,
                                   size_t *size) {
    if (store->crashed)
        return STATUS_STOPPED;
    struct store_db *db = &store->chain_db;
    sqlite3_stmt *row = store_db_statement(db, SQL_GET_STATE);
    sqlite3_bind_int64(row, 1, (int64_t)height);
    int result = store_db_step(db, row);
    enum status status = result == SQLITE_DONE ? STATUS_INVALID : store_db_status(result);
    if (result == SQLITE_ROW) {
        struct hash stored = {0};
        const void *state = sqlite3_column_blob(row, 1);
        size_t state_bytes = (size_t)sqlite3_column_bytes(row, 1);
        struct hash hash = state_hash(height, state, state_bytes);
        status = store_db_column(row, 0, stored.bytes, HASH_BYTES) && hash_equal(&stored, &hash)
                     ? store_copy_out(state, state_bytes, data, size)
                     : STATUS_FAILED;
    }
    sqlite3_reset(row);
    return say_why(store, status, "the state", height);
}
