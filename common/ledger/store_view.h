/* store_view: a copy in memory of the files of a store, to read from while a validator goes on writing them.
 * Private to the store.
 *
 * A database and its WAL are copied one after the other and fit together when the WAL was not begun anew
 * meanwhile: it only grows until then, so whatever a checkpoint moved into the database is in the WAL too. */
#ifndef TIERBED_LEDGER_STORE_VIEW_H
#define TIERBED_LEDGER_STORE_VIEW_H

#include "common/ledger/store_files.h"

struct store_view {
    struct ledger_disk *origin; /* borrowed; NULL: the directory */
    int descriptor;             /* of the directory */
    struct ledger_disk *copy;   /* owned; NULL: not open */
};

/* Copies the sentinel, votes.db and chain.db. `sentinel`: which file it was. STATUS_INVALID: no ledger there.
 */
enum status store_view_open(struct store_view *view, const struct ledger_store_config *config,
                            struct file_identity *sentinel, struct error *error);
void store_view_close(struct store_view *view);
/* One database with its WAL; one that is not there is fine. STATUS_IO: it cannot be read. */
enum status store_view_copy(struct store_view *view, const char *name, struct error *error);

#endif
