/* transaction: the one canonical encoding of what goes into a block (specs/chain.md, 1.6).
 *
 * Little-endian, fixed order, strict: no trailing bytes, no second encoding of anything. tx_id = SHA-256 of
 * all bytes including the signature. Metrics are Q32.32 integers; NaN and infinity end at the edge. */
#ifndef TIERBED_LEDGER_TRANSACTION_H
#define TIERBED_LEDGER_TRANSACTION_H

#include "common/ledger/genesis.h"

#define TRANSACTION_VERSION 1u
#define TRANSACTION_EXT_MAX 65535u
#define CHUNK_BYTES 65536u /* leaves of chunk_root */
/* Everything but ext. */
#define TRANSACTION_BYTES_MIN                                                                                \
    (2u + 1u + 32u + 4u + 8u + 8u + 4u + 32u + 32u + 8u + 32u + 4u + 1u + 8u * METRIC_COUNT + 4u + 32u +     \
     8u + 8u + 2u + 64u)

enum transaction_type {
    TX_MODEL_UPDATE = 1,  /* a model with its measured quality; the blob travels apart */
    TX_METRIC_ATTEST = 2, /* a validator's recomputation of a model's metrics; ext: struct attestation */
    TX_EVIDENCE = 3,      /* ext: evidence (evidence.h) */
    TX_RECORDS = 4        /* many small records of one sender under one signature; ext: struct records */
};

enum { METRIC_SLOPE_IXT = 0, METRIC_SLOPE_ITY, METRIC_LOSS, METRIC_ACCURACY, METRIC_COUNT };

struct transaction {
    uint8_t type;
    struct hash chain_id;
    uint32_t sender; /* index into genesis.senders */
    uint64_t nonce; /* strictly increasing per sender; RECORDS take as many as they hold, this is the first */
    uint64_t fl_round;
    uint32_t task_id;
    struct hash parent_model;
    struct hash blob_hash; /* SHA-256("blob" | bytes) */
    uint64_t blob_bytes;
    struct hash chunk_root; /* RFC 6962 over chunks of CHUNK_BYTES */
    uint32_t arch_id;
    uint8_t dtype;
    int64_t metric_q32[METRIC_COUNT];
    uint32_t sample_count;
    struct hash metric_input_hash; /* which labelled inputs the metrics were measured on */
    uint64_t expiry_height;        /* not valid in blocks above it */
    uint64_t client_ms;            /* informational */
    uint16_t ext_bytes;
    const uint8_t *ext; /* borrowed: the caller's, or the decoded buffer */
    struct signature signature;
};

/* ext of TX_METRIC_ATTEST, fixed size. */
struct attestation {
    struct hash tx_id; /* the model update */
    uint8_t verdict;   /* 1: recomputed, 0: could not be evaluated (metrics 0) */
    int64_t metric_q32[METRIC_COUNT];
    struct hash tool_hash; /* what recomputed it: name and version */
};
#define ATTESTATION_BYTES (32u + 1u + 8u * METRIC_COUNT + 32u)

/* ext of TX_RECORDS: u16 record count (1..), u16 record bytes (1..), then the records back to back. */
struct records {
    uint16_t count, record_bytes;
    const uint8_t *data; /* borrowed */
};

size_t transaction_bytes(const struct transaction *tx);
void transaction_encode(struct bytes_writer *writer, const struct transaction *tx);
/* Exactly one transaction in `data`. ext points into `data`. STATUS_INVALID. */
enum status transaction_decode(const uint8_t *data, size_t size, struct transaction *tx);
struct hash transaction_id(const uint8_t *data, size_t size);
/* How many nonces it takes and how many transactions it counts for: 1, or the records it holds. */
uint32_t transaction_weight(const struct transaction *tx);

/* Fills tx->signature over all bytes before it. */
void transaction_sign(const struct signing_key *key, struct transaction *tx);
/* Format and ranges, chain, known sender whose role fits the type, signature. Not state: see state.h. */
enum status transaction_check(const struct genesis *genesis, const struct transaction *tx,
                              const uint8_t *data, size_t size);

void attestation_encode(struct bytes_writer *writer, const struct attestation *attestation);
enum status attestation_decode(const uint8_t *data, size_t size, struct attestation *attestation);
enum status records_decode(const uint8_t *data, size_t size, struct records *records);

struct hash blob_hash(const void *data, size_t size);
struct hash blob_chunk_root(const uint8_t *data, size_t size);

/* Round to nearest; false for NaN, infinity and what Q32.32 cannot hold. */
bool metric_to_q32(double value, int64_t *q32);
double metric_from_q32(int64_t q32);

#endif
