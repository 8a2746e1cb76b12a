/* sealing: what the network cards of one process do to payloads: seal what leaves, open what arrives.
 *
 * Per link and life of its sender one key (nodes/keyring.h), per lane one counter and one window against
 * replays, all made when the first message passes. The header (nodes/wire.h) is authenticated with the text,
 * but for the flags, which are the link's, and so is the destination. */
#ifndef TIERBED_NODES_SEALING_H
#define TIERBED_NODES_SEALING_H

#include "nodes/keyring.h"
#include "nodes/wire.h"

struct sealing_sender;
struct sealing_receiver;

struct sealing {
    struct keyring *keyring;             /* borrowed */
    const struct topology *topology;     /* borrowed */
    struct sealing_sender **senders;     /* by link id; NULL: nothing was sent yet */
    struct sealing_receiver **receivers; /* by link id; NULL: nothing has come yet */
    uint8_t *text;                       /* the latest that was opened */
    size_t text_capacity;
};

void sealing_open(struct sealing *sealing, struct keyring *keyring, const struct topology *topology);
void sealing_close(struct sealing *sealing);

/* The message in `wire` leaves over `link` in its sender's life wire->incarnation: gives it its number. */
void sealing_number(struct sealing *sealing, uint32_t link, struct wire *wire);
/* What `bytes` of text become on that link: a tag longer, or nothing when there is no session, because one
 * end was not admitted: who is no member gets nothing. */
uint32_t sealing_bytes(struct sealing *sealing, uint32_t link, const struct wire *wire, uint32_t bytes);
/* Writes sealing_bytes(...) bytes to `sealed`. */
void sealing_seal(struct sealing *sealing, uint32_t link, const struct wire *wire, const uint8_t *text,
                  uint32_t bytes, uint8_t *sealed);

enum sealing_verdict {
    SEALING_GOOD = 0,
    SEALING_BROKEN,  /* forged, damaged, cut short, or no session */
    SEALING_REPLAYED /* seen before, or too old to tell */
};
/* Opens what came over `link`; `text` is valid until the next call, and set only when GOOD. */
enum sealing_verdict sealing_unseal(struct sealing *sealing, uint32_t link, const struct wire *wire,
                                    const uint8_t *sealed, size_t size, const uint8_t **text);

#endif
