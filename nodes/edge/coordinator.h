/* coordinator: an edge server that decides for the devices directly below it, by a scheme.
 *
 * One slot: reports come in; when all are there (or the collect window is over) the scheme decides; band and
 * power are granted to the devices' network cards and each device is told; data comes up and is computed, the
 * server's clock shared evenly by the tasks of the slot; outcomes come back; when all are there (or the slot
 * ends) the scheme settles the slot. */
#ifndef TIERBED_NODES_EDGE_COORDINATOR_H
#define TIERBED_NODES_EDGE_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/net/message_slot.h"
#include "nodes/node.h"
#include "schemes/scheme.h"

/* Cookies: slot in the low 32 bits; COMPUTED: index of the device above. */
enum coordinator_timer {
    COORDINATOR_TIMER_COLLECT = 1, /* reports that did not come by now do not count */
    COORDINATOR_TIMER_DECIDE,      /* the scheme decides: an event of its own, so that its time stands in the
                                      record */
    COORDINATOR_TIMER_TELL,        /* decisions go out, in the same moment */
    COORDINATOR_TIMER_COMPUTED,
    COORDINATOR_TIMER_SETTLE,
    COORDINATOR_TIMER_FINISH /* the last slot ends */
};

/* What is known of one device in the running slot. */
struct coordinator_device {
    uint32_t node;
    bool settled;
    bool served, computing;    /* its data came up; it is being computed */
    struct task_header header; /* while its task is computed here */
};

struct coordinator {
    const struct scheme *scheme;
    void *scheme_state; /* owned */
    uint32_t device_count;
    struct coordinator_device
        *devices; /* owned, like the arrays below; [device_count] in order of node ids */
    struct scheme_task *tasks;
    struct scheme_decision *decisions;
    struct scheme_outcome *outcomes;
    uint32_t step_base;   /* slots before slot 0 of this timeline, when training was resumed into a new one */
    uint32_t slot;        /* running, valid when `running` */
    uint32_t next_slot;   /* the first that has not begun */
    uint32_t stored_slot; /* next_slot of the last checkpoint; 0: none */
    uint32_t reported_count, settled_count, offload_count;
    bool running, decided;
    int64_t busy_ns;
    uint64_t stale; /* messages of slots that are over or not decided yet, and duplicates */
};

#endif
