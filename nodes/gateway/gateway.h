/* gateway: gathers the windows of its devices into batches, decides with a policy which of them it diagnoses
 * itself and which go to the edge server, and answers every device.
 *
 * The life of a task here: on_task takes it into the open batch; the batch closes when every device is in, or
 * collect_window after its first task; decide() asks the policy. What stays is one batch on the processor,
 * jopa (2), and ends together. What leaves is sent most critical first; the network card queues it. The
 * answer goes out when the processor is done or the edge server's result is in. Each (device, slot) is taken
 * once, whatever the links duplicate.
 *
 * In a run with validators the edge server hands down accepted models. The gateway checks the proof for
 * itself, diagnoses with what holds, and passes it on to its devices; after a crash it waits for the next
 * one.
 *
 * A gateway that the fault schedule may crash persists, at every decision and every completion, which tasks
 * it took and where they are. Back from a crash it answers at once, as unanswered, those whose windows died
 * with its memory, and still forwards results of those that the edge server has. Tasks of a batch that was
 * open at the crash are unknown to it: their devices give them up. */
#ifndef TIERBED_NODES_GATEWAY_GATEWAY_H
#define TIERBED_NODES_GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "nodes/gateway/policy.h"
#include "nodes/gateway/uplink.h"
#include "nodes/model_holder.h"
#include "nodes/node.h"
#include "nodes/task.h"

enum gateway_timer {
    GATEWAY_TIMER_COLLECT = 1, /* cookie: batch number */
    GATEWAY_TIMER_CPU          /* cookie: number of the processor's run */
};

enum gateway_entry_state { ENTRY_NONE = 0, ENTRY_GATHERED, ENTRY_LOCAL, ENTRY_OFFLOADED, ENTRY_DONE };

/* What the gateway remembers of one (device, slot), without its window. */
struct gateway_entry {
    uint8_t state; /* enum gateway_entry_state */
    struct task_header task;
    double energy_device_j;     /* sending the window to here */
    int64_t closed_form_ns;     /* VTIME_NEVER as soon as it stops to hold */
    int64_t uplink_expected_ns; /* offloaded: when its transmission should start */
};

#define GATEWAY_NO_TASK UINT32_MAX

/* A window in memory: in the open batch, or waiting for or on the processor. */
struct gateway_window {
    struct message_task window;
    uint32_t entry;
    uint32_t next;       /* in the processor's queue */
    uint32_t batch_size; /* local tasks of its batch */
};

struct gateway_cpu {
    uint32_t head, tail; /* queue of windows; the first `running` of them are on the processor */
    uint32_t running;
    uint64_t run;    /* number of the current or next run */
    int64_t end_ns;  /* of the current run */
    int64_t free_ns; /* when everything queued will be done */
    int64_t busy_ns;
    double energy_j;
};

struct gateway_batch {
    uint32_t number;
    uint32_t *windows; /* owned; room for all windows, in order of arrival */
    uint32_t count;
    uint32_t *last_batch;      /* owned; per device: number + 1 of the batch it was last in */
    uint32_t device_count;     /* devices with at least one task in this batch */
    struct policy_task *tasks; /* owned; scratch of decide(), as are the next two */
    uint32_t *order;
    uint8_t *offload;
};

struct gateway {
    uint32_t edge;   /* node id, TOPOLOGY_NONE: nothing above, everything stays */
    int64_t edge_ns; /* E of one task there */
    double uplink_power_w;
    bool edge_formula; /* false when a fault may stop the edge server, or the uplink follows a trace: then no
                          closed form holds there */
    bool formula;      /* does eq (7) hold for what the batch being decided sends: was the uplink idle? */
    uint32_t sample_count;
    struct diagnosis_plan *plan; /* owned */
    struct task_log log;
    struct gateway_entry *entries;  /* owned; one per log entry */
    uint32_t window_count;          /* gateway_queue_max, and one to read into */
    struct gateway_window *windows; /* owned */
    int16_t *samples;               /* owned; window_count x sample_count */
    uint32_t *free_windows;         /* owned; stack */
    uint32_t free_count;
    struct gateway_batch batch;
    struct gateway_cpu cpu;
    struct uplink uplink;
    struct model_holder holder;
    uint8_t *durable; /* owned; room for everything persisted, NULL where no crash is scheduled */
    size_t durable_max;
    uint64_t duplicates, stale, full, uplink_full;
};

/* Sends the outcome of `entry` to its device and closes it. `answer` without task, device energy and closed
 * form: those come from the entry. */
void gateway_answer(struct gateway *gateway, uint32_t entry, struct message_answer answer,
                    struct outbox *out);
void gateway_release(struct gateway *gateway, uint32_t window); /* its place in memory is free again */

/* gateway_decide.c: closes the open batch; every task of it gets its place. */
void gateway_decide(struct gateway *gateway, const struct node_env *env, int64_t now_ns, struct outbox *out);
/* Something changed at `since_ns` for whatever waits for the uplink: the closed form of eq (7) holds no
 * longer for tasks whose transmission had not begun by then. */
void gateway_distrust_waiting(struct gateway *gateway, int64_t since_ns);

/* gateway_cpu.c: the processor. `windows` (count > 0) are one batch of local tasks. */
int64_t gateway_cpu_batch_ns(const struct scenario *scenario, uint32_t count); /* L of jopa (2) */
double gateway_cpu_task_s(const struct scenario *scenario);                    /* (1-p) H I / C_g */
void gateway_cpu_queue(struct gateway *gateway, const struct node_env *env, const uint32_t *windows,
                       uint32_t count, int64_t now_ns, struct outbox *out);
void gateway_cpu_done(struct gateway *gateway, const struct node_env *env, const struct node_event *event,
                      struct outbox *out);

/* gateway_durable.c: what outlives a crash. */
void gateway_persist(struct gateway *gateway, const struct node_env *env, struct outbox *out);
size_t gateway_durable_max(const struct gateway *gateway);
/* STATUS_INVALID when `durable` is not what gateway_persist wrote for this scenario. */
enum status gateway_recover(struct gateway *gateway, const struct node_env *env, const uint8_t *durable,
                            size_t durable_bytes);

#endif
