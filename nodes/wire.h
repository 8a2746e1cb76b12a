/* wire: the body of an event between hosts: a fixed header, then the payload of a message. Little-endian. */
#ifndef TIERBED_NODES_WIRE_H
#define TIERBED_NODES_WIRE_H

#include <stdint.h>

enum wire_kind {
    WIRE_START = 1,
    WIRE_MESSAGE,
    WIRE_TIMER,
    WIRE_CARD,
    WIRE_SLOT,
    WIRE_FAULT_BEGIN,
    WIRE_FAULT_END
};

enum wire_flag { WIRE_DUPLICATE = 1, WIRE_OWN_CARD = 2, WIRE_DEFERRED = 4 };

struct wire {
    uint8_t kind;
    uint8_t flags;
    uint16_t type;   /* MESSAGE: enum message_type */
    uint32_t source; /* node that caused it (kept when a hang defers it) */
    uint32_t index;  /* MESSAGE: its number on its link and lane, 0 unless sealed; TIMER: its number; CARD:
                        link of  the node; FAULT: index in the schedule */
    uint32_t incarnation; /* MESSAGE: life of its sender; TIMER: life of the node that asked for it */
    uint64_t bits;        /* MESSAGE: emulated size; TIMER: cookie */
    int64_t sent_ns, start_ns, air_ns;
    uint64_t checksum; /* MESSAGE: of the payload as sent */
};

_Static_assert(sizeof(struct wire) == 56, "the header has no padding");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the header is little-endian");

#endif
