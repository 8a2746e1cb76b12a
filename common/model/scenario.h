/* scenario: the resolved content of a scenario file, and the way from YAML text to it and back.
 *
 * One typed table (scenario_schema.c) drives everything: parsing, units, ranges, defaults, `--set`,
 * `--schema` (JSON Schema), `scenario print` and the reference page. Nothing here touches MPI or starts
 * anything. A struct scenario is plain data owned by the arena that loaded it; it is read-only after loading,
 * and every process of a run loads the same text, so every process sees the same struct. */
#ifndef TIERBED_MODEL_SCENARIO_H
#define TIERBED_MODEL_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"

enum node_role { ROLE_DEVICE = 0, ROLE_GATEWAY, ROLE_EDGE, ROLE_CHAIN, ROLE_DIRECTOR, ROLE_COUNT };

#define SCENARIO_NAME_MAX 48      /* bytes with the terminating zero */
#define SCENARIO_LEVELS_MAX 16    /* criticality levels */
#define SCENARIO_STATES 3         /* Markov channel states: bad, normal, good */
#define SCENARIO_NODES_MAX 100000 /* nodes in one run */

/* A group of like nodes. Without `count` and `per_parent` it is one node called `name`; with count n they are
 * called name-1 .. name-n (parents dealt in contiguous, even blocks); with per_parent n, each node of the
 * parent group has n: name-1-1 (first of the first parent) .. name-P-n. */
struct scenario_group {
    char name[SCENARIO_NAME_MAX];
    enum node_role role;
    char parent[SCENARIO_NAME_MAX]; /* group name, "" for none */
    uint32_t count;                 /* 0: not given */
    uint32_t per_parent;            /* 0: not given */
};

enum link_kind { LINK_IDEAL = 0, LINK_WIRED, LINK_OFDMA, LINK_LTE_M, LINK_TRACE, LINK_OFDMA_SHARE };
enum link_channel { CHANNEL_FIXED = 0, CHANNEL_MARKOV3, CHANNEL_LEVELS10, CHANNEL_PATH_LOSS };
enum link_loss { LOSS_NONE = 0, LOSS_BERNOULLI, LOSS_GILBERT_ELLIOTT };

/* One directed link between every pair (child, parent) or (parent, child) of two groups or nodes. */
struct scenario_link {
    char from[SCENARIO_NAME_MAX];
    char to[SCENARIO_NAME_MAX];
    enum link_kind kind;
    double rate_bps;    /* wired */
    int64_t delay_ns;   /* propagation; 0 only for `ideal` */
    int64_t jitter_ns;  /* uniform extra delay in [0, jitter] */
    bool reorder;       /* jitter may reorder; otherwise FIFO is kept */
    uint32_t queue_max; /* packets waiting, excluding the one in transmission */
    enum link_loss loss;
    double loss_probability;     /* Bernoulli; Gilbert-Elliott: loss in the good state */
    double loss_probability_bad; /* Gilbert-Elliott: loss in the bad state */
    double loss_good_to_bad;     /* Gilbert-Elliott transition probability per packet */
    double loss_bad_to_good;
    double duplicate_probability;
    double corrupt_probability; /* a corrupted packet arrives with flipped payload bits and is dropped by its
                                   checksum */
    double reorder_probability; /* packet gets reorder_delay extra and may be overtaken */
    int64_t reorder_delay_ns;
    /* radio (ofdma, ofdma-share, lte-m) */
    enum link_channel channel;
    double bandwidth_hz;   /* W: whole band of the cell; shared as the kind says */
    double power_w;        /* z: transmit power; ofdma-share: the most that may be granted */
    double noise_w_per_hz; /* N0 */
    double noise_w;        /* ofdma-share: sigma^2, the noise power whatever the band */
    double
        gain[SCENARIO_STATES]; /* psi of bad, normal, good (markov3); gain[0] is the fixed gain otherwise */
    double transition[SCENARIO_STATES][SCENARIO_STATES]; /* markov3, rows bad, normal, good; per slot */
    uint32_t subchannels; /* ofdma: C, sub-channels of bandwidth_hz / C; given to senders by allocation */
    uint32_t subchannels_initial; /* ofdma: how many this sender holds before the first allocation */
    double share;      /* lte-m: part of the band of this gateway, M_g / N; 0: its devices / all devices */
    double distance_m; /* path-loss channel: g = g0 (l0/l)^h; 0: from the positions of the nodes */
    double path_loss_g0;
    double path_loss_exponent;
    double
        mini_slot_bits;   /* lte-m: H in tau = H / R_max; a packet of H bits takes ceil(R_max/R) mini-slots */
    char trace_file[256]; /* trace: Mahimahi text, one millisecond stamp a line = one 1500-byte chance */
};

struct scenario_task {
    double bits;           /* emulated size of one window */
    double sample_rate_hz; /* of the window */
    int64_t window_ns;     /* length of the window */
    int64_t phase_ns;      /* each device starts its slot up to this much late (uniform, fixed per device) */
    uint32_t level_count;
    double criticality[SCENARIO_LEVELS_MAX];  /* k, ascending, equally likely */
    int64_t deadline_ns[SCENARIO_LEVELS_MAX]; /* T_k, same order */
    int64_t answer_timeout_ns;                /* a device gives a task up as unanswered after this */
};

struct scenario_compute {
    double gateway_flops;          /* C_g, FLOP/s */
    double edge_flops;             /* C_e, FLOP/s, divided evenly among gateways */
    double intensity_flop_per_bit; /* I of local processing */
    double pruning;                /* p in [0,1): local work is (1-p) H I */
    double edge_work_flop;         /* F_e per offloaded task */
    double gateway_power_w;        /* while computing */
    double edge_power_w;           /* while computing */
    uint32_t gateway_queue_max;    /* tasks waiting at a gateway */
    uint32_t edge_queue_max;       /* tasks waiting at the edge per gateway */
    int64_t collect_window_ns; /* gateway closes a batch this long after its first task, or when all are in */
};

enum policy_kind { POLICY_LOCAL = 0, POLICY_OFFLOAD, POLICY_RANDOM, POLICY_GREEDY };

struct scenario_policy {
    enum policy_kind kind;
    double offload_probability; /* random */
};

/* What a scheme decides about: tasks of devices that stand directly below an edge server, and what each end
 * has. Ranges are least and most; what is drawn is uniform in them. */
struct scenario_offloading {
    double area_m;  /* devices stand in a square of this side, the edge server in its middle; 0: nowhere */
    double bits[2]; /* D */
    double cycles_per_bit[2]; /* C */
    int64_t deadline_ns;      /* tau */
    bool redraw;              /* draw D and C in every slot; otherwise once, so that a run is one instance */
    double clock_hz[2];       /* f of a device */
    double capacitance;       /* kappa, J s^2 / cycle^3 */
    double power_w[2];        /* p of a device */
    double edge_clock_hz;     /* F, shared evenly by the tasks of a slot that run there */
    double delay_weight, energy_weight; /* lambda_1 per s, lambda_2 per J */
};

struct scenario_training {
    uint32_t evaluate_slots;   /* the last slots: deterministic policy, nothing is learnt */
    uint32_t checkpoint_slots; /* the edge server stores what it has learnt every so many slots; 0: never */
    char resume[512];    /* run directory, or store of an edge server, to go on from; "": from nothing */
    uint32_t first_slot; /* the run begins with this slot, on the timeline of the run it resumes */
};

/* What the nodes of role chain run; ignored without any. */
enum chain_durability { CHAIN_POWER = 0, CHAIN_PROCESS };
enum chain_time { CHAIN_TIME_MONOTONE = 0, CHAIN_TIME_PROPOSER };
/* What validators submit themselves, to have something to agree on. */
struct scenario_chain_load {
    double rate_hz; /* transactions of all validators together, at random times; 0: none */
    uint32_t records, record_bytes;
};
struct scenario_chain {
    int64_t timeout_ns, timeout_step_ns, timeout_max_ns; /* T(r) = min(T0 + delta r, cap) */
    int64_t status_interval_ns; /* beacon of what a validator holds; retransmission follows from it */
    double block_rate_hz;       /* lambda of T_gen ~ Exp(lambda); 0: blocks follow each other at once */
    bool empty_blocks;          /* make blocks without transactions */
    uint32_t block_txs_max, block_bytes_max, blob_bytes_max;
    uint32_t mempool_max;         /* transactions waiting at a validator */
    uint32_t checkpoint_interval; /* heights */
    uint32_t models_kept;         /* accepted models of a task whose bytes are kept */
    uint32_t evidence_age;        /* heights */
    uint32_t open_models_max;     /* models under attestation at once */
    double epsilon;               /* largest |claimed - median| of a metric that is accepted */
    double verify_cycles_per_bit; /* f of T_cv = S_B f / f_b; charged before the prevote */
    double validator_clock_hz;    /* f_b, of the first validator */
    double clock_spread;          /* the last one's is so much lower, as a share of it; evenly between */
    enum chain_durability durability;
    enum chain_time time;     /* what the time of a block must satisfy (docs/chain.md) */
    int64_t precision_ns;     /* proposer: how far clocks of validators may be apart */
    int64_t message_delay_ns; /* proposer: how long a proposal may travel */
    bool exclude_accused;     /* validators that evidence speaks against do not propose */
    uint32_t model_slots;     /* an edge server offers a model every so many slots; 0: never */
    struct scenario_chain_load load;
};

/* Who the nodes are, and whether what they say is sealed. */
struct scenario_identity {
    char keys[512]; /* directory of `tierbed keys init`; "": keys derived from the seed */
    bool seal;      /* messages between nodes are sealed */
};

enum data_source { DATA_GENERATOR = 0, DATA_RECORDS };

struct scenario_data {
    enum data_source source; /* records as soon as `dir` is given */
    char dir[512];
    double shaft_hz; /* shaft speed of the generator and the diagnosis */
    double snr_db;   /* generator: fault impulses against noise */
    double slip;     /* generator: relative standard deviation of the impulse spacing */
};

enum fault_kind {
    FAULT_CRASH = 0,
    FAULT_RESTART,
    FAULT_HANG,
    FAULT_PARTITION,
    FAULT_LOSS,
    FAULT_CORRUPT,
    FAULT_DUPLICATE,
    FAULT_REORDER,
    FAULT_RATE,
    /* of the disk of a validator */
    FAULT_DISK_FULL,
    FAULT_LEDGER_CORRUPT,
    FAULT_LEDGER_ROLLBACK,
    FAULT_LEDGER_WIPE,
    FAULT_LEDGER_UNLINK,
    FAULT_CLOCK /* of a validator */
};

/* Does it hit nodes (`node`), rather than links (`from`, `to`)? */
static inline bool fault_on_node(enum fault_kind kind) {
    return kind <= FAULT_HANG || kind >= FAULT_DISK_FULL;
}

/* Does it hit the ledger of a validator? */
static inline bool fault_on_ledger(enum fault_kind kind) {
    return kind >= FAULT_DISK_FULL && kind <= FAULT_LEDGER_UNLINK;
}

enum ledger_file { LEDGER_VOTES = 0, LEDGER_CHAIN, LEDGER_BLOBS, LEDGER_SENTINEL };

/* One line of the fault schedule. crash/restart: at, node. hang: at, until, node. partition: at, until, from,
 * to, one_way. disk-full: at, until, node. ledger-rollback: at (copied), until (put back), node.
 * ledger-corrupt, ledger-wipe, ledger-unlink: at, node. clock: at, until, node, offset, drift. The rest are
 * link faults: at, until, from, to, value (probability, or rate factor in (0, 1]). */
struct scenario_fault {
    enum fault_kind kind;
    int64_t at_ns;
    int64_t until_ns;             /* VTIME_NEVER: to the end */
    char node[SCENARIO_NAME_MAX]; /* node or group */
    char from[SCENARIO_NAME_MAX];
    char to[SCENARIO_NAME_MAX];
    bool one_way;
    double value;
    enum ledger_file file; /* ledger-corrupt, ledger-unlink */
    int64_t offset_ns;     /* clock: ahead by this at `at` (negative: behind) */
    double drift;          /* clock: and by this much more per unit of time since; -1: it stands still */
};

struct scenario {
    char name[SCENARIO_NAME_MAX];
    char description[256];
    uint64_t seed;
    int64_t slot_ns;
    uint32_t slots;
    int64_t drain_ns; /* time after the last slot for answers to arrive */
    struct scenario_group *groups;
    uint32_t group_count;
    struct scenario_link *links;
    uint32_t link_count;
    struct scenario_task task;
    struct scenario_compute compute;
    struct scenario_policy policy;
    unsigned scheme;      /* index into scheme_names (model/scheme_options.h); 0: none */
    void *scheme_options; /* struct of the scheme, NULL without one */
    struct scenario_offloading offloading;
    struct scenario_training training;
    struct scenario_chain chain;
    struct scenario_identity identity;
    struct scenario_data data;
    struct scenario_fault *faults;
    uint32_t fault_count;
    uint32_t superdense_max; /* same-time steps before the run is stopped as a loop; at most 250 */
};

/* One `--set key=value`; key is a dotted path, list items by index or by name: `links.0.rate`,
 * `nodes.sensor.count`. */
struct scenario_override {
    const char *assignment; /* "a.b=c", borrowed */
};

/* A problem found in a file. Problems are collected: a load reports all of them at once. */
struct scenario_problem {
    uint32_t line, column; /* 1-based; 0: from --set or from the file as a whole */
    char text[512]; /* "links[0].rate: expected a data rate such as `5 Mbit/s`, got `5`; did you mean ...?" */
};

#define SCENARIO_PROBLEMS_MAX 100

struct scenario_problems {
    char file[512];
    struct scenario_problem items[SCENARIO_PROBLEMS_MAX];
    uint32_t count;
};

/* When slot `slot` begins. */
static inline int64_t scenario_slot_begin_ns(const struct scenario *scenario, uint32_t slot) {
    return (int64_t)slot * scenario->slot_ns;
}

/* Where the timeline of a run begins: 0, or later when it goes on with that of an earlier run. */
static inline int64_t scenario_begin_ns(const struct scenario *scenario) {
    return scenario_slot_begin_ns(scenario, scenario->training.first_slot);
}

/* Loads FILE, applies overrides, fills defaults, checks everything. STATUS_INVALID with `problems` filled
 * when the content is wrong, STATUS_IO when the file cannot be read (also one problem). Strings and arrays
 * live in `arena`. */
enum status scenario_load_file(const char *path, const struct scenario_override *overrides,
                               size_t override_count, struct arena *arena, struct scenario *scenario,
                               struct scenario_problems *problems);

/* As above from text in memory (`name` stands for the file in messages). */
enum status scenario_load_text(const char *text, size_t size, const char *name,
                               const struct scenario_override *overrides, size_t override_count,
                               struct arena *arena, struct scenario *scenario,
                               struct scenario_problems *problems);

/* Writes the resolved scenario as YAML with units; loading it again gives an equal struct and prints the same
 * text. Returns a zero-terminated text in `arena`, its length in `size` (may be NULL). */
char *scenario_print(const struct scenario *scenario, struct arena *arena, size_t *size);

/* Calls `visit` for every file or folder that the scenario names and that holds part of its input: traces,
 * records. Stops at the first status that is not STATUS_OK and returns it. Paths are borrowed. */
typedef enum status (*scenario_visit_path)(void *context, const char *path);
enum status scenario_each_path(const struct scenario *scenario, scenario_visit_path visit, void *context);

/* JSON Schema (draft 2020-12) of the file format, and the Markdown reference page; texts in `arena`. */
char *scenario_json_schema(struct arena *arena);
char *scenario_reference(struct arena *arena);

/* Prints problems as FILE:LINE:COLUMN: text, one a line, with a closing count. */
void scenario_problems_print(const struct scenario_problems *problems, void *stream /* FILE * */);

#endif
