/* ledger_view: the ledgers below a directory, opened for reading, and the walk from genesis through one. */
#ifndef TIERBED_CLI_LEDGER_VIEW_H
#define TIERBED_CLI_LEDGER_VIEW_H

#include "common/ledger/genesis_file.h"
#include "common/ledger/signature_cache.h"
#include "common/ledger/state.h"
#include "common/ledger/store.h"
#include "common/record/durable.h"

#define LEDGER_NAME_MAX 256

/* Not to be moved once open: what is read borrows its genesis. */
struct ledger_view {
    char dir[DURABLE_PATH_MAX];
    char name[LEDGER_NAME_MAX]; /* of the node, from NAME.ledger */
    struct genesis genesis;
    struct public_key *senders; /* owned */
    struct signature_cache verified;
    struct ledger_store *store;
    uint64_t height;
};

struct ledger_views {
    struct ledger_view *items; /* owned, by name */
    uint32_t count;
};

/* `dir` is a ledger (it holds a genesis) or a run directory (nodes/NAME.ledger); `node` picks one by name,
 * NULL: all. Opens nothing. STATUS_IO: there is none, STATUS_INVALID: none of that name. */
enum status ledger_views_find(struct ledger_views *views, const char *dir, const char *node,
                              struct error *error);
void ledger_views_close(struct ledger_views *views);
/* Genesis and store, read only. */
enum status ledger_view_open(struct ledger_view *view, struct error *error);
void ledger_view_close(struct ledger_view *view);
/* Finds and opens all; `*best` is the highest. */
enum status ledger_views_open(struct ledger_views *views, const char *dir, const char *node,
                              struct ledger_view **best, struct error *error);

/* One block after another. With `trusting`, blocks are taken apart and nothing else; otherwise every one is
 * checked as a validator does (block_valid_on), its certificate too, and the state is replayed.
 *
 * A ledger that began at a checkpoint has no blocks below it. Its first block is then checked by its
 * certificate, and by the ids that history_root binds it to; the state is known from the first height on
 * whose dump is kept, and is checked against the header that follows. */
struct ledger_walk {
    struct ledger_view *view; /* borrowed */
    bool trusting;
    uint64_t first, height; /* lowest height there is; of the block at hand, 0 before the first */
    uint8_t *data;          /* owned: the block at hand */
    size_t size;
    struct block block;
    struct certificate certificate;
    struct hash id;
    bool state_known;                  /* of `after`; and of `before` when it was so a block earlier */
    struct ledger_state before, after; /* before and after the block at hand; zero while unknown */
    struct merkle_frontier history;    /* ids below the block at hand */
    struct block_header tip;           /* of the block before */
    struct hash tip_id;
    const char *advice; /* after a failure: what to do about it */
};

enum status ledger_walk_open(struct ledger_walk *walk, struct ledger_view *view, bool trusting,
                             struct error *error);
/* The next block; `*more` false: there is none. STATUS_FAILED with a sentence: it is not what it should be;
 * walk->height is its height. */
enum status ledger_walk_next(struct ledger_walk *walk, bool *more, struct error *error);
void ledger_walk_close(struct ledger_walk *walk);

#endif
