/* gateway_cpu: the processor of a gateway. Batches of local tasks, first come first served; all tasks of a
 * batch end together, as jopa (2) has it, and are then really diagnosed. */
#include <assert.h>

#include "common/model/compute.h"
#include "common/time/vtime.h"
#include "nodes/gateway/gateway.h"
#include "nodes/outbox.h"

double gateway_cpu_task_s(const struct scenario *scenario) {
    const struct scenario_compute *compute = &scenario->compute;
    return compute_pruned_task_s(scenario->task.bits * compute->intensity_flop_per_bit, compute->pruning,
                                 compute->gateway_flops);
}

int64_t gateway_cpu_batch_ns(const struct scenario *scenario, uint32_t count) {
    const struct scenario_compute *compute = &scenario->compute;
    return vtime_from_s(compute_batch_delay_s(count, scenario->task.bits * compute->intensity_flop_per_bit,
                                              compute->pruning, compute->gateway_flops));
}

static void start_run(struct gateway *gateway, const struct node_env *env, int64_t now_ns,
                      struct outbox *out) {
    struct gateway_cpu *cpu = &gateway->cpu;
    if (cpu->running > 0 || cpu->head == GATEWAY_NO_TASK)
        return;
    cpu->running = gateway->windows[cpu->head].batch_size;
    cpu->end_ns = now_ns + gateway_cpu_batch_ns(env->scenario, cpu->running);
    uint32_t at = cpu->head;
    for (uint32_t i = 0; i < cpu->running; i++, at = gateway->windows[at].next)
        gateway->windows[at].window.task.compute_start_ns = now_ns;
    outbox_timer(out, cpu->end_ns, GATEWAY_TIMER_CPU, cpu->run);
}

void gateway_cpu_queue(struct gateway *gateway, const struct node_env *env, const uint32_t *windows,
                       uint32_t count, int64_t now_ns, struct outbox *out) {
    struct gateway_cpu *cpu = &gateway->cpu;
    assert(count > 0);
    int64_t batch_ns = gateway_cpu_batch_ns(env->scenario, count);
    bool idle = cpu->head == GATEWAY_NO_TASK;
    for (uint32_t i = 0; i < count; i++) {
        struct gateway_window *window = &gateway->windows[windows[i]];
        window->batch_size = count;
        window->next = GATEWAY_NO_TASK;
        gateway->entries[window->entry].closed_form_ns = idle ? batch_ns : VTIME_NEVER;
        if (cpu->head == GATEWAY_NO_TASK)
            cpu->head = windows[i];
        else
            gateway->windows[cpu->tail].next = windows[i];
        cpu->tail = windows[i];
    }
    cpu->free_ns = (cpu->free_ns > now_ns ? cpu->free_ns : now_ns) + batch_ns;
    start_run(gateway, env, now_ns, out);
}

/* Diagnoses one window of the run that ended and answers its device. */
static void finish(struct gateway *gateway, const struct node_env *env, struct gateway_window *window,
                   double energy_j, bool on_time, struct outbox *out) {
    struct task_header *task = &window->window.task;
    struct gateway_entry *entry = &gateway->entries[window->entry];
    if (entry->state != ENTRY_LOCAL || entry->task.slot != task->slot) {
        gateway->stale++; /* its entry serves a newer task: the device has long given this one up */
        return;
    }
    struct task_verdict verdict = task_diagnose(env->scenario, gateway->plan, &window->window);
    int64_t delay_ns = task->compute_end_ns - task->decided_ns;
    if (verdict.drop == DROP_NONE && !task_in_time(env->scenario, task, delay_ns))
        verdict.drop = DROP_DEADLINE;
    if (!on_time)
        entry->closed_form_ns = VTIME_NEVER;
    entry->task = *task;
    gateway_answer(gateway, window->entry,
                   (struct message_answer){.place = PLACE_GATEWAY,
                                           .drop = verdict.drop,
                                           .class = verdict.class,
                                           .confidence = verdict.confidence,
                                           .energy_gateway_j = energy_j},
                   out);
}

void gateway_cpu_done(struct gateway *gateway, const struct node_env *env, const struct node_event *event,
                      struct outbox *out) {
    struct gateway_cpu *cpu = &gateway->cpu;
    if (cpu->running == 0 || event->cookie != cpu->run)
        return;
    int64_t busy_ns = gateway_cpu_batch_ns(env->scenario, cpu->running);
    double energy_j = env->scenario->compute.gateway_power_w * vtime_to_s(busy_ns);
    uint32_t count = cpu->running;
    bool on_time = event->now_ns == cpu->end_ns; /* not when the node hung meanwhile */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = cpu->head;
        struct gateway_window *window = &gateway->windows[at];
        cpu->head = window->next;
        window->window.task.compute_end_ns = event->now_ns;
        finish(gateway, env, window, energy_j / count, on_time, out);
        gateway_release(gateway, at);
    }
    cpu->busy_ns += busy_ns;
    cpu->energy_j += energy_j;
    cpu->free_ns += event->now_ns - cpu->end_ns;
    cpu->running = 0;
    cpu->run++;
    start_run(gateway, env, event->now_ns, out);
    gateway_persist(gateway, env, out);
}
