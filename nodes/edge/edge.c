#include "nodes/edge/edge.h"

#include <assert.h>
#include <stdlib.h>

#include "common/model/compute.h"
#include "common/time/vtime.h"
#include "nodes/outbox.h"

uint32_t edge_gateway_count(const struct topology *topology, uint32_t edge) {
    const struct topology_node *node = &topology->nodes[edge];
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->child_count; i++)
        count += topology->nodes[topology->children[node->first_child + i]].role == ROLE_GATEWAY;
    return count;
}

int64_t edge_service_ns(const struct scenario *scenario, uint32_t gateway_count) {
    const struct scenario_compute *compute = &scenario->compute;
    assert(gateway_count > 0);
    if (compute->edge_work_flop <= 0)
        return 0;
    double floor =
        compute_edge_share_floor(compute->edge_work_flop, compute->edge_flops, vtime_to_s(scenario->slot_ns));
    return vtime_from_s(
        compute_edge_delay_s(compute->edge_work_flop, compute->edge_flops, 1.0 / gateway_count, floor));
}

/* Remembers the tasks of every device below every gateway. */
static enum status init_log(struct edge *edge, const struct node_env *env) {
    const struct topology *topology = env->topology;
    size_t count = 0;
    for (uint32_t s = 0; s < edge->share_count; s++)
        count += topology->nodes[edge->shares[s].gateway].child_count;
    uint32_t *devices = malloc((count + 1) * sizeof *devices);
    if (!devices)
        return STATUS_MEMORY;
    uint32_t used = 0;
    for (uint32_t s = 0; s < edge->share_count; s++) {
        const struct topology_node *gateway = &topology->nodes[edge->shares[s].gateway];
        for (uint32_t i = 0; i < gateway->child_count; i++)
            devices[used++] = topology->children[gateway->first_child + i];
    }
    return task_log_init(&edge->log, devices, used, task_memory_slots(env->scenario));
}

static enum status init_shares(struct edge *edge, const struct node_env *env) {
    const struct topology_node *node = &env->topology->nodes[env->self];
    edge->shares = calloc((size_t)edge->share_count + 1, sizeof *edge->shares);
    if (!edge->shares)
        return STATUS_MEMORY;
    uint32_t used = 0;
    for (uint32_t i = 0; i < node->child_count; i++) {
        uint32_t child = env->topology->children[node->first_child + i];
        if (env->topology->nodes[child].role != ROLE_GATEWAY)
            continue;
        struct edge_share *share = &edge->shares[used++];
        share->gateway = child;
        share->tasks = calloc(edge->room, sizeof *share->tasks);
        share->windows = calloc(edge->room, edge->sample_count * sizeof *share->windows);
        if (!share->tasks || !share->windows)
            return STATUS_MEMORY;
    }
    return STATUS_OK;
}

static enum status edge_init(struct edge *edge, const struct node_env *env) {
    const struct scenario *scenario = env->scenario;
    edge->share_count = edge_gateway_count(env->topology, env->self);
    edge->room = scenario->compute.edge_queue_max + 2;
    edge->sample_count = task_sample_count(scenario);
    if (edge->share_count == 0 || edge->sample_count == 0 || scenario->slots == 0)
        return STATUS_INVALID;
    model_server_init(&edge->models, env);
    TRY(init_shares(edge, env));
    TRY(init_log(edge, env));
    edge->service_ns = edge_service_ns(scenario, edge->share_count);
    edge->energy_per_task_j =
        scenario->compute.edge_power_w / edge->share_count * vtime_to_s(edge->service_ns);
    return diagnosis_open(edge->sample_count, scenario->task.sample_rate_hz, scenario->data.shaft_hz,
                          &edge->plan, NULL);
}

static enum status on_start(void *state, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    struct edge *edge = state;
    TRY(edge_init(edge, env));
    return model_server_start(&edge->models, env, now_ns, out);
}

static enum status on_restart(void *state, const struct node_env *env, int64_t now_ns, const uint8_t *durable,
                              size_t durable_bytes, struct outbox *out) {
    struct edge *edge = state;
    TRY(edge_init(edge, env));
    TRY(model_server_restart(&edge->models, env, now_ns, durable, durable_bytes, out));
    model_holder_retune(&edge->models.holder, env, edge->plan);
    return STATUS_OK;
}

static struct edge_share *share_of(struct edge *edge, uint32_t gateway) {
    for (uint32_t s = 0; s < edge->share_count; s++)
        if (edge->shares[s].gateway == gateway)
            return &edge->shares[s];
    return NULL;
}

static void send_result(const struct edge_share *share, const struct message_result *result,
                        struct outbox *out) {
    struct bytes_writer writer = outbox_reserve(out, message_info(MESSAGE_RESULT)->bytes_max);
    message_encode_result(&writer, result);
    outbox_send_reserved(out, share->gateway, MESSAGE_RESULT, &writer, 0, 0);
}

/* The first task of the ring goes into work. */
static void start_work(struct edge *edge, struct edge_share *share, int64_t now_ns, struct outbox *out) {
    struct task_header *task = &share->tasks[share->head].task;
    task->compute_start_ns = now_ns;
    task->compute_end_ns = now_ns + edge->service_ns;
    uint64_t index = (uint64_t)(share - edge->shares);
    outbox_timer(out, task->compute_end_ns, EDGE_TIMER_SHARE, index | (uint64_t)share->served << 32);
}

/* Decodes into the next place of the ring: there always is one, as the ring has one place more than it may
 * hold. */
static enum status read_window(struct edge *edge, struct edge_share *share, const struct node_event *event,
                               struct message_task **window) {
    uint32_t at = (share->head + share->count) % edge->room;
    int16_t *samples = share->windows + (size_t)at * edge->sample_count;
    struct message_offload message;
    TRY(message_decode_offload(event->payload, event->payload_bytes, samples, edge->sample_count, &message));
    share->tasks[at] = message.window;
    *window = &share->tasks[at];
    return STATUS_OK;
}

static enum status on_offload(void *state, const struct node_env *env, const struct node_event *event,
                              struct outbox *out) {
    struct edge *edge = state;
    struct edge_share *share = share_of(edge, event->source);
    if (!share)
        return STATUS_INVALID;
    struct message_task *window;
    TRY(read_window(edge, share, event, &window));
    struct task_header *task = &window->task;
    uint32_t entry;
    if (!task_header_plausible(env->scenario, task, event->now_ns) ||
        task_log_find(&edge->log, task->device, task->slot, &entry) == TASK_FOREIGN ||
        env->topology->nodes[task->device].parent != share->gateway)
        return STATUS_INVALID;
    if (task_log_take(&edge->log, task->device, task->slot, &entry) != TASK_NEW) {
        edge->duplicates++;
        return STATUS_OK;
    }
    task->uplink_start_ns = event->start_ns;
    task->uplink_end_ns = event->start_ns + event->air_ns;
    if (share->count + 1 == edge->room) {
        edge->full++;
        send_result(share, &(struct message_result){.task = *task, .drop = DROP_EDGE_FULL}, out);
        return STATUS_OK;
    }
    share->count++;
    if (share->count == 1)
        start_work(edge, share, event->now_ns, out);
    return STATUS_OK;
}

static enum status on_timer(void *state, const struct node_env *env, const struct node_event *event,
                            struct outbox *out) {
    struct edge *edge = state;
    uint32_t index = (uint32_t)event->cookie;
    if (event->timer == MODEL_TIMER_ROUND || event->timer == MODEL_TIMER_AGAIN)
        return model_server_on_timer(&edge->models, env, event, out);
    if (event->timer != EDGE_TIMER_SHARE || index >= edge->share_count)
        return STATUS_INVALID;
    struct edge_share *share = &edge->shares[index];
    if (share->count == 0 || share->served != event->cookie >> 32)
        return STATUS_OK;
    struct message_task *window = &share->tasks[share->head];
    window->task.compute_end_ns = event->now_ns; /* later than planned when this node hung */
    struct task_verdict verdict = task_diagnose(env->scenario, edge->plan, window);
    send_result(share,
                &(struct message_result){.task = window->task,
                                         .drop = verdict.drop,
                                         .class = verdict.class,
                                         .confidence = verdict.confidence,
                                         .energy_j = edge->energy_per_task_j},
                out);
    edge->busy_ns += edge->service_ns;
    edge->energy_j += edge->energy_per_task_j;
    share->head = (share->head + 1) % edge->room;
    share->count--;
    share->served++;
    if (share->count > 0)
        start_work(edge, share, event->now_ns, out);
    return STATUS_OK;
}

/* A result that its downlink had no room for: the device gives the task up by itself. */
static enum status on_refused(void *state, const struct node_env *env, const struct node_event *event,
                              struct outbox *out) {
    (void)env;
    (void)out;
    struct edge *edge = state;
    struct message_refused refused;
    TRY(message_decode_refused(event->payload, event->payload_bytes, &refused));
    edge->results_refused++;
    return STATUS_OK;
}

/* Another model is held: it diagnoses here from now on, and at the gateways as soon as it gets there. */
static void use_model(struct edge *edge, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    const struct model_holder *holder = &edge->models.holder;
    model_holder_retune(holder, env, edge->plan);
    model_holder_record(holder, env, MODEL_TAKEN, now_ns, out);
    if (env->topology->nodes[env->self].may_crash)
        outbox_persist(out, holder->message, holder->message_bytes);
    for (uint32_t s = 0; s < edge->share_count; s++)
        model_holder_send(holder, edge->shares[s].gateway, out);
}

static enum status on_proof(void *state, const struct node_env *env, const struct node_event *event,
                            struct outbox *out) {
    struct edge *edge = state;
    bool taken;
    TRY(model_server_on_proof(&edge->models, env, event, out, &taken));
    if (taken)
        use_model(edge, env, event->now_ns, out);
    return STATUS_OK;
}

static enum status on_blob(void *state, const struct node_env *env, const struct node_event *event,
                           struct outbox *out) {
    struct edge *edge = state;
    bool taken;
    TRY(model_server_on_blob(&edge->models, env, event, out, &taken));
    if (taken)
        use_model(edge, env, event->now_ns, out);
    return STATUS_OK;
}

static enum status on_blob_request(void *state, const struct node_env *env, const struct node_event *event,
                                   struct outbox *out) {
    (void)env;
    return model_server_on_request(&((struct edge *)state)->models, event, out);
}

static void edge_totals(const void *state, struct row_node *row) {
    const struct edge *edge = state;
    row->busy_ns = edge->share_count ? edge->busy_ns / (int64_t)edge->share_count : 0;
    row->energy_j = edge->energy_j;
}

static void edge_close(void *state) {
    struct edge *edge = state;
    for (uint32_t s = 0; edge->shares && s < edge->share_count; s++) {
        free(edge->shares[s].tasks);
        free(edge->shares[s].windows);
    }
    free(edge->shares);
    diagnosis_close(edge->plan);
    model_server_close(&edge->models);
    task_log_close(&edge->log);
    *edge = (struct edge){0};
}

const struct node_class edge_class = {
    .role = ROLE_EDGE,
    .state_bytes = sizeof(struct edge),
    .on_start = on_start,
    .on_restart = on_restart,
    .on_timer = on_timer,
    .on_message =
        {
            [MESSAGE_OFFLOAD] = on_offload,
            [MESSAGE_LINK_STATE] = node_on_link_state,
            [MESSAGE_REFUSED] = on_refused,
            [MESSAGE_PROOF] = on_proof,
            [MESSAGE_BLOB_RESP] = on_blob,
            [MESSAGE_BLOB_REQ] = on_blob_request,
        },
    .close = edge_close,
    .totals = edge_totals,
};
