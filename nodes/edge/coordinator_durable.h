/* coordinator_durable: the checkpoint of a coordinator: how far it is and what its scheme has learnt.
 *
 * A checksum over all of it tells a damaged file from a whole one. */
#ifndef TIERBED_NODES_EDGE_COORDINATOR_DURABLE_H
#define TIERBED_NODES_EDGE_COORDINATOR_DURABLE_H

#include "nodes/edge/coordinator.h"
#include "nodes/outbox.h"

/* What a checkpoint says of itself. */
struct coordinator_checkpoint {
    unsigned scheme; /* number in schemes.def */
    uint32_t device_count;
    uint32_t step_base;   /* as in struct coordinator */
    uint32_t next_slot;   /* slots of its timeline that are over */
    const uint8_t *saved; /* what the scheme saved; borrowed */
    size_t saved_bytes;
};

/* Reads a checkpoint without loading it. STATUS_INVALID with a sentence when it is none or damaged. */
enum status coordinator_checkpoint_read(const uint8_t *data, size_t bytes,
                                        struct coordinator_checkpoint *checkpoint, struct error *error);

/* Asks the host to store it, durably, before anything else of this outbox leaves. */
void coordinator_persist(const struct coordinator *edge, const struct node_env *env, struct outbox *out);

/* Takes over, in a new run or after a crash in the same, what coordinator_persist wrote (0 bytes: nothing was
 * ever stored). A new run with `training.first_slot` goes on with the timeline of the checkpoint, which must
 * be of that slot; without, it begins a timeline of its own and counts steps on. STATUS_INVALID for anything
 * else, or for the checkpoint of another scheme, another number of devices, other options; env->error says
 * so. */
enum status coordinator_recover(struct coordinator *edge, const struct node_env *env, bool new_run,
                                const uint8_t *durable, size_t durable_bytes);

#endif
