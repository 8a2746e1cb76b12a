/* doorbell: how a process sleeps until another process of the same host has something for it.
 *
 * One cache line per process in memory that all processes of the host map. A waiter announces that it sleeps,
 * looks once more whether something has come, and then waits on a futex; a sender first makes its message
 * visible and then looks whether the receiver sleeps. Both sides put a sequentially consistent fence between
 * their write and their look, so at least one of them sees the other and no wake-up is lost. The line also
 * names the process, so that others can tell whether it still lives. The doorbell carries no data and knows
 * nothing of MPI. */
#ifndef TIERBED_NET_DOORBELL_H
#define TIERBED_NET_DOORBELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define DOORBELL_BYTES 64
#define DOORBELL_LANES 2

struct doorbell {
    _Alignas(DOORBELL_BYTES) _Atomic uint32_t word; /* futex: changes with every ring */
    _Atomic uint32_t sleeping;
    _Atomic int32_t pid;                   /* 0: not there yet */
    _Atomic uint32_t mail[DOORBELL_LANES]; /* messages sent to it so far, wraps */
    _Atomic uint64_t
        start_ticks; /* start time of the process since boot: tells it from a later one of that pid */
};

/* What all processes of a host know about it. */
struct doorbell_host {
    _Alignas(DOORBELL_BYTES) _Atomic int64_t
        busy_until_ns; /* monotonic clock: until then nobody yields its core */
};

/* Names the calling process in `own`. Before it, the memory is zero-filled or holds an earlier state. */
void doorbell_init(struct doorbell *own);

/* Counts one message to the owner of `peer`, already handed to MPI. */
static inline void doorbell_count(struct doorbell *peer, uint32_t lane) {
    atomic_fetch_add(&peer->mail[lane], 1);
}

/* Wakes the owner of `peer` if it sleeps; true when it did. The caller's message is already visible (it has
 * called doorbell_fence since). */
bool doorbell_ring(struct doorbell *peer);
void doorbell_fence(void);

/* The waiter's three steps: word = doorbell_announce(own); look again; then sleep or cancel. */
uint32_t doorbell_announce(struct doorbell *own);
void doorbell_cancel(struct doorbell *own);
/* Sleeps until rung after the announcement, at most `timeout_ns` (> 0); true when rung. Signals end it early.
 */
bool doorbell_sleep(struct doorbell *own, uint32_t word, int64_t timeout_ns);

/* Gives the core away once; false, and does nothing, while that is a bad idea. Yielding lets the other ranks
 * run, and saves falling asleep and being woken when all are active. But beside programs that keep the cores
 * busy it costs a slice of theirs: who finds that out has everybody on the host refrain from it for a second.
 */
bool doorbell_yield(struct doorbell_host *host);

/* Has the process that called doorbell_init on `peer` ended (a zombie has)? One read of /proc: microseconds.
 */
bool doorbell_owner_dead(const struct doorbell *peer);

#endif
