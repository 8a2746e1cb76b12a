/* ledger_json: what a ledger holds, as JSON. Every function returns an object of the caller's (NULL without
 * memory). Hashes are lower-case hexadecimal; metrics are numbers (Q32.32 in the ledger); integers above
 * 2^63 - 1 are texts. */
#ifndef TIERBED_CLI_LEDGER_JSON_H
#define TIERBED_CLI_LEDGER_JSON_H

#include <jansson.h>

#include "common/ledger/proof.h"

json_t *ledger_json_integer(uint64_t value);
json_t *ledger_json_hash(const struct hash *hash);
json_t *ledger_json_hex(const uint8_t *data, size_t size);
/* Bytes from hexadecimal; owned by the caller. false: it is none, or more than `size_max` bytes. */
bool ledger_json_bytes(const json_t *text, size_t size_max, uint8_t **data, size_t *size);
json_t *ledger_json_bits(uint64_t bitmap); /* the numbers of the bits */
json_t *ledger_json_metrics(const int64_t metric_q32[METRIC_COUNT]);

/* Names of the senders by index: the nodes of role chain, then the edge servers, from the scenario in the run
 * directory of `dir` (a run or a ledger in one). Empty where there is none that fits. */
json_t *ledger_json_names(const char *dir, uint32_t sender_count);
json_t *ledger_json_genesis(const struct genesis *genesis);
json_t *ledger_json_header(const struct block_header *header);
json_t *ledger_json_certificate(const struct certificate *certificate);
/* An encoded transaction with what its ext holds; "bytes" is the encoding. */
json_t *ledger_json_transaction(const uint8_t *data, size_t size);
json_t *ledger_json_evidence(const struct evidence *evidence);
json_t *ledger_json_model(const struct ledger_model *model);

const char *ledger_type_name(uint8_t transaction_type);
const char *ledger_evidence_name(const struct evidence *evidence);
const char *ledger_model_status_name(uint8_t status);

/* Prints and releases it: indented, or in one line. */
void ledger_json_print(json_t *json, bool one_line);

#endif
