/* link_medium: how fast a link carries bits at this moment, and how long one packet therefore takes.
 *
 * The part of a link that depends on its kind: ideal (takes no time), wired (a constant rate), ofdma (the
 * sub-channels this sender holds), ofdma-share (the part of the band and the power it holds), lte-m (its
 * share of the band, in whole mini-slots), trace (recorded chances). Knows nothing of queues, delay, loss or
 * counters. */
#ifndef TIERBED_NET_LINK_MEDIUM_H
#define TIERBED_NET_LINK_MEDIUM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/net/channel.h"
#include "common/net/link.h"
#include "common/net/trace_file.h"

struct link_medium {
    enum link_kind kind;
    double rate_bps; /* now, with the fault's factor; 0: nothing can be sent until a slot, allocation or fault
                        changes it */
    double rate_factor;
    double rate_wired_bps;
    struct channel channel;
    double bandwidth_hz, noise_w_per_hz;
    double power_w;                                 /* in use; 0 where there is no radio */
    uint32_t subchannels, subchannels_held;         /* ofdma */
    double power_max_w, noise_w, bandwidth_held_hz; /* ofdma-share */
    double share;                                   /* lte-m */
    double mini_slot_bits, rate_max_bps;
    double mini_slot_ns; /* tau, not rounded */
    uint32_t mini_slots; /* delta at the rate of now */
    double remainder_ns; /* lte-m: exact end of the last transmission minus its end_ns, within +-0.5 */
    struct trace_file trace;
    uint64_t chance_next;    /* trace: the first chance that nobody has used */
    double chance_left_bits; /* trace: what the last packet left over of the chance at its end_ns */
};

/* One packet to be carried. */
struct link_passage {
    uint64_t bits;
    int64_t offered_ns;
    int64_t start_ns;
    bool back_to_back; /* the transmission before it ends at start_ns */
    int64_t air_ns;    /* out: time on air */
    int64_t end_ns;    /* out: free again */
};

/* Checks what `config` says of the kind and computes the first rate; loads the trace of kind `trace`.
 * `stream` drives the channel. On failure nothing is owned. */
enum status link_medium_open(struct link_medium *medium, const struct scenario_link *config, double share,
                             const struct random_stream *stream, struct error *error);
void link_medium_close(struct link_medium *medium);

/* Takes what is granted, cut to what there is; nothing on kinds that grant nothing. */
void link_medium_allocate(struct link_medium *medium, const struct link_allocation *allocation);

/* Recomputes the rate from channel, allocation and factor. */
void link_medium_refresh(struct link_medium *medium);

/* Carries one packet (bits > 0 unless ideal, rate_bps > 0): fills air_ns and end_ns. Durations are cut at
 * 2^60 ns. */
void link_medium_carry(struct link_medium *medium, struct link_passage *passage);

struct link_report link_medium_report(const struct link_medium *medium);

#endif
