/* reader: metrics.sqlite as it is read, by the summary, the report and the exports. Never writes. */
#ifndef TIERBED_RECORD_READER_H
#define TIERBED_RECORD_READER_H

#include <sqlite3.h>

#include "common/base/error.h"
#include "common/record/rows.h"

/* Opens DIR/metrics.sqlite read-only. STATUS_IO: it is not there or cannot be opened; STATUS_INVALID: it is
 * no database, is corrupt, or has another schema version. Closed with sqlite3_close. */
enum status reader_open(const char *dir, sqlite3 **db, struct error *error);

/* Calls `visit` for every row of `sql`. Stops at the first status that is not STATUS_OK and returns it. */
typedef enum status (*reader_visit)(sqlite3_stmt *row, void *context);
enum status reader_each(sqlite3 *db, const char *sql, reader_visit visit, void *context, struct error *error);

/* Tables came with time: whether this run has one of this name. */
enum status reader_has_table(sqlite3 *db, const char *table, bool *has, struct error *error);

/* Calls `visit` for every task in the order (device, slot); times that are not there are VTIME_NEVER, words
 * in no table are PLACE_NONE, DROP_UNANSWERED and class 255. The task is borrowed for the call. */
typedef enum status (*reader_visit_task)(const struct row_task *task, void *context);
enum status reader_each_task(sqlite3 *db, reader_visit_task visit, void *context, struct error *error);

/* Column `column` of the row: NULL gives VTIME_NEVER, NAN, "". Text is cut to `size`. */
int64_t reader_time(sqlite3_stmt *row, int column);
double reader_real(sqlite3_stmt *row, int column);
void reader_text(sqlite3_stmt *row, int column, char *text, size_t size);
uint64_t reader_count(sqlite3_stmt *row, int column);

#endif
