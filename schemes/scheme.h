/* scheme: a way to decide where the tasks of devices run, and with what, as callbacks into the slot protocol.
 *
 * A scheme lives at the edge server that decides (nodes/edge/coordinator.c): in every slot it sees the tasks
 * that devices reported, decides, and is told what was measured on the timeline. It is as pure as a node: no
 * clock, no file, no message, no global; all randomness from streams keyed by (seed, node, purpose). To add
 * one: a folder schemes/NAME with a `const struct scheme NAME_scheme`, and a row in schemes.def. Schemes
 * include common/ only, never each other or nodes/. */
#ifndef TIERBED_SCHEMES_SCHEME_H
#define TIERBED_SCHEMES_SCHEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/model/scenario.h"
#include "common/model/scheme_options.h"
#include "common/net/message.h"

/* What a device reported for a slot. */
struct scheme_task {
    bool present;          /* false: no report came in time; the rest is 0 and no decision is sent */
    uint64_t bits;         /* D */
    double cycles_per_bit; /* C */
    double deadline_s;     /* tau */
    double gain;           /* g of the device's uplink, linear */
};

/* What is decided for a device. The coordinator cuts it to what the scenario allows. */
struct scheme_decision {
    bool offload;
    double clock_hz;     /* f of the device, used if it computes itself */
    double bandwidth_hz; /* b and p, used if it offloads */
    double power_w;
};

/* What a device measured. Nothing came back (lost, crashed): drop says why, delay_s is the length of the slot
 * and the rest 0. A device that had no task has drop DROP_NONE and zeros. */
struct scheme_outcome {
    double delay_s;  /* T: waiting and air time of the data, and computation */
    double energy_j; /* E of the device */
    double uplink_s, compute_s;
    enum drop_reason drop;
};

enum scheme_phase { SCHEME_TRAIN = 0, SCHEME_EVALUATE };

struct scheme_slot {
    uint32_t slot;
    enum scheme_phase phase;         /* EVALUATE: act without exploring, learn nothing */
    const struct scheme_task *tasks; /* [device_count], borrowed */
};

/* What is fixed for a run. Borrowed. */
struct scheme_env {
    uint64_t seed;
    uint32_t node; /* of the edge server: key of random streams */
    uint32_t device_count;
    uint32_t slots, evaluate_slots;
    const struct scenario_offloading *offloading;
    double bandwidth_hz, noise_w; /* B and sigma^2 of the devices' links */
    const void *options;          /* struct of the scheme, filled by its table */
};

/* Where a scheme says what it has found: values over slots, and figures of the whole run. Names as in
 * record/rows.h. */
struct scheme_log {
    void *context;
    void (*series)(void *context, const char *name, double value);
    void (*result)(void *context, const char *name, const char *unit, double value);
};

struct scheme {
    struct scheme_options options;
    size_t state_bytes; /* allocated zero-filled by the coordinator */
    /* On failure close is called all the same. */
    enum status (*open)(void *state, const struct scheme_env *env, struct error *error);
    void (*close)(void *state);
    /* Fills decisions [device_count]. */
    void (*decide)(void *state, const struct scheme_slot *slot, struct scheme_decision *decisions);
    /* The slot is over: learns from it when it was a training slot. `decisions` as they were carried out. */
    void (*settle)(void *state, const struct scheme_slot *slot, const struct scheme_decision *decisions,
                   const struct scheme_outcome *outcomes, const struct scheme_log *log);
    /* The last slot is over: figures of the run. */
    void (*finish)(void *state, const struct scheme_log *log);
    /* Everything that lets the next slot go on with the same bits. save writes exactly saved_bytes; load goes
     * into a state opened with the same env; STATUS_INVALID for anything that save did not write. */
    size_t (*saved_bytes)(const void *state);
    void (*save)(const void *state, struct bytes_writer *writer);
    enum status (*load)(void *state, struct bytes_reader *reader);
};

/* Scheme `number` >= 1 of a scenario. */
const struct scheme *scheme_of(unsigned number);

#endif
