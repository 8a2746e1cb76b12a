/* node: which class plays which node, and what several classes do alike. */
#include "nodes/node.h"

static bool is_below_edge(const struct topology *topology, uint32_t id) {
    uint32_t parent = topology->nodes[id].parent;
    return parent != TOPOLOGY_NONE && topology->nodes[parent].role == ROLE_EDGE;
}

static bool is_above_devices(const struct topology *topology, uint32_t id) {
    const struct topology_node *node = &topology->nodes[id];
    return node->child_count > 0 &&
           topology->nodes[topology->children[node->first_child]].role == ROLE_DEVICE;
}

const struct node_class *node_class_of(const struct topology *topology, uint32_t id) {
    switch (topology->nodes[id].role) {
    case ROLE_DEVICE:
        return is_below_edge(topology, id) ? &terminal_class : &device_class;
    case ROLE_GATEWAY:
        return &gateway_class;
    case ROLE_EDGE:
        return is_above_devices(topology, id) ? &coordinator_class : &edge_class;
    case ROLE_CHAIN:
        return &validator_class;
    case ROLE_DIRECTOR:
    case ROLE_COUNT:
        break;
    }
    return NULL;
}

enum status node_on_link_state(void *state, const struct node_env *env, const struct node_event *event,
                               struct outbox *out) {
    (void)state;
    (void)env;
    (void)out;
    struct message_link_state report;
    return message_decode_link_state(event->payload, event->payload_bytes, &report);
}
