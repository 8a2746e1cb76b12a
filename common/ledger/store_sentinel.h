/* store_sentinel: the witness that votes.db is not older than it was (specs/chain.md, 1.8).
 *
 * Two slots of 128 bytes, each in a block of the disk of its own, written in turn, so that a torn write
 * leaves the other one. A slot also names the file it stands in (inode, time of birth): a directory that was
 * put back from a copy has other files, which is how its age shows although the copy is consistent in itself.
 * A snapshot below the file system keeps even those: nothing on this machine can see it. */
#ifndef TIERBED_LEDGER_STORE_SENTINEL_H
#define TIERBED_LEDGER_STORE_SENTINEL_H

#include "common/ledger/store_files.h"

#define SENTINEL_NAME "sentinel"
#define SENTINEL_SLOT_BYTES 128u
#define SENTINEL_STRIDE_BYTES 4096u
#define SENTINEL_FILE_BYTES (SENTINEL_STRIDE_BYTES + SENTINEL_SLOT_BYTES)

struct sentinel {
    uint64_t counter; /* of writes; the greater of two sound slots counts. 0: never written */
    uint64_t height;  /* of the last own signature, with round and step */
    uint32_t round;
    uint8_t step;
    bool amnesia; /* found out and not yet over */
    uint64_t votes_epoch;
    uint64_t chain_height;
    struct file_identity self; /* the file this was written into */
};

/* u64 magic | counter | height | u32 round | u8 step | u8 amnesia | u16 0 | u64 votes_epoch | chain_height |
 * serial | birth_ns | zeros | SHA-256("sentinel" | the 96 bytes before). */
void sentinel_encode(const struct sentinel *sentinel, uint8_t slot[SENTINEL_SLOT_BYTES]);
/* Strict; STATUS_INVALID. */
enum status sentinel_decode(const uint8_t slot[SENTINEL_SLOT_BYTES], struct sentinel *sentinel);
/* The newest sound slot of `size` bytes. STATUS_INVALID: none. */
enum status sentinel_newest(const uint8_t *data, size_t size, struct sentinel *sentinel);

/* Reads the file. STATUS_INVALID: not there, or no slot is sound. Leaves nothing open. */
enum status sentinel_load(const struct store_files *files, struct sentinel *sentinel);
/* The whole file, so that no later write needs room on the disk; counter 1. STATUS_IO. */
enum status sentinel_create(struct store_file *file, struct sentinel *sentinel);
/* The next counter into the slot that is not the newest. STATUS_IO. */
enum status sentinel_write(struct store_file *file, struct sentinel *sentinel);

#endif
