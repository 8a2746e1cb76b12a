/* byzantine: validators that lie. The state machine of such a member is the honest one; what it says is bent
 * on its way out, and signed again with its key.
 *
 * After ByzzFuzz (Winter et al., 2023): mutations of small scope - a round or height off by one, nil for a
 * value, an old value for a new one - beside the classic attacks: another proposal to each half, both votes,
 * silence, withheld or wrong parts, invalid blocks, votes for far rounds, lies about what is held, forged
 * certificates. */
#ifndef TIERBED_CAMPAIGN_BYZANTINE_H
#define TIERBED_CAMPAIGN_BYZANTINE_H

#include "campaign/world.h"

enum byzantine_behaviour {
    BYZANTINE_EQUIVOCATE_PROPOSAL = 1u << 0,
    BYZANTINE_EQUIVOCATE_VOTE = 1u << 1,
    BYZANTINE_SILENT_PROPOSER = 1u << 2,
    BYZANTINE_WITHHOLD_PARTS = 1u << 3,
    BYZANTINE_WRONG_PARTS = 1u << 4,
    BYZANTINE_INVALID_BLOCK = 1u << 5,
    BYZANTINE_FAR_ROUNDS = 1u << 6,
    BYZANTINE_LYING_STATUS = 1u << 7,
    BYZANTINE_LYING_CATCHUP = 1u << 8,
    BYZANTINE_FORGED_CERTIFICATE = 1u << 9,
    BYZANTINE_MUTATE = 1u << 10,
    BYZANTINE_STALE_POLKA = 1u << 11,
    BYZANTINE_MUTE = 1u << 12, /* says nothing at all */
    BYZANTINE_LYING_ATTEST = 1u << 13
};

struct byzantine;

struct byzantine *byzantine_open(uint32_t behaviours, uint64_t seed);
void byzantine_close(struct byzantine *byzantine);
/* Says something in place of `action` (a send): nothing, the same, other things. */
void byzantine_send(struct byzantine *byzantine, struct world *world, struct member *member,
                    const struct action *action, const uint8_t *payload);

#endif
