/* Fuzzes what a gateway and the two sorts of device read back after a crash: any bytes give STATUS_OK or
 * STATUS_INVALID, and after STATUS_OK what is persisted next reads back as the same. The first byte picks the
 * node. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/time/vtime.h"
#include "nodes/gateway/gateway.h"
#include "nodes/outbox.h"

enum { EDGE = 0, GATEWAY, DEVICE, TERMINAL, NODES };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct scenario scenario = {.slot_ns = VTIME_NS_PER_S,
                                   .slots = 100,
                                   .drain_ns = VTIME_NS_PER_S,
                                   .task = {.level_count = 3,
                                            .answer_timeout_ns = 2 * VTIME_NS_PER_S,
                                            .window_ns = VTIME_NS_PER_S / 100,
                                            .sample_rate_hz = 4000,
                                            .bits = 640}};
static struct topology_node nodes[NODES] = {
    [EDGE] = {.role = ROLE_EDGE, .parent = TOPOLOGY_NONE},
    [GATEWAY] = {.role = ROLE_GATEWAY, .parent = EDGE, .may_crash = true},
    [DEVICE] = {.role = ROLE_DEVICE, .parent = GATEWAY, .may_crash = true},
    [TERMINAL] = {.role = ROLE_DEVICE, .parent = EDGE, .may_crash = true}};
static struct topology topology = {.nodes = nodes, .node_count = NODES};

static const struct action *persisted(const struct outbox *out) {
    for (uint32_t i = 0; i < out->count; i++)
        if (out->actions[i].kind == ACTION_PERSIST)
            return &out->actions[i];
    return NULL;
}

static struct gateway open_gateway(void) {
    struct gateway gateway = {0};
    uint32_t *devices = malloc(sizeof *devices);
    devices[0] = DEVICE;
    if (task_log_init(&gateway.log, devices, 1, task_memory_slots(&scenario)) != STATUS_OK)
        abort();
    gateway.entries = calloc(gateway.log.depth, sizeof *gateway.entries);
    gateway.durable_max = gateway_durable_max(&gateway);
    gateway.durable = malloc(gateway.durable_max);
    return gateway;
}

static void close_gateway(struct gateway *gateway) {
    task_log_close(&gateway->log);
    free(gateway->entries);
    free(gateway->durable);
}

static void try_gateway(const struct node_env *env, struct outbox *out, const uint8_t *data, size_t size) {
    struct gateway gateway = open_gateway(), again = open_gateway();
    if (gateway_recover(&gateway, env, data, size) == STATUS_OK) {
        gateway_persist(&gateway, env, out);
        const struct action *action = persisted(out);
        if (!action || gateway_recover(&again, env, out->bytes + action->offset, action->bytes) != STATUS_OK)
            abort();
        if (memcmp(gateway.log.marks, again.log.marks, gateway.log.depth * sizeof *again.log.marks) != 0)
            abort();
    }
    close_gateway(&gateway);
    close_gateway(&again);
}

static void try_device(const struct node_env *env, struct outbox *out, const uint8_t *data, size_t size) {
    const struct node_class *class = node_class_of(&topology, env->self);
    void *state = calloc(1, class->state_bytes);
    enum status status = class->on_restart(state, env, 5 * VTIME_NS_PER_S, data, size, out);
    if (status != STATUS_OK && status != STATUS_INVALID)
        abort();
    if (class->close != NULL)
        class->close(state);
    free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    struct outbox out;
    outbox_init(&out);
    static const uint32_t selves[] = {DEVICE, GATEWAY, TERMINAL};
    uint32_t self = selves[data[0] % 3];
    struct node_env env = {.scenario = &scenario, .topology = &topology, .self = self};
    (self == GATEWAY ? try_gateway : try_device)(&env, &out, data + 1, size - 1);
    outbox_close(&out);
    return 0;
}
