/* plus: cpdrl+, an agent whose noise-free policy, not only its best record, comes close to the optimum.
 *
 * Beyond the paper (docs/decisions/cpdrl-plus.md has the reasons and measurements). It sees what the system
 * shows: the tasks (D, C) and gains that devices report, and the delay and energy that each device measures
 * after a decision. It is given the boxes, the deadline and the weights of the objective, and this structural
 * knowledge, but no equation:
 *  - the objective is a sum over devices, and a device's part depends on its own task and action and, when it
 *    offloads, on how many offload (not on who);
 *  - delay, energy and what they depend on are positive, and relative differences matter (logarithms);
 *  - bandwidth is shared out completely.
 * Two predictors (one for local, one for offloaded tasks) learn log T and log E of one device; all devices of
 * a step are samples. Two actors choose clocks, and bandwidth shares and powers; they follow the gradient of
 * the predicted objective. Who offloads is searched: from nobody, the one device whose change is predicted to
 * help most changes, until none helps. There is no bootstrapping: an action has no consequence beyond its own
 * slot.
 *
 * Step by step: decide, carry out, learn. Pure, no clock and no file; same seed and calls, same bits. */
#ifndef TIERBED_SCHEMES_CPDRL_PLUS_H
#define TIERBED_SCHEMES_CPDRL_PLUS_H

#include "schemes/cpdrl/instance.h"
#include "schemes/cpdrl/predictor.h"

/* What is known of the system beforehand: limits of actions, and what counts as cost. */
struct cpdrl_box {
    double bandwidth_hz;
    double power_min_w, power_max_w;
    double clock_min_hz, clock_max_hz;
    double deadline_s;
    double delay_weight, energy_weight;
};
struct cpdrl_box cpdrl_box_of(const struct cpdrl_limits *limits);

/* What a device reports before a decision, all > 0. bits = 0: it has no task in this slot, is given nothing
 * and teaches nothing. */
struct cpdrl_task {
    double bits, cycles_per_bit, gain;
};

/* begin at the end of warm-up, end after `anneal_steps` more, linear between. */
struct cpdrl_schedule {
    double begin, end;
};

struct cpdrl_plus_config {
    uint32_t device_count; /* 1 .. CPDRL_DEVICES_MAX */
    struct cpdrl_box box;
    uint32_t warm_up_steps; /* random decisions, after which scales are fixed and learning begins */
    uint32_t anneal_steps;  /* over which rates and exploration fall */
    uint32_t replay_steps;  /* steps remembered */
    uint32_t hidden;        /* width of the two hidden layers of each network */
    uint32_t batch_rows;    /* devices per update, rounded up to whole steps */
    uint32_t predictor_updates, actor_updates;        /* per step */
    struct cpdrl_schedule predictor_rate, actor_rate; /* Adam */
    struct cpdrl_schedule noise; /* standard deviation on the raw outputs of the actors */
    struct cpdrl_schedule flip;  /* probability of each device to do the opposite of the policy */
    double late_weight;          /* cost of a second beyond the deadline, on top of the objective */
    double late_margin;          /* part of the deadline that is kept as a reserve for errors of prediction */
    bool straight;               /* the predictors' linear path */
    bool log_inputs, log_outputs; /* logarithms of what networks see, and of T and E */
    bool search;                  /* false: each device compares its own costs, as if all others offloaded */
};

struct cpdrl_plus_config cpdrl_plus_published(uint32_t device_count, const struct cpdrl_box *box);

/* One design decision taken back, to see what it is worth (docs/decisions/cpdrl-plus.md). */
enum cpdrl_ablation {
    CPDRL_ABLATION_FULL = 0,
    CPDRL_ABLATION_NO_SEARCH,
    CPDRL_ABLATION_NO_LOGARITHMS,
    CPDRL_ABLATION_NO_LOG_INPUTS,
    CPDRL_ABLATION_NO_LOG_OUTPUTS,
    CPDRL_ABLATION_NO_LINEAR_PATH,
    CPDRL_ABLATION_CONSTANT_EXPLORATION,
    CPDRL_ABLATION_NO_EXPLORATION,
    CPDRL_ABLATION_SLOW,
    CPDRL_ABLATION_ONE_UPDATE,
    CPDRL_ABLATION_COUNT
};
void cpdrl_plus_ablate(struct cpdrl_plus_config *config, enum cpdrl_ablation ablation);

struct cpdrl_plus_network {
    struct mlp mlp;
    struct mlp_trace trace;
    struct optimiser optimiser;
    size_t parameter_count;
    real *parameters, *gradients; /* owned */
};

struct cpdrl_plus {
    struct cpdrl_plus_config config;
    struct cpdrl_predictor local, offloaded;
    struct cpdrl_plus_network clock_actor, radio_actor;
    struct random_stream explore, minibatch;
    uint64_t step;                          /* steps learned from */
    real *records;                          /* owned, [replay_steps][device_count][fields of a record] */
    struct cpdrl_plus_workspace *workspace; /* owned */
};

/* Weights from the streams of (seed, node). Owned; close with cpdrl_plus_close, also after a failure. */
enum status cpdrl_plus_open(struct cpdrl_plus *agent, const struct cpdrl_plus_config *config, uint64_t seed,
                            uint64_t node);
void cpdrl_plus_close(struct cpdrl_plus *agent); /* safe on zeros */

/* tasks [device_count] -> a decision within the boxes, consistent, sum b = B where anybody offloads.
 * `explore`: random during warm-up, with noise later; otherwise the policy as it stands, which draws nothing
 * and changes nothing. */
void cpdrl_plus_decide(struct cpdrl_plus *agent, const struct cpdrl_task *tasks, bool explore,
                       struct cpdrl_decision *decision);

/* What came of a decision, all borrowed: tasks, delay_s and energy_j are [device_count]. A device that
 * measured nothing (lost, failed) has a delay that is not finite or not positive, and teaches nothing. */
struct cpdrl_plus_feedback {
    const struct cpdrl_task *tasks;
    const struct cpdrl_decision *decision;
    const double *delay_s, *energy_j;
};
/* Remembers the step and, after warm-up, makes the updates that are due. */
void cpdrl_plus_learn(struct cpdrl_plus *agent, const struct cpdrl_plus_feedback *feedback);

/* The objective that the agent expects of a decision, with the price of lateness. After warm-up. */
double cpdrl_plus_predict(struct cpdrl_plus *agent, const struct cpdrl_task *tasks,
                          const struct cpdrl_decision *decision);

/* Everything that later calls depend on. load: into an agent opened with the same configuration;
 * STATUS_INVALID when the bytes are of another one or damaged, and the agent is not to be used then. */
size_t cpdrl_plus_saved_bytes(const struct cpdrl_plus *agent);
void cpdrl_plus_save(const struct cpdrl_plus *agent, struct bytes_writer *writer);
enum status cpdrl_plus_load(struct cpdrl_plus *agent, struct bytes_reader *reader);

#endif
