/* node: which class plays which role. */
#include "nodes/node.h"

const struct node_class *node_class_of(enum node_role role) {
    switch (role) {
    case ROLE_DEVICE:
        return &device_class;
    case ROLE_GATEWAY:
        return &gateway_class;
    case ROLE_EDGE:
        return &edge_class;
    case ROLE_CHAIN:
    case ROLE_DIRECTOR:
    case ROLE_COUNT:
        break;
    }
    return NULL;
}
