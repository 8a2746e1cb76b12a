/* bus_mpi: the ranks of one mpirun. The only file that includes mpi.h.
 *
 * MPI carries every message: a non-blocking send from a pooled copy, received by a matched probe (so any size and
 * any order of senders needs no buffer posted ahead), on one communicator per lane. Waiting is ours: MPI's own way
 * of waiting burns a core or adds latency (docs/decisions/waiting.md). A waiter looks a few times, yielding the
 * core in between, then sleeps on its doorbell in memory shared by the ranks of its host; senders ring once per
 * flush. What no doorbell announces (other hosts, a large transfer under way) is looked for in growing steps. */
#include <assert.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "common/net/bus.h"
#include "common/net/bus_backend.h"
#include "common/net/doorbell.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define SLEEP_NS_MAX (250 * NS_PER_MS)  /* nobody sleeps longer without looking round */
#define POLL_NS_MIN (50 * NS_PER_US)    /* steps of a waiter that no doorbell will wake */
#define POLL_NS_MAX (1 * NS_PER_MS)
#define SPIN_ROUNDS_CROWDED 0           /* looks before sleeping, more ranks than cores */
#define SPIN_ROUNDS_ROOMY 100           /* a core for each rank */
#define SMALL_BYTES ((size_t)4096)      /* pooled send copies; larger ones are allocated one by one */
#define SMALL_KEPT_MAX 1024u
#define RECEIVE_BYTES_KEPT ((size_t)1 << 20)
#define REAP_BUDGET 16u                 /* sends looked at per call, so that a flood stays linear */
#define CLOSE_S_MAX 60u
#define INIT_SLACK_NS 20000000ul       /* see stretch_naps */

static_assert((int)DOORBELL_LANES == (int)BUS_LANES, "a doorbell counts every lane");

struct pending_send {
    struct pending_send *next;
    size_t capacity;
    uint32_t rank;
    MPI_Request request;
    _Alignas(16) uint8_t data[];
};

struct loopback {
    struct loopback *next;
    enum bus_lane lane;
    size_t size;
    _Alignas(16) uint8_t data[];
};

enum arrival_state { ARRIVAL_NONE = 0, ARRIVAL_MATCHED, ARRIVAL_RECEIVING, ARRIVAL_COMPLETE };

/* The message being taken. Nothing else is received until all its bytes are here, which keeps the order. */
struct arrival {
    enum arrival_state state;
    enum bus_lane lane;
    uint32_t source;
    int size;
    MPI_Message message;
    MPI_Request request;
};

struct bus_mpi {
    struct bus bus; /* first: a struct bus * is a struct bus_mpi * */
    MPI_Comm lanes[BUS_LANES], host;
    MPI_Win window;
    struct doorbell *doorbells; /* by rank on this host */
    struct doorbell *own;
    int32_t *host_rank;         /* by rank of the run; -1 on another host */
    bool *written, *dead;       /* by rank: since the last flush; seen dead */
    uint32_t *dirty;            /* the ranks that are `written` */
    uint32_t dirty_count;
    uint32_t spin_rounds;
    bool has_remote;            /* some rank is on another host: its messages ring no doorbell */
    pid_t launcher;             /* 0: not started by mpirun */
    struct pending_send *pending_first, *pending_last, *spare;
    uint32_t spare_count;
    size_t pending_bytes;
    struct loopback *loop_first, *loop_last, *loop_held;
    struct arrival arrival;
    uint8_t *buffer;
    size_t buffer_bytes;
    uint32_t taken[BUS_LANES];  /* messages matched so far, wraps */
    uint32_t first_lane;        /* looked at first: alternates */
};

static struct bus_mpi *mpi_of(struct bus *bus) {
    return (struct bus_mpi *)bus;
}

/* Sending. */

static struct pending_send *pending_take(struct bus_mpi *self, size_t size) {
    if (size <= SMALL_BYTES && self->spare != NULL) {
        struct pending_send *send = self->spare;
        self->spare = send->next;
        self->spare_count--;
        return send;
    }
    size_t capacity = size <= SMALL_BYTES ? SMALL_BYTES : size;
    struct pending_send *send = malloc(sizeof *send + capacity);
    if (send != NULL)
        send->capacity = capacity;
    return send;
}

static void pending_give_back(struct bus_mpi *self, struct pending_send *send) {
    if (send->capacity > SMALL_BYTES || self->spare_count == SMALL_KEPT_MAX) {
        free(send);
        return;
    }
    send->next = self->spare;
    self->spare = send;
    self->spare_count++;
}

static void pending_append(struct bus_mpi *self, struct pending_send *send) {
    send->next = NULL;
    if (self->pending_last != NULL)
        self->pending_last->next = send;
    else
        self->pending_first = send;
    self->pending_last = send;
    self->pending_bytes += send->capacity;
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

/* Gives back what MPI has taken over, and has the receivers of the rest rung again: they may have gone to sleep
 * before MPI put the message where they look. Unfinished sends move to the tail, so that all get their turn. */
static void reap(struct bus_mpi *self) {
    struct pending_send *stop = NULL;
    for (uint32_t i = 0; i < REAP_BUDGET && self->pending_first != NULL; i++) {
        struct pending_send *send = self->pending_first;
        if (send == stop)
            return;
        self->pending_first = send->next;
        if (self->pending_first == NULL)
            self->pending_last = NULL;
        self->pending_bytes -= send->capacity;
        mark_written(self, send->rank);
        if (request_done(&send->request)) {
            pending_give_back(self, send);
        } else {
            pending_append(self, send);
            if (stop == NULL)
                stop = send;
        }
    }
}

static enum status loop_send(struct bus_mpi *self, enum bus_lane lane, const void *data, size_t size) {
    if (self->pending_bytes + size > BUS_PENDING_BYTES_MAX)
        return STATUS_FULL;
    struct loopback *loop = malloc(sizeof *loop + size);
    if (loop == NULL)
        return STATUS_MEMORY;
    *loop = (struct loopback){.lane = lane, .size = size};
    if (size > 0)
        memcpy(loop->data, data, size);
    if (self->loop_last != NULL)
        self->loop_last->next = loop;
    else
        self->loop_first = loop;
    self->loop_last = loop;
    self->pending_bytes += size;
    return STATUS_OK;
}

static enum status mpi_send(struct bus *bus, uint32_t rank, enum bus_lane lane, const void *data, size_t size) {
    struct bus_mpi *self = mpi_of(bus);
    if (rank == bus->rank)
        return loop_send(self, lane, data, size);
    if (self->pending_bytes + size > BUS_PENDING_BYTES_MAX) {
        reap(self);
        if (self->pending_bytes + size > BUS_PENDING_BYTES_MAX)
            return STATUS_FULL;
    }
    struct pending_send *send = pending_take(self, size);
    if (send == NULL)
        return STATUS_MEMORY;
    send->rank = rank;
    if (size > 0)
        memcpy(send->data, data, size);
    if (MPI_Isend(send->data, (int)size, MPI_BYTE, (int)rank, 0, self->lanes[lane], &send->request) !=
        MPI_SUCCESS) {
        pending_give_back(self, send);
        return STATUS_PEER;
    }
    if (request_done(&send->request))
        pending_give_back(self, send);
    else
        pending_append(self, send);
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

static bool probe_lane(struct bus_mpi *self, uint32_t lane) {
    struct arrival *arrival = &self->arrival;
    MPI_Status status;
    int found = 0;
    /* Open MPI looks first and fetches afterwards, so the first question may be in vain. */
    for (int i = 0; i < 2 && !found; i++)
        MPI_Improbe(MPI_ANY_SOURCE, 0, self->lanes[lane], &found, &arrival->message, &status);
    if (!found)
        return false;
    arrival->state = ARRIVAL_MATCHED;
    arrival->lane = (enum bus_lane)lane;
    arrival->source = (uint32_t)status.MPI_SOURCE;
    MPI_Get_count(&status, MPI_BYTE, &arrival->size);
    self->taken[lane]++;
    self->first_lane = (lane + 1) % BUS_LANES;
    return true;
}

static bool probe(struct bus_mpi *self) {
    for (uint32_t i = 0; i < BUS_LANES; i++) {
        uint32_t lane = (self->first_lane + i) % BUS_LANES;
        if (expects(self, lane) && probe_lane(self, lane))
            return true;
    }
    return false;
}

static void buffer_fit(struct bus_mpi *self, size_t size) {
    bool too_large = self->buffer_bytes > RECEIVE_BYTES_KEPT && size <= RECEIVE_BYTES_KEPT;
    if (self->buffer_bytes >= size && !too_large)
        return;
    size_t bytes = SMALL_BYTES;
    while (bytes < size)
        bytes *= 2;
    free(self->buffer);
    self->buffer = malloc(bytes);
    self->buffer_bytes = self->buffer != NULL ? bytes : 0;
}

/* Moves the arrival on; true when all its bytes are here. Without memory for it the message stays matched and the
 * next call tries again. Large ones come in pieces: MPI works on them in every test. */
static bool arrival_advance(struct bus_mpi *self) {
    struct arrival *arrival = &self->arrival;
    if (arrival->state == ARRIVAL_MATCHED) {
        buffer_fit(self, (size_t)arrival->size);
        if (self->buffer == NULL)
            return false;
        MPI_Imrecv(self->buffer, arrival->size, MPI_BYTE, &arrival->message, &arrival->request);
        arrival->state = ARRIVAL_RECEIVING;
    }
    if (arrival->state == ARRIVAL_RECEIVING && request_done(&arrival->request))
        arrival->state = ARRIVAL_COMPLETE;
    return arrival->state == ARRIVAL_COMPLETE;
}

static void loop_release(struct bus_mpi *self) {
    if (self->loop_held != NULL)
        self->pending_bytes -= self->loop_held->size;
    free(self->loop_held);
    self->loop_held = NULL;
}

static bool loop_receive(struct bus_mpi *self, struct bus_message *message) {
    struct loopback *loop = self->loop_first;
    if (loop == NULL)
        return false;
    self->loop_first = loop->next;
    if (self->loop_first == NULL)
        self->loop_last = NULL;
    self->loop_held = loop;
    *message = (struct bus_message){self->bus.rank, loop->lane, loop->data, loop->size};
    return true;
}

static bool mpi_receive(struct bus *bus, struct bus_message *message) {
    struct bus_mpi *self = mpi_of(bus);
    struct arrival *arrival = &self->arrival;
    loop_release(self);
    if (loop_receive(self, message))
        return true;
    if (arrival->state == ARRIVAL_NONE && !probe(self))
        return false;
    if (!arrival_advance(self))
        return false;
    *message = (struct bus_message){arrival->source, arrival->lane, self->buffer, (size_t)arrival->size};
    arrival->state = ARRIVAL_NONE;
    return true;
}

/* Waiting. */

static int64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Would bus_receive return something? A matched message is left alone: its buffer may still be the caller's. */
static bool look(struct bus_mpi *self) {
    if (self->pending_first != NULL)
        reap(self);
    if (self->loop_first != NULL)
        return true;
    switch (self->arrival.state) {
    case ARRIVAL_NONE:
        return probe(self);
    case ARRIVAL_MATCHED:
        return self->buffer != NULL; /* NULL: there was no memory for it */
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

static void mpi_wait(struct bus *bus, int64_t timeout_ns) {
    struct bus_mpi *self = mpi_of(bus);
    for (uint32_t i = 0; i < self->spin_rounds; i++) {
        if (look(self))
            return;
    }
    int64_t bound_ns = timeout_ns < 0 || timeout_ns > SLEEP_NS_MAX ? SLEEP_NS_MAX : timeout_ns;
    if (bound_ns == 0)
        return;
    if (!must_poll(self)) {
        sleep_once(self, bound_ns);
        return;
    }
    int64_t end_ns = clock_ns() + bound_ns, step_ns = POLL_NS_MIN;
    for (int64_t left_ns = bound_ns; left_ns > 0; left_ns = end_ns - clock_ns()) {
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

/* While ranks wait for each other inside MPI_Init and MPI_Finalize, Open MPI looks every 100 us whether it may go on;
 * with hundreds of them that alone keeps all cores busy and the last ones from starting. A generous timer slack
 * stretches those naps. Returns the slack to go back to. */
static int stretch_naps(void) {
    int slack_ns = prctl(PR_GET_TIMERSLACK);
    prctl(PR_SET_TIMERSLACK, INIT_SLACK_NS);
    return slack_ns;
}

static void restore_naps(int slack_ns) {
    prctl(PR_SET_TIMERSLACK, (unsigned long)(slack_ns > 0 ? slack_ns : 0)); /* 0: the process's default */
}

static void release(struct bus_mpi *self) {
    loop_release(self);
    for (struct loopback *loop = self->loop_first, *next; loop != NULL; loop = next) {
        next = loop->next;
        free(loop);
    }
    for (struct pending_send *send = self->pending_first, *next; send != NULL; send = next) {
        next = send->next;
        free(send);
    }
    for (struct pending_send *send = self->spare, *next; send != NULL; send = next) {
        next = send->next;
        free(send);
    }
    free(self->host_rank);
    free(self->written);
    free(self->dead);
    free(self->dirty);
    free(self->buffer);
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
    int slack_ns = stretch_naps();
    MPI_Finalize();
    restore_naps(slack_ns);
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
    self->buffer = malloc(SMALL_BYTES);
    self->buffer_bytes = SMALL_BYTES;
    if (self->host_rank == NULL || self->written == NULL || self->dead == NULL || self->dirty == NULL ||
        self->buffer == NULL) {
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

/* One allocation by the first rank of the host, with room to start on a cache line. */
static enum status open_doorbells(struct bus_mpi *self, uint32_t host_size, struct error *error) {
    int host_rank, unit;
    MPI_Comm_rank(self->host, &host_rank);
    MPI_Aint bytes = host_rank == 0 ? (MPI_Aint)(host_size + 1) * DOORBELL_BYTES : 0;
    void *base = NULL;
    if (MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, self->host, &base, &self->window) != MPI_SUCCESS)
        return error_set(error, STATUS_IO, "no shared memory for the doorbells of %u processes; is /dev/shm full?",
                         host_size);
    MPI_Win_shared_query(self->window, 0, &bytes, &unit, &base);
    uintptr_t aligned = ((uintptr_t)base + DOORBELL_BYTES - 1) / DOORBELL_BYTES * DOORBELL_BYTES;
    self->doorbells = (struct doorbell *)aligned;
    self->own = &self->doorbells[host_rank];
    doorbell_init(self->own);
    MPI_Barrier(self->host); /* nobody rings before all have named themselves */
    return STATUS_OK;
}

static uint32_t choose_spin_rounds(uint32_t host_size) {
    cpu_set_t cores;
    bool known = sched_getaffinity(0, sizeof cores, &cores) == 0;
    return known && host_size <= (uint32_t)CPU_COUNT(&cores) ? SPIN_ROUNDS_ROOMY : SPIN_ROUNDS_CROWDED;
}

enum status bus_mpi_open(int *argc, char ***argv, struct bus **bus, struct error *error) {
    int slack_ns = stretch_naps(), rank, size;
    if (MPI_Init(argc, argv) != MPI_SUCCESS)
        return error_set(error, STATUS_UNSUPPORTED, "MPI did not start; `tierbed doctor` checks the installation");
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
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &self->host);
    uint32_t host_size = find_neighbours(self);
    enum status status = open_doorbells(self, host_size, error);
    if (status != STATUS_OK) {
        release(self);
        return status;
    }
    self->spin_rounds = choose_spin_rounds(host_size);
    self->launcher = getenv("OMPI_COMM_WORLD_SIZE") != NULL ? getppid() : 0;
    restore_naps(slack_ns);
    doorbell_ask_slices(SLICE_NS_SHORTEST);
    *bus = &self->bus;
    return STATUS_OK;
}
