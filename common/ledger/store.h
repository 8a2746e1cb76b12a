/* store: what a validator keeps on disk, and in which order (specs/chain.md, 1.8).
 *
 *   votes.db   own signatures, lock, polka, the locked or valid block     WAL, FULL
 *   chain.db   blocks, certificates, state, height                        WAL, FULL
 *   blobs.db   models by hash                                             WAL, NORMAL
 *   sentinel   two slots of 128 bytes, written in turn                    fdatasync
 *
 * Every payload carries its SHA-256, since SQLite has none. durability `process` writes without any
 * fsync: safe against SIGKILL, not against power loss. Every call that fails leaves the store closed to
 * further writes: the validator must stop (fail-stop) and be started again. Before each commit the files are
 * checked to be still there (st_nlink, st_ino). A second process on the same directory is refused by a file
 * lock.
 *
 * A directory that was copied back is found out by its new files (amnesia), a snapshot below the file system
 * is not. FRESH is also what an emptied directory looks like, unless the caller says that it was `restarted`.
 */
#ifndef TIERBED_LEDGER_STORE_H
#define TIERBED_LEDGER_STORE_H

#include "common/ledger/block.h"

struct ledger_store;
struct ledger_disk; /* disk.h: files in memory, with faults; for runs without a directory and for the
                       simulator */

enum ledger_durability { DURABILITY_POWER = 0, DURABILITY_PROCESS = 1 };

struct ledger_store_config {
    const char *dir;          /* made if it is not there; NULL: `disk` */
    struct ledger_disk *disk; /* borrowed */
    enum ledger_durability durability;
    bool deep;      /* at open: check every block, not only the last few */
    bool restarted; /* the validator has run before: an empty directory is amnesia, not a first start */
    /* For inspection beside a running validator: no lock, nothing is made, changed, checkpointed or thrown
     * away, damage is told by each get_* instead of by the open; everything that writes gives STATUS_INVALID.
     * STATUS_INVALID also when the directory is none of a ledger. */
    bool read_only;
};

/* How the directory was found. */
enum ledger_condition {
    LEDGER_FRESH = 0, /* nothing there, and the sentinel says nothing ever was */
    LEDGER_INTACT,
    LEDGER_AMNESIA /* votes are older than the sentinel says, missing or damaged: do not sign, see 1.8 */
};

/* What a validator knows of its own voting; written in one transaction before any own message leaves. */
struct ledger_votes {
    uint64_t height;
    uint32_t round;
    uint8_t step; /* enum vote_type of the last own signature at (height, round); 0: none */
    uint8_t sign_bytes[SIGN_BYTES];
    struct signature signature;
    struct proposal proposal;          /* when step is VOTE_PROPOSAL: all of it */
    int32_t locked_round, valid_round; /* -1: none */
    struct hash locked_block_id, valid_block_id;
    uint64_t polka_bitmap; /* prevotes for valid_block_id at valid_round */
    struct signature polka[VALIDATORS_MAX];
    uint64_t epoch; /* counts writes; filled by the store */
};

/* STATUS_IO with a way out in `error`. A damaged chain.db or blobs.db is an error of its own kind:
 * STATUS_FAILED, and the caller may call ledger_store_discard_chain to rebuild from peers. */
enum status ledger_store_open(const struct ledger_store_config *config, struct ledger_store **store,
                              struct error *error);
/* NULL is allowed. Nothing is flushed that was not committed. */
void ledger_store_close(struct ledger_store *store);
enum ledger_condition ledger_store_condition(const struct ledger_store *store);
/* In amnesia: what the sentinel remembers of the highest signature (height 0: not even that). */
void ledger_store_sentinel(const struct ledger_store *store, uint64_t *height, uint32_t *round,
                           uint8_t *step);
/* Amnesia is over: from `height` on the validator signs again. Durable. */
enum status ledger_store_recover_votes(struct ledger_store *store, uint64_t height);
enum status ledger_store_discard_chain(const struct ledger_store_config *config, struct error *error);

/* Votes. put: refuses (STATUS_INVALID) anything not above the last (height, round, step), unless sign_bytes
 * are identical. `block` are the bytes of valid_block_id (NULL: unchanged or none), kept so that it can be
 * proposed again. On STATUS_OK everything is durable, sentinel included. */
enum status ledger_store_put_votes(struct ledger_store *store, const struct ledger_votes *votes,
                                   const uint8_t *block, size_t block_bytes);
enum status ledger_store_get_votes(struct ledger_store *store, struct ledger_votes *votes);
/* The kept block with this id; owned by the caller. STATUS_INVALID: not there. */
enum status ledger_store_get_proposal_block(struct ledger_store *store, const struct hash *block_id,
                                            uint8_t **data, size_t *size);

/* Chain. commit: block, certificate and state in one transaction, then the sentinel. height must be tip + 1;
 * the same block at the tip again is done already (idempotent). */
struct ledger_commit {
    uint64_t height;
    struct hash block_id;
    const uint8_t *block;
    size_t block_bytes;
    const struct certificate *certificate;
    const uint8_t *state; /* ledger_state_encode after this block */
    size_t state_bytes;
};
enum status ledger_store_commit(struct ledger_store *store, const struct ledger_commit *commit);
uint64_t ledger_store_height(const struct ledger_store *store);
/* Owned by the caller; SHA-256 checked: STATUS_FAILED when the bytes are damaged, STATUS_INVALID when the
 * height is not there (or below a checkpoint it was started from). */
enum status ledger_store_get_block(struct ledger_store *store, uint64_t height, uint8_t **data, size_t *size,
                                   struct certificate *certificate);
enum status ledger_store_get_block_id(struct ledger_store *store, uint64_t height, struct hash *block_id);
/* State after the tip, or at a checkpoint height that was kept. */
enum status ledger_store_get_state(struct ledger_store *store, uint64_t height, uint8_t **data, size_t *size);
/* Keeps the present state under its height as a checkpoint; drops older ones but the last two. */
enum status ledger_store_checkpoint(struct ledger_store *store);
/* Starts a chain from a certified checkpoint: the block, certificate and state of `commit` become the tip,
 * `ids` are the block ids 1 .. height-1 (for history_root). Only on an empty chain or one that is lower. */
enum status ledger_store_adopt(struct ledger_store *store, const struct ledger_commit *commit,
                               const struct hash *ids);
/* Rewrites one damaged block by the same block from a peer. */
enum status ledger_store_repair_block(struct ledger_store *store, uint64_t height, const uint8_t *block,
                                      size_t block_bytes, const struct certificate *certificate);

/* Blobs, by blob_hash. put is idempotent. get checks the hash: STATUS_FAILED and the blob is forgotten. */
enum status ledger_store_put_blob(struct ledger_store *store, const struct hash *hash, const uint8_t *data,
                                  size_t size);
bool ledger_store_has_blob(struct ledger_store *store, const struct hash *hash);
enum status ledger_store_get_blob(struct ledger_store *store, const struct hash *hash, uint8_t **data,
                                  size_t *size);
enum status ledger_store_drop_blob(struct ledger_store *store, const struct hash *hash);

/* Why the last call failed, one sentence; "" when none did. */
const char *ledger_store_reason(const struct ledger_store *store);

/* Crash points and sends under test: called with a name at each point named in 3.3 rows 3 and 4
 * ("votes-before", "votes-inside", "votes-committed", "votes-sentinel", "blob-before", "blob-after",
 * "chain-inside", "chain-committed", "chain-sentinel"; besides "blob-inside", "drop-inside", "drop-after");
 * true: die here, the call returns STATUS_STOPPED and the store is closed to everything. */
typedef bool (*ledger_crash_point)(void *context, const char *point);
void ledger_store_set_crash_point(struct ledger_store *store, ledger_crash_point crash, void *context);

#endif
