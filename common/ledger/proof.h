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
    uint64_t index, count; /* of the leaf */
    uint32_t length;
    struct hash path[MERKLE_PATH_MAX];
    uint32_t leaf_bytes;
    const uint8_t *leaf; /* borrowed: the encoded transaction or model */
};
#define LIGHT_PROOF_BYTES_MAX                                                                                \
    (1u + BLOCK_HEADER_BYTES + CERTIFICATE_BYTES_MAX + 8u + 8u + 4u + 32u * MERKLE_PATH_MAX + 4u + 70000u)

size_t light_proof_bytes(const struct light_proof *proof);
void light_proof_encode(struct bytes_writer *writer, const struct light_proof *proof);
enum status light_proof_decode(struct bytes_reader *reader, struct light_proof *proof);

struct light_client {
    const struct genesis *genesis; /* borrowed; pinned */
    uint64_t height;               /* newest certified header seen; 0: none */
    struct block_header newest;
    uint64_t accepted, refused;
};

void light_client_init(struct light_client *client, const struct genesis *genesis);
/* STATUS_OK: `proof` holds under genesis alone; the client has moved to its header if that is newer.
 * STATUS_INVALID with a sentence in `why` (may be NULL): which step of 1.11 failed. */
enum status light_client_check(struct light_client *client, const struct light_proof *proof,
                               struct error *why);
/* A model that is accepted on chain: PROOF_MODEL with status accepted and the blob's bytes. Fills `model`. */
enum status light_client_check_model(struct light_client *client, const struct light_proof *proof,
                                     const uint8_t *blob, size_t blob_bytes, struct ledger_model *model,
                                     struct error *why);
/* header.history_root against the client's newest header by a consistency proof of merkle.h. */
enum status light_client_check_history(struct light_client *client, const struct block_header *header,
                                       const struct certificate *certificate, const struct hash *path,
                                       uint32_t length, struct error *why);

#endif
