/* gateway_durable: what a gateway persists, and how it comes back with it. Little-endian, versioned: version,
 * next batch, totals of the processor, then the entries that are not merely gathered. */
#include <assert.h>

#include "common/time/vtime.h"
#include "nodes/gateway/gateway.h"
#include "nodes/outbox.h"

#define DURABLE_VERSION 1
#define DURABLE_HEAD_BYTES 25
#define DURABLE_ENTRY_BYTES 44

size_t gateway_durable_max(const struct gateway *gateway) {
    return DURABLE_HEAD_BYTES + (size_t)gateway->log.device_count * gateway->log.depth * DURABLE_ENTRY_BYTES;
}

static bool durable(const struct gateway_entry *entry) {
    return entry->state == ENTRY_LOCAL || entry->state == ENTRY_OFFLOADED || entry->state == ENTRY_DONE;
}

void gateway_persist(struct gateway *gateway, const struct node_env *env, struct outbox *out) {
    if (!env->topology->nodes[env->self].may_crash)
        return;
    uint32_t entry_count = gateway->log.device_count * gateway->log.depth, count = 0;
    for (uint32_t i = 0; i < entry_count; i++)
        count += durable(&gateway->entries[i]);
    struct bytes_writer writer = bytes_writer_over(gateway->durable, gateway->durable_max);
    bytes_put_u8(&writer, DURABLE_VERSION);
    bytes_put_u32(&writer, gateway->batch.number);
    bytes_put_i64(&writer, gateway->cpu.busy_ns);
    bytes_put_f64(&writer, gateway->cpu.energy_j);
    bytes_put_u32(&writer, count);
    for (uint32_t i = 0; i < entry_count; i++) {
        const struct gateway_entry *entry = &gateway->entries[i];
        if (!durable(entry))
            continue;
        bytes_put_u8(&writer, entry->state);
        bytes_put_u32(&writer, entry->task.device);
        bytes_put_u32(&writer, entry->task.slot);
        bytes_put_u16(&writer, entry->task.level);
        bytes_put_u8(&writer, entry->task.true_class);
        bytes_put_i64(&writer, entry->task.born_ns);
        bytes_put_i64(&writer, entry->task.gathered_ns);
        bytes_put_i64(&writer, entry->task.decided_ns);
        bytes_put_f64(&writer, entry->energy_device_j);
    }
    assert(!writer.failed);
    outbox_persist(out, gateway->durable, writer.used);
}

static enum status recover_entry(struct gateway *gateway, const struct node_env *env,
                                 struct bytes_reader *reader) {
    struct gateway_entry entry = {.state = bytes_get_u8(reader), .closed_form_ns = VTIME_NEVER};
    uint32_t device = bytes_get_u32(reader);
    uint32_t slot = bytes_get_u32(reader), at;
    entry.task = task_header_of(device, slot);
    entry.task.level = bytes_get_u16(reader);
    entry.task.true_class = bytes_get_u8(reader);
    entry.task.born_ns = bytes_get_i64(reader);
    entry.task.gathered_ns = bytes_get_i64(reader);
    entry.task.decided_ns = bytes_get_i64(reader);
    entry.energy_device_j = bytes_get_f64(reader);
    bool times = entry.task.gathered_ns >= entry.task.born_ns && entry.task.gathered_ns < VTIME_NEVER &&
                 entry.task.decided_ns >= entry.task.gathered_ns;
    if (reader->failed || !durable(&entry) || !times || !(entry.energy_device_j >= 0) ||
        !task_header_plausible(env->scenario, &entry.task, entry.task.gathered_ns) ||
        task_log_take(&gateway->log, device, slot, &at) != TASK_NEW)
        return STATUS_INVALID;
    gateway->entries[at] = entry;
    return STATUS_OK;
}

enum status gateway_recover(struct gateway *gateway, const struct node_env *env, const uint8_t *data,
                            size_t data_bytes) {
    if (data_bytes == 0)
        return STATUS_OK; /* it crashed before its first decision */
    struct bytes_reader reader = bytes_reader_over(data, data_bytes);
    uint8_t version = bytes_get_u8(&reader);
    gateway->batch.number = bytes_get_u32(&reader);
    gateway->cpu.busy_ns = bytes_get_i64(&reader);
    gateway->cpu.energy_j = bytes_get_f64(&reader);
    uint32_t count = bytes_get_u32(&reader);
    if (reader.failed || version != DURABLE_VERSION)
        return STATUS_INVALID;
    for (uint32_t i = 0; i < count; i++)
        TRY(recover_entry(gateway, env, &reader));
    return bytes_done(&reader) ? STATUS_OK : STATUS_INVALID;
}
