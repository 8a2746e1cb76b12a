/* bus: checks what every implementation would check, counts, and hands over to the backend. */
#include "common/net/bus.h"

#include <assert.h>

#include "common/net/bus_backend.h"

uint32_t bus_rank(const struct bus *bus) {
    return bus->rank;
}

uint32_t bus_size(const struct bus *bus) {
    return bus->size;
}

enum status bus_send(struct bus *bus, uint32_t rank, enum bus_lane lane, const void *data, size_t size) {
    assert(rank < bus->size);
    assert(lane >= 0 && lane < BUS_LANES);
    assert(data != NULL || size == 0);
    if (size > BUS_MESSAGE_BYTES_MAX)
        return STATUS_LIMIT;
    TRY(bus->backend->send(bus, rank, lane, data, size));
    bus->counters.sent[lane]++;
    bus->counters.bytes_sent += size;
    return STATUS_OK;
}

void bus_flush(struct bus *bus) {
    bus->backend->flush(bus);
}

bool bus_receive(struct bus *bus, struct bus_message *message) {
    assert(message != NULL);
    if (!bus->backend->receive(bus, message))
        return false;
    assert(message->source < bus->size);
    bus->counters.received[message->lane]++;
    return true;
}

void bus_wait(struct bus *bus, int64_t timeout_ns) {
    bus->backend->flush(bus);
    bus->backend->wait(bus, timeout_ns);
}

bool bus_peer_dead(struct bus *bus, uint32_t rank) {
    assert(rank < bus->size);
    return bus->backend->peer_dead(bus, rank);
}

bool bus_launcher_dead(struct bus *bus) {
    return bus->backend->launcher_dead(bus);
}

const struct bus_counters *bus_counters(const struct bus *bus) {
    return &bus->counters;
}

void bus_close(struct bus *bus) {
    if (bus != NULL)
        bus->backend->close(bus);
}

void bus_abandon(struct bus *bus) {
    if (bus != NULL)
        bus->backend->abandon(bus);
}
