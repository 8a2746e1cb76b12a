/* chain_bench: what the parts of `tierbed bench chain` share.
 *
 * Validators run free: each is the node class of any run, driven by what arrives on the bus and by its
 * timers, with real time for virtual time and no emulated delay, on a ledger in a directory of its own. A
 * client plays edge servers that submit transactions and learns of commits by the validators' proofs. Under
 * mpirun each validator has a rank and the client the last one; in one process all share a thread and a bus
 * in memory. */
#ifndef TIERBED_BENCH_CHAIN_BENCH_H
#define TIERBED_BENCH_CHAIN_BENCH_H

#include "common/base/arena.h"
#include "common/ledger/store.h"
#include "common/net/bus.h"
#include "nodes/chain/chain.h"
#include "nodes/node.h"
#include "nodes/outbox.h"

#define CHAIN_BENCH_OUTSTANDING_MAX 16u
#define CHAIN_BENCH_BLOCK_TXS 400u

enum chain_phase { CHAIN_PHASE_RECORDS = 0, CHAIN_PHASE_SIGNED, CHAIN_PHASE_SINGLE, CHAIN_PHASES };

struct chain_bench_config {
    uint32_t validators;
    uint32_t record_bytes;
    uint32_t outstanding; /* blocks' worth of transactions on their way */
    uint32_t senders;     /* edge servers; each has one transaction on its way */
    double seconds;       /* of a phase */
    uint32_t heights;     /* in one process: stop each phase after so many blocks; 0: by time */
    bool phases[CHAIN_PHASES];
    enum ledger_durability durability;
    bool in_process;
    char dir[512];    /* of this run, made for it */
    int64_t epoch_ns; /* of the monotonic clock: time 0 of the run */
};

/* ---- chain_world.c: the nodes, their genesis and their keys, equal in every process ---- */

struct chain_world {
    const struct chain_bench_config *config; /* borrowed */
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct chain *chain;
};
enum status chain_world_open(struct chain_world *world, const struct chain_bench_config *config,
                             struct error *error);
void chain_world_close(struct chain_world *world);
/* Nodes are validators, then senders; the client's rank plays all senders. */
static inline uint32_t chain_world_rank(const struct chain_world *world, uint32_t node) {
    return node < world->config->validators ? node : world->config->validators;
}
static inline uint32_t chain_world_sender(const struct chain_world *world, uint32_t index) {
    return world->config->validators + index;
}

/* ---- what goes over the bus ---- */

/* BUS_EVENTS: this head, then the payload. */
struct chain_frame {
    uint32_t type; /* enum message_type */
    uint32_t source, destination;
};

/* BUS_CONTROL: the client asks, the validator answers with the same order. LEAVE has no answer: all close the
 * bus at once, after all have cleaned up. */
enum chain_order_kind {
    CHAIN_ORDER_MEASURE = 1,
    CHAIN_ORDER_START,
    CHAIN_ORDER_TELL,
    CHAIN_ORDER_STOP,
    CHAIN_ORDER_LEAVE
};

/* What it costs to make durable, in seconds, means: COMMIT and the sentinel, without the work before. */
struct chain_writes {
    double votes_s;  /* a signature: ledger_store_put_votes */
    double commit_s; /* a block: ledger_store_commit */
    uint64_t votes_count, commit_count;
    double votes_sum_s, commit_sum_s;
    double since_s; /* the one that goes on */
};
void chain_writes_watch(struct chain_writes *writes, struct ledger_store *ledger);
void chain_writes_average(struct chain_writes *writes);

struct chain_cost {
    double fdatasync_s, fdatasync_p99_s; /* append one page and fdatasync: mean, 99th percentile */
    struct chain_writes writes;
};

struct chain_order {
    uint32_t kind;
    uint32_t failed; /* enum status of the validator */
    struct chain_cost cost;
    struct chain_writes writes; /* so far in the run */
    uint64_t height;            /* committed */
    struct hash tip;
    double cpu_s;
    uint64_t rounds_lost; /* heights that took more than one round */
    uint64_t dropped;     /* messages that the bus had no room for */
};

/* Sends one message of the run; counts it in *dropped when there is no room. */
void chain_bench_send(struct bus *bus, uint32_t rank, const struct chain_frame *frame, const void *payload,
                      size_t bytes, uint64_t *dropped);

/* ---- chain_cost.c ---- */

/* In a directory below `dir`, which it removes again. */
enum status chain_cost_measure(const char *dir, uint32_t node, enum ledger_durability durability,
                               struct chain_cost *cost, struct error *error);
/* Removes `dir` and what is below it. */
void chain_bench_remove(const char *dir);

/* ---- chain_member.c: one validator ---- */

struct chain_timer {
    int64_t at_ns;
    uint64_t order;
    uint32_t timer;
    uint64_t cookie;
};

struct chain_member {
    const struct chain_world *world; /* borrowed */
    struct bus *bus;                 /* borrowed */
    uint32_t node;
    struct node_env env;
    const struct node_class *class;
    void *state; /* owned */
    struct outbox out;
    struct ledger_store *ledger; /* owned */
    struct chain_timer *timers;  /* owned; a heap */
    uint32_t timer_count, timer_capacity;
    uint64_t timer_order;
    bool running, stopped;
    enum status status; /* why it no longer runs */
    struct error error;
    uint64_t dropped, rounds_lost, round_height;
    struct chain_writes writes;
};
void chain_member_init(struct chain_member *member, const struct chain_world *world, struct bus *bus,
                       uint32_t node);
/* Handles all messages that are here and all timers that are due. True when there was any. */
bool chain_member_turn(struct chain_member *member);
/* How long it may sleep: until its next timer, at most a bound. */
int64_t chain_member_idle_ns(const struct chain_member *member);
/* Safe to call twice. */
void chain_member_close(struct chain_member *member);

/* ---- chain_client.c: submits, measures ---- */

struct chain_latency {
    double *values_s; /* owned */
    uint32_t count, capacity;
};

struct chain_figures {
    bool measured;
    double tx_per_s, seconds, p50_ms, p99_ms;
    uint64_t transactions, blocks;
    uint64_t sent_again;
    struct chain_writes writes; /* of all validators, in this phase */
};

struct chain_result {
    struct chain_figures phases[CHAIN_PHASES];
    struct chain_cost alone, together; /* before the run: one validator writes; all do */
    bool agreed;                       /* all validators ended at one block */
    uint64_t height, proofs_checked, rounds_lost, dropped;
    double cpu_s; /* of all validators */
};

/* Lets time pass: waits for the bus, or lets the validators of this process have a turn. */
typedef void (*chain_pump)(void *context, int64_t wait_ns);

enum status chain_client_run(const struct chain_world *world, struct bus *bus, chain_pump pump, void *context,
                             struct chain_result *result, struct error *error);

/* ---- chain_run.c ---- */
extern const char *const chain_phase_names[CHAIN_PHASES];
void chain_bench_defaults(struct chain_bench_config *config);
/* Takes one option by its long name; STATUS_INVALID with a sentence. */
enum status chain_bench_option(struct chain_bench_config *config, const char *name, const char *argument,
                               struct error *error);
/* What this rank does; `result` is filled for the last one, the client. */
enum status chain_run_rank(struct chain_bench_config *config, struct bus *bus, struct chain_result *result,
                           struct error *error);
enum status chain_run_here(struct chain_bench_config *config, struct chain_result *result,
                           struct error *error);

/* ---- chain_print.c ---- */
void chain_bench_print(const struct chain_bench_config *config, const struct chain_result *result);

#endif
