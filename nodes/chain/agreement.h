/* agreement: after a run, do the ledgers of its validators tell one story?
 *
 * Reads the directories that the validators left, as anybody could: block ids from height 1, the state at the
 * tip, and the certificate of the tip. `tierbed ledger verify` checks every block and signature; this is the
 * part that is cheap enough for the end of every run. */
#ifndef TIERBED_NODES_CHAIN_AGREEMENT_H
#define TIERBED_NODES_CHAIN_AGREEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"
#include "common/record/rows.h"

struct agreement {
    uint32_t validators, read;          /* of the run; whose ledger could be read here */
    uint64_t least_height, most_height; /* of those */
    uint64_t fork_height;               /* the least height with two blocks; 0: none */
    uint32_t fork_nodes[2];             /* node ids of two that differ there */
};

/* Told of each figure of a validator: ledger_height, ledger_transactions, ledger_models_accepted,
 * ledger_accused (validators that evidence on the chain speaks against), ledger_agrees (1: its blocks are
 * those of the longest ledger, as far as they go). */
typedef enum status (*agreement_row)(void *context, const struct row *row, struct error *error);

/* Nothing to do in a run without validators. STATUS_FAILED with a sentence: two ledgers differ, or the tip of
 * one is not certified. A ledger that cannot be read (another host's, damaged) is only not counted. */
enum status agreement_check(const struct scenario *scenario, const struct topology *topology,
                            const char *run_dir, agreement_row take, void *context,
                            struct agreement *agreement, struct error *error);

#endif
