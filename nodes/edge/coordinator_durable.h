/* coordinator_durable: the checkpoint of a coordinator: how far it is and what its scheme has learnt. */
#ifndef TIERBED_NODES_EDGE_COORDINATOR_DURABLE_H
#define TIERBED_NODES_EDGE_COORDINATOR_DURABLE_H

#include "nodes/edge/coordinator.h"
#include "nodes/outbox.h"

/* Asks the host to store it, durably, before anything else of this outbox leaves. */
void coordinator_persist(const struct coordinator *edge, struct outbox *out);

/* Takes over, in a new run or after a crash in the same, what coordinator_persist wrote (0 bytes: nothing was
 * ever stored). STATUS_INVALID for anything else, or for the checkpoint of another scheme, another number of
 * devices, other options; `error` says so. */
enum status coordinator_recover(struct coordinator *edge, const uint8_t *durable, size_t durable_bytes,
                                bool new_run, struct error *error);

#endif
