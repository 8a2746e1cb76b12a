/* loopback: what a rank sends to itself. MPI is not asked: it would copy and match for nothing, and count as
 * mail. */
#ifndef TIERBED_NET_LOOPBACK_H
#define TIERBED_NET_LOOPBACK_H

#include <stdbool.h>

#include "common/net/bus.h"

struct loopback_item;

struct loopback {
    struct loopback_item *first, *last, *held; /* held: the one that was taken last */
    size_t bytes;                              /* held and waiting */
};

/* Queues a copy. STATUS_FULL above BUS_PENDING_BYTES_MAX, STATUS_MEMORY. */
enum status loopback_put(struct loopback *loopback, enum bus_lane lane, const void *data, size_t size);
/* Takes the oldest: fills lane, data and size. The data stay until loopback_release. */
bool loopback_take(struct loopback *loopback, struct bus_message *message);
void loopback_release(struct loopback *loopback);
void loopback_close(struct loopback *loopback); /* safe twice */

#endif
