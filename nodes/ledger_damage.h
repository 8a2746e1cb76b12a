/* ledger_damage: what the fault schedule does to the disk of a validator, from outside: real files in its
 * directory, or those of a disk in memory. */
#ifndef TIERBED_NODES_LEDGER_DAMAGE_H
#define TIERBED_NODES_LEDGER_DAMAGE_H

#include "common/base/error.h"
#include "common/model/scenario.h"

struct ledger_disk; /* common/ledger/disk.h */

struct ledger_place {
    const char *dir;          /* NULL: `disk` */
    struct ledger_disk *disk; /* NULL with a `dir` */
    struct ledger_disk *copy; /* owned; taken by ledger_damage_copy where there is no directory */
};

/* Overwrites the beginning of a file with zeros and empties its write-ahead log, so that what is found does
 * not depend on whether the log was written back. */
enum status ledger_damage_corrupt(struct ledger_place *place, enum ledger_file file, struct error *error);
/* Removes a file; whoever has it open keeps writing to nothing. */
enum status ledger_damage_unlink(struct ledger_place *place, enum ledger_file file, struct error *error);
/* Removes everything. */
enum status ledger_damage_wipe(struct ledger_place *place, struct error *error);
/* Takes a copy (DIR.old), and puts it back in place of what is there. */
enum status ledger_damage_copy(struct ledger_place *place, struct error *error);
enum status ledger_damage_restore(struct ledger_place *place, struct error *error);
void ledger_damage_close(struct ledger_place *place);

#endif
