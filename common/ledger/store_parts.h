/* store_parts: the inside of struct ledger_store, shared by the files store*.c only. */
#ifndef TIERBED_LEDGER_STORE_PARTS_H
#define TIERBED_LEDGER_STORE_PARTS_H

#include "common/ledger/store_db.h"
#include "common/ledger/store_record.h"
#include "common/ledger/store_sentinel.h"
#include "common/ledger/store_view.h"

/* Blocks kept for being proposed again: the locked and the valid one, and one coming in their place. */
#define STORE_KEPT_BLOCKS 3u

struct kept_block {
    bool used;
    struct hash block_id;
};

struct ledger_store {
    struct store_files files;
    struct store_file sentinel_file;
    struct sentinel sentinel;
    enum ledger_condition condition;
    struct store_db votes_db, chain_db, blobs_db;
    struct store_view view; /* read_only; the files are on its copy */
    bool blobs_viewed;

    bool has_votes;
    struct ledger_votes votes; /* as in votes.db */
    struct kept_block kept[STORE_KEPT_BLOCKS];
    uint64_t height; /* of the chain */

    /* The block hashed last: it comes with a vote first and is committed later. */
    uint8_t *hashed_block; /* owned */
    size_t hashed_bytes, hashed_capacity;
    struct hash hashed_digest;

    bool failed, crashed;
    struct error reason;
    ledger_crash_point crash;
    void *crash_context;
};

/* STATUS_STOPPED after a crash point, STATUS_IO after a failure, STATUS_INVALID when read_only. */
enum status store_writable(struct ledger_store *store);
/* Is this where it dies? */
bool store_dies(struct ledger_store *store, const char *point);
/* Says why and returns `status`; the store goes on. */
enum status store_refuse(struct ledger_store *store, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Rolls back and closes the store to writes: `status` of a call on `db` that did not go through. */
enum status store_fail(struct ledger_store *store, struct store_db *db, enum status status, const char *what);

/* One transaction: begin checks that the files are in place. Statements 0 and 1 of each database. */
enum { SQL_BEGIN = 0, SQL_COMMIT = 1 };
#define SQL_BEGIN_TEXT "BEGIN IMMEDIATE"
#define SQL_COMMIT_TEXT "COMMIT"
enum status store_begin(struct ledger_store *store, struct store_db *db);
/* Commits, writes the sentinel, moves the WAL when it is long. `points` are the names of the crash points:
 * inside, committed, sentinel (NULL: no sentinel is written). */
enum status store_commit(struct ledger_store *store, struct store_db *db, const char *const points[3]);
enum status store_write_sentinel(struct ledger_store *store);

/* SHA-256 of a block, remembered for the next call with the same bytes. */
struct hash store_block_digest(struct ledger_store *store, const uint8_t *block, size_t size);

/* Opens. votes: finds out about amnesia; chain and blobs: STATUS_FAILED when damaged. */
enum status store_votes_open(struct ledger_store *store, struct error *error);
enum status store_chain_open(struct ledger_store *store, bool deep, struct error *error);
enum status store_blobs_open(struct ledger_store *store, struct error *error);
enum status store_chain_remove(const struct store_files *files);
enum status store_blobs_remove(const struct store_files *files);

/* A copy owned by the caller. STATUS_MEMORY. */
enum status store_copy_out(const void *bytes, size_t size, uint8_t **data, size_t *data_size);

#endif
