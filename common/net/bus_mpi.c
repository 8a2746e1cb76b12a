/* bus_mpi: the ranks of one mpirun. The only file that includes mpi.h.
 *
 * MPI carries every message, on one communicator per lane: a non-blocking send from a copy, into a
 * receive posted ahead. A large message sends only its size that way; its bytes follow on a communicator of
 * their own, for which the receiver, told source and size, posts a receive then. Waiting is ours: MPI's own
 * way of waiting burns a core or adds latency (docs/decisions/waiting.md). A waiter looks a few times,
 * yielding the core in between, then sleeps on its doorbell in memory shared by the ranks of its host;
 * senders ring once per flush. What no doorbell announces (other hosts, a large transfer under way) is looked
 * for in growing steps. */
#include <assert.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/net/bus.h"
#include "common/net/bus_backend.h"
#include "common/net/doorbell.h"
#include "common/net/loopback.h"
#include "common/net/scheduling.h"
#include "common/time/wall.h"

#define SLEEP_NS_MAX 250000000 /* nobody sleeps longer without looking round */
#define POLL_NS_MIN 50000      /* steps of a waiter that no doorbell will wake */
#define POLL_NS_MAX 1000000
#define SPIN_ROUNDS 4000           /* looks before sleeping when each rank has a core */
#define YIELD_ROUNDS 3             /* otherwise, giving the core away after each */
#define SMALL_BYTES ((size_t)4000) /* with MPI's header an eager message; larger ones go in two parts */
#define LARGE_BYTES_FIRST ((size_t)64 << 10)
#define LARGE_BYTES_KEPT ((size_t)1 << 20)
#define REAP_BUDGET 16u /* sends looked at per call, so that a flood stays linear */
#define CLOSE_S_MAX 60u
#define TAG_WHOLE 0            /* the message */
#define TAG_SIZE 1             /* the size of a large one, uint64_t; its tag on `large` is the lane */
#define NAP_SLACK_NS 20000000u /* while MPI starts and ends: scheduling.h */

static_assert((int)DOORBELL_LANES == (int)BUS_LANES, "a doorbell counts every lane");

struct pending_send {
    struct pending_send *next;
    size_t size;
    uint32_t rank;
    MPI_Request request;
    _Alignas(16) uint8_t data[];
};

enum arrival_state { ARRIVAL_NONE = 0, ARRIVAL_ANNOUNCED, ARRIVAL_RECEIVING, ARRIVAL_COMPLETE };

/* The message being taken. Nothing else is received until all its bytes are here, which keeps the order. */
struct arrival {
    enum arrival_state state; /* small messages go from none to complete */
    enum bus_lane lane;
    uint32_t source;
    size_t size;
    uint8_t *data; /* borrowed from `posted` or `large_data` */
    MPI_Request request;
};

/* A receive posted ahead. */
struct posted {
    MPI_Request request;
    uint8_t *data; /* SMALL_BYTES, owned */
};

struct bus_mpi {
    struct bus bus; /* first: a struct bus * is a struct bus_mpi * */
    MPI_Comm lanes[BUS_LANES], large, host;
    MPI_Win window;
    struct doorbell *doorbells; /* by rank on this host */
    struct doorbell *own;
    struct doorbell_host *host_state;
    int32_t *host_rank;   /* by rank of the run; -1 on another host */
    bool *written, *dead; /* by rank: since the last flush; seen dead */
    uint32_t *dirty;      /* the ranks that are `written` */
    uint32_t dirty_count;
    bool roomy;      /* every rank of this host has a core */
    bool has_remote; /* some rank is on another host: its messages ring no doorbell */
    pid_t launcher;  /* 0: not started by mpirun */
    struct pending_send *pending_first, *pending_last;
    size_t pending_bytes;
    struct loopback loopback;
    struct arrival arrival;
    struct posted posted[BUS_LANES];
    uint8_t *unposted; /* the buffer that is not posted: the caller's current message, or free */
    uint8_t *large_data;
    size_t large_bytes;
    uint32_t taken[BUS_LANES]; /* messages matched so far, wraps */
    uint32_t first_lane;       /* looked at first: alternates */
};

static struct bus_mpi *mpi_of(struct bus *bus) {
    return (struct bus_mpi *)bus;
}

/* Sending. */

static void pending_append(struct bus_mpi *self, struct pending_send *send) {
    send->next = NULL;
    if (self->pending_last != NULL)
        self->pending_last->next = send;
    else
        self->pending_first = send;
    self->pending_last = send;
    self->pending_bytes += send->size;
}

static void mark_written(struct bus_mpi *self, uint32_t rank) {
    if (self->written[rank])
        return;
    self->written[rank] = true;
    self->dirty[self->dirty_count++] = rank;
}

static bool request_done(MPI_Request *request) {
    int done = 0;
    MPI_Test(request, &done, MPI_STATUS_IGNORE);
    return done != 0;
}

/* Gives back what MPI has taken over, and has the receivers of the rest rung again: they may have gone to
 * sleep before MPI put the message where they look. Unfinished sends move to the tail, so that all get their
 * turn. */
static void reap(struct bus_mpi *self) {
    struct pending_send *stop = NULL;
    for (uint32_t i = 0; i < REAP_BUDGET && self->pending_first != NULL; i++) {
        struct pending_send *send = self->pending_first;
        if (send == stop)
            return;
        self->pending_first = send->next;
        if (self->pending_first == NULL)
            self->pending_last = NULL;
        self->pending_bytes -= send->size;
        mark_written(self, send->rank);
        if (request_done(&send->request)) {
            free(send);
        } else {
            pending_append(self, send);
            if (stop == NULL)
                stop = send;
        }
    }
}

/* A copy of `data` on its way to `rank`, not yet given to MPI. NULL when out of memory. */
static struct pending_send *copy(uint32_t rank, const void *data, size_t size) {
    struct pending_send *send = malloc(sizeof *send + size);
    if (send == NULL)
        return NULL;
    send->rank = rank;
    send->size = size;
    if (size > 0)
        memcpy(send->data, data, size);
    return send;
}

static enum status submit(struct bus_mpi *self, struct pending_send *send, MPI_Comm lane, int tag) {
    if (MPI_Isend(send->data, (int)send->size, MPI_BYTE, (int)send->rank, tag, lane, &send->request) !=
        MPI_SUCCESS) {
        free(send);
        return STATUS_PEER;
    }
    if (request_done(&send->request))
        free(send);
    else
        pending_append(self, send);
    return STATUS_OK;
}

/* All memory is taken before MPI gets the first part: an announced size without its bytes would be a lie. */
static enum status send_large(struct bus_mpi *self, uint32_t rank, enum bus_lane lane, const void *data,
                              size_t size) {
    uint64_t announced = size;
    struct pending_send *head = copy(rank, &announced, sizeof announced);
    struct pending_send *body = head != NULL ? copy(rank, data, size) : NULL;
    if (body == NULL) {
        if (head != NULL)
            free(head);
        return STATUS_MEMORY;
    }
    enum status status = submit(self, head, self->lanes[lane], TAG_SIZE);
    enum status body_status = submit(self, body, self->large, (int)lane);
    return status != STATUS_OK ? status : body_status;
}

static enum status send_small(struct bus_mpi *self, uint32_t rank, enum bus_lane lane, const void *data,
                              size_t size) {
    struct pending_send *send = copy(rank, data, size);
    return send != NULL ? submit(self, send, self->lanes[lane], TAG_WHOLE) : STATUS_MEMORY;
}

static enum status mpi_send(struct bus *bus, uint32_t rank, enum bus_lane lane, const void *data,
                            size_t size) {
    struct bus_mpi *self = mpi_of(bus);
    if (rank == bus->rank)
        return loopback_put(&self->loopback, lane, data, size);
    if (self->pending_bytes + size > BUS_PENDING_BYTES_MAX) {
        reap(self);
        if (self->pending_bytes + size > BUS_PENDING_BYTES_MAX)
            return STATUS_FULL;
    }
    if (size <= SMALL_BYTES)
        TRY(send_small(self, rank, lane, data, size));
    else
        TRY(send_large(self, rank, lane, data, size));
    if (self->host_rank[rank] >= 0)
        doorbell_count(&self->doorbells[self->host_rank[rank]], lane);
    mark_written(self, rank);
    return STATUS_OK;
}

static void mpi_flush(struct bus *bus) {
    struct bus_mpi *self = mpi_of(bus);
    if (self->pending_first != NULL)
        reap(self);
    if (self->dirty_count == 0)
        return;
    doorbell_fence();
    for (uint32_t i = 0; i < self->dirty_count; i++) {
        uint32_t rank = self->dirty[i];
        self->written[rank] = false;
        if (self->host_rank[rank] >= 0 && doorbell_ring(&self->doorbells[self->host_rank[rank]]))
            bus->counters.rings++;
    }
    self->dirty_count = 0;
}

/* Receiving. */

/* Has more been sent on `lane` than was received? Other hosts do not count: then only MPI can tell. */
static bool expects(const struct bus_mpi *self, uint32_t lane) {
    uint32_t mail = atomic_load_explicit(&self->own->mail[lane], memory_order_acquire);
    return self->has_remote || (int32_t)(mail - self->taken[lane]) > 0;
}

static void post_receive(struct bus_mpi *self, uint32_t lane) {
    struct posted *posted = &self->posted[lane];
    MPI_Irecv(posted->data, (int)SMALL_BYTES, MPI_BYTE, MPI_ANY_SOURCE, MPI_ANY_TAG, self->lanes[lane],
              &posted->request);
}

/* Looks whether the receive posted on `lane` is filled; if so the message becomes the arrival. */
static bool look_at_lane(struct bus_mpi *self, uint32_t lane) {
    struct arrival *arrival = &self->arrival;
    struct posted *posted = &self->posted[lane];
    MPI_Status status;
    int done = 0, count;
    MPI_Test(&posted->request, &done, &status);
    if (!done)
        return false;
    MPI_Get_count(&status, MPI_BYTE, &count);
    *arrival = (struct arrival){.state = ARRIVAL_COMPLETE,
                                .lane = (enum bus_lane)lane,
                                .source = (uint32_t)status.MPI_SOURCE,
                                .size = (size_t)count,
                                .data = posted->data};
    if (status.MPI_TAG == TAG_SIZE) {
        uint64_t announced;
        assert(arrival->size == sizeof announced);
        memcpy(&announced, posted->data, sizeof announced);
        assert(announced > SMALL_BYTES && announced <= BUS_MESSAGE_BYTES_MAX);
        arrival->state = ARRIVAL_ANNOUNCED;
        arrival->size = announced;
        post_receive(self, lane);
    }
    self->taken[lane]++;
    self->first_lane = (lane + 1) % BUS_LANES;
    return true;
}

static bool look_at_lanes(struct bus_mpi *self) {
    for (uint32_t i = 0; i < BUS_LANES; i++) {
        uint32_t lane = (self->first_lane + i) % BUS_LANES;
        if (expects(self, lane) && look_at_lane(self, lane))
            return true;
    }
    return false;
}

static void large_fit(struct bus_mpi *self, size_t size) {
    bool too_large = self->large_bytes > LARGE_BYTES_KEPT && size <= LARGE_BYTES_KEPT;
    if (self->large_bytes >= size && !too_large)
        return;
    free(self->large_data);
    self->large_bytes = size > LARGE_BYTES_FIRST ? size : LARGE_BYTES_FIRST;
    self->large_data = malloc(self->large_bytes);
    if (self->large_data == NULL)
        self->large_bytes = 0;
}

/* Moves the arrival on; true when all its bytes are here. Without memory for it the message stays announced
 * and the next call tries again. Large ones come in pieces: MPI works on them in every test. */
static bool arrival_advance(struct bus_mpi *self) {
    struct arrival *arrival = &self->arrival;
    if (arrival->state == ARRIVAL_ANNOUNCED) {
        large_fit(self, arrival->size);
        if (self->large_data == NULL)
            return false;
        arrival->data = self->large_data;
        MPI_Irecv(arrival->data, (int)arrival->size, MPI_BYTE, (int)arrival->source, (int)arrival->lane,
                  self->large, &arrival->request);
        arrival->state = ARRIVAL_RECEIVING;
    }
    if (arrival->state == ARRIVAL_RECEIVING && request_done(&arrival->request))
        arrival->state = ARRIVAL_COMPLETE;
    return arrival->state == ARRIVAL_COMPLETE;
}

/* The caller gets the filled buffer; the one it gave back by asking takes its place. */
static void hand_over(struct bus_mpi *self, struct bus_message *message) {
    struct arrival *arrival = &self->arrival;
    struct posted *posted = &self->posted[arrival->lane];
    *message = (struct bus_message){arrival->source, arrival->lane, arrival->data, arrival->size};
    arrival->state = ARRIVAL_NONE;
    if (arrival->data != posted->data)
        return;
    posted->data = self->unposted;
    self->unposted = arrival->data;
    post_receive(self, (uint32_t)arrival->lane);
}

static bool mpi_receive(struct bus *bus, struct bus_message *message) {
    struct bus_mpi *self = mpi_of(bus);
    loopback_release(&self->loopback);
    if (loopback_take(&self->loopback, message)) {
        message->source = bus->rank;
        return true;
    }
    if (self->arrival.state == ARRIVAL_NONE && !look_at_lanes(self))
        return false;
    if (!arrival_advance(self))
        return false;
    hand_over(self, message);
    return true;
}

/* Waiting. */

/* Would bus_receive return something? A large message that is only announced is left alone: its buffer may
 * still be the caller's. */
static bool look(struct bus_mpi *self) {
    if (self->pending_first != NULL)
        reap(self);
    if (self->loopback.first != NULL)
        return true;
    switch (self->arrival.state) {
    case ARRIVAL_NONE:
        return look_at_lanes(self);
    case ARRIVAL_ANNOUNCED:
        return self->large_bytes > 0; /* 0: there was no memory for it */
    case ARRIVAL_RECEIVING:
        return arrival_advance(self);
    case ARRIVAL_COMPLETE:
        return true;
    }
    return false;
}

/* Is something under way that will not ring? */
static bool must_poll(const struct bus_mpi *self) {
    return self->pending_first != NULL || self->arrival.state != ARRIVAL_NONE || expects(self, BUS_CONTROL) ||
           expects(self, BUS_EVENTS);
}

/* One sleep after a last look; true when there is something to receive. */
static bool sleep_once(struct bus_mpi *self, int64_t timeout_ns) {
    uint32_t word = doorbell_announce(self->own);
    if (look(self)) {
        doorbell_cancel(self->own);
        return true;
    }
    mpi_flush(&self->bus); /* what `look` moved on */
    self->bus.counters.sleeps++;
    if (doorbell_sleep(self->own, word, timeout_ns))
        self->bus.counters.wakes++;
    return look(self);
}

/* Looks a few times before sleeping; true when there is something to receive. */
static bool spin(struct bus_mpi *self) {
    for (uint32_t i = 0; self->roomy && i < SPIN_ROUNDS; i++) {
        if (look(self))
            return true;
        scheduling_relax();
    }
    for (uint32_t i = 0; !self->roomy && i < YIELD_ROUNDS; i++) {
        if (look(self))
            return true;
        if (!doorbell_yield(self->host_state))
            return false;
    }
    return false;
}

static void mpi_wait(struct bus *bus, int64_t timeout_ns) {
    struct bus_mpi *self = mpi_of(bus);
    if (spin(self))
        return;
    int64_t bound_ns = timeout_ns < 0 || timeout_ns > SLEEP_NS_MAX ? SLEEP_NS_MAX : timeout_ns;
    if (bound_ns == 0)
        return;
    if (!must_poll(self)) {
        sleep_once(self, bound_ns);
        return;
    }
    int64_t end_ns = wall_now_ns() + bound_ns, step_ns = POLL_NS_MIN;
    for (int64_t left_ns = bound_ns; left_ns > 0; left_ns = end_ns - wall_now_ns()) {
        if (sleep_once(self, step_ns < left_ns ? step_ns : left_ns))
            return;
        if (!must_poll(self))
            return; /* the last send is through; the caller waits again, now on the doorbell alone */
        step_ns = step_ns * 2 < POLL_NS_MAX ? step_ns * 2 : POLL_NS_MAX;
    }
}

static bool mpi_peer_dead(struct bus *bus, uint32_t rank) {
    struct bus_mpi *self = mpi_of(bus);
    if (!self->dead[rank] && rank != bus->rank && self->host_rank[rank] >= 0)
        self->dead[rank] = doorbell_owner_dead(&self->doorbells[self->host_rank[rank]]);
    return self->dead[rank];
}

static bool mpi_launcher_dead(struct bus *bus) {
    const struct bus_mpi *self = mpi_of(bus);
    return self->launcher != 0 && getppid() != self->launcher;
}

/* Opening and closing. */

static void release(struct bus_mpi *self) {
    loopback_close(&self->loopback);
    for (struct pending_send *send = self->pending_first, *next; send != NULL; send = next) {
        next = send->next;
        free(send);
    }
    free(self->host_rank);
    free(self->written);
    free(self->dead);
    free(self->dirty);
    for (int lane = 0; lane < BUS_LANES; lane++)
        free(self->posted[lane].data);
    free(self->unposted);
    free(self->large_data);
    free(self);
}

/* The alarm ends a process that some peer's unnoticed death would keep in MPI_Finalize for ever. */
static void mpi_close(struct bus *bus) {
    struct bus_mpi *self = mpi_of(bus);
    alarm(CLOSE_S_MAX);
    while (self->pending_first != NULL) {
        reap(self);
        mpi_flush(bus);
        sched_yield();
    }
    for (int lane = 0; lane < BUS_LANES; lane++) {
        MPI_Cancel(&self->posted[lane].request);
        MPI_Wait(&self->posted[lane].request, MPI_STATUS_IGNORE);
    }
    uint64_t slack_ns = scheduling_set_slack(NAP_SLACK_NS);
    MPI_Finalize();
    scheduling_set_slack(slack_ns);
    alarm(0);
    release(self);
}

static void mpi_abandon(struct bus *bus) {
    release(mpi_of(bus));
}

static const struct bus_backend mpi_backend = {
    .send = mpi_send,
    .flush = mpi_flush,
    .receive = mpi_receive,
    .wait = mpi_wait,
    .peer_dead = mpi_peer_dead,
    .launcher_dead = mpi_launcher_dead,
    .close = mpi_close,
    .abandon = mpi_abandon,
};

static enum status take_memory(struct bus_mpi **created, uint32_t size) {
    struct bus_mpi *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_MEMORY;
    self->host_rank = calloc(size, sizeof *self->host_rank);
    self->written = calloc(size, sizeof *self->written);
    self->dead = calloc(size, sizeof *self->dead);
    self->dirty = calloc(size, sizeof *self->dirty);
    self->unposted = malloc(SMALL_BYTES);
    large_fit(self, LARGE_BYTES_FIRST);
    bool complete = self->host_rank != NULL && self->written != NULL && self->dead != NULL &&
                    self->dirty != NULL && self->unposted != NULL && self->large_data != NULL;
    for (int lane = 0; lane < BUS_LANES; lane++)
        complete &= (self->posted[lane].data = malloc(SMALL_BYTES)) != NULL;
    if (!complete) {
        release(self);
        return STATUS_MEMORY;
    }
    *created = self;
    return STATUS_OK;
}

/* Fills host_rank: where each rank of the run sits among those of this host. Returns the number of those. */
static uint32_t find_neighbours(struct bus_mpi *self) {
    MPI_Group world, host;
    int host_size = 0;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Comm_group(self->host, &host);
    MPI_Comm_size(self->host, &host_size);
    for (int rank = 0; rank < (int)self->bus.size; rank++) {
        int host_rank;
        MPI_Group_translate_ranks(world, 1, &rank, host, &host_rank);
        self->host_rank[rank] = host_rank == MPI_UNDEFINED ? -1 : host_rank;
    }
    MPI_Group_free(&world);
    MPI_Group_free(&host);
    self->has_remote = (uint32_t)host_size < self->bus.size;
    return (uint32_t)host_size;
}

/* One allocation by the first rank of the host, with room to start on a cache line and for what concerns the
 * host. */
static enum status open_doorbells(struct bus_mpi *self, uint32_t host_size, struct error *error) {
    int host_rank, unit;
    MPI_Comm_rank(self->host, &host_rank);
    MPI_Aint bytes = host_rank == 0 ? (MPI_Aint)(host_size + 2) * DOORBELL_BYTES : 0;
    void *base = NULL;
    if (MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, self->host, &base, &self->window) != MPI_SUCCESS)
        return error_set(error, STATUS_IO,
                         "no shared memory for the doorbells of %u processes; is /dev/shm full?", host_size);
    MPI_Win_shared_query(self->window, 0, &bytes, &unit, &base);
    uintptr_t aligned = ((uintptr_t)base + DOORBELL_BYTES - 1) / DOORBELL_BYTES * DOORBELL_BYTES;
    self->host_state = (struct doorbell_host *)aligned;
    self->doorbells = (struct doorbell *)(self->host_state + 1);
    self->own = &self->doorbells[host_rank];
    doorbell_init(self->own);
    if (host_rank == 0)
        atomic_store(&self->host_state->busy_until_ns, 0);
    MPI_Barrier(self->host); /* nobody rings before all have named themselves */
    return STATUS_OK;
}

static bool is_roomy(uint32_t host_size) {
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 && host_size <= (uint32_t)CPU_COUNT(&cores);
}

enum status bus_mpi_open(int *argc, char ***argv, struct bus **bus, struct error *error) {
    uint64_t slack_ns = scheduling_set_slack(NAP_SLACK_NS);
    int rank, size;
    if (MPI_Init(argc, argv) != MPI_SUCCESS)
        return error_set(error, STATUS_UNSUPPORTED,
                         "MPI did not start; `tierbed doctor` checks the installation");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    struct bus_mpi *self;
    if (take_memory(&self, (uint32_t)size) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for a bus of %d ranks", size);
    self->bus = (struct bus){.backend = &mpi_backend, .rank = (uint32_t)rank, .size = (uint32_t)size};
    for (int lane = 0; lane < BUS_LANES; lane++) {
        MPI_Comm_dup(MPI_COMM_WORLD, &self->lanes[lane]);
        MPI_Comm_set_errhandler(self->lanes[lane], MPI_ERRORS_RETURN);
    }
    MPI_Comm_dup(MPI_COMM_WORLD, &self->large);
    MPI_Comm_set_errhandler(self->large, MPI_ERRORS_RETURN);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &self->host);
    uint32_t host_size = find_neighbours(self);
    enum status status = open_doorbells(self, host_size, error);
    if (status != STATUS_OK) {
        release(self);
        return status;
    }
    for (uint32_t lane = 0; lane < BUS_LANES; lane++)
        post_receive(self, lane);
    self->roomy = is_roomy(host_size);
    self->launcher = getenv("OMPI_COMM_WORLD_SIZE") != NULL ? getppid() : 0;
    scheduling_set_slack(slack_ns);
    scheduling_ask_slices(SLICE_NS_SHORTEST);
    *bus = &self->bus;
    return STATUS_OK;
}
