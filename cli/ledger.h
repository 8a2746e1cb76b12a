/* ledger: the parts of `tierbed ledger`. Each returns the exit code. */
#ifndef TIERBED_CLI_LEDGER_H
#define TIERBED_CLI_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/ledger/hash.h"

struct ledger_request {
    const char *dir;
    const char *node;     /* NULL: all, or the highest */
    const char *check;    /* prove: a file with a proof, NULL: make one */
    const char *blob;     /* prove: a file with the bytes of a model */
    const char *tx_id;    /* prove; NULL: by height and index */
    uint64_t height;      /* prove */
    uint64_t index;       /* prove: of the transaction in its block */
    uint64_t block_count; /* show: the last so many */
    bool model, json;
};

/* Prints the error of `tierbed ledger` and returns its exit code. */
int ledger_fail(const struct error *error);

int ledger_show(const struct ledger_request *request);
int ledger_verify(const struct ledger_request *request);
int ledger_prove(const struct ledger_request *request);
int ledger_export(const struct ledger_request *request);

#endif
