/* uplink: what a gateway can tell of its link to the edge server from the reports of its network card and from what it
 * sent: how long a task holds it, and when it will be free. A forecast for decisions and for the closed form; the
 * timeline itself is the network card's. */
#ifndef TIERBED_NODES_GATEWAY_UPLINK_H
#define TIERBED_NODES_GATEWAY_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/net/message.h"

struct uplink {
    bool known;        /* a usable rate was reported */
    bool unsure;       /* back from a crash: something may be on air that nobody here remembers */
    double rate_bps;
    uint32_t mini_slots;
    int64_t mini_slot_ns;
    int64_t hold_ns;   /* delta tau of one task: the link is busy this long */
    int64_t air_ns;    /* Omega of one task, jopa (6) */
    int64_t end_ns;    /* of the transmission that runs, or ran last */
    uint32_t waiting;  /* tasks behind it */
};

/* Takes a report at `now_ns` for tasks of `bits` bits. Returns true when it changes how long a task takes. */
bool uplink_report(struct uplink *uplink, const struct message_link_state *report, uint64_t bits, int64_t now_ns);

/* When everything sent so far has left; `now_ns` when idle. */
int64_t uplink_free_ns(struct uplink *uplink, int64_t now_ns);
bool uplink_idle(struct uplink *uplink, int64_t now_ns);

void uplink_sent(struct uplink *uplink, int64_t now_ns); /* one more task was handed to the network card */
void uplink_refused(struct uplink *uplink);              /* one of them found the queue full after all */

#endif
