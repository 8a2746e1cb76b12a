#include "nodes/device/device.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/random.h"
#include "common/time/vtime.h"
#include "nodes/outbox.h"
#include "nodes/task.h"

#define DURABLE_VERSION 1
#define DURABLE_HEAD_BYTES 5
#define DURABLE_TASK_BYTES 15

int64_t device_give_up_ns(const struct scenario *scenario, int64_t born_ns) {
    int64_t last_ns = (int64_t)scenario->slots * scenario->slot_ns + scenario->drain_ns - 1;
    int64_t due_ns = born_ns + scenario->task.answer_timeout_ns;
    if (due_ns > last_ns)
        due_ns = last_ns;
    return due_ns > born_ns ? due_ns : born_ns;
}

static uint32_t gateway_of(const struct node_env *env) {
    return env->topology->nodes[env->self].parent;
}

static enum status device_init(struct device *device, const struct node_env *env) {
    const struct scenario *scenario = env->scenario;
    uint32_t gateway = gateway_of(env);
    if (gateway == TOPOLOGY_NONE || env->topology->nodes[gateway].role != ROLE_GATEWAY ||
        scenario->slots == 0)
        return STATUS_INVALID;
    model_holder_init(&device->holder, env);
    device->sample_count = task_sample_count(scenario);
    if (device->sample_count < 1 || device->sample_count > MESSAGE_SAMPLES_MAX)
        return STATUS_INVALID;
    device->open_max = task_memory_slots(scenario);
    device->tasks = calloc(device->open_max, sizeof *device->tasks);
    device->samples = calloc(device->sample_count, sizeof *device->samples);
    device->durable = malloc(DURABLE_HEAD_BYTES + (size_t)device->open_max * DURABLE_TASK_BYTES);
    if (!device->tasks || !device->samples || !device->durable)
        return STATUS_MEMORY;
    struct random_stream stream;
    random_init(&stream, scenario->seed, env->self, RANDOM_PHASE);
    device->phase_ns = (int64_t)random_below(&stream, (uint64_t)scenario->task.phase_ns + 1);
    return STATUS_OK;
}

static int64_t slot_begin_ns(const struct device *device, const struct node_env *env, uint32_t slot) {
    return scenario_slot_begin_ns(env->scenario, slot) + device->phase_ns;
}

/* Sets the timer of the first slot that begins strictly after `now_ns`: one that begins now is being served,
 * or may have been before a crash. */
static void arm_next_slot(const struct device *device, const struct node_env *env, int64_t now_ns,
                          struct outbox *out) {
    int64_t since_ns = now_ns - device->phase_ns;
    int64_t next = since_ns < 0 ? 0 : since_ns / env->scenario->slot_ns + 1;
    if (next < (int64_t)env->scenario->slots)
        outbox_timer(out, slot_begin_ns(device, env, (uint32_t)next), DEVICE_TIMER_SLOT, (uint64_t)next);
}

static enum status on_start(void *state, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    struct device *device = state;
    TRY(device_init(device, env));
    arm_next_slot(device, env, now_ns - 1, out); /* a slot that begins now counts */
    return STATUS_OK;
}

/* Keeps the open tasks for the life after a crash; costs nothing where no crash is scheduled. */
static void persist(struct device *device, const struct node_env *env, struct outbox *out) {
    if (!env->topology->nodes[env->self].may_crash)
        return;
    struct bytes_writer writer = bytes_writer_over(
        device->durable, DURABLE_HEAD_BYTES + (size_t)device->open_max * DURABLE_TASK_BYTES);
    uint32_t count = 0;
    for (uint32_t i = 0; i < device->open_max; i++)
        count += device->tasks[i].open;
    bytes_put_u8(&writer, DURABLE_VERSION);
    bytes_put_u32(&writer, count);
    for (uint32_t i = 0; i < device->open_max; i++) {
        const struct device_task *task = &device->tasks[i];
        if (!task->open)
            continue;
        bytes_put_u32(&writer, task->slot);
        bytes_put_u16(&writer, task->level);
        bytes_put_u8(&writer, task->true_class);
        bytes_put_i64(&writer, task->born_ns);
    }
    assert(!writer.failed);
    outbox_persist(out, device->durable, writer.used);
}

static enum status recover(struct device *device, const struct node_env *env, int64_t now_ns,
                           struct bytes_reader *reader) {
    if (reader->size == 0)
        return STATUS_OK;
    uint8_t version = bytes_get_u8(reader);
    uint32_t count = bytes_get_u32(reader);
    if (reader->failed || version != DURABLE_VERSION || count > device->open_max)
        return STATUS_INVALID;
    for (uint32_t i = 0; i < count; i++) {
        struct device_task task = {.open = true, .slot = bytes_get_u32(reader)};
        task.level = bytes_get_u16(reader);
        task.true_class = bytes_get_u8(reader);
        task.born_ns = bytes_get_i64(reader);
        struct task_header header = task_header_of(env->self, task.slot);
        header.level = task.level;
        header.born_ns = task.born_ns;
        if (reader->failed || !task_header_plausible(env->scenario, &header, now_ns))
            return STATUS_INVALID;
        device->tasks[task.slot % device->open_max] = task;
    }
    return bytes_done(reader) ? STATUS_OK : STATUS_INVALID;
}

static enum status on_restart(void *state, const struct node_env *env, int64_t now_ns, const uint8_t *durable,
                              size_t durable_bytes, struct outbox *out) {
    struct device *device = state;
    TRY(device_init(device, env));
    struct bytes_reader reader = bytes_reader_over(durable, durable_bytes);
    TRY(recover(device, env, now_ns, &reader));
    for (uint32_t i = 0; i < device->open_max; i++) {
        const struct device_task *task = &device->tasks[i];
        int64_t due_ns = task->open ? device_give_up_ns(env->scenario, task->born_ns) : 0;
        if (task->open)
            outbox_timer(out, due_ns > now_ns ? due_ns : now_ns, DEVICE_TIMER_GIVE_UP, task->slot);
    }
    arm_next_slot(device, env, now_ns, out);
    return STATUS_OK;
}

static void send_task(const struct device *device, const struct node_env *env, const struct device_task *task,
                      struct outbox *out) {
    struct message_task message = {.task = task_header_of(env->self, task->slot),
                                   .sample_rate_hz = task_sample_rate_hz(env->scenario),
                                   .sample_count = device->sample_count,
                                   .samples = device->samples};
    message.task.level = task->level;
    message.task.true_class = task->true_class;
    message.task.born_ns = task->born_ns;
    struct bytes_writer writer = outbox_reserve(out, MESSAGE_WINDOW_BYTES + (size_t)device->sample_count * 2);
    message_encode_task(&writer, &message);
    outbox_send_reserved(out, gateway_of(env), MESSAGE_TASK, &writer, task_bits(env->scenario), 0);
}

/* Takes the window of `slot` and sends it. */
static void make_task(struct device *device, const struct node_env *env, uint32_t slot, int64_t now_ns,
                      struct outbox *out) {
    struct device_task *task = &device->tasks[slot % device->open_max];
    struct random_stream stream;
    random_init(&stream, env->scenario->seed, env->self, RANDOM_TASK | (uint64_t)slot << 32);
    enum bearing_class class;
    bearing_source_window(env->bearings, env->self, slot, device->samples, device->sample_count, &class);
    *task = (struct device_task){.open = true,
                                 .true_class = (uint8_t) class,
                                 .level = (uint16_t)random_below(&stream, env->scenario->task.level_count),
                                 .slot = slot,
                                 .born_ns = now_ns};
    persist(device, env, out);
    send_task(device, env, task, out);
    outbox_timer(out, device_give_up_ns(env->scenario, now_ns), DEVICE_TIMER_GIVE_UP, slot);
}

/* The open task of `slot`, NULL when there is none. */
static struct device_task *open_task(struct device *device, uint64_t slot) {
    struct device_task *task = &device->tasks[slot % device->open_max];
    return task->open && task->slot == slot ? task : NULL;
}

/* Closes the task with its one row. `answer` says what became of it; who and what the task was, the device
 * knows. */
static void close_task(struct device *device, const struct node_env *env, struct device_task *task,
                       const struct message_answer *answer, int64_t now_ns, struct outbox *out) {
    struct row_task row = {.task = answer->task,
                           .answered_ns = now_ns,
                           .place = answer->place,
                           .drop = answer->drop,
                           .class = answer->class,
                           .confidence = answer->confidence,
                           .energy_device_j = answer->energy_device_j,
                           .energy_gateway_j = answer->energy_gateway_j,
                           .energy_uplink_j = answer->energy_uplink_j,
                           .energy_edge_j = answer->energy_edge_j,
                           .closed_form_ns = answer->closed_form_ns,
                           .deadline_ns = env->scenario->task.deadline_ns[task->level]};
    row.task.level = task->level;
    row.task.true_class = task->true_class;
    row.task.born_ns = task->born_ns;
    task->open = false;
    persist(device, env, out);
    outbox_record_task(out, &row);
}

/* Closes the task without an answer. */
static void drop_task(struct device *device, const struct node_env *env, struct device_task *task,
                      enum drop_reason reason, struct outbox *out, int64_t now_ns) {
    struct message_answer none = {.task = task_header_of(env->self, task->slot),
                                  .drop = (uint8_t)reason,
                                  .closed_form_ns = VTIME_NEVER};
    close_task(device, env, task, &none, now_ns, out);
}

/* A slot begins, or began while the device hung: within its own slot the window is taken late, after it there
 * is none. */
static enum status on_slot(struct device *device, const struct node_env *env, const struct node_event *event,
                           struct outbox *out) {
    if (event->cookie >= env->scenario->slots)
        return STATUS_INVALID;
    uint32_t slot = (uint32_t)event->cookie;
    struct device_task *before = &device->tasks[slot % device->open_max];
    if (before->open) /* its timer came in the same moment, behind this one */
        drop_task(device, env, before, DROP_UNANSWERED, out, event->now_ns);
    if (event->now_ns < slot_begin_ns(device, env, slot) + env->scenario->slot_ns)
        make_task(device, env, slot, event->now_ns, out);
    arm_next_slot(device, env, event->now_ns, out);
    return STATUS_OK;
}

static enum status on_timer(void *state, const struct node_env *env, const struct node_event *event,
                            struct outbox *out) {
    struct device *device = state;
    if (event->timer == DEVICE_TIMER_SLOT)
        return on_slot(device, env, event, out);
    if (event->timer != DEVICE_TIMER_GIVE_UP)
        return STATUS_INVALID;
    struct device_task *task = open_task(device, event->cookie);
    if (task)
        drop_task(device, env, task, DROP_UNANSWERED, out, event->now_ns);
    return STATUS_OK;
}

static enum status on_answer(void *state, const struct node_env *env, const struct node_event *event,
                             struct outbox *out) {
    struct device *device = state;
    struct message_answer answer;
    TRY(message_decode_answer(event->payload, event->payload_bytes, &answer));
    if (event->source != gateway_of(env) || answer.task.device != env->self)
        return STATUS_INVALID;
    struct device_task *task = open_task(device, answer.task.slot);
    if (task)
        close_task(device, env, task, &answer, event->now_ns, out);
    else
        device->late_answers++;
    return STATUS_OK;
}

static enum status on_refused(void *state, const struct node_env *env, const struct node_event *event,
                              struct outbox *out) {
    struct device *device = state;
    struct message_refused refused;
    TRY(message_decode_refused(event->payload, event->payload_bytes, &refused));
    if (refused.type != MESSAGE_TASK || refused.device != env->self)
        return STATUS_INVALID;
    struct device_task *task = open_task(device, refused.slot);
    if (task)
        drop_task(device, env, task, DROP_UPLINK_FULL, out, event->now_ns);
    return STATUS_OK;
}

static enum status on_model(void *state, const struct node_env *env, const struct node_event *event,
                            struct outbox *out) {
    struct device *device = state;
    if (event->source != gateway_of(env))
        return STATUS_INVALID;
    enum model_news news = model_holder_take(&device->holder, event->payload, event->payload_bytes);
    model_holder_record(&device->holder, env, news, event->now_ns, out);
    return STATUS_OK;
}

static void device_close(void *state) {
    struct device *device = state;
    model_holder_close(&device->holder);
    free(device->tasks);
    free(device->samples);
    free(device->durable);
    *device = (struct device){0};
}

const struct node_class device_class = {
    .role = ROLE_DEVICE,
    .state_bytes = sizeof(struct device),
    .on_start = on_start,
    .on_restart = on_restart,
    .on_timer = on_timer,
    .on_message =
        {
            [MESSAGE_ANSWER] = on_answer,
            [MESSAGE_LINK_STATE] = node_on_link_state,
            [MESSAGE_REFUSED] = on_refused,
            [MESSAGE_MODEL] = on_model,
        },
    .close = device_close,
};
