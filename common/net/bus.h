/* bus: how the processes of one run exchange bytes. Two implementations behind one interface: bus_mpi.c
 * (ranks of one mpirun) and bus_memory.c (any number of endpoints inside one process and thread; tests,
 * sweeps, debuggers).
 *
 * Delivery is reliable and in order per (sender, lane). The bus knows nothing of nodes, events or time. It
 * never blocks in send and never calls back. No collective lies on a path that a dead process can block. */
#ifndef TIERBED_NET_BUS_H
#define TIERBED_NET_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct bus;

/* Management traffic (time grants, reports, records) and emulated traffic travel apart. */
enum bus_lane { BUS_CONTROL = 0, BUS_EVENTS, BUS_LANES };

#define BUS_MESSAGE_BYTES_MAX ((size_t)64 << 20)
#define BUS_PENDING_BYTES_MAX                                                                                \
    ((size_t)256 << 20) /* sent but not yet taken over: per rank, or per memory bus */

struct bus_message {
    uint32_t source; /* rank */
    enum bus_lane lane;
    const uint8_t *data; /* borrowed until the next bus_receive on this bus */
    size_t size;
};

uint32_t bus_rank(const struct bus *bus);
uint32_t bus_size(const struct bus *bus);

/* Sends a copy of `data` to `rank` (may be the own rank). STATUS_LIMIT above BUS_MESSAGE_BYTES_MAX,
 * STATUS_FULL when BUS_PENDING_BYTES_MAX wait to be taken over (receive, then try again), STATUS_MEMORY.
 * Sleeping receivers are rung by bus_flush, once per destination, however many messages went there. */
enum status bus_send(struct bus *bus, uint32_t rank, enum bus_lane lane, const void *data, size_t size);
void bus_flush(struct bus *bus);

/* Takes the next message that is already here: true and fills `message`, or false at once. */
bool bus_receive(struct bus *bus, struct bus_message *message);

/* Waits until a message may be here or `timeout_ns` of real time has passed (negative: the bus's own bound).
 * Spins and yields briefly, then sleeps on the doorbell. Rings what bus_flush has not yet rung. May return
 * early. */
void bus_wait(struct bus *bus, int64_t timeout_ns);

/* Has the process behind `rank` died? Cheap enough for every few milliseconds; never blocks. */
bool bus_peer_dead(struct bus *bus, uint32_t rank);

/* Has the program that started this process (mpirun or its daemon) died? Nobody would then end the run from
 * outside: the director writes what it has and every rank leaves with bus_abandon. Same cost as
 * bus_peer_dead. */
bool bus_launcher_dead(struct bus *bus);

/* Counters for `tierbed bench bus` and the report. */
struct bus_counters {
    uint64_t sent[BUS_LANES], received[BUS_LANES], bytes_sent, rings, sleeps, wakes;
};
const struct bus_counters *bus_counters(const struct bus *bus);

/* Orderly end: every rank calls it when the run has finished. After a peer's death use bus_abandon instead,
 * which frees local resources without talking to anybody. Both free `bus`. */
void bus_close(struct bus *bus);
void bus_abandon(struct bus *bus);

/* bus_memory.c: `count` endpoints that share one set of queues. The array is owned by the caller and freed
 * with free(); each endpoint is closed with bus_close. */
enum status bus_memory_open(uint32_t count, struct bus ***endpoints, struct error *error);
/* For tests: from now on `rank` counts as dead to all; what is sent to it is discarded, what it sent stays.
 */
void bus_memory_kill(struct bus *bus, uint32_t rank);

/* bus_mpi.c: initialises MPI, separate communicators per lane, doorbells. Programs without MPI do not link
 * it. */
enum status bus_mpi_open(int *argc, char ***argv, struct bus **bus, struct error *error);

#endif
