/* disk: a disk in memory behind SQLite (a VFS) and the sentinel, with faults on demand.
 *
 * Writes go to a page cache; only sync moves them to the platter. A crash of the process keeps the cache;
 * loss of power drops, reorders or tears what was not synced, by a seed. It outlives the store that is opened
 * on it, as a real disk does. Each disk is a VFS of its own. Files put back from a copy are new files, as
 * those of a restored directory are. Not thread-safe. */
#ifndef TIERBED_LEDGER_DISK_H
#define TIERBED_LEDGER_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

struct ledger_disk;

enum status ledger_disk_open(struct ledger_disk **disk);
void ledger_disk_close(struct ledger_disk *disk);

/* A copy of everything, as an old snapshot of a directory; ledger_disk_restore puts it back. */
enum status ledger_disk_copy(const struct ledger_disk *disk, struct ledger_disk **copy);
enum status ledger_disk_restore(struct ledger_disk *disk, const struct ledger_disk *copy);
void ledger_disk_wipe(struct ledger_disk *disk);

/* Loss of power: unsynced writes of each file are dropped, kept in part, or torn within a 512-byte sector. */
void ledger_disk_lose_power(struct ledger_disk *disk, uint64_t seed);

/* Damage at rest. `file` is "votes.db", "votes.db-wal", "chain.db", "blobs.db", "sentinel", ... false: no
 * such file, or shorter. */
bool ledger_disk_flip(struct ledger_disk *disk, const char *file, uint64_t bit);
bool ledger_disk_zero(struct ledger_disk *disk, const char *file, uint64_t offset, uint64_t size);
bool ledger_disk_truncate(struct ledger_disk *disk, const char *file, uint64_t size);
bool ledger_disk_unlink(struct ledger_disk *disk, const char *file);
uint64_t ledger_disk_size(const struct ledger_disk *disk, const char *file);

/* Faults of operation, until set back to DISK_SOUND. FULL: writes that need more than `room` further bytes
 * fail (SQLITE_FULL). FAIL_WRITE, FAIL_SYNC: EIO from the `after`-th such call on (1: the next). LYING_SYNC:
 * sync does nothing and says it did. */
enum ledger_disk_fault { DISK_SOUND = 0, DISK_FULL, DISK_FAIL_WRITE, DISK_FAIL_SYNC, DISK_LYING_SYNC };
void ledger_disk_set_fault(struct ledger_disk *disk, enum ledger_disk_fault fault, uint64_t after);

struct ledger_disk_counters {
    uint64_t reads, writes, syncs, bytes_written;
};
const struct ledger_disk_counters *ledger_disk_counters(const struct ledger_disk *disk);

#endif
