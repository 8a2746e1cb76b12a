/* hosting_ledger: the disk of a validator, opened by whoever hosts it: a directory of its own, or files in
 * memory that outlive the validator where a run has no directory. */
#ifndef TIERBED_NODES_HOSTING_LEDGER_H
#define TIERBED_NODES_HOSTING_LEDGER_H

#include "nodes/hosting.h"

/* Writes where validator `node` keeps its ledger in `run_dir`; returns as snprintf does. */
int hosting_ledger_path(const char *run_dir, const char *node, char *path, size_t size);

/* Opens the store of a validator into env.ledger, nothing for other nodes. At the first start there must be
 * no ledger yet; later a damaged chain is thrown away, so that the validator fetches it from its peers. */
enum status hosting_ledger_open(struct hosting *hosting, bool first, struct error *error);
void hosting_ledger_close(struct hosting *hosting);

/* From here on nothing more can be written to the ledger (full), or all is well again. Real files: the kernel
 * refuses writes of this process during the validator's handlers (RLIMIT_FSIZE). */
void hosting_ledger_set_full(struct hosting *hosting, bool full);

/* Around each call of the validator's handlers. */
void hosting_ledger_enter(struct hosting *hosting);
void hosting_ledger_leave(struct hosting *hosting);

/* Is `status` what a handler returns when its ledger failed: the validator stops, and may be started again?
 */
bool hosting_ledger_failed(const struct hosting *hosting, enum status status);

#endif
