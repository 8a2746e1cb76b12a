/* uplink: what a gateway can tell of its link to the edge server from the scenario, the reports of its
 * network card and what it sent: how long a task holds it, and when it will be free. A forecast for decisions
 * and for the closed form; the timeline itself is the network card's. */
#ifndef TIERBED_NODES_GATEWAY_UPLINK_H
#define TIERBED_NODES_GATEWAY_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/model/scenario.h"
#include "common/net/message.h"

struct uplink {
    bool known;         /* a usable rate is known */
    bool unsure;        /* back from a crash: something may be on air that nobody here remembers */
    double bits;        /* of one task */
    double task_tau_ns; /* lte-m: delta counts these, tau times the packets of mini_slot_bits in a task; else
                           0 */
    double hold_ns;     /* delta tau: one task keeps the link busy this long; need not be whole */
    int64_t air_ns;     /* Omega of one task, jopa (6) */
    double end_ns;      /* of the transmission that runs, or ran last */
    uint32_t waiting;   /* tasks behind it */
};

/* Starts with what the scenario says: a wired or ideal link is known at once, radio links report, and the
 * chances of a trace are no rate. `restarted`: see `unsure`. STATUS_INVALID when the link's channel is not
 * valid. */
enum status uplink_init(struct uplink *uplink, const struct scenario_link *config, double bits,
                        int64_t now_ns, bool restarted);

/* Takes a report of a change at `since_ns`, heard of at `now_ns` (later when the node hung in between).
 * Returns true when it changes how long a task takes. */
bool uplink_report(struct uplink *uplink, const struct message_link_state *report, int64_t since_ns,
                   int64_t now_ns);

/* How long what was sent so far still needs; 0 when idle or unknown. Idle means known and free. */
int64_t uplink_wait_ns(struct uplink *uplink, int64_t now_ns);
bool uplink_idle(struct uplink *uplink, int64_t now_ns);

void uplink_sent(struct uplink *uplink, int64_t now_ns); /* one more task was handed to the network card */
void uplink_refused(struct uplink *uplink);              /* one of them found the queue full after all */

#endif
