/* sight: what an outsider reads from a message on the wire: who signed what, and where it belongs. */
#ifndef TIERBED_CAMPAIGN_SIGHT_H
#define TIERBED_CAMPAIGN_SIGHT_H

#include "campaign/network.h"
#include "common/ledger/block.h"

enum sight_kind { SIGHT_PROPOSAL = 1, SIGHT_VOTE, SIGHT_CERTIFICATE };

/* Points into memory that lives as long as the call. Signatures are not verified. */
struct sight {
    enum sight_kind kind;
    const struct proposal *proposal;
    const struct vote *vote;
    const struct certificate *certificate;
    const struct block_header *header; /* that came with the certificate, or NULL */
};

typedef void (*sight_each)(void *context, const struct sight *sight);

/* Calls `each` for everything signed that the message carries; nothing for what does not decode. */
void sight_message(uint16_t type, const uint8_t *payload, size_t bytes, sight_each each, void *context);

/* The place of a message in the protocol: NETWORK_OTHER for what belongs to no round. */
enum network_class sight_class(uint16_t type, const uint8_t *payload, size_t bytes, uint64_t *height,
                               uint32_t *round);

/* One readable line about a message: its name, and height, round and value of what is signed in it. */
void sight_text(uint16_t type, const uint8_t *payload, size_t bytes, char *text, size_t size);

#endif
