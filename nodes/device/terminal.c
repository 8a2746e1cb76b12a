#include "nodes/device/terminal.h"

#include <assert.h>
#include <math.h>

#include "common/base/random.h"
#include "common/model/compute.h"
#include "common/model/cost.h"
#include "common/model/energy.h"
#include "common/model/radio.h"
#include "common/time/vtime.h"
#include "nodes/outbox.h"
#include "nodes/task.h"

#define DURABLE_VERSION 1
#define DURABLE_BYTES 29
#define SCHEME_BYTES_MAX 128 /* any message of the slot protocol */
#define COMPUTE_S_MAX 1e9    /* far past any time-out, and fits into virtual time */

static uint32_t server_of(const struct node_env *env) {
    return env->topology->nodes[env->self].parent;
}

/* The link up to the server. */
static const struct scenario_link *uplink_of(const struct node_env *env) {
    return env->topology->links[topology_link_between(env->topology, env->self, server_of(env))].config;
}

/* Sets the timer of the first slot that begins strictly after `now_ns`. */
static void arm_next_slot(const struct node_env *env, int64_t now_ns, struct outbox *out) {
    int64_t next = now_ns < 0 ? 0 : now_ns / env->scenario->slot_ns + 1;
    if (next < (int64_t)env->scenario->slots)
        outbox_timer(out, scenario_slot_begin_ns(env->scenario, (uint32_t)next), TERMINAL_TIMER_SLOT,
                     (uint64_t)next);
}

static enum status on_start(void *state, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    struct terminal *terminal = state;
    terminal->gain = -1.0;
    arm_next_slot(env, now_ns - 1, out); /* a slot that begins now counts */
    return STATUS_OK;
}

/* ---- what survives a crash: the open task, so that it is not forgotten in the record ---- */

static void persist(const struct terminal *terminal, const struct node_env *env, struct outbox *out) {
    uint8_t data[DURABLE_BYTES];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    if (!env->topology->nodes[env->self].may_crash)
        return;
    bytes_put_u8(&writer, DURABLE_VERSION);
    bytes_put_u32(&writer, terminal->open ? terminal->task.slot + 1 : 0);
    bytes_put_i64(&writer, terminal->task.born_ns);
    bytes_put_i64(&writer, terminal->task.deadline_ns);
    bytes_put_u64(&writer, terminal->task.bits);
    assert(!writer.failed && writer.used == sizeof data);
    outbox_persist(out, data, writer.used);
}

static void close_task(struct terminal *terminal, const struct node_env *env,
                       const struct message_outcome *outcome, enum task_place place, int64_t now_ns,
                       struct outbox *out);

static enum status on_restart(void *state, const struct node_env *env, int64_t now_ns, const uint8_t *durable,
                              size_t durable_bytes, struct outbox *out) {
    struct terminal *terminal = state;
    TRY(on_start(state, env, now_ns + 1, out));
    if (durable_bytes == 0)
        return STATUS_OK;
    struct bytes_reader reader = bytes_reader_over(durable, durable_bytes);
    uint8_t version = bytes_get_u8(&reader);
    uint32_t open = bytes_get_u32(&reader);
    terminal->task.slot = open - 1;
    terminal->task.born_ns = bytes_get_i64(&reader);
    terminal->task.deadline_ns = bytes_get_i64(&reader);
    terminal->task.bits = bytes_get_u64(&reader);
    if (!bytes_done(&reader) || version != DURABLE_VERSION || open > env->scenario->slots ||
        terminal->task.born_ns < 0 || terminal->task.born_ns > now_ns)
        return STATUS_INVALID;
    if (open == 0)
        return STATUS_OK;
    terminal->open = true;
    terminal->header = task_header_of(env->self, terminal->task.slot);
    terminal->header.born_ns = terminal->task.born_ns;
    close_task(terminal, env, &(struct message_outcome){.drop = DROP_UNANSWERED}, PLACE_NONE, now_ns, out);
    return STATUS_OK;
}

/* ---- a task begins ---- */

static double draw(struct random_stream *stream, const double range[2]) {
    return range[0] + random_uniform(stream) * (range[1] - range[0]);
}

/* D and C of this device in `slot`; the same in every slot unless the scenario wants them drawn again. */
static void draw_task(const struct node_env *env, uint32_t slot, struct message_report *task) {
    const struct scenario_offloading *offloading = &env->scenario->offloading;
    uint64_t index = offloading->redraw ? (uint64_t)slot + 1 : 0;
    struct random_stream stream;
    random_init(&stream, env->scenario->seed, env->self, RANDOM_TASK | index << 32);
    task->bits = (uint64_t)llround(draw(&stream, offloading->bits));
    task->cycles_per_bit = draw(&stream, offloading->cycles_per_bit);
}

static void report(struct terminal *terminal, const struct node_env *env, struct outbox *out) {
    struct bytes_writer writer = outbox_reserve(out, SCHEME_BYTES_MAX);
    terminal->task.gain = terminal->gain;
    terminal->reported = true;
    message_encode_report(&writer, &terminal->task);
    outbox_send_reserved(out, server_of(env), MESSAGE_REPORT, &writer, 0, 0);
}

static int64_t give_up_ns(const struct node_env *env, int64_t now_ns, uint32_t slot) {
    int64_t last_ns = scenario_slot_begin_ns(env->scenario, slot) + env->scenario->slot_ns / 10 * 9;
    int64_t due_ns = now_ns + env->scenario->task.answer_timeout_ns;
    due_ns = due_ns < last_ns ? due_ns : last_ns;
    return due_ns > now_ns ? due_ns : now_ns;
}

/* Does the gain of the uplink change with the slots? Then the network card tells it in the step after the one
 * in which the slot began, and the report waits for that. */
static bool gain_changes(const struct node_env *env) {
    enum link_channel channel = uplink_of(env)->channel;
    return channel == CHANNEL_MARKOV3 || channel == CHANNEL_LEVELS10;
}

/* A slot begins, or began while the device hung: then there is no task unless most of the slot is left. */
static enum status on_slot(struct terminal *terminal, const struct node_env *env,
                           const struct node_event *event, struct outbox *out) {
    if (event->cookie >= env->scenario->slots)
        return STATUS_INVALID;
    uint32_t slot = (uint32_t)event->cookie;
    arm_next_slot(env, event->now_ns, out);
    if (terminal->open)
        close_task(terminal, env, &(struct message_outcome){.drop = DROP_UNANSWERED}, PLACE_NONE,
                   event->now_ns, out);
    if (event->now_ns > scenario_slot_begin_ns(env->scenario, slot) + env->scenario->slot_ns / 10)
        return STATUS_OK;
    terminal->task = (struct message_report){
        .slot = slot, .deadline_ns = env->scenario->offloading.deadline_ns, .born_ns = event->now_ns};
    draw_task(env, slot, &terminal->task);
    terminal->header = task_header_of(env->self, slot);
    terminal->header.born_ns = event->now_ns;
    terminal->open = true;
    terminal->reported = terminal->decided = false;
    persist(terminal, env, out);
    outbox_timer(out, give_up_ns(env, event->now_ns, slot), TERMINAL_TIMER_GIVE_UP, slot);
    if (gain_changes(env))
        outbox_timer(out, event->now_ns, TERMINAL_TIMER_REPORT, slot);
    else if (terminal->gain >= 0.0)
        report(terminal, env, out);
    return STATUS_OK;
}

/* The network card tells the gain; a task that waited for the first of these is reported now. */
static enum status on_link_state(void *state, const struct node_env *env, const struct node_event *event,
                                 struct outbox *out) {
    struct terminal *terminal = state;
    struct message_link_state link;
    TRY(message_decode_link_state(event->payload, event->payload_bytes, &link));
    if (link.peer != server_of(env))
        return STATUS_OK;
    bool first = terminal->gain < 0.0;
    terminal->gain = link.gain;
    if (terminal->rate_bps != link.rate_bps)
        terminal->rate_since_ns = event->now_ns;
    terminal->rate_bps = link.rate_bps;
    if (first && terminal->open && !terminal->reported)
        report(terminal, env, out);
    return STATUS_OK;
}

/* ---- it is decided and runs ---- */

static int64_t local_ns(const struct terminal *terminal) {
    return vtime_from_s(fmin(compute_delay_s((double)terminal->task.bits, terminal->task.cycles_per_bit,
                                             terminal->decision.clock_hz),
                             COMPUTE_S_MAX));
}

/* A decision gives what the scenario lets this device use. */
static bool sound(const struct node_env *env, const struct message_decision *decision) {
    const struct scenario_offloading *offloading = &env->scenario->offloading;
    if (decision->offload)
        return decision->offload_count > 0 && decision->bandwidth_hz > 0.0 &&
               decision->bandwidth_hz <= uplink_of(env)->bandwidth_hz &&
               decision->power_w <= offloading->power_w[1];
    return decision->clock_hz >= offloading->clock_hz[0] && decision->clock_hz <= offloading->clock_hz[1];
}

static enum status on_decision(void *state, const struct node_env *env, const struct node_event *event,
                               struct outbox *out) {
    struct terminal *terminal = state;
    struct message_decision decision;
    TRY(message_decode_decision(event->payload, event->payload_bytes, &decision));
    if (event->source != server_of(env) || !sound(env, &decision))
        return STATUS_INVALID;
    if (!terminal->open || terminal->decided || decision.slot != terminal->task.slot) {
        terminal->late_answers++;
        return STATUS_OK;
    }
    terminal->decided = true;
    terminal->decision = decision;
    terminal->header.decided_ns = event->now_ns;
    if (decision.offload) {
        struct bytes_writer writer = outbox_reserve(out, SCHEME_BYTES_MAX);
        message_encode_workload(&writer, &(struct message_workload){.task = terminal->header});
        outbox_send_reserved(out, server_of(env), MESSAGE_WORKLOAD, &writer, terminal->task.bits, 0);
        return STATUS_OK;
    }
    terminal->header.compute_start_ns = event->now_ns;
    outbox_timer(out, event->now_ns + local_ns(terminal), TERMINAL_TIMER_COMPUTED, decision.slot);
    return STATUS_OK;
}

/* ---- it ends ---- */

/* The part of (8) of CPDRL that is spent at the edge server. */
static int64_t shared_ns(const struct terminal *terminal, const struct node_env *env) {
    double shared_s =
        compute_shared_delay_s((double)terminal->task.bits, terminal->task.cycles_per_bit,
                               terminal->decision.offload_count, env->scenario->offloading.edge_clock_hz);
    return vtime_from_s(fmin(shared_s, COMPUTE_S_MAX));
}

/* R of Eq. (3) with what was decided. */
static double rate_bps(const struct terminal *terminal, const struct node_env *env) {
    const struct message_decision *decision = &terminal->decision;
    double noise_w = uplink_of(env)->noise_w;
    return radio_shannon_rate_bps(decision->bandwidth_hz, decision->power_w * terminal->task.gain / noise_w);
}

/* (8) of CPDRL by the formulas, for comparison with the measured delay; VTIME_NEVER where they do not hold:
 * a node hung meanwhile, the data waited behind older data, or the link had another rate than was decided. */
static int64_t closed_form_ns(const struct terminal *terminal, const struct node_env *env,
                              enum task_place place) {
    const struct task_header *task = &terminal->header;
    int64_t computed_ns = task->compute_end_ns - task->compute_start_ns;
    if (place == PLACE_DEVICE && computed_ns == local_ns(terminal))
        return computed_ns;
    double bps = place == PLACE_EDGE ? rate_bps(terminal, env) : 0.0;
    bool holds = bps > 0.0 && isfinite(bps) && task->uplink_start_ns == task->decided_ns &&
                 terminal->rate_since_ns <= task->decided_ns &&
                 fabs(terminal->rate_bps - bps) <= RADIO_TOLERANCE * bps &&
                 computed_ns == shared_ns(terminal, env);
    if (!holds)
        return VTIME_NEVER;
    return vtime_from_s(radio_transfer_s((double)terminal->task.bits, bps)) + shared_ns(terminal, env);
}

static void record(const struct terminal *terminal, const struct node_env *env,
                   const struct message_outcome *outcome, enum task_place place, int64_t now_ns,
                   struct outbox *out) {
    struct row_task row = {.task = terminal->header,
                           .answered_ns = now_ns,
                           .place = (uint8_t)place,
                           .class = ROW_CLASS_NONE,
                           .drop = outcome->drop,
                           .energy_device_j = place == PLACE_DEVICE ? outcome->energy_j : 0.0,
                           .energy_uplink_j = place == PLACE_EDGE ? outcome->energy_j : 0.0,
                           .closed_form_ns = closed_form_ns(terminal, env, place),
                           .deadline_ns = terminal->task.deadline_ns};
    row.task.true_class = ROW_CLASS_NONE;
    outbox_record_task(out, &row);
}

/* Closes the task: its row for the record and its outcome for the edge server. */
static void close_task(struct terminal *terminal, const struct node_env *env,
                       const struct message_outcome *outcome, enum task_place place, int64_t now_ns,
                       struct outbox *out) {
    struct message_outcome told = *outcome;
    told.slot = terminal->task.slot;
    record(terminal, env, outcome, place, now_ns, out);
    terminal->open = false;
    persist(terminal, env, out);
    struct bytes_writer writer = outbox_reserve(out, SCHEME_BYTES_MAX);
    message_encode_outcome(&writer, &told);
    outbox_send_reserved(out, server_of(env), MESSAGE_OUTCOME, &writer, 0, 0);
}

static enum drop_reason judge(const struct terminal *terminal, int64_t delay_ns) {
    return delay_ns <= terminal->task.deadline_ns + TASK_DEADLINE_SLACK_NS ? DROP_NONE : DROP_DEADLINE;
}

static void finish_local(struct terminal *terminal, const struct node_env *env, int64_t now_ns,
                         struct outbox *out) {
    struct message_outcome outcome = {.compute_ns = now_ns - terminal->header.compute_start_ns};
    terminal->header.compute_end_ns = now_ns;
    outcome.delay_ns = outcome.compute_ns;
    outcome.drop = (uint8_t)judge(terminal, outcome.delay_ns);
    outcome.energy_j = energy_compute_j(env->scenario->offloading.capacitance, (double)terminal->task.bits,
                                        terminal->task.cycles_per_bit, terminal->decision.clock_hz);
    close_task(terminal, env, &outcome, PLACE_DEVICE, now_ns, out);
}

static enum status on_timer(void *state, const struct node_env *env, const struct node_event *event,
                            struct outbox *out) {
    struct terminal *terminal = state;
    bool mine = terminal->open && event->cookie == terminal->task.slot;
    switch (event->timer) {
    case TERMINAL_TIMER_SLOT:
        return on_slot(terminal, env, event, out);
    case TERMINAL_TIMER_REPORT:
        if (mine && !terminal->reported && terminal->gain >= 0.0)
            report(terminal, env, out);
        return STATUS_OK;
    case TERMINAL_TIMER_COMPUTED:
        if (mine)
            finish_local(terminal, env, event->now_ns, out);
        return STATUS_OK;
    case TERMINAL_TIMER_GIVE_UP:
        if (mine)
            close_task(terminal, env, &(struct message_outcome){.drop = DROP_UNANSWERED}, PLACE_NONE,
                       event->now_ns, out);
        return STATUS_OK;
    default:
        return STATUS_INVALID;
    }
}

/* The times of `task` that the edge server filled in lie where they can lie. */
static bool plausible(const struct terminal *terminal, const struct task_header *task, int64_t now_ns) {
    return terminal->header.decided_ns <= task->uplink_start_ns &&
           task->uplink_start_ns <= task->uplink_end_ns && task->uplink_end_ns <= task->compute_start_ns &&
           task->compute_start_ns <= task->compute_end_ns && task->compute_end_ns <= now_ns;
}

static enum status on_completion(void *state, const struct node_env *env, const struct node_event *event,
                                 struct outbox *out) {
    struct terminal *terminal = state;
    struct message_completion message;
    TRY(message_decode_completion(event->payload, event->payload_bytes, &message));
    if (event->source != server_of(env) || message.task.device != env->self)
        return STATUS_INVALID;
    if (!terminal->open || message.task.slot != terminal->task.slot || !terminal->decided ||
        !terminal->decision.offload) {
        terminal->late_answers++;
        return STATUS_OK;
    }
    struct message_outcome outcome = {.drop = message.drop};
    if (message.drop == DROP_NONE) {
        if (!plausible(terminal, &message.task, event->now_ns))
            return STATUS_INVALID;
        terminal->header.uplink_start_ns = message.task.uplink_start_ns;
        terminal->header.uplink_end_ns = message.task.uplink_end_ns;
        terminal->header.compute_start_ns = message.task.compute_start_ns;
        terminal->header.compute_end_ns = message.task.compute_end_ns;
        outcome.uplink_ns = message.task.uplink_end_ns - terminal->header.decided_ns;
        outcome.compute_ns = message.task.compute_end_ns - message.task.compute_start_ns;
        outcome.delay_ns = outcome.uplink_ns + outcome.compute_ns;
        outcome.energy_j =
            energy_transmit_j(terminal->decision.power_w,
                              vtime_to_s(message.task.uplink_end_ns - message.task.uplink_start_ns));
        outcome.drop = (uint8_t)judge(terminal, outcome.delay_ns);
    }
    close_task(terminal, env, &outcome, message.drop == DROP_NONE ? PLACE_EDGE : PLACE_NONE, event->now_ns,
               out);
    return STATUS_OK;
}

static enum status on_refused(void *state, const struct node_env *env, const struct node_event *event,
                              struct outbox *out) {
    struct terminal *terminal = state;
    struct message_refused refused;
    TRY(message_decode_refused(event->payload, event->payload_bytes, &refused));
    if (refused.type != MESSAGE_WORKLOAD || refused.device != env->self)
        return STATUS_INVALID;
    if (terminal->open && refused.slot == terminal->task.slot)
        close_task(terminal, env, &(struct message_outcome){.drop = DROP_UPLINK_FULL}, PLACE_NONE,
                   event->now_ns, out);
    return STATUS_OK;
}

const struct node_class terminal_class = {
    .role = ROLE_DEVICE,
    .state_bytes = sizeof(struct terminal),
    .on_start = on_start,
    .on_restart = on_restart,
    .on_timer = on_timer,
    .on_message =
        {
            [MESSAGE_DECISION] = on_decision,
            [MESSAGE_COMPLETION] = on_completion,
            [MESSAGE_LINK_STATE] = on_link_state,
            [MESSAGE_REFUSED] = on_refused,
        },
    .timer_names = {[TERMINAL_TIMER_SLOT] = "slot",
                    [TERMINAL_TIMER_COMPUTED] = "computed",
                    [TERMINAL_TIMER_GIVE_UP] = "give_up",
                    [TERMINAL_TIMER_REPORT] = "report"},
};
