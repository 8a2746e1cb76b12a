/* genesis_file: the genesis of a ledger beside it on disk, so that the ledger can be verified from its
 * directory alone. The file holds the canonical encoding and nothing else. */
#ifndef TIERBED_LEDGER_GENESIS_FILE_H
#define TIERBED_LEDGER_GENESIS_FILE_H

#include "common/ledger/genesis.h"

#define GENESIS_FILE "genesis"

/* Makes `dir` where needed and writes DIR/genesis, durable. The same genesis there already: nothing is
 * written. STATUS_INVALID: there is another one, the directory belongs to another chain. STATUS_IO. */
enum status genesis_write(const char *dir, const struct genesis *genesis, struct error *error);

/* Reads DIR/genesis; `*senders` are owned by the caller (free), and borrowed by `genesis`; NULL on failure.
 * STATUS_INVALID: it is no genesis. STATUS_IO: it is not there. */
enum status genesis_read(const char *dir, struct genesis *genesis, struct public_key **senders,
                         struct error *error);

#endif
