/* message_chain: what validators say to each other, and what edge servers, gateways and devices say about the
 * chain (specs/chain.md, 1.4).
 *
 * Codec rules as in message.h. Decoders look at form and bounds only; signatures, certificates and proofs are
 * the receiver's business. Pointers in decoded messages go into the payload and live as long as it does.
 * STATUS, WANT and the requests are advice that anybody may forge: nothing they say is believed without a
 * signature below it. */
#ifndef TIERBED_NET_MESSAGE_CHAIN_H
#define TIERBED_NET_MESSAGE_CHAIN_H

#include "common/ledger/block.h"
#include "common/net/message.h"

#define MESSAGE_PARTS_MAX 1024u  /* parts of one block: 64 MiB */
#define MESSAGE_PATH_MAX 10u     /* inclusion proof below that many parts or chunks */
#define MESSAGE_CHUNK_MAX 65536u /* bytes of a part of a block, a chunk of a model or of a checkpoint */

/* A set of parts of one block. Bits at and above `count` are zero. count 0: nothing is known of parts. */
struct message_parts {
    uint16_t count; /* parts of the block, at most MESSAGE_PARTS_MAX */
    uint8_t bits[MESSAGE_PARTS_MAX / 8];
};
static inline bool message_parts_has(const struct message_parts *parts, uint32_t index) {
    return index < parts->count && (parts->bits[index / 8] >> (index % 8) & 1) != 0;
}
static inline void message_parts_add(struct message_parts *parts, uint32_t index) {
    parts->bits[index / 8] |= (uint8_t)(1u << (index % 8));
}

/* chain_id is the hash of genesis; the other two tell what differs when it does. */
struct message_hello {
    struct hash chain_id, validators_hash, params_hash;
    uint16_t validator;
    uint32_t software; /* version of the node program */
    uint64_t height;   /* last committed */
    struct signature signature;
};
#define MESSAGE_HELLO_SIGN_BYTES (17u + 32u * 3u + 2u + 4u + 8u)
/* "TIERBED-HELLO-v1\0", then every field before the signature. */
void message_hello_sign_bytes(const struct message_hello *message, uint8_t bytes[MESSAGE_HELLO_SIGN_BYTES]);

#define MESSAGE_TX_MAX 66000u /* above the largest encoded transaction */
struct message_tx {
    const uint8_t *data;
    uint32_t bytes; /* 1 .. MESSAGE_TX_MAX */
};

struct message_proposal {
    struct proposal proposal;
};

/* `index` and `count` are those of the inclusion proof: the receiver compares them with the proposal. */
struct message_block_part {
    uint64_t height;
    uint32_t round;
    uint32_t index, count; /* index < count <= MESSAGE_PARTS_MAX */
    uint32_t length;
    struct hash path[MESSAGE_PATH_MAX];
    const uint8_t *data;
    uint32_t bytes; /* 1 .. MESSAGE_CHUNK_MAX */
};

#define MESSAGE_VOTES_MAX 128u /* of a batch: all prevotes and precommits of a round */
struct message_vote {
    uint32_t count; /* 1 .. MESSAGE_VOTES_MAX */
    struct vote votes[MESSAGE_VOTES_MAX];
};

enum message_status_flag {
    MESSAGE_STATUS_PROPOSAL = 1, /* the proposal of (height, round) is held */
    MESSAGE_STATUS_ASKS = 2,     /* answer with a claim that proves itself, and this nonce */
    MESSAGE_STATUS_ANSWERS = 4,  /* `nonce` is that of the question */
    MESSAGE_STATUS_PROVEN = 8,   /* certificate of `committed` follows */
    MESSAGE_STATUS_FLAGS_MAX = 15
};

struct message_status {
    uint8_t flags;
    uint8_t step; /* 1 .. 4, enum consensus_step; 0: not voting */
    uint64_t height;
    uint32_t round;
    int32_t locked_round, valid_round; /* -1: none */
    uint64_t committed;                /* last committed height */
    uint64_t nonce;
    uint64_t prevotes, precommits; /* held, for (height, round) */
    uint64_t valid_prevotes;       /* held, for (height, valid_round) */
    struct hash block_id;          /* whose parts: of the proposal of the round, or what it needs most */
    struct message_parts parts;    /* held */
    struct certificate certificate;
};

enum message_want_flag {
    MESSAGE_WANT_PROPOSAL = 1,
    MESSAGE_WANT_PARTS = 2,
    MESSAGE_WANT_VOTES = 4, /* of (height, round), but for those in prevotes and precommits */
    MESSAGE_WANT_FLAGS_MAX = 7
};
struct message_want {
    uint8_t flags;
    uint64_t height;
    uint32_t round;
    uint64_t prevotes, precommits; /* held already */
    struct hash block_id;
    struct message_parts parts; /* wanted; count 0: all */
};

struct message_commit_cert {
    struct certificate certificate;
};

/* HEADERS: up to `count` headers from height `from` on, each with its certificate. BLOCK: bytes from `offset`
 * of the document (certificate of height `from`, then its block). */
enum message_catchup_kind { MESSAGE_CATCHUP_HEADERS = 1, MESSAGE_CATCHUP_BLOCK = 2 };
struct message_catchup_req {
    uint8_t kind;
    uint64_t from; /* >= 1 */
    uint32_t count;
    uint64_t offset;
};
#define MESSAGE_CATCHUP_DATA_MAX (1048576u - 34u)
struct message_catchup_resp {
    uint8_t kind;
    uint64_t height; /* of the first header, or of the block */
    uint64_t tip;    /* last height that the sender has committed */
    uint64_t total;  /* HEADERS: number of headers here; BLOCK: bytes of the document. 0: not here */
    uint64_t offset;
    const uint8_t *data;
    uint32_t bytes; /* 0 .. MESSAGE_CATCHUP_DATA_MAX */
};

#define MESSAGE_SNAP_ASK_META UINT32_MAX
struct message_snap_req {
    uint64_t height; /* of the checkpoint; 0: the newest */
    uint32_t index;  /* chunk, or MESSAGE_SNAP_ASK_META */
};
/* The checkpoint is one string of bytes in chunks of MESSAGE_CHUNK_MAX. The header after it and its
 * certificate say what the state must hash to. */
#define MESSAGE_SNAP_CHUNKS_MAX 16384u
struct message_snap_meta {
    uint64_t height, total;
    struct block_header header;     /* of height + 1 */
    struct certificate certificate; /* of height + 1 */
    uint32_t count;                 /* chunks */
    const uint8_t *hashes;          /* count x HASH_BYTES: merkle_leaf of each chunk */
};
struct message_snap_chunk {
    uint64_t height;
    uint32_t index;
    const uint8_t *data;
    uint32_t bytes; /* 1 .. MESSAGE_CHUNK_MAX */
};

struct message_blob_req {
    struct hash blob_hash;
    uint32_t first, count; /* chunks; count >= 1 */
};
struct message_blob_resp {
    struct hash blob_hash;
    uint64_t total; /* bytes of the model; 0: not here, and nothing follows */
    uint32_t index; /* of the chunk */
    uint32_t length;
    struct hash path[MESSAGE_PATH_MAX]; /* to chunk_root */
    const uint8_t *data;
    uint32_t bytes;
};

/* An encoded light proof (common/ledger/proof.h). */
#define MESSAGE_PROOF_MAX 131071u
struct message_proof {
    const uint8_t *data;
    uint32_t bytes; /* 1 .. MESSAGE_PROOF_MAX */
};

struct message_model {
    const uint8_t *proof; /* encoded light proof of kind PROOF_MODEL */
    uint32_t proof_bytes; /* 1 .. MESSAGE_PROOF_MAX */
    const uint8_t *blob;
    uint32_t blob_bytes; /* >= 1; all within 1 MiB */
};
#define MESSAGE_MODEL_BYTES(proof_bytes, blob_bytes) (5u + (size_t)(proof_bytes) + (size_t)(blob_bytes))

void message_encode_hello(struct bytes_writer *writer, const struct message_hello *message);
void message_encode_tx(struct bytes_writer *writer, const struct message_tx *message);
void message_encode_proposal(struct bytes_writer *writer, const struct message_proposal *message);
void message_encode_block_part(struct bytes_writer *writer, const struct message_block_part *message);
void message_encode_vote(struct bytes_writer *writer, const struct message_vote *message);
void message_encode_status(struct bytes_writer *writer, const struct message_status *message);
void message_encode_want(struct bytes_writer *writer, const struct message_want *message);
void message_encode_commit_cert(struct bytes_writer *writer, const struct message_commit_cert *message);
void message_encode_catchup_req(struct bytes_writer *writer, const struct message_catchup_req *message);
void message_encode_catchup_resp(struct bytes_writer *writer, const struct message_catchup_resp *message);
void message_encode_snap_req(struct bytes_writer *writer, const struct message_snap_req *message);
void message_encode_snap_meta(struct bytes_writer *writer, const struct message_snap_meta *message);
void message_encode_snap_chunk(struct bytes_writer *writer, const struct message_snap_chunk *message);
void message_encode_blob_req(struct bytes_writer *writer, const struct message_blob_req *message);
void message_encode_blob_resp(struct bytes_writer *writer, const struct message_blob_resp *message);
void message_encode_proof(struct bytes_writer *writer, const struct message_proof *message);
void message_encode_model(struct bytes_writer *writer, const struct message_model *message);

enum status message_decode_hello(const uint8_t *data, size_t size, struct message_hello *message);
enum status message_decode_tx(const uint8_t *data, size_t size, struct message_tx *message);
enum status message_decode_proposal(const uint8_t *data, size_t size, struct message_proposal *message);
enum status message_decode_block_part(const uint8_t *data, size_t size, struct message_block_part *message);
enum status message_decode_vote(const uint8_t *data, size_t size, struct message_vote *message);
enum status message_decode_status(const uint8_t *data, size_t size, struct message_status *message);
enum status message_decode_want(const uint8_t *data, size_t size, struct message_want *message);
enum status message_decode_commit_cert(const uint8_t *data, size_t size, struct message_commit_cert *message);
enum status message_decode_catchup_req(const uint8_t *data, size_t size, struct message_catchup_req *message);
enum status message_decode_catchup_resp(const uint8_t *data, size_t size,
                                        struct message_catchup_resp *message);
enum status message_decode_snap_req(const uint8_t *data, size_t size, struct message_snap_req *message);
enum status message_decode_snap_meta(const uint8_t *data, size_t size, struct message_snap_meta *message);
enum status message_decode_snap_chunk(const uint8_t *data, size_t size, struct message_snap_chunk *message);
enum status message_decode_blob_req(const uint8_t *data, size_t size, struct message_blob_req *message);
enum status message_decode_blob_resp(const uint8_t *data, size_t size, struct message_blob_resp *message);
enum status message_decode_proof(const uint8_t *data, size_t size, struct message_proof *message);
enum status message_decode_model(const uint8_t *data, size_t size, struct message_model *message);

#endif
