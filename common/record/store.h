/* store: metrics.sqlite as it is written: prepared inserts inside transactions, WAL, synchronous NORMAL.
 * What a commit has covered stays readable whatever ends the run. */
#ifndef TIERBED_RECORD_STORE_H
#define TIERBED_RECORD_STORE_H

#include <sqlite3.h>

#include "common/base/error.h"
#include "common/record/record.h"

#define STORE_FILE "metrics.sqlite"
#define STORE_COMMIT_ROWS 4096u /* rows of one transaction */

struct store {
    sqlite3 *db;
    sqlite3_stmt *insert[ROW_KIND_COUNT];
    sqlite3_stmt *set_meta;
    uint32_t pending; /* rows in the open transaction, 0: none open */
};

/* Creates DIR/metrics.sqlite with its tables, nodes, links, levels and meta. After a failure the store is
 * closed. */
enum status store_open(struct store *store, const struct record_config *config, struct error *error);
/* Opens what another process wrote and left, to say how its run ended (store_finish, store_close) and how far
 * it came: `last_ns` is when the last task was answered, 0 for none. */
enum status store_reopen(struct store *store, const char *dir, int64_t *last_ns, struct error *error);
/* Ids of the row must lie inside the scenario and topology of `config` (the caller checks). */
enum status store_row(struct store *store, const struct record_config *config, const struct row *row,
                      struct error *error);
enum status store_flush(struct store *store, struct error *error);
/* Commits what is pending, writes how the run ended, makes the indexes, and leaves one plain file without a
 * WAL beside it. May be tried again after a failure, when there is more room. */
enum status store_finish(struct store *store, const struct record_outcome *outcome, struct error *error);
/* Rolls back what is not committed and closes; safe on a zeroed or closed store. */
void store_close(struct store *store);

/* Says what SQLite's code means for the user: STATUS_IO (full, read-only, cannot open), STATUS_INVALID
 * (corrupt), STATUS_MEMORY. */
enum status store_failure(sqlite3 *db, const char *doing, struct error *error);

#endif
