/* link: the emulator of one directed link: when does a packet offered now arrive, if at all?
 *
 * Pure: no events, no clock, no I/O. The host ("network card") offers packets and asks for departures; a
 * packet waits in a bounded queue (most urgent first, FIFO among equals), is serialised at the rate of the
 * moment its transmission starts, then propagates with optional jitter. Arrival order is FIFO per link unless
 * reordering is asked for. Loss, duplication and corruption are decided when transmission starts, from this
 * link's own streams. Times are integer ns; a transmission of b bits at r bit/s takes llround(b / r * 1e9)
 * ns. */
#ifndef TIERBED_NET_LINK_H
#define TIERBED_NET_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/model/scenario.h"

struct link; /* opaque: holds its queue (capacity config->queue_max), channel state, loss state and counters
              */

struct link_packet {
    uint64_t bits;      /* emulated size, > 0 for every kind but `ideal` */
    uint32_t urgency;   /* higher leaves first; 0 for ordinary traffic */
    uint32_t handle;    /* the caller's, comes back in the departure */
    int64_t offered_ns; /* set by link_offer */
};

enum link_fate { LINK_DELIVERED = 0, LINK_LOST, LINK_CORRUPTED, LINK_CUT };

/* One transmission that starts. */
struct link_departure {
    struct link_packet packet;
    enum link_fate fate;
    int64_t start_ns;     /* transmission starts: start - offered is the queueing wait */
    int64_t air_ns;       /* time on air at the current rate, Omega = bits / R */
    int64_t end_ns;       /* the link is free again: start + air, or whole mini-slots on lte-m */
    int64_t arrival_ns;   /* end of air time + propagation + jitter; on lte-m counted from start + air */
    int64_t duplicate_ns; /* arrival of a second copy, VTIME_NEVER for none */
    uint64_t corrupt_key; /* fate CORRUPTED: seeds which payload bits flip */
};

/* What a sender may know of its link: delivered to it as a LINK_STATE message at start and on every change.
 */
struct link_report {
    double rate_bps;      /* R now */
    double gain;          /* of the channel now; 0 on links without radio */
    uint32_t state;       /* channel state or level index, 0 for fixed */
    uint32_t mini_slots;  /* delta: mini-slots per packet of mini_slot_bits, 0 unless lte-m */
    int64_t mini_slot_ns; /* tau, 0 unless lte-m */
};

/* What its receiver grants a sender: of `ofdma` a number of sub-channels, of `ofdma-share` a part of the band
 * and the transmit power to use on it. */
struct link_allocation {
    uint32_t subchannels;
    double bandwidth_hz, power_w;
};

struct link_counters {
    uint64_t offered, refused, departed, delivered, lost, corrupted, cut, duplicated;
    uint64_t bits;       /* departed */
    int64_t busy_ns;     /* total of end - start */
    double air_s;        /* total time on air */
    double energy_j;     /* power * air time */
    double queue_area_s; /* integral of the number waiting (Little's law) */
    double wait_s;       /* total waiting time of departed packets */
    uint32_t queue_peak;
};

/* Impairments that a fault switches on for a while; they add to those of the scenario. */
struct link_fault {
    bool cut;                                 /* partition: every packet that starts is lost */
    double loss, corrupt, duplicate, reorder; /* probabilities, 0 = off */
    double rate_factor;                       /* 1 = off */
};

/* Creates a link; `seed` and `id` key its random streams, `share` is topology_link.share. Reads the trace
 * file of kind `trace`. The caller owns the result and frees it with link_close (NULL is fine). */
enum status link_open(const struct scenario_link *config, double share, uint64_t seed, uint32_t id,
                      struct link **link, struct error *error);
void link_close(struct link *link);

/* Queues a packet at `now_ns`. STATUS_FULL when the queue holds queue_max (counted as refused). */
enum status link_offer(struct link *link, struct link_packet packet, int64_t now_ns);

/* If the link is free at `now_ns` and a packet waits, starts its transmission: fills `departure`, returns
 * true. Call again until false (ideal links and zero-length transmissions can start several at once). */
bool link_start(struct link *link, int64_t now_ns, struct link_departure *departure);

/* A message of the control plane at `now_ns`: it takes no time on air and does not queue behind data, but it
 * propagates, jitters and gets lost like everything else, in an order of its own. Fills `departure` as
 * link_start does. */
void link_control(struct link *link, struct link_packet packet, int64_t now_ns,
                  struct link_departure *departure);

/* When link_start is worth calling next: the end of the running transmission if packets wait, else
 * VTIME_NEVER. (A link that holds no
 * sub-channel or no band waits for an allocation: VTIME_NEVER.) */
int64_t link_next_ns(const struct link *link);

/* A slot begins: the Markov channel, the levels or fading step. Returns true when the report changed. */
bool link_slot(struct link *link, int64_t now_ns);

/* ofdma and ofdma-share: sets what this sender holds, cut to what there is. Returns true when the report
 * changed. */
bool link_allocate(struct link *link, const struct link_allocation *allocation, int64_t now_ns);

void link_set_fault(struct link *link, const struct link_fault *fault);
/* Forgets what waits (its sender died): returns the number of packets dropped; their handles go to `handles`
 * (room for queue_max, may be NULL). A transmission already on air is not recalled. */
uint32_t link_flush(struct link *link, uint32_t *handles, int64_t now_ns);

struct link_report link_report(const struct link *link);
const struct link_counters *link_counters(const struct link *link);
/* The least time between offering and arrival of any packet: the propagation delay (0 for ideal). */
int64_t link_lookahead_ns(const struct scenario_link *config);

#endif
