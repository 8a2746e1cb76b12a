/* store_db: one SQLite database of the store: opened the one way all of them are, statements kept, and the
 * check that its files are still the ones under their names. Private to the store. */
#ifndef TIERBED_LEDGER_STORE_DB_H
#define TIERBED_LEDGER_STORE_DB_H

#include <sqlite3.h>

#include "common/ledger/store_files.h"

#define STORE_STATEMENTS_MAX 16u

struct store_db_config {
    const char *name;   /* "votes.db" */
    const char *schema; /* run once, in one transaction */
    const char *const *sql;
    uint32_t sql_count; /* statements, by the caller's index */
    uint32_t page_bytes, checkpoint_pages;
    bool full;    /* durability power: FULL; otherwise NORMAL */
    bool shrinks; /* auto_vacuum = INCREMENTAL */
};

struct store_db {
    const struct store_db_config *config; /* borrowed */
    const struct store_files *files;      /* borrowed */
    sqlite3 *handle;                      /* NULL: not open */
    sqlite3_stmt *statements[STORE_STATEMENTS_MAX];
    struct file_identity main, wal;
    uint32_t wal_pages; /* after the last commit */
};

/* Opens or creates it and runs quick_check (not on a view). STATUS_FAILED: damaged. STATUS_IO: the system
 * refuses. */
enum status store_db_open(struct store_db *db, const struct store_db_config *config,
                          const struct store_files *files, struct error *error);
/* As a crash would: no checkpoint, what is not committed is gone. Safe when not open. */
void store_db_close(struct store_db *db);
/* The database with its WAL and journal. */
enum status store_db_remove(const struct store_db_config *config, const struct store_files *files);

/* Its files are where they were (specs/chain.md, 3.3 row 34). */
bool store_db_in_place(const struct store_db *db);

/* The statement, reset and without bindings; prepared at its first use. NULL: failed (sqlite3_errmsg). */
sqlite3_stmt *store_db_statement(struct store_db *db, uint32_t index);
/* sqlite3_step, which also says what is wrong when there is no statement or no database. */
int store_db_step(struct store_db *db, sqlite3_stmt *statement);
/* Runs one to its end and resets it. STATUS_FAILED: damaged, STATUS_IO. */
enum status store_db_run(struct store_db *db, sqlite3_stmt *statement);
/* Of a result of SQLite that is an error. */
enum status store_db_status(int result);

/* Moves the WAL into the database once it is long (config). To be called after a commit. */
enum status store_db_checkpoint(struct store_db *db);

/* Binds borrowed bytes that outlive the run; NULL with size 0 is an empty blob. */
void store_db_bind(sqlite3_stmt *statement, int column, const void *data, size_t size);
/* Is column `column` a blob of exactly `size` bytes? Copied out. */
bool store_db_column(sqlite3_stmt *statement, int column, void *data, size_t size);

#endif
