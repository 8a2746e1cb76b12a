/* network: how messages travel in a simulated world, and everything that can happen to them on the way.
 *
 * Members are instances of nodes: a validator and its twin are two members of one node. Between each ordered
 * pair lies a link that is open or cut; open links delay, lose, duplicate, reorder, damage and replay by
 * probabilities drawn from the world's seed. In phased mode what is open depends on the round and kind of
 * vote that a message carries (rows 12 and 18 of chain.md 3.3). Knows no validators. */
#ifndef TIERBED_CAMPAIGN_NETWORK_H
#define TIERBED_CAMPAIGN_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/random.h"

#define NETWORK_MEMBERS_MAX 32u
#define NETWORK_PHASES_MAX 32u
#define NETWORK_COPIES_MAX 4u
#define NETWORK_PAST_MAX 32u /* messages kept for replay */

struct network_quality {
    int64_t delay_least_ns, delay_most_ns; /* uniform between the two */
    int64_t tail_ns;                       /* mean of the exponential extra delay of the `reorder` part */
    double loss, duplicate, reorder, corrupt, truncate, replay; /* probabilities per message */
};

/* Which links are open: bit j of row i: from i to j. */
struct network_links {
    uint32_t open[NETWORK_MEMBERS_MAX];
};

/* What a message is for the network: where it belongs in the protocol, if anywhere. */
enum network_class { NETWORK_OTHER = 0, NETWORK_PROPOSAL, NETWORK_PREVOTE, NETWORK_PRECOMMIT };

struct network_packet {
    uint32_t from, to; /* members */
    enum network_class class;
    uint32_t round; /* class OTHER: the sender's present round */
    uint32_t bytes;
};

enum network_damage { NETWORK_WHOLE = 0, NETWORK_FLIPPED, NETWORK_CUT, NETWORK_GROWN };

/* One copy that arrives. `past`: not this message but an earlier one, so many back. */
struct network_copy {
    int64_t delay_ns;
    enum network_damage damage;
    uint32_t place; /* FLIPPED: seed of the bits; CUT: bytes that are left; GROWN: bytes added */
    uint32_t past;  /* 0: this one */
};

struct network {
    uint32_t member_count;
    struct network_links links;
    struct network_quality quality;
    /* Phased: links of (round, class), used while phase_count > 0: index (round * 3 + class - 1) modulo
     * phase_count when `by_class`, else round modulo phase_count. */
    uint32_t phase_count;
    bool by_class;
    struct network_links phases[NETWORK_PHASES_MAX];
    uint32_t
        slow[NETWORK_MEMBERS_MAX]; /* bit j: messages i -> j wait until the clog is lifted (delay x 20) */
    struct random_stream random;
    uint64_t sent, cut, lost, duplicated, damaged, replayed;
};

void network_init(struct network *network, uint32_t member_count, uint64_t seed);
/* All links open, no phases, nothing slow. */
void network_heal(struct network *network);
/* Opens links within each set and cuts those between; sets[i] is the set of member i. */
void network_partition(struct network_links *links, const uint8_t *sets, uint32_t member_count);
/* Two sets that touch only through `bridge`, which reaches all. */
void network_bridge(struct network_links *links, const uint8_t *sets, uint32_t bridge, uint32_t member_count);
/* Each member reaches its two neighbours in a ring of the first `ring` members; the rest reach all. */
void network_ring(struct network_links *links, uint32_t ring, uint32_t member_count);
void network_cut_one_way(struct network_links *links, uint32_t from, uint32_t to);

bool network_open(const struct network *network, const struct network_packet *packet);
/* How many copies of `packet` arrive (0 .. NETWORK_COPIES_MAX), and how. */
uint32_t network_send(struct network *network, const struct network_packet *packet,
                      struct network_copy copies[NETWORK_COPIES_MAX]);

#endif
