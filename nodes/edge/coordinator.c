#include "nodes/edge/coordinator.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/compute.h"
#include "common/model/energy.h"
#include "common/time/vtime.h"
#include "nodes/edge/coordinator_durable.h"
#include "nodes/outbox.h"
#include "nodes/task.h"

#define MESSAGE_BYTES_MAX 128 /* any message of the slot protocol */
#define ENERGY_SLACK 1e-9     /* relative, for rounding */

/* ---- opening ---- */

static enum status count_devices(struct coordinator *edge, const struct node_env *env) {
    const struct topology_node *node = &env->topology->nodes[env->self];
    edge->devices = calloc((size_t)node->child_count + 1, sizeof *edge->devices);
    edge->tasks = calloc((size_t)node->child_count + 1, sizeof *edge->tasks);
    edge->decisions = calloc((size_t)node->child_count + 1, sizeof *edge->decisions);
    edge->outcomes = calloc((size_t)node->child_count + 1, sizeof *edge->outcomes);
    if (!edge->devices || !edge->tasks || !edge->decisions || !edge->outcomes)
        return STATUS_MEMORY;
    for (uint32_t i = 0; i < node->child_count; i++)
        edge->devices[edge->device_count++].node = env->topology->children[node->first_child + i];
    return edge->device_count > 0 ? STATUS_OK : STATUS_INVALID;
}

/* The link of a device up to here: all have the same band and noise. */
static const struct scenario_link *uplink_of(const struct coordinator *edge, const struct node_env *env) {
    return env->topology->links[topology_link_between(env->topology, edge->devices[0].node, env->self)]
        .config;
}

static enum status coordinator_init(struct coordinator *edge, const struct node_env *env) {
    const struct scenario *scenario = env->scenario;
    TRY(count_devices(edge, env));
    edge->scheme = scheme_of(scenario->scheme);
    edge->scheme_state = calloc(1, edge->scheme->state_bytes);
    if (edge->scheme_state == NULL)
        return STATUS_MEMORY;
    struct scheme_env scheme_env = {.seed = scenario->seed,
                                    .node = env->self,
                                    .device_count = edge->device_count,
                                    .slots = scenario->slots,
                                    .evaluate_slots = scenario->training.evaluate_slots,
                                    .offloading = &scenario->offloading,
                                    .bandwidth_hz = uplink_of(edge, env)->bandwidth_hz,
                                    .noise_w = uplink_of(edge, env)->noise_w,
                                    .options = scenario->scheme_options};
    return edge->scheme->open(edge->scheme_state, &scheme_env, env->error);
}

static int64_t slot_end_ns(const struct scenario *scenario, uint32_t slot) {
    return scenario_slot_begin_ns(scenario, slot) + scenario->slot_ns - 1;
}

/* The slot under way at `now_ns`, at most the number of slots. */
static uint32_t slot_at(const struct scenario *scenario, int64_t now_ns) {
    int64_t slot = now_ns / scenario->slot_ns;
    return slot < (int64_t)scenario->slots ? (uint32_t)slot : scenario->slots;
}

static void arm_finish(const struct node_env *env, int64_t now_ns, struct outbox *out) {
    int64_t end_ns = slot_end_ns(env->scenario, env->scenario->slots - 1);
    if (now_ns <= end_ns)
        outbox_timer(out, end_ns, COORDINATOR_TIMER_FINISH, 0);
}

static enum status on_start(void *state, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    struct coordinator *edge = state;
    TRY(coordinator_init(edge, env));
    edge->next_slot = slot_at(env->scenario, now_ns);
    arm_finish(env, now_ns, out);
    return STATUS_OK;
}

/* Back after a crash, or in a new run that goes on from an earlier one: with what the last checkpoint says.
 * A slot that was under way begins anew unless it was already settled. What a new run took over it stores at
 * once, so that a crash before its first checkpoint does not lose it. */
static enum status on_restart(void *state, const struct node_env *env, int64_t now_ns, const uint8_t *durable,
                              size_t durable_bytes, struct outbox *out) {
    struct coordinator *edge = state;
    const struct scenario *scenario = env->scenario;
    bool new_run = now_ns == scenario_begin_ns(scenario);
    TRY(coordinator_init(edge, env));
    TRY(coordinator_recover(edge, env, new_run, durable, durable_bytes));
    if (edge->next_slot < slot_at(scenario, now_ns))
        edge->next_slot = slot_at(scenario, now_ns);
    arm_finish(env, now_ns, out);
    if (new_run && durable_bytes > 0)
        coordinator_persist(edge, env, out);
    return STATUS_OK;
}

/* ---- the end of a slot ---- */

struct log_context {
    struct outbox *out;
    uint32_t step;
};

static void log_series(void *context, const char *name, double value) {
    const struct log_context *log = context;
    if (isfinite(value))
        outbox_record_series(log->out, name, log->step, value);
}

static void log_result(void *context, const char *name, const char *unit, double value) {
    const struct log_context *log = context;
    if (isfinite(value))
        outbox_record_result(log->out, name, unit, value);
}

static struct scheme_slot slot_of(const struct coordinator *edge, const struct scenario *scenario) {
    bool evaluate = edge->slot >= scenario->slots - scenario->training.evaluate_slots;
    return (struct scheme_slot){
        .slot = edge->slot, .phase = evaluate ? SCHEME_EVALUATE : SCHEME_TRAIN, .tasks = edge->tasks};
}

static void store(struct coordinator *edge, const struct node_env *env, struct outbox *out) {
    edge->stored_slot = edge->next_slot;
    coordinator_persist(edge, env, out);
}

static void settle(struct coordinator *edge, const struct node_env *env, struct outbox *out) {
    const struct scenario *scenario = env->scenario;
    struct scheme_slot slot = slot_of(edge, scenario);
    struct log_context context = {out, edge->step_base + edge->slot};
    struct scheme_log log = {.context = &context, .series = log_series, .result = log_result};
    for (uint32_t i = 0; i < edge->device_count; i++)
        if (edge->tasks[i].present && !edge->devices[i].settled)
            edge->outcomes[i] =
                (struct scheme_outcome){.delay_s = vtime_to_s(scenario->slot_ns), .drop = DROP_UNANSWERED};
    edge->running = false;
    edge->scheme->settle(edge->scheme_state, &slot, edge->decisions, edge->outcomes, &log);
    uint32_t every = scenario->training.checkpoint_slots;
    if (every > 0 && (edge->slot + 1) % every == 0)
        store(edge, env, out);
}

/* The last slot ends, whatever became of it. */
static void finish(struct coordinator *edge, const struct node_env *env, struct outbox *out) {
    uint32_t slots = env->scenario->slots, every = env->scenario->training.checkpoint_slots;
    struct log_context context = {out, edge->step_base + slots - 1};
    struct scheme_log log = {.context = &context, .series = log_series, .result = log_result};
    if (edge->running && edge->decided)
        settle(edge, env, out);
    edge->running = false;
    edge->scheme->finish(edge->scheme_state, &log);
    edge->next_slot = slots;
    if (every > 0 && edge->stored_slot != slots)
        store(edge, env, out);
}

/* ---- the beginning of a slot ---- */

static void begin_slot(struct coordinator *edge, const struct node_env *env, uint32_t slot, int64_t now_ns,
                       struct outbox *out) {
    if (edge->running && edge->decided)
        settle(edge, env, out);
    edge->slot = slot;
    edge->next_slot = slot + 1;
    edge->running = true;
    edge->decided = false;
    edge->reported_count = edge->settled_count = edge->offload_count = 0;
    memset(edge->tasks, 0, edge->device_count * sizeof *edge->tasks);
    memset(edge->outcomes, 0, edge->device_count * sizeof *edge->outcomes);
    memset(edge->decisions, 0, edge->device_count * sizeof *edge->decisions);
    for (uint32_t i = 0; i < edge->device_count; i++)
        edge->devices[i] = (struct coordinator_device){.node = edge->devices[i].node};
    int64_t decide_ns = now_ns + env->scenario->compute.collect_window_ns;
    int64_t last_ns = slot_end_ns(env->scenario, slot);
    outbox_timer(out, decide_ns < last_ns ? decide_ns : last_ns, COORDINATOR_TIMER_COLLECT, slot);
    outbox_timer(out, last_ns, COORDINATOR_TIMER_SETTLE, slot);
}

/* ---- the decision ---- */

static double within(double value, double least, double most) {
    return value > least ? fmin(value, most) : least; /* NaN becomes the least */
}

/* Whatever a scheme says, a device gets what it can carry out: no band, no offloading. Together they get no
 * more band than there is. */
static void limit(struct coordinator *edge, const struct node_env *env) {
    const struct scenario_offloading *offloading = &env->scenario->offloading;
    double band_hz = uplink_of(edge, env)->bandwidth_hz, sum_hz = 0.0;
    for (uint32_t i = 0; i < edge->device_count; i++) {
        struct scheme_decision *decision = &edge->decisions[i];
        bool offload = decision->offload && decision->bandwidth_hz > 0.0 && edge->tasks[i].present;
        decision->offload = offload;
        decision->clock_hz =
            offload ? 0.0 : within(decision->clock_hz, offloading->clock_hz[0], offloading->clock_hz[1]);
        decision->bandwidth_hz = offload ? within(decision->bandwidth_hz, 0.0, band_hz) : 0.0;
        decision->power_w =
            offload ? within(decision->power_w, offloading->power_w[0], offloading->power_w[1]) : 0.0;
        sum_hz += decision->bandwidth_hz;
        edge->offload_count += offload;
    }
    for (uint32_t i = 0; sum_hz > band_hz && i < edge->device_count; i++)
        edge->decisions[i].bandwidth_hz *= band_hz / sum_hz;
}

static void tell(const struct coordinator *edge, uint32_t index, struct outbox *out) {
    const struct scheme_decision *decision = &edge->decisions[index];
    uint32_t device = edge->devices[index].node;
    struct bytes_writer writer = outbox_reserve(out, MESSAGE_BYTES_MAX);
    message_encode_allocate(&writer, &(struct message_allocate){.bandwidth_hz = decision->bandwidth_hz,
                                                                .power_w = decision->power_w});
    outbox_send_reserved(out, device, MESSAGE_ALLOCATE, &writer, 0, 0);
    writer = outbox_reserve(out, MESSAGE_BYTES_MAX);
    message_encode_decision(&writer, &(struct message_decision){.slot = edge->slot,
                                                                .offload = decision->offload,
                                                                .clock_hz = decision->clock_hz,
                                                                .bandwidth_hz = decision->bandwidth_hz,
                                                                .power_w = decision->power_w,
                                                                .offload_count = edge->offload_count});
    outbox_send_reserved(out, device, MESSAGE_DECISION, &writer, 0, 0);
}

static void decide(struct coordinator *edge, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    struct scheme_slot slot = slot_of(edge, env->scenario);
    edge->decided = true;
    edge->scheme->decide(edge->scheme_state, &slot, edge->decisions);
    limit(edge, env);
    outbox_timer(out, now_ns, COORDINATOR_TIMER_TELL, edge->slot);
}

static void tell_all(const struct coordinator *edge, struct outbox *out) {
    for (uint32_t i = 0; i < edge->device_count; i++)
        if (edge->tasks[i].present)
            tell(edge, i, out);
}

/* ---- handlers ---- */

/* The place of a device below this edge server, or device_count. */
static uint32_t index_of(const struct coordinator *edge, uint32_t node) {
    uint32_t low = 0, high = edge->device_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (edge->devices[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < edge->device_count && edge->devices[low].node == node ? low : edge->device_count;
}

/* A report is of a slot that has begun, and of a task as the scenario has them. */
static bool plausible_report(const struct node_env *env, const struct message_report *report,
                             int64_t now_ns) {
    const struct scenario_offloading *offloading = &env->scenario->offloading;
    double bits = (double)report->bits;
    return report->slot < env->scenario->slots &&
           scenario_slot_begin_ns(env->scenario, report->slot) <= now_ns &&
           bits > offloading->bits[0] - 1.0 && bits < offloading->bits[1] + 1.0 &&
           report->cycles_per_bit >= offloading->cycles_per_bit[0] &&
           report->cycles_per_bit <= offloading->cycles_per_bit[1] &&
           report->deadline_ns == offloading->deadline_ns;
}

static enum status on_report(void *state, const struct node_env *env, const struct node_event *event,
                             struct outbox *out) {
    struct coordinator *edge = state;
    struct message_report report;
    TRY(message_decode_report(event->payload, event->payload_bytes, &report));
    uint32_t index = index_of(edge, event->source);
    if (index == edge->device_count || !plausible_report(env, &report, event->now_ns))
        return STATUS_INVALID;
    if (report.slot >= edge->next_slot && event->now_ns <= slot_end_ns(env->scenario, report.slot))
        begin_slot(edge, env, report.slot, event->now_ns, out);
    if (!edge->running || report.slot != edge->slot || edge->decided || edge->tasks[index].present) {
        edge->stale++;
        return STATUS_OK;
    }
    edge->tasks[index] = (struct scheme_task){.present = true,
                                              .bits = report.bits,
                                              .cycles_per_bit = report.cycles_per_bit,
                                              .deadline_s = vtime_to_s(report.deadline_ns),
                                              .gain = report.gain};
    if (++edge->reported_count == edge->device_count)
        outbox_timer(out, event->now_ns, COORDINATOR_TIMER_DECIDE, edge->slot);
    return STATUS_OK;
}

/* Data came up: computing takes D C m / F, Eq. (7) of CPDRL, since each task of the slot has an even part of
 * the clock. */
static enum status on_workload(void *state, const struct node_env *env, const struct node_event *event,
                               struct outbox *out) {
    struct coordinator *edge = state;
    struct message_workload message;
    TRY(message_decode_workload(event->payload, event->payload_bytes, &message));
    uint32_t index = index_of(edge, event->source);
    if (index == edge->device_count || message.task.device != event->source)
        return STATUS_INVALID;
    struct coordinator_device *device = &edge->devices[index];
    if (!edge->running || !edge->decided || message.task.slot != edge->slot ||
        !edge->decisions[index].offload || device->served || device->settled) {
        edge->stale++;
        return STATUS_OK;
    }
    device->served = device->computing = true;
    device->header = message.task;
    device->header.uplink_start_ns = event->start_ns;
    device->header.uplink_end_ns = event->start_ns + event->air_ns;
    device->header.compute_start_ns = event->now_ns;
    const struct scheme_task *task = &edge->tasks[index];
    double compute_s = compute_shared_delay_s((double)task->bits, task->cycles_per_bit, edge->offload_count,
                                              env->scenario->offloading.edge_clock_hz);
    outbox_timer(out, event->now_ns + vtime_from_s(fmin(compute_s, 1e9)), COORDINATOR_TIMER_COMPUTED,
                 (uint64_t)index << 32 | edge->slot);
    return STATUS_OK;
}

static void on_computed(struct coordinator *edge, uint32_t index, int64_t now_ns, struct outbox *out) {
    struct coordinator_device *device = &edge->devices[index];
    if (!device->computing)
        return;
    device->computing = false;
    device->header.compute_end_ns = now_ns;
    edge->busy_ns += (now_ns - device->header.compute_start_ns) / edge->offload_count;
    struct bytes_writer writer = outbox_reserve(out, MESSAGE_BYTES_MAX);
    message_encode_completion(&writer, &(struct message_completion){.task = device->header});
    outbox_send_reserved(out, device->node, MESSAGE_COMPLETION, &writer, 0, 0);
}

/* Nothing takes longer than a slot or costs more than a device can spend in one. */
static bool plausible_outcome(const struct node_env *env, const struct scheme_task *task,
                              const struct message_outcome *outcome) {
    const struct scenario_offloading *offloading = &env->scenario->offloading;
    double compute_j = energy_compute_j(offloading->capacitance, (double)task->bits, task->cycles_per_bit,
                                        offloading->clock_hz[1]);
    double transmit_j = energy_transmit_j(offloading->power_w[1], vtime_to_s(env->scenario->slot_ns));
    return outcome->delay_ns <= env->scenario->slot_ns && outcome->uplink_ns <= env->scenario->slot_ns &&
           outcome->compute_ns <= env->scenario->slot_ns &&
           outcome->energy_j <= fmax(compute_j, transmit_j) * (1.0 + ENERGY_SLACK);
}

static enum status on_outcome(void *state, const struct node_env *env, const struct node_event *event,
                              struct outbox *out) {
    struct coordinator *edge = state;
    struct message_outcome message;
    TRY(message_decode_outcome(event->payload, event->payload_bytes, &message));
    uint32_t index = index_of(edge, event->source);
    if (index == edge->device_count)
        return STATUS_INVALID;
    struct coordinator_device *device = &edge->devices[index];
    if (!edge->running || !edge->decided || message.slot != edge->slot || device->settled ||
        !edge->tasks[index].present) {
        edge->stale++;
        return STATUS_OK;
    }
    if (!plausible_outcome(env, &edge->tasks[index], &message))
        return STATUS_INVALID;
    device->settled = true;
    bool none = message.drop != DROP_NONE && message.drop != DROP_DEADLINE;
    edge->outcomes[index] =
        none ? (struct scheme_outcome){.delay_s = vtime_to_s(env->scenario->slot_ns), .drop = message.drop}
             : (struct scheme_outcome){.delay_s = vtime_to_s(message.delay_ns),
                                       .energy_j = message.energy_j,
                                       .uplink_s = vtime_to_s(message.uplink_ns),
                                       .compute_s = vtime_to_s(message.compute_ns),
                                       .drop = message.drop};
    if (++edge->settled_count == edge->reported_count)
        settle(edge, env, out);
    return STATUS_OK;
}

static enum status on_timer(void *state, const struct node_env *env, const struct node_event *event,
                            struct outbox *out) {
    struct coordinator *edge = state;
    uint32_t slot = (uint32_t)event->cookie, index = (uint32_t)(event->cookie >> 32);
    bool current = edge->running && slot == edge->slot;
    switch (event->timer) {
    case COORDINATOR_TIMER_COLLECT:
        if (current && !edge->decided)
            outbox_timer(out, event->now_ns, COORDINATOR_TIMER_DECIDE, slot);
        return STATUS_OK;
    case COORDINATOR_TIMER_DECIDE:
        if (current && !edge->decided)
            decide(edge, env, event->now_ns, out);
        return STATUS_OK;
    case COORDINATOR_TIMER_TELL:
        if (current && edge->decided)
            tell_all(edge, out);
        return STATUS_OK;
    case COORDINATOR_TIMER_COMPUTED:
        if (current && index < edge->device_count)
            on_computed(edge, index, event->now_ns, out);
        return STATUS_OK;
    case COORDINATOR_TIMER_FINISH:
        finish(edge, env, out);
        return STATUS_OK;
    case COORDINATOR_TIMER_SETTLE:
        if (current && edge->decided)
            settle(edge, env, out);
        return STATUS_OK;
    default:
        return STATUS_INVALID;
    }
}

/* A result that its downlink had no room for: the device gives the task up by itself. */
static enum status on_refused(void *state, const struct node_env *env, const struct node_event *event,
                              struct outbox *out) {
    (void)state;
    (void)env;
    (void)out;
    struct message_refused refused;
    return message_decode_refused(event->payload, event->payload_bytes, &refused);
}

static void coordinator_totals(const void *state, struct row_node *row) {
    const struct coordinator *edge = state;
    row->busy_ns = edge->busy_ns;
}

static void coordinator_close(void *state) {
    struct coordinator *edge = state;
    if (edge->scheme_state != NULL)
        edge->scheme->close(edge->scheme_state);
    free(edge->scheme_state);
    free(edge->devices);
    free(edge->tasks);
    free(edge->decisions);
    free(edge->outcomes);
    *edge = (struct coordinator){0};
}

const struct node_class coordinator_class = {
    .role = ROLE_EDGE,
    .state_bytes = sizeof(struct coordinator),
    .on_start = on_start,
    .on_restart = on_restart,
    .on_timer = on_timer,
    .on_message =
        {
            [MESSAGE_REPORT] = on_report,
            [MESSAGE_WORKLOAD] = on_workload,
            [MESSAGE_OUTCOME] = on_outcome,
            [MESSAGE_LINK_STATE] = node_on_link_state,
            [MESSAGE_REFUSED] = on_refused,
        },
    .timer_names = {[COORDINATOR_TIMER_COLLECT] = "collect",
                    [COORDINATOR_TIMER_DECIDE] = "decide",
                    [COORDINATOR_TIMER_TELL] = "tell",
                    [COORDINATOR_TIMER_COMPUTED] = "computed",
                    [COORDINATOR_TIMER_SETTLE] = "settle",
                    [COORDINATOR_TIMER_FINISH] = "finish"},
    .close = coordinator_close,
    .totals = coordinator_totals,
};
