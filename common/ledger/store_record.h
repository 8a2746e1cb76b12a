/* store_record: the bytes of the rows whose content is more than one blob. Private to the store. */
#ifndef TIERBED_LEDGER_STORE_RECORD_H
#define TIERBED_LEDGER_STORE_RECORD_H

#include "common/ledger/store.h"

#define VOTES_RECORD_TAG "votes" /* of the row's SHA-256 */
#define VOTES_RECORD_BYTES_MAX 5120u
#define VOTES_RECORD_EPOCH_BYTES 8u /* the last field */

/* u8 version | u64 height | u32 round | u8 step | sign_bytes | signature | i32 locked_round | valid_round |
 * locked_block_id | valid_block_id | u64 polka_bitmap | signatures | u8 proposal follows | proposal |
 * u64 epoch. */
size_t votes_record_encode(const struct ledger_votes *votes, uint8_t data[VOTES_RECORD_BYTES_MAX]);
/* Strict. STATUS_INVALID. */
enum status votes_record_decode(const uint8_t *data, size_t size, struct ledger_votes *votes);

/* A row of blocks; pointers are borrowed. */
struct block_row {
    struct hash block_id;
    const uint8_t *certificate, *block; /* block NULL: only the id is known */
    size_t certificate_bytes, block_bytes;
};
/* SHA-256("row" | height | block_id | digest | certificate). `digest`: SHA-256 of the block, zero for none.
 */
struct hash block_row_hash(uint64_t height, const struct block_row *row, const struct hash *digest);

#endif
