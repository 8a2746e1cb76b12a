/* gateway_decide: the open batch closes: it is put into serving order, the policy decides on a forecast of
 * processor and uplink, what stays goes to the processor and what leaves goes to the network card. */
#include <assert.h>
#include <math.h>

#include "common/base/random.h"
#include "common/time/vtime.h"
#include "nodes/gateway/gateway.h"
#include "nodes/outbox.h"

/* Sorts the batch into serving order: the most critical first, in order of arrival among equals. */
static void sort_batch(struct gateway *gateway, const struct scenario *scenario) {
    struct gateway_batch *batch = &gateway->batch;
    uint32_t used = 0;
    for (uint32_t level = scenario->task.level_count; level-- > 0;)
        for (uint32_t i = 0; i < batch->count; i++)
            if (gateway->windows[batch->windows[i]].window.task.level == level) {
                batch->tasks[used] = (struct policy_task){.level = (uint16_t)level,
                                                          .deadline_ns = scenario->task.deadline_ns[level]};
                batch->order[used++] = batch->windows[i];
            }
    assert(used == batch->count);
}

static struct policy_forecast forecast(struct gateway *gateway, const struct node_env *env, int64_t now_ns) {
    int64_t cpu_ns = gateway->cpu.free_ns - now_ns;
    bool busy = gateway->cpu.running > 0 && cpu_ns > 0;
    return (struct policy_forecast){.cpu_wait_ns = busy ? cpu_ns : 0,
                                    .local_task_s = gateway_cpu_task_s(env->scenario),
                                    .uplink_known = gateway->uplink.known,
                                    .uplink_wait_ns = uplink_wait_ns(&gateway->uplink, now_ns),
                                    .hold_ns = gateway->uplink.hold_ns,
                                    .air_ns = gateway->uplink.air_ns,
                                    .edge_ns = gateway->edge_ns};
}

void gateway_distrust_waiting(struct gateway *gateway, int64_t since_ns) {
    uint32_t entry_count = gateway->log.device_count * gateway->log.depth;
    for (uint32_t i = 0; i < entry_count; i++) {
        struct gateway_entry *entry = &gateway->entries[i];
        if (entry->state == ENTRY_OFFLOADED && entry->uplink_expected_ns >= since_ns)
            entry->closed_form_ns = VTIME_NEVER;
    }
}

/* Hands one task to the network card; `ahead` tasks of this batch went before it. */
static void offload(struct gateway *gateway, const struct node_env *env, uint32_t at,
                    const struct policy_forecast *view, uint32_t ahead, struct outbox *out) {
    struct gateway_window *window = &gateway->windows[at];
    struct gateway_entry *entry = &gateway->entries[window->entry];
    struct message_offload message = {.window = window->window};
    size_t bytes_max = MESSAGE_WINDOW_BYTES + (size_t)window->window.sample_count * 2;
    struct bytes_writer writer = outbox_reserve(out, bytes_max);
    message_encode_offload(&writer, &message);
    outbox_send_reserved(out, gateway->edge, MESSAGE_OFFLOAD, &writer, task_bits(env->scenario),
                         window->window.task.level);
    int64_t now_ns = window->window.task.decided_ns;
    entry->state = ENTRY_OFFLOADED;
    entry->closed_form_ns = gateway->formula ? policy_offload_delay_ns(view, ahead) : VTIME_NEVER;
    entry->uplink_expected_ns = now_ns + view->uplink_wait_ns + llround(ahead * view->hold_ns);
    uplink_sent(&gateway->uplink, now_ns);
    gateway_release(gateway, at);
}

/* Lets go of windows that waited for so long that their entry serves a newer task: nobody expects their
 * answer. */
static void discard_forgotten(struct gateway *gateway) {
    struct gateway_batch *batch = &gateway->batch;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct gateway_window *window = &gateway->windows[batch->windows[i]];
        if (gateway->entries[window->entry].task.slot == window->window.task.slot) {
            batch->windows[kept++] = batch->windows[i];
            continue;
        }
        gateway->stale++;
        gateway_release(gateway, batch->windows[i]);
    }
    batch->count = kept;
}

void gateway_decide(struct gateway *gateway, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    struct gateway_batch *batch = &gateway->batch;
    discard_forgotten(gateway);
    sort_batch(gateway, env->scenario);
    struct policy_batch view = {
        .tasks = batch->tasks, .count = batch->count, .forecast = forecast(gateway, env, now_ns)};
    struct random_stream stream;
    random_init(&stream, env->scenario->seed, env->self, RANDOM_POLICY | (uint64_t)batch->number << 32);
    policy_decide(&env->scenario->policy, &view, &stream, batch->offload);
    bool idle = uplink_idle(&gateway->uplink, now_ns);
    gateway->formula = idle && gateway->edge_formula;
    uint32_t ahead = 0, local = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct gateway_window *window = &gateway->windows[batch->order[i]];
        window->window.task.decided_ns = now_ns;
        gateway->entries[window->entry].task.decided_ns = now_ns;
        if (!batch->offload[i]) {
            gateway->entries[window->entry].state = ENTRY_LOCAL;
            batch->order[local++] = batch->order[i];
            continue;
        }
        if (ahead == 0 && !idle)
            gateway_distrust_waiting(gateway, now_ns); /* these may overtake what waits */
        offload(gateway, env, batch->order[i], &view.forecast, ahead++, out);
    }
    if (local > 0)
        gateway_cpu_queue(gateway, env, batch->order, local, now_ns, out);
    batch->number++;
    batch->count = 0;
    batch->device_count = 0;
    gateway_persist(gateway, env, out);
}
