/* bus_backend: what an implementation of bus.h provides. Private to common/net/bus*.c: everybody else
 * includes bus.h. A backend embeds `struct bus` as its first member, fills it once, and keeps the counters of
 * its own. */
#ifndef TIERBED_NET_BUS_BACKEND_H
#define TIERBED_NET_BUS_BACKEND_H

#include "common/net/bus.h"

struct bus_backend {
    enum status (*send)(struct bus *bus, uint32_t rank, enum bus_lane lane, const void *data, size_t size);
    void (*flush)(struct bus *bus);
    bool (*receive)(struct bus *bus, struct bus_message *message);
    void (*wait)(struct bus *bus, int64_t timeout_ns);
    bool (*peer_dead)(struct bus *bus, uint32_t rank);
    bool (*launcher_dead)(struct bus *bus);
    void (*close)(struct bus *bus);
    void (*abandon)(struct bus *bus);
};

struct bus {
    const struct bus_backend *backend;
    uint32_t rank, size;
    struct bus_counters counters;
};

#endif
