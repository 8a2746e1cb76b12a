/* summary: the key figures of a run, computed from metrics.sqlite alone; for the terminal, for --json, for
 * the report and for comparing runs.
 *
 * Percentiles are by nearest rank: the value at position ceil(p n) of the sorted values. NAN: not recorded.
 */
#ifndef TIERBED_RECORD_SUMMARY_H
#define TIERBED_RECORD_SUMMARY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/error.h"
#include "common/data/bearing.h"
#include "common/net/message.h"
#include "common/record/rows.h"

struct summary_delay {
    uint64_t count;
    double mean_ms, p50_ms, p99_ms, max_ms; /* NAN when count is 0 */
};

/* What nodes measured under one name. Of several nodes: mean, least and most over those whose value is
 * finite; NAN when none is. */
struct summary_result {
    char name[ROW_RESULT_NAME_MAX + 1], unit[ROW_UNIT_MAX + 1];
    uint64_t nodes;
    double mean, least, most;
};

struct summary_series {
    char name[ROW_SERIES_NAME_MAX + 1];
    uint64_t nodes, values, steps; /* steps: values of the node that has most */
    uint64_t not_finite;           /* of the values */
    int64_t last_step;
    double last; /* value at the last step of each node: mean over nodes, NAN when none is finite */
};

/* Wall clock that nodes of a role spent with one kind of event. */
struct summary_handler {
    char role[12], name[ROW_SERIES_NAME_MAX + 1];
    uint64_t calls;
    double least_s, wall_s; /* the quickest call, and all */
};

/* The time of a block, measured and by formula (common/model/chain_delay.h); means over the heights counted,
 * in seconds, NAN where unknown. Counted: heights of one round at which all N validators were there from the
 * block to the commit. With P the proposer and, for each validator b, whole_b = t_block_complete (of P
 * t_propose_send), voted_b = t_prevote_send or, where it sent none, t_commit:
 *   gen      t_ready - t_newheight of P
 *   wait     t_propose_send - t_ready of P: for a transaction, where no empty blocks are made
 *   tr_q     whole_b - t_propose_send: of the q-th validator that has the block; tr_all: of the last
 *   cv_q     voted_b - whole_b: the q-th smallest; cv_all: the largest. That is t_commit - t_block_complete
 * less all waiting for the votes of others; P has made the block and needs no time agree_q  from the q-th
 * vote to the q-th commit; agree_all: from the last to the last Formulas: tr and cv are IPOR Eq. (5) and (6)
 * with B = M_p = N and the bits of the block; tree_q and tree_all the binomial tree of parts; verify_q and
 * verify_all the second term of Eq. (6), of the q-th and of the slowest. They need equal links of a constant
 * rate between all validators. */
struct summary_chain_delay {
    uint64_t heights;
    double block_bits;
    double gen_s, wait_s, tr_q_s, tr_all_s, cv_q_s, cv_all_s, agree_q_s, agree_all_s;
    struct summary_chain_formula {
        double gen_s, gen_truncated_s, tr_s, tree_q_s, tree_all_s, cv_s, verify_q_s, verify_all_s, block_s,
            block_q_s;
    } formula;
};

/* What the validators did; all 0 in a run without any. Ledgers: those that could be read after the run. */
struct summary_chain {
    uint64_t validators, crashes, restarts, ledger_failures, dropped;
    uint64_t read, agree; /* ledgers; of them, those whose blocks are those of the longest */
    uint64_t least_height, most_height, transactions, models_accepted, accused;
    uint64_t slow_heights; /* of several rounds */
    double block_s;        /* mean time from block to block, NAN: fewer than two */
    struct summary_chain_delay delay;
};

#define SUMMARY_HANDLERS_MAX 64u
#define SUMMARY_RESULTS_MAX 128u
#define SUMMARY_SERIES_MAX 64u

struct summary {
    char scenario[64], description[256], seed[24], policy[32], data_source[32];
    char scheme[32]; /* decides instead of a policy; "" or "none": no scheme */
    char transport[32], clock[16], status[16], message[1024], digest[72];
    uint64_t processes, slots, devices, gateways, edges, nodes, links;
    double slot_s, speed, wall_s, startup_s;
    double begin_s, virtual_s; /* where on its timeline the run began, and how long it lasted from there */
    uint64_t events, windows;

    /* born: tasks with a row. unreported: slots of devices without a row (born late, or the device was down).
     */
    uint64_t born, done, dropped, in_flight, unreported, drop[DROP_REASON_COUNT];
    uint64_t at_device, at_gateway, at_edge; /* where done tasks were processed */
    struct summary_delay delay;              /* done tasks, born to answered */
    struct summary_delay service;            /* done tasks, decided to end of compute: D of jopa eq (16) */
    double energy_device_j, energy_gateway_j, energy_uplink_j, energy_edge_j;
    double busy_gateway, busy_uplink, busy_edge; /* 0..1 of the virtual time, mean over nodes or links */

    /* Processed: done, or late only. Tasks of an unknown class are not counted. */
    uint64_t processed, right, confusion[BEARING_CLASS_COUNT][BEARING_CLASS_COUNT]; /* [true][answered] */

    /* |measured - closed form| over tasks that have both. Measured: at the edge (uplink_end - decided) +
     * (compute_end - compute_start); at the gateway compute_end - decided. */
    uint64_t closed_count, closed_within_1_ns;
    double closed_max_ns, closed_mean_ns;

    double process_busy_s, process_wait_s, process_wait_max_share;
    uint64_t process_rows, peak_rss_bytes;     /* sum over processes */
    double late_p50_s, late_p99_s, late_max_s; /* of the worst process; meaningful when clock is "wall" */
    uint64_t lost, corrupted, cut, duplicated, refused, dropped_down; /* packets, over all links */
    uint64_t crashes, restarts, hangs, protocol_errors, faults;
    uint64_t not_admitted; /* nodes; and messages dropped for what they are, over all nodes: */
    uint64_t join_refused, unsealed, replayed, forbidden;

    struct summary_chain chain;

    /* By name, the first ones; result_names and series_names say how many names there are. */
    struct summary_result results[SUMMARY_RESULTS_MAX];
    struct summary_series series[SUMMARY_SERIES_MAX];
    struct summary_handler handlers[SUMMARY_HANDLERS_MAX];
    uint32_t result_count, series_count, handler_count;
    uint64_t result_names, series_names;
};

/* STATUS_IO: no metrics there; STATUS_INVALID: corrupt or of another version. */
enum status summary_load(const char *dir, struct summary *summary, struct error *error);

void summary_print_text(const struct summary *summary, FILE *out);

/* A new object, owned by the caller; NULL without memory. */
json_t *summary_to_json(const struct summary *summary);

/* Was a node not admitted, or a message dropped for what it is? */
bool summary_has_strangers(const struct summary *summary);

/* Are there devices, gateways or edge servers, so that there is work? Otherwise validators are alone. */
bool summary_has_tiers(const struct summary *summary);

/* Does a scheme decide? Then tasks are not diagnosed, and devices stand directly below an edge server. */
bool summary_has_scheme(const struct summary *summary);

/* Virtual seconds per wall second, events per wall second, share of waiting in 0..1, accuracy in 0..1; NAN:
 * none. */
double summary_speed_up(const struct summary *summary);
double summary_events_per_s(const struct summary *summary);
double summary_wait_share(const struct summary *summary);
double summary_accuracy(const struct summary *summary);

/* The result of this name, NULL when no node recorded one. */
const struct summary_result *summary_result(const struct summary *summary, const char *name);

/* |measured - closed form| of one task as above; VTIME_NEVER where one of both is missing. */
int64_t summary_closed_form_gap_ns(const struct row_task *task);

#endif
