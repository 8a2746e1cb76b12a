/* votes.db: what this validator has signed and is bound by (specs/chain.md, 1.8). */
#include <stdlib.h>
#include <string.h>

#include "common/base/mutate.h"
#include "common/ledger/store_parts.h"

#define KEPT_TAG "kept"

enum { SQL_PUT_VOTES = 2, SQL_GET_VOTES, SQL_PUT_KEPT, SQL_DROP_KEPT, SQL_ALL_KEPT, SQL_GET_KEPT };

static const char *const votes_sql[] = {
    [SQL_BEGIN] = SQL_BEGIN_TEXT,
    [SQL_COMMIT] = SQL_COMMIT_TEXT,
    [SQL_PUT_VOTES] = "INSERT OR REPLACE INTO votes(id, data, sha256) VALUES(0, ?1, ?2)",
    [SQL_GET_VOTES] = "SELECT data, sha256 FROM votes WHERE id = 0",
    [SQL_PUT_KEPT] = "INSERT OR REPLACE INTO kept(slot, block_id, sha256, data) VALUES(?1, ?2, ?3, ?4)",
    [SQL_DROP_KEPT] = "DELETE FROM kept WHERE slot = ?1",
    [SQL_ALL_KEPT] = "SELECT slot, block_id, sha256, data FROM kept",
    [SQL_GET_KEPT] = "SELECT slot, block_id, sha256, data FROM kept WHERE slot = ?1",
};

static const struct store_db_config votes_config = {
    .name = "votes.db",
    .schema = "CREATE TABLE votes(id INTEGER PRIMARY KEY CHECK(id = 0), data BLOB NOT NULL, "
              "sha256 BLOB NOT NULL); CREATE TABLE kept(slot INTEGER PRIMARY KEY, block_id BLOB NOT NULL, "
              "sha256 BLOB NOT NULL, data BLOB NOT NULL);",
    .sql = votes_sql,
    .sql_count = sizeof votes_sql / sizeof *votes_sql,
    .page_bytes = 4096,
    .checkpoint_pages = 1000,
    .full = true,
};

static const char *const points[3] = {"votes-inside", "votes-committed", "votes-sentinel"};

/* Order of (height, round, step). */
static int compare_steps(uint64_t height, uint32_t round, uint8_t step, uint64_t other_height,
                         uint32_t other_round, uint8_t other_step) {
    if (height != other_height)
        return height < other_height ? -1 : 1;
    if (round != other_round)
        return round < other_round ? -1 : 1;
    return step < other_step ? -1 : step > other_step;
}

/* ------------------------------------------------------------------------------------------------- open */

/* STATUS_FAILED: the row is not what was written. */
static enum status load_votes(struct ledger_store *store) {
    struct store_db *db = &store->votes_db;
    sqlite3_stmt *row = store_db_statement(db, SQL_GET_VOTES);
    int result = store_db_step(db, row);
    enum status status = STATUS_OK;
    store->has_votes = false;
    if (result == SQLITE_ROW) {
        const uint8_t *data = sqlite3_column_blob(row, 0);
        size_t size = (size_t)sqlite3_column_bytes(row, 0);
        struct hash stored = {0}, found = hash_of(VOTES_RECORD_TAG, data, size);
        store->has_votes = store_db_column(row, 1, stored.bytes, HASH_BYTES) && hash_equal(&stored, &found) &&
                           votes_record_decode(data, size, &store->votes) == STATUS_OK;
        status = store->has_votes ? STATUS_OK : STATUS_FAILED;
    } else if (result != SQLITE_DONE) {
        status = store_db_status(result);
    }
    sqlite3_reset(row);
    return status;
}

/* Of a row (slot, block_id, sha256, data): the bytes are those that were kept. */
static bool kept_sound(sqlite3_stmt *row, struct hash *block_id) {
    struct hash stored = {0};
    struct hash digest = hash_of(NULL, sqlite3_column_blob(row, 3), (size_t)sqlite3_column_bytes(row, 3));
    if (!store_db_column(row, 1, block_id->bytes, HASH_BYTES) ||
        !store_db_column(row, 2, stored.bytes, HASH_BYTES))
        return false;
    struct hash found = hash_of_two(KEPT_TAG, block_id->bytes, HASH_BYTES, digest.bytes, HASH_BYTES);
    return hash_equal(&stored, &found);
}

static enum status load_kept(struct ledger_store *store) {
    struct store_db *db = &store->votes_db;
    sqlite3_stmt *row = store_db_statement(db, SQL_ALL_KEPT);
    int result = store_db_step(db, row);
    enum status status = STATUS_OK;
    memset(store->kept, 0, sizeof store->kept);
    for (; result == SQLITE_ROW && status == STATUS_OK; result = sqlite3_step(row)) {
        int64_t slot = sqlite3_column_int64(row, 0);
        if (slot < 0 || slot >= STORE_KEPT_BLOCKS || !kept_sound(row, &store->kept[slot].block_id))
            status = STATUS_FAILED;
        else
            store->kept[slot].used = true;
    }
    if (status == STATUS_OK && result != SQLITE_DONE)
        status = store_db_status(result);
    sqlite3_reset(row);
    return status;
}

static enum status open_and_load(struct ledger_store *store, struct error *error) {
    TRY(store_db_open(&store->votes_db, &votes_config, &store->files, error));
    enum status status = load_votes(store);
    if (status == STATUS_OK)
        status = load_kept(store);
    if (status != STATUS_OK) {
        error_set(error, status, "votes.db: cannot be read: %s", sqlite3_errmsg(store->votes_db.handle));
        store_db_close(&store->votes_db);
    }
    return status;
}

/* From here on it is known, whatever happens to the process. */
static enum status remember_amnesia(struct ledger_store *store, struct error *error) {
    bool known = store->sentinel.amnesia;
    store->sentinel.amnesia = true;
    if (known || store->files.view)
        return STATUS_OK;
    return store_write_sentinel(store) == STATUS_OK ? STATUS_OK
                                                    : error_set(error, STATUS_IO, "%s", store->reason.text);
}

enum status store_votes_open(struct ledger_store *store, struct error *error) {
    struct sentinel *sentinel = &store->sentinel;
    enum status status = open_and_load(store, error);
    if (status == STATUS_FAILED) {
        TRY(remember_amnesia(store, error));
        store->has_votes = false;
        memset(store->kept, 0, sizeof store->kept);
        if (store_db_remove(&votes_config, &store->files) != STATUS_OK)
            return error_set(error, STATUS_IO, "the damaged votes.db cannot be removed");
        status = open_and_load(store, error);
    }
    TRY(status);
    const struct ledger_votes *votes = &store->votes;
    int order = !store->has_votes ? -1
                                  : compare_steps(votes->height, votes->round, votes->step, sentinel->height,
                                                  sentinel->round, sentinel->step);
    uint64_t epoch = store->has_votes ? votes->epoch : 0;
    if (epoch < sentinel->votes_epoch || (sentinel->votes_epoch > 0 && order < 0))
        TRY(remember_amnesia(store, error));
    if (order > 0) { /* died between votes.db and the sentinel */
        sentinel->height = votes->height;
        sentinel->round = votes->round;
        sentinel->step = votes->step;
    }
    if (epoch > sentinel->votes_epoch)
        sentinel->votes_epoch = epoch;
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------------------------ writes */

/* A free slot for one more block, and the slots of blocks no longer needed. */
static enum status put_kept(struct ledger_store *store, const struct ledger_votes *votes,
                            const uint8_t *block, size_t block_bytes) {
    struct store_db *db = &store->votes_db;
    uint32_t free_slot = STORE_KEPT_BLOCKS;
    for (uint32_t slot = 0; slot < STORE_KEPT_BLOCKS; slot++) {
        struct kept_block *kept = &store->kept[slot];
        bool valid = kept->used && hash_equal(&kept->block_id, &votes->valid_block_id);
        if (valid)
            block = NULL; /* it is there */
        if (kept->used && !valid && !hash_equal(&kept->block_id, &votes->locked_block_id)) {
            sqlite3_stmt *drop = store_db_statement(db, SQL_DROP_KEPT);
            sqlite3_bind_int64(drop, 1, slot);
            TRY(store_db_run(db, drop));
            kept->used = false;
        }
        if (!kept->used)
            free_slot = slot;
    }
    if (block == NULL)
        return STATUS_OK;
    struct kept_block *kept = &store->kept[free_slot]; /* of three at most two are needed still */
    struct hash digest = store_block_digest(store, block, block_bytes);
    struct hash row =
        hash_of_two(KEPT_TAG, votes->valid_block_id.bytes, HASH_BYTES, digest.bytes, HASH_BYTES);
    sqlite3_stmt *put = store_db_statement(db, SQL_PUT_KEPT);
    sqlite3_bind_int64(put, 1, free_slot);
    store_db_bind(put, 2, votes->valid_block_id.bytes, HASH_BYTES);
    store_db_bind(put, 3, row.bytes, HASH_BYTES);
    store_db_bind(put, 4, block, block_bytes);
    TRY(store_db_run(db, put));
    *kept = (struct kept_block){.used = true, .block_id = votes->valid_block_id};
    return STATUS_OK;
}

static enum status put_record(struct ledger_store *store, const uint8_t *data, size_t size) {
    struct hash hash = hash_of(VOTES_RECORD_TAG, data, size);
    sqlite3_stmt *put = store_db_statement(&store->votes_db, SQL_PUT_VOTES);
    store_db_bind(put, 1, data, size);
    store_db_bind(put, 2, hash.bytes, HASH_BYTES);
    return store_db_run(&store->votes_db, put);
}

static enum status write_votes(struct ledger_store *store, const struct ledger_votes *votes,
                               const uint8_t *block, size_t block_bytes) {
    uint8_t data[VOTES_RECORD_BYTES_MAX];
    size_t size = votes_record_encode(votes, data);
    if (store_dies(store, "votes-before"))
        return STATUS_STOPPED;
    TRY(store_begin(store, &store->votes_db));
    TRY(put_record(store, data, size));
    TRY(put_kept(store, votes, block, block_bytes));
    store->sentinel.height = votes->height;
    store->sentinel.round = votes->round;
    store->sentinel.step = votes->step;
    store->sentinel.votes_epoch = votes->epoch;
    TRY(store_commit(store, &store->votes_db, points));
    store->votes = *votes;
    store->has_votes = true;
    return STATUS_OK;
}

/* Nothing but the epoch differs, and the block is there or not given. */
static bool written_already(const struct ledger_store *store, const struct ledger_votes *votes,
                            const uint8_t *block) {
    uint8_t data[VOTES_RECORD_BYTES_MAX], last[VOTES_RECORD_BYTES_MAX];
    size_t size = votes_record_encode(votes, data), last_size = votes_record_encode(&store->votes, last);
    bool kept = block == NULL;
    for (uint32_t i = 0; i < STORE_KEPT_BLOCKS; i++)
        kept = kept || (store->kept[i].used && hash_equal(&store->kept[i].block_id, &votes->valid_block_id));
    return kept && size == last_size && memcmp(data, last, size - VOTES_RECORD_EPOCH_BYTES) == 0;
}

static enum status check_order(struct ledger_store *store, const struct ledger_votes *votes) {
    const struct ledger_votes *last = &store->votes;
    if (store->condition == LEDGER_AMNESIA)
        return store_refuse(store, STATUS_INVALID, "votes are forgotten: nothing may be signed yet");
    if (votes->step > VOTE_PRECOMMIT)
        return store_refuse(store, STATUS_INVALID, "there is no step %u", votes->step);
    int order = !store->has_votes ? 1
                                  : compare_steps(votes->height, votes->round, votes->step, last->height,
                                                  last->round, last->step);
    if (order > 0 || (order == 0 && memcmp(votes->sign_bytes, last->sign_bytes, SIGN_BYTES) == 0))
        return STATUS_OK;
    return store_refuse(store, STATUS_INVALID,
                        "height %llu round %u step %u %s: the last signature is at %llu, %u, %u",
                        (unsigned long long)votes->height, votes->round, votes->step,
                        order == 0 ? "was signed with other content" : "is in the past",
                        (unsigned long long)last->height, last->round, last->step);
}

enum status ledger_store_put_votes(struct ledger_store *store, const struct ledger_votes *votes,
                                   const uint8_t *block, size_t block_bytes) {
    TRY(store_writable(store));
    TRY(check_order(store, votes));
    if (store->has_votes && written_already(store, votes, block))
        return STATUS_OK;
    if (MUTATE(FORGET_PERSIST, false, true))
        return STATUS_OK;
    struct ledger_votes next = *votes;
    next.epoch = store->sentinel.votes_epoch + 1;
    enum status status = write_votes(store, &next, block, block_bytes);
    return status == STATUS_OK ? STATUS_OK : store_fail(store, &store->votes_db, status, "votes not written");
}

enum status ledger_store_recover_votes(struct ledger_store *store, uint64_t height) {
    TRY(store_writable(store));
    const struct sentinel *last = &store->sentinel;
    if (height < last->height || (height == last->height && last->step + last->round > 0))
        return store_refuse(store, STATUS_INVALID,
                            "the sentinel remembers a signature at height %llu: sign above it only",
                            (unsigned long long)last->height);
    struct ledger_votes votes = {
        .height = height, .locked_round = -1, .valid_round = -1, .epoch = store->sentinel.votes_epoch + 1};
    bool before = store->sentinel.amnesia;
    store->sentinel.amnesia = false; /* reaches the sentinel after votes.db has the new row */
    enum status status = write_votes(store, &votes, NULL, 0);
    if (status != STATUS_OK) {
        store->sentinel.amnesia = before;
        return store_fail(store, &store->votes_db, status, "recovery not written");
    }
    store->condition = LEDGER_INTACT;
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------------------------- reads */

enum status ledger_store_get_votes(struct ledger_store *store, struct ledger_votes *votes) {
    if (store->crashed)
        return STATUS_STOPPED;
    if (!store->has_votes || store->condition == LEDGER_AMNESIA)
        return store_refuse(store, STATUS_INVALID, "no votes are known");
    *votes = store->votes;
    return STATUS_OK;
}

static enum status read_kept(struct ledger_store *store, uint32_t slot, uint8_t **data, size_t *size) {
    struct store_db *db = &store->votes_db;
    sqlite3_stmt *row = store_db_statement(db, SQL_GET_KEPT);
    struct hash id;
    sqlite3_bind_int64(row, 1, slot);
    int result = store_db_step(db, row);
    enum status status = STATUS_FAILED;
    if (result == SQLITE_ROW && kept_sound(row, &id) && hash_equal(&id, &store->kept[slot].block_id))
        status =
            store_copy_out(sqlite3_column_blob(row, 3), (size_t)sqlite3_column_bytes(row, 3), data, size);
    sqlite3_reset(row);
    return status == STATUS_FAILED ? store_fail(store, db, status, "the kept block is damaged") : status;
}

enum status ledger_store_get_proposal_block(struct ledger_store *store, const struct hash *block_id,
                                            uint8_t **data, size_t *size) {
    if (store->crashed)
        return STATUS_STOPPED;
    for (uint32_t slot = 0; slot < STORE_KEPT_BLOCKS; slot++)
        if (store->kept[slot].used && hash_equal(&store->kept[slot].block_id, block_id))
            return read_kept(store, slot, data, size);
    return store_refuse(store, STATUS_INVALID, "no block of this id is kept");
}
