/* proof: what convinces a light client, which knows nothing but genesis (specs/chain.md, 1.11).
 *
 * A light proof is one header with its certificate and one leaf below one of its roots. Below txs_root: this
 * transaction stands in that block. Below state_root (which is the state after height-1): this model is in
 * the registry, with this status. Clients keep the newest header they saw; a proof of an older height is
 * good, one of a newer height moves them forward; `history` links two headers of which the client knows the
 * older. */
#ifndef TIERBED_LEDGER_PROOF_H
#define TIERBED_LEDGER_PROOF_H

#include "common/ledger/state.h"

enum proof_kind { PROOF_TRANSACTION = 1, PROOF_MODEL = 2 };

struct light_proof {
    uint8_t kind;
    struct block_header header;
    struct certificate certificate;
    uint64_t index,
        count; /* of the leaf; for a model only the prover's word, which means nothing to the client */
    uint32_t length;
    struct hash path[MERKLE_PATH_MAX];
    uint32_t leaf_bytes;
    const uint8_t *leaf; /* borrowed: the encoded transaction or model */
};
#define LIGHT_PROOF_LEAF_BYTES_MAX 70000u
#define LIGHT_PROOF_BYTES_MAX                                                                                \
    (1u + BLOCK_HEADER_BYTES + CERTIFICATE_BYTES_MAX + 8u + 8u + 4u + 32u * MERKLE_PATH_MAX + 4u +           \
     LIGHT_PROOF_LEAF_BYTES_MAX)

size_t light_proof_bytes(const struct light_proof *proof);
void light_proof_encode(struct bytes_writer *writer, const struct light_proof *proof);
/* Strict; bounds before anything is read. The leaf is borrowed from the reader. STATUS_INVALID. */
enum status light_proof_decode(struct bytes_reader *reader, struct light_proof *proof);

/* Fills all but the certificate: transaction `index` of `block`, from which the leaf is borrowed.
 * STATUS_INVALID: there is none. STATUS_MEMORY. */
enum status light_proof_of_transaction(struct light_proof *proof, const struct block *block, uint32_t index);
/* Fills all but header and certificate, which the caller has set: they are those of the block that follows
 * `state`. `leaf` is borrowed by the proof. STATUS_INVALID: no such model, or a header of another state. */
enum status light_proof_of_model(struct light_proof *proof, const struct ledger_state *state,
                                 const struct hash *tx_id, uint8_t leaf[LEDGER_MODEL_BYTES_MAX]);

struct light_client {
    const struct genesis *genesis; /* borrowed; pinned */
    uint64_t height;               /* newest certified header seen; 0: none */
    struct block_header newest;
    uint64_t accepted, refused;
};

void light_client_init(struct light_client *client, const struct genesis *genesis);
/* Step 7: is the newest header seen no older than `age_max_ms` at `now_ms` (the clock of header times)? */
bool light_client_fresh(const struct light_client *client, uint64_t now_ms, uint64_t age_max_ms);
/* STATUS_OK: `proof` holds under genesis alone; the client has moved to its header if that is newer.
 * STATUS_INVALID with a sentence in `why` (may be NULL): which step of 1.11 failed. */
enum status light_client_check(struct light_client *client, const struct light_proof *proof,
                               struct error *why);
/* A model that is accepted on chain: PROOF_MODEL with status accepted and the blob's bytes. Fills `model`. */
enum status light_client_check_model(struct light_client *client, const struct light_proof *proof,
                                     const uint8_t *blob, size_t blob_bytes, struct ledger_model *model,
                                     struct error *why);
/* header.history_root against the client's newest header by a consistency proof of merkle.h. `header`
 * is higher; the tree over the ids below the newest header is shown to be a prefix of the one below `header`
 * (`length` 0 when the client knows no header or that of height 1: nothing is below). Moves the client. */
enum status light_client_check_history(struct light_client *client, const struct block_header *header,
                                       const struct certificate *certificate, const struct hash *path,
                                       uint32_t length, struct error *why);

#endif
