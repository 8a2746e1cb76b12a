/* store_bind: rows as the columns of an insert. */
#ifndef TIERBED_RECORD_STORE_BIND_H
#define TIERBED_RECORD_STORE_BIND_H

#include <sqlite3.h>

#include "common/record/record.h"

/* Binds one column after the other; a failed bind (memory) shows when the statement is stepped. Texts are
 * borrowed until then. */
struct binder {
    sqlite3_stmt *statement;
    int column; /* bound last */
};

void bind_integer(struct binder *binder, int64_t value);
void bind_time(struct binder *binder, int64_t time_ns);  /* VTIME_NEVER: NULL */
void bind_id(struct binder *binder, uint32_t id);        /* TOPOLOGY_NONE: NULL */
void bind_real(struct binder *binder, double value);     /* NAN: NULL */
void bind_text(struct binder *binder, const char *text); /* NULL: NULL */

/* The insert of each kind of row, by enum row_kind; none for 0. */
extern const char *const bind_insert_sql[ROW_KIND_COUNT];
/* All columns of `row` for the insert of its kind. */
void bind_row(struct binder *to, const struct record_config *config, const struct row *row);

#endif
