#include "nodes/gateway/gateway.h"

#include <assert.h>
#include <stdlib.h>

#include "common/model/energy.h"
#include "common/time/vtime.h"
#include "nodes/edge/edge.h"
#include "nodes/outbox.h"

/* Memory, all of it at the start: entries for what devices may still ask about, windows up to the bound. */

static enum status init_log(struct gateway *gateway, const struct node_env *env) {
    const struct topology_node *node = &env->topology->nodes[env->self];
    uint32_t *devices = malloc(((size_t)node->child_count + 1) * sizeof *devices);
    if (!devices)
        return STATUS_MEMORY;
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->child_count; i++) {
        uint32_t child = env->topology->children[node->first_child + i];
        if (env->topology->nodes[child].role == ROLE_DEVICE)
            devices[count++] = child;
    }
    return task_log_init(&gateway->log, devices, count, task_memory_slots(env->scenario));
}

static enum status init_memory(struct gateway *gateway, bool may_crash) {
    size_t windows = gateway->window_count, devices = gateway->log.device_count;
    struct gateway_batch *batch = &gateway->batch;
    gateway->entries = calloc(devices * gateway->log.depth + 1, sizeof *gateway->entries);
    gateway->windows = calloc(windows, sizeof *gateway->windows);
    gateway->samples = calloc(windows, gateway->sample_count * sizeof *gateway->samples);
    gateway->free_windows = calloc(windows, sizeof *gateway->free_windows);
    batch->windows = calloc(windows, sizeof *batch->windows);
    batch->last_batch = calloc(devices + 1, sizeof *batch->last_batch);
    batch->tasks = calloc(windows, sizeof *batch->tasks);
    batch->order = calloc(windows, sizeof *batch->order);
    batch->offload = calloc(windows, sizeof *batch->offload);
    gateway->durable_max = may_crash ? gateway_durable_max(gateway) : 0;
    gateway->durable = may_crash ? malloc(gateway->durable_max) : NULL;
    bool all = gateway->entries && gateway->windows && gateway->samples && gateway->free_windows &&
               batch->windows && batch->last_batch && batch->tasks && batch->order && batch->offload &&
               (gateway->durable || !may_crash);
    if (!all)
        return STATUS_MEMORY;
    for (uint32_t i = 0; i < gateway->window_count; i++)
        gateway->free_windows[gateway->free_count++] = gateway->window_count - 1 - i;
    return STATUS_OK;
}

/* What lies above: the edge server, if any, and the formula's view of it. */
static enum status init_edge(struct gateway *gateway, const struct node_env *env, int64_t now_ns,
                             bool restarted) {
    const struct topology *topology = env->topology;
    gateway->edge = topology->nodes[env->self].parent;
    if (gateway->edge == TOPOLOGY_NONE)
        return env->scenario->policy.kind == POLICY_LOCAL ? STATUS_OK : STATUS_INVALID;
    uint32_t link = topology_link_between(topology, env->self, gateway->edge);
    if (topology->nodes[gateway->edge].role != ROLE_EDGE || link == TOPOLOGY_NONE)
        return STATUS_INVALID;
    const struct scenario_link *config = topology->links[link].config;
    TRY(uplink_init(&gateway->uplink, config, env->scenario->task.bits, now_ns, restarted));
    gateway->uplink_power_w = config->power_w;
    gateway->edge_ns = edge_service_ns(env->scenario, edge_gateway_count(topology, gateway->edge));
    gateway->edge_formula = !topology->nodes[gateway->edge].may_crash && config->kind != LINK_TRACE;
    return STATUS_OK;
}

static enum status gateway_init(struct gateway *gateway, const struct node_env *env, int64_t now_ns,
                                bool restarted) {
    const struct scenario *scenario = env->scenario;
    model_holder_init(&gateway->holder, env);
    gateway->sample_count = task_sample_count(scenario);
    gateway->window_count = scenario->compute.gateway_queue_max + 1;
    gateway->cpu.head = gateway->cpu.tail = GATEWAY_NO_TASK;
    if (gateway->sample_count == 0 || scenario->slots == 0)
        return STATUS_INVALID;
    TRY(init_edge(gateway, env, now_ns, restarted));
    TRY(init_log(gateway, env));
    TRY(init_memory(gateway, env->topology->nodes[env->self].may_crash));
    return diagnosis_open(gateway->sample_count, scenario->task.sample_rate_hz, scenario->data.shaft_hz,
                          &gateway->plan, NULL);
}

static enum status on_start(void *state, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    (void)out;
    return gateway_init(state, env, now_ns, false);
}

static enum status on_restart(void *state, const struct node_env *env, int64_t now_ns, const uint8_t *durable,
                              size_t durable_bytes, struct outbox *out) {
    struct gateway *gateway = state;
    TRY(gateway_init(gateway, env, now_ns, true));
    TRY(gateway_recover(gateway, env, durable, durable_bytes));
    uint32_t entry_count = gateway->log.device_count * gateway->log.depth;
    for (uint32_t i = 0; i < entry_count; i++)
        if (gateway->entries[i].state == ENTRY_LOCAL)
            gateway_answer(gateway, i, (struct message_answer){.drop = DROP_UNANSWERED}, out);
    return STATUS_OK;
}

void gateway_answer(struct gateway *gateway, uint32_t at, struct message_answer answer, struct outbox *out) {
    struct gateway_entry *entry = &gateway->entries[at];
    answer.task = entry->task;
    answer.energy_device_j = entry->energy_device_j;
    answer.closed_form_ns = entry->closed_form_ns;
    struct bytes_writer writer = outbox_reserve(out, message_info(MESSAGE_ANSWER)->bytes_max);
    message_encode_answer(&writer, &answer);
    outbox_send_reserved(out, entry->task.device, MESSAGE_ANSWER, &writer, 0, 0);
    entry->state = ENTRY_DONE;
}

void gateway_release(struct gateway *gateway, uint32_t window) {
    assert(gateway->free_count < gateway->window_count);
    gateway->free_windows[gateway->free_count++] = window;
}

/* Puts a window into the open batch, and closes the batch when every device is in. */
static void gather(struct gateway *gateway, const struct node_env *env, uint32_t at, int64_t now_ns,
                   struct outbox *out) {
    struct gateway_batch *batch = &gateway->batch;
    uint32_t device = gateway->windows[at].entry / gateway->log.depth;
    if (batch->count == 0)
        outbox_timer(out, now_ns + env->scenario->compute.collect_window_ns, GATEWAY_TIMER_COLLECT,
                     batch->number);
    batch->windows[batch->count++] = at;
    if (batch->last_batch[device] != batch->number + 1) {
        batch->last_batch[device] = batch->number + 1;
        batch->device_count++;
    }
    if (batch->device_count == gateway->log.device_count)
        gateway_decide(gateway, env, now_ns, out);
}

/* Messages and timers. */

/* What sending the window to here cost the device: power times measured time on air. */
static double device_energy_j(const struct node_env *env, const struct node_event *event) {
    uint32_t link = topology_link_between(env->topology, event->source, env->self);
    if (link == TOPOLOGY_NONE)
        return 0;
    return energy_transmit_j(env->topology->links[link].config->power_w, vtime_to_s(event->air_ns));
}

static enum status on_task(void *state, const struct node_env *env, const struct node_event *event,
                           struct outbox *out) {
    struct gateway *gateway = state;
    uint32_t at = gateway->free_windows[gateway->free_count - 1], entry_at;
    struct gateway_window *window = &gateway->windows[at];
    int16_t *samples = gateway->samples + (size_t)at * gateway->sample_count;
    TRY(message_decode_task(event->payload, event->payload_bytes, samples, gateway->sample_count,
                            &window->window));
    const struct task_header *sent = &window->window.task;
    if (sent->device != event->source || !task_header_plausible(env->scenario, sent, event->now_ns))
        return STATUS_INVALID;
    enum task_mark mark = task_log_take(&gateway->log, sent->device, sent->slot, &entry_at);
    if (mark == TASK_FOREIGN)
        return STATUS_INVALID;
    if (mark != TASK_NEW) {
        gateway->duplicates += mark == TASK_TAKEN;
        gateway->stale += mark == TASK_STALE;
        return STATUS_OK;
    }
    struct task_header task = task_header_of(sent->device, sent->slot);
    task.level = sent->level;
    task.true_class = sent->true_class;
    task.born_ns = sent->born_ns;
    task.gathered_ns = event->now_ns;
    window->window.task = task;
    window->entry = entry_at;
    gateway->entries[entry_at] = (struct gateway_entry){.state = ENTRY_GATHERED,
                                                        .task = task,
                                                        .energy_device_j = device_energy_j(env, event),
                                                        .closed_form_ns = VTIME_NEVER};
    if (gateway->free_count == 1) {
        gateway->full++;
        gateway_answer(gateway, entry_at, (struct message_answer){.drop = DROP_GATEWAY_FULL}, out);
        return STATUS_OK;
    }
    gateway->free_count--;
    gather(gateway, env, at, event->now_ns, out);
    return STATUS_OK;
}

/* Is what the edge server says of a task in order: decided here, sent, computed, not in the future? */
static bool result_plausible(const struct gateway_entry *entry, const struct message_result *result,
                             int64_t now_ns) {
    const struct task_header *task = &result->task;
    if (task->decided_ns != entry->task.decided_ns || task->uplink_start_ns < task->decided_ns ||
        task->uplink_end_ns < task->uplink_start_ns || task->uplink_end_ns > now_ns)
        return false;
    if (result->drop == DROP_EDGE_FULL)
        return true;
    return (result->drop == DROP_NONE || result->drop == DROP_BAD_WINDOW) &&
           task->compute_start_ns >= task->uplink_end_ns && task->compute_end_ns >= task->compute_start_ns &&
           task->compute_end_ns <= now_ns;
}

static enum status on_result(void *state, const struct node_env *env, const struct node_event *event,
                             struct outbox *out) {
    struct gateway *gateway = state;
    struct message_result result;
    TRY(message_decode_result(event->payload, event->payload_bytes, &result));
    uint32_t at;
    if (event->source != gateway->edge || result.task.slot >= env->scenario->slots)
        return STATUS_INVALID;
    enum task_mark mark = task_log_find(&gateway->log, result.task.device, result.task.slot, &at);
    if (mark == TASK_FOREIGN)
        return STATUS_INVALID;
    struct gateway_entry *entry = &gateway->entries[at];
    if (mark != TASK_TAKEN || entry->state != ENTRY_OFFLOADED) {
        gateway->stale++; /* a second copy, or about a task of before a crash */
        return STATUS_OK;
    }
    if (!result_plausible(entry, &result, event->now_ns))
        return STATUS_INVALID;
    entry->task.uplink_start_ns = result.task.uplink_start_ns;
    entry->task.uplink_end_ns = result.task.uplink_end_ns;
    entry->task.compute_start_ns = result.task.compute_start_ns;
    entry->task.compute_end_ns = result.task.compute_end_ns;
    if (result.drop == DROP_EDGE_FULL)
        entry->closed_form_ns = VTIME_NEVER;
    else if (result.drop == DROP_NONE &&
             !task_in_time(env->scenario, &entry->task, entry->task.compute_end_ns - entry->task.decided_ns))
        result.drop = DROP_DEADLINE;
    double air_s = vtime_to_s(entry->task.uplink_end_ns - entry->task.uplink_start_ns);
    gateway_answer(
        gateway, at,
        (struct message_answer){.place = PLACE_EDGE,
                                .drop = result.drop,
                                .class = result.class,
                                .confidence = result.confidence,
                                .energy_uplink_j = energy_transmit_j(gateway->uplink_power_w, air_s),
                                .energy_edge_j = result.energy_j},
        out);
    return STATUS_OK;
}

static enum status on_link_state(void *state, const struct node_env *env, const struct node_event *event,
                                 struct outbox *out) {
    (void)env;
    (void)out;
    struct gateway *gateway = state;
    struct message_link_state report;
    TRY(message_decode_link_state(event->payload, event->payload_bytes, &report));
    if (gateway->edge == TOPOLOGY_NONE || report.peer != gateway->edge)
        return STATUS_OK; /* a link to a device: answers leave at any rate */
    bool late = event->sent_ns > 0 && event->sent_ns < event->now_ns; /* this node hung in between */
    int64_t since_ns = late ? event->sent_ns : event->now_ns;
    if (uplink_report(&gateway->uplink, &report, since_ns, event->now_ns))
        gateway_distrust_waiting(gateway, since_ns);
    return STATUS_OK;
}

static enum status on_refused(void *state, const struct node_env *env, const struct node_event *event,
                              struct outbox *out) {
    struct gateway *gateway = state;
    struct message_refused refused;
    TRY(message_decode_refused(event->payload, event->payload_bytes, &refused));
    uint32_t at;
    if (refused.slot >= env->scenario->slots ||
        task_log_find(&gateway->log, refused.device, refused.slot, &at) == TASK_FOREIGN)
        return STATUS_INVALID;
    struct gateway_entry *entry = &gateway->entries[at];
    if (refused.type != MESSAGE_OFFLOAD)
        return STATUS_OK; /* an answer that its link had no room for: the device gives the task up by itself
                           */
    uplink_refused(&gateway->uplink);
    if (entry->state != ENTRY_OFFLOADED || entry->task.slot != refused.slot)
        return STATUS_OK;
    gateway->uplink_full++;
    entry->closed_form_ns = VTIME_NEVER;
    gateway_answer(gateway, at, (struct message_answer){.place = PLACE_EDGE, .drop = DROP_UPLINK_FULL}, out);
    return STATUS_OK;
}

/* A model that holds is used; new or known, it goes on to the devices, of which some may have missed it. */
static enum status on_model(void *state, const struct node_env *env, const struct node_event *event,
                            struct outbox *out) {
    struct gateway *gateway = state;
    if (event->source != gateway->edge)
        return STATUS_INVALID;
    enum model_news news = model_holder_take(&gateway->holder, event->payload, event->payload_bytes);
    model_holder_record(&gateway->holder, env, news, event->now_ns, out);
    if (news == MODEL_TAKEN)
        model_holder_retune(&gateway->holder, env, gateway->plan);
    for (uint32_t i = 0; news != MODEL_REFUSED && i < gateway->log.device_count; i++)
        model_holder_send(&gateway->holder, gateway->log.devices[i], out);
    return STATUS_OK;
}

static enum status on_timer(void *state, const struct node_env *env, const struct node_event *event,
                            struct outbox *out) {
    struct gateway *gateway = state;
    switch (event->timer) {
    case GATEWAY_TIMER_COLLECT:
        if (gateway->batch.count > 0 && event->cookie == gateway->batch.number)
            gateway_decide(gateway, env, event->now_ns, out);
        return STATUS_OK;
    case GATEWAY_TIMER_CPU:
        gateway_cpu_done(gateway, env, event, out);
        return STATUS_OK;
    default:
        return STATUS_INVALID;
    }
}

static void gateway_totals(const void *state, struct row_node *row) {
    const struct gateway *gateway = state;
    row->busy_ns = gateway->cpu.busy_ns;
    row->energy_j = gateway->cpu.energy_j;
}

static void gateway_close(void *state) {
    struct gateway *gateway = state;
    struct gateway_batch *batch = &gateway->batch;
    void *owned[] = {gateway->entries, gateway->windows,  gateway->samples, gateway->free_windows,
                     batch->windows,   batch->last_batch, batch->tasks,     batch->order,
                     batch->offload,   gateway->durable};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    diagnosis_close(gateway->plan);
    model_holder_close(&gateway->holder);
    task_log_close(&gateway->log);
    *gateway = (struct gateway){0};
}

const struct node_class gateway_class = {
    .role = ROLE_GATEWAY,
    .state_bytes = sizeof(struct gateway),
    .on_start = on_start,
    .on_restart = on_restart,
    .on_timer = on_timer,
    .on_message =
        {
            [MESSAGE_TASK] = on_task,
            [MESSAGE_RESULT] = on_result,
            [MESSAGE_LINK_STATE] = on_link_state,
            [MESSAGE_REFUSED] = on_refused,
            [MESSAGE_MODEL] = on_model,
        },
    .close = gateway_close,
    .totals = gateway_totals,
};
