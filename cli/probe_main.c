/* tierbed-probe: two ranks pass a message to and fro over the bus; `tierbed doctor` starts it to see whether
 * MPI works here. Rank 0 prints one line, "rtt_ns N". */
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/net/bus.h"
#include "common/time/wall.h"

#define ROUNDS 1000
#define PATIENCE_NS (INT64_C(10) * 1000000000)

static enum status await(struct bus *bus, uint32_t round) {
    int64_t deadline_ns = wall_now_ns() + PATIENCE_NS;
    struct bus_message message;
    while (!bus_receive(bus, &message)) {
        if (wall_now_ns() > deadline_ns)
            return STATUS_PEER;
        bus_wait(bus, 10000000);
    }
    uint32_t got = 0;
    if (message.size != sizeof got)
        return STATUS_INVALID;
    memcpy(&got, message.data, sizeof got);
    return got == round ? STATUS_OK : STATUS_INVALID;
}

static enum status play(struct bus *bus) {
    uint32_t rank = bus_rank(bus);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        if (rank == 1)
            TRY(await(bus, round));
        TRY(bus_send(bus, 1 - rank, BUS_CONTROL, &round, sizeof round));
        bus_flush(bus);
        if (rank == 0)
            TRY(await(bus, round));
    }
    return STATUS_OK;
}

int main(int argc, char **argv) {
    struct bus *bus = NULL;
    struct error error = {0};
    enum status status = bus_mpi_open(&argc, &argv, &bus, &error);
    if (status != STATUS_OK) {
        fprintf(stderr, "tierbed-probe: %s\n", error.text);
        return status_exit_code(status);
    }
    if (bus_size(bus) != 2) {
        fprintf(stderr, "tierbed-probe: started with %u ranks; it wants 2\n", (unsigned)bus_size(bus));
        bus_close(bus);
        return 2;
    }
    int64_t begin_ns = wall_now_ns();
    status = play(bus);
    int64_t round_ns = (wall_now_ns() - begin_ns) / ROUNDS;
    if (status != STATUS_OK) {
        fprintf(stderr, "tierbed-probe: rank %u: %s\n", (unsigned)bus_rank(bus), status_name(status));
        bus_abandon(bus);
        return status_exit_code(status);
    }
    if (bus_rank(bus) == 0)
        printf("rtt_ns %lld\n", (long long)round_ns);
    bus_close(bus);
    return 0;
}
